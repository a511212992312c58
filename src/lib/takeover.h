/* SPDX-License-Identifier: ISC */
#ifndef UXS_TAKEOVER_H
#define UXS_TAKEOVER_H

#include <sys/queue.h>

#include <uxsrv/access.h>
#include <uxsrv/address.h>
#include <uxsrv/peer.h>

struct session_context;

/*
 * Connections that the service has taken over: the server admits them, counts
 * them, and says when they have to end; what goes through them it never sees.
 *
 * The descriptor stays here for that time. So the rules can be asked about it
 * again, and when it is shut down that holds for whoever else has it open.
 */

struct takeover;
LIST_HEAD(takeovers, takeover);

/*
 * Hand over somebody who is in the ledger, in the thread of the context's
 * loop. Takes fd and returns 0, also when the service does not want it; or
 * returns -ENOMEM.
 */
int takeover_begin(struct session_context *context, struct takeovers *all,
    int fd, const struct uxs_peer *peer, enum uxs_type type);

/* No more input for any of them; the service is told. */
void takeovers_drain(struct takeovers *all);

/* Shut down those that are not allowed by *access; the service is told. */
void takeovers_judge(struct takeovers *all,
    const struct uxs_access *const *access);

/* End them all, whatever the service does. */
void takeovers_close(struct takeovers *all);

#endif
