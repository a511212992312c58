/* SPDX-License-Identifier: ISC */
#ifndef EXEC_H
#define EXEC_H

#include <limits.h>
#include <stdint.h>

struct uxs_error;
struct uxs_log;
struct uxs_loop;

/*
 * --service exec: a program for each connection, which has the socket as its
 * standard input and output, and the client in its environment. Each leads a
 * process group of its own, and what goes on in there ends with it:
 *
 *	RUNNING ── drain: no more input ──► half of the time ── SIGTERM ──┐
 *	   │                                                              │
 *	   ├── the rules say no, the time is over: SIGKILL ───────────────┤
 *	   ▼                                                              ▼
 *	 it ends (pidfd): reaped, the place of the client is free        it ends
 *
 * The service itself is service_exec, in services/services.h.
 */

struct exec_program {
	char path[PATH_MAX]; /* absolute */
	char *const *argv; /* borrowed; argv[0] as it was given */
};

/*
 * Find what argv[0] stands for, as a shell would: along PATH when there is no
 * slash in it. Borrows argv. Returns 0, or a negative errno with *why (kind
 * usage) where it is not there or may not be run.
 */
int exec_find(struct exec_program *program, char *const argv[],
    struct uxs_error *why);

/* May it be run by who we are now? Returns as exec_find. */
int exec_check(const struct exec_program *program, struct uxs_error *why);

/* Before anybody is let in; all is borrowed until exec_end. drain_ns is what
 * programs get to finish. */
void exec_begin(const struct exec_program *program, struct uxs_loop *loop,
    struct uxs_log *log, int64_t drain_ns);

/* When the server is closed: wait for those that were killed, but not for
 * long. May be called without exec_begin. */
void exec_end(void);

#endif
