/* SPDX-License-Identifier: ISC */
/*
 * The messages in what a framed stream brings.
 *
 *	read ──► bytes ──► deframer ──► message ──► service
 *	          │  ▲         │
 *	          ▼  │         └──► partial: of a message that is not whole
 *	          rest: it is enough for this turn, or the answers fill the
 *	                room for unread output
 *
 * A message that is whole in what was read is handed over from there. Only
 * what is left of a read is kept, so that a session between two messages
 * holds nothing.
 */
#include "session_parts.h"

#include <stdlib.h>

#include "counter.h"

/* Messages of one client before others get their turn, of which a read can
 * hold tens of thousands. Arbitrary; with fewer, small answers are sent in
 * small parts, each of which costs the kernel some hundred bytes. */
#define FRAMES_PER_TURN 64

struct frames {
	struct uxs_deframer deframer;
	struct output partial, rest;
};

static size_t
held_bytes(const struct frames *f)
{
	return f == NULL ? 0 :
			   output_bytes(&f->partial) + output_bytes(&f->rest);
}

bool
frames_have_rest(const struct frames *f)
{
	return output_bytes(&f->rest) > 0;
}

/* ---- what is kept ---- */

static void
forget(struct frames *f)
{
	output_fini(&f->partial);
	output_fini(&f->rest);
}

void
session_free_frames(struct session *s)
{
	if (s->frames == NULL)
		return;
	forget(s->frames);
	free(s->frames);
	s->frames = NULL;
}

/* The memory may be in use by a message in hand: it goes with the session. */
void
session_forget_frames(struct session *s)
{
	uxs_ledger_release(s->context->ledger, s->client.peer.uid,
	    held_bytes(s->frames));
}

/* The ledger as it was when only this many bytes were held. Returns whether
 * the user may have as much as is held now. */
static bool
settle(struct session *s, size_t before, size_t now)
{
	struct uxs_ledger *ledger = s->context->ledger;
	const uid_t uid = s->client.peer.uid;

	if (now > before)
		return uxs_ledger_hold(ledger, uid, now - before) ==
		    UXS_ADMITTED;
	uxs_ledger_release(ledger, uid, before - now);
	return true;
}

static bool
has_place(struct session *s)
{
	if (s->frames == NULL)
		s->frames = calloc(1, sizeof(*s->frames));
	return s->frames != NULL;
}

/* The session has ended meanwhile, or wants no more: the ledger knows of what
 * was held before, unless the session was closed, which has told it. */
static void
drop(struct session *s, struct frames *f, size_t before)
{
	if (s->state != SESSION_CLOSED)
		settle(s, before, 0);
	forget(f);
	free(s->frames);
	s->frames = NULL;
}

static void
remember(struct session *s, struct frames *f, size_t before)
{
	const size_t now = held_bytes(f);

	if (s->state != SESSION_OPEN ||
	    (now == 0 && !uxs_deframer_is_amid(&f->deframer))) {
		drop(s, f, before);
	} else if (has_place(s) && settle(s, before, now)) {
		*s->frames = *f;
	} else {
		session_close(s, UXS_CLOSE_MEMORY);
		drop(s, f, before);
	}
}

/* ---- messages ---- */

static void
fail(struct session *s, enum uxs_drop drop, enum uxs_close close)
{
	counter_add(&session_stats(s)->dropped[drop], 1);
	session_end(s, close);
}

static bool
keep_piece(struct session *s, struct frames *f,
    const struct uxs_frame_piece *piece)
{
	if (output_keep(&f->partial, piece->data, piece->length, false,
		s->context->max_message) == 0)
		return true;
	session_close(s, UXS_CLOSE_MEMORY);
	return false;
}

static void
hand_over(struct session *s, struct frames *f,
    const struct uxs_frame_piece *last)
{
	struct output whole;
	size_t length;

	if (output_bytes(&f->partial) == 0) {
		session_hand_over(s, last->data, last->length);
		return;
	}
	if (!keep_piece(s, f, last))
		return;
	whole = f->partial;
	f->partial = (struct output){ 0 };
	session_hand_over(s, output_first(&whole, false, &length),
	    output_bytes(&whole));
	output_fini(&whole);
}

/* Returns whether it was a message. */
static bool
take_piece(struct session *s, struct frames *f, enum uxs_frame outcome,
    const struct uxs_frame_piece *piece)
{
	switch (outcome) {
	case UXS_FRAME_NONE:
		keep_piece(s, f, piece);
		return false;
	case UXS_FRAME_WHOLE:
		hand_over(s, f, piece);
		return true;
	case UXS_FRAME_TOO_LONG:
		fail(s, UXS_DROP_TOO_LONG, UXS_CLOSE_TOO_LONG);
		return false;
	case UXS_FRAME_MALFORMED:
		fail(s, UXS_DROP_MALFORMED, UXS_CLOSE_MALFORMED);
		return false;
	}
	return false;
}

static bool
may_go_on(const struct session *s)
{
	return s->state == SESSION_OPEN &&
	    session_unread_bytes(s) < s->context->max_output;
}

/* Returns how many of the bytes were looked at. Where there is more than one
 * message the answers are gathered, and sent as one. */
static size_t
take(struct session *s, struct frames *f, const char *data, size_t length)
{
	const bool was_empty = output_bytes(&s->output) == 0;
	size_t done = 0;
	int n = 0;

	while (done < length && n < FRAMES_PER_TURN && may_go_on(s)) {
		struct uxs_frame_piece piece;
		const enum uxs_frame outcome = uxs_deframer_next(&f->deframer,
		    data + done, length - done, &piece);

		done += piece.n_taken;
		s->is_corked |= done < length;
		n += take_piece(s, f, outcome, &piece);
	}
	if (s->is_corked && was_empty && output_bytes(&s->output) > 0)
		session_flush(s);
	s->is_corked = false;
	return done;
}

/* ---- input ---- */

static void
begin(const struct session *s, struct frames *f)
{
	if (s->frames != NULL) {
		*f = *s->frames;
		return;
	}
	*f = (struct frames){ 0 };
	uxs_deframer_init(&f->deframer, s->client.framing,
	    s->context->max_message);
}

void
session_take_frames(struct session *s, const char *data, size_t length)
{
	const size_t before = held_bytes(s->frames);
	struct frames f;
	size_t done;

	begin(s, &f);
	done = take(s, &f, data, length);
	if (s->state == SESSION_OPEN && done < length &&
	    output_keep(&f.rest, data + done, length - done, false, 0) < 0)
		session_close(s, UXS_CLOSE_MEMORY);
	remember(s, &f, before);
}

void
session_take_rest(struct session *s)
{
	const size_t before = held_bytes(s->frames);
	struct frames f;
	const char *data;
	size_t length, done;

	begin(s, &f);
	data = output_first(&f.rest, false, &length);
	done = take(s, &f, data, length);
	if (done > 0) {
		session_made_progress(s);
		output_drop_first(&f.rest, false, done);
	}
	remember(s, &f, before);
}

void
session_end_of_frames(struct session *s)
{
	const size_t before = held_bytes(s->frames);
	static const struct uxs_frame_piece nothing;
	struct frames f;
	enum uxs_frame outcome;

	if (s->frames == NULL || s->state != SESSION_OPEN)
		return;
	begin(s, &f);
	outcome = uxs_deframer_end(&f.deframer);
	if (outcome == UXS_FRAME_WHOLE && !s->is_cut) {
		hand_over(s, &f, &nothing);
	} else {
		counter_add(&session_stats(s)->dropped[UXS_DROP_MALFORMED], 1);
		if (!s->is_cut)
			s->reason = UXS_CLOSE_MALFORMED;
	}
	drop(s, &f, before);
}
