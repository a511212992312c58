/* SPDX-License-Identifier: ISC */
/* When to switch over and back, and how much to take at once. */
#include "bulk.h"

/* What the kernel charges to a send buffer for its own part of the buffers
 * that 64 pages go into: they hold 16 pages or more each, and it is less than
 * 1.3 KiB each. */
#define OVERHEAD_BYTES ((size_t)16 * 1024)

void
bulk_note(struct bulk *bulk, size_t n, size_t size)
{
	if (n >= BULK_BYTES) {
		bulk->n_small = 0;
		if (!bulk_is_on(bulk))
			bulk->n_large++;
	} else if (n == size) {
		/* There was no room for more: it tells nothing. */
	} else if (!bulk_is_on(bulk)) {
		bulk->n_large -= bulk->n_large > 0;
	} else if (++bulk->n_small == BULK_AFTER) {
		bulk->n_large = bulk->n_small = 0;
	}
}

size_t
bulk_size(const struct bulk *bulk, size_t unsent, size_t may_be_kept)
{
	const size_t free_bytes =
	    unsent < bulk->send_buffer ? bulk->send_buffer - unsent : 0;
	const size_t room =
	    free_bytes > OVERHEAD_BYTES ? free_bytes - OVERHEAD_BYTES : 0;

	if (may_be_kept >= BULK_MAX || room >= BULK_MAX - may_be_kept)
		return BULK_MAX;
	return room + may_be_kept;
}
