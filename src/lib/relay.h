/* SPDX-License-Identifier: ISC */
#ifndef UXS_RELAY_H
#define UXS_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/*
 * The pipe through which bulk data passes without being copied: splice(2)
 * moves the pages of a socket into the pipe, and on into a socket.
 *
 * One serves all connections of a loop, since it is empty before and after
 * each of them has its turn: what a client does not take at once is read out
 * of it, and kept as anything else that is unread. So it costs two
 * descriptors, however many clients do not read.
 */
struct relay {
	bool is_open; /* the rest counts only then */
	int in, out;
	size_t size;
};

/*
 * Open it, unless it is. Returns 0, or a negative errno where data has to be
 * copied: no descriptors, no pages left for pipes of this user (-EPERM), or
 * SIGPIPE is not ignored (-ENOTSUP). splice(2) raises it where nobody reads,
 * without a flag against that as send(2) has, and signals are not ours.
 */
int relay_open(struct relay *relay);

/* Make the send buffer of a socket as large as helps. Returns what it is
 * then: the kernel doubles what it is told, and bounds it by wmem_max. */
uint32_t relay_enlarge(int fd);

/* Bytes in the send buffer, the kernel's own part counted; SIZE_MAX where it
 * does not tell. */
size_t relay_unsent(int fd);

/* Take at most size bytes in. The outcomes are those of a stream, or
 * WIRE_UNABLE. */
enum wire_received relay_receive(struct relay *relay, int fd, size_t size,
    size_t *n);

/* Pass on the length bytes that are in it. */
enum wire_sent relay_send(struct relay *relay, int fd, size_t length,
    size_t *n);

/* Read out the length bytes that are left. Returns 0 or a negative errno. */
int relay_read(struct relay *relay, void *buffer, size_t length);

/* With all that is in it. May be called twice. */
void relay_close(struct relay *relay);

#endif
