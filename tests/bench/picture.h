/* SPDX-License-Identifier: ISC */
#ifndef BENCH_PICTURE_H
#define BENCH_PICTURE_H

#include <stdio.h>

#include "head.h"
#include "results.h"

/*
 * One workload as a picture: for each server a dot at what a message costs it
 * relative to the yardstick, with a whisker from quartile to quartile, on a
 * logarithmic scale. The file stands alone and reads in light and in dark.
 *
 * Returns 0, 1 where there is nothing to draw, or a negative errno.
 */
int picture_write(FILE *out, const struct head *head,
    const struct results *results, size_t workload);

#endif
