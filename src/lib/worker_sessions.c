/* SPDX-License-Identifier: ISC */
/* The sessions of a worker, taken together; see worker_sessions.h. */
#include "worker_sessions.h"

#include <uxsrv/units.h>

#include "client.h"
#include "counter.h"
#include "reaper.h"

/* Who was silent for longer costs nothing where he is; arbitrary. */
#define RECENT_NS UXS_NS_PER_S

static void
leave(struct worker *w)
{
	counter_add(&w->n_left, 1);
	w->on_left(w);
}

void
worker_sessions_closed(struct session_context *context)
{
	leave(uxs_container_of(context, struct worker, sessions));
}

/* A session that cannot begin here: what the door would do, had it known. */
static void
refuse(struct worker *w, struct session *session)
{
	const struct uxs_peer *peer = &session->client.peer;
	const enum uxs_type type = session->client.type;

	counter_add(&w->stats.of[type].refused[UXS_REFUSAL_DESCRIPTORS], 1);
	uxs_ledger_leave(w->sessions.ledger, peer->uid);
	reaper_put(w->sessions.reaper, session->watch.fd);
	client_log(w->sessions.log, &w->loop, UXS_NOTICE, UXS_EVENT_REFUSED,
	    type, "refused", uxs_refusal_name(UXS_REFUSAL_DESCRIPTORS), peer);
	session_free(session);
	leave(w);
}

void
worker_sessions_begin(struct worker *w, struct sessions *sessions)
{
	struct session *session;

	while ((session = LIST_FIRST(sessions)) != NULL) {
		LIST_REMOVE(session, next);
		if (session_begin(session) < 0)
			refuse(w, session);
	}
}

void
worker_sessions_join(struct worker *w, struct sessions *sessions)
{
	struct session *session;

	while ((session = LIST_FIRST(sessions)) != NULL) {
		LIST_REMOVE(session, next);
		session_join(session, &w->sessions);
	}
}

static bool
is_to_move(const struct worker *w, const struct session *session)
{
	return session_can_move(session) &&
	    session->active_ns > uxs_loop_now_ns(&w->loop) - RECENT_NS;
}

void
worker_sessions_move(struct worker *w, const struct worker_move *move)
{
	struct sessions moving = LIST_HEAD_INITIALIZER(moving);
	struct session *session, *next;
	uint64_t n = 0;
	bool stays = move->is_half;

	LIST_FOREACH_SAFE (session, &w->sessions.sessions, next, next) {
		if (!is_to_move(w, session))
			continue;
		stays = move->is_half && !stays;
		if (stays)
			continue;
		session_leave(session);
		LIST_INSERT_HEAD(&moving, session, next);
		n++;
	}
	if (n == 0)
		return;
	counter_add(&w->n_moved_out, n);
	counter_add(&w->stats.moves, n);
	worker_receive(move->to, &moving, n);
}

void
worker_sessions_drain(struct worker *w)
{
	struct session *session;

	w->sessions.is_draining = true;
	LIST_FOREACH (session, &w->sessions.sessions, next)
		session_drain(session);
	takeovers_drain(&w->takeovers);
}

/* Sessions stay in memory until the turn is over, and so does the way on from
 * each. */
void
worker_sessions_judge(struct worker *w, const struct uxs_access *const *access)
{
	struct session *session, *next;

	LIST_FOREACH_SAFE (session, &w->sessions.sessions, next, next) {
		if (session->state != SESSION_CLOSED &&
		    !client_is_allowed(*access, &session->client.peer,
			session->watch.fd))
			session_close(session, UXS_CLOSE_RULES);
	}
	takeovers_judge(&w->takeovers, access);
}
