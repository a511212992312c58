/* SPDX-License-Identifier: ISC */
#ifndef UXPING_BENCH_H
#define UXPING_BENCH_H

struct options;

/*
 * uxping -B: put load on each target and report what it took. With
 * options->compare the targets take turns and end in one table.
 *
 * Blocks until the time is over, every connection has ended, or SIGINT or
 * SIGTERM came, which still gets its report.
 *
 * Returns the exit status: 0 everything was answered, 1 something was not
 * (errors, time-outs, corrupt echoes, or no answer at all), 2 it could not run.
 */
int bench_run(const struct options *options);

#endif
