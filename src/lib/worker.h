/* SPDX-License-Identifier: ISC */
#ifndef UXS_WORKER_H
#define UXS_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include <uxsrv/access.h>
#include <uxsrv/ledger.h>
#include <uxsrv/loop.h>
#include <uxsrv/stats.h>

#include "session.h"

struct uxs_error;
struct uxs_server_conf;

/*
 * One loop, with all that its sessions share: the buffer that every read lands
 * in, the figures, and the sessions themselves.
 */
struct worker {
	struct uxs_loop loop;
	struct uxs_stats stats;
	struct session_context sessions; /* the owner's: reaper, on_closed */
	char *buffer; /* page-aligned: copies from there cost half as much */
	size_t buffer_size; /* at least a longest message */
};

#define WORKER_CLOSED                    \
	{                                \
		.loop = UXS_LOOP_CLOSED, \
	}

/* Borrows conf for this call, and the ledger until close. Returns 0 or a
 * negative errno with *why; then it is still to be closed. */
int worker_open(struct worker *worker, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, struct uxs_error *why);

/*
 * Serve somebody who is in the ledger. Takes fd and returns 0; or a negative
 * errno when there is no memory, or it cannot be watched.
 */
int worker_admit(struct worker *worker, int fd, const struct uxs_peer *peer,
    enum uxs_type type);

/* Has it no session? */
bool worker_is_idle(const struct worker *worker);

/* Sessions, those that come later too, send no more and get their answers. */
void worker_drain(struct worker *worker);

/*
 * End the sessions that are not allowed by *access. A session that closes can,
 * through its service, close others, or set other rules; so these are looked
 * up anew every time.
 */
void worker_judge(struct worker *worker,
    const struct uxs_access *const *access);

/* End those that are left. */
void worker_close_sessions(struct worker *worker);

/* Without sessions. May be called twice. */
void worker_close(struct worker *worker);

#endif
