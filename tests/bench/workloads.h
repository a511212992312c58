/* SPDX-License-Identifier: ISC */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics.h"

/* What the servers are measured with, as a table. */

enum kind {
	KIND_MESSAGES, /* uxping -B, a closed loop */
	KIND_BULK, /* uxping -B --bulk */
	KIND_RECONNECT, /* uxping -B -C */
	KIND_MEMORY, /* held connections that were answered once */
	KIND_START, /* from fork to the first echo */
	KIND_IDLE, /* held connections, and nothing happens */
};

/* Which processors the server and its client may use. */
enum placement {
	PLACE_APART, /* one each */
	PLACE_TOGETHER, /* the same one */
	PLACE_FREE, /* any */

	/* One each, but uxecho may use all: allowed one only it would not
	 * spin. Its client keeps the one that it is given. */
	PLACE_SPIN,
};

struct workload {
	const char *name; /* for the command line */
	const char *title; /* for people */
	enum kind kind;
	enum placement placement;
	const char *type; /* of socket */
	int n_connections;
	const char *size; /* of a message, as uxping takes it */
	const char *options[8]; /* for uxecho; ends with NULL */
	bool is_foreign; /* clients are of another user */
	const char *subjects; /* names; the first is the yardstick */
};

extern const struct workload workloads[];
extern const size_t n_workloads;

/* The columns of a workload's table, the most telling first; -1 ends them. */
const int *workload_metrics(enum kind kind);

/* Whether the workload measures this subject; which comes first? */
bool workload_has(const struct workload *workload, size_t subject);
size_t workload_yardstick(const struct workload *workload);

/* -1: there is none of this name. */
int workload_find(const char *name);

#endif
