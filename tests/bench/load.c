/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json_field.h"
#include "usage.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* What is measured, and this much more, ends in this time or not at all. */
#define GRACE_NS (15 * NS_PER_S)
#define SAMPLES_MAX 4096
#define LINE_MAX_BYTES 4096

struct run {
	struct bench *bench;
	pid_t server, uxping;
	int out; /* what it prints */
	int64_t limit_ns;
	struct usage_sample samples[SAMPLES_MAX];
	size_t n_samples;
	char line[LINE_MAX_BYTES]; /* the one that is being read */
	size_t n_line;
	char end[LINE_MAX_BYTES]; /* the last event, "" before */
	char trouble[64]; /* in a word */
};

int64_t
load_warmup_ns(const struct workload *workload)
{
	/* 10,000 connections are more than the queue holds: they are made in
	 * several goes. */
	return workload->n_connections > 4000 ? NS_PER_S : NS_PER_S / 5;
}

/* ---- uxping ---- */

static void
become_foreign(void)
{
	if (setgroups(0, NULL) < 0 ||
	    setresgid(FOREIGN_UID, FOREIGN_UID, FOREIGN_UID) < 0 ||
	    setresuid(FOREIGN_UID, FOREIGN_UID, FOREIGN_UID) < 0)
		_exit(126);
}

static void
become_uxping(const struct bench *bench, const struct workload *workload,
    int out)
{
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	char address[128], connections[16], duration[32], warmup[32];
	const char *argv[20] = { "uxping", "-Bj", "-W", "10s", "-s",
		workload->size, "-P", connections, "-d", duration, "--warmup",
		warmup, address };

	snprintf(address, sizeof(address), "%s:%s", workload->type,
	    bench->path);
	snprintf(connections, sizeof(connections), "%d",
	    workload->n_connections);
	snprintf(duration, sizeof(duration), "%lldms",
	    (long long)(bench->duration_ns / NS_PER_MS));
	snprintf(warmup, sizeof(warmup), "%lldms",
	    (long long)(load_warmup_ns(workload) / NS_PER_MS));
	if (workload->kind == KIND_BULK)
		argv[13] = "--bulk";
	if (workload->kind == KIND_RECONNECT)
		argv[13] = "--reconnect";
	if (workload->placement == PLACE_FREE)
		sched_setaffinity(0, sizeof(bench->all), &bench->all);
	if (workload->placement == PLACE_TOGETHER)
		sched_setaffinity(0, sizeof(bench->server), &bench->server);
	dup2(nothing, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	if (workload->is_foreign)
		become_foreign();
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user clears it */
	fexecve(bench->uxping_fd, (char *const *)argv, environ);
	_exit(127);
}

static int
start_uxping(struct run *run, const struct workload *workload)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return bench_fail(run->bench, "cannot make a pipe: %s",
		    strerror(errno));
	if ((run->uxping = fork()) == 0)
		become_uxping(run->bench, workload, out[1]);
	close(out[1]);
	run->out = out[0];
	if (run->uxping < 0)
		return bench_fail(run->bench, "cannot fork: %s",
		    strerror(errno));
	return 0;
}

static void
take_line(struct run *run)
{
	char event[16];

	run->line[run->n_line] = '\0';
	run->n_line = 0;
	if (!json_field_text(run->line, "event", event, sizeof(event)))
		return;
	if (strcmp(event, "end") == 0)
		strcpy(run->end, run->line);
	else if (strcmp(event, "error") == 0 &&
	    !json_field_text(run->line, "reason", run->trouble,
		sizeof(run->trouble)))
		strcpy(run->trouble, "an error");
}

/* Returns false at the end of what it prints. */
static bool
read_lines(struct run *run)
{
	char data[4096];
	const ssize_t n = read(run->out, data, sizeof(data));

	for (ssize_t i = 0; i < n; i++) {
		if (data[i] == '\n')
			take_line(run);
		else if (run->n_line + 1 < sizeof(run->line))
			run->line[run->n_line++] = data[i];
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* ---- the server meanwhile ---- */

static void
take_sample(struct run *run)
{
	if (run->n_samples == SAMPLES_MAX)
		return;
	/* uxping's lines tell the time of day. */
	run->samples[run->n_samples++] = (struct usage_sample){
		.when_ns = bench_clock_ns(CLOCK_REALTIME),
		.cpu_ns = usage_cpu_ns(run->server),
	};
}

static int
watch(struct run *run, int64_t step_ns)
{
	struct pollfd place = { .fd = run->out, .events = POLLIN };
	const struct timespec step = { step_ns / NS_PER_S, step_ns % NS_PER_S };

	for (;;) {
		const int n = ppoll(&place, 1, &step, NULL);

		if (run->end[0] == '\0')
			take_sample(run);
		if (n > 0 && !read_lines(run))
			return 0;
		if (bench_is_interrupted)
			return bench_fail(run->bench, "interrupted");
		if (bench_clock_ns(CLOCK_MONOTONIC) > run->limit_ns)
			return bench_fail(run->bench,
			    "uxping did not end in time");
	}
}

static int
end_uxping(struct run *run, int result)
{
	int status = 0;

	if (result < 0)
		kill(run->uxping, SIGKILL);
	while (waitpid(run->uxping, &status, 0) < 0 && errno == EINTR)
		;
	close(run->out);
	if (result < 0)
		return result;
	if (run->trouble[0] != '\0')
		return bench_fail(run->bench, "uxping: %s", run->trouble);
	if (run->end[0] == '\0')
		return bench_fail(run->bench, "uxping did not run");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return bench_fail(run->bench, "no answer came in the time");
	return 0;
}

/* ---- what it comes to ---- */

static double
number(const struct run *run, const char *name)
{
	double value;

	return json_field_number(run->end, name, &value) ? value : NAN;
}

static void
put_figures(const struct run *run, const struct workload *workload,
    struct figures *figures)
{
	const double end_ns = number(run, "time_ns");
	const double duration_ns = number(run, "duration_ns");
	const double cpu_ns =
	    usage_at(run->samples, run->n_samples, (int64_t)end_ns) -
	    usage_at(run->samples, run->n_samples,
		(int64_t)(end_ns - duration_ns));
	double *value = figures->value;

	value[METRIC_BUSY] = cpu_ns / duration_ns;
	if (workload->kind == KIND_BULK) {
		value[METRIC_BYTES] = number(run, "bytes_per_s");
		value[METRIC_CPU_BULK] = cpu_ns /
		    (number(run, "received_bytes") / 1e6);
		return;
	}
	value[METRIC_RATE] = number(run, "messages_per_s");
	value[METRIC_CPU] = cpu_ns / number(run, "received");
	value[METRIC_P50] = number(run, "rtt_ns.p50");
	value[METRIC_P99] = number(run, "rtt_ns.p99");
}

int
load_run(struct bench *bench, const struct workload *workload, pid_t server,
    struct figures *figures)
{
	static struct run run;
	const int64_t whole_ns = bench->duration_ns + load_warmup_ns(workload) +
	    GRACE_NS;
	int r;

	run = (struct run){ .bench = bench, .server = server };
	run.limit_ns = bench_clock_ns(CLOCK_MONOTONIC) + whole_ns;
	if ((r = start_uxping(&run, workload)) < 0)
		return r;
	/* Short enough that the ends are met, long enough that the samples
	 * last and disturb nobody. */
	r = watch(&run, whole_ns / SAMPLES_MAX * 2);
	if ((r = end_uxping(&run, r)) < 0)
		return r;
	put_figures(&run, workload, figures);
	return 0;
}
