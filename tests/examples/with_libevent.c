/* SPDX-License-Identifier: ISC */
/*
 * A server inside of libevent's loop, which also has a timer and a signal of
 * the program's own: it answers with how often the timer has come.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include <event2/event.h>
#include <uxsrv/uxsrv.h>

static unsigned n_ticks;

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%u ticks\n", n_ticks);

	return uxs_client_reply(client, text, (size_t)n) < 0 ? -1 : 0;
}

static void
on_tick(evutil_socket_t fd, short events, void *arg)
{
	n_ticks++;
}

static void
on_sigterm(evutil_socket_t fd, short events, void *server)
{
	uxs_server_drain(server);
}

static struct event_base *base;

static void
on_server_ready(evutil_socket_t fd, short events, void *server)
{
	if (uxs_server_turn(server) != UXS_TURN_SERVING)
		event_base_loopbreak(base);
}

int
main(int argc, char *argv[])
{
	const struct uxs_service service = { .on_message = on_message };
	const struct timeval ms = { .tv_usec = 1000 };
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_server *server;
	struct uxs_error why = { UXS_FAILURE_USAGE,
		"usage: with_libevent ADDRESS" };
	struct event *serve, *tick, *term;
	int n = argc == 2 ? uxs_address_parse(argv[1], pair, &why) : -1;

	conf.addresses = pair;
	conf.n_addresses = (size_t)n;
	conf.service = &service;
	conf.idle_timeout_ns = UXS_NS_PER_S / 20;
	if (n < 0 || uxs_server_open(&server, &conf, &why) < 0)
		errx(uxs_error_exit_status(&why), "%s", why.text);
	base = event_base_new();
	serve = event_new(base, uxs_server_fd(server), EV_READ | EV_PERSIST,
	    on_server_ready, server);
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	term = evsignal_new(base, SIGTERM, on_sigterm, server);
	if (event_add(serve, NULL) < 0 || event_add(tick, &ms) < 0 ||
	    event_add(term, NULL) < 0)
		errx(71, "cannot use libevent");
	warnx("serving %s", argv[1]);
	event_base_dispatch(base);
	event_free(serve);
	event_free(tick);
	event_free(term);
	event_base_free(base);
	uxs_server_close(&server);
	return 0;
}
