/* SPDX-License-Identifier: ISC */
/* libevent's buffered layer: what was received is moved to the output without
 * a copy, and the library sends it. */
#include <err.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <unistd.h>

#include "peer.h"

static struct event_base *base;

static void
on_read(struct bufferevent *client, void *arg)
{
	evbuffer_add_buffer(bufferevent_get_output(client),
	    bufferevent_get_input(client));
}

static void
on_event(struct bufferevent *client, short events, void *arg)
{
	if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(client);
}

static void
on_accept(struct evconnlistener *door, evutil_socket_t fd, struct sockaddr *sa,
    int length, void *arg)
{
	struct bufferevent *client =
	    bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (client == NULL)
		errx(71, "cannot serve a client");
	bufferevent_setcb(client, on_read, NULL, on_event, NULL);
	bufferevent_enable(client, EV_READ | EV_WRITE);
}

int
main(int argc, char *argv[])
{
	const int fd = peer_listen(argc, argv, "libevent " LIBEVENT_VERSION);

	evutil_make_socket_nonblocking(fd);
	base = event_base_new();
	if (base == NULL ||
	    evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 0,
		fd) == NULL)
		errx(71, "cannot serve");
	return event_base_dispatch(base);
}
