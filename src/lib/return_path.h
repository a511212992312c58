/* SPDX-License-Identifier: ISC */
#ifndef UXS_RETURN_PATH_H
#define UXS_RETURN_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/tree.h>
#include <sys/types.h>
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
 *
 * A verified path is held open, a pin, and kept for the next message of the
 * same user from there. The reply goes to what is held, so that whatever
 * happens to the path after the last look, it reaches a socket of the sender's
 * or nobody. Before each use the owner is asked for again, and the path looked
 * at unless the socket was neither moved, removed nor linked since, which
 * shows in its times: it must still be the very inode that is held. While it
 * is held its number cannot be given to another file.
 *
 * What does not show there is that a directory above was renamed and another
 * put in its place, with another socket of the same user in it. That is
 * noticed within a second; until then the old socket hears, if it lives.
 */

/* More than the struct: a name of 108 bytes comes without a NUL. */
union return_address {
	struct sockaddr_un un;
	struct sockaddr_storage any; /* of the loopback interface */
	char bytes[sizeof(struct sockaddr_storage)];
};

RB_HEAD(return_pins, return_pin);
TAILQ_HEAD(return_pin_list, return_pin);

/* Descriptors that are held at the most; more clients than that cost a little
 * time each. */
#define RETURN_PINS_MAX 512

struct return_paths {
	dev_t own_dev; /* of the server's own socket file; 0 without one */
	ino_t own_ino;
	/* Who we are, as of return_paths_begin. */
	pid_t own_pid;
	uid_t own_uid;
	/* private */
	int64_t now_ns; /* as of then, CLOCK_MONOTONIC */
	char fd_directory[32]; /* "/proc/4711/fd", with 4711 as /proc has it */
	size_t n_pins;
	struct return_pins pins;
	struct return_pin_list used; /* the longest unused first */
};

struct return_path {
	struct sockaddr_un to;
	socklen_t length;
	bool is_believed; /* of a sender who needs no verification */
	dev_t dev; /* of the pin; 0 without one */
	ino_t ino;
	struct return_pin *pin; /* in use until closed; NULL: none needed */
};

enum return_path_outcome {
	RETURN_PATH_OPEN,
	RETURN_PATH_NONE, /* the sender has no name */
	RETURN_PATH_GONE, /* there is nothing, or we cannot get there */
	RETURN_PATH_NOT_SENDERS, /* it is not provably the sender's */
	RETURN_PATH_SELF, /* it is our own socket */
	RETURN_PATH_EXHAUSTED, /* no descriptor or memory left to look with */
};

/* own_dev and own_ino: never reply there; both 0 for none. */
void return_paths_init(struct return_paths *paths, dev_t own_dev,
    ino_t own_ino);

/* Before the first reply of a batch: asks the kernel once who we are, and not
 * for every message. Nothing may be in use. */
void return_paths_begin(struct return_paths *paths);

/*
 * Find where to reply to sender, whose message came from that address. A
 * sender who is root, or who has our own uid, is believed. Everybody else's
 * path must be absolute and lead, without a symbolic link at its end, to a
 * socket that the sender owns; the reply then goes to that very inode.
 *
 * Where this is RETURN_PATH_OPEN, return_path_close must follow.
 */
enum return_path_outcome return_path_open(struct return_paths *paths,
    struct return_path *path, const union return_address *from,
    socklen_t from_length, const struct uxs_peer *sender);

/* is_dead: nobody is behind it any more, so look anew the next time. */
void return_path_close(struct return_paths *paths, struct return_path *path,
    bool is_dead);

/* Give back every descriptor that is not in use. Returns how many. */
size_t return_paths_trim(struct return_paths *paths);

/* Nothing may be in use. May be called twice. */
void return_paths_fini(struct return_paths *paths);

#endif
