/* SPDX-License-Identifier: ISC */
#ifndef EXEC_SPAWN_H
#define EXEC_SPAWN_H

#include <sys/types.h>

struct exec_process {
	pid_t pid; /* and its process group */
	int pidfd; /* polls readable when it has ended */
};

/*
 * Run a program with fd as its standard input and output, our standard error,
 * our working directory, and nothing else of ours: no other descriptor, no
 * signal that is blocked or ignored, the soft limit of descriptors that we
 * were started with. It leads a process group.
 *
 * Returns 0, or a negative errno where it could not be started: nothing is
 * left then. Waits until the program is loaded, but copies none of our memory.
 */
int exec_spawn(struct exec_process *process, const char *path,
    char *const argv[], char *const environment[], int fd);

/* Take note of the end of one that has ended, whose pid may be somebody else's
 * from then on, and close its pidfd. Returns as waitpid(2) tells it, or -1
 * where that is not known. */
int exec_reap(struct exec_process *process);

#endif
