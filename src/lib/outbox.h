/* SPDX-License-Identifier: ISC */
#ifndef UXS_OUTBOX_H
#define UXS_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <uxsrv/stats.h>

#include "return_path.h"
#include "share.h"

/*
 * Replies to datagrams on their way out: each is given a verified return
 * path, and they are sent as a batch. Never blocks. What becomes of a reply is
 * told to the owner, once for each.
 */

/*
 * All replies that nobody has read yet fill the one send buffer of the socket.
 * Once it is crowded, each uid has a share of what is left, and over that it
 * is sent to from a socket of its own. That costs a descriptor, and reaches
 * only those clients who hear others than us: one that is connected to our
 * socket does not.
 */
struct reply_socket {
	uid_t uid;
	int fd; /* -1: free */
};

#define REPLY_SOCKETS_MAX 16

/* As many as a mailbox receives at once. */
#define OUTBOX_MAX 16

/* Whom a reply is for. */
struct outbox_origin {
	const union return_address *from; /* borrowed until sent */
	socklen_t length;
	struct uxs_peer sender;
	void *owner; /* the outbox owner's; NULL at will */
};

struct outbox {
	/* A reply of so many bytes was sent. */
	void (*on_sent)(struct outbox *outbox, size_t length);
	/* One was not. */
	void (*on_dropped)(struct outbox *outbox,
	    const struct outbox_origin *origin, enum uxs_drop reason);
	/* Of the loopback interface: there the kernel writes where a message
	 * came from, and what waits to be read is charged to its receiver. */
	bool is_loopback;
	/* private */
	int fd;
	size_t max_message;
	size_t send_buffer; /* bytes of it */
	struct return_paths paths;
	struct shares shares;
	struct reply_socket sockets[REPLY_SOCKETS_MAX];
	unsigned n;
	struct mmsghdr out[OUTBOX_MAX];
	struct iovec iov[OUTBOX_MAX];
	struct return_path to[OUTBOX_MAX];
	struct outbox_origin origins[OUTBOX_MAX];
};

/* How many messages the queue of a receiver holds. Read from a file by the
 * first call: one should come before this process may be confined. */
size_t outbox_queue_length(void);

/* Borrows fd. max_message is the longest reply that is expected, own_dev and
 * own_ino are of our own socket file, which gets none. */
void outbox_init(struct outbox *outbox, int fd, size_t max_message,
    dev_t own_dev, ino_t own_ino);

/* Before the first reply to a batch of messages; see return_paths_begin. */
void outbox_begin(struct outbox *outbox);

/* As of then. */
static inline pid_t
outbox_own_pid(const struct outbox *outbox)
{
	return outbox->paths.own_pid;
}

/*
 * Put a reply in. The bytes are borrowed until outbox_send, which is called
 * from here when the outbox is full. Returns an enum uxs_reply; a drop has
 * been told.
 */
int outbox_put(struct outbox *outbox, const struct outbox_origin *origin,
    const void *data, size_t length);
void outbox_send(struct outbox *outbox);

/*
 * Could a reply go there, now and later? A path can be looked at each time. An
 * abstract name has no owner to look at, and who has it tomorrow is anybody's
 * guess, so it will do only for a sender who is believed anyway. Otherwise a
 * drop is told.
 */
bool outbox_reaches(struct outbox *outbox, const struct outbox_origin *origin);

/* Give back descriptors that are held to save time. Returns how many. */
size_t outbox_trim(struct outbox *outbox);

/* After outbox_init; may be called twice. What was put in and not sent is
 * forgotten. */
void outbox_close(struct outbox *outbox);

#endif
