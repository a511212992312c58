/* SPDX-License-Identifier: ISC */
#ifndef BENCH_METRICS_H
#define BENCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>

/* What is measured, as a table. */

enum metric {
	METRIC_CPU, /* ns of the server's, a message */
	METRIC_RATE, /* messages a second */
	METRIC_P50, /* ns */
	METRIC_P99, /* ns */
	METRIC_BUSY, /* processors that the server kept busy */
	METRIC_CPU_BULK, /* ns of the server's, a megabyte */
	METRIC_BYTES, /* bytes a second */
	METRIC_MEMORY, /* bytes of the server's, a connection */
	METRIC_RSS, /* bytes of the server's, with all connections */
	METRIC_KERNEL, /* bytes of the kernel's, a connection, both ends */
	METRIC_START, /* ns */
	METRIC_IDLE, /* ns of the server's, a second */
};
#define N_METRICS 12

enum unit {
	UNIT_NS,
	UNIT_COUNT_PER_S,
	UNIT_BYTES,
	UNIT_BYTES_PER_S,
	UNIT_SHARE,
};

struct metric_info {
	const char *title; /* of a column */
	enum unit unit;
	bool has_ratio; /* to the yardstick's: it says something */
};

extern const struct metric_info metrics[N_METRICS];

/* A value as people read it, three digits and a unit; "-" for NAN. */
#define METRIC_TEXT_MAX 32
char *metric_print(enum metric metric, double value,
    char text[METRIC_TEXT_MAX]);

#endif
