/* SPDX-License-Identifier: ISC */
/* What a process inherits is not always fit for a daemon. */
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static rlim_t soft_descriptors;

/* A socket must not become descriptor 2 of a process that was started without
 * one: every log line would go to a client. */
static void
open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The soft limit is low for the sake of select(2), which is not used here. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	soft_descriptors = limit.rlim_cur;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void
process_prepare(void)
{
	open_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN); /* must not end one that starts */
	raise_descriptor_limit();
}

static int
compare_fds(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void
process_keep(int *fds, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(fds, n, sizeof(fds[0]), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)fds[i] > from)
			syscall(SYS_close_range, from, fds[i] - 1, 0);
		from = (unsigned)fds[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

bool
process_forget(int first, int last)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return false;
	for (int fd = first; fd <= last; fd++)
		dup2(null, fd);
	close(null);
	return true;
}

void
process_lower_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = soft_descriptors;
	setrlimit(RLIMIT_NOFILE, &limit);
}

rlim_t
process_soft_descriptors(void)
{
	return soft_descriptors;
}
