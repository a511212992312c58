/* SPDX-License-Identifier: ISC */
#ifndef UXPING_BARS_H
#define UXPING_BARS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct histogram;

/*
 * A histogram as rows of bars. The rows have the same width on a logarithmic
 * axis and go from the shortest time to p99.9; what is longer than that is one
 * last row, so that a single straggler does not press all the others into one.
 */

struct bars_style {
	bool is_utf8; /* eighths of blocks; else '#' */
	bool has_color;
};

#define BARS_ROWS_MAX 17 /* with the last one */

struct bars_row {
	int64_t high_ns; /* times up to here; INT64_MAX in the last row */
	uint64_t n;
};

/* Sort the times into rows. Returns how many there are, 0 for an empty
 * histogram. Pure. */
int bars_sort(const struct histogram *h, struct bars_row rows[BARS_ROWS_MAX]);

void bars_print(const struct histogram *h, const struct bars_style *style,
    FILE *out);

#endif
