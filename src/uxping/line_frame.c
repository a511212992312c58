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
line_frame(char *frame, const char *line, size_t length,
    enum uxs_framing framing)
{
	const size_t size = length - (line[length - 1] == '\n');
	struct uxs_frame_ends ends;

	/* What fits into a buffer can be expressed. */
	uxs_frame_ends_fill(&ends, framing, size);
	memcpy(frame, ends.head, ends.n_head);
	memcpy(frame + ends.n_head, line, size);
	memcpy(frame + ends.n_head + size, ends.tail, ends.n_tail);
	return ends.n_head + size + ends.n_tail;
}
