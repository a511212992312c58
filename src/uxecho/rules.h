/* SPDX-License-Identifier: ISC */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <uxsrv/access.h>

struct uxs_error;

/*
 * Where the access rules come from, in the order of the command line: rules
 * given there, and files of them. Kept as they were written, so that all of
 * them can be read again, names included.
 */

enum rules_kind { RULES_ALLOW, RULES_DENY, RULES_FILE };

struct rules_source {
	enum rules_kind kind;
	const char *text; /* WHO, or a path; borrowed */
	char *owned; /* a path that was made absolute, or NULL */
};

struct rules {
	size_t n;
	struct rules_source *sources; /* owned */
};

/* Append. Returns 0, or a negative errno with *why. Borrows text. */
int rules_add(struct rules *rules, enum rules_kind kind, const char *text,
    struct uxs_error *why);

/* Is there a file among them? */
bool rules_have_file(const struct rules *rules);

/*
 * Append to *access what all of them say now. Reads files and looks up names.
 * Returns 0, or a negative errno with *why; *access is then of no use, but
 * still to be freed.
 */
int rules_load(const struct rules *rules, struct uxs_access *access,
    struct uxs_error *why);

/* Make the paths absolute, so that they are found from another working
 * directory, too. Returns 0, or a negative errno with *why. */
int rules_fix_paths(struct rules *rules, struct uxs_error *why);

void rules_fini(struct rules *rules);

#endif
