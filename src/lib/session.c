/* SPDX-License-Identifier: ISC */
/*
 * One connection: read once, let the service answer, send at once, keep only
 * what the client does not take.
 *
 * The state is assigned by enter() alone, and what to wait for is derived
 * from state and output by interest() alone, so neither can get out of step.
 * Nothing here returns an error upwards: a client's trouble ends that client.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client.h"
#include "reaper.h"
#include "wire.h"

static struct uxs_stats_of_type *
stats_of(const struct session *s)
{
	return &s->context->stats->of[s->client.type];
}

static bool
is_packets(const struct session *s)
{
	return s->client.type != UXS_STREAM;
}

/* ---- state ---- */

static void
enter(struct session *s, enum session_state state, enum uxs_close reason)
{
	s->state = state;
	s->reason = reason;
}

static uint32_t
interest(const struct session *s)
{
	const size_t kept = output_bytes(&s->output);
	const uint32_t out = kept > 0 ? EPOLLOUT : 0;

	switch (s->state) {
	case SESSION_OPEN:
		return (kept < s->context->max_output ? EPOLLIN : 0) | out;
	case SESSION_ENDING:
		return EPOLLIN | out;
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
	return output_bytes(&s->output) > 0 ? s->context->write_timeout_ns :
					      s->context->idle_timeout_ns;
}

/* Deadlines move on with every message; the timer follows only when it fires
 * or must fire earlier, so that a message costs no tree operation. */
static void
rearm_timer(struct session *s)
{
	const int64_t timeout = timeout_ns(s);

	if (timeout == 0)
		uxs_timer_stop(s->context->loop, &s->timer);
	else if (!uxs_timer_is_started(&s->timer) ||
	    s->timer.deadline_ns > s->active_ns + timeout)
		uxs_timer_start(s->context->loop, &s->timer,
		    s->active_ns + timeout);
}

/* After anything that may have changed state or output. */
static void
rearm(struct session *s)
{
	if (s->state == SESSION_FLUSHING && output_bytes(&s->output) == 0)
		session_close(s, s->reason);
	if (s->state == SESSION_CLOSED)
		return;
	if (uxs_watch_start(s->context->loop, &s->watch, interest(s)) < 0) {
		session_close(s, UXS_CLOSE_ERROR);
		return;
	}
	rearm_timer(s);
}

static void
made_progress(struct session *s)
{
	s->active_ns = uxs_loop_now_ns(s->context->loop);
}

/* ---- output ---- */

/* The first packet, or this many bytes, are done with. */
static void
drop_first(struct session *s, size_t length)
{
	output_drop_first(&s->output, is_packets(s), length);
	uxs_ledger_release(s->context->ledger, s->client.peer.uid,
	    output_cost(length, is_packets(s)));
}

/* What is kept will never be read. */
static void
drop_output(struct session *s, enum uxs_drop reason)
{
	size_t length;

	while (output_bytes(&s->output) > 0) {
		output_first(&s->output, is_packets(s), &length);
		drop_first(s, length);
		stats_of(s)->dropped[reason]++;
	}
}

static enum wire_sent
send_once(struct session *s, const void *data, size_t length, size_t *n)
{
	const enum wire_sent sent = wire_send(s->watch.fd, data, length, n);

	stats_of(s)->sent_bytes += *n;
	return sent;
}

static void
output_is_gone(struct session *s)
{
	s->is_output_gone = true;
	s->reason = UXS_CLOSE_GONE;
	drop_output(s, UXS_DROP_GONE);
}

/* EPOLLOUT: send what was kept, once. */
static void
flush(struct session *s)
{
	size_t length, n;
	const void *first = output_first(&s->output, is_packets(s), &length);

	switch (send_once(s, first, length, &n)) {
	case WIRE_SENT:
		made_progress(s);
		drop_first(s, n);
		break;
	case WIRE_BLOCKED:
		break;
	case WIRE_GONE:
		output_is_gone(s);
		break;
	case WIRE_UNSENDABLE:
		drop_first(s, length);
		stats_of(s)->dropped[UXS_DROP_TOO_LONG]++;
		break;
	}
}

static int
hold(struct session *s, const void *data, size_t length)
{
	struct uxs_ledger *ledger = s->context->ledger;
	const uid_t uid = s->client.peer.uid;
	const size_t cost = output_cost(length, is_packets(s));
	int r;

	if (uxs_ledger_hold(ledger, uid, cost) != UXS_ADMITTED)
		return -ENOMEM;
	r = output_keep(&s->output, data, length, is_packets(s),
	    s->context->max_output);
	if (r < 0)
		uxs_ledger_release(ledger, uid, cost);
	return r;
}

static int
keep(struct session *s, const void *data, size_t length)
{
	/* The write timeout runs from when there is something to read. */
	if (output_bytes(&s->output) == 0)
		made_progress(s);
	if (hold(s, data, length) < 0) {
		session_close(s, UXS_CLOSE_MEMORY);
		return -ENOMEM;
	}
	stats_of(s)->sent_messages++;
	rearm(s); /* another client's message may have brought us here */
	return UXS_REPLY_ACCEPTED;
}

static int
dropped(struct session *s, enum uxs_drop reason)
{
	stats_of(s)->dropped[reason]++;
	return UXS_REPLY_DROPPED;
}

static int
session_reply(struct uxs_client *client, const void *data, size_t length)
{
	struct session *s = uxs_container_of(client, struct session, client);
	size_t n;

	if (s->state == SESSION_CLOSED || s->is_output_gone)
		return dropped(s, UXS_DROP_GONE);
	if (!is_packets(s) && length == 0)
		return UXS_REPLY_ACCEPTED; /* a stream has no empty message */
	if (output_bytes(&s->output) > 0) /* behind what is kept */
		return keep(s, data, length);
	switch (send_once(s, data, length, &n)) {
	case WIRE_SENT:
		if (n < length)
			return keep(s, (const char *)data + n, length - n);
		stats_of(s)->sent_messages++;
		return UXS_REPLY_ACCEPTED;
	case WIRE_BLOCKED:
		return keep(s, data, length);
	case WIRE_GONE:
		output_is_gone(s);
		return dropped(s, UXS_DROP_GONE);
	case WIRE_UNSENDABLE:
		break;
	}
	return dropped(s, UXS_DROP_TOO_LONG);
}

/* ---- input ---- */

/* Nothing more is wanted: the input ends behind what is already there. */
static void
end(struct session *s, enum uxs_close reason)
{
	if (s->state != SESSION_OPEN)
		return;
	enter(s, SESSION_ENDING, reason);
	shutdown(s->watch.fd, SHUT_RD);
}

static int
session_refuse(struct uxs_client *client, const char *text)
{
	struct session *s = uxs_container_of(client, struct session, client);
	int r = session_reply(client, text, strlen(text));

	end(s, UXS_CLOSE_REFUSED);
	return r;
}

static const struct uxs_client_ops session_ops = {
	.reply = session_reply,
	.refuse = session_refuse,
};

static void
on_end_of_input(struct session *s)
{
	enter(s, SESSION_FLUSHING, s->reason);
}

static void
on_input(struct session *s, const char *data, size_t length)
{
	const struct uxs_message message = { .data = data, .length = length };
	const struct uxs_service *service = s->context->service;

	made_progress(s);
	if (s->state == SESSION_ENDING)
		return;
	stats_of(s)->received_bytes += length;
	stats_of(s)->received_messages++;
	if (service->on_message(&s->client, &message, service->arg) < 0 &&
	    s->state != SESSION_CLOSED) {
		stats_of(s)->dropped[UXS_DROP_ERROR]++;
		end(s, UXS_CLOSE_ERROR);
	}
}

static void
on_too_long(struct session *s)
{
	made_progress(s);
	stats_of(s)->dropped[UXS_DROP_TOO_LONG]++;
	end(s, UXS_CLOSE_TOO_LONG);
}

/* Never more than could be kept if the client took nothing of the answer;
 * what is thrown away needs no such room. */
static size_t
stream_size(const struct session *s)
{
	const size_t room = s->context->max_output - output_bytes(&s->output);

	if (s->state == SESSION_ENDING || room > s->context->buffer_size)
		return s->context->buffer_size;
	return room;
}

static enum wire_received
receive_once(struct session *s, size_t *n)
{
	char *buffer = s->context->buffer;

	const size_t size = is_packets(s) ? s->context->max_message :
					    stream_size(s);

	if (s->context->reaper != NULL)
		return wire_receive_passed(s->watch.fd, buffer, size,
		    is_packets(s), s->context->reaper, n);
	if (is_packets(s))
		return wire_receive_packet(s->watch.fd, buffer, size, n);
	return wire_receive_stream(s->watch.fd, buffer, size, n);
}

static void
read_once(struct session *s)
{
	size_t n;

	switch (receive_once(s, &n)) {
	case WIRE_RECEIVED:
		on_input(s, s->context->buffer, n);
		break;
	case WIRE_NOTHING:
		break;
	case WIRE_END:
		on_end_of_input(s);
		break;
	case WIRE_RESET:
		output_is_gone(s);
		break;
	case WIRE_TOO_LONG:
		on_too_long(s);
		break;
	case WIRE_LOST:
		session_close(s, UXS_CLOSE_LOST_DESCRIPTORS);
		break;
	case WIRE_BROKEN:
		session_close(s, UXS_CLOSE_ERROR);
		break;
	}
}

/* ---- events ---- */

static bool
wants_input(const struct session *s)
{
	return (interest(s) & EPOLLIN) != 0;
}

/* One send and one receive at most: the next turn is for others. */
static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct session *s = uxs_container_of(watch, struct session, watch);

	/* EPOLLHUP and EPOLLERR come unasked, and mean: try, and see. */
	if (output_bytes(&s->output) > 0 && (events & ~EPOLLIN) != 0)
		flush(s);
	if (wants_input(s) && (events & ~EPOLLOUT) != 0)
		read_once(s);
	rearm(s);
}

static void
on_expiry(struct uxs_timer *timer)
{
	struct session *s = uxs_container_of(timer, struct session, timer);
	const int64_t timeout = timeout_ns(s);

	if (timeout != 0 &&
	    uxs_loop_now_ns(s->context->loop) - s->active_ns >= timeout)
		session_close(s,
		    output_bytes(&s->output) > 0 ? UXS_CLOSE_WRITE_TIMEOUT :
						   UXS_CLOSE_IDLE);
	else
		rearm_timer(s);
}

/* ---- life ---- */

static void
release(struct uxs_deferred *deferred)
{
	free(uxs_container_of(deferred, struct session, release));
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

int
session_open(struct session_context *context, int fd,
    const struct uxs_peer *peer, enum uxs_type type)
{
	const struct uxs_service *service = context->service;
	struct session *s = malloc(sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	*s = (struct session){
		.client = { .peer = *peer, .type = type, .ops = &session_ops },
		.context = context,
		.watch = { .fd = fd, .on_ready = on_ready },
		.timer = { .on_expiry = on_expiry },
		.release = { .on_turn_end = release },
	};
	set_options(fd, type);
	made_progress(s);
	/* Registered last but for the service, which may reply and so must
	 * find everything in place. */
	if ((r = uxs_watch_start(context->loop, &s->watch, EPOLLIN)) < 0) {
		free(s);
		return r;
	}
	LIST_INSERT_HEAD(&context->sessions, s, next);
	context->stats->of[type].connections++;
	if (service->on_open != NULL &&
	    service->on_open(&s->client, service->arg) < 0)
		end(s, UXS_CLOSE_REFUSED);
	if (context->is_draining)
		session_drain(s);
	rearm(s);
	return 0;
}

void
session_drain(struct session *s)
{
	if (s->state == SESSION_OPEN)
		shutdown(s->watch.fd, SHUT_RD);
}

void
session_close(struct session *s, enum uxs_close reason)
{
	struct session_context *context = s->context;

	if (s->state == SESSION_CLOSED)
		return;
	drop_output(s,
	    reason == UXS_CLOSE_WRITE_TIMEOUT ? UXS_DROP_FULL : UXS_DROP_GONE);
	enter(s, SESSION_CLOSED, reason);
	if (context->service->on_end != NULL)
		context->service->on_end(&s->client, context->service->arg);
	uxs_timer_stop(context->loop, &s->timer);
	uxs_watch_stop(context->loop, &s->watch);
	reaper_put(context->reaper, s->watch.fd);
	LIST_REMOVE(s, next);
	context->stats->of[s->client.type].connections--;
	context->stats->closed[reason]++;
	context->on_closed(context, s);
	uxs_loop_defer(context->loop, &s->release);
}
