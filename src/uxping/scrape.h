/* SPDX-License-Identifier: ISC */
#ifndef UXPING_SCRAPE_H
#define UXPING_SCRAPE_H

#include <stdbool.h>
#include <stdio.h>

struct exposition;
struct options;
struct target;

/*
 * uxping --stats: connect, end the sending direction, read one OpenMetrics
 * text to the end of file, and show it: to people as a table, or as JSON.
 *
 * Returns the exit status: 0, 1 when there was no such text to be had, 2 when
 * it could not run.
 */
int scrape_run(const struct options *options);

/* ---- how it is shown (scrape_print.c) ---- */

/*
 * A line for each sample, in columns; a histogram is one line. Counters that
 * are 0, beside others of their family, are left out unless is_verbose, and a
 * last line says how many. Bytes of label values are escaped.
 */
void scrape_print_table(const struct exposition *exposition, bool is_verbose,
    FILE *out);

/* All of it, as one "stats" event. */
void scrape_print_json(const struct exposition *exposition,
    const struct target *target, FILE *out);

#endif
