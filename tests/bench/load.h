/* SPDX-License-Identifier: ISC */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <sys/types.h>

#include "bench.h"

/*
 * Load from uxping on a server that runs, and what it costs the server. Its
 * processor time is sampled all the while; what counts is that between the
 * moments at which uxping began and ended to measure, so that neither its
 * start nor the making of the connections is in it.
 *
 * Returns 0 with the figures, or -1 with bench->why.
 */
int load_run(struct bench *bench, const struct workload *workload, pid_t server,
    struct figures *figures);

/* Load before what is measured, while the connections are taken. */
int64_t load_warmup_ns(const struct workload *workload);

#endif
