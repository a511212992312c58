/* SPDX-License-Identifier: ISC */
/* uxping --framing: pings, load and lines as messages of framed streams. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foreign.h"
#include "harness.h"
#include "suites.h"
#include "uxping/line_frame.h"
#include "uxping/options.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static struct output_of result;

#define UXPING(...)          \
	run_program(&result, \
	    (const char *const[]){ "uxping", __VA_ARGS__, NULL })

static const char *
framing_name(int i)
{
	return uxs_framing_name((enum uxs_framing)i);
}

static void
start(struct service *service, const char *name, const char *framing)
{
	const char *const arguments[] = { "--service", name, "--framing",
		framing, "stream:s", "seqpacket:q", NULL };

	service_start(service, arguments);
}

static void
says(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %s", part,
	    text);
}

/* ---- pings ---- */

static const char *const sizes[] = { "17", "56", "5000", "300000" };

START_TEST(framed_pings_come_back)
{
	struct service service;
	const char *framing = framing_name(1 + _i % (UXS_N_FRAMINGS - 1));
	const char *const arguments[] = { "--framing", framing, "-M", "1M",
		"stream:s", NULL };

	service_start(&service, arguments);

	UXPING("-F", framing, "-c", "3", "-i", "0", "-s",
	    sizes[_i / (UXS_N_FRAMINGS - 1)], "s");

	ck_assert_int_eq(result.status, 0);
	says(result.out, "3 sent, 3 received, 0 corrupted, 0% loss");
	service_stop_clean(&service);
}
END_TEST

/* In a flood a ping is sent when the one before is answered, or after 10 ms. Of
 * the last but one these are over while the last one is under way. */
START_TEST(a_flood_sends_no_more_than_it_was_told)
{
	struct service service;
	const char *const arguments[] = { "--fault", "delay=9ms,seed=1",
		"stream:s", NULL };

	service_start(&service, arguments);

	UXPING("-c", "3", "-i", "0", "s");

	ck_assert_int_eq(result.status, 0);
	says(result.out, "3 sent, 3 received, 0 corrupted, 0% loss");
	service_stop_clean(&service);
}
END_TEST

/* Each way that an answer can be cut is met within. */
START_TEST(answer_may_come_byte_by_byte)
{
	pid_t server = foreign_start(FOREIGN_DRIPS, UXS_STREAM, "s");

	UXPING("-F", framing_name(_i), "-c", "3", "-i", "0", "s");

	ck_assert_int_eq(result.status, 0);
	says(result.out, "3 sent, 3 received, 0 corrupted, 0% loss");
	foreign_kill(server);
}
END_TEST

START_TEST(other_types_need_no_framing)
{
	struct service service;

	start(&service, "echo", "netstring");

	UXPING("-F", "netstring", "-c", "1", "seqpacket:q");

	ck_assert_int_eq(result.status, 0);
	service_stop_clean(&service);
}
END_TEST

/* Whatever its length, so that nobody has to wait for more. */
START_TEST(message_that_is_no_echo_is_corrupt)
{
	struct service service;

	start(&service, "whoami", framing_name(_i));

	UXPING("-F", framing_name(_i), "-c", "1", "-s", _i == 1 ? "17" : "5000",
	    "s");

	ck_assert_int_eq(result.status, 1);
	says(result.err, "corrupt: ");
	says(result.out, "1 sent, 1 received, 1 corrupted");
	service_stop_clean(&service);
}
END_TEST

START_TEST(answer_in_no_framing_is_corrupt)
{
	pid_t server = foreign_start(FOREIGN_GREETS, UXS_STREAM, "s");

	UXPING("-F", "netstring", "-c", "1", "s");

	ck_assert_int_eq(result.status, 1);
	says(result.err, "not framed as --framing says");
	foreign_kill(server);
}
END_TEST

/* ---- the bench ---- */

START_TEST(bench_compares_every_byte_of_framed_messages)
{
	struct service service;

	start(&service, "echo", framing_name(_i));

	UXPING("-B", "-F", framing_name(_i), "-d", "100ms", "-P", "4", "-Q",
	    "16", "--verify", "s");

	ck_assert_int_eq(result.status, 0);
	says(result.out, " 0 corrupted, 0 timeouts, 0 errors");
	service_stop_clean(&service);
}
END_TEST

START_TEST(bench_takes_answers_byte_by_byte)
{
	pid_t server = foreign_start(FOREIGN_DRIPS, UXS_STREAM, "s");

	UXPING("-B", "-F", framing_name(_i), "-d", "100ms", "-P", "1", "-Q",
	    "4", "--verify", "s");

	ck_assert_int_eq(result.status, 0);
	says(result.out, " 0 corrupted, 0 timeouts, 0 errors");
	foreign_kill(server);
}
END_TEST

START_TEST(bench_sees_that_a_framed_message_is_no_echo)
{
	struct service service;

	start(&service, "upper", framing_name(_i));

	UXPING("-B", "-F", framing_name(_i), "-d", "50ms", "--verify", "s");

	ck_assert_int_eq(result.status, 1);
	says(result.err, "corrupt: ");
	service_stop_clean(&service);
}
END_TEST

/* Nor is there room for it. */
START_TEST(bench_of_seqpackets_needs_no_framing)
{
	const char *const arguments[] = { "-M", "56", "seqpacket:q", NULL };
	struct service service;

	service_start(&service, arguments);

	UXPING("-B", "-F", "u32", "-d", "50ms", "--verify", "seqpacket:q");

	ck_assert_int_eq(result.status, 0);
	says(result.out, " 0 corrupted, 0 timeouts, 0 errors");
	service_stop_clean(&service);
}
END_TEST

/* ---- lines ---- */

static int
filter(const char *framing)
{
	fflush(NULL);
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(open("in", O_RDONLY), STDIN_FILENO);
		dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    STDOUT_FILENO);
		dup2(open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    STDERR_FILENO);
		execl(program("uxping"), "uxping", "-I", "-F", framing, "s",
		    (char *)NULL);
		_exit(127);
	}
	return wait_child(pid);
}

START_TEST(lines_go_there_and_back_as_messages)
{
	struct service service;

	start(&service, "upper", framing_name(_i));
	write_file("in", "one\n\ntwo, three\nlast", 0600);

	ck_assert_int_eq(filter(framing_name(_i)), 0);

	assert_file_says("out", "ONE\n\nTWO, THREE\nLAST\n");
	service_stop_clean(&service);
}
END_TEST

START_TEST(lines_may_come_back_byte_by_byte)
{
	pid_t server = foreign_start(FOREIGN_DRIPS, UXS_STREAM, "s");

	write_file("in", "one\n\ntwo, three\nlast", 0600);

	ck_assert_int_eq(filter(framing_name(_i)), 0);

	assert_file_says("out", "one\n\ntwo, three\nlast\n");
	foreign_kill(server);
}
END_TEST

START_TEST(many_lines_come_back_in_order)
{
	struct service service;
	FILE *in = fopen("in", "w");
	FILE *out;
	char line[32], expected[32];
	int n = 0;

	ck_assert_ptr_nonnull(in);
	for (int i = 0; i < 60000; i++)
		fprintf(in, "%d\n", i);
	fclose(in);
	start(&service, "echo", framing_name(_i));

	ck_assert_int_eq(filter(framing_name(_i)), 0);

	out = fopen("out", "r");
	ck_assert_ptr_nonnull(out);
	for (; fgets(line, sizeof(line), out) != NULL; n++) {
		snprintf(expected, sizeof(expected), "%d\n", n);
		ck_assert_str_eq(line, expected);
	}
	fclose(out);
	ck_assert_int_eq(n, 60000);
	service_stop_clean(&service);
}
END_TEST

START_TEST(output_in_no_framing_is_corrupt)
{
	pid_t server = foreign_start(FOREIGN_GREETS, UXS_STREAM, "s");

	write_file("in", "hello\n", 0600);

	ck_assert_int_eq(filter("netstring"), 1);

	assert_file_says("err",
	    "uxping: s: corrupt: the server answers, but not what it was sent: "
	    "what comes back is not framed as --framing says; -z times "
	    "connecting to servers that do not echo\n");
	foreign_kill(server);
}
END_TEST

static const struct {
	enum uxs_framing framing;
	const char *buffer;
	size_t line; /* of the buffer */
	const char *frame;
	size_t n_frame;
} lines[] = {
	{ UXS_FRAMING_LINE, "ab\ncd\n", 3, "ab\n", 3 },
	{ UXS_FRAMING_LINE, "ab", 2, "ab\n", 3 },
	{ UXS_FRAMING_NETSTRING, "ab\ncd\n", 3, "2:ab,", 5 },
	{ UXS_FRAMING_NETSTRING, "\ncd", 1, "0:,", 3 },
	{ UXS_FRAMING_NETSTRING, "ab", 2, "2:ab,", 5 },
	{ UXS_FRAMING_U32, "ab\ncd\n", 3, "\0\0\0\2ab", 6 },
};

START_TEST(first_line_becomes_a_frame)
{
	const size_t line =
	    line_first(lines[_i].buffer, strlen(lines[_i].buffer), true);
	char frame[LINE_FRAME_MAX(8)];

	ck_assert_uint_eq(line, lines[_i].line);
	ck_assert_uint_eq(line_frame(frame, lines[_i].buffer, line,
			      lines[_i].framing),
	    lines[_i].n_frame);
	ck_assert_mem_eq(frame, lines[_i].frame, lines[_i].n_frame);
}
END_TEST

/* ---- what makes no sense ---- */

START_TEST(framing_is_refused_where_it_means_nothing)
{
	static const struct {
		const char *arguments[5];
		const char *why;
	} rows[] = {
		{ { "-F", "lines", "s" }, "--framing 'lines'" },
		{ { "-F", "line", "-t", "dgram", "s" }, "streams only" },
		{ { "-F", "line", "-s", "16", "s" }, "17 or more" },
		{ { "-F", "u32", "-z", "s" }, "nothing is sent" },
		{ { "-BF", "u32", "--bulk", "s" }, "bytes, not messages" },
	};

	for (int i = 0; i < N_OF(rows); i++) {
		const char *const *a = rows[i].arguments;

		UXPING(a[0], a[1], a[2], a[3], a[4]);
		ck_assert_int_eq(result.status, 2);
		says(result.err, rows[i].why);
	}
}
END_TEST

Suite *
suite_uxping_framing(void)
{
	Suite *suite = suite_create("uxping framing");
	TCase *pings = harness_case(suite, "pings");
	TCase *bench = harness_case(suite, "bench");
	TCase *filters = harness_case(suite, "filter");

	tcase_add_test(pings, a_flood_sends_no_more_than_it_was_told);
	tcase_add_loop_test(pings, framed_pings_come_back, 0,
	    N_OF(sizes) * (UXS_N_FRAMINGS - 1));
	tcase_add_loop_test(pings, answer_may_come_byte_by_byte, 1,
	    UXS_N_FRAMINGS);
	tcase_add_test(pings, other_types_need_no_framing);
	tcase_add_loop_test(pings, message_that_is_no_echo_is_corrupt, 1,
	    UXS_N_FRAMINGS);
	tcase_add_test(pings, answer_in_no_framing_is_corrupt);
	tcase_add_test(pings, framing_is_refused_where_it_means_nothing);
	tcase_add_loop_test(bench, bench_compares_every_byte_of_framed_messages,
	    1, UXS_N_FRAMINGS);
	tcase_add_loop_test(bench, bench_takes_answers_byte_by_byte, 1,
	    UXS_N_FRAMINGS);
	tcase_add_loop_test(bench, bench_sees_that_a_framed_message_is_no_echo,
	    1, UXS_N_FRAMINGS);
	tcase_add_test(bench, bench_of_seqpackets_needs_no_framing);
	tcase_add_loop_test(filters, lines_go_there_and_back_as_messages, 1,
	    UXS_N_FRAMINGS);
	tcase_add_loop_test(filters, lines_may_come_back_byte_by_byte, 1,
	    UXS_N_FRAMINGS);
	tcase_add_loop_test(filters, many_lines_come_back_in_order, 1,
	    UXS_N_FRAMINGS);
	tcase_add_test(filters, output_in_no_framing_is_corrupt);
	tcase_add_loop_test(filters, first_line_becomes_a_frame, 0,
	    N_OF(lines));
	return suite;
}
