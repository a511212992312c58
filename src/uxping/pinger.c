/* SPDX-License-Identifier: ISC */
/*
 * One target's life: connect, send what is due, judge what comes, give up what
 * does not. The loop's callbacks are at the end; what they may do to the state
 * is in enter() alone.
 */
#include "pinger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <uxsrv/units.h>

#include "options.h"
#include "ping_report.h"
#include "pinger_io.h"
#include "pinger_rules.h"

/* A full accept queue empties within microseconds, a server that is being
 * started takes its time. */
#define RETRY_BUSY_NS UXS_NS_PER_MS
#define RETRY_WAIT_NS (10 * UXS_NS_PER_MS)

static void send_due(struct pinger *pinger);

/* ---- state ---- */

/* Who enters DOWN or DONE has no connection, who enters DONE no timer. */
static void
enter(struct pinger *pinger, enum pinger_state state)
{
	const bool was_done = pinger->state == PINGER_DONE;

	if (state == PINGER_DONE && !was_done)
		pinger_tell_reason(pinger);
	pinger->state = state;
	if (state != PINGER_UP)
		uxs_watch_stop(pinger->loop, &pinger->watch);
	if (state == PINGER_DOWN || state == PINGER_DONE) {
		target_disconnect(&pinger->link);
		pinger->has_out = false;
		pinger->in_have = 0;
	}
	if (state != PINGER_DONE || was_done)
		return;
	uxs_timer_stop(pinger->loop, &pinger->send_timer);
	uxs_timer_stop(pinger->loop, &pinger->expiry_timer);
	uxs_timer_stop(pinger->loop, &pinger->retry_timer);
	pinger->on_done(pinger);
}

/* Something is wrong, and there is or is no point in going on. */
static void
fail(struct pinger *pinger, uint64_t seq, bool is_hopeless)
{
	pinger->has_diagnosis = pinger->is_told = true;
	ping_report_error(pinger, seq);
	if (pinger->diagnosis.reason == REASON_SYSTEM ||
	    pinger->diagnosis.reason == REASON_TOO_LONG)
		pinger->status = 2; /* our trouble, not the server's */
	if (is_hopeless) {
		if (pinger->status == 0)
			pinger->status = 1;
		enter(pinger, PINGER_DONE);
	} else if (pinger_is_complete(pinger)) {
		enter(pinger, PINGER_DONE);
	}
}

/* ---- time ---- */

/* Keep to the rhythm; after a delay do not catch up with a burst. */
static void
schedule_next(struct pinger *pinger, int64_t now_ns)
{
	int64_t next_ns = pinger->due_ns + pinger_interval_ns(pinger);

	if (next_ns <= now_ns)
		next_ns = now_ns + pinger_interval_ns(pinger);
	pinger->due_ns = next_ns;
	if (pinger_may_send(pinger))
		uxs_timer_start(pinger->loop, &pinger->send_timer, next_ns);
	else /* what was the last but one may have left it started */
		uxs_timer_stop(pinger->loop, &pinger->send_timer);
}

static void
schedule_expiry(struct pinger *pinger)
{
	uint64_t seq;

	if (window_oldest(&pinger->window, &seq))
		uxs_timer_start(pinger->loop, &pinger->expiry_timer,
		    window_sent_ns(&pinger->window, seq) +
			pinger->options->timeout_ns);
	else
		uxs_timer_stop(pinger->loop, &pinger->expiry_timer);
}

/* ---- answers ---- */

static void
after_answer(struct pinger *pinger)
{
	schedule_expiry(pinger);
	if (pinger_is_complete(pinger))
		enter(pinger, PINGER_DONE);
	else if (pinger_is_one_shot(pinger) && pinger->state == PINGER_UP &&
	    pinger->window.n_waiting == 0)
		enter(pinger, PINGER_DOWN);
	if (pinger->state == PINGER_DONE || pinger->window.n_waiting > 0)
		return;
	if (!pinger_may_send(pinger) ||
	    !(pinger->is_due || pinger_sends_on_answer(pinger)))
		return;
	/* A connect is its own answer: not from in here, or a flood of them
	 * would go deeper and deeper. */
	if (pinger->options->connect_only)
		uxs_timer_start(pinger->loop, &pinger->send_timer,
		    pinger_io_now_ns());
	else
		send_due(pinger);
}

/* An answer of this length, received at now_ns, is in pinger->in. */
static void
take_answer(struct pinger *pinger, size_t length, int64_t now_ns)
{
	struct window_answer answer = window_judge(&pinger->window,
	    pinger->options->size_bytes, pinger->in, length);
	int64_t rtt_ns = 0;

	if (answer.verdict != WINDOW_STRAY)
		rtt_ns = now_ns - window_sent_ns(&pinger->window, answer.seq);
	window_take(&pinger->window, &answer);
	pinger_count(pinger, &answer, rtt_ns);
	pinger->summary.end_ns = now_ns;
	pinger->n_link_replies++;
	ping_report_answer(pinger, &answer, rtt_ns);
	if (answer.verdict == WINDOW_CORRUPT || answer.verdict == WINDOW_STRAY)
		pinger_note_corruption(pinger, &answer);
	after_answer(pinger);
}

/* ---- trouble ---- */

/*
 * The connection is gone; code is an errno, or 0 for the end of the stream.
 * When nothing was under way nobody has lost anything: the next ping connects
 * anew. Before the first answer ever there is no point in that.
 */
static void
break_down(struct pinger *pinger, int code)
{
	const bool was_answered = pinger->n_link_replies > 0;
	uint64_t seq = 0, ignored;

	window_oldest(&pinger->window, &seq);
	while (window_expire(&pinger->window, INT64_MAX, &ignored))
		pinger->summary.errors++;
	schedule_expiry(pinger);
	if (code == EBADMSG)
		diagnose_corrupt(&pinger->diagnosis, &pinger->target,
		    "what comes back is not framed as --framing says");
	else if (pinger->in_have > 0)
		diagnose_corrupt(&pinger->diagnosis, &pinger->target,
		    "it closed in the middle of an answer");
	else
		diagnose_broken(&pinger->diagnosis, &pinger->target, code,
		    was_answered);
	enter(pinger, PINGER_DOWN);
	if (seq != 0)
		fail(pinger, seq, pinger->summary.received == 0);
	else
		ping_report_note(pinger, "the server closed the connection");
}

/* ---- sending ---- */

static void
rearm(struct pinger *pinger)
{
	uxs_watch_start(pinger->loop, &pinger->watch,
	    EPOLLIN | (pinger->has_out ? EPOLLOUT : 0U));
}

static void
flush_out(struct pinger *pinger)
{
	const int r = pinger_io_send(pinger);

	if (r < 0)
		break_down(pinger, -r);
	else
		rearm(pinger);
}

/* Connected and due: this is the moment at which a ping is born. */
static void
transmit(struct pinger *pinger)
{
	/* With -C the time to connect is part of the answer's time. */
	const int64_t now_ns = pinger_io_now_ns();
	const int64_t sent_ns =
	    pinger_is_one_shot(pinger) ? pinger->connect_start_ns : now_ns;
	const uint64_t seq = window_send(&pinger->window, sent_ns);

	pinger->summary.sent++;
	pinger->is_due = false;
	ping_report_sent(pinger);
	pinger_io_fill(pinger, seq, sent_ns);
	schedule_expiry(pinger);
	flush_out(pinger);
	if (pinger->state != PINGER_DONE)
		schedule_next(pinger, now_ns);
}

/* -z: to have connected is the answer. */
static void
take_connection(struct pinger *pinger)
{
	const int64_t now_ns = pinger_io_now_ns();
	const int64_t rtt_ns = pinger->link.connect_ns +
	    (pinger->attempt_ns - pinger->connect_start_ns);
	struct window_answer answer = { .verdict = WINDOW_GOOD };

	answer.seq = window_send(&pinger->window, pinger->connect_start_ns);
	pinger->summary.sent++;
	pinger->is_due = false;
	pinger->summary.end_ns = now_ns;
	ping_report_sent(pinger);
	window_take(&pinger->window, &answer);
	pinger_count(pinger, &answer, rtt_ns);
	ping_report_connected(pinger, answer.seq, rtt_ns);
	enter(pinger, PINGER_DOWN);
	schedule_next(pinger, now_ns);
	after_answer(pinger);
}

/* ---- connecting ---- */

static void
on_connect_failed(struct pinger *pinger, int r)
{
	const int64_t now_ns = pinger_io_now_ns();
	uint64_t seq = 0;

	if (now_ns < pinger_give_up_ns(pinger, r)) {
		uxs_timer_start(pinger->loop, &pinger->retry_timer,
		    now_ns +
			(r == TARGET_BUSY ? RETRY_BUSY_NS : RETRY_WAIT_NS));
		return;
	}
	diagnose_connect(&pinger->diagnosis, &pinger->target, r);
	if (pinger->has_started) {
		/* A ping that could not even set out. */
		seq = window_send(&pinger->window, now_ns);
		window_expire(&pinger->window, INT64_MAX, &(uint64_t){ 0 });
		pinger->summary.sent++;
		pinger->summary.errors++;
		pinger->summary.end_ns = now_ns;
		pinger->is_due = false;
	}
	enter(pinger, PINGER_DOWN);
	schedule_next(pinger, now_ns);
	fail(pinger, seq, pinger->summary.received == 0);
}

static void
on_connected(struct pinger *pinger)
{
	pinger->watch.fd = pinger->link.fd;
	pinger->n_link_replies = 0;
	if (pinger_io_prepare(pinger) < 0) {
		fail(pinger, 0, true);
		return;
	}
	if (!pinger->has_started) {
		ping_report_start(pinger);
		pinger->has_started = true;
	}
	enter(pinger, PINGER_UP);
	if (pinger->options->connect_only)
		take_connection(pinger);
	else
		transmit(pinger);
}

static void
try_connect(struct pinger *pinger)
{
	int r;

	if (!pinger->has_started || pinger_is_one_shot(pinger) ||
	    pinger->state == PINGER_DOWN)
		target_unpin(&pinger->target);
	enter(pinger, PINGER_CONNECTING);
	pinger->attempt_ns = pinger_io_now_ns();
	r = target_connect(&pinger->target, &pinger->link);
	if (r == TARGET_CONNECTED)
		on_connected(pinger);
	else
		on_connect_failed(pinger, r);
}

/* The next ping is due. It has to wait while a connection is being made, while
 * the last one is not out of the door, and, where each has a connection of its
 * own, for the end of the one before. */
static void
send_due(struct pinger *pinger)
{
	uint64_t seq;

	pinger->is_due = true;
	if (pinger->state == PINGER_CONNECTING || pinger->has_out ||
	    (pinger_is_one_shot(pinger) && pinger->window.n_waiting > 0))
		return;
	if (pinger->options->outstanding &&
	    window_oldest(&pinger->window, &seq))
		ping_report_outstanding(pinger, pinger->window.last_seq);
	if (pinger->state == PINGER_UP && !pinger_is_one_shot(pinger)) {
		transmit(pinger);
		return;
	}
	pinger->connect_start_ns = pinger_io_now_ns();
	try_connect(pinger);
}

/* ---- the loop calls ---- */

static void
on_send_timer(struct uxs_timer *timer)
{
	send_due(uxs_container_of(timer, struct pinger, send_timer));
}

static void
on_retry_timer(struct uxs_timer *timer)
{
	try_connect(uxs_container_of(timer, struct pinger, retry_timer));
}

static void
on_expiry_timer(struct uxs_timer *timer)
{
	struct pinger *pinger =
	    uxs_container_of(timer, struct pinger, expiry_timer);
	const int64_t now_ns = uxs_loop_now_ns(pinger->loop);
	uint64_t seq;

	while (window_expire(&pinger->window,
	    now_ns - pinger->options->timeout_ns, &seq)) {
		pinger->summary.end_ns = now_ns;
		ping_report_timeout(pinger, seq);
	}
	after_answer(pinger);
}

static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct pinger *pinger = uxs_container_of(watch, struct pinger, watch);
	const int fd = pinger->link.fd;
	size_t length;
	int r;

	if (pinger->has_out && (events & EPOLLOUT) != 0) {
		flush_out(pinger);
		if (pinger->state == PINGER_UP && !pinger->has_out &&
		    pinger->is_due)
			send_due(pinger);
	}
	/* An answer may end this connection, or all of this. */
	while (pinger->state == PINGER_UP && pinger->link.fd == fd) {
		r = pinger_io_receive(pinger, &length);
		if (r == PINGER_IO_NOTHING)
			return;
		if (r == PINGER_IO_ANSWER)
			take_answer(pinger, length, pinger_io_now_ns());
		else
			break_down(pinger, r == PINGER_IO_END ? 0 : -r);
	}
}

/* ---- from outside ---- */

int
pinger_open(struct pinger *pinger, const char *address,
    const struct options *options, struct uxs_loop *loop, struct uxs_error *why)
{
	*pinger = (struct pinger){
		.options = options,
		.loop = loop,
		.target = TARGET_CLOSED,
		.link = TARGET_LINK_CLOSED,
		.state = PINGER_CONNECTING,
		.watch = { .fd = -1, .on_ready = on_ready },
		.send_timer = { .on_expiry = on_send_timer },
		.expiry_timer = { .on_expiry = on_expiry_timer },
		.retry_timer = { .on_expiry = on_retry_timer },
	};
	summary_init(&pinger->summary, 0);
	pinger->out = malloc(options->size_bytes + UXS_FRAME_HEAD_MAX + 1);
	pinger->in = malloc(options->size_bytes + 1);
	if (options->framing != UXS_FRAMING_NONE)
		pinger->raw = malloc(PINGER_IO_RAW_BYTES);
	if (pinger->out == NULL || pinger->in == NULL ||
	    (options->framing != UXS_FRAMING_NONE && pinger->raw == NULL))
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "out of memory");
	return target_open(&pinger->target, address, options, why);
}

void
pinger_start(struct pinger *pinger)
{
	const int64_t now_ns = pinger_io_now_ns();

	pinger->summary.start_ns = pinger->summary.end_ns = now_ns;
	pinger->due_ns = pinger->connect_start_ns = now_ns;
	try_connect(pinger);
}

void
pinger_stop(struct pinger *pinger)
{
	if (pinger->state != PINGER_DONE)
		enter(pinger, PINGER_DONE);
}

void
pinger_close(struct pinger *pinger)
{
	target_disconnect(&pinger->link);
	target_close(&pinger->target);
	free(pinger->out);
	free(pinger->in);
	free(pinger->raw);
	pinger->out = pinger->in = pinger->raw = NULL;
}
