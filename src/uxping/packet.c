/* SPDX-License-Identifier: ISC */
/* Pings as bytes. The expected ones are computed again and not kept. */
#include "packet.h"

#include "payload.h"

#define NUMBER_SIZE (PACKET_HEAD_SIZE / 2)
#define NUMBER_MASK ((UINT64_C(1) << 7 * NUMBER_SIZE) - 1)

/* Byte i of a ping, the only definition of what is in it. */
static unsigned char
byte_at(size_t i, size_t size, uint64_t seq, uint64_t stamp)
{
	const bool has_head = size >= PACKET_HEAD_SIZE;

	if (has_head && i < PACKET_HEAD_SIZE) {
		const uint64_t number = i < NUMBER_SIZE ? seq : stamp;

		return 0x80 | (number >> 7 * (i % NUMBER_SIZE) & 0x7f);
	}
	if (i == size - 1 && size > 1)
		return '\n';
	return payload_pattern(i + (size_t)(seq % PAYLOAD_PERIOD));
}

uint64_t
packet_stamp(int64_t sent_ns)
{
	return (uint64_t)sent_ns & NUMBER_MASK;
}

void
packet_fill(void *bytes, size_t size, uint64_t seq, int64_t sent_ns)
{
	unsigned char *to = bytes;

	for (size_t i = 0; i < size; i++)
		to[i] = byte_at(i, size, seq, packet_stamp(sent_ns));
}

bool
packet_read_head(const void *bytes, size_t length, uint64_t *seq,
    uint64_t *stamp)
{
	const unsigned char *from = bytes;

	if (length < PACKET_HEAD_SIZE)
		return false;
	*seq = *stamp = 0;
	for (size_t i = PACKET_HEAD_SIZE; i-- > 0;) {
		uint64_t *number = i < NUMBER_SIZE ? seq : stamp;

		if (from[i] < 0x80)
			return false;
		*number = *number << 7 | (from[i] & 0x7f);
	}
	return true;
}

bool
packet_differs(const void *bytes, size_t length, size_t size, uint64_t seq,
    int64_t sent_ns, struct packet_difference *difference)
{
	const unsigned char *from = bytes;
	const uint64_t stamp = packet_stamp(sent_ns);

	for (size_t i = 0; i < length && i < size; i++) {
		const unsigned char expected = byte_at(i, size, seq, stamp);

		if (from[i] != expected) {
			*difference = (struct packet_difference){
				.offset = i,
				.was = from[i],
				.should_be = expected,
			};
			return true;
		}
	}
	return false;
}
