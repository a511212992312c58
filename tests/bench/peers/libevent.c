/* SPDX-License-Identifier: ISC */
/* libevent's events, with receive and send of its user's own. */
#include <err.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

static struct event_base *base;

static void
on_client(evutil_socket_t fd, short events, void *arg)
{
	struct event *const *self = arg;

	if (peer_echo(fd))
		return;
	event_free(*self);
	free(arg);
	close(fd);
}

static void
on_door(evutil_socket_t door, short events, void *arg)
{
	const int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	struct event **client = malloc(sizeof(struct event *));

	if (fd < 0 || client == NULL)
		err(71, "cannot serve a client");
	*client = event_new(base, fd, EV_READ | EV_PERSIST, on_client, client);
	if (*client == NULL || event_add(*client, NULL) < 0)
		errx(71, "cannot serve a client");
}

int
main(int argc, char *argv[])
{
	const int fd = peer_listen(argc, argv, "libevent " LIBEVENT_VERSION);
	struct event *door;

	base = event_base_new();
	door = event_new(base, fd, EV_READ | EV_PERSIST, on_door, NULL);
	if (door == NULL || event_add(door, NULL) < 0)
		errx(71, "cannot serve");
	return event_base_dispatch(base);
}
