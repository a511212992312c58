/* SPDX-License-Identifier: ISC */
#ifndef UXS_SERVER_PARTS_H
#define UXS_SERVER_PARTS_H

#include <uxsrv/server.h>

#include <pthread.h>
#include <stdatomic.h>

#include <uxsrv/error.h>
#include <uxsrv/ledger.h>

#include "crew.h"
#include "doors.h"

/*
 * How the rooms of a server talk to each other; for nobody else. server.c
 * puts it together and runs it, server_stop.c is about its end.
 */

/*
 *	SERVING ──► DRAINING ──► STOPPED
 *	   └─► LEAVING ─┘
 *
 * Who leaves lets nobody in, as a successor does, and his sessions go on; who
 * drains asks them to end.
 */
enum server_state {
	SERVER_SERVING,
	SERVER_LEAVING,
	SERVER_DRAINING,
	SERVER_STOPPED,
};

struct uxs_server {
	struct uxs_server_conf conf;
	struct uxs_access default_access;
	enum server_state state;
	struct uxs_signals signals;
	bool has_signals;
	bool is_ready_told;
	bool is_lost;
	struct uxs_error lost_why;
	struct uxs_ledger ledger;
	struct doors doors;
	struct uxs_timer drain_timer;
	/* The first one's loop has the doors, the signals and the timer. */
	struct crew crew;
	pthread_t thread; /* of that loop */
	/* What other threads ask of it. */
	atomic_bool is_drain_wanted, is_stop_wanted;
};

static inline struct uxs_loop *
server_loop(struct uxs_server *server)
{
	return &crew_first(&server->crew)->loop;
}

/* What another thread wants is a wish; that loop is told. */
static inline bool
server_is_elsewhere(const struct uxs_server *server)
{
	return server->crew.n > 1 &&
	    !pthread_equal(server->thread, pthread_self());
}

void server_say(struct uxs_server *server, enum uxs_level level,
    const char *text);

/* ---- server_stop.c ---- */

/* What doors, workers and the drain time have to tell is told to it; *owner is
 * for the workers. */
void server_listen(struct uxs_server *server, struct crew_owner *owner);

/* SIGTERM and SIGINT end it, where it is to handle signals. Returns 0, or a
 * negative errno with *why. */
int server_start_signals(struct uxs_server *server, struct uxs_error *why);

/* Join the threads, and close the sessions that are left: the figures are
 * final. Returns 0, or the negative errno of a loop that failed. */
int server_end(struct uxs_server *server);

#endif
