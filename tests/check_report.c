/* SPDX-License-Identifier: ISC */
/* What the bench says and writes, from fixed facts. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "strict_json.h"
#include "uxping/bars.h"
#include "uxping/compare.h"
#include "uxping/diagnose.h"
#include "uxping/figures.h"
#include "uxping/options.h"
#include "uxping/report.h"
#include "uxping/svg.h"
#include "uxping/tally.h"

Suite *suite_report(void);

static const struct bars_style ascii = { 0 };
static const struct bars_style blocks = { .is_utf8 = true };

static struct options options;
static struct tally tally;
static struct diagnosis diagnosis;
static struct report report;
static char *text;
static size_t text_length;
static FILE *out;

/* 1000 messages in 2 s: 990 took 20 us, 9 took 80 us and one 1 ms. */
static void
setup(void)
{
	options = (struct options){
		.size_bytes = 64,
		.duration_ns = 2000000000,
		.n_connections = 4,
		.depth = 1,
	};
	tally_init(&tally);
	tally.measured_ns = 2000000000;
	tally.sent = 1004;
	tally.received = 1000;
	tally.sent_bytes = 1004 * 64;
	tally.received_bytes = 1000 * 64;
	for (int i = 0; i < 1000; i++)
		histogram_record(&tally.response,
		    i < 990     ? 20000 :
			i < 999 ? 80000 :
				  1000000);
	report = (struct report){
		.label = "/run/x.sock",
		.type = "stream",
		.options = &options,
		.tally = &tally,
	};
	ck_assert_ptr_nonnull(out = open_memstream(&text, &text_length));
}

static void
teardown(void)
{
	fclose(out);
	free(text);
}

#define ASSERT_SAYS(expected)                       \
	do {                                        \
		ck_assert_int_eq(fflush(out), 0);   \
		ck_assert_str_eq(text, (expected)); \
	} while (0)

START_TEST(start_names_the_target_the_load_and_the_loop)
{
	report_print_start(&report, out);

	ASSERT_SAYS("UXPING BENCH /run/x.sock (stream) 64 bytes for 2s\n"
		    "closed loop: 4 connections, depth 1: latency is what the "
		    "server allows\n");
}
END_TEST

START_TEST(end_has_counts_throughput_percentiles_and_bars)
{
	report_print_end(&report, &ascii, out);

	ck_assert_int_eq(fflush(out), 0);
	ck_assert_ptr_eq(strstr(text,
			     "--- /run/x.sock uxping benchmark ---\n"
			     "1004 sent, 1000 received, 0 corrupted, "
			     "0 timeouts, 0 errors, time 2000 ms\n"
			     "throughput = 500 messages/s, 32.0 kB/s\n"
			     "\n"
			     "                min       avg       p50       p90"
			     "       p99     p99.9       max\n"
			     "rtt         20.0 us   21.5 us   20.0 us   20.0 us"
			     "   20.0 us   80.1 us   1.00 ms\n"
			     "\n"),
	    text);
	ck_assert_ptr_nonnull(strstr(text,
	    "  ########################################        990  99.0%\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "  over   80.1 us  #"
	    "                                                 1   0.1%\n"));
}
END_TEST

START_TEST(a_small_sample_has_no_high_percentiles)
{
	histogram_init(&tally.response);
	for (int i = 0; i < 10; i++)
		histogram_record(&tally.response, 20000);

	report_print_end(&report, &ascii, out);

	ck_assert_int_eq(fflush(out), 0);
	ck_assert_ptr_nonnull(strstr(text,
	    "   20.0 us   20.0 us         -         -   20.0 us\n"));
}
END_TEST

START_TEST(an_open_loop_shows_both_times_and_says_when_the_rate_was_not_held)
{
	options.rate = 1000;
	histogram_record(&tally.service, 15000);
	histogram_record(&tally.service, 15000);

	report_print_mode(&report, out);
	report_print_end(&report, &ascii, out);

	ck_assert_int_eq(fflush(out), 0);
	ck_assert_ptr_eq(strstr(text, "open loop at 1000/s: "), text);
	ck_assert_ptr_nonnull(strstr(text, "\nresponse    20.0 us"));
	ck_assert_ptr_nonnull(strstr(text, "\nservice     15.0 us"));
	ck_assert_ptr_nonnull(strstr(text,
	    "the rate was not held: 50% of 1000/s"));
}
END_TEST

START_TEST(bars_are_blocks_in_utf8_and_a_colour_is_taken_back)
{
	const struct bars_style colorful = { .is_utf8 = true,
		.has_color = true };

	bars_print(&tally.response, &blocks, out);
	bars_print(&tally.response, &colorful, out);

	ck_assert_int_eq(fflush(out), 0);
	ck_assert_ptr_null(strchr(text, '#'));
	ck_assert_ptr_nonnull(strstr(text, "████████"));
	ck_assert_ptr_nonnull(strstr(text, "▏ "));
	ck_assert_ptr_nonnull(strstr(text, "\033[36m▏\033[0m "));
}
END_TEST

START_TEST(every_message_is_in_one_bar)
{
	struct bars_row rows[BARS_ROWS_MAX];
	struct histogram h;
	uint64_t n = 0;
	int n_rows;

	histogram_init(&h);
	for (int64_t ns = _i; ns < INT64_C(1) << 40; ns += ns / (_i + 1) + 1)
		histogram_record(&h, ns);
	n_rows = bars_sort(&h, rows);

	for (int i = 0; i < n_rows; i++) {
		ck_assert(i == 0 || rows[i].high_ns > rows[i - 1].high_ns);
		n += rows[i].n;
	}
	ck_assert_uint_eq(n, h.n);
}
END_TEST

/* ---- for programs ---- */

START_TEST(csv_counts_every_message_and_sums_up)
{
	uint64_t count, cumulative, sum = 0;
	int64_t low, high, last_high = -1;
	int n_rows = 0;
	char *line;

	ck_assert_int_eq(report_csv(&report, out), 0);

	line = strtok(text, "\n");
	ck_assert_str_eq(line, "low_ns,high_ns,count,cumulative");
	while ((line = strtok(NULL, "\n")) != NULL) {
		ck_assert_int_eq(sscanf(line, "%ld,%ld,%lu,%lu", &low, &high,
				     &count, &cumulative),
		    4);
		ck_assert_int_gt(low, last_high);
		ck_assert_int_ge(high, low);
		ck_assert_uint_eq(cumulative, sum += count);
		last_high = high;
		n_rows++;
	}
	ck_assert_int_eq(n_rows, 3);
	ck_assert_uint_eq(sum, 1000);
}
END_TEST

START_TEST(json_is_strict_whatever_the_names_hold)
{
	const struct compare_ratio ratio = { NAN, 0.5, 1e30 };

	report.label = "a\"b\\c\n\x1b\xff\xc3\xa9";
	report.diagnosis = &diagnosis;
	report.ratio = &ratio;
	strcpy(diagnosis.text, "said \"no\"\t");
	options.histogram = true;
	options.rate = 0.5;

	report_json_start(&report, out);
	report_json_interval(&report, &tally, out);
	report_json_error(&report, out);
	report_json_end(&report, out);
	histogram_init(&tally.response);
	tally.measured_ns = 0;
	report_json_end(&report, out);

	ck_assert(are_strict_json_lines(text));
}
END_TEST

START_TEST(json_end_has_integer_nanoseconds_and_null_for_the_unsupported)
{
	histogram_init(&tally.response);
	for (int i = 0; i < 100; i++)
		histogram_record(&tally.response, 20000);

	report_json_end(&report, out);

	ck_assert_ptr_nonnull(strstr(text, "{\"v\":1,\"event\":\"end\","));
	ck_assert_ptr_nonnull(strstr(text,
	    "\"mode\":\"closed\",\"sent\":1004,\"received\":1000,"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\"messages_per_s\":500,\"bytes_per_s\":32000,"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\"rtt_ns\":{\"min\":20000,\"mean\":20000,\"max\":20000,"
	    "\"stdev\":0,\"p50\":20000,\"p90\":20000,\"p99\":20000,"
	    "\"p999\":null}"));
}
END_TEST

/* ---- the picture ---- */

static int
run_xmllint(const char *argument, const char *file)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", "exec xmllint \"$0\" $1",
		argument, file, NULL };

	run_program(&result, argv);
	return result.status;
}

START_TEST(svg_is_well_formed_and_stands_alone)
{
	struct svg_series series[10];
	struct histogram empty;

	histogram_init(&empty);
	for (size_t i = 0; i < 10; i++)
		series[i] = (struct svg_series){ "<&\"'\x01\xff>",
			i % 2 == 0 ? &tally.response : &empty };
	ck_assert_int_eq(svg_write(out, "a<b> & \"c\"", "<!--\x7f", series,
			     (size_t)_i),
	    0);

	ck_assert_ptr_null(strstr(text, "<script"));
	ck_assert_ptr_null(strstr(text, "href"));
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert_ptr_null(strstr(text, "inf"));
	ck_assert_ptr_nonnull(strstr(text, "prefers-color-scheme: dark"));
	if (run_xmllint("--version", "") != 0) {
		skip("needs xmllint, to judge XML");
		return;
	}
	write_file("x.svg", text, 0644);
	ck_assert_int_eq(run_xmllint("--noout", "x.svg"), 0);
}
END_TEST

/* ---- ratios ---- */

START_TEST(ratio_is_the_median_of_the_rounds_with_quartiles)
{
	const double base[] = { 100, 200, 100, 50, 100 };
	const double values[] = { 50, 80, 70, 30, 90 };
	const struct compare_ratio ratio = compare_ratio_of(values, base, 5);

	/* .4 .5 .6 .7 .9 */
	ck_assert_double_eq_tol(ratio.q1, 0.5, 1e-9);
	ck_assert_double_eq_tol(ratio.median, 0.6, 1e-9);
	ck_assert_double_eq_tol(ratio.q3, 0.7, 1e-9);
}
END_TEST

START_TEST(rounds_in_which_nothing_was_measured_have_no_ratio)
{
	const double base[] = { 100, NAN, 0 }, values[] = { 50, 1, 1 };

	ck_assert_double_eq_tol(compare_ratio_of(values, base, 3).median, 0.5,
	    1e-9);
	ck_assert(isnan(compare_ratio_of(values + 1, base + 1, 2).median));
	ck_assert(isnan(compare_ratio_of(values, base, 0).median));
}
END_TEST

static const struct {
	int64_t ns;
	const char *text;
} time_rows[] = {
	{ 0, "0 ns" },
	{ 999, "999 ns" },
	{ 1000, "1.00 us" },
	{ 9994, "9.99 us" },
	{ 9996, "10.0 us" },
	{ 99960, "100 us" },
	{ 999499, "999 us" },
	{ 999500, "1.00 ms" },
	{ 1234567890, "1.23 s" },
	{ INT64_C(600000000000), "600 s" },
};

START_TEST(times_have_three_digits_and_a_unit)
{
	char figure[FIGURES_TEXT_MAX];

	ck_assert_str_eq(figures_time(time_rows[_i].ns, figure),
	    time_rows[_i].text);
}
END_TEST

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static TCase *
fixed_case(Suite *suite, const char *name)
{
	TCase *tcase = harness_case(suite, name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	return tcase;
}

Suite *
suite_report(void)
{
	Suite *suite = suite_create("report");
	TCase *people = fixed_case(suite, "people");
	TCase *programs = fixed_case(suite, "programs");
	TCase *ratio = fixed_case(suite, "figures");

	tcase_add_test(people, start_names_the_target_the_load_and_the_loop);
	tcase_add_test(people, end_has_counts_throughput_percentiles_and_bars);
	tcase_add_test(people, a_small_sample_has_no_high_percentiles);
	tcase_add_test(people,
	    an_open_loop_shows_both_times_and_says_when_the_rate_was_not_held);
	tcase_add_test(people,
	    bars_are_blocks_in_utf8_and_a_colour_is_taken_back);
	tcase_add_loop_test(people, every_message_is_in_one_bar, 0, 20);

	tcase_add_test(programs, csv_counts_every_message_and_sums_up);
	tcase_add_test(programs, json_is_strict_whatever_the_names_hold);
	tcase_add_test(programs,
	    json_end_has_integer_nanoseconds_and_null_for_the_unsupported);
	tcase_add_loop_test(programs, svg_is_well_formed_and_stands_alone, 0,
	    11);

	tcase_add_test(ratio, ratio_is_the_median_of_the_rounds_with_quartiles);
	tcase_add_test(ratio,
	    rounds_in_which_nothing_was_measured_have_no_ratio);
	tcase_add_loop_test(ratio, times_have_three_digits_and_a_unit, 0,
	    N_ROWS(time_rows));
	return suite;
}
