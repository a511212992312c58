/* SPDX-License-Identifier: ISC */
#ifndef UXS_ACTIVATION_H
#define UXS_ACTIVATION_H

#include <stddef.h>
#include <sys/cdefs.h>

#include <uxsrv/address.h>
#include <uxsrv/initial.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * Sockets that somebody else made and listens on for us: the protocol of
 * sd_listen_fds(3), spoken directly.
 *
 *	struct uxs_activation activation = UXS_ACTIVATION_NONE;
 *
 *	if (uxs_activation_open(&activation, &why) < 0) ...
 *	conf.activation = &activation;		served besides conf.addresses
 *	...
 *	uxs_activation_close(&activation);	after the server
 *
 * They are the activator's: nothing is done to the file, and they are never
 * shut down, so that whoever waits in their queue when we stop, or are killed,
 * is served by the next instance.
 */

#define UXS_ACTIVATION_FIRST_FD 3

/* Of a name in LISTEN_FDNAMES, with its NUL. */
#define UXS_INHERITED_NAME_MAX 256

struct uxs_inherited {
	int fd; /* non-blocking, close-on-exec */
	struct uxs_address address; /* what it is bound to */
	char name[UXS_INHERITED_NAME_MAX]; /* "unknown" where none is told */
};

struct uxs_activation {
	size_t n;
	struct uxs_inherited *sockets; /* owned, and so are the descriptors */
};

#define UXS_ACTIVATION_NONE_VALUES(SET) SET(n, 0)
#define UXS_ACTIVATION_NONE \
	UXS_INITIAL(struct uxs_activation, UXS_ACTIVATION_NONE_VALUES)

/*
 * Take over what LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PIDFDID
 * say, and remove them from the environment, so that no child takes them for
 * its own; before there are other threads, since they may not read it
 * meanwhile. What is meant for another process (LISTEN_PID, LISTEN_PIDFDID) is
 * ignored. Every descriptor has to be a Unix-domain socket with a name, or a
 * socket of TCP or UDP that is bound to a loopback address; and to listen, or
 * to be a datagram socket that is connected to nobody.
 *
 * Call it before any descriptor is opened that could take the place of one
 * that is said to be there, and is not.
 *
 * Gives the descriptors, also when there are none. Returns 0, or a negative
 * errno with *why (kind config) saying which one is wrong and how; then those
 * that were right are closed.
 */
int uxs_activation_open(struct uxs_activation *activation,
    struct uxs_error *why);

/* May be called twice, and when nothing was inherited. */
void uxs_activation_close(struct uxs_activation *activation);

__END_DECLS

#endif
