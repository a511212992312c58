/* SPDX-License-Identifier: ISC */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * What a process costs, told by its system calls, which depend on neither the
 * machine nor its load as times do.
 */

struct trace {
	pid_t pid; /* of strace */
	int stderr_fd;
};

/* Begin to count; returns false, and says so, where there is no strace or it
 * may not trace. */
bool trace_start(struct trace *trace, pid_t target);
void trace_stop(struct trace *trace);

struct cost {
	int waits, receives, sends, others;
	int looks; /* waits that do not wait */
	int yields; /* sched_yield(2) */
};

/* Between the two. */
struct cost read_trace(void);

#endif
