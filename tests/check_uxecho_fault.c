/* SPDX-License-Identifier: ISC */
/*
 * uxecho --fault: clients see what the plan of the seed says, byte for byte,
 * and the statistics count what they saw. What is expected is made up here,
 * from the plan and the words of the manual.
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "uxecho/fault.h"

#define BIT(fault) (1U << UXS_FAULT_##fault)
#define N_MESSAGES 100

/* ---- the language of this file ---- */

static struct service service;
static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

static void
start_with(const char *spec, const char *option, const char *value)
{
	const char *const arguments[] = { "--fault", spec, "--stats", "stats",
		"stream:s", "seqpacket:q", "dgram:d", option, value, NULL };

	service_start(&service, arguments);
}

static void
start(const char *spec)
{
	start_with(spec, NULL, NULL);
}

static int
dial(enum uxs_type type)
{
	return client_connect(type, harness_path(paths[type]));
}

static void
read_stats(char text[OUTPUT_MAX])
{
	const int fd = client_connect(UXS_STREAM, harness_path("stats"));
	size_t used = 0;
	ssize_t n;

	client_ends(fd);
	while ((n = recv(fd, text + used, OUTPUT_MAX - 1 - used, 0)) > 0)
		used += (size_t)n;
	ck_assert_int_eq(n, 0);
	text[used] = '\0';
	close(fd);
}

/* "faults_total{type=\"stream\",kind=\"drop\"}" and the like. */
static long
figure(const char *name)
{
	char text[OUTPUT_MAX];
	const char *at;

	read_stats(text);
	at = strstr(text, name);
	ck_assert_msg(at != NULL, "no %s in the statistics", name);
	return strtol(at + strlen(name), NULL, 10);
}

static long
faults(enum uxs_type type, enum uxs_fault fault)
{
	char name[128];

	snprintf(name, sizeof(name),
	    "uxecho_faults_total{type=\"%s\",kind=\"%s\"} ",
	    uxs_type_name(type), uxs_fault_name(fault));
	return figure(name);
}

static void
counted(enum uxs_type type, const long expected[UXS_N_FAULTS])
{
	for (int i = 0; i < UXS_N_FAULTS; i++) {
		const long n = faults(type, (enum uxs_fault)i);

		ck_assert_msg(n == expected[i], "%s: %ld counted, %ld seen",
		    uxs_fault_name((enum uxs_fault)i), n, expected[i]);
	}
}

/* What stands behind these words in a line of the log. */
static void
read_log(const char *words, char *text, size_t size)
{
	char line[1024] = "";

	while (strstr(line, words) == NULL) {
		size_t n = 0;

		do {
			ck_assert_uint_lt(n, sizeof(line));
			ck_assert_int_eq(read(service.stderr_fd, &line[n], 1),
			    1);
		} while (line[n++] != '\n');
		line[n - 1] = '\0';
	}
	strlcpy(text, strstr(line, words) + strlen(words), size);
}

/* ---- what is expected ---- */

static struct fault fault;
static long expected[UXS_N_FAULTS];

static void
plan(const char *spec)
{
	ck_assert_int_eq(fault_parse(&fault, spec, NULL), 0);
	memset(expected, 0, sizeof(expected));
}

static size_t
message_of(char message[64], int client, int number)
{
	return (size_t)snprintf(message, 64, "client %d, message %03d", client,
	    number);
}

static void
expect(enum uxs_fault kind, const struct uxs_fate *fate)
{
	if ((fate->faults & 1U << kind) != 0)
		expected[kind]++;
}

/* The answer takes the place of the message. */
static size_t
spoil(const struct uxs_fate *fate, enum uxs_type type, char *message,
    size_t length)
{
	if ((fate->faults & BIT(SHORT)) != 0 && type != UXS_STREAM)
		length = 1 + fate->short_at % (length - 1);
	if ((fate->faults & BIT(CORRUPT)) != 0) {
		char *byte = &message[fate->corrupt_at % length];
		char changed = *byte ^ (char)fate->corrupt_mask;

		if (type == UXS_STREAM && changed == '\n')
			changed ^= fate->corrupt_mask == 0x20 ? 0x40 : 0x20;
		*byte = changed;
	}
	expect(UXS_FAULT_SHORT, fate);
	expect(UXS_FAULT_CORRUPT, fate);
	expect(UXS_FAULT_DELAY, fate);
	return length;
}

static void
put(FILE *out, enum uxs_type type, const char *answer, size_t length)
{
	if (type != UXS_STREAM)
		fprintf(out, "%zu:", length);
	fwrite(answer, 1, length, out);
	if (type == UXS_STREAM)
		fputc('\n', out);
}

/* All that a client hears of N_MESSAGES messages, and how it ends. */
static char *
expected_of(enum uxs_type type, int client, size_t *length)
{
	const uint32_t ends = BIT(CLOSE) | BIT(RESET);
	struct uxs_fate fate = { .faults = 0 };
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	for (int m = 1; m <= N_MESSAGES && (fate.faults & ends) == 0; m++) {
		char message[64];
		size_t n = message_of(message, client, m);

		fate = (struct uxs_fate){ .faults = 0 };
		fault_plan(&fate, (uint64_t)client, (uint64_t)m, &fault);
		expect(UXS_FAULT_DROP, &fate);
		if ((fate.faults & (ends | BIT(DROP))) != 0)
			continue;
		n = spoil(&fate, type, message, n);
		put(out, type, message, n);
		fate.faults = 0;
	}
	expect(UXS_FAULT_CLOSE, &fate);
	expect(UXS_FAULT_RESET, &fate);
	fputs((fate.faults & BIT(RESET)) != 0 ? "reset" : "end", out);
	fclose(out);
	return text;
}

/* ---- what is heard ---- */

/* Returns whether there was a reset. Where the connection ends early the rest
 * cannot be sent. */
static bool
say_all(int fd, enum uxs_type type, int client)
{
	for (int m = 1; m <= N_MESSAGES; m++) {
		char message[64];
		size_t n = message_of(message, client, m);

		if (type == UXS_STREAM)
			message[n++] = '\n';
		if (send(fd, message, n, MSG_NOSIGNAL) < 0)
			return errno == ECONNRESET;
	}
	client_ends(fd);
	return false;
}

static char *
heard_of(int fd, enum uxs_type type, bool is_reset, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	char answer[4096];
	ssize_t n;

	while ((n = recv(fd, answer, sizeof(answer), 0)) != 0) {
		if (n < 0) { /* of packets it comes before the last of them */
			ck_assert_int_eq(errno, ECONNRESET);
			is_reset = true;
			continue;
		}
		if (type != UXS_STREAM)
			fprintf(out, "%zd:", n);
		fwrite(answer, 1, (size_t)n, out);
	}
	fputs(is_reset ? "reset" : "end", out);
	fclose(out);
	return text;
}

#define CLIENTS 12

/* All at once; the plan tells them apart by the order in which they came. */
static void
hear_what_is_planned(enum uxs_type type)
{
	bool is_reset[CLIENTS];
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial(type);
	for (int i = 0; i < CLIENTS; i++)
		is_reset[i] = say_all(fds[i], type, i + 1);
	for (int i = 0; i < CLIENTS; i++) {
		size_t n, n_expected;
		char *text = heard_of(fds[i], type, is_reset[i], &n);
		char *wanted = expected_of(type, i + 1, &n_expected);

		ck_assert_msg(n == n_expected && memcmp(text, wanted, n) == 0,
		    "client %d heard %s\nand not %s", i + 1, text, wanted);
		free(text);
		free(wanted);
		close(fds[i]);
	}
}

static const char everything[] =
    "delay=1ms,jitter=1ms,drop=10%,corrupt=10%,short=10%,close=0.5%,"
    "reset=1%,seed=7";

static const struct {
	enum uxs_type type;
	const char *framing, *threads;
} ways[] = {
	{ UXS_SEQPACKET, "none", "1" },
	{ UXS_SEQPACKET, "none", "2" },
	{ UXS_STREAM, "line", "1" },
	{ UXS_STREAM, "line", "2" },
};

START_TEST(clients_hear_and_statistics_count_what_is_planned)
{
	const char *const arguments[] = { "--fault", everything, "--stats",
		"stats", "stream:s", "seqpacket:q", "--framing",
		ways[_i].framing, "--threads", ways[_i].threads, NULL };

	plan(everything);
	service_start(&service, arguments);

	hear_what_is_planned(ways[_i].type);

	for (int i = 0; i < UXS_N_FAULTS; i++)
		ck_assert_msg(i == UXS_FAULT_STALL || expected[i] > 0,
		    "%s is not tried", uxs_fault_name((enum uxs_fault)i));
	counted(ways[_i].type, expected);
	service_stop_clean(&service);
}
END_TEST

/* At udp:, or at the socket file. */
static int
start_for_datagrams(enum uxs_type type)
{
	const char *const arguments[] = { "--fault", everything, "--stats",
		"stats", "--allow", "any", "udp:127.0.0.1:0", "dgram:d", NULL };
	char name[LOOPBACK_NAME_ROOM];

	plan(everything);
	service_start(&service, arguments);
	return type == UXS_DGRAM ? dial(type) :
				   loopback_connect_to(SOCK_DGRAM,
				       loopback_served(&service, "udp", name));
}

static const enum uxs_type datagrams[] = { UXS_DGRAM, UXS_UDP };

/* Of all that are sent one after the other. */
START_TEST(datagrams_are_answered_as_planned)
{
	const enum uxs_type type = datagrams[_i];
	const int fd = start_for_datagrams(type);

	for (int m = 1; m <= N_MESSAGES; m++) {
		struct uxs_fate fate = { .faults = 0 };
		char message[64];
		size_t n = message_of(message, 0, m);

		fault_plan(&fate, 0, (uint64_t)m, &fault);
		client_says(fd, message, n);
		expect(UXS_FAULT_DROP, &fate);
		if ((fate.faults & BIT(DROP)) != 0)
			continue;
		n = spoil(&fate, type, message, n);
		client_hears(fd, message, n);
	}

	ck_assert_int_gt(expected[UXS_FAULT_DROP], 0);
	counted(type, expected);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

START_TEST(a_client_that_waits_sees_the_plan_on_a_stream)
{
	static const char spec[] = "corrupt=30%,reset=2%,seed=1";
	int fd;

	plan(spec);
	start(spec);
	fd = dial(UXS_STREAM);
	for (int m = 1;; m++) {
		struct uxs_fate fate = { .faults = 0 };
		char message[64], byte;
		size_t n = message_of(message, 1, m);

		fault_plan(&fate, 1, (uint64_t)m, &fault);
		client_says(fd, message, n);
		if ((fate.faults & BIT(RESET)) != 0) {
			ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
			ck_assert_int_eq(errno, ECONNRESET);
			ck_assert_int_gt(m, 5);
			break;
		}
		if ((fate.faults & BIT(CORRUPT)) != 0)
			message[fate.corrupt_at % n] ^= (char)fate.corrupt_mask;
		client_hears(fd, message, n);
	}

	ck_assert_int_eq(faults(UXS_STREAM, UXS_FAULT_RESET), 1);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

START_TEST(a_reset_is_one_over_tcp)
{
	const char *const arguments[] = { "--fault", "reset=100%", "--allow",
		"any", "--stats", "stats", "tcp:127.0.0.1:0", NULL };
	char name[LOOPBACK_NAME_ROOM], byte;
	int fd;

	service_start(&service, arguments);
	fd = loopback_connect_to(SOCK_STREAM,
	    loopback_served(&service, "tcp", name));
	SAYS(fd, "one");

	ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_int_eq(faults(UXS_TCP, UXS_FAULT_RESET), 1);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Of what it sends nothing is read, and no error tells. */
START_TEST(a_stalled_client_of_tcp_is_missed_when_it_goes)
{
	const char *const arguments[] = { "--fault", "stall=100%", "--allow",
		"any", "--stats", "stats", "tcp:127.0.0.1:0", NULL };
	char name[LOOPBACK_NAME_ROOM];
	int fd;

	service_start(&service, arguments);
	fd = loopback_connect_to(SOCK_STREAM,
	    loopback_served(&service, "tcp", name));
	SAYS(fd, "one");
	while (faults(UXS_TCP, UXS_FAULT_STALL) == 0)
		;
	SAYS(fd, "two");
	close(fd);

	while (figure("uxecho_connections{type=\"tcp\"} ") > 0)
		;
	service_stop_clean(&service);
}
END_TEST

/* ---- the seed ---- */

START_TEST(a_drawn_seed_is_logged_in_the_words_that_repeat_it)
{
	char spec[FAULT_TEXT_MAX];

	start("drop=50%,close=1%");
	read_log("again with --fault ", spec, sizeof(spec));
	ck_assert_ptr_eq(strstr(spec, "drop=50%,close=1%,seed="), spec);

	plan(spec);
	hear_what_is_planned(UXS_SEQPACKET);
	service_stop_clean(&service);

	plan(spec);
	start(spec);
	hear_what_is_planned(UXS_SEQPACKET);
	service_stop_clean(&service);
}
END_TEST

START_TEST(a_fault_is_logged_with_its_numbers)
{
	int fd;

	start_with("drop=100%,seed=1", "-vv", NULL);
	fd = dial(UXS_SEQPACKET);
	SAYS(fd, "one");
	SAYS(fd, "two");

	service_logs(&service,
	    "seqpacket: fault (drop): connection 1, message 2: uid=");
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* ---- the end ---- */

/* Told to stop while an answer waits for its time, and before. */
START_TEST(a_stop_waits_for_delayed_answers)
{
	const enum uxs_type type = (enum uxs_type)_i;
	int fd;

	start("delay=100ms");
	fd = dial(type);
	SAYS(fd, "one");

	service_stop_clean(&service);
	HEARS(fd, "one");
	if (type != UXS_DGRAM)
		client_hears_end(fd);
	close(fd);
}
END_TEST

START_TEST(stalled_connections_hold_up_no_stop)
{
	char byte;
	int fd;

	start("stall=100%");
	fd = dial(UXS_STREAM);
	SAYS(fd, "one");
	while (faults(UXS_STREAM, UXS_FAULT_STALL) == 0)
		;

	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	service_stop_clean(&service);
	close(fd);
}
END_TEST

/* Until they fill the buffer; a few more than a receive queue holds. */
START_TEST(late_datagrams_are_bounded_and_sent_at_the_stop)
{
	long n_late;
	int fd;

	start_with("delay=1h", "--buffer", "1k");
	fd = dial(UXS_DGRAM);
	for (int i = 0; i < 20; i++)
		client_says(fd, "................................", 32);
	while (figure("uxecho_received_messages_total{type=\"dgram\"} ") < 20)
		;

	n_late = faults(UXS_DGRAM, UXS_FAULT_DELAY);
	ck_assert_int_gt(n_late, 2);
	ck_assert_int_lt(n_late, 11);
	ck_assert_int_eq(figure("uxecho_dropped_total{type=\"dgram\","
				"reason=\"full\"} "),
	    20 - n_late);
	service_stop_clean(&service);
	for (long i = 0; i < n_late; i++)
		client_hears(fd, "................................", 32);
	close(fd);
}
END_TEST

/* ---- services ---- */

START_TEST(discard_has_no_answer_to_drop_but_an_end)
{
	int fd;

	start_with("drop=100%,delay=1h,corrupt=100%", "--service", "discard");
	fd = dial(UXS_SEQPACKET);
	SAYS(fd, "one");
	client_ends(fd);
	client_hears_end(fd);
	for (int i = 0; i < UXS_N_FAULTS; i++)
		ck_assert_int_eq(faults(UXS_SEQPACKET, (enum uxs_fault)i), 0);
	close(fd);
	service_stop_clean(&service);

	start_with("close=100%", "--service", "discard");
	fd = dial(UXS_SEQPACKET);
	SAYS(fd, "one");
	client_hears_end(fd);
	ck_assert_int_eq(faults(UXS_SEQPACKET, UXS_FAULT_CLOSE), 1);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

START_TEST(what_chat_passes_on_is_whole)
{
	char line[4096];
	int fd, other;

	start_with("drop=100%,corrupt=100%,short=100%", "--service", "chat");
	fd = dial(UXS_SEQPACKET);
	other = dial(UXS_SEQPACKET);
	ck_assert_int_gt(recv(fd, line, sizeof(line), 0), 0); /* joined */
	SAYS(fd, "hello");

	HEARS(other, "hello");
	close(fd);
	close(other);
	service_stop_clean(&service);
}
END_TEST

START_TEST(whoami_and_upper_meet_with_faults)
{
	int fd;

	start_with("short=100%,seed=3", "--service", "upper");
	fd = dial(UXS_SEQPACKET);
	SAYS(fd, "ab");
	HEARS(fd, "A");
	close(fd);
	service_stop_clean(&service);

	start_with("close=100%", "--service", "whoami");
	fd = dial(UXS_SEQPACKET);
	SAYS(fd, "?");
	client_hears_end(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* ---- what is refused ---- */

static struct output_of result;

static void
check(const char *a, const char *b, const char *c)
{
	const char *const argv[] = { "uxecho", "--check", "--fault",
		"drop=0.5%", "stream:s", a, b, c, NULL };

	run_program(&result, argv);
}

static void
is_refused(const char *what)
{
	ck_assert_int_eq(result.status, 64);
	ck_assert_msg(strstr(result.err, what) != NULL, "%s", result.err);
	ck_assert_ptr_null(strchr(strchr(result.err, '\n') + 1, '\n'));
}

START_TEST(root_is_not_to_misbehave_unless_forced)
{
	check("--user", _i == 0 ? "root" : "0", NULL);
	is_refused("root is not to misbehave by --fault");
	ck_assert_ptr_nonnull(strstr(result.err, "--force"));

	check("--user", _i == 0 ? "root" : "0", "--force");
	ck_assert_int_eq(result.status, geteuid() == 0 ? 0 : 77);
	if (geteuid() != 0)
		return;
	ck_assert_ptr_nonnull(strstr(result.out, "\nfault: drop=0.5%,"));
	ck_assert_ptr_null(strstr(result.out, "then become"));
}
END_TEST

START_TEST(programs_see_no_faults)
{
	check("--service", "exec", NULL);
	is_refused("no program to run");

	const char *const argv[] = { "uxecho", "--check", "--fault",
		"drop=0.5%", "--service", "exec", "stream:s", "--", "cat",
		NULL };

	run_program(&result, argv);
	is_refused("--fault is of no use to --service exec");
}
END_TEST

START_TEST(the_plan_says_what_is_to_go_wrong)
{
	const char *const argv[] = { "uxecho", "--check", "--fault",
		"seed=42,drop=0.5%", "stream:s", NULL };

	check(NULL, NULL, NULL);
	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "\nfault: drop=0.5%, with a seed drawn at the start\n"));

	run_program(&result, argv);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "\nfault: drop=0.5%,seed=42\n"));
}
END_TEST

Suite *
suite_uxecho_fault(void)
{
	Suite *suite = suite_create("uxecho fault");
	TCase *plans = harness_case(suite, "plans");
	TCase *seeds = harness_case(suite, "seeds");
	TCase *ends = harness_case(suite, "ends");
	TCase *services = harness_case(suite, "services");
	TCase *refusals = harness_case(suite, "refusals");

	tcase_add_loop_test(plans,
	    clients_hear_and_statistics_count_what_is_planned, 0,
	    sizeof(ways) / sizeof(ways[0]));
	tcase_add_loop_test(plans, datagrams_are_answered_as_planned, 0,
	    sizeof(datagrams) / sizeof(datagrams[0]));
	tcase_add_test(plans, a_client_that_waits_sees_the_plan_on_a_stream);
	tcase_add_test(plans, a_reset_is_one_over_tcp);
	tcase_add_test(plans, a_stalled_client_of_tcp_is_missed_when_it_goes);

	tcase_add_test(seeds,
	    a_drawn_seed_is_logged_in_the_words_that_repeat_it);
	tcase_add_test(seeds, a_fault_is_logged_with_its_numbers);

	tcase_add_loop_test(ends, a_stop_waits_for_delayed_answers, 0,
	    UXS_N_TYPES);
	tcase_add_test(ends, stalled_connections_hold_up_no_stop);
	tcase_add_test(ends, late_datagrams_are_bounded_and_sent_at_the_stop);

	tcase_add_test(services, discard_has_no_answer_to_drop_but_an_end);
	tcase_add_test(services, what_chat_passes_on_is_whole);
	tcase_add_test(services, whoami_and_upper_meet_with_faults);

	tcase_add_loop_test(refusals, root_is_not_to_misbehave_unless_forced, 0,
	    2);
	tcase_add_test(refusals, programs_see_no_faults);
	tcase_add_test(refusals, the_plan_says_what_is_to_go_wrong);
	return suite;
}
