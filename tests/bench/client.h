/* SPDX-License-Identifier: ISC */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"

/* Clients of the run's own: they ask whether a server is there, and hold
 * connections. The load is uxping's. */

/* Whether one message comes back as it was sent, on a new connection. */
bool client_is_answered(const struct bench *bench,
    const struct workload *workload);

/* Connect n more, each answered once. Gives the descriptors, -1 where none is;
 * returns 0, or -1 with bench->why. */
int client_hold(struct bench *bench, int *fds, size_t n);

void client_release(const int *fds, size_t n);

#endif
