/* SPDX-License-Identifier: ISC */
/*
 * How a server ends: told by a signal, by another thread, or by a door that is
 * of no use any more; drained, left to a successor, or stopped at once.
 */
#include "server_parts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <uxsrv/handover.h>
#include <uxsrv/notify.h>

/* ---- the end ---- */

static void
stop_if_drained(struct uxs_server *s)
{
	if ((s->state == SERVER_DRAINING || s->state == SERVER_LEAVING) &&
	    doors_have_ended(&s->doors) && crew_is_idle(&s->crew))
		uxs_loop_stop(server_loop(s));
}

/* Who is cut off is counted before anybody reads the figures. Returns 0, or a
 * negative errno where a loop in another thread had failed. */
int
server_end(struct uxs_server *s)
{
	const int r = crew_stop(&s->crew);

	crew_close_sessions(&s->crew);
	return r;
}

static void
on_drain_over(struct uxs_timer *timer)
{
	struct uxs_server *s =
	    uxs_container_of(timer, struct uxs_server, drain_timer);

	if (s->state == SERVER_LEAVING) {
		uxs_server_drain(s);
		return;
	}
	server_say(s, UXS_WARNING,
	    "the drain time is over; closing the sessions that are left");
	uxs_server_stop(s);
}

static void
start_drain_timer(struct uxs_server *s)
{
	uxs_timer_start(server_loop(s), &s->drain_timer,
	    uxs_loop_now_ns(server_loop(s)) + s->conf.drain_ns);
}

void
uxs_server_drain(struct uxs_server *s)
{
	if (server_is_elsewhere(s)) {
		s->is_drain_wanted = true;
		worker_wake(crew_first(&s->crew));
		return;
	}
	if (s->state != SERVER_SERVING && s->state != SERVER_LEAVING)
		return;
	s->state = SERVER_DRAINING;
	if (s->conf.notify != NULL)
		uxs_notify_send(s->conf.notify, "STOPPING=1");
	server_say(s, UXS_NOTICE, "draining: no new clients");
	start_drain_timer(s);
	doors_drain(&s->doors);
	crew_drain(&s->crew);
	stop_if_drained(s);
}

int
uxs_server_leave(struct uxs_server *s, const bool *is_taken)
{
	if (s->state != SERVER_SERVING)
		return -EALREADY;
	s->state = SERVER_LEAVING;
	if (s->conf.notify != NULL)
		uxs_notify_stop(s->conf.notify);
	s->conf.notify = NULL;
	start_drain_timer(s);
	doors_leave(&s->doors, is_taken);
	crew_leave(&s->crew);
	stop_if_drained(s);
	return 0;
}

int
uxs_server_hand_out(const struct uxs_server *s, struct uxs_handover *handover,
    struct uxs_error *why)
{
	const int r = doors_hand_out(&s->doors, &s->conf, handover);

	if (r == 0)
		return 0;
	uxs_handover_close(handover);
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
	    "cannot hand out the sockets: %s", strerror(-r));
}

void
uxs_server_stop(struct uxs_server *s)
{
	if (server_is_elsewhere(s)) {
		s->is_stop_wanted = true;
		worker_wake(crew_first(&s->crew));
		return;
	}
	s->state = SERVER_STOPPED;
	uxs_loop_stop(server_loop(s));
}

/* ---- what doors and sessions tell ---- */

static struct uxs_server *
server_of(struct door_context *context)
{
	return uxs_container_of(context, struct uxs_server, doors.context);
}

static void
on_door_ended(struct door_context *context)
{
	stop_if_drained(server_of(context));
}

/* A listening socket that fails is not a client's doing: stop in order. */
static void
on_door_broken(struct door_context *context, int r)
{
	struct uxs_server *s = server_of(context);

	uxs_log_print(s->conf.log, UXS_ERROR, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(server_loop(s)), "cannot accept: %s", strerror(-r));
	uxs_server_drain(s);
}

/* Perhaps somebody else is to have the address now. */
static void
on_lost(struct door_context *context, const struct uxs_error *why)
{
	struct uxs_server *s = server_of(context);

	s->is_lost = true;
	s->lost_why = *why;
	uxs_server_drain(s);
}

static void
on_someone_left(struct uxs_server *s)
{
	doors_left(&s->doors);
	stop_if_drained(s);
}

/* In the thread of that loop. Another is told only when it waits for it. */
static void
on_left(struct worker *w)
{
	struct uxs_server *s = w->arg;

	if (w == crew_first(&s->crew))
		on_someone_left(s);
	else if (doors_are_short(&s->doors) ||
	    ((w->sessions.is_draining || w->is_leaving) && worker_load(w) == 0))
		worker_wake(crew_first(&s->crew));
}

static void
on_loop_failed(struct worker *w)
{
	struct uxs_server *s = w->arg;

	worker_wake(crew_first(&s->crew));
}

/* Somebody in another thread has news, or a wish. */
static void
on_wake(struct worker *w)
{
	struct uxs_server *s = w->arg;

	if (s->is_stop_wanted || crew_has_failed(&s->crew))
		uxs_server_stop(s);
	else if (s->is_drain_wanted)
		uxs_server_drain(s);
	on_someone_left(s);
}

static int
on_admitted(struct door_context *context, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	return crew_admit(&server_of(context)->crew, fd, peer, type);
}

/* ---- signals ---- */

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct uxs_server *s =
	    uxs_container_of(signals, struct uxs_server, signals);

	if (number != SIGTERM && number != SIGINT) {
		s->conf.on_signal(number, s->conf.arg);
	} else if (s->state == SERVER_SERVING || s->state == SERVER_LEAVING) {
		uxs_server_drain(s);
	} else {
		server_say(s, UXS_NOTICE, "told twice: stopping at once");
		uxs_server_stop(s);
	}
}

int
server_start_signals(struct uxs_server *s, struct uxs_error *why)
{
	sigset_t set;
	int r;

	if (!s->conf.handle_signals)
		return 0;
	if (s->conf.extra_signals != NULL && s->conf.on_signal != NULL)
		set = *s->conf.extra_signals;
	else
		sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	s->signals.on_signal = on_signal;
	if ((r = uxs_signals_start(server_loop(s), &s->signals, &set)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot receive signals: %s", strerror(-r));
	s->has_signals = true;
	return 0;
}

/* ---- who tells whom ---- */

void
server_listen(struct uxs_server *s, struct crew_owner *owner)
{
	*owner = (struct crew_owner){
		.on_left = on_left,
		.on_wake = on_wake,
		.on_failed = on_loop_failed,
		.arg = s,
	};
	s->doors.context.on_admitted = on_admitted;
	s->doors.context.on_ended = on_door_ended;
	s->doors.context.on_lost = on_lost;
	s->doors.context.on_broken = on_door_broken;
	s->drain_timer.on_expiry = on_drain_over;
}
