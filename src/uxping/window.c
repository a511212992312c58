/* SPDX-License-Identifier: ISC */
/* The pings under way: a ring of the last few thousand. */
#include "window.h"

static struct window_slot *
slot_of(struct window *window, uint64_t seq)
{
	return &window->slots[seq % WINDOW_SLOTS];
}

static const struct window_slot *
look_at(const struct window *window, uint64_t seq)
{
	return &window->slots[seq % WINDOW_SLOTS];
}

static uint64_t
first_kept(const struct window *window)
{
	return window->last_seq > WINDOW_SLOTS ?
	    window->last_seq - WINDOW_SLOTS + 1 :
	    1;
}

static bool
is_kept(const struct window *window, uint64_t seq)
{
	return seq >= first_kept(window) && seq <= window->last_seq;
}

/* Make true again what the header says of oldest. */
static void
move_on(struct window *window)
{
	if (window->oldest < first_kept(window))
		window->oldest = first_kept(window);
	while (window->oldest <= window->last_seq &&
	    slot_of(window, window->oldest)->is != WINDOW_WAITING)
		window->oldest++;
}

uint64_t
window_send(struct window *window, int64_t now_ns)
{
	struct window_slot *slot = slot_of(window, ++window->last_seq);

	if (slot->is == WINDOW_WAITING)
		window->n_waiting--;
	*slot = (struct window_slot){ .sent_ns = now_ns, .is = WINDOW_WAITING };
	window->n_waiting++;
	move_on(window);
	return window->last_seq;
}

int64_t
window_sent_ns(const struct window *window, uint64_t seq)
{
	return look_at(window, seq)->sent_ns;
}

bool
window_oldest(const struct window *window, uint64_t *seq)
{
	if (window->n_waiting == 0)
		return false;
	*seq = window->oldest;
	return true;
}

bool
window_expire(struct window *window, int64_t sent_before_ns, uint64_t *seq)
{
	struct window_slot *slot;

	if (!window_oldest(window, seq))
		return false;
	slot = slot_of(window, *seq);
	if (slot->sent_ns > sent_before_ns)
		return false;
	slot->is = WINDOW_LOST;
	window->n_waiting--;
	move_on(window);
	return true;
}

void
window_take(struct window *window, const struct window_answer *answer)
{
	struct window_slot *slot = slot_of(window, answer->seq);

	if (answer->verdict == WINDOW_STRAY)
		return;
	if (slot->is == WINDOW_WAITING)
		window->n_waiting--;
	slot->is = WINDOW_ANSWERED;
	move_on(window);
}

/* ---- what is it the answer to? ---- */

/* The ping that the answer itself names, by number and time; 0: none. */
static uint64_t
named_by_head(const struct window *window, const void *bytes, size_t length)
{
	uint64_t seq, stamp;

	if (packet_read_head(bytes, length, &seq, &stamp) &&
	    is_kept(window, seq) &&
	    stamp == packet_stamp(look_at(window, seq)->sent_ns))
		return seq;
	return 0;
}

static bool
is_echo_of(const struct window *window, uint64_t seq, size_t size,
    const void *bytes, size_t length)
{
	struct packet_difference ignored;

	return length == size &&
	    !packet_differs(bytes, length, size, seq,
		look_at(window, seq)->sent_ns, &ignored);
}

/* The ping in this state that these bytes echo, the oldest first. */
static uint64_t
find_echoed(const struct window *window, int state, size_t size,
    const void *bytes, size_t length)
{
	for (uint64_t seq = first_kept(window); seq <= window->last_seq;
	     seq++) {
		if ((int)look_at(window, seq)->is == state &&
		    is_echo_of(window, seq, size, bytes, length))
			return seq;
	}
	return 0;
}

/* Short pings have no head. Whoever waits is served first, so that one lost
 * ping does not make every answer after it look late. */
static uint64_t
find_short(const struct window *window, size_t size, const void *bytes,
    size_t length)
{
	uint64_t seq = find_echoed(window, WINDOW_WAITING, size, bytes, length);

	if (seq == 0)
		seq = find_echoed(window, WINDOW_LOST, size, bytes, length);
	if (seq == 0 && window->n_waiting == 0)
		seq = find_echoed(window, WINDOW_ANSWERED, size, bytes, length);
	return seq;
}

static enum window_verdict
verdict_on(const struct window *window, uint64_t seq)
{
	switch (look_at(window, seq)->is) {
	case WINDOW_WAITING:
		return WINDOW_GOOD;
	case WINDOW_LOST:
		return WINDOW_LATE;
	case WINDOW_ANSWERED:
		return WINDOW_DUPLICATE;
	case WINDOW_UNUSED:
		break;
	}
	return WINDOW_STRAY;
}

struct window_answer
window_judge(const struct window *window, size_t size, const void *bytes,
    size_t length)
{
	struct window_answer answer = { .length = length };

	answer.seq = size >= PACKET_HEAD_SIZE ?
	    named_by_head(window, bytes, length) :
	    find_short(window, size, bytes, length);
	answer.has_head = answer.seq != 0;
	if (answer.seq == 0 && !window_oldest(window, &answer.seq)) {
		answer.verdict = WINDOW_STRAY;
		return answer;
	}
	answer.has_difference = packet_differs(bytes, length, size, answer.seq,
	    look_at(window, answer.seq)->sent_ns, &answer.difference);
	answer.verdict = answer.has_difference || length != size ?
	    WINDOW_CORRUPT :
	    verdict_on(window, answer.seq);
	return answer;
}
