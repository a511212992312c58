/* SPDX-License-Identifier: ISC */
#ifndef UXS_WIRE_H
#define UXS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct reaper;

/*
 * One send and one receive on a connected socket, each a single system call
 * (but where a packet needs a larger buffer), with what it came to as a value.
 * Never blocks, never raises SIGPIPE, knows nothing of sessions.
 */

enum wire_sent {
	WIRE_SENT, /* *n bytes; of a packet all */
	WIRE_BLOCKED, /* the other end has to read first */
	WIRE_CONGESTED, /* the kernel has no memory for it now */
	WIRE_GONE, /* nobody will read */
	WIRE_UNSENDABLE, /* a packet that the kernel will never take */
};

enum wire_sent wire_send(int fd, const void *data, size_t length, size_t *n);

/* The same of several parts, one behind the other; of a stream. */
enum wire_sent wire_send_parts(int fd, const struct iovec *parts,
    size_t n_parts, size_t *n);

enum wire_received {
	WIRE_RECEIVED, /* *n bytes; of a packet all, and it may be empty */
	WIRE_NOTHING, /* not now */
	WIRE_END, /* end of file: nothing will come any more */
	WIRE_RESET, /* the other end closed with our output unread; read on */
	WIRE_TOO_LONG, /* a packet of over size bytes; it is lost */
	WIRE_LOST, /* passed descriptors did not arrive with the rest */
	WIRE_STARVED, /* the kernel has no memory to hand it over */
	WIRE_UNABLE, /* by this call; another may do */
	WIRE_BROKEN, /* the socket is of no use any more */
};

/* size must not be 0, which would look like the end of file. */
enum wire_received wire_receive_stream(int fd, void *buffer, size_t size,
    size_t *n);

/*
 * A packet of which it is known that it waits, as epoll_wait(2) said EPOLLIN
 * and not EPOLLRDHUP: so a receive of 0 is an empty one, and never WIRE_END.
 */
enum wire_received wire_receive_packet(int fd, void *buffer, size_t size,
    size_t *n);

/* Where the end may have come. SO_PASSCRED must be on, now, to tell it from an
 * empty packet; that makes an echo a tenth dearer, so not before. */
enum wire_received wire_receive_last_packet(int fd, void *buffer, size_t size,
    size_t *n);

/*
 * Any of these, for kernels that cannot refuse passed descriptors: takes
 * them along and gives them to the reaper. A plain receive would close them
 * on the spot, and that can wait. Without may_end WIRE_END is no outcome.
 */
enum wire_received wire_receive_passed(int fd, void *buffer, size_t size,
    bool may_end, struct reaper *reaper, size_t *n);

/*
 * Both for bulk data, between a stream and a pipe: pages move, bytes are not
 * copied. WIRE_UNABLE is an outcome of this receive alone, where splice(2)
 * does not do it or is forbidden. Where nobody reads, the send raises SIGPIPE.
 */
enum wire_received wire_receive_spliced(int fd, int pipe, size_t size,
    size_t *n);
enum wire_sent wire_send_spliced(int fd, int pipe, size_t length, size_t *n);

#endif
