/* SPDX-License-Identifier: ISC */
/* The block at the end, held against known numbers. */
#include <stdlib.h>
#include <string.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"
#include "uxping/json.h"
#include "uxping/summary.h"

static struct summary summary;
static char *text;

static void
record(const int64_t times[], size_t n)
{
	summary_init(&summary, UXS_NS_PER_S);
	summary.end_ns = 2 * UXS_NS_PER_S;
	summary.sent = summary.received = n;
	for (size_t i = 0; i < n; i++)
		summary_record(&summary, times[i]);
}

static void
print(void)
{
	size_t size;
	FILE *out = open_memstream(&text, &size);

	summary_print(&summary, "/run/uxecho.sock", out);
	fclose(out);
}

START_TEST(the_block_is_that_of_the_manual)
{
	const int64_t times[] = { 24800, 18100 };

	record(times, 2);

	print();

	ck_assert_str_eq(text,
	    "\n--- /run/uxecho.sock uxping statistics ---\n"
	    "2 sent, 2 received, 0 corrupted, 0% loss, time 1000 ms\n"
	    "rtt min/avg/max/mdev = 18.1/21.5/24.8/3.4 us\n"
	    "rtt p50 = 18.1 us\n");
	free(text);
}
END_TEST

START_TEST(what_did_not_happen_is_not_mentioned)
{
	record(NULL, 0);
	summary.sent = 3;

	print();

	ck_assert_str_eq(text,
	    "\n--- /run/uxecho.sock uxping statistics ---\n"
	    "3 sent, 0 received, 0 corrupted, 100% loss, time 1000 ms\n");
	free(text);
}
END_TEST

START_TEST(what_did_happen_is)
{
	record(NULL, 0);
	summary.sent = 8;
	summary.received = summary.corrupted = 1;
	summary.duplicates = 2;
	summary.late = 3;
	summary.errors = 4;

	print();

	ck_assert_ptr_nonnull(strstr(text,
	    "8 sent, 1 received, 1 corrupted, +2 duplicates, +3 late, "
	    "+4 errors, 87.5% loss, time 1000 ms\n"));
	free(text);
}
END_TEST

START_TEST(percentiles_are_exact_ranks)
{
	int64_t times[1000], ns;

	for (int i = 0; i < 1000; i++)
		times[i] = ((i * 617) % 1000 + 1) * 1000; /* 1 to 1000 us */
	record(times, 1000);

	ck_assert(summary_percentile(&summary, 500000, &ns));
	ck_assert_int_eq(ns, 500000);
	ck_assert(summary_percentile(&summary, 990000, &ns));
	ck_assert_int_eq(ns, 990000);
	ck_assert(summary_percentile(&summary, 999000, &ns));
	ck_assert_int_eq(ns, 999000);
}
END_TEST

START_TEST(percentiles_of_many_are_near_the_rank)
{
	int64_t ns;

	summary_init(&summary, 0);
	for (int i = 1; i <= 100000; i++)
		summary_record(&summary, i * 100);

	ck_assert(summary_percentile(&summary, 500000, &ns));
	ck_assert_int_ge(ns, 5000000 - 50000);
	ck_assert_int_le(ns, 5000000 + 50000);
}
END_TEST

static const struct {
	int64_t ns;
	const char *us;
} roundings[] = {
	{ 0, "0.0" },
	{ 49, "0.0" },
	{ 50, "0.1" },
	{ 950, "1.0" },
	{ 24849, "24.8" },
	{ 24850, "24.9" },
	{ 1000000000, "1000000.0" },
};

START_TEST(microseconds_have_one_decimal)
{
	char us[SUMMARY_US_MAX];

	ck_assert_str_eq(summary_us(roundings[_i].ns, us), roundings[_i].us);
}
END_TEST

START_TEST(the_interim_line_is_that_of_ping)
{
	const int64_t times[] = { 24800, 18100 };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	record(times, 2);
	summary_print_interim(&summary, out);
	fclose(out);

	ck_assert_str_eq(text,
	    "2/2 packets, 0% loss, min/avg/ewma/max = "
	    "18.1/21.5/24.0/24.8 us\n");
	free(text);
}
END_TEST

START_TEST(json_leaves_out_no_field)
{
	const int64_t times[] = { 24800, 18100 };
	size_t size;
	struct json json;

	record(times, 2);
	json_begin(&json, open_memstream(&text, &size), "end");
	summary_print_json(&summary, &json);
	json_end(&json);
	fclose(json.out);

	ck_assert_str_eq(text,
	    "{\"v\":1,\"event\":\"end\",\"sent\":2,\"received\":2,"
	    "\"corrupted\":0,\"duplicates\":0,\"late\":0,\"errors\":0,"
	    "\"duration_ns\":1000000000,\"rtt_ns\":{\"min\":18100,"
	    "\"mean\":21450,\"max\":24800,\"stdev\":3350,\"p50\":18100,"
	    "\"p90\":null,\"p99\":null,\"p999\":null}}\n");
	free(text);
}
END_TEST

Suite *
suite_uxping_summary(void)
{
	Suite *suite = suite_create("uxping_summary");
	TCase *tcase = harness_case(suite, "summary");

	tcase_add_test(tcase, the_block_is_that_of_the_manual);
	tcase_add_test(tcase, what_did_not_happen_is_not_mentioned);
	tcase_add_test(tcase, what_did_happen_is);
	tcase_add_test(tcase, percentiles_are_exact_ranks);
	tcase_add_test(tcase, percentiles_of_many_are_near_the_rank);
	tcase_add_loop_test(tcase, microseconds_have_one_decimal, 0,
	    sizeof(roundings) / sizeof(roundings[0]));
	tcase_add_test(tcase, the_interim_line_is_that_of_ping);
	tcase_add_test(tcase, json_leaves_out_no_field);
	return suite;
}
