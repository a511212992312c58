/* SPDX-License-Identifier: ISC */
/* What the benchmark computes and reads, and what its tables say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/goals.h"
#include "bench/json_field.h"
#include "bench/metrics.h"
#include "bench/options.h"
#include "bench/quartiles.h"
#include "bench/results.h"
#include "bench/subjects.h"
#include "bench/usage.h"
#include "bench/workloads.h"
#include "harness.h"
#include "suites.h"

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void
assert_is(double value, double expected)
{
	if (isnan(expected))
		ck_assert_double_nan(value);
	else
		ck_assert_double_eq_tol(value, expected, 1e-9);
}

/* ---- quartiles ---- */

static const struct {
	double values[6];
	size_t n;
	struct quartiles expected;
} quartile_rows[] = {
	{ { 0 }, 0, { 0, NAN, NAN, NAN } },
	{ { 7 }, 1, { 1, 7, 7, 7 } },
	{ { 2, 1 }, 2, { 2, 1.25, 1.5, 1.75 } },
	{ { 5, 1, 4, 2, 3 }, 5, { 5, 2, 3, 4 } },
	{ { 40, 10, 30, 20 }, 4, { 4, 17.5, 25, 32.5 } },
	{ { NAN, 3, NAN, 1, 2, NAN }, 6, { 3, 1.5, 2, 2.5 } },
	{ { NAN, INFINITY, -INFINITY }, 3, { 0, NAN, NAN, NAN } },
};

START_TEST(quartiles_are_those_of_the_rounds_that_count)
{
	const struct quartiles q =
	    quartiles_of(quartile_rows[_i].values, quartile_rows[_i].n);

	ck_assert_uint_eq(q.n, quartile_rows[_i].expected.n);
	assert_is(q.low, quartile_rows[_i].expected.low);
	assert_is(q.median, quartile_rows[_i].expected.median);
	assert_is(q.high, quartile_rows[_i].expected.high);
}
END_TEST

START_TEST(ratio_holds_each_round_against_the_same_round)
{
	/* The machine was ten times as slow in the second one, and the third
	 * has no base. */
	const double values[] = { 11, 130, 12, 9 };
	const double base[] = { 10, 100, NAN, 10 };

	const struct quartiles q = quartiles_of_ratio(values, base, 4);

	ck_assert_uint_eq(q.n, 3);
	assert_is(q.low, 1.0);
	assert_is(q.median, 1.1);
	assert_is(q.high, 1.2);
}
END_TEST

START_TEST(ratio_to_nothing_does_not_count)
{
	const double values[] = { 1, 2 }, base[] = { 0, 1 };

	const struct quartiles q = quartiles_of_ratio(values, base, 2);

	ck_assert_uint_eq(q.n, 1);
	assert_is(q.median, 2);
}
END_TEST

/* ---- what uxping wrote ---- */

static const char line[] =
    "{\"v\":1,\"event\":\"end\",\"target\":\"/a\\\"p50:9,\\\\\","
    "\"sent\":207075,\"list\":[1,[2,\"p50\"],{\"sent\":3}],"
    "\"messages_per_s\":207041.16506,\"rtt_ns\":{\"min\":33590,"
    "\"p50\":68863,\"p999\":null,\"sent\":4},\"small\":-1.5e-3,"
    "\"reason\":null,\"received\":207059}";

static const struct {
	const char *name;
	double value; /* NAN: none */
} number_rows[] = {
	{ "v", 1 },
	{ "sent", 207075 },
	{ "messages_per_s", 207041.16506 },
	{ "small", -0.0015 },
	{ "rtt_ns.p50", 68863 },
	{ "rtt_ns.sent", 4 },
	{ "received", 207059 }, /* behind an object */
	{ "p50", NAN }, /* a level deeper, in a list, in a string */
	{ "min", NAN },
	{ "rtt_ns.p999", NAN },
	{ "rtt_ns", NAN },
	{ "reason", NAN },
	{ "event", NAN },
	{ "sent.p50", NAN },
	{ "end", NAN }, /* a value */
	{ "receive", NAN },
};

START_TEST(json_number_is_found_by_its_name)
{
	double value = NAN;

	const bool is_there =
	    json_field_number(line, number_rows[_i].name, &value);

	ck_assert_int_eq(is_there, !isnan(number_rows[_i].value));
	assert_is(value, number_rows[_i].value);
}
END_TEST

START_TEST(json_text_is_found_and_cut_short)
{
	char text[16], small[3];

	ck_assert(json_field_text(line, "event", text, sizeof(text)));
	ck_assert_str_eq(text, "end");
	ck_assert(json_field_text(line, "event", small, sizeof(small)));
	ck_assert_str_eq(small, "en");
	ck_assert(!json_field_text(line, "sent", text, sizeof(text)));
	ck_assert(!json_field_text(line, "reason", text, sizeof(text)));
}
END_TEST

/* Whatever a program that is not uxping prints. */
START_TEST(json_of_half_a_line_is_not_read_beyond)
{
	char half[sizeof(line)];
	double value;

	for (size_t n = 0; n < sizeof(line); n++) {
		snprintf(half, sizeof(half), "%.*s", (int)n, line);
		json_field_number(half, "received", &value);
		json_field_number(half, "rtt_ns.p50", &value);
	}
	ck_assert(json_field_number(half, "received", &value));
	ck_assert(!json_field_number("", "received", &value));
	ck_assert(!json_field_number("{\"received", "received", &value));
}
END_TEST

/* ---- processor time ---- */

static const struct usage_sample samples[] = {
	{ 100, 1000 },
	{ 200, 1000 },
	{ 300, 1100 },
	{ 500, 1500 },
};

static const struct {
	int64_t when_ns;
	double cpu_ns;
} usage_rows[] = {
	{ 0, 1000 },
	{ 100, 1000 },
	{ 150, 1000 },
	{ 200, 1000 },
	{ 250, 1050 },
	{ 300, 1100 },
	{ 400, 1300 },
	{ 500, 1500 },
	{ 9999, 1500 },
};

START_TEST(usage_between_two_samples_lies_on_the_line)
{
	assert_is(usage_at(samples, 4, usage_rows[_i].when_ns),
	    usage_rows[_i].cpu_ns);
}
END_TEST

START_TEST(usage_without_samples_is_none)
{
	assert_is(usage_at(samples, 0, 100), 0);
}
END_TEST

/* Until it has used some: the clock of processor time is not that of the
 * wall. */
static void
burn(void *arg)
{
	while (clock() < CLOCKS_PER_SEC / 20)
		;
}

/* Then stay until the other end is closed. */
static void
burn_in_child_and_stay(void *arg)
{
	const int *ends = arg;
	char byte;

	close(ends[0]);
	wait_child(start_child(burn, NULL));
	if (write(ends[1], "!", 1) == 1)
		(void)!read(ends[1], &byte, 1);
}

START_TEST(usage_counts_children_that_are_gone)
{
	int ends[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = start_child(burn_in_child_and_stay, ends);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);

	/* 50 ms, less what a tick of the clock may hide. */
	ck_assert_int_ge(usage_cpu_ns(pid), 30000000);
	close(ends[0]);
	wait_child(pid);
}
END_TEST

START_TEST(usage_of_memory_is_that_of_the_pages_touched)
{
	const size_t size = 8 << 20;
	const double before = usage_rss_bytes(getpid());
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	const double more = usage_rss_bytes(getpid()) - before;

	if (before == 0)
		skip("needs /proc/self/smaps_rollup");
	else
		ck_assert_double_ge(more, (double)size);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	munmap(pages, size);
}
END_TEST

#define CHILD_BYTES ((size_t)8 << 20)

/* It has all of its parent's pages, and so much of its own. */
static void
touch_in_child_and_stay(void *arg)
{
	const int *ends = arg;
	char byte;
	const char *pages = mmap(NULL, CHILD_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	close(ends[0]);
	if (pages != MAP_FAILED && write(ends[1], "!", 1) == 1)
		(void)!read(ends[1], &byte, 1);
}

START_TEST(usage_of_memory_counts_what_children_share_once)
{
	const double before = usage_rss_bytes(getpid());
	double more;
	int ends[2];
	char byte;
	pid_t pid;

	if (before == 0) {
		skip("needs /proc/self/smaps_rollup");
		return;
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = start_child(touch_in_child_and_stay, ends);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);

	more = usage_rss_bytes(getpid()) - before;

	ck_assert_double_ge(more, (double)CHILD_BYTES);
	ck_assert_double_lt(more, (double)CHILD_BYTES + before / 2);
	close(ends[0]);
	wait_child(pid);
}
END_TEST

/* ---- numbers for people ---- */

static const struct {
	enum metric metric;
	double value;
	const char *text;
} print_rows[] = {
	{ METRIC_CPU, 0, "0 ns" },
	{ METRIC_CPU, 950, "950 ns" },
	{ METRIC_CPU, 2.256, "2.26 ns" },
	{ METRIC_CPU, 999.6, "1.00 us" },
	{ METRIC_CPU, 4051, "4.05 us" },
	{ METRIC_CPU, 99960, "100 us" },
	{ METRIC_P50, 2.5e6, "2.50 ms" },
	{ METRIC_P50, 12.34e9, "12.3 s" },
	{ METRIC_P50, 5e12, "5000 s" }, /* no larger unit */
	{ METRIC_RATE, 207041, "207 k" },
	{ METRIC_RATE, 12, "12" },
	{ METRIC_MEMORY, -135.4, "-135 B" },
	{ METRIC_BYTES, 3.4e9, "3.40 GB/s" },
	{ METRIC_BUSY, 0.978, "98%" },
	{ METRIC_CPU, NAN, "-" },
	{ METRIC_CPU, INFINITY, "-" },
};

START_TEST(figure_is_printed_with_three_digits_and_a_unit)
{
	char text[METRIC_TEXT_MAX];

	ck_assert_str_eq(metric_print(print_rows[_i].metric,
			     print_rows[_i].value, text),
	    print_rows[_i].text);
}
END_TEST

/* ---- commands ---- */

static const char *const options[] = { "--spin", "200us", NULL };

START_TEST(command_has_its_letters_filled_in)
{
	const char *const argv[] = { "%b/uxecho", "-q", "%o", "%t:%p", "%s/%%x",
		"100%", NULL };
	const struct places places = { "b", "src", "/p", "dgram", options };
	const char *const expected[] = { "b/uxecho", "-q", "--spin", "200us",
		"dgram:/p", "src/%x", "100%" };
	struct command command;

	ck_assert(command_fill(&command, argv, 7, &places));

	for (int i = 0; i < N_OF(expected); i++)
		ck_assert_str_eq(command.argv[i], expected[i]);
	ck_assert_ptr_null(command.argv[N_OF(expected)]);
}
END_TEST

START_TEST(command_without_options_has_none)
{
	const char *const argv[] = { "a", "%o", "z", NULL };
	const struct places places = { "b", "src", "/p", "dgram", NULL };
	struct command command;

	ck_assert(command_fill(&command, argv, 4, &places));

	ck_assert_str_eq(command.argv[1], "z");
	ck_assert_ptr_null(command.argv[2]);
}
END_TEST

START_TEST(command_that_is_too_long_is_refused)
{
	static char word[SUBJECT_TEXT_MAX];
	const char *const argv[] = { "%p", NULL };
	const char *const many[] = { "1", "1", "1", "1", "1", "1", "1", "1",
		"1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1",
		"1", "1", "1" };
	const struct places places = { "b", "s", word, "stream", NULL };
	struct command command;

	memset(word, 'x', sizeof(word) - 1);
	ck_assert(!command_fill(&command, argv, 2, &places));
	ck_assert(!command_fill(&command, many, N_OF(many), &places));
	word[sizeof(word) - 2] = '\0'; /* with its end it just fits in */
	ck_assert(!command_fill(&command, argv, 0, &places));
}
END_TEST

/* ---- the tables ---- */

START_TEST(workload_names_only_servers_that_there_are)
{
	const struct workload *w = &workloads[_i];
	const size_t uxecho = (size_t)subject_find("uxecho", 6);
	size_t n_known = 0, n_named = 1;

	for (const char *at = w->subjects; (at = strchr(at, ' ')) != NULL; at++)
		n_named++;
	for (size_t s = 0; s < n_subjects; s++)
		n_known += workload_has(w, s);

	ck_assert_uint_eq(n_known, n_named);
	ck_assert(workload_has(w, uxecho));
	ck_assert(workload_has(w, workload_yardstick(w)));
	ck_assert_uint_ne(workload_yardstick(w), uxecho);
	ck_assert_int_eq(workload_find(w->name), _i);
}
END_TEST

START_TEST(goal_is_about_a_figure_that_its_workload_has)
{
	const int workload = workload_find(goals[_i].workload);
	const int *metric;

	ck_assert_int_ge(workload, 0);
	metric = workload_metrics(workloads[workload].kind);
	while (*metric >= 0 && *metric != (int)goals[_i].metric)
		metric++;
	ck_assert_int_eq(*metric, (int)goals[_i].metric);
}
END_TEST

/* ---- goals ---- */

static struct results results;

static void
open_results(void)
{
	ck_assert_int_eq(results_open(&results, 3), 0);
}

static void
close_results(void)
{
	results_close(&results);
}

/* The same figure in two of three rounds; in the third it is nonsense, which
 * a median does not see. NAN: not measured. */
static void
put(const char *workload, const char *subject, enum metric metric, double value)
{
	struct figures figures;

	figures_clear(&figures);
	for (size_t round = 0; round < 3; round++) {
		figures.value[metric] =
		    round < 2 || isnan(value) ? value : 9999 * value * value;
		results_add(&results, (size_t)workload_find(workload),
		    (size_t)subject_find(subject, strlen(subject)), round,
		    &figures);
	}
}

static const struct {
	struct goal goal;
	double ours, base, other; /* NAN: not measured */
	enum verdict verdict;
	const char *peer;
	double median;
} judge_rows[] = {
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, false, 1.1 }, 110, 100,
	    NAN, VERDICT_MET, "blocking", 1.1 },
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, false, 1.1 }, 111, 100,
	    500, VERDICT_MISSED, "blocking", 1.11 },
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, true, 1.1 }, 110, 100,
	    NAN, VERDICT_MET, "blocking", 1.1 },
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, true, 1.1 }, 109, 100, 1,
	    VERDICT_MISSED, "blocking", 1.09 },
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, false, 1.1 }, 110, NAN,
	    100, VERDICT_UNKNOWN, "blocking", NAN },
	{ { "latency", METRIC_P50, AGAINST_YARDSTICK, false, 1.1 }, NAN, 100,
	    100, VERDICT_UNKNOWN, "blocking", NAN },
	{ { "latency", METRIC_P50, AGAINST_BEST, false, 0.4 }, 40, 200, 100,
	    VERDICT_MET, "epoll", 0.4 },
	{ { "latency", METRIC_P50, AGAINST_BEST, false, 0.4 }, 41, 100, 200,
	    VERDICT_MISSED, "blocking", 0.41 },
	{ { "latency", METRIC_RATE, AGAINST_BEST, true, 0.95 }, 95, 100, 50,
	    VERDICT_MET, "blocking", 0.95 },
	{ { "latency", METRIC_RATE, AGAINST_BEST, true, 0.95 }, 94, 50, 100,
	    VERDICT_MISSED, "epoll", 0.94 },
	{ { "latency", METRIC_P50, AGAINST_NOTHING, false, 256 }, 256, 1, 1,
	    VERDICT_MET, "uxecho", 256 },
	{ { "latency", METRIC_P50, AGAINST_NOTHING, false, 256 }, 257, 1, 1,
	    VERDICT_MISSED, "uxecho", 257 },
};

START_TEST(goal_is_judged_by_the_median)
{
	const enum metric metric = judge_rows[_i].goal.metric;
	struct judgement j;

	put("latency", "uxecho", metric, judge_rows[_i].ours);
	put("latency", "blocking", metric, judge_rows[_i].base);
	put("latency", "epoll", metric, judge_rows[_i].other);

	j = goal_judge(&judge_rows[_i].goal, &results);

	ck_assert_int_eq(j.verdict, judge_rows[_i].verdict);
	ck_assert_str_eq(subjects[j.peer].name, judge_rows[_i].peer);
	assert_is(j.figure.median, judge_rows[_i].median);
}
END_TEST

START_TEST(goal_without_figures_is_neither_met_nor_missed)
{
	const struct judgement j = goal_judge(&goals[_i], &results);

	ck_assert_int_eq(j.verdict, VERDICT_UNKNOWN);
}
END_TEST

/* ---- the command line ---- */

static const struct {
	const char *arguments;
	const char *why; /* part of it; "" for help, NULL: it is right */
} line_rows[] = {
	{ "", NULL },
	{ "-r 3 -d 50ms -w stream-16,idle -s epoll,ux* -o x -b y -p z", NULL },
	{ "-w stream-* -l", NULL },
	{ "-h", "" },
	{ "-r 0", "-r 0: not 1 to 100" },
	{ "-r 101", "-r 101: not 1 to 100" },
	{ "-d 1h", "-d 1h: not 1ms to 1m" },
	{ "-d 0", "-d 0: not 1ms to 1m" },
	{ "-w nonsense", "-w nonsense: no such workload" },
	{ "-s nonsense", "-s nonsense: no such server" },
	{ "nonsense", "nonsense: not expected" },
};

START_TEST(command_line_is_read_or_refused_with_a_reason)
{
	char text[128], why[OPTIONS_WHY_MAX] = "untouched";
	char name[] = "bench", *argv[16] = { name }, *rest = text;
	struct bench_options o;
	int argc = 1, r;

	strlcpy(text, line_rows[_i].arguments, sizeof(text));
	while (rest != NULL && text[0] != '\0')
		argv[argc++] = strsep(&rest, " ");
	r = bench_options_read(argc, argv, &o, why);

	ck_assert_int_eq(r, line_rows[_i].why == NULL ? 0 : -1);
	if (line_rows[_i].why != NULL)
		ck_assert_int_eq(strncmp(why, line_rows[_i].why,
				     strlen(line_rows[_i].why)),
		    0);
	if (line_rows[_i].why != NULL && line_rows[_i].why[0] == '\0')
		ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(choice_is_by_patterns)
{
	ck_assert(bench_is_chosen(NULL, "stream-16"));
	ck_assert(bench_is_chosen("idle,stream-*", "stream-16"));
	ck_assert(bench_is_chosen("stream-16", "stream-16"));
	ck_assert(!bench_is_chosen("stream-1", "stream-16"));
	ck_assert(!bench_is_chosen("idle,start", "stream-16"));
}
END_TEST

Suite *
suite_bench_figures(void)
{
	Suite *suite = suite_create("bench_figures");
	TCase *quartiles = harness_case(suite, "quartiles");
	TCase *json = harness_case(suite, "json");
	TCase *usage = harness_case(suite, "usage");
	TCase *tables = harness_case(suite, "tables");
	TCase *judge = harness_case(suite, "goals");
	TCase *command_line = harness_case(suite, "command line");

	tcase_add_loop_test(quartiles,
	    quartiles_are_those_of_the_rounds_that_count, 0,
	    N_OF(quartile_rows));
	tcase_add_test(quartiles,
	    ratio_holds_each_round_against_the_same_round);
	tcase_add_test(quartiles, ratio_to_nothing_does_not_count);
	tcase_add_loop_test(quartiles,
	    figure_is_printed_with_three_digits_and_a_unit, 0,
	    N_OF(print_rows));

	tcase_add_loop_test(json, json_number_is_found_by_its_name, 0,
	    N_OF(number_rows));
	tcase_add_test(json, json_text_is_found_and_cut_short);
	tcase_add_test(json, json_of_half_a_line_is_not_read_beyond);

	tcase_add_loop_test(usage, usage_between_two_samples_lies_on_the_line,
	    0, N_OF(usage_rows));
	tcase_add_test(usage, usage_without_samples_is_none);
	tcase_add_test(usage, usage_counts_children_that_are_gone);
	tcase_add_test(usage, usage_of_memory_is_that_of_the_pages_touched);
	tcase_add_test(usage, usage_of_memory_counts_what_children_share_once);

	tcase_add_test(tables, command_has_its_letters_filled_in);
	tcase_add_test(tables, command_without_options_has_none);
	tcase_add_test(tables, command_that_is_too_long_is_refused);
	tcase_add_loop_test(tables, workload_names_only_servers_that_there_are,
	    0, (int)n_workloads);
	tcase_add_loop_test(tables,
	    goal_is_about_a_figure_that_its_workload_has, 0, (int)n_goals);

	tcase_add_checked_fixture(judge, open_results, close_results);
	tcase_add_loop_test(judge, goal_is_judged_by_the_median, 0,
	    N_OF(judge_rows));
	tcase_add_loop_test(judge,
	    goal_without_figures_is_neither_met_nor_missed, 0, (int)n_goals);

	tcase_add_loop_test(command_line,
	    command_line_is_read_or_refused_with_a_reason, 0, N_OF(line_rows));
	tcase_add_test(command_line, choice_is_by_patterns);
	return suite;
}
