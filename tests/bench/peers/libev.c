/* SPDX-License-Identifier: ISC */
/* libev, with receive and send of its user's own. */
#include <err.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#define TEXT(x) #x
#define VERSION(major, minor) "libev " TEXT(major) "." TEXT(minor)

static void
on_client(struct ev_loop *loop, ev_io *watcher, int events)
{
	if (peer_echo(watcher->fd))
		return;
	ev_io_stop(loop, watcher);
	close(watcher->fd);
	free(watcher);
}

static void
on_door(struct ev_loop *loop, ev_io *watcher, int events)
{
	const int fd = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC);
	ev_io *client = malloc(sizeof(*client));

	if (fd < 0 || client == NULL)
		err(71, "cannot serve a client");
	ev_io_init(client, on_client, fd, EV_READ);
	ev_io_start(loop, client);
}

int
main(int argc, char *argv[])
{
	const int fd = peer_listen(argc, argv,
	    VERSION(EV_VERSION_MAJOR, EV_VERSION_MINOR));
	struct ev_loop *loop = ev_default_loop(0);
	ev_io door;

	ev_io_init(&door, on_door, fd, EV_READ);
	ev_io_start(loop, &door);
	return ev_run(loop, 0) ? 0 : 71;
}
