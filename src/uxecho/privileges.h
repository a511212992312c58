/* SPDX-License-Identifier: ISC */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct uxs_error;

/* Whom to become, and how to give up everything else, for good. */

struct privileges {
	bool is_wanted; /* not where root is to be kept */
	const char *root; /* as it was named; NULL: it was not */
	uid_t uid;
	gid_t gid;
	char name[LOGIN_NAME_MAX]; /* empty: not in the data base of users */
};

/* "USER[:GROUP]", by names or numbers; borrows text. Returns what is wrong, or
 * NULL. Whether root may be named, as whom nothing is given up, is for the
 * caller to say. */
const char *privileges_parse(struct privileges *privileges, const char *text);

/* Could we? Returns 0, or a negative errno with *why (kind permission). */
int privileges_check(const struct privileges *privileges,
    struct uxs_error *why);

/*
 * Become this user with the groups that he gets at login, without capabilities
 * or a way to any, and make sure that there is no way back. While there are no
 * other threads: capabilities are each thread's own. Who is not root, and this
 * user already, keeps his groups.
 *
 * Returns 0, or a negative errno with *why; then the process is in between,
 * and must end.
 */
int privileges_drop(const struct privileges *privileges, struct uxs_error *why);

/* Keep these capabilities (bits by their numbers) and no way to others.
 * Returns 0 or a negative errno. */
int privileges_limit(uint64_t capabilities);

#endif
