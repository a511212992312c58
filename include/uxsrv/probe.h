/* SPDX-License-Identifier: ISC */
#ifndef UXS_PROBE_H
#define UXS_PROBE_H

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

struct uxs_place;

/*
 * Who is behind a path, found out without disturbing anybody.
 *
 * A datagram socket is connected to the file. A datagram server does not
 * notice, since nothing is sent; a stream or seqpacket server refuses the
 * type (EPROTOTYPE) before its accept queue is touched, even when it has not
 * called listen(2) yet or its queue is full. Only a socket that answers
 * ECONNREFUSED has nobody behind it.
 */
enum uxs_probe {
	UXS_PROBE_FREE, /* nothing there */
	UXS_PROBE_DEAD, /* a socket, nobody behind it: may be removed */
	UXS_PROBE_LIVE, /* somebody holds it: leave it alone */
	UXS_PROBE_NOT_A_SOCKET, /* a file, directory, fifo ...: leave it */
	UXS_PROBE_SYMLINK, /* bind(2) would not follow it: leave it */
	UXS_PROBE_UNKNOWN, /* we may not ask: leave it alone */
};

struct uxs_probe_facts {
	dev_t dev;
	ino_t ino;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int code; /* errno of the probe, 0 when it connected (a datagram server) */
};

/*
 * Look at the place. *facts is filled for every outcome but UXS_PROBE_FREE.
 * Race-free in itself (the inode is pinned first), but only a caller that
 * holds the place's lock may act on UXS_PROBE_FREE or UXS_PROBE_DEAD.
 *
 * Returns an enum uxs_probe, or a negative errno when no probe could be made.
 */
int uxs_probe_place(const struct uxs_place *place,
    struct uxs_probe_facts *facts);

__END_DECLS

#endif
