/* SPDX-License-Identifier: ISC */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stddef.h>

#include "options.h"

/*
 * The one table that holds every option: what getopt_long(3) is given, what
 * --help prints and what sets the value all come from it.
 */
struct option_spec {
	struct option_text text;
	/* Returns what is wrong with the argument, or NULL. */
	const char *(*apply)(struct options *options, const char *argument,
	    struct uxs_error *why);
};

#define OPTION_TABLE_MAX 64

extern const struct option_spec option_table[];
extern const size_t option_table_n;

/* Returned by apply: *why was filled already, in more words than the caller
 * could find. */
extern const char option_explained[];

#endif
