/* SPDX-License-Identifier: ISC */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <stdbool.h>

struct uxs_error;

/*
 * To serve in the background, and to let whoever started us wait until that is
 * so: daemon(3) returns too early for both.
 */

struct background {
	int fd; /* to the process that waits; -1 when nobody does */
	int null; /* /dev/null, for the standard descriptors; or -errno */
};

#define BACKGROUND_NONE              \
	{                            \
		.fd = -1, .null = -1 \
	}

enum background_side {
	BACKGROUND_CHILD, /* go on, and call background_ready */
	BACKGROUND_PARENT, /* end with *status */
};

/*
 * Fork. The child leads a session of its own and goes on, the parent waits for
 * it to be ready, or to end: *status is then 0, or the child's exit status.
 * Returns a side, or a negative errno with *why. The child opens here what
 * background_ready needs, since it may be confined by then.
 */
int background_start(struct background *background, int *status,
    struct uxs_error *why);

/* Be in the background already, with nobody who waits. Returns
 * BACKGROUND_CHILD, or a negative errno with *why. */
int background_go_on(struct background *background, struct uxs_error *why);

/*
 * The child serves: it lets go of the working directory and of the standard
 * descriptors, standard error only if nobody logs there, and of the parent.
 * Returns 0, or a negative errno where it could not let go of the former; it
 * serves all the same.
 */
int background_ready(struct background *background, bool keeps_stderr);

#endif
