/* SPDX-License-Identifier: ISC */
/*
 * One connection: when it is looked at, and how it ends. What comes in and
 * what goes out have rooms of their own.
 *
 * The state is assigned by enter() alone, and what to wait for is derived
 * from state and output by interest() alone, so neither can get out of step.
 * Nothing here returns an error upwards: a client's trouble ends that client.
 */
#include "session.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <uxsrv/units.h>

#include "client.h"
#include "counter.h"
#include "inet.h"
#include "reaper.h"
#include "session_parts.h"

/* While the kernel has no memory; arbitrary, and short for a client. */
#define PAUSE_NS (50 * UXS_NS_PER_MS)

struct uxs_stats_of_type *
session_stats(const struct session *s)
{
	return &s->context->stats->of[s->client.type];
}

bool
session_is_packets(const struct session *s)
{
	return s->client.type == UXS_SEQPACKET;
}

static void
tell(const struct session *s, const char *what, const char *why)
{
	client_log(s->context->log, s->context->loop, UXS_INFO,
	    UXS_EVENT_SESSION, s->client.type, what, why, &s->client.peer);
}

/* ---- state ---- */

static void
enter(struct session *s, enum session_state state, enum uxs_close reason)
{
	s->state = state;
	s->reason = reason;
}

/* Who has input that was received already waits for its turn in the same way,
 * since all of it can be answered at most when the client reads. */
static bool
must_read(const struct session *s)
{
	return output_bytes(&s->output) > 0 || session_has_rest(s);
}

static bool
may_speak(const struct session *s)
{
	return session_unread_bytes(s) < s->context->max_output &&
	    !session_has_rest(s);
}

/* Of what it must read, is there something that it can? What was received and
 * waits for answers that are delayed, waits for their time. */
static bool
can_read(const struct session *s)
{
	return output_bytes(&s->output) > 0 ||
	    session_unread_bytes(s) < s->context->max_output;
}

/* That the client has gone, and no more, since what it sends is not read; who
 * sends no more may still wait for what never comes. Over TCP the end of what
 * is sent is all that there is to see. */
static uint32_t
departure(const struct session *s)
{
	return uxs_type_is_loopback(s->client.type) ? EPOLLRDHUP : EPOLLHUP;
}

static uint32_t
interest(const struct session *s)
{
	const uint32_t in = session_is_packets(s) ? EPOLLIN | EPOLLRDHUP :
						    EPOLLIN;
	const uint32_t out = must_read(s) && can_read(s) ? EPOLLOUT : 0;

	if (s->is_paused)
		return 0;
	switch (s->state) {
	case SESSION_OPEN:
		return (may_speak(s) ? in : 0) | out;
	case SESSION_STALLED:
		return departure(s) | out;
	case SESSION_ENDING:
		return in | out;
	case SESSION_FLUSHING:
		return out;
	case SESSION_CLOSED:
		return 0;
	}
	return 0;
}

/* A client that has output to read must read, any other must speak. */
static int64_t
timeout_ns(const struct session *s)
{
	return must_read(s) ? s->context->write_timeout_ns :
			      s->context->idle_timeout_ns;
}

static void
wake_by(struct session *s, int64_t deadline_ns)
{
	if (!uxs_timer_is_started(&s->timer) ||
	    s->timer.deadline_ns > deadline_ns)
		uxs_timer_start(s->context->loop, &s->timer, deadline_ns);
}

/* Deadlines move on with every message; the timer follows only when it fires
 * or must fire earlier, so that a message costs no tree operation. */
static void
rearm_timer(struct session *s)
{
	const int64_t timeout = timeout_ns(s);

	if (timeout != 0)
		wake_by(s, s->active_ns + timeout);
	else if (!s->is_paused)
		uxs_timer_stop(s->context->loop, &s->timer);
}

/* After anything that may have changed state or output. */
void
session_rearm(struct session *s)
{
	if (s->state == SESSION_FLUSHING && session_unread_bytes(s) == 0)
		session_close(s, s->reason);
	if (s->state == SESSION_CLOSED)
		return;
	if (uxs_watch_start(s->context->loop, &s->watch, interest(s)) < 0) {
		session_close(s, UXS_CLOSE_ERROR);
		return;
	}
	rearm_timer(s);
}

void
session_made_progress(struct session *s)
{
	s->active_ns = uxs_loop_now_ns(s->context->loop);
}

void
session_pause(struct session *s)
{
	s->is_paused = true;
	wake_by(s, uxs_loop_now_ns(s->context->loop) + PAUSE_NS);
}

/* Not from here, where somebody may be walking along all sessions. */
static void
leave_stall(struct session *s, enum uxs_close reason)
{
	enter(s, SESSION_FLUSHING, reason);
	session_wake_fate(s);
}

/* Nothing more is wanted: the input ends behind what is already there. */
void
session_end(struct session *s, enum uxs_close reason)
{
	if (s->state == SESSION_STALLED)
		leave_stall(s, reason);
	if (s->state != SESSION_OPEN)
		return;
	enter(s, SESSION_ENDING, reason);
	shutdown(s->watch.fd, SHUT_RD);
}

void
session_end_of_input(struct session *s)
{
	if (s->state == SESSION_CLOSED) /* by the last answer */
		return;
	enter(s, SESSION_FLUSHING, s->reason);
}

void
session_stall(struct session *s)
{
	enter(s, SESSION_STALLED, s->reason);
}

void
session_reset(struct session *s)
{
	s->is_reset = true;
	enter(s, SESSION_FLUSHING, UXS_CLOSE_FAULT);
}

/* ---- events ---- */

static bool
wants_input(const struct session *s)
{
	return (interest(s) & EPOLLIN) != 0;
}

/* From now on a receive of 0 may be the end, and not an empty packet. */
static void
expect_end(struct session *s)
{
	const int on = 1;

	s->may_end = true;
	setsockopt(s->watch.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

/* One send and one receive at most: the next turn is for others. */
static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct session *s = uxs_container_of(watch, struct session, watch);

	if (session_is_packets(s) && !s->may_end &&
	    (events & ~(uint32_t)(EPOLLIN | EPOLLOUT)) != 0)
		expect_end(s);
	/* EPOLLHUP and EPOLLERR come unasked, and mean: try, and see. */
	if (output_bytes(&s->output) > 0 && (events & ~EPOLLIN) != 0)
		session_flush(s);
	if (s->state == SESSION_STALLED && (events & ~EPOLLOUT) != 0)
		session_close(s, UXS_CLOSE_GONE);
	else if (session_has_rest(s) && (events & ~EPOLLIN) != 0)
		session_take_rest(s);
	else if (wants_input(s) && (events & ~EPOLLOUT) != 0)
		session_read(s);
	session_rearm(s);
}

/* It is for the service to say whether silence is a reason to part. */
static bool
may_be_silent(struct session *s)
{
	const struct uxs_service *service = s->context->service;

	if (s->state != SESSION_OPEN || service->on_idle == NULL ||
	    service->on_idle(&s->client, service->arg) < 0)
		return false;
	session_made_progress(s);
	return true;
}

static void
on_timeout(struct session *s)
{
	if (output_bytes(&s->output) == 0 && s->delayed_bytes > 0) {
		session_made_progress(s); /* it is for us to go on */
		session_rearm(s);
	} else if (must_read(s))
		session_close(s, UXS_CLOSE_WRITE_TIMEOUT);
	else if (may_be_silent(s))
		session_rearm(s);
	else
		session_close(s, UXS_CLOSE_IDLE);
}

static void
on_expiry(struct uxs_timer *timer)
{
	struct session *s = uxs_container_of(timer, struct session, timer);
	const int64_t timeout = timeout_ns(s);

	s->is_paused = false;
	if (timeout != 0 &&
	    uxs_loop_now_ns(s->context->loop) - s->active_ns >= timeout)
		on_timeout(s);
	else
		session_rearm(s);
}

/* ---- life ---- */

static void
release(struct uxs_deferred *deferred)
{
	struct session *s = uxs_container_of(deferred, struct session, release);

	session_free_frames(s);
	session_free(s);
}

/* An urgent byte (MSG_OOB) is a byte of the stream like any other: without
 * this it would be missing from what we read. Not inherited on accept. */
static void
set_options(int fd, enum uxs_type type)
{
	const int on = 1;

	if (type == UXS_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

struct session *
session_new(struct session_context *context, int fd,
    const struct uxs_peer *peer, enum uxs_type type)
{
	struct session *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct session){
		.client = {
			.peer = *peer,
			.type = type,
			.framing = type == UXS_SEQPACKET ? UXS_FRAMING_NONE :
							   context->framing,
			.ops = &session_ops,
		},
		.context = context,
		.watch = { .fd = fd, .on_ready = on_ready },
		.timer = { .on_expiry = on_expiry },
		.release = { .on_turn_end = release },
	};
	if (context->fates != NULL &&
	    session_fate_new(s, context->fates, ++*context->n_fated) < 0) {
		free(s);
		return NULL;
	}
	set_options(fd, type);
	return s;
}

void
session_free(struct session *s)
{
	session_fate_free(s);
	free(s);
}

int
session_begin(struct session *s)
{
	struct session_context *context = s->context;
	const struct uxs_service *service = context->service;
	int r;

	session_made_progress(s);
	/* Registered last but for the service, which may reply and so must
	 * find everything in place. */
	if ((r = uxs_watch_start(context->loop, &s->watch, interest(s))) < 0)
		return r;
	LIST_INSERT_HEAD(&context->sessions, s, next);
	counter_add(&session_stats(s)->connections, 1);
	counter_add(&session_stats(s)->accepted, 1);
	tell(s, "opened", NULL);
	if (service->on_open != NULL &&
	    service->on_open(&s->client, service->arg) < 0)
		session_end(s, UXS_CLOSE_REFUSED);
	if (context->is_draining)
		session_drain(s);
	session_rearm(s);
	return 0;
}

/* Who was here first, the client's end of input or ours? */
static bool
has_client_ended(const struct session *s)
{
	struct pollfd now = { .fd = s->watch.fd, .events = POLLRDHUP };

	return poll(&now, 1, 0) == 1;
}

void
session_drain(struct session *s)
{
	if (s->state == SESSION_STALLED)
		leave_stall(s, UXS_CLOSE_FAULT);
	if (s->state != SESSION_OPEN)
		return;
	if (s->client.framing != UXS_FRAMING_NONE)
		s->is_cut = !has_client_ended(s);
	shutdown(s->watch.fd, SHUT_RD);
}

void
session_close(struct session *s, enum uxs_close reason)
{
	struct session_context *context = s->context;

	if (s->state == SESSION_CLOSED)
		return;
	session_drop_output(s,
	    reason == UXS_CLOSE_WRITE_TIMEOUT ? UXS_DROP_FULL : UXS_DROP_GONE);
	session_drop_delays(s);
	session_forget_frames(s);
	enter(s, SESSION_CLOSED, reason);
	if (context->service->on_end != NULL)
		context->service->on_end(&s->client, context->service->arg);
	uxs_timer_stop(context->loop, &s->timer);
	uxs_watch_stop(context->loop, &s->watch);
	LIST_REMOVE(s, next);
	/* Before the client sees the end: who comes back finds his place free,
	 * and himself counted. */
	uxs_ledger_leave(context->ledger, s->client.peer.uid);
	counter_take(&session_stats(s)->connections, 1);
	counter_add(&context->stats->closed[reason], 1);
	if (uxs_type_is_loopback(s->client.type) && !s->is_reset)
		inet_finish(s->watch.fd);
	reaper_put(context->reaper, s->watch.fd);
	tell(s, "closed", uxs_close_name(reason));
	uxs_loop_defer(context->loop, &s->release);
	context->on_closed(context);
}
