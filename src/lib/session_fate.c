/* SPDX-License-Identifier: ISC */
/*
 * Messages of a connection to which something is to happen; see fate.h of the
 * public headers. Sessions without such fates never come here.
 *
 *	next message ──RESET──► left unread, FLUSHING, CLOSED: ECONNRESET
 *	message ──CLOSE──► ENDING      ──STALL──► STALLED
 *	   │ service
 *	   ▼
 *	answer ──► dropped, corrupted, cut ──► delays ──► client
 */
#include "session_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "counter.h"
#include "fated.h"

/* Between the parts of an answer: other processes have had their turn. */
#define PART_NS INT64_C(1000000)

/* How far a reset is looked for ahead; no more than that is then received at
 * once. Arbitrary. */
#define LOOK_AHEAD 4096

struct session_fate {
	struct session *session;
	struct fated fated;
	struct delays delays;
	struct uxs_timer timer; /* of delays */
	uint64_t looked_to; /* no reset before this message; it is none yet */
	bool is_reset; /* the message at looked_to is one */
};

/* ---- answers ---- */

static void
count(struct session_fate *f, enum uxs_fault fault)
{
	const struct uxs_client *client = &f->session->client;

	fated_count(&f->fated, fault, client->type, &client->peer);
}

/* As it goes out: with a frame's ends, and spoilt. Returns NULL where there is
 * no memory. */
static struct delayed *
make_answer(struct session_fate *f, const struct uxs_frame_ends *ends,
    const void *data, size_t length)
{
	const struct session *s = f->session;
	struct delayed *d = delayed_new(ends->n_head + length + ends->n_tail);

	if (d == NULL)
		return NULL;
	memcpy(d->data, ends->head, ends->n_head);
	if (length > 0)
		memcpy(d->data + ends->n_head, data, length);
	memcpy(d->data + ends->n_head + length, ends->tail, ends->n_tail);
	if (session_is_packets(s) && length > 1 &&
	    fated_has(&f->fated, UXS_FAULT_SHORT)) {
		d->length = length = fated_cut(&f->fated, length);
		count(f, UXS_FAULT_SHORT);
	}
	if (length > 0 && fated_has(&f->fated, UXS_FAULT_CORRUPT)) {
		fated_corrupt(&f->fated, d->data + ends->n_head, length,
		    s->client.framing == UXS_FRAMING_LINE);
		count(f, UXS_FAULT_CORRUPT);
	}
	return d;
}

/* Takes d. */
static int
put_later(struct session_fate *f, struct delayed *d, int64_t due_ns)
{
	struct session *s = f->session;

	if (uxs_ledger_hold(s->context->ledger, s->client.peer.uid,
		delayed_cost(d->length)) != UXS_ADMITTED) {
		free(d);
		session_close(s, UXS_CLOSE_MEMORY);
		return -ENOMEM;
	}
	delays_put(&f->delays, d, due_ns);
	s->delayed_bytes = (uint32_t)f->delays.bytes;
	delays_arm(&f->delays, s->context->loop, &f->timer);
	return UXS_REPLY_ACCEPTED;
}

/* Takes d. Now, if nothing is before it. */
static int
put(struct session_fate *f, struct delayed *d, int64_t delay_ns)
{
	struct session *s = f->session;
	int r;

	if (delay_ns > 0 || delays_are_there(&f->delays))
		return put_later(f, d,
		    uxs_loop_now_ns(s->context->loop) + delay_ns);
	r = session_pass(s, d->data, d->length);
	free(d);
	return r;
}

/* Takes d, of which there are two bytes or more. */
static int
put_parts(struct session_fate *f, struct delayed *d, int64_t delay_ns)
{
	const size_t n = fated_cut(&f->fated, d->length);
	struct delayed *rest = delayed_new(d->length - n);
	int r;

	if (rest == NULL) {
		free(d);
		session_close(f->session, UXS_CLOSE_MEMORY);
		return -ENOMEM;
	}
	memcpy(rest->data, d->data + n, rest->length);
	d->length = n;
	count(f, UXS_FAULT_SHORT);
	if ((r = put(f, d, delay_ns)) == UXS_REPLY_ACCEPTED &&
	    f->session->state != SESSION_CLOSED)
		return put(f, rest, delay_ns + PART_NS);
	free(rest);
	return r;
}

static int
answer(struct session_fate *f, struct delayed *d)
{
	int64_t delay_ns = 0;

	if (fated_has(&f->fated, UXS_FAULT_DELAY)) {
		delay_ns = f->fated.fate.delay_ns;
		count(f, UXS_FAULT_DELAY);
	}
	if (!session_is_packets(f->session) && d->length > 1 &&
	    fated_has(&f->fated, UXS_FAULT_SHORT))
		return put_parts(f, d, delay_ns);
	return put(f, d, delay_ns);
}

int
session_reply_fated(struct session *s, const void *data, size_t length)
{
	struct session_fate *f = s->fate;
	struct uxs_frame_ends ends;
	struct delayed *d;
	int r;

	if (s->state == SESSION_STALLED) {
		counter_add(&session_stats(s)->dropped[UXS_DROP_FULL], 1);
		return UXS_REPLY_DROPPED;
	}
	if (uxs_frame_ends_fill(&ends, s->client.framing, length) < 0) {
		counter_add(&session_stats(s)->dropped[UXS_DROP_TOO_LONG], 1);
		return UXS_REPLY_DROPPED;
	}
	if (!session_is_packets(s) && ends.n_head + length + ends.n_tail == 0)
		return UXS_REPLY_ACCEPTED;
	if (fated_has(&f->fated, UXS_FAULT_DROP)) {
		count(f, UXS_FAULT_DROP);
		return UXS_REPLY_DROPPED;
	}
	if ((d = make_answer(f, &ends, data, length)) == NULL) {
		session_close(s, UXS_CLOSE_MEMORY);
		return -ENOMEM;
	}
	r = answer(f, d);
	if (r == UXS_REPLY_ACCEPTED)
		counter_add(&session_stats(s)->sent_messages, 1);
	return r;
}

/* ---- their time ---- */

static struct delayed *
take_off(struct session_fate *f, int64_t now_ns)
{
	struct session *s = f->session;
	struct delayed *d = delays_take(&f->delays, now_ns);

	if (d == NULL)
		return NULL;
	s->delayed_bytes = (uint32_t)f->delays.bytes;
	uxs_ledger_release(s->context->ledger, s->client.peer.uid,
	    delayed_cost(d->length));
	return d;
}

static void
on_due(struct uxs_timer *timer)
{
	struct session_fate *f =
	    uxs_container_of(timer, struct session_fate, timer);
	struct session *s = f->session;
	const int64_t now_ns = uxs_loop_now_ns(s->context->loop);
	struct delayed *d;

	while ((d = take_off(f, now_ns)) != NULL) {
		session_made_progress(s);
		session_pass(s, d->data, d->length);
		free(d);
	}
	if (s->state == SESSION_CLOSED)
		return;
	delays_arm(&f->delays, s->context->loop, &f->timer);
	session_rearm(s);
}

void
session_drop_delays(struct session *s)
{
	struct delayed *d;

	if (s->fate == NULL)
		return;
	while ((d = take_off(s->fate, INT64_MAX)) != NULL) {
		counter_add(&session_stats(s)->dropped[UXS_DROP_GONE], 1);
		free(d);
	}
	uxs_timer_stop(s->context->loop, &s->fate->timer);
}

/* A session of which nothing comes any more is looked at once more. */
void
session_wake_fate(struct session *s)
{
	if (!delays_are_there(&s->fate->delays))
		uxs_timer_start(s->context->loop, &s->fate->timer,
		    uxs_loop_now_ns(s->context->loop));
}

/* ---- messages ---- */

void
session_end_fate(struct session *s)
{
	fated_end(&s->fate->fated);
}

/* Returns whether the service is to see it. */
bool
session_begin_fate(struct session *s)
{
	struct session_fate *f = s->fate;

	fated_begin(&f->fated);
	if (fated_has(&f->fated, UXS_FAULT_CLOSE)) {
		count(f, UXS_FAULT_CLOSE);
		session_end_fate(s);
		session_end(s, UXS_CLOSE_FAULT);
		return false;
	}
	if (fated_has(&f->fated, UXS_FAULT_STALL)) {
		count(f, UXS_FAULT_STALL);
		session_end_fate(s);
		session_stall(s);
		return false;
	}
	return true;
}

/* ---- resets ---- */

/* How many messages come before the next one that is not to be received. */
static uint64_t
messages_before_reset(struct session_fate *f)
{
	const uint64_t next = f->fated.message + 1;

	if (f->looked_to < next) {
		f->looked_to = next;
		f->is_reset = false;
	}
	while (!f->is_reset && f->looked_to < next + LOOK_AHEAD) {
		const struct uxs_fate fate = fated_of(&f->fated, f->looked_to);

		if (fate_has(&fate, UXS_FAULT_RESET))
			f->is_reset = true;
		else
			f->looked_to++;
	}
	return f->looked_to - next;
}

/* A message takes a byte of a stream at the least, so that no more of them can
 * be complete than there are bytes. */
size_t
session_fate_reach(struct session *s)
{
	uint64_t n;

	if (!s->fate->fated.fates->has_resets ||
	    s->client.framing == UXS_FRAMING_NONE)
		return SIZE_MAX;
	n = messages_before_reset(s->fate);
	return n > 0 ? (size_t)n : 1; /* 0: it is the end that is read */
}

enum waiting { NOTHING, MESSAGE, END };

/* What would a receive bring? Who has ended can send no more, so that what
 * there is then was there before; an empty packet before the end passes for
 * the end. */
static enum waiting
look(const struct session *s)
{
	struct pollfd now = { .fd = s->watch.fd, .events = POLLIN | POLLRDHUP };
	int n = 0;

	if (poll(&now, 1, 0) <= 0)
		return NOTHING;
	if ((now.revents & (POLLHUP | POLLERR)) != 0)
		return END; /* nobody is there to see it */
	if ((now.revents & POLLRDHUP) == 0)
		return MESSAGE;
	return ioctl(s->watch.fd, SIOCINQ, &n) == 0 && n > 0 ? MESSAGE : END;
}

bool
session_meets_reset(struct session *s)
{
	struct session_fate *f = s->fate;

	if (!f->fated.fates->has_resets || s->state != SESSION_OPEN ||
	    s->is_output_gone || messages_before_reset(f) > 0)
		return false;
	switch (look(s)) {
	case NOTHING:
		return true;
	case MESSAGE:
		fated_count_of(&f->fated, f->fated.message + 1, UXS_FAULT_RESET,
		    s->client.type, &s->client.peer);
		session_reset(s);
		return true;
	case END:
		break;
	}
	return false;
}

/* ---- life ---- */

int
session_fate_new(struct session *s, const struct uxs_fates *fates,
    uint64_t connection)
{
	struct session_fate *f = malloc(sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	*f = (struct session_fate){
		.session = s,
		.fated = {
			.fates = fates,
			.stats = s->context->stats,
			.log = s->context->log,
			.loop = s->context->loop,
			.connection = connection,
		},
		.timer = { .on_expiry = on_due },
	};
	delays_init(&f->delays);
	s->fate = f;
	return 0;
}

void
session_fate_free(struct session *s)
{
	free(s->fate);
	s->fate = NULL;
}
