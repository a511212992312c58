/* SPDX-License-Identifier: ISC */
/* strace(1), attached to a process that serves and let go again. */
#include "trace.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/loop.h>

#include "harness.h"

static void
exec_strace(pid_t target)
{
	char number[16];

	snprintf(number, sizeof(number), "%ld", (long)target);
	execlp("strace", "strace", "-f", "-qqq", "-o", "trace", "-e",
	    "trace=all", "-p", number, (char *)NULL);
	_exit(127);
}

/* Is there a tracer? The kernel says so, whatever strace prints. */
static bool
is_traced(pid_t pid)
{
	char path[64], line[256];
	long tracer = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((status = fopen(path, "r")) == NULL)
		return false;
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "TracerPid: %ld", &tracer);
	fclose(status);
	return tracer != 0;
}

bool
trace_start(struct trace *trace, pid_t target)
{
	int err[2];

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	trace->pid = fork();
	ck_assert_int_ge(trace->pid, 0);
	if (trace->pid == 0) {
		dup2(err[1], STDERR_FILENO);
		exec_strace(target);
	}
	close(err[1]);
	trace->stderr_fd = err[0];
	while (!is_traced(target)) {
		if (waitpid(trace->pid, NULL, WNOHANG) == trace->pid) {
			close(trace->stderr_fd);
			skip("strace is missing, or may not trace");
			return false;
		}
	}
	return true;
}

void
trace_stop(struct trace *trace)
{
	ck_assert_int_eq(kill(trace->pid, SIGINT), 0);
	wait_child(trace->pid);
	close(trace->stderr_fd);
}

/* "epoll_wait(4, [...], 64, 0)": the time is 0. */
static bool
is_look(const char *line)
{
	char batch_and_time[32];

	snprintf(batch_and_time, sizeof(batch_and_time), ", %d, 0",
	    UXS_LOOP_BATCH);
	return strstr(line, batch_and_time) != NULL;
}

/* Lines are "PID name(arguments) = result". */
struct cost
read_trace(void)
{
	FILE *file = fopen("trace", "r");
	struct cost cost = { .waits = 0 };
	char line[1024], name[64];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*d %63[a-z0-9_]", name) != 1)
			continue; /* a signal, or the end */
		if (strstr(name, "epoll_") == name &&
		    strstr(name, "wait") != NULL) {
			cost.waits++;
			cost.looks += is_look(line);
		} else if (strcmp(name, "sched_yield") == 0)
			cost.yields++;
		else if (strstr(name, "recv") == name)
			cost.receives++;
		else if (strstr(name, "send") == name)
			cost.sends++;
		/* Many a clock cannot be read without a system call. */
		else if (strcmp(name, "restart_syscall") != 0 &&
		    strcmp(name, "clock_gettime") != 0)
			cost.others++;
	}
	fclose(file);
	return cost;
}
