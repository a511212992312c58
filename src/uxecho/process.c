/* SPDX-License-Identifier: ISC */
/* What a process inherits is not always fit for a daemon. */
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

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

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void
process_prepare(void)
{
	open_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN); /* must not end a daemon that serves */
	raise_descriptor_limit();
}
