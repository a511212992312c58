/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One answer takes at most this long before it counts as none. */
#define PATIENCE_S 2

static int
type_of(const char *name)
{
	if (strcmp(name, "dgram") == 0)
		return SOCK_DGRAM;
	return strcmp(name, "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
}

/* A datagram server needs an address to answer to. */
static int
bind_return_address(const struct bench *bench, int fd)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s.client", bench->path);
	unlink(sa.sun_path);
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa));
}

static int
dial(const struct bench *bench, int type)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	strcpy(sa.sun_path, bench->path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if ((type != SOCK_DGRAM || bind_return_address(bench, fd) == 0) &&
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
echoes(int fd)
{
	static const char message[] = "is this an echo?";
	char answer[sizeof(message)];
	size_t n = 0;

	if (send(fd, message, sizeof(message), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(message))
		return false;
	while (n < sizeof(message)) {
		const ssize_t more =
		    recv(fd, answer + n, sizeof(answer) - n, 0);

		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return memcmp(answer, message, sizeof(message)) == 0;
}

bool
client_is_answered(const struct bench *bench, const struct workload *workload)
{
	const int fd = dial(bench, type_of(workload->type));
	bool is_answered;

	if (fd < 0)
		return false;
	is_answered = echoes(fd);
	close(fd);
	return is_answered;
}

int
client_hold(struct bench *bench, int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	for (size_t i = 0; i < n; i++) {
		if (bench_is_interrupted)
			return bench_fail(bench, "interrupted");
		if ((fds[i] = dial(bench, SOCK_STREAM)) < 0)
			return bench_fail(bench, "connection %zu: %s", i + 1,
			    strerror(errno));
		if (!echoes(fds[i]))
			return bench_fail(bench, "connection %zu: no answer",
			    i + 1);
	}
	return 0;
}

void
client_release(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}
