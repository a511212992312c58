/* SPDX-License-Identifier: ISC */
#ifndef UXS_FATED_H
#define UXS_FATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uxsrv/address.h>
#include <uxsrv/fate.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/peer.h>
#include <uxsrv/stats.h>

/*
 * Whose messages have a fate: a connection, or a socket for datagrams. Here is
 * what both have in common: numbers, what is counted, how an answer is spoilt,
 * and the answers that wait for their time. No system calls.
 */

/* ---- the message in hand ---- */

struct fated {
	const struct uxs_fates *fates;
	struct uxs_stats *stats;
	struct uxs_log *log;
	const struct uxs_loop *loop;
	uint64_t connection;
	uint64_t message; /* that in hand, or the last that was */
	struct uxs_fate fate; /* of that in hand */
	uint32_t done; /* faults of it that are counted */
	bool is_in_hand;
};

/* The next message is in hand, until fated_end. */
void fated_begin(struct fated *fated);
void fated_end(struct fated *fated);

/* The fate of message number n of this connection. */
struct uxs_fate fated_of(const struct fated *fated, uint64_t n);

static inline bool
fate_has(const struct uxs_fate *fate, enum uxs_fault fault)
{
	return (fate->faults & 1U << fault) != 0;
}

/* Is there something in hand that this is to happen to? */
static inline bool
fated_has(const struct fated *fated, enum uxs_fault fault)
{
	return fated->is_in_hand && fate_has(&fated->fate, fault);
}

/* It has happened: count it, once for a message, and log it. The message is
 * that in hand, or number n. */
void fated_count(struct fated *fated, enum uxs_fault fault, enum uxs_type type,
    const struct uxs_peer *peer);
void fated_count_of(struct fated *fated, uint64_t n, enum uxs_fault fault,
    enum uxs_type type, const struct uxs_peer *peer);

/* How long an answer is to be when it is cut; length is 2 or more. */
size_t fated_cut(const struct fated *fated, size_t length);

/* Change one byte of length ones, which is 1 or more. */
void fated_corrupt(const struct fated *fated, char *data, size_t length,
    bool is_line);

/* ---- answers that wait ---- */

struct delayed {
	STAILQ_ENTRY(delayed) next;
	int64_t due_ns;
	size_t length;
	char data[];
};

/* In the order in which they go out: none before the one in front of it. */
struct delays {
	STAILQ_HEAD(, delayed) queue;
	size_t bytes; /* what all of them take */
};

void delays_init(struct delays *delays);

/* With room for length bytes; NULL: no memory. To be freed by free(3). */
struct delayed *delayed_new(size_t length);

static inline size_t
delayed_cost(size_t length)
{
	return sizeof(struct delayed) + length;
}

static inline bool
delays_are_there(const struct delays *delays)
{
	return !STAILQ_EMPTY(&delays->queue);
}

/* Takes delayed, for that time or later. */
void delays_put(struct delays *delays, struct delayed *delayed, int64_t due_ns);

/* Gives the first one; NULL where none is due by then. */
struct delayed *delays_take(struct delays *delays, int64_t now_ns);

/* Have the timer expire with the first one, or stop it where there is none. */
void delays_arm(const struct delays *delays, struct uxs_loop *loop,
    struct uxs_timer *timer);

#endif
