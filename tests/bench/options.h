/* SPDX-License-Identifier: ISC */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The command line of the runner. */

struct bench_options {
	const char *build, *sources, *output; /* folders */
	const char *workloads, *subjects; /* patterns with commas; NULL: all */
	size_t n_rounds;
	int64_t duration_ns; /* of a measurement */
	bool is_list; /* only say what there is */
};

extern const char bench_usage[];

/* Returns 0; or -1 with a line in why, or "" in it where help is wanted. */
#define OPTIONS_WHY_MAX 256
int bench_options_read(int argc, char *argv[], struct bench_options *options,
    char why[OPTIONS_WHY_MAX]);

/* Whether one of the patterns, as in fnmatch(3), is that of the name. */
bool bench_is_chosen(const char *patterns, const char *name);

#endif
