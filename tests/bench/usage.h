/* SPDX-License-Identifier: ISC */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What processes and the kernel use, as /proc and the clocks tell. */

/*
 * Processor time of a process with all its threads, past and present, and of
 * all its children, past and present. Of those that live it is exact; of those
 * that are gone it comes in ticks of the clock, of 10 ms as a rule.
 */
int64_t usage_cpu_ns(pid_t pid);

/* Resident memory of a process, shared pages included, and of its children what
 * is theirs alone. */
double usage_rss_bytes(pid_t pid);

/* What the kernel uses for its objects, page tables and stacks of threads. */
double usage_kernel_bytes(void);

/* Let all threads of a process and of its children run on these only. */
void usage_pin(pid_t pid, const cpu_set_t *processors);

/* ---- processor time over a stretch of time ---- */

struct usage_sample {
	int64_t when_ns, cpu_ns;
};

/* The time used up to a moment, from n samples in order of time: between two
 * of them on the straight line, beyond them the nearest. */
double usage_at(const struct usage_sample *samples, size_t n, int64_t when_ns);

#endif
