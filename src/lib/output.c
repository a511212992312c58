/* SPDX-License-Identifier: ISC */
/* Unread output: a byte queue in one block that exists only while needed. */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t packet_length;

static int
make_room(struct output *output, size_t more, size_t limit)
{
	const size_t held = output_bytes(output);
	const size_t need = held + more;
	size_t capacity;
	char *data;

	if (output->end + more <= output->capacity)
		return 0;
	if (need > UINT32_MAX)
		return -ENOMEM;
	if (output->start > 0) {
		memmove(output->data, output->data + output->start, held);
		output->start = 0;
		output->end = (uint32_t)held;
	}
	if (need <= output->capacity)
		return 0;
	/* Half as much again saves copying; past the limit it is waste. */
	capacity = need + need / 2;
	if (capacity > limit)
		capacity = need > limit ? need : limit;
	if ((data = realloc(output->data, capacity)) == NULL)
		return -ENOMEM;
	output->data = data;
	output->capacity = (uint32_t)capacity;
	return 0;
}

static void
append(struct output *output, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	memcpy(output->data + output->end, bytes, length);
	output->end += (uint32_t)length;
}

int
output_keep(struct output *output, const void *bytes, size_t length,
    bool is_packet, size_t limit)
{
	const packet_length header = (packet_length)length;
	const size_t more = length + (is_packet ? sizeof(header) : 0);

	if (length > UINT32_MAX - sizeof(header) ||
	    make_room(output, more, limit) < 0)
		return -ENOMEM;
	if (is_packet)
		append(output, &header, sizeof(header));
	append(output, bytes, length);
	return 0;
}

const void *
output_first(const struct output *output, bool is_packet, size_t *length)
{
	const char *first = output->data + output->start;
	packet_length header;

	if (!is_packet) {
		*length = output_bytes(output);
		return first;
	}
	memcpy(&header, first, sizeof(header));
	*length = header;
	return first + sizeof(header);
}

void
output_drop_first(struct output *output, bool is_packet, size_t length)
{
	output->start +=
	    (uint32_t)(length + (is_packet ? sizeof(packet_length) : 0));
	if (output->start == output->end)
		output_fini(output);
}

void
output_fini(struct output *output)
{
	free(output->data);
	*output = (struct output){ 0 };
}
