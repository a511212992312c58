/* SPDX-License-Identifier: ISC */
/* Figures beside our name in the list of processes; see title.h. */
#include "title.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#define INTERVAL_NS UXS_NS_PER_S

void
title_prepare(int argc, char *argv[], char *environment[])
{
	setproctitle_init(argc, argv, environment);
}

char *
title_print(char text[TITLE_MAX], const char *where, uint64_t n_clients,
    uint64_t n_messages, int64_t in_ns)
{
	const double rate =
	    in_ns > 0 ? (double)n_messages * UXS_NS_PER_S / (double)in_ns : 0;

	snprintf(text, TITLE_MAX, "%.*s: %" PRIu64 " client%s, %.0f messages/s",
	    TITLE_MAX / 2, where, n_clients, n_clients == 1 ? "" : "s", rate);
	return text;
}

/* Is there anything going on? A rate that stays the same is, too. */
static bool
look(struct title *t, int64_t now_ns)
{
	uint64_t n_clients = 0, n_messages = 0;
	struct uxs_stats stats;
	char text[TITLE_MAX];
	bool is_busy;

	uxs_server_stats(t->server, &stats);
	for (int i = 0; i < UXS_N_ALL_TYPES; i++) {
		n_clients += stats.of[i].connections;
		n_messages += stats.of[i].received_messages;
	}
	title_print(text, t->where, n_clients, n_messages - t->n_messages,
	    now_ns - t->looked_ns);
	is_busy = n_messages != t->n_messages || strcmp(text, t->shown) != 0;
	if (strcmp(text, t->shown) != 0)
		setproctitle("%s", text);
	strlcpy(t->shown, text, sizeof(t->shown));
	t->looked_ns = now_ns;
	t->n_messages = n_messages;
	return is_busy;
}

/* The last that happened must not look as if it went on for ever: as long as
 * anything does, there is a look after it. */
static void
on_expiry(struct uxs_timer *timer)
{
	struct title *t = uxs_container_of(timer, struct title, timer);
	struct uxs_loop *loop = uxs_server_loop(t->server);
	const int64_t now_ns = uxs_loop_now_ns(loop);

	if (look(t, now_ns))
		uxs_timer_start(loop, timer, now_ns + INTERVAL_NS);
	else
		uxs_timer_start_lazily(loop, timer, now_ns + INTERVAL_NS);
}

void
title_start(struct title *t, struct uxs_server *server,
    const struct uxs_address *address)
{
	*t = (struct title){
		.server = server,
		.timer = { .on_expiry = on_expiry },
		.looked_ns = uxs_loop_now_ns(uxs_server_loop(server)),
	};
	uxs_address_print(address, t->where, sizeof(t->where));
	on_expiry(&t->timer);
}

void
title_stop(struct title *t)
{
	if (t->server != NULL)
		uxs_timer_stop(uxs_server_loop(t->server), &t->timer);
	t->server = NULL;
}
