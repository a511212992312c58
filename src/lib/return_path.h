/* SPDX-License-Identifier: ISC */
#ifndef UXS_RETURN_PATH_H
#define UXS_RETURN_PATH_H

#include <sys/socket.h>
#include <sys/un.h>

#include <uxsrv/peer.h>

/*
 * Where the answer to a datagram may go.
 *
 * The return address is a string that the sender chose, and the kernel looks
 * it up again for the reply, with the server's rights: a sender who swaps his
 * own socket for a link to a root-only one would have a privileged server
 * carry his bytes there. So a path is trusted only when the sender could have
 * sent there himself without us.
 */

/* One more byte than the struct: a name of 108 bytes comes without a NUL. */
union return_address {
	struct sockaddr_un un;
	char bytes[sizeof(struct sockaddr_un) + 1];
};

struct return_path {
	struct sockaddr_un to;
	socklen_t length;
	int pin_fd; /* holds the verified inode until sent; -1: none needed */
};

enum return_path_outcome {
	RETURN_PATH_OPEN,
	RETURN_PATH_NONE, /* the sender has no name */
	RETURN_PATH_GONE, /* there is nothing, or we cannot get there */
	RETURN_PATH_NOT_SENDERS, /* it is not provably the sender's */
	RETURN_PATH_EXHAUSTED, /* no descriptor left to look with */
};

/*
 * Find where to reply to sender, whose message came from that address. A
 * sender who is root, or who has our own uid, is believed. Everybody else's
 * path must be absolute and lead, without a symbolic link at its end, to a
 * socket that the sender owns; the reply then goes to that very inode.
 */
enum return_path_outcome return_path_open(struct return_path *path,
    const union return_address *from, socklen_t from_length,
    const struct uxs_peer *sender);

void return_path_close(struct return_path *path);

#endif
