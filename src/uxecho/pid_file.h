/* SPDX-License-Identifier: ISC */
#ifndef PID_FILE_H
#define PID_FILE_H

#include <limits.h>

struct pidfh;
struct uxs_error;

/* The file with our process ID, locked while we run, so that a second daemon
 * with the same file is found out; by pidfile_open(3bsd). */

struct pid_file {
	const char *path; /* borrowed; NULL: none is wanted */
	struct pidfh *handle; /* NULL when closed, or adopted */
	/* private */
	int fd; /* adopted from a predecessor; -1: not */
	char absolute[PATH_MAX];
};

#define PID_FILE_CLOSED  \
	{                \
		.fd = -1 \
	}

/*
 * Create and lock it, still empty. A directory in which others could replace
 * it is refused. Returns 0, or a negative errno with *why: another process
 * holds it (kind live), or it cannot be made.
 */
int pid_file_open(struct pid_file *file, struct uxs_error *why);

/* Write our process ID into it. Needs no privilege. Returns 0, or a negative
 * errno with *why. */
int pid_file_write(struct pid_file *file, struct uxs_error *why);

/* Hold the one that a predecessor holds: the lock goes with the open file.
 * Takes fd (-1: he has none). Returns 0, or a negative errno with *why: it is
 * not the file that is at path. */
int pid_file_adopt(struct pid_file *file, int fd, struct uxs_error *why);

/* The descriptor, for a successor; -1: none. */
int pid_file_fd(const struct pid_file *file);

/* A successor has it: let go, and do not remove it. */
void pid_file_leave(struct pid_file *file);

/* Remove it, and let go. May be called twice. */
void pid_file_close(struct pid_file *file);

#endif
