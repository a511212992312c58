/* SPDX-License-Identifier: ISC */
#ifndef UXS_CREW_H
#define UXS_CREW_H

#include <stdbool.h>
#include <stddef.h>

#include "width.h"
#include "worker.h"

/*
 * All workers of a server. The first has the thread of whoever runs the
 * server, and is the one to talk to them all; the others have threads of their
 * own once they are started. Nobody is woken up who has nothing to do.
 *
 * As many of them are in use as are worth it. Each who comes goes to the one
 * of these that has the fewest sessions.
 */
struct crew {
	size_t n, n_running;
	struct worker *workers;
	uint64_t n_fated; /* connections so far, where they have fates */
	/* crew_width.h's */
	struct width width;
	struct uxs_timer window;
	int64_t window_ns; /* when it began */
};

/* So many workers. on_left, on_wake, on_failed and arg are theirs, on_wake of
 * the first alone. Returns 0 or a negative errno with *why; then it is still
 * to be closed. Borrows as worker_open. */
struct crew_owner {
	void (*on_left)(struct worker *worker);
	void (*on_wake)(struct worker *worker);
	void (*on_failed)(struct worker *worker);
	void *arg;
};
int crew_open(struct crew *crew, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, const struct crew_owner *owner,
    struct uxs_error *why);

/* Start those that do not run yet. Returns 0, or a negative errno with *why;
 * then only the first is left. */
int crew_start(struct crew *crew, struct uxs_error *why);

/* End all threads. Returns 0, or the negative errno of a loop that failed. */
int crew_stop(struct crew *crew);
bool crew_has_failed(const struct crew *crew);

static inline struct worker *
crew_first(const struct crew *crew)
{
	return &crew->workers[0];
}

/* As worker_admit. */
int crew_admit(struct crew *crew, int fd, const struct uxs_peer *peer,
    enum uxs_type type);
bool crew_is_idle(const struct crew *crew);
void crew_drain(struct crew *crew);
void crew_leave(struct crew *crew);
void crew_judge(struct crew *crew, const struct uxs_access *const *access);
void crew_stats(const struct crew *crew, struct uxs_stats *stats);

/* When stopped. */
void crew_close_sessions(struct crew *crew);
void crew_close(struct crew *crew);

#endif
