/* SPDX-License-Identifier: ISC */
#ifndef UXS_WORKER_SESSIONS_H
#define UXS_WORKER_SESSIONS_H

#include "worker.h"

/*
 * What a worker does with its sessions when others want it to, always in the
 * thread of its loop. How they say so is for worker.c.
 */

/* Of the sessions' context: one has left. */
void worker_sessions_closed(struct session_context *context);

/* Take these out of the list and serve them; who cannot be is refused. */
void worker_sessions_begin(struct worker *worker, struct sessions *sessions);

/* Those that were moved here: take them out of the list, and go on. */
void worker_sessions_join(struct worker *worker, struct sessions *sessions);

/* As worker_move. */
void worker_sessions_move(struct worker *worker,
    const struct worker_move *move);

void worker_sessions_drain(struct worker *worker);

/* End those that are not allowed. */
void worker_sessions_judge(struct worker *worker,
    const struct uxs_access *const *access);

#endif
