/* SPDX-License-Identifier: ISC */
/*
 * What comes back on a connection, and to which message it belongs: on a
 * stream to the oldest, since bytes keep their order; otherwise to the one
 * whose sequence number it carries.
 */
#include "connection.h"

#include <errno.h>
#include <sys/socket.h>

#include "options.h"

static void
complete(struct connection *c, struct slot *slot, int64_t now_ns)
{
	struct load *load = c->load;

	TAILQ_REMOVE(&c->busy, slot, entry);
	TAILQ_INSERT_HEAD(&c->idle, slot, entry);
	slot->is_busy = false;
	c->had_replies = true;
	if (slot->is_timed_out) {
		load->second.late++;
		return;
	}
	if (!slot->is_measured)
		return;
	load->second.received++;
	histogram_record(&load->second.response, now_ns - slot->intended_ns);
	if (pacer_is_open(&load->pacer))
		histogram_record(&load->second.service, now_ns - slot->sent_ns);
}

/* ---- streams ---- */

/* Take up to n bytes for the oldest message. Returns how many, 0 where more
 * came back than was sent. */
static size_t
take_bytes(struct connection *c, const unsigned char *bytes, size_t n,
    int64_t now_ns)
{
	struct load *load = c->load;
	struct slot *slot = TAILQ_FIRST(&c->busy);
	const size_t sent = slot == NULL ? 0 :
	    slot == c->sending           ? c->sent_bytes :
					   load->payload.size;

	if (slot == NULL || sent == c->received_bytes)
		return 0;
	if (n > sent - c->received_bytes)
		n = sent - c->received_bytes;
	if (load->options->verify && !c->is_corrupt &&
	    !payload_matches(&load->payload, slot->sequence, c->received_bytes,
		bytes, n)) {
		c->is_corrupt = true;
		load_count_corrupt(load, "bytes differ from those sent");
	}
	c->received_bytes += n;
	if (c->received_bytes == load->payload.size) {
		c->received_bytes = 0;
		c->is_corrupt = false;
		complete(c, slot, now_ns);
	}
	return n;
}

static void
take_stream(struct connection *c, size_t length, int64_t now_ns)
{
	size_t taken = 0, n;

	while (taken < length) {
		n = take_bytes(c, c->load->buffer + taken, length - taken,
		    now_ns);
		if (n == 0) {
			load_count_corrupt(c->load,
			    "more came back than was sent");
			return;
		}
		taken += n;
	}
}

/* ---- messages ---- */

/*
 * Which message is answered by this one? NULL where it is one that was given
 * up, or answered before. What carries no sequence number of ours answers the
 * oldest.
 */
static struct slot *
slot_of(struct connection *c, size_t length)
{
	const struct load *load = c->load;
	const int bits = payload_sequence_bits(&load->payload);
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	const uint64_t slot_mask = (UINT64_C(1) << load->slot_bits) - 1;
	uint64_t sequence;
	struct slot *slot;

	if (bits < load->slot_bits ||
	    !payload_read(&load->payload, load->buffer, length, &sequence) ||
	    (sequence & slot_mask) >= (uint64_t)load->options->depth)
		return TAILQ_FIRST(&c->busy);
	slot = &c->slots[sequence & slot_mask];
	if (slot->is_busy && (slot->sequence & mask) == sequence)
		return slot;
	/* A number that was never given out is no sequence number. */
	return sequence > (slot->sequence & mask) ? TAILQ_FIRST(&c->busy) :
						    NULL;
}

static void
take_message(struct connection *c, size_t length, int64_t now_ns)
{
	struct load *load = c->load;
	struct slot *slot = slot_of(c, length);

	if (slot == NULL) {
		load->second.late++;
		return;
	}
	if (load->options->verify &&
	    (length != load->payload.size ||
		!payload_matches(&load->payload, slot->sequence, 0,
		    load->buffer, length)))
		load_count_corrupt(load,
		    length != load->payload.size ?
			"it has another length than what was sent" :
			"bytes differ from those sent");
	complete(c, slot, now_ns);
}

/* ---- both ---- */

/* recv said 0: is it the end, or an empty message? */
static bool
is_end(const struct connection *c, uint32_t events)
{
	switch (c->load->target->address.type) {
	case UXS_STREAM:
	case UXS_TCP:
		return true;
	case UXS_SEQPACKET:
		return c->load->payload.size > 0 || (events & EPOLLHUP) != 0;
	case UXS_DGRAM:
	case UXS_UDP:
		return false;
	}
	return true;
}

static bool
receive_error(struct connection *c, int code)
{
	if (code == EAGAIN || code == EINTR)
		return false;
	/* A seqpacket socket reports the reset before the messages that it
	 * still has; they count. */
	if (code == ECONNRESET && c->reset_code == 0 &&
	    c->load->target->address.type == UXS_SEQPACKET) {
		c->reset_code = code;
		return true;
	}
	connection_break(c, code);
	return false;
}

/*
 * A full buffer; a late answer, with the right one perhaps behind it; or the
 * end, which is behind the last bytes and announced only once.
 */
static bool
may_have_more(const struct connection *c, size_t n, uint32_t events)
{
	if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		return true;
	return c->load->keeps_messages ? !TAILQ_EMPTY(&c->busy) :
					 n == c->load->buffer_bytes;
}

/* Returns whether there may be more that no edge will tell of. */
static bool
receive_once(struct connection *c, uint32_t events)
{
	struct load *load = c->load;
	const ssize_t n = recv(c->watch.fd, load->buffer, load->buffer_bytes,
	    load->keeps_messages ? MSG_TRUNC : 0);
	int64_t now_ns;
	bool is_more;

	if (n < 0)
		return receive_error(c, errno);
	if (n == 0 && is_end(c, events)) {
		connection_break(c, c->reset_code);
		return false;
	}
	now_ns = load_clock_ns();
	if (now_ns >= load->measure_from_ns)
		load->second.received_bytes += (size_t)n;
	if (load->keeps_messages)
		take_message(c, (size_t)n, now_ns);
	else
		take_stream(c, (size_t)n, now_ns);
	is_more = may_have_more(c, (size_t)n, events);
	if (load->options->reconnect && TAILQ_EMPTY(&c->busy)) {
		connection_close(c);
		is_more = false;
	}
	connection_feed(c, now_ns);
	return is_more && c->link.fd >= 0;
}

void
reply_receive(struct connection *c, uint32_t events)
{
	const bool is_edge = (c->watch.events & EPOLLET) != 0;

	while (receive_once(c, events) && is_edge)
		continue;
}
