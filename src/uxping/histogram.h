/* SPDX-License-Identifier: ISC */
#ifndef UXPING_HISTOGRAM_H
#define UXPING_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How times are distributed: log-linear buckets of fixed memory. Pure.
 *
 * Up to 255 ns each value has a bucket of its own; above, each power of two is
 * cut in 128. What is read back is the middle of a bucket, so it is off by
 * 1/256 (0.4%) at the most, from 1 ns to 73 minutes; longer times are counted
 * in the last bucket. Minimum, maximum, mean and deviation do not come from
 * the buckets and are exact.
 *
 *	histogram_init(&h);
 *	histogram_record(&h, 18100);
 *	if (histogram_percentile(&h, 990000, &ns)) ...
 */

#define HISTOGRAM_SUB_BITS 7 /* 2^7 buckets for each power of two */
#define HISTOGRAM_MAX_BITS 42 /* times below 2^42 ns are told apart */
#define HISTOGRAM_BUCKETS \
	((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t n;
	int64_t min_ns, max_ns; /* 0 while n is 0 */
	/* private */
	double mean_ns, squares; /* sum of squared distances from the mean */
	uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *h);

/* A time below 0 (a clock that was set back) counts as 0. */
void histogram_record(struct histogram *h, int64_t ns);

/* Add all of from; the same as having recorded its times in into. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* 0 for an empty histogram; the deviation is that of the whole population, as
 * ping(8) prints it. */
double histogram_mean_ns(const struct histogram *h);
double histogram_stdev_ns(const struct histogram *h);

#define HISTOGRAM_PPM 1000000

/*
 * The time that ppm of a million messages did not exceed: 500000 is the
 * median, 999000 is p99.9. It is offered only where the sample supports it,
 * which is where at least one message lies above the rank: n * (1 - p) >= 1,
 * so p99.9 needs 1000 messages. Below that the answer would be the maximum
 * under a better name.
 *
 * Returns whether *ns was set.
 */
bool histogram_percentile(const struct histogram *h, uint32_t ppm, int64_t *ns);

/* A bucket: n times t with low_ns <= t <= high_ns. */
struct histogram_bucket {
	int64_t low_ns, high_ns;
	uint64_t n;
};

/*
 * Walk over the buckets that are not empty, shortest times first. Start with
 * *position 0. Returns false at the end.
 */
bool histogram_next(const struct histogram *h, size_t *position,
    struct histogram_bucket *bucket);

#endif
