/* SPDX-License-Identifier: ISC */
/*
 * Log-linear buckets: the index is the exponent of the time followed by the
 * first bits of its mantissa, so recording is a shift and an increment.
 */
#include "histogram.h"

#include <math.h>
#include <string.h>

#define SUB_BUCKETS (INT64_C(1) << HISTOGRAM_SUB_BITS)
#define LAST_NS ((INT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

/* How many low bits of ns its bucket does not tell apart. */
static int
blurred_bits(int64_t ns)
{
	const int top = 63 - __builtin_clzll((uint64_t)ns | 1);

	return top > HISTOGRAM_SUB_BITS ? top - HISTOGRAM_SUB_BITS : 0;
}

static size_t
index_of(int64_t ns)
{
	const int64_t clamped = ns < LAST_NS ? ns : LAST_NS;
	const int shift = blurred_bits(clamped);

	/* The leading bit of the mantissa, which is always set where shift is
	 * over 0, carries into the exponent: no gap between the two parts. */
	return ((size_t)shift << HISTOGRAM_SUB_BITS) +
	    (size_t)(clamped >> shift);
}

static void
bounds_of(size_t i, struct histogram_bucket *bucket)
{
	const size_t exponent = i >> HISTOGRAM_SUB_BITS;
	const int shift = exponent > 1 ? (int)exponent - 1 : 0;
	const int64_t mantissa = (int64_t)i -
	    ((int64_t)shift << HISTOGRAM_SUB_BITS);

	bucket->low_ns = mantissa << shift;
	bucket->high_ns = bucket->low_ns + (INT64_C(1) << shift) - 1;
}

void
histogram_init(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
}

void
histogram_record(struct histogram *h, int64_t ns)
{
	double distance;

	if (ns < 0)
		ns = 0;
	h->counts[index_of(ns)]++;
	if (h->n == 0 || ns < h->min_ns)
		h->min_ns = ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->n++;
	/* Welford's: no difference of two huge sums. */
	distance = (double)ns - h->mean_ns;
	h->mean_ns += distance / (double)h->n;
	h->squares += distance * ((double)ns - h->mean_ns);
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	const double n = (double)(into->n + from->n);
	const double distance = from->mean_ns - into->mean_ns;

	if (from->n == 0)
		return;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->counts[i] += from->counts[i];
	if (into->n == 0 || from->min_ns < into->min_ns)
		into->min_ns = from->min_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	into->squares += from->squares +
	    distance * distance * (double)into->n * (double)from->n / n;
	into->mean_ns += distance * (double)from->n / n;
	into->n += from->n;
}

double
histogram_mean_ns(const struct histogram *h)
{
	return h->mean_ns;
}

double
histogram_stdev_ns(const struct histogram *h)
{
	return h->n == 0 ? 0 : sqrt(h->squares / (double)h->n);
}

bool
histogram_next(const struct histogram *h, size_t *position,
    struct histogram_bucket *bucket)
{
	while (*position < HISTOGRAM_BUCKETS && h->counts[*position] == 0)
		++*position;
	if (*position == HISTOGRAM_BUCKETS)
		return false;
	bounds_of(*position, bucket);
	bucket->n = h->counts[*position];
	if (*position == HISTOGRAM_BUCKETS - 1 && h->max_ns > LAST_NS)
		bucket->high_ns = h->max_ns;
	++*position;
	return true;
}

/* The middle, but never outside what was really seen. */
static int64_t
middle_of(const struct histogram *h, const struct histogram_bucket *bucket)
{
	const int64_t middle = bucket->low_ns +
	    (bucket->high_ns - bucket->low_ns) / 2;

	if (middle < h->min_ns)
		return h->min_ns;
	return middle > h->max_ns ? h->max_ns : middle;
}

bool
histogram_percentile(const struct histogram *h, uint32_t ppm, int64_t *ns)
{
	/* Without overflow for as many messages as a run can count: a million
	 * a second for half a year is below 2^64 / HISTOGRAM_PPM. */
	const uint64_t wanted = h->n * ppm;
	const uint64_t rank = (wanted + HISTOGRAM_PPM - 1) / HISTOGRAM_PPM;
	struct histogram_bucket bucket;
	uint64_t below = 0;
	size_t position = 0;

	if (h->n * (HISTOGRAM_PPM - ppm) < HISTOGRAM_PPM)
		return false;
	while (histogram_next(h, &position, &bucket)) {
		below += bucket.n;
		if (below >= rank) {
			*ns = middle_of(h, &bucket);
			return true;
		}
	}
	return false;
}
