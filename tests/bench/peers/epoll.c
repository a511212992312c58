/* SPDX-License-Identifier: ISC */
/*
 * The yardstick: the least that a server of many connections can do. One
 * level-triggered epoll, one receive and one send a message, a buffer for all.
 * Its sockets block, so a client that does not read stops it: nobody could use
 * it, and nobody can be leaner.
 */
#include <err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#define EVENTS_MAX 256

static int epoll;

static void
watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(71, "cannot watch a client");
}

int
main(int argc, char *argv[])
{
	const int door = peer_listen(argc, argv, "epoll(7), one thread");
	struct epoll_event events[EVENTS_MAX];

	epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(door);
	for (;;) {
		const int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++) {
			const int fd = events[i].data.fd;

			if (fd == door)
				watch(accept4(door, NULL, NULL, SOCK_CLOEXEC));
			else if (!peer_echo(fd))
				close(fd);
		}
	}
}
