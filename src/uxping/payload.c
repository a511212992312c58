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
	return payload->size < PAYLOAD_SEQUENCE_MAX ? payload->size :
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

int
payload_init(struct payload *payload, size_t size)
{
	payload->size = size;
	payload->bytes = malloc(size + 1); /* never of 0 bytes */
	if (payload->bytes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		payload->bytes[i] = payload_pattern(i);
	if (size > PAYLOAD_SEQUENCE_MAX)
		payload->bytes[size - 1] = '\n';
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
		payload->bytes[i] = (unsigned char)(0x80 | (sequence & 0x7f));
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
