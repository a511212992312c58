/* SPDX-License-Identifier: ISC */
#include "results.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "subjects.h"
#include "workloads.h"

static size_t
cell(size_t workload, size_t subject)
{
	return workload * n_subjects + subject;
}

static double *
values_of(const struct results *results, size_t workload, size_t subject,
    enum metric metric)
{
	return results->samples +
	    (cell(workload, subject) * N_METRICS + (size_t)metric) *
	    results->n_rounds;
}

int
results_open(struct results *results, size_t n_rounds)
{
	const size_t n_cells = n_workloads * n_subjects;
	const size_t n = n_cells * N_METRICS * n_rounds;

	*results = (struct results){
		.n_rounds = n_rounds,
		.samples = calloc(n, sizeof(double)),
		.reasons = calloc(n_cells, REASON_MAX),
	};
	if (results->samples == NULL || results->reasons == NULL) {
		results_close(results);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		results->samples[i] = NAN;
	return 0;
}

void
results_close(struct results *results)
{
	free(results->samples);
	free(results->reasons);
	*results = (struct results){ .samples = NULL };
}

void
figures_clear(struct figures *figures)
{
	for (size_t i = 0; i < N_METRICS; i++)
		figures->value[i] = NAN;
}

void
results_add(struct results *results, size_t workload, size_t subject,
    size_t round, const struct figures *figures)
{
	for (size_t i = 0; i < N_METRICS; i++)
		values_of(results, workload, subject, (enum metric)i)[round] =
		    figures->value[i];
}

void
results_explain(struct results *results, size_t workload, size_t subject,
    const char *reason)
{
	snprintf(results->reasons[cell(workload, subject)], REASON_MAX, "%s",
	    reason);
}

const char *
results_reason(const struct results *results, size_t workload, size_t subject)
{
	return results->reasons[cell(workload, subject)];
}

const double *
results_values(const struct results *results, size_t workload, size_t subject,
    enum metric metric)
{
	return values_of(results, workload, subject, metric);
}

struct quartiles
results_quartiles(const struct results *results, size_t workload,
    size_t subject, enum metric metric)
{
	return quartiles_of(results_values(results, workload, subject, metric),
	    results->n_rounds);
}

struct quartiles
results_ratio(const struct results *results, size_t workload, size_t subject,
    size_t base, enum metric metric)
{
	return quartiles_of_ratio(results_values(results, workload, subject,
				      metric),
	    results_values(results, workload, base, metric), results->n_rounds);
}
