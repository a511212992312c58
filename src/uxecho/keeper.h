/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

struct origin;
struct uxs_error;

/*
 * A process beside us that can start our program anew. It is made before we
 * are confined, since confinement is inherited, and a program may not be
 * executed in it; and it has the user that we have. It holds no descriptor but
 * the one to us, and ends when we do, however we end.
 */

struct keeper {
	/* private */
	int fd; /* -1 when there is none */
	pid_t pid;
};

#define KEEPER_NONE      \
	{                \
		.fd = -1 \
	}

/*
 * Start it, while there are no other threads. lets_go: its working directory
 * and standard error are given up as well. Borrows origin for this call.
 * Returns 0, or a negative errno with *why.
 */
int keeper_start(struct keeper *keeper, const struct origin *origin,
    bool lets_go_of_directory, bool lets_go_of_stderr, struct uxs_error *why);

/* Polls readable when keeper_ended has something to say; -1: there is none. */
static inline int
keeper_fd(const struct keeper *keeper)
{
	return keeper->fd;
}

/* Have the program started, with a copy of fd. One at a time, until
 * keeper_ended says that it has ended. Returns 0 or a negative errno. */
int keeper_run(struct keeper *keeper, int fd);

/* End the program at once. */
void keeper_kill(struct keeper *keeper);

/* Returns 1 when the program has ended, with *status as of wait(2); 0 when
 * there is nothing to say; a negative errno when the keeper is gone. */
int keeper_ended(struct keeper *keeper, int *status);

/* End the keeper, but not what it started. May be called twice. */
void keeper_stop(struct keeper *keeper);

#endif
