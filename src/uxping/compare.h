/* SPDX-License-Identifier: ISC */
#ifndef UXPING_COMPARE_H
#define UXPING_COMPARE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bars.h"

struct options;
struct subject;

/*
 * Several targets under the same load, in turn: A B C A B C ... What disturbs
 * the machine for a while then disturbs all of them, and the ratio to the
 * first target, taken round by round, is steadier than the numbers themselves.
 */

#define COMPARE_ROUNDS 5 /* the least that has quartiles */

/* To the first target; quartiles over the rounds. */
struct compare_ratio {
	double q1, median, q3; /* NAN where nothing was measured */
};

/* Quartiles of values[i] / base[i], of n rounds. Pure. */
struct compare_ratio compare_ratio_of(const double *values, const double *base,
    size_t n);

/* Run all rounds, print the table (or an end event for each), return the
 * exit status. */
int compare_run(struct subject *subjects, size_t n,
    const struct options *options, const struct bars_style *style);

#endif
