/* SPDX-License-Identifier: ISC */
/*
 * Bulk data for a service that does not look at it: what comes in goes out
 * again through the pipe of the loop.
 */
#include "session_parts.h"

#include "counter.h"
#include "relay.h"
#include "wire.h"

void
session_note_read(struct session *s, size_t n, size_t size)
{
	/* Passed descriptors would be closed by the pipe, on the spot. */
	if (s->client.type == UXS_STREAM && s->context->service->is_mirror &&
	    s->client.framing == UXS_FRAMING_NONE &&
	    s->context->reaper == NULL && s->fate == NULL)
		bulk_note(&s->bulk, n, size);
}

bool
session_is_relayed(struct session *s)
{
	/* Behind what is kept nothing may pass. */
	if (!bulk_is_on(&s->bulk) || s->state != SESSION_OPEN ||
	    s->is_output_gone || output_bytes(&s->output) > 0)
		return false;
	if (relay_open(&s->context->relay) < 0) {
		s->bulk.n_large = 0; /* ask again in a while */
		return false;
	}
	if (s->bulk.send_buffer == 0)
		s->bulk.send_buffer = relay_enlarge(s->watch.fd);
	return true;
}

enum wire_received
session_relay_in(struct session *s, size_t *n)
{
	const size_t size = bulk_size(&s->bulk, relay_unsent(s->watch.fd),
	    s->context->max_output);
	const enum wire_received received =
	    relay_receive(&s->context->relay, s->watch.fd, size, n);

	if (received == WIRE_RECEIVED)
		session_note_read(s, *n, size);
	else if (received == WIRE_UNABLE)
		s->bulk.n_large = 0;
	return received;
}

/* What is left in the pipe is copied, and kept. */
static void
keep_rest(struct session *s, size_t length)
{
	char *buffer = s->context->buffer;

	if (relay_read(&s->context->relay, buffer, length) < 0) {
		relay_close(&s->context->relay);
		session_close(s, UXS_CLOSE_ERROR);
		return;
	}
	session_keep(s, buffer, length);
}

/* A client who shuts his end down meanwhile leaves a splice(2) that is under
 * way short, like a full buffer. But there was room for all that cannot be
 * kept, so ask again: then it is told. */
static enum wire_sent
send_piped(struct session *s, size_t length, size_t *n)
{
	struct relay *relay = &s->context->relay;
	enum wire_sent sent = relay_send(relay, s->watch.fd, length, n);
	size_t more;

	if (sent == WIRE_SENT && length - *n > s->context->max_output) {
		sent = relay_send(relay, s->watch.fd, length - *n, &more);
		*n += more;
	}
	return sent;
}

void
session_relay_out(struct session *s, size_t length)
{
	struct uxs_stats_of_type *stats = session_stats(s);
	enum wire_sent sent;
	size_t n;

	session_made_progress(s);
	counter_add(&stats->received_bytes, length);
	counter_add(&stats->received_messages, 1);
	sent = send_piped(s, length, &n);
	counter_add(&stats->sent_bytes, n);
	if (sent == WIRE_CONGESTED)
		session_pause(s);
	if (sent == WIRE_GONE) {
		/* Nobody may find there what was for this one. */
		relay_close(&s->context->relay);
		session_output_is_gone(s);
		counter_add(&stats->dropped[UXS_DROP_GONE], 1);
	} else if (n < length) {
		keep_rest(s, length - n);
	} else {
		counter_add(&stats->sent_messages, 1);
	}
}
