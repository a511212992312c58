/* SPDX-License-Identifier: ISC */
/* Readiness, told to whoever started us. */
#include <uxsrv/notify.h>

#include <errno.h>
#include <unistd.h>

int
uxs_notify_ready_fd(int fd)
{
	int r = 0;

	if (write(fd, "\n", 1) != 1)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}
