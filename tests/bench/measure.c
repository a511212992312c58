/* SPDX-License-Identifier: ISC */
/* One measurement of each kind: a server, what is done to it, its end. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "client.h"
#include "load.h"
#include "server.h"
#include "usage.h"

/* Between two looks whether it is there; what start-up is rounded up to. */
#define KNOCK_NS 20000

/* Until what a server does after its last answer is over: the list of processes
 * shows the rate of uxecho, for up to three seconds after it. */
#define SETTLE_NS INT64_C(3500000000)

static int
measure_start(struct bench *bench, const struct workload *workload,
    size_t subject, struct figures *figures)
{
	const int64_t from_ns = bench_clock_ns(CLOCK_MONOTONIC);
	const int64_t limit_ns = from_ns + 10 * INT64_C(1000000000);
	const pid_t pid = server_start(bench, workload, subject);
	bool is_there = false;

	if (pid < 0)
		return -1;
	while (!bench_is_interrupted &&
	    bench_clock_ns(CLOCK_MONOTONIC) < limit_ns) {
		if ((is_there = client_is_answered(bench, workload)))
			break;
		bench_pause_ns(KNOCK_NS);
	}
	figures->value[METRIC_START] =
	    (double)(bench_clock_ns(CLOCK_MONOTONIC) - from_ns);
	server_stop(pid);
	return is_there ? 0 : bench_fail(bench, "it does not echo");
}

/* With the connections held, each answered once. */
static int
weigh(struct bench *bench, const struct workload *workload, pid_t pid, int *fds,
    struct figures *figures)
{
	const size_t n = (size_t)workload->n_connections;
	const double rss = usage_rss_bytes(pid);
	const double kernel = usage_kernel_bytes();
	double *value = figures->value;

	if (client_hold(bench, fds, n) < 0)
		return -1;
	value[METRIC_RSS] = usage_rss_bytes(pid);
	value[METRIC_MEMORY] = (value[METRIC_RSS] - rss) / (double)n;
	value[METRIC_KERNEL] = (usage_kernel_bytes() - kernel) / (double)n;
	return 0;
}

static int
watch_idle(struct bench *bench, const struct workload *workload, pid_t pid,
    int *fds, struct figures *figures)
{
	int64_t before_ns;

	if (client_hold(bench, fds, (size_t)workload->n_connections) < 0)
		return -1;
	bench_pause_ns(SETTLE_NS);
	before_ns = usage_cpu_ns(pid);
	bench_pause_ns(bench->duration_ns);
	figures->value[METRIC_IDLE] = (double)(usage_cpu_ns(pid) - before_ns) *
	    1e9 / (double)bench->duration_ns;
	return 0;
}

static int
hold_and(int (*look)(struct bench *, const struct workload *, pid_t, int *,
	     struct figures *),
    struct bench *bench, const struct workload *workload, pid_t pid,
    struct figures *figures)
{
	const size_t n = (size_t)workload->n_connections;
	int *fds = malloc(n * sizeof(int));
	int r;

	if (fds == NULL)
		return bench_fail(bench, "out of memory");
	r = look(bench, workload, pid, fds, figures);
	client_release(fds, n);
	free(fds);
	return r;
}

static int
measure_served(struct bench *bench, const struct workload *workload, pid_t pid,
    struct figures *figures)
{
	switch (workload->kind) {
	case KIND_MESSAGES:
	case KIND_BULK:
	case KIND_RECONNECT:
		return load_run(bench, workload, pid, figures);
	case KIND_MEMORY:
		return hold_and(weigh, bench, workload, pid, figures);
	case KIND_IDLE:
		return hold_and(watch_idle, bench, workload, pid, figures);
	case KIND_START:
		break;
	}
	return bench_fail(bench, "nothing to measure");
}

int
measure(struct bench *bench, const struct workload *workload, size_t subject,
    struct figures *figures)
{
	pid_t pid;
	int r;

	figures_clear(figures);
	if (workload->kind == KIND_START)
		return measure_start(bench, workload, subject, figures);
	if ((pid = server_start(bench, workload, subject)) < 0)
		return -1;
	if ((r = server_wait(bench, workload, subject, pid)) == 0)
		r = measure_served(bench, workload, pid, figures);
	server_stop(pid);
	return r;
}
