/* SPDX-License-Identifier: ISC */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stddef.h>

#include "metrics.h"
#include "quartiles.h"

/*
 * Everything that was measured, and why what is missing is missing.
 */

#define REASON_MAX 256

struct figures {
	double value[N_METRICS]; /* NAN: not measured */
};

struct results {
	size_t n_rounds;
	double *samples; /* private */
	char (*reasons)[REASON_MAX]; /* private */
};

/* For so many rounds, up to ROUNDS_MAX. Returns 0 or a negative errno. */
int results_open(struct results *results, size_t n_rounds);
void results_close(struct results *results);

void figures_clear(struct figures *figures);

/* What a round came to; and why there is nothing. Workloads and subjects are
 * numbers of the tables. */
void results_add(struct results *results, size_t workload, size_t subject,
    size_t round, const struct figures *figures);
void results_explain(struct results *results, size_t workload, size_t subject,
    const char *reason);

/* The last reason, or "". */
const char *results_reason(const struct results *results, size_t workload,
    size_t subject);

/* The rounds' values of one figure: n_rounds of them. */
const double *results_values(const struct results *results, size_t workload,
    size_t subject, enum metric metric);

struct quartiles results_quartiles(const struct results *results,
    size_t workload, size_t subject, enum metric metric);

/* Of one subject's figure to another's, round by round. */
struct quartiles results_ratio(const struct results *results, size_t workload,
    size_t subject, size_t base, enum metric metric);

#endif
