/* SPDX-License-Identifier: ISC */
#ifndef UPGRADE_WIRE_H
#define UPGRADE_WIRE_H

#include <stddef.h>

/*
 * What the two daemons and the keeper say to each other: messages of one kind
 * byte and some more, over SOCK_SEQPACKET, maybe with one descriptor.
 *
 *	old ─► new	PIDFILE fd, REMOVER fd,
 *			SEED			if there are any
 *			SOCKETS			uxs_handover_send follows
 *	new ─► old	READY pid, taken...	or FAILED why, or end of file
 *	old ─► new	YOURS			or CALLED_OFF; end of file, too,
 *						means that the old one is gone
 *
 * A kind that somebody does not know is one of another version: refused.
 */
enum upgrade_kind {
	UPGRADE_PIDFILE = 'P',
	UPGRADE_REMOVER = 'V',
	UPGRADE_SEED = 'D', /* of --fault, 8 bytes, where it was drawn */
	UPGRADE_SOCKETS = 'S',
	UPGRADE_READY = 'R',
	UPGRADE_FAILED = 'F',
	UPGRADE_YOURS = 'Y', /* with a byte: read the rules once more? */
	UPGRADE_CALLED_OFF = 'N',
	UPGRADE_ENDED = 'E', /* the keeper's: a status of wait(2) */
};

/* Room for why something failed, and for a byte for each of 1024 sockets. */
#define UPGRADE_BYTES_MAX 2048

struct upgrade_wire {
	int kind;
	int fd; /* -1: none came; otherwise given to the caller */
	size_t length;
	char bytes[UPGRADE_BYTES_MAX + 1]; /* a NUL follows */
};

/* Never wait. Return 0 or a negative errno. */
int upgrade_wire_send(int fd, int kind, const void *bytes, size_t length);
int upgrade_wire_send_fd(int fd, int kind, int passed);

/* flags: MSG_DONTWAIT or 0. Returns 1, 0 at the end of file, or a negative
 * errno: -EBADMSG, with no descriptor left, for what is no such message. */
int upgrade_wire_receive(int fd, struct upgrade_wire *message, int flags);

#endif
