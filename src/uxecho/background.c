/* SPDX-License-Identifier: ISC */
/* Into the background, and no word of success before there is one. */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <uxsrv/error.h>

/* Failures were printed by the child, to the same standard error. */
static int
wait_for(pid_t child, int fd)
{
	int status;
	char ready;
	ssize_t n;

	while ((n = read(fd, &ready, 1)) < 0 && errno == EINTR)
		;
	close(fd);
	if (n == 1)
		return EX_OK;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return EX_OSERR;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
background_start(struct background *b, int *status, struct uxs_error *why)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "--daemon: cannot make a pipe: %s", strerror(errno));
	if ((child = fork()) < 0) {
		const int code = errno;

		close(ends[0]);
		close(ends[1]);
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, code,
		    "--daemon: cannot fork: %s", strerror(code));
	}
	if (child > 0) {
		close(ends[1]);
		*status = wait_for(child, ends[0]);
		return BACKGROUND_PARENT;
	}
	close(ends[0]);
	setsid(); /* cannot fail: a new process leads no group */
	b->fd = ends[1];
	b->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (b->null < 0)
		b->null = -errno;
	return BACKGROUND_CHILD;
}

int
background_go_on(struct background *b, struct uxs_error *why)
{
	b->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (b->fd < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "--daemon: cannot open /dev/null: %s", strerror(errno));
	return BACKGROUND_CHILD;
}

int
background_ready(struct background *b, bool keeps_stderr)
{
	const int last = keeps_stderr ? STDOUT_FILENO : STDERR_FILENO;
	int r = b->null < 0 ? b->null : 0;

	if (b->fd < 0)
		return 0;
	/* A file system can be unmounted that we were only started in. */
	if (chdir("/") < 0)
		r = -errno;
	for (int fd = STDIN_FILENO; fd <= last && r == 0; fd++)
		dup2(b->null, fd);
	if (b->null >= 0)
		close(b->null);
	b->null = -1;
	while (write(b->fd, "r", 1) < 0 && errno == EINTR)
		;
	close(b->fd);
	b->fd = -1;
	return r;
}
