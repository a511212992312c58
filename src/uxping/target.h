/* SPDX-License-Identifier: ISC */
#ifndef UXPING_TARGET_H
#define UXPING_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <uxsrv/address.h>
#include <uxsrv/error.h>
#include <uxsrv/peer.h>

#include "options.h"

struct json;

/*
 * One address to talk to, and connections to it.
 *
 *	struct target target = TARGET_CLOSED;
 *	struct target_link link = TARGET_LINK_CLOSED;
 *
 *	if (target_open(&target, "/run/uxecho.sock", options, &why) < 0)
 *		errx(2, "%s", why.text);
 *	r = target_connect(&target, &link);
 *	send(link.fd, ...);
 *	target_disconnect(&link);
 *	target_close(&target);
 *
 * The socket file is pinned by an O_PATH descriptor before it is judged
 * (--expect-user) and connected to, so that it cannot be swapped in between.
 */

enum target_family { TARGET_UNIX, TARGET_TCP, TARGET_UDP };

/* Room for any address as it was written, escaped, and its NUL. */
#define TARGET_TEXT_MAX UXS_ADDRESS_TEXT_MAX

struct target {
	const char *text; /* as written; borrowed */
	char *label; /* fit to print: PATH or @NAME without the type, and with
		      * .dgram where that is what is meant */
	enum target_family family;

	/*
	 * What will be, or was, connected to. The type is certain from the
	 * first successful target_connect on; tcp counts as a stream and udp
	 * as datagrams.
	 */
	struct uxs_address address;
	struct sockaddr_storage loopback; /* tcp and udp */
	socklen_t loopback_length;

	bool is_type_open; /* -t auto and a bare address: still to be found */
	bool has_pair; /* a bare path with -t dgram: PATH.dgram, else PATH */
	bool autobind;
	bool sends_nothing; /* -z: datagram links get no return address */
	uid_t expect_uid; /* UXS_UID_NONE: anybody */

	/* The socket file as of the last connect; mode 0 when there is none
	 * (abstract and loopback addresses). */
	struct stat file;
	/* private */
	int pin_fd;
};

#define TARGET_CLOSED                                    \
	{                                                \
		.expect_uid = UXS_UID_NONE, .pin_fd = -1 \
	}

struct target_link {
	int fd; /* connected and non-blocking; -1 when closed */
	struct uxs_peer listener; /* who called listen(2); unknown for dgram */
	int64_t connect_ns; /* how long connect(2) took */
	/* private */
	int return_id; /* of a datagram client's own address; 0: none */
};

#define TARGET_LINK_CLOSED                             \
	{                                              \
		.fd = -1, .listener = UXS_PEER_UNKNOWN \
	}

/*
 * Read an address: [stream:|seqpacket:|dgram:]PATH or @NAME, tcp:HOST:PORT or
 * udp:HOST:PORT with a loopback HOST. Looks at no file; does look up
 * options->expect_user. Borrows text. Returns 0, or a negative errno with *why:
 * exit with 2.
 */
int target_open(struct target *target, const char *text,
    const struct options *options, struct uxs_error *why);

/* Frees; may be called twice. Links live on. */
void target_close(struct target *target);

enum target_outcome {
	TARGET_CONNECTED,
	TARGET_BUSY, /* the accept queue is full: call again later, since such
		      * a connect is not in progress */
	TARGET_WRONG_USER, /* --expect-user: somebody else's; nothing was sent */
	TARGET_REPLY_PATH, /* no return address could be made: our trouble */
};

/*
 * Connect. Never waits for an AF_UNIX server; waits at most a second for a
 * loopback one. A datagram link has a return address of its own that the
 * server can answer to.
 *
 * Returns an enum target_outcome, or a negative errno of connect(2) or of
 * opening the path: ask diagnose_connect() what it means. *link is closed
 * unless TARGET_CONNECTED.
 */
int target_connect(struct target *target, struct target_link *link);

/* Close, and remove the return address. May be called twice. */
void target_disconnect(struct target_link *link);

/* Make label tell the address as it is now. Returns 0 or -ENOMEM. */
int target_relabel(struct target *target);

/* The next connect is to whatever the path names then, not to the file that
 * the last one was made to. */
void target_unpin(struct target *target);

/* Who is behind it, for the first line: "listener uid=998(uxecho) gid=998
 * pid=4711" or, since nobody attests who holds a datagram socket, "owner
 * uid=998(uxecho) gid=998". Returns text. */
#define TARGET_OWNER_MAX 192
char *target_print_owner(const struct target *target,
    const struct target_link *link, char text[TARGET_OWNER_MAX]);

/* The same as the member "listener" or "owner", null for what is not known;
 * and the address as the member "target". */
void target_print_owner_json(const struct target *target,
    const struct target_link *link, struct json *json);
void target_print_json(const struct target *target, struct json *json);

/* The type as shown to people: "stream", "seqpacket", "dgram", "tcp", "udp". */
const char *target_type_name(const struct target *target);

/* A message is a message, with its boundaries: everything but streams. */
static inline bool
target_keeps_messages(const struct target *target)
{
	return target->address.type != UXS_STREAM;
}

#endif
