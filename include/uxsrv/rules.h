/* SPDX-License-Identifier: ISC */
#ifndef UXS_RULES_H
#define UXS_RULES_H

#include <sys/cdefs.h>

#include <uxsrv/access.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * Access rules from a file, one "allow WHO" or "deny WHO" a line; a "#" begins
 * a comment. uxecho.rules(5) describes it.
 *
 *	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
 *
 *	uxs_rules_read(&access, "/etc/mine.rules", &uxs_names_system, &why);
 */

/* More than any list of rules; keeps a wrong file from being swallowed. */
#define UXS_RULES_BYTES_MAX 1048576

/*
 * Append all rules of a file. It must be a regular file that belongs to root
 * or to our effective uid, and that nobody else may write. Reads the disk and
 * looks names up, so it may block for as long as those do.
 *
 * Returns 0, or a negative errno with *why (kind config), which begins with
 * the file, and the line where there is one; then *access is as it was.
 * Borrows path for as long as *access holds its rules.
 */
int uxs_rules_read(struct uxs_access *access, const char *path,
    const struct uxs_names *names, struct uxs_error *why);

__END_DECLS

#endif
