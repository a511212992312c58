/* SPDX-License-Identifier: ISC */
#ifndef UXS_HANDOVER_H
#define UXS_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include <uxsrv/activation.h>
#include <uxsrv/address.h>
#include <uxsrv/initial.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * From one process to the one that takes its place: the sockets, with who
 * waits in their queues, and the locks, so that there is no moment in which
 * nobody has them. Over a connected SOCK_SEQPACKET socket:
 *
 *	uxs_server_hand_out(server, &handover, &why);
 *	uxs_handover_send(fd, &handover);
 *	uxs_handover_close(&handover);
 *	...					when the other one is ready:
 *	uxs_server_leave(server, is_taken);	from here on they are his
 *
 * and on the other side:
 *
 *	uxs_handover_receive(fd, &handover, &why);
 *	conf.handover = &handover;		served where addresses match
 *	uxs_server_open(&server, &conf, &why);
 *	...					tell it, wait until it has left
 *	uxs_server_run(server);			from here on they are ours
 *
 * Until uxs_server_run (or uxs_server_fd) nothing is done to the sockets that
 * the other side could notice, and nothing is removed: a process that fails on
 * the way leaves all as it was. Nor is anything read before that, so that one
 * sender's datagrams stay in order.
 */

struct uxs_handed {
	int fd; /* of the socket */
	int lock_fd; /* the lock is held by it; -1: there is none */
	bool is_inherited; /* it belongs to a service manager */
	bool is_taken; /* set by who takes it */
	struct uxs_address address;
	dev_t dev; /* of the socket's file */
	ino_t ino;
	char name[UXS_INHERITED_NAME_MAX]; /* of one that is inherited */
};

struct uxs_handover {
	size_t n;
	struct uxs_handed *sockets; /* owned, and so are the descriptors */
};

#define UXS_HANDOVER_NONE_VALUES(SET) SET(n, 0)
#define UXS_HANDOVER_NONE \
	UXS_INITIAL(struct uxs_handover, UXS_HANDOVER_NONE_VALUES)

/*
 * Send all of it without waiting; about 200 sockets fit the send buffer of
 * socketpair(2). Borrows both. Returns 0 or a negative errno: -EAGAIN when
 * they do not fit, -EPIPE when nobody is there.
 */
int uxs_handover_send(int fd, const struct uxs_handover *handover);

/*
 * Receive what uxs_handover_send sent; waits for it as recvmsg(2) on fd does.
 * Every message must be exactly as one of ours, with as many descriptors.
 *
 * Gives the handover. Returns 0, or a negative errno with *why (kind config);
 * then every descriptor that came is closed.
 */
int uxs_handover_receive(int fd, struct uxs_handover *handover,
    struct uxs_error *why);

/*
 * Move those that belong to a service manager to an activation, to be served
 * as if they had been inherited, checked like those. Returns 0, or a negative
 * errno with *why (kind config).
 */
int uxs_handover_activate(struct uxs_handover *handover,
    struct uxs_activation *activation, struct uxs_error *why);

/* Close the descriptors that are left. May be called twice. */
void uxs_handover_close(struct uxs_handover *handover);

__END_DECLS

#endif
