/* SPDX-License-Identifier: ISC */
/*
 * A message's bytes, and whether a reply has them.
 */
#include "payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t
sequence_bytes(const struct payload *payload)
{
	return payload->message_size < PAYLOAD_SEQUENCE_MAX ?
	    payload->message_size :
	    PAYLOAD_SEQUENCE_MAX;
}

unsigned char
payload_pattern(size_t i)
{
	static const char letters[64] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz+-";
	/* The top bits of a multiplicative hash of the square: neighbours
	 * differ, and so does the pattern from itself moved along. */
	const uint32_t j = i % PAYLOAD_PERIOD;

	return (unsigned char)letters[(j * j * UINT32_C(2654435761)) >> 26];
}

static void
fill_message(unsigned char *message, size_t size)
{
	for (size_t i = 0; i < size; i++)
		message[i] = payload_pattern(i);
	if (size > PAYLOAD_SEQUENCE_MAX)
		message[size - 1] = '\n';
}

int
payload_init(struct payload *payload, size_t size, enum uxs_framing framing)
{
	struct uxs_frame_ends ends;

	/* Sizes are bounded far below what a framing can express. */
	uxs_frame_ends_fill(&ends,
	    framing == UXS_FRAMING_LINE ? UXS_FRAMING_NONE : framing, size);
	payload->start = ends.n_head;
	payload->message_size = size;
	payload->size = ends.n_head + size + ends.n_tail;
	payload->bytes = malloc(payload->size + 1); /* never of 0 bytes */
	if (payload->bytes == NULL)
		return -ENOMEM;
	memcpy(payload->bytes, ends.head, ends.n_head);
	fill_message(payload->bytes + ends.n_head, size);
	memcpy(payload->bytes + ends.n_head + size, ends.tail, ends.n_tail);
	payload_stamp(payload, 0);
	return 0;
}

void
payload_fini(struct payload *payload)
{
	free(payload->bytes);
	payload->bytes = NULL;
}

int
payload_sequence_bits(const struct payload *payload)
{
	return 7 * (int)sequence_bytes(payload);
}

void
payload_stamp(struct payload *payload, uint64_t sequence)
{
	for (size_t i = 0; i < sequence_bytes(payload); i++) {
		payload->bytes[payload->start + i] =
		    (unsigned char)(0x80 | (sequence & 0x7f));
		sequence >>= 7;
	}
}

bool
payload_read(const struct payload *payload, const void *reply, size_t length,
    uint64_t *sequence)
{
	const unsigned char *bytes = reply;
	const size_t n = sequence_bytes(payload);

	if (n == 0 || length < n)
		return false;
	*sequence = 0;
	for (size_t i = n; i-- > 0;) {
		if ((bytes[i] & 0x80) == 0)
			return false;
		*sequence = *sequence << 7 | (bytes[i] & 0x7f);
	}
	return true;
}

bool
payload_matches(struct payload *payload, uint64_t sequence, size_t offset,
    const void *bytes, size_t length)
{
	if (offset > payload->size || length > payload->size - offset)
		return false;
	payload_stamp(payload, sequence);
	return memcmp(payload->bytes + offset, bytes, length) == 0;
}
