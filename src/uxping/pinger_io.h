/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PINGER_IO_H
#define UXPING_PINGER_IO_H

#include <stddef.h>
#include <stdint.h>

struct pinger;

/* The system calls of a pinger; what they mean for it is pinger.c's affair. */

/* CLOCK_MONOTONIC, now and not as of the start of the loop's turn. */
int64_t pinger_io_now_ns(void);

/*
 * Make a new link ready for pings of this size. Returns 0, or a negative errno
 * with the diagnosis filled when such pings cannot be sent over it.
 */
int pinger_io_prepare(struct pinger *pinger);

/* Put the next ping into pinger->out, with the ends of its frame. */
void pinger_io_fill(struct pinger *pinger, uint64_t seq, int64_t sent_ns);

/* Send what is left of pinger->out, as much as goes. Returns 0 or a negative
 * errno. */
int pinger_io_send(struct pinger *pinger);

enum pinger_io_outcome {
	PINGER_IO_ANSWER, /* a whole one is in pinger->in */
	PINGER_IO_NOTHING, /* more to come, later */
	PINGER_IO_END, /* the server closed */
};

/* What is received of a framed stream at once. */
#define PINGER_IO_RAW_BYTES 4096

/* Receive one message, or more of one from a stream. Returns the outcome, or a
 * negative errno; -EBADMSG where the stream is not framed as it should be.
 * *length may be more than fits into pinger->in. */
int pinger_io_receive(struct pinger *pinger, size_t *length);

#endif
