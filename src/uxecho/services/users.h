/* SPDX-License-Identifier: ISC */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The names of users, as a file of the form of passwd(5) had them when it was
 * read. The data base of users may be far away, and to ask it while clients
 * wait would make them all wait.
 */

struct user_name {
	uid_t uid;
	char *name;
};

struct users {
	/* private */
	struct user_name *names; /* by uid */
	size_t n;
};

/* A file that cannot be read has no users in it; nor does what is left of one
 * when there is no memory for more. *users is zeroed. */
void users_read(struct users *users, const char *file);

/* NULL where there is none; the first one in the file where there are several.
 * Borrowed until users_fini. */
const char *users_name(const struct users *users, uid_t uid);

/* May be called twice. */
void users_fini(struct users *users);

#endif
