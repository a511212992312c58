/* SPDX-License-Identifier: ISC */
#ifndef UXS_SESSION_PARTS_H
#define UXS_SESSION_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"
#include "wire.h"

/*
 * How the rooms of a session talk to each other; for nobody else. session.c
 * owns the state and decides when, session_input.c reads, session_frames.c
 * finds messages in what a stream brought, session_output.c sends and keeps,
 * session_relay.c does both at once for bulk data, session_fate.c has things go
 * wrong on purpose.
 */

struct uxs_stats_of_type *session_stats(const struct session *s);
bool session_is_packets(const struct session *s);

/* ---- session.c ---- */

/* The client has done something, or begins to have something to do: from now
 * on its time runs anew. */
void session_made_progress(struct session *s);

/* After anything that may have changed state or output. */
void session_rearm(struct session *s);

/* The kernel is out of memory: look again in a while, and not in the next
 * turn, when the socket will be as ready as it is now. */
void session_pause(struct session *s);

/* Nothing more is wanted: the input ends behind what is already there. */
void session_end(struct session *s, enum uxs_close reason);

/* Nothing more will come; what is kept still goes out. */
void session_end_of_input(struct session *s);

/* Nothing more is to come or go, but it stays open. */
void session_stall(struct session *s);

/* The end, without a look at what the client sent: behind what is kept it
 * sees ECONNRESET. */
void session_reset(struct session *s);

/* ---- session_input.c ---- */

/* One receive, and what it comes to. */
void session_read(struct session *s);

/* Give the service a message. */
void session_hand_over(struct session *s, const void *data, size_t length);

/* ---- session_frames.c ---- */

/* Find the messages in these bytes and hand them over, up to a limit. What is
 * left is kept, in the ledger too. */
void session_take_frames(struct session *s, const char *data, size_t length);

/* Is there something left that need not be received? It is taken when the
 * answers of what came before are on their way. */
bool frames_have_rest(const struct frames *frames);
void session_take_rest(struct session *s);

/* Asked several times for each message, and mostly there is nothing at all. */
static inline bool
session_has_rest(const struct session *s)
{
	return s->frames != NULL && frames_have_rest(s->frames);
}

/* The stream has ended: where it ends a message, hand that over. */
void session_end_of_frames(struct session *s);

/* No more of it is wanted; to be called before the ledger is left. */
void session_forget_frames(struct session *s);
void session_free_frames(struct session *s);

/* ---- session_output.c ---- */

/* What the service may do. */
extern const struct uxs_client_ops session_ops;

/* Keep what the client did not take. Returns as uxs_client_reply. */
int session_keep(struct session *s, const void *data, size_t length);

/* The same for all of it: send what the client takes, behind what is kept. What
 * is passed is bytes, ends of a frame among them, or a packet; it is not
 * counted as a message. */
int session_pass(struct session *s, const void *data, size_t length);

/* Send what was kept, once; only when there is something. */
void session_flush(struct session *s);

/* What is kept will never be read. */
void session_drop_output(struct session *s, enum uxs_drop reason);

/* Nor will anything else. */
void session_output_is_gone(struct session *s);

/* ---- session_fate.c ---- */

/* Where it has one. Returns 0 or -ENOMEM. */
int session_fate_new(struct session *s, const struct uxs_fates *fates,
    uint64_t connection);
void session_fate_free(struct session *s);

/* The next receive would bring what is not to be received, and that was seen
 * to; or would bring nothing. */
bool session_meets_reset(struct session *s);

/* How much a receive of a stream may bring, 1 at the least. */
size_t session_fate_reach(struct session *s);

/* Around the service's look at a message; false: it is not to see it. */
bool session_begin_fate(struct session *s);
void session_end_fate(struct session *s);

/* As uxs_client_reply, of a session with a fate that is not closed. */
int session_reply_fated(struct session *s, const void *data, size_t length);

/* Nobody will read the answers that wait for their time. Of any session. */
void session_drop_delays(struct session *s);

/* Have it rearmed in the next turn. */
void session_wake_fate(struct session *s);

/* What the client has not read, or is not to read yet. */
static inline size_t
session_unread_bytes(const struct session *s)
{
	return output_bytes(&s->output) + s->delayed_bytes;
}

/* ---- session_relay.c ---- */

/* A read brought n bytes, and could have brought size. */
void session_note_read(struct session *s, size_t n, size_t size);

/* Is the next read to be relayed? */
bool session_is_relayed(struct session *s);

/* Take in, and pass on all that was taken. */
enum wire_received session_relay_in(struct session *s, size_t *n);
void session_relay_out(struct session *s, size_t length);

#endif
