/* SPDX-License-Identifier: ISC */
#include <uxsrv/units.h>

#include <errno.h>
#include <string.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

#define US UXS_NS_PER_US
#define MS UXS_NS_PER_MS
#define S UXS_NS_PER_S

/* ---- durations ---- */

static const struct {
	const char *text;
	int64_t expect_ns;
} duration_rows[] = {
	{ "0", 0 },
	{ "0s", 0 },
	{ "5", 5 * S },
	{ "5s", 5 * S },
	{ "05s", 5 * S },
	{ "250us", 250 * US },
	{ "10ms", 10 * MS },
	{ "2m", 120 * S },
	{ "1h", 3600 * S },
	{ "0.2", 200 * MS },
	{ "0.1", 100 * MS }, /* exactly: no binary fractions */
	{ "0.3", 300 * MS },
	{ "1.5ms", 1500 * US },
	{ ".5", 500 * MS },
	{ "0.000000001", 1 },
	{ "0.0000000019", 1 }, /* below a nanosecond there is nothing */
	{ "1.5m", 90 * S },
	{ "0.25h", 900 * S },
	{ "9223372036.854775807", INT64_MAX },
};

START_TEST(reads_durations)
{
	int64_t value_ns = -1;

	int r =
	    uxs_duration_parse(duration_rows[_i].text, 0, INT64_MAX, &value_ns);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(value_ns, duration_rows[_i].expect_ns);
}
END_TEST

static const struct {
	const char *text;
	int expect;
} bad_duration_rows[] = {
	{ "", -EINVAL },
	{ "s", -EINVAL },
	{ ".", -EINVAL },
	{ ".s", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ " 1", -EINVAL },
	{ "1 ", -EINVAL },
	{ "1 s", -EINVAL },
	{ "1x", -EINVAL },
	{ "1ss", -EINVAL },
	{ "1S", -EINVAL },
	{ "1e3", -EINVAL },
	{ "0x1", -EINVAL },
	{ "1.2.3", -EINVAL },
	{ "1,5", -EINVAL },
	{ "1s5", -EINVAL },
	{ "inf", -EINVAL },
	{ "9223372037", -ERANGE },
	{ "9223372036.854775808", -ERANGE },
	{ "2562048h", -ERANGE },
	{ "9223372036854775808us", -ERANGE },
	{ "99999999999999999999", -ERANGE },
};

START_TEST(refuses_what_is_no_duration)
{
	int64_t value_ns = 77;

	int r = uxs_duration_parse(bad_duration_rows[_i].text, 0, INT64_MAX,
	    &value_ns);

	ck_assert_int_eq(r, bad_duration_rows[_i].expect);
	ck_assert_int_eq(value_ns, 77);
}
END_TEST

/* ---- sizes ---- */

static const struct {
	const char *text;
	size_t expect;
} size_rows[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "512", 512 },
	{ "64k", 65536 },
	{ "64K", 65536 },
	{ "1M", 1048576 },
	{ "2G", (size_t)2 << 30 },
	{ "010", 10 }, /* as in every other number here, no octal */
	{ "18446744073709551615", SIZE_MAX },
};

START_TEST(reads_sizes)
{
	size_t value = 7;

	int r = uxs_size_parse(size_rows[_i].text, 0, SIZE_MAX, &value);

	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(value, size_rows[_i].expect);
}
END_TEST

static const struct {
	const char *text;
	int expect;
} bad_size_rows[] = {
	{ "", -EINVAL }, { "k", -EINVAL }, { "-1", -EINVAL }, { "+1", -EINVAL },
	{ " 1", -EINVAL }, { "1 ", -EINVAL }, { "1 k", -EINVAL },
	{ "1k ", -EINVAL }, { "1kk", -EINVAL }, { "1kxyz", -EINVAL },
	{ "1x", -EINVAL }, { "1.5k", -EINVAL }, { "0x10", -EINVAL },
	{ "18446744073709551616", -ERANGE },
	{ "99999999999999999999G", -ERANGE },
	{ "17179869184G", -ERANGE }, /* 2^64 */
};

START_TEST(refuses_what_is_no_size)
{
	size_t value = 77;

	int r = uxs_size_parse(bad_size_rows[_i].text, 0, SIZE_MAX, &value);

	ck_assert_int_eq(r, bad_size_rows[_i].expect);
	ck_assert_uint_eq(value, 77);
}
END_TEST

/* ---- counts ---- */

static const struct {
	const char *text;
	int64_t expect;
} count_rows[] = {
	{ "0", 0 },
	{ "7", 7 },
	{ "-5", -5 },
	{ "010", 10 },
	{ "9223372036854775807", INT64_MAX },
	{ "-9223372036854775808", INT64_MIN },
};

START_TEST(reads_counts)
{
	int64_t value = 77;

	int r =
	    uxs_count_parse(count_rows[_i].text, INT64_MIN, INT64_MAX, &value);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(value, count_rows[_i].expect);
}
END_TEST

static const struct {
	const char *text;
	int expect;
} bad_count_rows[] = {
	{ "", -EINVAL },
	{ "-", -EINVAL },
	{ "--1", -EINVAL },
	{ "+1", -EINVAL },
	{ " 1", -EINVAL },
	{ "1 ", -EINVAL },
	{ "1x", -EINVAL },
	{ "0x1", -EINVAL },
	{ "1.0", -EINVAL },
	{ "1k", -EINVAL },
	{ "9223372036854775808", -ERANGE },
	{ "-9223372036854775809", -ERANGE },
};

START_TEST(refuses_what_is_no_count)
{
	int64_t value = 77;

	int r = uxs_count_parse(bad_count_rows[_i].text, INT64_MIN, INT64_MAX,
	    &value);

	ck_assert_int_eq(r, bad_count_rows[_i].expect);
	ck_assert_int_eq(value, 77);
}
END_TEST

/* ---- bounds ---- */

static const struct {
	const char *text; /* bounds are 10 and 20 */
	int expect;
} bound_rows[] = {
	{ "9", -ERANGE },
	{ "10", 0 },
	{ "20", 0 },
	{ "21", -ERANGE },
};

START_TEST(bounds_are_inclusive_for_durations)
{
	int64_t value_ns = 77;

	int r =
	    uxs_duration_parse(bound_rows[_i].text, 10 * S, 20 * S, &value_ns);

	ck_assert_int_eq(r, bound_rows[_i].expect);
	ck_assert_int_eq(value_ns == 77, r < 0);
}
END_TEST

START_TEST(bounds_are_inclusive_for_sizes)
{
	size_t value = 77;

	int r = uxs_size_parse(bound_rows[_i].text, 10, 20, &value);

	ck_assert_int_eq(r, bound_rows[_i].expect);
	ck_assert_int_eq(value == 77, r < 0);
}
END_TEST

START_TEST(bounds_are_inclusive_for_counts)
{
	int64_t value = 77;

	int r = uxs_count_parse(bound_rows[_i].text, 10, 20, &value);

	ck_assert_int_eq(r, bound_rows[_i].expect);
	ck_assert_int_eq(value == 77, r < 0);
}
END_TEST

/* ---- printing ---- */

static const struct {
	int64_t value_ns;
	const char *expect;
} print_duration_rows[] = {
	{ 0, "0" },
	{ 1, "1ns" },
	{ 250 * US, "250us" },
	{ 1500 * US, "1500us" },
	{ 10 * MS, "10ms" },
	{ 5 * S, "5s" },
	{ 90 * S, "90s" },
	{ 120 * S, "2m" },
	{ 7200 * S, "2h" },
	{ INT64_MAX, "9223372036854775807ns" },
};

START_TEST(prints_durations_in_the_largest_exact_unit)
{
	char text[UXS_UNITS_TEXT_MAX];

	uxs_duration_print(print_duration_rows[_i].value_ns, text);

	ck_assert_str_eq(text, print_duration_rows[_i].expect);
}
END_TEST

static const struct {
	size_t value;
	const char *expect;
} print_size_rows[] = {
	{ 0, "0" },
	{ 1023, "1023" },
	{ 1024, "1k" },
	{ 1536, "1536" },
	{ 65536, "64k" },
	{ 1048576, "1M" },
	{ (size_t)3 << 30, "3G" },
	{ SIZE_MAX, "18446744073709551615" },
};

START_TEST(prints_sizes_in_the_largest_exact_unit)
{
	char text[UXS_UNITS_TEXT_MAX];

	uxs_size_print(print_size_rows[_i].value, text);

	ck_assert_str_eq(text, print_size_rows[_i].expect);
}
END_TEST

/* A power of two times a small number, so that every unit turns up. */
static uint64_t
arbitrary(int i)
{
	uint64_t value;

	fill_random(&value, sizeof(value), (unsigned)i);
	return (value & 0xfffff) << (i % 43);
}

START_TEST(what_is_printed_reads_as_the_same)
{
	char text[UXS_UNITS_TEXT_MAX];

	for (int i = 0; i < 1000; i++) {
		const int64_t ns = (int64_t)arbitrary(i);
		const size_t bytes = arbitrary(i);
		int64_t ns_again = -1;
		size_t bytes_again = 1;

		uxs_duration_print(ns, text);
		uxs_duration_parse(text, 0, INT64_MAX, &ns_again);
		uxs_size_print(bytes, text);
		uxs_size_parse(text, 0, SIZE_MAX, &bytes_again);

		ck_assert_int_eq(ns_again, ns);
		ck_assert_uint_eq(bytes_again, bytes);
	}
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_units(void)
{
	Suite *suite = suite_create("units");
	TCase *reading = harness_case(suite, "reading");
	TCase *bounds = harness_case(suite, "bounds");
	TCase *printing = harness_case(suite, "printing");

	TABLE(reading, reads_durations, duration_rows);
	TABLE(reading, refuses_what_is_no_duration, bad_duration_rows);
	TABLE(reading, reads_sizes, size_rows);
	TABLE(reading, refuses_what_is_no_size, bad_size_rows);
	TABLE(reading, reads_counts, count_rows);
	TABLE(reading, refuses_what_is_no_count, bad_count_rows);

	TABLE(bounds, bounds_are_inclusive_for_durations, bound_rows);
	TABLE(bounds, bounds_are_inclusive_for_sizes, bound_rows);
	TABLE(bounds, bounds_are_inclusive_for_counts, bound_rows);

	TABLE(printing, prints_durations_in_the_largest_exact_unit,
	    print_duration_rows);
	TABLE(printing, prints_sizes_in_the_largest_exact_unit,
	    print_size_rows);
	tcase_add_test(printing, what_is_printed_reads_as_the_same);
	return suite;
}
