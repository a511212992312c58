/* SPDX-License-Identifier: ISC */
#ifndef UXPING_REPORT_H
#define UXPING_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bars.h"

struct compare_ratio;
struct diagnosis;
struct options;
struct tally;

/*
 * What a bench came to, for people and for programs. Writes to the stream it
 * is given and looks at nothing else, so that the same facts always give the
 * same text.
 */

struct report {
	const char *label; /* the address, fit to print */
	const char *type; /* "stream", "tcp", ... */
	const struct options *options;
	const struct tally *tally;
	const struct diagnosis *diagnosis; /* of the first trouble; or NULL */
	bool was_interrupted;
	const struct compare_ratio *ratio; /* --compare; or NULL */
};

/* ---- for people (report.c) ---- */

/* "closed loop: 64 connections, depth 1: latency is what the server allows" */
void report_print_mode(const struct report *report, FILE *out);

/* The same in a few words, cut at size, as a picture's subtitle. */
void report_format_load(const struct report *report, char *text, size_t size);

void report_print_start(const struct report *report, FILE *out);
void report_print_end(const struct report *report,
    const struct bars_style *style, FILE *out);

/* The first trouble, where there is one, as ping says it. */
void report_print_trouble(const struct report *report, FILE *out);

/* One line that overwrites itself: what the last second came to. */
void report_print_progress(const struct report *report, int64_t elapsed_ns,
    const struct tally *second, FILE *out);
void report_wipe_progress(FILE *out);

/* ---- for programs (report_json.c, report_csv.c) ---- */

void report_json_start(const struct report *report, FILE *out);
void report_json_interval(const struct report *report,
    const struct tally *second, FILE *out);
/* With the buckets of the histogram where options->histogram is set. */
void report_json_end(const struct report *report, FILE *out);
/* The first trouble, where there is one. */
void report_json_error(const struct report *report, FILE *out);

/*
 * A line of names, then one for each bucket that is not empty: low_ns,
 * high_ns, count, cumulative. Returns 0 or a negative errno.
 */
int report_csv(const struct report *report, FILE *out);

#endif
