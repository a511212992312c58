/* SPDX-License-Identifier: ISC */
/* The load generator, against servers that behave and servers that do not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "echo_server.h"
#include "harness.h"
#include "strict_json.h"
#include "uxping/connection.h"
#include "uxping/load.h"
#include "uxping/options.h"
#include "uxping/subject.h"

Suite *suite_bench(void);

static struct options options;
static struct subject subject;
static const struct subject_watcher nobody;

/* Read "-B ARGUMENTS TYPE:sock" into options and open it as the subject. */
static void
prepare(enum uxs_type type, const char *arguments)
{
	static char line[256];
	static char *argv[32];
	char why[OPTIONS_WHY_MAX], *next = line;
	int argc = 0;

	snprintf(line, sizeof(line), "uxping -B -d 100ms %s %s:sock", arguments,
	    uxs_type_name(type));
	while ((argv[argc] = strsep(&next, " ")) != NULL)
		argc += argv[argc][0] != '\0';
	if (options_read(argc, argv, &options, why) < 0)
		ck_abort_msg("%s: %s", arguments, why);
	ck_assert_int_eq(subject_open(&subject, options.targets[0], &options),
	    0);
}

/* Put that load on a server of this manner. */
static void
bench(enum uxs_type type, enum echo_manner manner, const char *arguments)
{
	pid_t pid;

	prepare(type, arguments);
	pid = echo_start(type, "sock", manner);
	subject_run(&subject, options.duration_ns, &nobody);
	subject_close(&subject);
	echo_stop(pid);
}

static void
assert_all_is_well(void)
{
	const struct tally *t = &subject.total;

	if (subject.has_diagnosis)
		ck_abort_msg("%s", subject.diagnosis.text);
	ck_assert_int_eq(subject.status, 0);
	ck_assert_uint_gt(t->received, 0);
	ck_assert_uint_le(t->received, t->sent);
	/* What is under way at the end, and nothing else, is missing. */
	ck_assert_uint_le(t->sent - t->received,
	    (uint64_t)(options.n_connections * options.depth));
	ck_assert_uint_eq(t->response.n, t->received);
	ck_assert_uint_eq(t->late + t->corrupt + t->timeouts + t->errors, 0);
	ck_assert_int_ge(t->measured_ns, options.duration_ns);
}

static const struct {
	enum uxs_type type;
	const char *arguments;
} good_rows[] = {
	{ UXS_STREAM, "--verify" },
	{ UXS_STREAM, "--verify -P 5 -Q 7 -s 1" },
	{ UXS_STREAM, "--verify -P 20 -s 3000 --warmup 50ms" },
	{ UXS_STREAM, "--verify -P 2 -Q 2 -s 1000000" }, /* partial writes */
	{ UXS_STREAM, "--verify -P 3 -C" },
	{ UXS_STREAM, "--verify -P 3 -R 2000" },
	{ UXS_STREAM, "--verify -P 3 -R 2000 -C" },
	{ UXS_SEQPACKET, "--verify -P 3 -Q 3" },
	{ UXS_SEQPACKET, "-P 3 -Q 3 -s 0" },
	{ UXS_SEQPACKET, "--verify -C" },
	{ UXS_DGRAM, "--verify" },
	{ UXS_DGRAM, "--verify -P 40 -s 5" }, /* more than the queue holds */
	{ UXS_DGRAM, "--verify -P 4 -Q 20 -R 5000" },
	{ UXS_DGRAM, "-P 3 -Q 2 -s 0" },
	{ UXS_DGRAM, "--verify -P 2 -C" },
};

START_TEST(a_good_server_is_measured_without_a_fault)
{
	bench(good_rows[_i].type, ECHO_WELL, good_rows[_i].arguments);

	assert_all_is_well();
}
END_TEST

START_TEST(everybody_gets_a_turn_where_the_servers_queue_is_full)
{
	struct load load;
	size_t n_answered = 0;
	pid_t pid;

	prepare(UXS_DGRAM, "-P 40");
	pid = echo_start(UXS_DGRAM, "sock", ECHO_WELL);
	ck_assert_int_eq(load_open(&load, &subject.target, &options), 0);

	ck_assert_int_eq(load_run(&load, 0, options.duration_ns), 0);

	for (size_t i = 0; i < load.n_all; i++)
		n_answered += load.all[i].had_replies;
	ck_assert_uint_eq(n_answered, 40);
	load_close(&load);
	subject_close(&subject);
	echo_stop(pid);
}
END_TEST

START_TEST(response_time_grows_where_the_rate_cannot_be_held)
{
	int64_t response_p90 = 0, service_p50 = 0;

	/* The server can do less than 1000 a second. */
	bench(UXS_STREAM, ECHO_SLOWLY, "-R 10000 -d 200ms");

	assert_all_is_well();
	ck_assert(histogram_percentile(&subject.total.response, 900000,
	    &response_p90));
	ck_assert(histogram_percentile(&subject.total.service, 500000,
	    &service_p50));
	ck_assert_int_gt(response_p90, 10 * service_p50);
	ck_assert_uint_lt(subject.total.sent, 2000 / 2);
}
END_TEST

START_TEST(a_closed_loop_has_one_time_only)
{
	bench(UXS_STREAM, ECHO_SLOWLY, "");

	assert_all_is_well();
	ck_assert_uint_eq(subject.total.service.n, 0);
}
END_TEST

START_TEST(a_corrupt_echo_is_found_when_asked_for)
{
	bench((enum uxs_type)_i, ECHO_CORRUPT, "--verify -P 2");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_gt(subject.total.received, 0);
	ck_assert_uint_eq(subject.total.corrupt, subject.total.received);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_CORRUPT);
}
END_TEST

START_TEST(a_corrupt_echo_is_an_answer_when_not)
{
	bench((enum uxs_type)_i, ECHO_CORRUPT, "-P 2");

	assert_all_is_well();
}
END_TEST

START_TEST(a_server_that_closes_at_once_is_an_error_and_ends_the_run)
{
	bench((enum uxs_type)_i, ECHO_CLOSE, "-P 3 -d 100s");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_eq(subject.total.errors, 3);
	ck_assert_uint_eq(subject.total.received, 0);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_DENIED);
	ck_assert_int_lt(subject.total.measured_ns, options.duration_ns);
}
END_TEST

START_TEST(a_server_that_closes_after_answers_is_connected_to_again)
{
	bench((enum uxs_type)_i, ECHO_ONCE, "-P 2");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_gt(subject.total.received, 1);
	ck_assert_uint_gt(subject.total.errors, 0);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_CLOSED);
}
END_TEST

START_TEST(lost_datagrams_are_counted_and_do_not_stop_the_load)
{
	bench(UXS_DGRAM, ECHO_SOME, "-W 20ms -P 2");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_gt(subject.total.timeouts, 0);
	ck_assert_uint_gt(subject.total.received, subject.total.timeouts);
	ck_assert_uint_eq(subject.total.errors, 0);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_TIMEOUT);
}
END_TEST

START_TEST(a_second_answer_is_not_taken_for_the_next_one)
{
	bench(UXS_DGRAM, ECHO_TWICE, "--verify");

	ck_assert_uint_gt(subject.total.late, 0);
	ck_assert_uint_eq(subject.total.corrupt, 0);
	ck_assert_uint_le(subject.total.received, subject.total.sent);
}
END_TEST

START_TEST(more_bytes_than_were_sent_are_corrupt_without_verify_too)
{
	bench(UXS_STREAM, _i == 0 ? ECHO_TWICE : ECHO_GREET, "");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_gt(subject.total.corrupt, 0);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_CORRUPT);
}
END_TEST

START_TEST(a_silent_server_times_out)
{
	bench((enum uxs_type)_i, ECHO_NEVER, "-W 50ms -P 2 -Q 2");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_ge(subject.total.timeouts, 4);
	ck_assert_uint_eq(subject.total.received, 0);
	ck_assert_int_eq(subject.diagnosis.reason, REASON_TIMEOUT);
}
END_TEST

START_TEST(bulk_counts_bytes_both_ways_and_every_one_is_right)
{
	bench(UXS_STREAM, ECHO_WELL, "--bulk --verify -P 2 -s 10000");

	ck_assert_int_eq(subject.status, 0);
	ck_assert_uint_gt(subject.total.received_bytes, 1000000);
	ck_assert_uint_ge(subject.total.sent_bytes,
	    subject.total.received_bytes);
	ck_assert_uint_eq(subject.total.corrupt, 0);
}
END_TEST

START_TEST(bulk_finds_a_corrupt_byte)
{
	bench(UXS_STREAM, ECHO_CORRUPT, "--bulk --verify -s 10000");

	ck_assert_int_eq(subject.status, 1);
	ck_assert_uint_eq(subject.total.corrupt, 1);
}
END_TEST

START_TEST(what_is_not_there_is_said_and_exits_1)
{
	struct output_of result;

	run_program(&result,
	    (const char *const[]){ "uxping", "-B", "-j", "nowhere", NULL });

	ck_assert_int_eq(result.status, 1);
	ck_assert(are_strict_json_lines(result.out));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "\"reason\":\"no-such-file\""));
}
END_TEST

START_TEST(a_run_prints_lines_of_strict_json_and_compares)
{
	struct output_of result;
	const pid_t a = echo_start(UXS_STREAM, "a", ECHO_WELL);
	const pid_t b = echo_start(UXS_STREAM, "b", ECHO_WELL);

	run_program(&result,
	    (const char *const[]){ "uxping", "-B", "-j", "--histogram",
		"--compare", "-d", "50ms", "stream:a", "stream:b", "--svg",
		"x.svg", NULL });
	echo_stop(a);
	echo_stop(b);

	ck_assert_str_eq(result.err, "");
	ck_assert_int_eq(result.status, 0);
	ck_assert(are_strict_json_lines(result.out));
	ck_assert_ptr_nonnull(strstr(result.out, "\"ratio\":{\"q1\":1,"));
	ck_assert_ptr_nonnull(strstr(result.out, "\"histogram\":[["));
	ck_assert(is_there("x.svg"));
}
END_TEST

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static void
add_bad_servers(TCase *bad)
{
	tcase_add_loop_test(bad, a_corrupt_echo_is_found_when_asked_for, 0,
	    UXS_N_TYPES);
	tcase_add_loop_test(bad, a_corrupt_echo_is_an_answer_when_not, 0,
	    UXS_N_TYPES);
	tcase_add_loop_test(bad,
	    a_server_that_closes_at_once_is_an_error_and_ends_the_run, 0, 2);
	tcase_add_loop_test(bad,
	    a_server_that_closes_after_answers_is_connected_to_again, 0, 2);
	tcase_add_test(bad,
	    lost_datagrams_are_counted_and_do_not_stop_the_load);
	tcase_add_test(bad, a_second_answer_is_not_taken_for_the_next_one);
	tcase_add_loop_test(bad,
	    more_bytes_than_were_sent_are_corrupt_without_verify_too, 0, 2);
	tcase_add_loop_test(bad, a_silent_server_times_out, 0, UXS_N_TYPES);
	tcase_add_test(bad, bulk_finds_a_corrupt_byte);
}

Suite *
suite_bench(void)
{
	Suite *suite = suite_create("bench");
	TCase *good = harness_case(suite, "good servers");
	TCase *bad = harness_case(suite, "bad servers");
	TCase *whole = harness_case(suite, "program");

	tcase_add_loop_test(good, a_good_server_is_measured_without_a_fault, 0,
	    N_ROWS(good_rows));
	tcase_add_test(good, response_time_grows_where_the_rate_cannot_be_held);
	tcase_add_test(good,
	    everybody_gets_a_turn_where_the_servers_queue_is_full);
	tcase_add_test(good, a_closed_loop_has_one_time_only);
	tcase_add_test(good,
	    bulk_counts_bytes_both_ways_and_every_one_is_right);

	add_bad_servers(bad);

	tcase_add_test(whole, what_is_not_there_is_said_and_exits_1);
	tcase_add_test(whole, a_run_prints_lines_of_strict_json_and_compares);
	return suite;
}
