/* SPDX-License-Identifier: ISC */
/*
 * What goes out to a client: a reply is sent at once, and only what the client
 * does not take of it is kept.
 */
#include "session_parts.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "client.h"
#include "counter.h"
#include "wire.h"

/* The first packet, or this many bytes, are done with. */
static void
drop_first(struct session *s, size_t length)
{
	output_drop_first(&s->output, session_is_packets(s), length);
	uxs_ledger_release(s->context->ledger, s->client.peer.uid,
	    output_cost(length, session_is_packets(s)));
}

/* What is kept will never be read. */
void
session_drop_output(struct session *s, enum uxs_drop reason)
{
	size_t length;

	while (output_bytes(&s->output) > 0) {
		output_first(&s->output, session_is_packets(s), &length);
		drop_first(s, length);
		counter_add(&session_stats(s)->dropped[reason], 1);
	}
}

static enum wire_sent
send_once(struct session *s, const void *data, size_t length, size_t *n)
{
	const enum wire_sent sent = wire_send(s->watch.fd, data, length, n);

	counter_add(&session_stats(s)->sent_bytes, *n);
	return sent;
}

void
session_output_is_gone(struct session *s)
{
	s->is_output_gone = true;
	s->reason = UXS_CLOSE_GONE;
	session_drop_output(s, UXS_DROP_GONE);
	session_drop_delays(s);
}

/* EPOLLOUT: send what was kept, once. */
void
session_flush(struct session *s)
{
	size_t length, n;
	const void *first =
	    output_first(&s->output, session_is_packets(s), &length);

	switch (send_once(s, first, length, &n)) {
	case WIRE_SENT:
		session_made_progress(s);
		drop_first(s, n);
		break;
	case WIRE_BLOCKED:
		break;
	case WIRE_CONGESTED:
		session_pause(s);
		break;
	case WIRE_GONE:
		session_output_is_gone(s);
		break;
	case WIRE_UNSENDABLE:
		drop_first(s, length);
		counter_add(&session_stats(s)->dropped[UXS_DROP_TOO_LONG], 1);
		break;
	}
}

static int
hold(struct session *s, const void *data, size_t length)
{
	struct uxs_ledger *ledger = s->context->ledger;
	const uid_t uid = s->client.peer.uid;
	const size_t cost = output_cost(length, session_is_packets(s));
	int r;

	if (uxs_ledger_hold(ledger, uid, cost) != UXS_ADMITTED)
		return -ENOMEM;
	r = output_keep(&s->output, data, length, session_is_packets(s),
	    s->context->max_output);
	if (r < 0)
		uxs_ledger_release(ledger, uid, cost);
	return r;
}

/* All but the first done bytes of these parts, of which done may be any. */
static int
hold_parts(struct session *s, const struct iovec *parts, size_t n_parts,
    size_t done)
{
	int r = 0;

	for (size_t i = 0; i < n_parts && r == 0; i++) {
		const size_t skip = done < parts[i].iov_len ? done :
							      parts[i].iov_len;

		done -= skip;
		if (skip < parts[i].iov_len)
			r = hold(s, (const char *)parts[i].iov_base + skip,
			    parts[i].iov_len - skip);
	}
	return r;
}

/* Returns what the reply comes to; r is what it came to to hold it. */
static int
kept(struct session *s, int r)
{
	if (r < 0) {
		session_close(s, UXS_CLOSE_MEMORY);
		return -ENOMEM;
	}
	if (s->is_corked)
		return UXS_REPLY_ACCEPTED;
	session_rearm(s); /* another client's message may have led here */
	return UXS_REPLY_ACCEPTED;
}

/* The write timeout runs from when there is something to read. */
static void
begin_to_keep(struct session *s)
{
	if (output_bytes(&s->output) == 0)
		session_made_progress(s);
}

static int
keep(struct session *s, const void *data, size_t length)
{
	begin_to_keep(s);
	return kept(s, hold(s, data, length));
}

/* An answer that is on its way is a message sent. */
static int
counted(struct session *s, int r)
{
	if (r == UXS_REPLY_ACCEPTED)
		counter_add(&session_stats(s)->sent_messages, 1);
	return r;
}

int
session_keep(struct session *s, const void *data, size_t length)
{
	return counted(s, keep(s, data, length));
}

static int
dropped(struct session *s, enum uxs_drop reason)
{
	counter_add(&session_stats(s)->dropped[reason], 1);
	return UXS_REPLY_DROPPED;
}

/* The message with its ends, without a copy where it can be sent at once. */
static int
reply_framed(struct session *s, const void *data, size_t length)
{
	struct uxs_frame_ends ends;
	size_t n = 0;

	if (uxs_frame_ends_fill(&ends, s->client.framing, length) < 0)
		return dropped(s, UXS_DROP_TOO_LONG);
	const struct iovec parts[] = {
		{ .iov_base = ends.head, .iov_len = ends.n_head },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = length },
		{ .iov_base = ends.tail, .iov_len = ends.n_tail },
	};

	if (output_bytes(&s->output) == 0 && !s->is_corked &&
	    wire_send_parts(s->watch.fd, parts, 3, &n) == WIRE_GONE) {
		session_output_is_gone(s);
		return dropped(s, UXS_DROP_GONE);
	}
	counter_add(&session_stats(s)->sent_bytes, n);
	if (n == ends.n_head + length + ends.n_tail)
		return counted(s, UXS_REPLY_ACCEPTED);
	begin_to_keep(s);
	return counted(s, kept(s, hold_parts(s, parts, 3, n)));
}

int
session_pass(struct session *s, const void *data, size_t length)
{
	size_t n;

	if (output_bytes(&s->output) > 0) /* behind what is kept */
		return keep(s, data, length);
	switch (send_once(s, data, length, &n)) {
	case WIRE_SENT:
		if (n < length)
			return keep(s, (const char *)data + n, length - n);
		return UXS_REPLY_ACCEPTED;
	case WIRE_CONGESTED:
		session_pause(s);
		return keep(s, data, length);
	case WIRE_BLOCKED:
		return keep(s, data, length);
	case WIRE_GONE:
		session_output_is_gone(s);
		return dropped(s, UXS_DROP_GONE);
	case WIRE_UNSENDABLE:
		break;
	}
	return dropped(s, UXS_DROP_TOO_LONG);
}

static int
session_reply(struct uxs_client *client, const void *data, size_t length)
{
	struct session *s = uxs_container_of(client, struct session, client);

	if (s->state == SESSION_CLOSED || s->is_output_gone)
		return dropped(s, UXS_DROP_GONE);
	if (s->fate != NULL)
		return session_reply_fated(s, data, length);
	if (s->client.framing != UXS_FRAMING_NONE)
		return reply_framed(s, data, length);
	if (!session_is_packets(s) && length == 0)
		return UXS_REPLY_ACCEPTED; /* a stream has no empty message */
	return counted(s, session_pass(s, data, length));
}

static int
session_tell(struct uxs_client *client, const void *data, size_t length)
{
	struct session *s = uxs_container_of(client, struct session, client);

	if (session_unread_bytes(s) >= s->context->max_output)
		return dropped(s, UXS_DROP_FULL);
	return session_reply(client, data, length);
}

static int
session_refuse(struct uxs_client *client, const char *text)
{
	struct session *s = uxs_container_of(client, struct session, client);
	int r = session_reply(client, text, strlen(text));

	session_end(s, UXS_CLOSE_REFUSED);
	return r;
}

static void
session_finish(struct uxs_client *client)
{
	struct session *s = uxs_container_of(client, struct session, client);

	session_end(s, UXS_CLOSE_DONE);
	session_rearm(s);
}

static int
session_descriptor(const struct uxs_client *client)
{
	const struct session *s =
	    uxs_container_of(client, struct session, client);

	return s->state == SESSION_CLOSED ? -1 : s->watch.fd;
}

const struct uxs_client_ops session_ops = {
	.reply = session_reply,
	.tell = session_tell,
	.refuse = session_refuse,
	.close = session_finish,
	.descriptor = session_descriptor,
};
