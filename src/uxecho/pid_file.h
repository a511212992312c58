/* SPDX-License-Identifier: ISC */
#ifndef PID_FILE_H
#define PID_FILE_H

struct pidfh;
struct uxs_error;

/* The file with our process ID, locked while we run, so that a second daemon
 * with the same file is found out; by pidfile_open(3bsd). */

struct pid_file {
	const char *path; /* borrowed; NULL: none is wanted */
	struct pidfh *handle; /* NULL when closed */
};

/*
 * Create and lock it, still empty. A directory in which others could replace
 * it is refused. Returns 0, or a negative errno with *why: another process
 * holds it (kind live), or it cannot be made.
 */
int pid_file_open(struct pid_file *file, struct uxs_error *why);

/* Write our process ID into it. Needs no privilege. Returns 0, or a negative
 * errno with *why. */
int pid_file_write(struct pid_file *file, struct uxs_error *why);

/* Remove it, and let go. May be called twice. */
void pid_file_close(struct pid_file *file);

#endif
