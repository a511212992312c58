/* SPDX-License-Identifier: ISC */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <uxsrv/server.h>
#include <uxsrv/stats.h>

/*
 * The figures as OpenMetrics 1.0 text, which is what scrapers read; see
 * STATISTICS in uxecho(8). Pure: who calls has collected them.
 */

/* More users would be more lines than anybody reads; the number of all of them
 * is told besides. */
#define METRICS_USERS_MAX 1000

/* As many sockets as anybody serves at once; the rest is left out. */
#define METRICS_QUEUES_MAX 64

struct metrics {
	struct uxs_stats stats;
	size_t max_conns, max_conns_per_user;
	size_t n_users; /* there are so many; users has the first of them */
	struct uxs_account_figures users[METRICS_USERS_MAX];
	size_t n_queues;
	struct uxs_queue queues[METRICS_QUEUES_MAX];
	int64_t started_ms; /* since 1970 */
	const char *version;
};

void metrics_print(FILE *out, const struct metrics *metrics);

#endif
