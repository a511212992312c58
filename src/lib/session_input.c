/* SPDX-License-Identifier: ISC */
/* What comes in from a client: one receive, and the service is told. */
#include "session_parts.h"

#include "counter.h"
#include "wire.h"

/* r is what the service returned. */
static void
note_answer(struct session *s, int r)
{
	if (r >= 0 || s->state == SESSION_CLOSED)
		return;
	counter_add(&session_stats(s)->dropped[UXS_DROP_ERROR], 1);
	session_end(s, UXS_CLOSE_ERROR);
}

void
session_hand_over(struct session *s, const void *data, size_t length)
{
	const struct uxs_message message = { .data = data, .length = length };
	const struct uxs_service *service = s->context->service;

	counter_add(&session_stats(s)->received_messages, 1);
	if (s->fate != NULL && !session_begin_fate(s))
		return;
	note_answer(s, service->on_message(&s->client, &message, service->arg));
	if (s->fate != NULL)
		session_end_fate(s);
}

static void
end_of_input(struct session *s)
{
	const struct uxs_service *service = s->context->service;

	session_end_of_frames(s);
	if (s->state == SESSION_OPEN && service->on_eof != NULL)
		note_answer(s, service->on_eof(&s->client, service->arg));
	session_end_of_input(s);
}

static void
on_input(struct session *s, const char *data, size_t length)
{
	session_made_progress(s);
	if (s->state == SESSION_ENDING)
		return;
	counter_add(&session_stats(s)->received_bytes, length);
	if (s->client.framing == UXS_FRAMING_NONE)
		session_hand_over(s, data, length);
	else
		session_take_frames(s, data, length);
}

static void
on_too_long(struct session *s)
{
	session_made_progress(s);
	counter_add(&session_stats(s)->dropped[UXS_DROP_TOO_LONG], 1);
	session_end(s, UXS_CLOSE_TOO_LONG);
}

/* Never more than could be kept if the client took nothing of the answer;
 * what is thrown away needs no such room. */
static size_t
stream_size(const struct session *s)
{
	const size_t room = s->context->max_output - session_unread_bytes(s);

	if (s->state == SESSION_ENDING || room > s->context->buffer_size)
		return s->context->buffer_size;
	return room;
}

static size_t
fated_size(struct session *s, size_t size)
{
	const size_t reach = session_fate_reach(s);

	return s->state == SESSION_OPEN && reach < size ? reach : size;
}

static enum wire_received
receive_stream(struct session *s, size_t size, size_t *n)
{
	const enum wire_received received =
	    wire_receive_stream(s->watch.fd, s->context->buffer, size, n);

	if (received == WIRE_RECEIVED)
		session_note_read(s, *n, size);
	return received;
}

static enum wire_received
receive_once(struct session *s, size_t *n)
{
	char *buffer = s->context->buffer;
	const bool is_packet = session_is_packets(s);
	size_t size = is_packet ? s->context->max_message : stream_size(s);

	if (s->fate != NULL && !is_packet)
		size = fated_size(s, size);
	if (s->context->reaper != NULL)
		return wire_receive_passed(s->watch.fd, buffer, size,
		    !is_packet || s->may_end, s->context->reaper, n);
	if (!is_packet)
		return receive_stream(s, size, n);
	if (s->may_end)
		return wire_receive_last_packet(s->watch.fd, buffer, size, n);
	return wire_receive_packet(s->watch.fd, buffer, size, n);
}

void
session_read(struct session *s)
{
	const bool is_relayed = session_is_relayed(s);
	size_t n;

	if (s->fate != NULL && session_meets_reset(s))
		return;
	switch (is_relayed ? session_relay_in(s, &n) : receive_once(s, &n)) {
	case WIRE_RECEIVED:
		if (is_relayed)
			session_relay_out(s, n);
		else
			on_input(s, s->context->buffer, n);
		break;
	case WIRE_STARVED:
		session_pause(s);
		break;
	case WIRE_UNABLE: /* by copying, next turn */
	case WIRE_NOTHING:
		break;
	case WIRE_END:
		end_of_input(s);
		break;
	case WIRE_RESET:
		session_output_is_gone(s);
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
