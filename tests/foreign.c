/* SPDX-License-Identifier: ISC */
/* Servers as uxping may meet them; one process for each, one client a time. */
#include "foreign.h"

#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

#define MESSAGE_MAX ((size_t)256 * 1024)

struct foreign {
	enum foreign_manner manner;
	enum uxs_type type;
	uid_t uid; /* (uid_t)-1: as we are */
	int fd;
};

/* Of MESSAGE_MAX, in the server's own process. */
static char *message, *last;

/* Send all of it, to a datagram's sender or down the connection. */
static void
answer(int fd, const void *data, size_t n, const struct sockaddr_un *to,
    socklen_t to_length)
{
	const char *from = data;

	do {
		const ssize_t sent = sendto(fd, from, n, MSG_NOSIGNAL,
		    to_length > 0 ? (const struct sockaddr *)to : NULL,
		    to_length);

		if (sent < 0)
			return;
		from += sent;
		n -= (size_t)sent;
	} while (n > 0);
}

static bool
is_unread(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

/* What nobody reads any more fails the next answer. */
static void
drip(int fd, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (send(fd, message + i, 1, MSG_NOSIGNAL) < 0)
			return;
		while (is_unread(fd))
			sched_yield();
	}
}

/* Returns whether the connection goes on. */
static bool
react(enum foreign_manner manner, int fd, size_t n,
    const struct sockaddr_un *to, socklen_t to_length)
{
	static size_t last_n;

	switch (manner) {
	case FOREIGN_SILENT:
	case FOREIGN_DEAF:
	case FOREIGN_CLOSES:
	case FOREIGN_GREETS:
		return true;
	case FOREIGN_HALF:
		answer(fd, message, n / 2, to, to_length);
		return false;
	case FOREIGN_DRIPS:
		drip(fd, n);
		return true;
	case FOREIGN_LATE:
		if (last_n > 0)
			answer(fd, last, last_n, to, to_length);
		memcpy(last, message, last_n = n);
		return true;
	case FOREIGN_FLIPS:
		message[20] ^= 1;
		break;
	case FOREIGN_OTHER_LETTERS:
		memset(message, 'x', n);
		break;
	case FOREIGN_TWICE:
		answer(fd, message, n, to, to_length);
		break;
	case FOREIGN_ECHO:
	case FOREIGN_ONCE:
		break;
	}
	answer(fd, message, n, to, to_length);
	return manner != FOREIGN_ONCE;
}

static void
talk(const struct foreign *foreign, int fd)
{
	struct sockaddr_un from;
	socklen_t length;
	ssize_t n;

	do {
		length = sizeof(from);
		n = recvfrom(fd, message, MESSAGE_MAX, 0,
		    (struct sockaddr *)&from, &length);
		/* An empty message and the end look alike here; only the tests
		 * with uxecho send empty ones. */
		if (n < 0 || (n == 0 && foreign->type != UXS_DGRAM))
			return;
		if (foreign->type != UXS_DGRAM)
			length = 0;
	} while (react(foreign->manner, fd, (size_t)n, &from, length));
}

static void
serve(void *arg)
{
	const struct foreign *foreign = arg;
	int fd;

	message = malloc(MESSAGE_MAX);
	last = malloc(MESSAGE_MAX);
	if (message == NULL || last == NULL ||
	    setresgid(foreign->uid, foreign->uid, foreign->uid) < 0 ||
	    setresuid(foreign->uid, foreign->uid, foreign->uid) < 0)
		_exit(1);
	if (foreign->manner == FOREIGN_DEAF)
		pause();
	if (foreign->type == UXS_DGRAM) {
		talk(foreign, foreign->fd);
		return;
	}
	while ((fd = accept(foreign->fd, NULL, NULL)) >= 0) {
		if (foreign->manner == FOREIGN_GREETS)
			answer(fd, "220 hello\n", 10, NULL, 0);
		if (foreign->manner != FOREIGN_CLOSES)
			talk(foreign, fd);
		close(fd);
	}
}

pid_t
foreign_start_as(uid_t uid, enum foreign_manner manner, enum uxs_type type,
    const char *path)
{
	struct foreign foreign = { .manner = manner, .type = type, .uid = uid };
	pid_t pid;

	foreign.fd = bound_socket(type, path);
	if (type != UXS_DGRAM)
		ck_assert_int_eq(listen(foreign.fd,
				     manner == FOREIGN_DEAF ? 0 : 64),
		    0);
	pid = start_child(serve, &foreign);
	close(foreign.fd);
	return pid;
}

pid_t
foreign_start(enum foreign_manner manner, enum uxs_type type, const char *path)
{
	return foreign_start_as((uid_t)-1, manner, type, path);
}

void
foreign_kill(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
}
