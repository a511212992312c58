/* SPDX-License-Identifier: ISC */
/* The sessions of a worker, taken together; see worker_sessions.h. */
#include "worker_sessions.h"

#include "client.h"
#include "counter.h"
#include "reaper.h"

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
