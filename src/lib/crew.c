/* SPDX-License-Identifier: ISC */
/* Several loops as one; see crew.h. */
#include "crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/server.h>

#include "counter.h"
#include "crew_width.h"

/* ---- life ---- */

static int
allocate(struct crew *crew, size_t n, struct uxs_error *why)
{
	const size_t size = n * sizeof(crew->workers[0]);

	crew->workers = aligned_alloc(_Alignof(struct worker), size);
	if (crew->workers == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for %zu event loops", n);
	memset(crew->workers, 0, size);
	return 0;
}

int
crew_open(struct crew *crew, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, const struct crew_owner *owner,
    struct uxs_error *why)
{
	int r;

	if ((r = allocate(crew, conf->n_threads, why)) < 0)
		return r;
	for (size_t i = 0; i < conf->n_threads; i++) {
		struct worker *w = &crew->workers[i];

		crew->n++;
		if ((r = worker_open(w, conf, ledger, why)) < 0)
			return r;
		w->sessions.n_fated = &crew->n_fated;
		w->on_left = owner->on_left;
		w->on_wake = i == 0 ? owner->on_wake : NULL;
		w->on_failed = owner->on_failed;
		w->arg = owner->arg;
	}
	crew->n_running = 1;
	counter_set(&crew_first(crew)->stats.loops, 1);
	return 0;
}

int
crew_start(struct crew *crew, struct uxs_error *why)
{
	int r = 0;

	if (crew->n_running == crew->n)
		return 0;
	r = worker_listen(crew_first(crew));
	while (r == 0 && crew->n_running < crew->n) {
		const size_t i = crew->n_running;

		if ((r = worker_start(&crew->workers[i], (unsigned)i)) == 0)
			crew->n_running++;
	}
	if (r == 0) {
		crew_width_start(crew);
		return 0;
	}
	uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
	    "cannot start thread %zu of %zu: %s", crew->n_running + 1, crew->n,
	    strerror(-r));
	crew_stop(crew);
	return r;
}

int
crew_stop(struct crew *crew)
{
	int result = 0;

	crew_width_stop(crew);
	for (size_t i = 1; i < crew->n; i++) {
		const int r = worker_stop(&crew->workers[i]);

		if (result == 0)
			result = r;
	}
	if (crew->n > 0)
		crew->n_running = 1;
	return result;
}

bool
crew_has_failed(const struct crew *crew)
{
	for (size_t i = 1; i < crew->n_running; i++) {
		if (worker_has_failed(&crew->workers[i]))
			return true;
	}
	return false;
}

void
crew_close_sessions(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		worker_close_sessions(&crew->workers[i]);
}

void
crew_close(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		worker_close(&crew->workers[i]);
	free(crew->workers);
	*crew = (struct crew){ .n = 0 };
}

/* ---- work ---- */

/* Of those in use; of equals the first, who need not wake up another for it. */
static struct worker *
least_busy(const struct crew *crew)
{
	struct worker *least = crew_first(crew);
	uint64_t load = worker_load(least);

	for (size_t i = 1; i < crew_width(crew) && load > 0; i++) {
		const uint64_t other = worker_load(&crew->workers[i]);

		if (other < load) {
			least = &crew->workers[i];
			load = other;
		}
	}
	return least;
}

int
crew_admit(struct crew *crew, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	return worker_admit(least_busy(crew), fd, peer, type);
}

/* Only our own thread admits; so while one is on its way between two of them,
 * as many as were admitted cannot have left. */
bool
crew_is_idle(const struct crew *crew)
{
	uint64_t n = 0;

	for (size_t i = 0; i < crew->n; i++)
		n += worker_open_ends(&crew->workers[i]);
	return n == 0;
}

void
crew_drain(struct crew *crew)
{
	crew_width_stop(crew);
	for (size_t i = 0; i < crew->n; i++)
		worker_drain(&crew->workers[i]);
}

void
crew_leave(struct crew *crew)
{
	crew_width_stop(crew);
	for (size_t i = 0; i < crew->n; i++)
		worker_leave(&crew->workers[i]);
}

void
crew_judge(struct crew *crew, const struct uxs_access *const *access)
{
	/* Who is moved to one that has judged, by one that has not: he has
	 * arrived when all have, and nobody is told to move meanwhile. */
	const int n_passes = crew->n > 1 ? 2 : 1;

	for (int pass = 0; pass < n_passes; pass++) {
		for (size_t i = 0; i < crew->n; i++)
			worker_judge(&crew->workers[i], access);
	}
}

void
crew_stats(const struct crew *crew, struct uxs_stats *stats)
{
	*stats = (struct uxs_stats){ .pauses = 0 };
	for (size_t i = 0; i < crew->n; i++)
		counters_sum(stats, &crew->workers[i].stats);
}
