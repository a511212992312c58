/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PACKET_H
#define UXPING_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a ping looks like, byte by byte. Pure.
 *
 *	[sequence number: 8][time sent: 8][pattern ...][newline]
 *
 * The head is there from 16 bytes up. Its bytes carry 7 bits each and have the
 * top bit set, the pattern is letters and digits, and the newline is the last
 * byte: a ping is one line, for servers that answer lines. Shorter pings are
 * pattern and newline only; where the pattern starts depends on the sequence
 * number.
 */

#define PACKET_HEAD_SIZE 16

void packet_fill(void *bytes, size_t size, uint64_t seq, int64_t sent_ns);

/* Read the head. Returns false where there is none. *stamp is to be compared
 * with packet_stamp of the time that was sent. */
bool packet_read_head(const void *bytes, size_t length, uint64_t *seq,
    uint64_t *stamp);

/* What of a time survives the journey: its lower 56 bits. */
uint64_t packet_stamp(int64_t sent_ns);

struct packet_difference {
	size_t offset;
	unsigned char was, should_be;
};

/* Compare the first length bytes with the ping that was sent. Returns false
 * where they are the same. */
bool packet_differs(const void *bytes, size_t length, size_t size, uint64_t seq,
    int64_t sent_ns, struct packet_difference *difference);

#endif
