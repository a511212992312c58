/* SPDX-License-Identifier: ISC */
/* A pipe, and what passes through it; see relay.h. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulk.h"
#include "sysret.h"

/* Below, copying is as good. A user who has too many pages in pipes gets new
 * ones of one or two pages. */
#define PIPE_MIN_BYTES 65536

/* Twice that, and it holds more than a whole turn even if half of it is still
 * unread. Measured: 512 KiB halve the processor time, 1 MiB gains no more. */
#define SEND_BUFFER_BYTES ((int)BULK_MAX)

static bool
is_sigpipe_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGPIPE, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

int
relay_open(struct relay *relay)
{
	int ends[2], size;

	if (relay->is_open)
		return 0;
	if (!is_sigpipe_ignored())
		return -ENOTSUP;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -errno;
	*relay = (struct relay){
		.is_open = true,
		.out = ends[0],
		.in = ends[1],
	};
	/* A page takes a place in the pipe, however little of it is used; if
	 * this one may not be larger, it is used as it is. */
	fcntl(relay->in, F_SETPIPE_SZ, (int)BULK_MAX);
	size = fcntl(relay->in, F_GETPIPE_SZ);
	if (size < PIPE_MIN_BYTES) {
		relay_close(relay);
		return -EPERM;
	}
	relay->size = (size_t)size;
	return 0;
}

uint32_t
relay_enlarge(int fd)
{
	int size = SEND_BUFFER_BYTES, is = 0;
	socklen_t length = sizeof(is);

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &is, &length);
	if (is < 2 * size) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		length = sizeof(is);
		getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &is, &length);
	}
	return is > 0 ? (uint32_t)is : 1;
}

size_t
relay_unsent(int fd)
{
	int bytes;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes >= 0 ? (size_t)bytes :
								SIZE_MAX;
}

enum wire_received
relay_receive(struct relay *relay, int fd, size_t size, size_t *n)
{
	return wire_receive_spliced(fd, relay->in,
	    size < relay->size ? size : relay->size, n);
}

enum wire_sent
relay_send(struct relay *relay, int fd, size_t length, size_t *n)
{
	return wire_send_spliced(fd, relay->out, length, n);
}

int
relay_read(struct relay *relay, void *buffer, size_t length)
{
	const int r = sysret(read(relay->out, buffer, length));

	if (r < 0)
		return r;
	return (size_t)r == length ? 0 : -EIO;
}

void
relay_close(struct relay *relay)
{
	if (!relay->is_open)
		return;
	close(relay->in);
	close(relay->out);
	relay->is_open = false;
}
