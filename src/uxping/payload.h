/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PAYLOAD_H
#define UXPING_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uxsrv/framing.h>

/*
 * What a message of the bench looks like. Pure.
 *
 *	[sequence number, up to 8 bytes][letters, digits ...][newline]
 *
 * A byte of the sequence number carries 7 bits and has its top bit set, so
 * that services which change letters or read lines leave it alone; the
 * newline at the end makes a message one line for those that want lines. The
 * rest is a pattern without a short period, so that bytes which come from
 * another place are seen.
 */

#define PAYLOAD_SEQUENCE_MAX 8

struct payload {
	size_t size;
	size_t start, message_size; /* of it without its ends */
	unsigned char *bytes; /* owned; as of the last payload_stamp */
};

/*
 * A message of that size with the ends that a framing gives it, which come
 * back with it: size and bytes are then of all of it. A line has its newline
 * already. Returns 0 or -ENOMEM.
 */
int payload_init(struct payload *payload, size_t size,
    enum uxs_framing framing);
void payload_fini(struct payload *payload);

/* How many bits of a sequence number this payload can carry, 0 to 56. */
int payload_sequence_bits(const struct payload *payload);

/* Write the sequence number, or what of it fits, into payload->bytes. */
void payload_stamp(struct payload *payload, uint64_t sequence);

/* Read it back from a reply. Returns false where there is none. */
bool payload_read(const struct payload *payload, const void *reply,
    size_t length, uint64_t *sequence);

/* Are these bytes those of message sequence from offset on? Changes the
 * sequence number in payload->bytes. */
bool payload_matches(struct payload *payload, uint64_t sequence, size_t offset,
    const void *bytes, size_t length);

/* Byte i of an endless pattern whose period is the prime below. */
#define PAYLOAD_PERIOD 65521
unsigned char payload_pattern(size_t i);

#endif
