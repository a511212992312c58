/* SPDX-License-Identifier: ISC */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <signal.h>
#include <stdbool.h>

struct uxs_error;

/*
 * How we were started, so that it can be done again: the program by its path,
 * since another file may be there by then; arguments, environment, directory.
 */

struct origin {
	char *path; /* absolute, symbolic links not followed */
	char *directory; /* NULL where it cannot be told */
	char **arguments;
	char **environment; /* without what was meant for one process only */
	sigset_t mask;
};

/* In the environment: the descriptor over which a successor talks to us. */
#define ORIGIN_VARIABLE "UXECHO_UPGRADE"

/* Before anything of it is changed. Returns 0, or a negative errno with *why
 * where there is no memory. */
int origin_init(struct origin *origin, char *arguments[],
    struct uxs_error *why);
void origin_fini(struct origin *origin);

/*
 * Become that program anew, with fd under ORIGIN_VARIABLE. returns_home: go to
 * the directory first. Returns only when that fails, with *why.
 */
void origin_exec(const struct origin *origin, int fd, bool returns_home,
    struct uxs_error *why);

#endif
