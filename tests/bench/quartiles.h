/* SPDX-License-Identifier: ISC */
#ifndef BENCH_QUARTILES_H
#define BENCH_QUARTILES_H

#include <stddef.h>

/* What the rounds come to. Pure; NAN is a round without a figure. */

#define ROUNDS_MAX 100

struct quartiles {
	size_t n; /* rounds that count */
	double low, median, high; /* NAN where n is 0 */
};

/* Of n values, ROUNDS_MAX at most, of which those that are finite count.
 * Between two values a quartile is interpolated. */
struct quartiles quartiles_of(const double *values, size_t n);

/* Of values[i] / base[i]: each round is held against the same round, so that
 * what disturbs the machine for a while disturbs both. */
struct quartiles quartiles_of_ratio(const double *values, const double *base,
    size_t n);

#endif
