/* SPDX-License-Identifier: ISC */
#ifndef UXS_FATE_H
#define UXS_FATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

/*
 * What is to go wrong, on purpose, so that clients can be tested: a function
 * of the caller's decides the fate of each message, and the server carries it
 * out. Whoever sets no such function pays nothing for it.
 *
 *	static void
 *	of_message(struct uxs_fate *fate, uint64_t connection,
 *	    uint64_t message, void *arg)
 *	{
 *		if (message % 100 == 0)
 *			fate->faults = 1U << UXS_FAULT_DROP;
 *	}
 *
 *	const struct uxs_fates fates = { .of_message = of_message };
 *
 *	conf.fates = &fates;
 */

enum uxs_fault {
	UXS_FAULT_DELAY, /* the answer waits for delay_ns */
	UXS_FAULT_DROP, /* it is not sent */
	UXS_FAULT_CORRUPT, /* one byte of it is another one */
	UXS_FAULT_SHORT, /* a stream: it comes in two parts; else cut short */
	UXS_FAULT_CLOSE, /* in place of the answer the connection ends */
	UXS_FAULT_STALL, /* it stays open, with no answer any more */
	UXS_FAULT_RESET, /* it ends with ECONNRESET at the client */
	UXS_N_FAULTS
};

/*
 * The fate of one message, and of what the service answers to it: by
 * uxs_client_reply, to the sender, within on_message. What is told to others,
 * or at another time, comes as it is.
 *
 * RESET goes before CLOSE, that before STALL, and that before all others; DROP
 * before those that need an answer. With the first three the service does not
 * see the message, with RESET nobody does: it is not even received, since the
 * kernel says ECONNRESET only where something was left unread. A datagram has
 * no connection, and those three do nothing to it. In any case what was
 * answered before still goes out first, and answers keep their order.
 *
 * CORRUPT changes byte corrupt_at, modulo the length of the answer, by an
 * exclusive or with corrupt_mask, but never to a newline where lines are the
 * framing, nor a frame's ends. SHORT cuts at 1 + short_at modulo the length
 * less one, ends of a frame included: the second part on a stream follows a
 * millisecond later, that of a packet never. Of less than one byte, or less
 * than two, there is nothing to change, or to cut. Only what was done is
 * counted, each kind once for a message, in uxs_stats_of_type.faults.
 *
 * Answers that wait for their time are kept within buffer_bytes of the
 * connection, which is not read when they fill it, and a drain waits for them.
 * Those to datagrams are kept within as much for each socket, beyond that
 * dropped (UXS_DROP_FULL), and sent early where the server drains or leaves.
 */
struct uxs_fate {
	uint32_t faults; /* 1U << UXS_FAULT_..., or'ed */
	int64_t delay_ns; /* over 0 */
	uint64_t corrupt_at, short_at;
	uint8_t corrupt_mask; /* not 0 */
};

struct uxs_fates {
	/*
	 * The fate of a message, of zeroes before. Connections have the
	 * numbers 1, 2, 3 in the order in which they are let in, and messages
	 * those in which they come; without framing, a receive of a stream is
	 * a message. Datagrams are connection 0, and each socket counts its
	 * own. It must depend on nothing but these two numbers, since a message
	 * may be asked for more than once, before it is there, and in several
	 * threads at a time.
	 */
	void (*of_message)(struct uxs_fate *fate, uint64_t connection,
	    uint64_t message, void *arg);
	/* May there be a RESET? Then framed streams are received in parts that
	 * do not reach into the message that is not to be read. */
	bool has_resets;
	void *arg;
};

/* "delay", "drop": as it stands in logs and statistics. */
const char *uxs_fault_name(enum uxs_fault fault);

__END_DECLS

#endif
