/* SPDX-License-Identifier: ISC */
#ifndef UXS_BULK_H
#define UXS_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is a stream worth a pipe? Passing pages on takes two calls as well, and costs
 * less than copying them only where they are many; what a stream was like tells
 * what it will be. Pure: lengths in, decisions out.
 */

/*
 * Of a read that counts as large; so many more of them than of smaller ones,
 * such as the end of what fitted into the client's buffer, switch over, and so
 * many smaller ones in a row switch back. Measured for one message at a time,
 * with 32 KiB it takes 1.1 of the processor time of copying, with 40 KiB 0.85.
 * Not more than 36544: a longer write is cut into pieces of that, and a read
 * may find only the first.
 */
#define BULK_BYTES ((size_t)34 * 1024)
#define BULK_AFTER 4

/* Taken at once at the most: what a pipe of 64 pages holds. */
#define BULK_MAX ((size_t)256 * 1024)

struct bulk {
	uint32_t send_buffer; /* SO_SNDBUF as we made it; 0: not yet */
	uint8_t n_large; /* less the smaller ones; BULK_AFTER: it is bulk */
	uint8_t n_small; /* in a row, of bulk */
};

static inline bool
bulk_is_on(const struct bulk *bulk)
{
	return bulk->n_large == BULK_AFTER;
}

/* n bytes came, and size could have. */
void bulk_note(struct bulk *bulk, size_t n, size_t size);

/*
 * How much to take, so that of what the send buffer has no room for, unsent
 * bytes being in there, no more is left than may be kept.
 */
size_t bulk_size(const struct bulk *bulk, size_t unsent, size_t may_be_kept);

#endif
