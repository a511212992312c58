/* SPDX-License-Identifier: ISC */
#ifndef UXS_OUTPUT_H
#define UXS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a client has not taken yet. Pure memory: nothing is allocated while it
 * is empty, and all is freed when it has become empty. A packet keeps its
 * boundaries by a length in front of it.
 */
struct output {
	char *data;
	uint32_t start, end, capacity;
};

/* Bytes held, the packets' lengths counted, so that empty packets add up. */
static inline size_t
output_bytes(const struct output *output)
{
	return output->end - output->start;
}

/* What it takes to keep so many bytes, or a packet of them. */
static inline size_t
output_cost(size_t length, bool is_packet)
{
	return length + (is_packet ? sizeof(uint32_t) : 0);
}

/*
 * Keep bytes, or one packet, behind what is there. limit is how much will be
 * held at the most, so that growing does not overshoot it.
 * Returns 0 or -ENOMEM; then nothing of it was kept.
 */
int output_keep(struct output *output, const void *bytes, size_t length,
    bool is_packet, size_t limit);

/* The first packet, or all the bytes; borrowed until the next change. Only
 * when output_bytes is not 0. */
const void *output_first(const struct output *output, bool is_packet,
    size_t *length);

/* The first packet, or this many bytes, are done with. */
void output_drop_first(struct output *output, bool is_packet, size_t length);

void output_fini(struct output *output);

#endif
