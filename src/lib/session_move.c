/* SPDX-License-Identifier: ISC */
/*
 * From one loop to another. Between two turns nothing of a session is under
 * way, so what goes along is the session itself: whatever the kernel has for
 * it is level-triggered, and tells the other loop as well.
 */
#include "session_parts.h"

/* Who is not in this state has reasons to be looked at that the loop keeps. */
bool
session_can_move(const struct session *s)
{
	return s->state == SESSION_OPEN && !s->context->is_draining &&
	    !s->is_paused && s->fate == NULL && output_bytes(&s->output) == 0 &&
	    !session_has_rest(s);
}

void
session_leave(struct session *s)
{
	uxs_timer_stop(s->context->loop, &s->timer);
	uxs_watch_stop(s->context->loop, &s->watch);
	LIST_REMOVE(s, next);
	s->context = NULL;
}

void
session_join(struct session *s, struct session_context *context)
{
	s->context = context;
	LIST_INSERT_HEAD(&context->sessions, s, next);
	if (context->is_draining)
		session_drain(s);
	session_rearm(s);
}
