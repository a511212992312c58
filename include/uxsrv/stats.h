/* SPDX-License-Identifier: ISC */
#ifndef UXS_STATS_H
#define UXS_STATS_H

#include <stdint.h>
#include <sys/cdefs.h>

#include <uxsrv/address.h>
#include <uxsrv/fate.h>
#include <uxsrv/loop.h>

__BEGIN_DECLS

/*
 * What happened, in numbers that only grow (connections and loops excepted).
 * The names are those of the daemon's statistics: received_bytes is
 * uxecho_received_bytes_total{type}.
 */

enum uxs_refusal {
	UXS_REFUSAL_RULES,
	UXS_REFUSAL_MAX_CONNS,
	UXS_REFUSAL_MAX_PER_USER,
	UXS_REFUSAL_RATE, /* for the moment */
	UXS_REFUSAL_DESCRIPTORS, /* or memory: accepted, but not to be kept */
	UXS_N_REFUSALS
};

enum uxs_drop {
	UXS_DROP_NO_RETURN_ADDRESS, /* the sender has no name to reply to */
	UXS_DROP_NOT_SENDERS, /* the return address is somebody else's */
	UXS_DROP_FULL, /* the client does not read */
	UXS_DROP_GONE, /* the client is not there any more */
	UXS_DROP_TOO_LONG, /* a message over the limit, or over the kernel's */
	UXS_DROP_MALFORMED, /* not framed as agreed, or not to its end */
	UXS_DROP_SELF, /* our own reply came back to us */
	UXS_DROP_LOST_DESCRIPTORS, /* came with some that did not arrive */
	UXS_DROP_DESCRIPTORS, /* none left to look at the return address */
	UXS_DROP_FOREIGN, /* over loopback, but not from an address of it */
	UXS_DROP_ERROR, /* the service, or the kernel, said no */
	UXS_N_DROPS
};

enum uxs_close {
	UXS_CLOSE_EOF, /* the client ended it and has got everything */
	UXS_CLOSE_GONE, /* the client went away with replies unread */
	UXS_CLOSE_REFUSED, /* by the service */
	UXS_CLOSE_DONE, /* the service was done with it */
	UXS_CLOSE_IDLE, /* silent for too long */
	UXS_CLOSE_WRITE_TIMEOUT, /* did not read for too long */
	UXS_CLOSE_TOO_LONG, /* sent a message over the limit */
	UXS_CLOSE_MALFORMED, /* sent what is no message */
	UXS_CLOSE_LOST_DESCRIPTORS, /* passed some that did not arrive */
	UXS_CLOSE_MEMORY,
	UXS_CLOSE_ERROR,
	UXS_CLOSE_RULES, /* not allowed any more */
	UXS_CLOSE_DRAIN, /* the drain time was over */
	UXS_CLOSE_FAULT, /* that was its fate; see fate.h */
	UXS_N_CLOSES
};

struct uxs_stats_of_type {
	uint64_t connections; /* open now */
	uint64_t accepted;
	uint64_t refused[UXS_N_REFUSALS]; /* datagrams by rules and rate */
	uint64_t received_bytes, received_messages;
	uint64_t sent_bytes, sent_messages;
	uint64_t dropped[UXS_N_DROPS];
	uint64_t faults[UXS_N_FAULTS]; /* done on purpose; see fate.h */
};

struct uxs_stats {
	struct uxs_stats_of_type of[UXS_N_ALL_TYPES];
	uint64_t closed[UXS_N_CLOSES];
	uint64_t pauses; /* of accepting, for want of descriptors or memory */
	uint64_t rebinds; /* socket files that were lost and made anew */
	uint64_t loops; /* in use now, of n_threads */
	uint64_t moves; /* of connections, from one loop to another */
	struct uxs_spin_stats spin;
	/* Of all loops; where is_measured, or n_threads is over 1. */
	struct uxs_turn_stats turns;
};

/* The reason as it stands in logs and statistics: "rules", "full", "eof". */
const char *uxs_refusal_name(enum uxs_refusal refusal);
const char *uxs_drop_name(enum uxs_drop drop);
const char *uxs_close_name(enum uxs_close close);

__END_DECLS

#endif
