/* SPDX-License-Identifier: ISC */
#ifndef BENCH_H
#define BENCH_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "results.h"
#include "workloads.h"

/* The run as all of its parts see it. */

#define FOREIGN_UID 1500 /* arbitrary; 65534 would be nobody in particular */

struct bench {
	const char *build, *sources; /* folders */
	char directory[72]; /* private to the run; holds sockets and logs */
	char path[88]; /* of the one socket that is served at a time */
	char log[88]; /* what the server says */
	int uxping_fd; /* to execute it as a user who cannot reach it */
	int64_t duration_ns; /* of a measurement */
	cpu_set_t all, server, client; /* processors */
	char why[REASON_MAX]; /* what went wrong last */
};

/* Set by a signal: stop, and leave nothing behind. */
extern volatile sig_atomic_t bench_is_interrupted;

static inline int64_t
bench_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline void
bench_pause_ns(int64_t ns)
{
	const struct timespec time = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&time, NULL);
}

/*
 * Make a private directory, catch signals and share out the processors; build,
 * sources and duration_ns are set. Ends the program with a line on standard
 * error where it cannot. bench_close removes the directory.
 */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);

/* Say what went wrong, for results_explain. Returns -1. */
int bench_fail(struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Run one subject once under one workload, with a server of its own. Returns 0,
 * or -1 with bench->why; figures that do not apply are NAN.
 */
int measure(struct bench *bench, const struct workload *workload,
    size_t subject, struct figures *figures);

#endif
