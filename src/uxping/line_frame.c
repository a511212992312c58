/* SPDX-License-Identifier: ISC */
#include "line_frame.h"

#include <string.h>

size_t
line_first(const char *buffer, size_t have, bool is_all)
{
	const char *newline = memchr(buffer, '\n', have);

	if (newline != NULL)
		return (size_t)(newline - buffer) + 1;
	return is_all ? have : 0;
}

size_t
line_frame(char *buffer, size_t *have, size_t line, enum uxs_framing framing)
{
	const size_t size = line - (buffer[line - 1] == '\n');
	struct uxs_frame_ends ends;
	size_t frame;

	/* What fits into the buffer can be expressed. */
	uxs_frame_ends_fill(&ends, framing, size);
	frame = ends.n_head + size + ends.n_tail;
	memmove(buffer + frame, buffer + line, *have - line);
	memmove(buffer + ends.n_head, buffer, size);
	memcpy(buffer, ends.head, ends.n_head);
	memcpy(buffer + ends.n_head + size, ends.tail, ends.n_tail);
	*have += frame - line;
	return frame;
}
