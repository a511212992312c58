/* SPDX-License-Identifier: ISC */
/*
 * A connection's life and what it sends. What comes back is in reply.c.
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "line.h"
#include "options.h"

static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct connection *c =
	    uxs_container_of(watch, struct connection, watch);

	if (events & ~(uint32_t)EPOLLOUT)
		reply_receive(c, events);
	if (!(events & EPOLLOUT) || c->state != CONNECTION_STUCK)
		return;
	if (c->line != NULL)
		line_admit(c->load);
	else
		connection_resume(c);
}

void
connection_init(struct connection *c, struct load *load, struct slot *slots,
    size_t depth)
{
	*c = (struct connection){ .load = load, .slots = slots };
	c->link = (struct target_link)TARGET_LINK_CLOSED;
	TAILQ_INIT(&c->idle);
	TAILQ_INIT(&c->busy);
	for (size_t i = 0; i < depth; i++) {
		slots[i] = (struct slot){ .sequence = i };
		TAILQ_INSERT_TAIL(&c->idle, &slots[i], entry);
	}
}

/* ---- sending ---- */

/* The first byte is on its way: from now on there can be a reply. */
static void
mark_sent(struct connection *c, struct slot *slot, int64_t now_ns)
{
	struct load *load = c->load;

	slot->sent_ns = now_ns;
	slot->is_busy = true;
	slot->is_measured = now_ns >= load->measure_from_ns;
	TAILQ_INSERT_TAIL(&c->busy, slot, entry);
	if (slot->is_measured)
		load->second.sent++;
}

/* Returns 1 when all of it is sent, 0 when there is no room for (the rest
 * of) it, or a negative errno. */
static int
transmit(struct connection *c, int64_t now_ns)
{
	struct load *load = c->load;
	struct slot *slot = c->sending;
	ssize_t n;

	payload_stamp(&load->payload, slot->sequence);
	n = send(c->watch.fd, load->payload.bytes + c->sent_bytes,
	    load->payload.size - c->sent_bytes, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!slot->is_busy)
		mark_sent(c, slot, now_ns);
	if (slot->is_measured)
		load->second.sent_bytes += (size_t)n;
	c->sent_bytes += (size_t)n;
	return c->sent_bytes == load->payload.size;
}

static void
get_stuck(struct connection *c)
{
	int r;

	c->state = CONNECTION_STUCK;
	if (line_has_room(c->load)) {
		line_join_room(c);
		return;
	}
	r = uxs_watch_start(&c->load->loop, &c->watch,
	    c->load->interest | EPOLLOUT);
	if (r < 0)
		load_fail(c->load, r);
}

/* Send c->sending, or as much as there is room for. */
static void
push(struct connection *c, int64_t now_ns)
{
	int r = 0;

	/* Nobody overtakes those who wait for the same queue. */
	if (TAILQ_EMPTY(&c->load->room))
		r = transmit(c, now_ns);
	if (r < 0)
		connection_break(c, -r);
	else if (r == 0)
		get_stuck(c);
	else
		c->sending = NULL;
}

bool
connection_resume(struct connection *c)
{
	const int64_t now_ns = load_clock_ns();
	const int r = transmit(c, now_ns);

	if (r == 0)
		return false;
	if (r < 0) {
		connection_break(c, -r);
		return true;
	}
	line_leave(c);
	c->sending = NULL;
	c->state = CONNECTION_OPEN;
	uxs_watch_start(&c->load->loop, &c->watch, c->load->interest);
	connection_feed(c, now_ns);
	return true;
}

static void
take(struct connection *c, int64_t intended_ns)
{
	struct slot *slot = TAILQ_FIRST(&c->idle);

	TAILQ_REMOVE(&c->idle, slot, entry);
	slot->sequence += UINT64_C(1) << c->load->slot_bits;
	slot->intended_ns = intended_ns;
	slot->is_timed_out = false;
	c->sending = slot;
	c->sent_bytes = 0;
}

/* Could it take one more message? CLOSED is where --reconnect begins. */
static bool
is_free(const struct connection *c)
{
	return (c->state == CONNECTION_OPEN || c->state == CONNECTION_CLOSED) &&
	    c->sending == NULL && !TAILQ_EMPTY(&c->idle);
}

void
connection_feed(struct connection *c, int64_t now_ns)
{
	struct load *load = c->load;
	int64_t intended_ns;

	while (is_free(c) && pacer_take(&load->pacer, now_ns, &intended_ns)) {
		line_leave(c); /* idle no more */
		take(c, intended_ns);
		if (c->state == CONNECTION_CLOSED)
			connection_open(c);
		else
			push(c, now_ns);
		/* A batch takes time: the next one is sent later. */
		if (is_free(c))
			now_ns = load_clock_ns();
	}
	if (is_free(c) && c->line == NULL) {
		TAILQ_INSERT_TAIL(&load->idle, c, entry);
		c->line = &load->idle;
		load_arm_pace(load);
	}
}

/* ---- life ---- */

void
connection_adopt(struct connection *c, struct target_link *link)
{
	struct load *load = c->load;
	const bool is_bulk = load->options->bulk;
	int r;

	c->link = *link;
	*link = (struct target_link)TARGET_LINK_CLOSED;
	c->state = CONNECTION_OPEN;
	c->watch = (struct uxs_watch){
		.fd = c->link.fd,
		.on_ready = is_bulk ? bulk_on_ready : on_ready,
	};
	/* A bulk load always has something to send and to receive: it never
	 * has to change its mind. */
	r = uxs_watch_start(&load->loop, &c->watch,
	    is_bulk ? EPOLLIN | EPOLLOUT : load->interest);
	if (r < 0)
		load_fail(load, r);
}

int
connection_open(struct connection *c)
{
	struct target_link link = TARGET_LINK_CLOSED;
	const int r = target_connect(c->load->target, &link);

	if (r != TARGET_CONNECTED && c->state != CONNECTION_KNOCKING) {
		c->state = CONNECTION_KNOCKING;
		c->knocking_since_ns = load_clock_ns();
	}
	if (r != TARGET_CONNECTED &&
	    line_is_worth_waiting(c->load->options, r, c->knocking_since_ns))
		line_join_door(c);
	else if (r != TARGET_CONNECTED) {
		load_count_refused(c->load, r);
		connection_end(c);
	} else {
		connection_adopt(c, &link);
		if (c->sending != NULL)
			push(c, load_clock_ns());
		else if (c->load->is_running && !c->load->options->bulk)
			connection_feed(c, load_clock_ns());
	}
	return r;
}

void
connection_break(struct connection *c, int code)
{
	const bool is_hopeless = !c->had_replies;

	load_count_broken(c->load, code,
	    c->had_replies && !c->load->options->reconnect);
	connection_close(c);
	/* Perhaps another server is there by now, with a socket of its own. */
	target_unpin(c->load->target);
	if (is_hopeless) {
		connection_end(c);
		return;
	}
	c->state = CONNECTION_KNOCKING;
	c->knocking_since_ns = load_clock_ns();
	line_join_door(c);
}

void
connection_close(struct connection *c)
{
	line_leave(c);
	if (c->link.fd >= 0)
		uxs_watch_stop(&c->load->loop, &c->watch);
	target_disconnect(&c->link);
	for (struct slot *slot; (slot = TAILQ_FIRST(&c->busy)) != NULL;) {
		TAILQ_REMOVE(&c->busy, slot, entry);
		slot->is_busy = false;
		TAILQ_INSERT_TAIL(&c->idle, slot, entry);
		if (slot == c->sending)
			c->sending = NULL;
	}
	if (c->sending != NULL) /* not one byte of it was sent */
		TAILQ_INSERT_TAIL(&c->idle, c->sending, entry);
	c->sending = NULL;
	c->received_bytes = c->sent_bytes = 0;
	c->n_sent_bytes = c->n_received_bytes = 0;
	c->is_corrupt = false;
	c->reset_code = 0;
	c->state = CONNECTION_CLOSED;
}

void
connection_end(struct connection *c)
{
	connection_close(c);
	c->state = CONNECTION_ENDED;
	load_count_ended(c->load);
}

void
connection_sweep(struct connection *c, int64_t sent_before_ns)
{
	struct slot *next = TAILQ_FIRST(&c->busy);

	/* They are in the order in which they were sent. */
	while (next != NULL && next->sent_ns < sent_before_ns) {
		struct slot *slot = next;

		next = TAILQ_NEXT(slot, entry);
		if (!slot->is_timed_out)
			load_count_timeout(c->load);
		slot->is_timed_out = true;
		if (c->load->options->reconnect) {
			connection_close(c);
			break;
		}
		/* A stream's answer cannot be overtaken by the next one. A
		 * message is given up, and with it the place it took. */
		if (!c->load->keeps_messages || slot == c->sending)
			continue;
		TAILQ_REMOVE(&c->busy, slot, entry);
		slot->is_busy = false;
		TAILQ_INSERT_TAIL(&c->idle, slot, entry);
	}
}
