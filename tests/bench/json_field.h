/* SPDX-License-Identifier: ISC */
#ifndef BENCH_JSON_FIELD_H
#define BENCH_JSON_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One member of one line that uxping --json wrote. The line is taken to be
 * JSON; whether it is, is uxping's own tests' business.
 */

/* A number by its name, or by that of an object and its own, as in
 * "rtt_ns.p50". False: it is not there, or not a number. */
bool json_field_number(const char *line, const char *name, double *number);

/* A string without escapes, cut short at size. False: not there, or no
 * string. */
bool json_field_text(const char *line, const char *name, char *text,
    size_t size);

#endif
