/* SPDX-License-Identifier: ISC */
/*
 * A server inside of GLib's main loop, as a desktop program would have it,
 * with a timer and a signal of its own: it answers with how often the timer
 * has come.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>

#include <glib-unix.h>
#include <uxsrv/uxsrv.h>

static unsigned n_ticks;
static GMainLoop *main_loop;

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%u ticks\n", n_ticks);

	return uxs_client_reply(client, text, (size_t)n) < 0 ? -1 : 0;
}

static gboolean
on_tick(gpointer arg)
{
	n_ticks++;
	return G_SOURCE_CONTINUE;
}

static gboolean
on_sigterm(gpointer server)
{
	uxs_server_drain(server);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_server_ready(gint fd, GIOCondition condition, gpointer server)
{
	if (uxs_server_turn(server) == UXS_TURN_SERVING)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(main_loop);
	return G_SOURCE_REMOVE;
}

int
main(int argc, char *argv[])
{
	const struct uxs_service service = { .on_message = on_message };
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_server *server;
	struct uxs_error why = { UXS_FAILURE_USAGE,
		"usage: with_glib ADDRESS" };
	int n = argc == 2 ? uxs_address_parse(argv[1], pair, &why) : -1;

	conf.addresses = pair;
	conf.n_addresses = (size_t)n;
	conf.service = &service;
	conf.idle_timeout_ns = UXS_NS_PER_S / 20;
	if (n < 0 || uxs_server_open(&server, &conf, &why) < 0)
		errx(uxs_error_exit_status(&why), "%s", why.text);
	main_loop = g_main_loop_new(NULL, FALSE);
	g_unix_fd_add(uxs_server_fd(server), G_IO_IN, on_server_ready, server);
	g_unix_signal_add(SIGTERM, on_sigterm, server);
	g_timeout_add(1, on_tick, NULL);
	warnx("serving %s", argv[1]);
	g_main_loop_run(main_loop);
	g_main_loop_unref(main_loop);
	uxs_server_close(&server);
	return 0;
}
