/* SPDX-License-Identifier: ISC */
#ifndef UXPING_CONNECTION_H
#define UXPING_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uxsrv/loop.h>

#include "load.h"
#include "target.h"

/*
 * One connection of the bench, with up to depth messages under way.
 *
 *	          accept queue full, or broken
 *	        ┌───────────────────────────────► KNOCKING  (at the door)
 *	        │                                    │ tried again
 *	     CLOSED ◄──── --reconnect: answered ─┐   │
 *	        │                                │   │
 *	        └──────────── connect ─────────► OPEN ◄┘
 *	                                         │  ▲
 *	           no room for (all of) a message▼  │there is room
 *	                                        STUCK
 *
 *	any ──► ENDED      it cannot be made, or broke without ever answering
 */
enum connection_state {
	CONNECTION_CLOSED,
	CONNECTION_KNOCKING,
	CONNECTION_OPEN,
	CONNECTION_STUCK,
	CONNECTION_ENDED,
};

/* A message under way, or the place for one. */
struct slot {
	TAILQ_ENTRY(slot) entry;
	uint64_t sequence; /* its low bits are the number of the slot */
	int64_t intended_ns;
	int64_t sent_ns;
	bool is_busy; /* at least its first byte was sent */
	bool is_measured; /* sent after the warm-up */
	bool is_timed_out; /* streams: counted, but its bytes are still due */
};

TAILQ_HEAD(slots, slot);

struct connection {
	/* what every message touches, side by side */
	struct uxs_watch watch;
	struct load *load;
	enum connection_state state;
	bool is_corrupt; /* the reply that is coming in: streams */
	bool had_replies; /* on this link or an earlier one */
	struct slot *sending; /* taken and not completely sent; else NULL */
	struct slots idle, busy; /* busy: in the order they were sent */
	size_t sent_bytes; /* of the message that is being sent */
	size_t received_bytes; /* of the oldest reply: streams */
	struct connections *line; /* which of the load's it is in; or NULL */
	TAILQ_ENTRY(connection) entry;

	struct slot *slots; /* depth of them; the load's */
	uint64_t n_sent_bytes, n_received_bytes; /* bulk */
	int reset_code; /* seqpacket: reset, but replies are still queued */
	int64_t knocking_since_ns;
	struct target_link link;
};

/* Takes depth slots, which stay the load's. The connection is closed. */
void connection_init(struct connection *c, struct load *load,
    struct slot *slots, size_t depth);

/* Connect, or go on trying, then send what is waiting. Returns the outcome of
 * target_connect. */
int connection_open(struct connection *c);

/* The same with a link that is connected already; takes it. */
void connection_adopt(struct connection *c, struct target_link *link);

/* Send as many messages as there is depth for and the pacer allows. */
void connection_feed(struct connection *c, int64_t now_ns);

/* STUCK: try again. Returns whether the message is out of the way. */
bool connection_resume(struct connection *c);

/* Count what was sent before this and is not answered yet. */
void connection_sweep(struct connection *c, int64_t sent_before_ns);

/* The server is gone, with errno code (0: end of the stream). */
void connection_break(struct connection *c, int code);

/* Close, and forget what was under way. May be called twice. */
void connection_close(struct connection *c);

/* Close for good. */
void connection_end(struct connection *c);

/* ---- what comes back (reply.c) ---- */

/* Read once, complete the messages that are answered. */
void reply_receive(struct connection *c, uint32_t events);

/* ---- the bulk load's side of an open connection (bulk.c) ---- */

void bulk_on_ready(struct uxs_watch *watch, uint32_t events);

#endif
