/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "uxping/histogram.h"

Suite *suite_histogram(void);

static struct histogram h, other, all;

static void
empty_all(void)
{
	histogram_init(&h);
	histogram_init(&other);
	histogram_init(&all);
}

/* What the median says of messages at the same time, which is always
 * the middle of their bucket; min and max are pushed out of the way. */
static int64_t
read_back(int64_t ns)
{
	int64_t answer = -1;

	histogram_init(&h);
	histogram_record(&h, 0);
	histogram_record(&h, ns);
	histogram_record(&h, ns);
	histogram_record(&h, INT64_MAX);
	ck_assert(histogram_percentile(&h, 500000, &answer));
	return answer;
}

START_TEST(error_is_below_one_percent_from_1_ns_to_minutes)
{
	const int64_t an_hour_ns = INT64_C(3600000000000);

	/* Every power of two and its neighbours, and steps of 0.1% between. */
	for (int64_t ns = 1; ns < an_hour_ns; ns += ns / 1000 + 1) {
		const int64_t answer = read_back(ns);

		ck_assert_int_le(llabs(answer - ns) * 100, ns);
	}
	for (int bit = 1; bit < HISTOGRAM_MAX_BITS; bit++) {
		for (int64_t d = -1; d <= 1; d++) {
			const int64_t ns = (INT64_C(1) << bit) + d;

			ck_assert_int_le(llabs(read_back(ns) - ns) * 100, ns);
		}
	}
}
END_TEST

START_TEST(buckets_cover_every_time_once)
{
	struct histogram_bucket bucket;
	int64_t expected_low = 0;
	size_t position = 0;

	/* A bucket is at least 1/256 wide: no step of 1/300 can miss one. */
	for (int64_t ns = 0; ns < INT64_C(1) << HISTOGRAM_MAX_BITS;
	     ns += ns / 300 + 1)
		histogram_record(&h, ns);

	while (histogram_next(&h, &position, &bucket)) {
		ck_assert_int_eq(bucket.low_ns, expected_low);
		ck_assert_int_ge(bucket.high_ns, bucket.low_ns);
		expected_low = bucket.high_ns + 1;
	}
	ck_assert_int_eq(expected_low, INT64_C(1) << HISTOGRAM_MAX_BITS);
}
END_TEST

START_TEST(an_empty_histogram_offers_nothing)
{
	struct histogram_bucket bucket;
	int64_t ns = 42;
	size_t position = 0;

	ck_assert(!histogram_percentile(&h, 500000, &ns));
	ck_assert(!histogram_next(&h, &position, &bucket));
	ck_assert_int_eq(ns, 42);
	ck_assert_int_eq(h.min_ns, 0);
	ck_assert_int_eq(h.max_ns, 0);
	ck_assert_double_eq(histogram_mean_ns(&h), 0);
	ck_assert_double_eq(histogram_stdev_ns(&h), 0);
}
END_TEST

START_TEST(a_single_message_is_its_own_extreme)
{
	int64_t ns;

	histogram_record(&h, 18123);

	ck_assert_uint_eq(h.n, 1);
	ck_assert_int_eq(h.min_ns, 18123);
	ck_assert_int_eq(h.max_ns, 18123);
	ck_assert_double_eq(histogram_mean_ns(&h), 18123);
	ck_assert_double_eq(histogram_stdev_ns(&h), 0);
	ck_assert(!histogram_percentile(&h, 500000, &ns));
}
END_TEST

START_TEST(times_beyond_the_last_bucket_are_counted_and_the_maximum_is_exact)
{
	struct histogram_bucket bucket;
	size_t position = 0;

	histogram_record(&h, INT64_MAX);
	histogram_record(&h, -5);

	ck_assert(histogram_next(&h, &position, &bucket));
	ck_assert_int_eq(bucket.low_ns, 0);
	ck_assert(histogram_next(&h, &position, &bucket));
	ck_assert_int_eq(bucket.high_ns, INT64_MAX);
	ck_assert(!histogram_next(&h, &position, &bucket));
	ck_assert_int_eq(h.min_ns, 0);
	ck_assert_int_eq(h.max_ns, INT64_MAX);
}
END_TEST

/* A percentile is offered where n * (1 - p) >= 1. */
static const struct {
	uint64_t n;
	uint32_t ppm;
	bool offered;
} support_rows[] = {
	{ 0, 500000, false },
	{ 1, 500000, false },
	{ 2, 500000, true },
	{ 9, 900000, false },
	{ 10, 900000, true },
	{ 99, 990000, false },
	{ 100, 990000, true },
	{ 999, 999000, false },
	{ 1000, 999000, true },
	{ 1000, 999999, false },
	{ 1000, 1000000, false },
	{ 1, 0, true },
};

START_TEST(percentiles_are_offered_where_the_sample_supports_them)
{
	int64_t ns = -1;

	for (uint64_t i = 0; i < support_rows[_i].n; i++)
		histogram_record(&h, 100);

	ck_assert_int_eq(histogram_percentile(&h, support_rows[_i].ppm, &ns),
	    support_rows[_i].offered);
	ck_assert_int_eq(ns, support_rows[_i].offered ? 100 : -1);
}
END_TEST

/* Of the times 1..200, which have a bucket each. */
static const struct {
	uint32_t ppm;
	int64_t ns;
} rank_rows[] = {
	{ 0, 1 },
	{ 5000, 1 },
	{ 5001, 2 },
	{ 250000, 50 },
	{ 500000, 100 },
	{ 900000, 180 },
	{ 990000, 198 },
	{ 995000, 199 },
};

START_TEST(a_percentile_is_the_time_that_so_many_did_not_exceed)
{
	int64_t ns = -1;

	for (int64_t t = 200; t >= 1; t--)
		histogram_record(&h, t);

	ck_assert(histogram_percentile(&h, rank_rows[_i].ppm, &ns));
	ck_assert_int_eq(ns, rank_rows[_i].ns);
}
END_TEST

START_TEST(mean_and_deviation_do_not_come_from_the_buckets)
{
	/* All in one bucket, far from 0: 1 s and 1 s + 2 ns. */
	for (int i = 0; i < 1000; i++)
		histogram_record(&h, 1000000000 + 2 * (i % 2));

	ck_assert_double_eq_tol(histogram_mean_ns(&h), 1000000001, 1e-3);
	ck_assert_double_eq_tol(histogram_stdev_ns(&h), 1, 1e-6);
}
END_TEST

static void
assert_same(const struct histogram *a, const struct histogram *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_int_eq(a->min_ns, b->min_ns);
	ck_assert_int_eq(a->max_ns, b->max_ns);
	ck_assert_mem_eq(a->counts, b->counts, sizeof(a->counts));
	ck_assert_double_eq_tol(histogram_mean_ns(a), histogram_mean_ns(b),
	    1e-9 * histogram_mean_ns(b));
	ck_assert_double_eq_tol(histogram_stdev_ns(a), histogram_stdev_ns(b),
	    1e-9 * histogram_stdev_ns(b));
}

START_TEST(merging_is_the_same_as_recording_everything)
{
	uint32_t x = 1;

	for (int i = 0; i < 10000; i++) {
		x = x * 1664525 + 1013904223; /* Numerical Recipes */
		histogram_record(i % 3 == 0 ? &h : &other, x >> (x & 15));
		histogram_record(&all, x >> (x & 15));
	}

	histogram_merge(&h, &other);

	assert_same(&h, &all);
}
END_TEST

START_TEST(merging_with_an_empty_one_changes_nothing)
{
	histogram_record(&h, 700);
	histogram_record(&h, 900);
	histogram_record(&all, 700);
	histogram_record(&all, 900);

	histogram_merge(&h, &other);
	histogram_merge(&other, &all);

	assert_same(&h, &all);
	assert_same(&other, &all);
}
END_TEST

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

Suite *
suite_histogram(void)
{
	Suite *suite = suite_create("histogram");
	TCase *range = tcase_create("range");
	TCase *percentile = tcase_create("percentile");
	TCase *merge = tcase_create("merge");

	tcase_add_checked_fixture(range, empty_all, NULL);
	tcase_add_test(range, error_is_below_one_percent_from_1_ns_to_minutes);
	tcase_add_test(range, buckets_cover_every_time_once);
	tcase_add_test(range, an_empty_histogram_offers_nothing);
	tcase_add_test(range, a_single_message_is_its_own_extreme);
	tcase_add_test(range,
	    times_beyond_the_last_bucket_are_counted_and_the_maximum_is_exact);
	suite_add_tcase(suite, range);

	tcase_add_checked_fixture(percentile, empty_all, NULL);
	tcase_add_loop_test(percentile,
	    percentiles_are_offered_where_the_sample_supports_them, 0,
	    N_ROWS(support_rows));
	tcase_add_loop_test(percentile,
	    a_percentile_is_the_time_that_so_many_did_not_exceed, 0,
	    N_ROWS(rank_rows));
	tcase_add_test(percentile,
	    mean_and_deviation_do_not_come_from_the_buckets);
	suite_add_tcase(suite, percentile);

	tcase_add_checked_fixture(merge, empty_all, NULL);
	tcase_add_test(merge, merging_is_the_same_as_recording_everything);
	tcase_add_test(merge, merging_with_an_empty_one_changes_nothing);
	suite_add_tcase(suite, merge);
	return suite;
}
