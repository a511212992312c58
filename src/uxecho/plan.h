/* SPDX-License-Identifier: ISC */
#ifndef PLAN_H
#define PLAN_H

#include <stdio.h>

struct options;
struct uxs_error;

/*
 * --check: look at every address as starting would, create nothing, and write
 * what would be done to out. Returns 0 when starting would go on, otherwise a
 * negative errno with *why, as starting would say it; or, with --as, when there
 * is no such user.
 */
int plan_print(const struct options *options, FILE *out, struct uxs_error *why);

#endif
