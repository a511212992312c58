/* SPDX-License-Identifier: ISC */
#include "quartiles.h"

#include <math.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
quantile(const double *sorted, size_t n, double part)
{
	const double place = part * (double)(n - 1);
	const size_t i = (size_t)place;
	const double next = i + 1 < n ? sorted[i + 1] : sorted[i];

	return sorted[i] + (place - (double)i) * (next - sorted[i]);
}

struct quartiles
quartiles_of(const double *values, size_t n)
{
	double sorted[ROUNDS_MAX];
	struct quartiles q = { 0, NAN, NAN, NAN };

	for (size_t i = 0; i < n && q.n < ROUNDS_MAX; i++) {
		if (isfinite(values[i]))
			sorted[q.n++] = values[i];
	}
	if (q.n == 0)
		return q;
	qsort(sorted, q.n, sizeof(sorted[0]), compare);
	q.low = quantile(sorted, q.n, 0.25);
	q.median = quantile(sorted, q.n, 0.5);
	q.high = quantile(sorted, q.n, 0.75);
	return q;
}

struct quartiles
quartiles_of_ratio(const double *values, const double *base, size_t n)
{
	double ratios[ROUNDS_MAX];

	if (n > ROUNDS_MAX)
		n = ROUNDS_MAX;
	for (size_t i = 0; i < n; i++)
		ratios[i] = values[i] / base[i];
	return quartiles_of(ratios, n);
}
