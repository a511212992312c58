/* SPDX-License-Identifier: ISC */
#ifndef UXS_WIDTH_H
#define UXS_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many of several loops are worth their cost. Pure: the crew measures and
 * moves sessions; here it is only decided, and learnt from.
 *
 * Loops that share what one could carry sleep and are woken more often, each
 * of them, than that one; a message costs a third more CPU. And where clients
 * and loops share the processors, the CPU that they need is the clients'. So
 * of two numbers of loops with which the clients get as much done the smaller
 * one is better. Whether they do is not to be told from how busy loops are: it
 * is tried, for a window of time, and the messages in it are counted, when they
 * were about as many in the two windows before.
 *
 * All are in use at first. Half of them are tried, as long as that costs less
 * than a tenth of the messages; twice as many, when those in use are full,
 * and kept when they bring a tenth more. What did not pay is tried again
 * later, ever more seldom, but at once when the load has become another.
 *
 * A service that takes long for a message is not held back by a switch of
 * tasks, but by having to wait for another client's: then all are in use.
 */

#define WIDTH_WINDOW_NS INT64_C(30000000)
#define WIDTH_WINDOW_MAX_NS (10 * WIDTH_WINDOW_NS)
#define WIDTH_MIN_RATE 5000 /* messages a second; fewer tell nothing */
#define WIDTH_WORTH 10 /* percent of the messages */
#define WIDTH_FULL 75 /* percent of the time that loops are at work */
#define WIDTH_DEAR_NS 100000 /* for a message; arbitrary */
#define WIDTH_WAIT_MIN 32 /* shortest windows between two attempts */
#define WIDTH_WAIT_MAX 1024

/* What all loops together did in a window. */
struct width_window {
	int64_t elapsed_ns;
	uint64_t n_messages;
	uint64_t n_moments; /* of clients: those who came, and those who left */
	uint64_t spent_ns; /* in turns, each from waking up to its end */
};

/* In one direction. */
struct width_attempts {
	unsigned n_to_wait; /* until the next, in shortest windows */
	unsigned wait; /* after one that does not pay */
};

enum width_phase {
	WIDTH_SETTLED,
	WIDTH_MOVING, /* this window is neither one nor the other */
	WIDTH_TRYING,
};

struct width {
	/* private */
	unsigned n; /* loops */
	unsigned now; /* in use */
	unsigned before; /* unless settled */
	enum width_phase phase;
	uint64_t rate; /* messages a second, in the last settled window */
	uint64_t rate_failed; /* when an attempt did not pay; 0: none did */
	struct width_attempts narrower, wider;
};

/*
 * Does it tell enough? With thousands of clients a window may see fewer
 * messages than there are clients, and then mostly which of them are in step:
 * so let it see two for each, or the longest time.
 */
bool width_is_over(const struct width_window *window, uint64_t n_clients);

void width_init(struct width *width, unsigned n);

/* A window is over: returns how many loops are to be in use from now on, at
 * most twice as many as before, and at least half of them. */
unsigned width_learn(struct width *width, const struct width_window *window);

#endif
