/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOOPBACK_SOURCE_H
#define UXS_LOOPBACK_SOURCE_H

#include <stddef.h>
#include <sys/socket.h>

#include <uxsrv/stats.h>

/*
 * Where a datagram over the loopback interface came from, and whether it may
 * be answered. Pure.
 *
 * Not from another address of this machine: whoever has such a one came
 * through a door that is not ours. And not from a socket that we serve
 * ourselves, since that would answer the answer, for ever.
 */

struct loopback_source {
	struct sockaddr_storage sa;
	socklen_t length;
};

struct loopback_sources {
	size_t n;
	struct loopback_source *own;
};

/* One that we serve: HOST:PORT, as the kernel would write it. Returns 0 or a
 * negative errno. */
int loopback_sources_add(struct loopback_sources *sources, const char *name);

/* Why a message from there must not be answered; UXS_N_DROPS: it may. */
enum uxs_drop loopback_source_object_to(const struct loopback_sources *sources,
    const struct sockaddr_storage *from, socklen_t length);

/* May be called twice, and on zeroed ones. */
void loopback_sources_fini(struct loopback_sources *sources);

#endif
