/* SPDX-License-Identifier: ISC */
#ifndef UXPING_WINDOW_H
#define UXPING_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

/*
 * Which pings are under way, and what an answer is the answer to. Pure: the
 * clock is an argument.
 *
 *	seq = window_send(&w, now_ns);
 *	...
 *	answer = window_judge(&w, size, bytes, length);
 *	window_take(&w, &answer);
 *	while (window_expire(&w, now_ns - timeout_ns, &seq)) ...
 *
 *	window_send ──► WAITING ──window_take───► ANSWERED
 *	                   └──────window_expire─► LOST ──window_take (late)──┘
 */

/* So many pings back a duplicate or late answer is still recognised. */
#define WINDOW_SLOTS 4096

struct window_slot {
	int64_t sent_ns;
	enum { WINDOW_UNUSED, WINDOW_WAITING, WINDOW_LOST, WINDOW_ANSWERED } is;
};

struct window {
	uint64_t last_seq; /* 0: none sent */
	uint64_t n_waiting;
	/* private */
	uint64_t oldest; /* no ping before it is WAITING */
	struct window_slot slots[WINDOW_SLOTS];
};

/* Register the next ping; the first is number 1. One that is WINDOW_SLOTS
 * older and still waiting counts as lost from here on. */
uint64_t window_send(struct window *window, int64_t now_ns);

/* When ping seq was sent; it must be among the last WINDOW_SLOTS. */
int64_t window_sent_ns(const struct window *window, uint64_t seq);

enum window_verdict {
	WINDOW_GOOD,
	WINDOW_CORRUPT, /* of the oldest that waits, or of the one it names */
	WINDOW_LATE, /* good, but it had been given up */
	WINDOW_DUPLICATE, /* good, and answered before */
	WINDOW_STRAY, /* an answer to nothing that was asked */
};

struct window_answer {
	enum window_verdict verdict;
	uint64_t seq; /* 0 for a stray */
	size_t length; /* of the answer, where size was sent */
	bool has_head; /* it told its own number: the stream is in step */
	bool has_difference;
	struct packet_difference difference;
};

/*
 * What is this answer, where pings are of size bytes? From 16 bytes up the
 * answer says so itself; shorter ones belong to the oldest ping that they can
 * be the echo of. Changes nothing.
 */
struct window_answer window_judge(const struct window *window, size_t size,
    const void *bytes, size_t length);

/* The ping has been answered. */
void window_take(struct window *window, const struct window_answer *answer);

/* Give up the oldest waiting ping if it was sent at sent_before_ns or earlier.
 * Returns false when there is none. */
bool window_expire(struct window *window, int64_t sent_before_ns,
    uint64_t *seq);

/* The oldest ping that waits. Returns false when none does. */
bool window_oldest(const struct window *window, uint64_t *seq);

#endif
