/* SPDX-License-Identifier: ISC */
#ifndef UXPING_SVG_H
#define UXPING_SVG_H

#include <stddef.h>
#include <stdio.h>

struct histogram;

/*
 * Latency as a picture: for each series, the time that a share of the messages
 * did not exceed, with more room for the tail. The file stands alone (no
 * scripts, no fonts of its own) and reads in light and in dark.
 */

#define SVG_SERIES_MAX 8 /* as many colours as can be told apart */

struct svg_series {
	const char *name;
	const struct histogram *histogram; /* borrowed */
};

/* Draws the first SVG_SERIES_MAX of n. title and subtitle and the names may
 * hold any text. Returns 0 or a negative errno. */
int svg_write(FILE *out, const char *title, const char *subtitle,
    const struct svg_series *series, size_t n);

#endif
