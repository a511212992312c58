/* SPDX-License-Identifier: ISC */
#ifndef BENCH_MARKDOWN_H
#define BENCH_MARKDOWN_H

#include <stdio.h>

#include "head.h"
#include "results.h"

/*
 * RESULTS.md: where it was measured and how, the goals, and a table for each
 * workload that was tried. What is missing is said, with the reason. Returns 0
 * or a negative errno.
 */
int markdown_write(FILE *out, const struct head *head,
    const struct results *results);

/* "1.02 (0.98 to 1.05)" with two digits behind the point, or "-". */
#define RATIO_TEXT_MAX 64
char *ratio_print(const struct quartiles *ratio, int digits,
    char text[RATIO_TEXT_MAX]);

#endif
