/* SPDX-License-Identifier: ISC */
#include "echo_server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define BUFFER_SIZE ((size_t)1 << 20)

struct echo_server {
	int fd;
	enum uxs_type type;
	enum echo_manner manner;
	unsigned n_messages;
	char *buffer; /* of BUFFER_SIZE */
};

static void
say_all(int fd, const char *bytes, size_t length)
{
	/* A blocking socket; on an error the next read ends the connection. */
	do {
		const ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		length -= (size_t)n;
	} while (length > 0);
}

/* What this manner does to a message before it goes back. Returns how often
 * it does. */
static int
handle(struct echo_server *server, size_t length)
{
	const struct timespec millisecond = { .tv_nsec = 1000000 };

	server->n_messages++;
	if (server->manner == ECHO_SLOWLY)
		nanosleep(&millisecond, NULL);
	if (server->manner == ECHO_CORRUPT && length > 0)
		server->buffer[length - 1] ^= 1;
	if (server->manner == ECHO_SOME && server->n_messages % 3 == 0)
		return 0;
	if (server->manner == ECHO_CLOSE || server->manner == ECHO_NEVER)
		return 0;
	return server->manner == ECHO_TWICE ? 2 : 1;
}

static void
serve_connection(struct echo_server *server, int fd, uint32_t events)
{
	const ssize_t n = recv(fd, server->buffer, BUFFER_SIZE, 0);

	/* Nothing may be an empty seqpacket. */
	const bool is_end = n < 0 || (n == 0 && (events & EPOLLHUP) != 0) ||
	    (n == 0 && server->type == UXS_STREAM);

	if (!is_end) {
		for (int i = handle(server, (size_t)n); i > 0; i--)
			say_all(fd, server->buffer, (size_t)n);
	}
	if (is_end || server->manner == ECHO_CLOSE ||
	    server->manner == ECHO_ONCE)
		close(fd);
}

static void
serve_datagram(struct echo_server *server)
{
	struct sockaddr_un from;
	socklen_t length = sizeof(from);
	const ssize_t n = recvfrom(server->fd, server->buffer, BUFFER_SIZE, 0,
	    (struct sockaddr *)&from, &length);

	if (n < 0)
		return;
	for (int i = handle(server, (size_t)n); i > 0; i--)
		sendto(server->fd, server->buffer, (size_t)n, MSG_NOSIGNAL,
		    (struct sockaddr *)&from, length);
}

static void
accept_one(struct echo_server *server, int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	event.data.fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	if (event.data.fd < 0)
		return;
	if (server->manner == ECHO_GREET)
		say_all(event.data.fd, "hello\n", 6);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
}

static void
serve(void *arg)
{
	struct echo_server *server = arg;
	struct epoll_event event = { .events = EPOLLIN, .data.fd = server->fd };
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	char buffer[BUFFER_SIZE];

	server->buffer = buffer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, server->fd, &event);
	while (epoll_wait(epoll_fd, &event, 1, -1) >= 0 || errno == EINTR) {
		if (event.data.fd != server->fd)
			serve_connection(server, event.data.fd, event.events);
		else if (server->type == UXS_DGRAM)
			serve_datagram(server);
		else
			accept_one(server, epoll_fd);
	}
}

pid_t
echo_start(enum uxs_type type, const char *path, enum echo_manner manner)
{
	struct echo_server server = {
		.fd = bound_socket(type, path),
		.type = type,
		.manner = manner,
	};
	pid_t pid;

	if (type != UXS_DGRAM)
		ck_assert_int_eq(listen(server.fd, 128), 0);
	pid = start_child(serve, &server);
	close(server.fd);
	return pid;
}

void
echo_stop(pid_t pid)
{
	/* Not SIGTERM: a child has the handler of its test. */
	kill(pid, SIGKILL);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
}
