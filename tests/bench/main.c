/* SPDX-License-Identifier: ISC */
/*
 * The benchmark: "make bench". Starts uxecho and every peer that is here, one
 * at a time, drives them all with uxping -B in interleaved rounds, and writes
 * RESULTS.md and results.svg.
 *
 * Whatever a subject does wrong is said in the results and costs its own
 * figures only. No part of the tests: figures depend on the machine.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "bench.h"
#include "head.h"
#include "load.h"
#include "markdown.h"
#include "options.h"
#include "picture.h"
#include "server.h"
#include "subjects.h"

/* What the picture shows: all peers take part in it. */
#define PICTURE_WORKLOAD "stream-16"

/* Starting and stopping a server, and what it takes to look around. */
#define OVERHEAD_NS (150 * UXS_NS_PER_MS)

/* Who failed so often in a row is left alone for the rest of a workload. */
#define FAILURES_MAX 2

static struct bench bench;
static struct results results;
static struct head head;

/* ---- who takes part ---- */

#define CHOSEN_MAX 64

static bool
is_chosen(const struct bench_options *options, size_t subject)
{
	return bench_is_chosen(options->subjects, subjects[subject].name);
}

/* Whether it can be run here; why not stands in bench.why. Without uxecho
 * there is nothing to hold the others against that they were not before. */
static bool
is_possible(const struct bench_options *options, const struct workload *w)
{
	const int uxecho = subject_find("uxecho", strlen("uxecho"));
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if ((rlim_t)w->n_connections + 64 > limit.rlim_cur)
		bench_fail(&bench, "only %ju descriptors are allowed",
		    (uintmax_t)limit.rlim_cur);
	else if (w->is_foreign && geteuid() != 0)
		bench_fail(&bench, "needs root, to become another user");
	else if (!is_chosen(options, (size_t)uxecho) ||
	    server_takes(&bench, w) == 0)
		return true;
	return false;
}

/* Those that a workload measures, CHOSEN_MAX at most; none where it is not
 * wanted, or where it cannot be run, which is said. */
static size_t
choose(const struct bench_options *options, size_t workload, size_t *chosen)
{
	const struct workload *w = &workloads[workload];
	const size_t uxecho = (size_t)subject_find("uxecho", strlen("uxecho"));
	size_t n = 0;

	if (!bench_is_chosen(options->workloads, w->name))
		return 0;
	if (!is_possible(options, w)) {
		results_explain(&results, workload, uxecho, bench.why);
		return 0;
	}
	for (size_t s = 0; s < n_subjects && n < CHOSEN_MAX; s++) {
		if (is_chosen(options, s) && workload_has(w, s) &&
		    server_is_there(&bench, s) == 0)
			chosen[n++] = s;
	}
	return n;
}

static int64_t
cost_ns(const struct workload *w)
{
	switch (w->kind) {
	case KIND_MESSAGES:
	case KIND_BULK:
	case KIND_RECONNECT:
		return bench.duration_ns + load_warmup_ns(w) + OVERHEAD_NS;
	case KIND_IDLE:
		return bench.duration_ns + OVERHEAD_NS;
	case KIND_MEMORY:
		return (int64_t)w->n_connections * 60000 + OVERHEAD_NS;
	case KIND_START:
		break;
	}
	return OVERHEAD_NS / 2;
}

static void
print_estimate(const struct bench_options *options)
{
	size_t chosen[CHOSEN_MAX], n_all = 0;
	int64_t ns = 0;

	for (size_t w = 0; w < n_workloads; w++) {
		const size_t n = choose(options, w, chosen);

		n_all += n;
		ns += cost_ns(&workloads[w]) * (int64_t)(n * options->n_rounds);
	}
	printf("%zu measurements in each of %zu rounds: about %.1f minutes\n",
	    n_all, options->n_rounds, (double)ns / 60e9);
	for (size_t s = 0; s < n_subjects; s++) {
		if (is_chosen(options, s) && server_is_there(&bench, s) < 0)
			printf("SKIPPED %s: %s\n", subjects[s].name, bench.why);
	}
	fflush(stdout);
}

/* ---- the rounds ---- */

static void
run_one(size_t workload, size_t subject, size_t round, size_t *n_failures)
{
	struct figures figures;

	if (measure(&bench, &workloads[workload], subject, &figures) == 0) {
		results_add(&results, workload, subject, round, &figures);
		n_failures[subject] = 0;
		return;
	}
	if (bench_is_interrupted)
		return;
	printf("  %s failed: %s\n", subjects[subject].name, bench.why);
	results_explain(&results, workload, subject, bench.why);
	n_failures[subject]++;
}

static void
print_outcome(size_t workload)
{
	const struct workload *w = &workloads[workload];
	const enum metric metric = (enum metric) * workload_metrics(w->kind);
	const size_t self = (size_t)subject_find("uxecho", strlen("uxecho"));
	const struct quartiles q =
	    results_quartiles(&results, workload, self, metric);
	const struct quartiles ratio = results_ratio(&results, workload, self,
	    workload_yardstick(w), metric);
	char value[METRIC_TEXT_MAX], text[RATIO_TEXT_MAX];

	printf("%-22s uxecho: %s %s", w->name, metrics[metric].title,
	    metric_print(metric, q.median, value));
	if (metrics[metric].has_ratio && ratio.n > 0)
		printf(", %s of %s", ratio_print(&ratio, 2, text),
		    subjects[workload_yardstick(w)].name);
	putchar('\n');
	fflush(stdout);
}

/* Each round begins with the next subject, so that none is always the one
 * after the heaviest. */
static void
run_workload(const struct bench_options *options, size_t workload)
{
	size_t chosen[CHOSEN_MAX], n_failures[CHOSEN_MAX] = { 0 };
	const size_t n = choose(options, workload, chosen);
	const size_t uxecho = (size_t)subject_find("uxecho", strlen("uxecho"));

	for (size_t round = 0; round < options->n_rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			const size_t s = chosen[(i + round) % n];

			if (bench_is_interrupted)
				return;
			if (n_failures[s] < FAILURES_MAX)
				run_one(workload, s, round, n_failures);
		}
	}
	if (n > 0)
		print_outcome(workload);
	else if (results_reason(&results, workload, uxecho)[0] != '\0')
		printf("%-22s SKIPPED: %s\n", workloads[workload].name,
		    results_reason(&results, workload, uxecho));
}

/* ---- what it comes to ---- */

static int
write_picture(FILE *out)
{
	return picture_write(out, &head, &results,
	    (size_t)workload_find(PICTURE_WORKLOAD));
}

static int
write_results(FILE *out)
{
	return markdown_write(out, &head, &results);
}

/* Beside the file first, so that one that is there stays whole. */
static int
write_file(const struct bench_options *options, const char *name,
    int (*write)(FILE *))
{
	char path[4096], draft[4096 + 8];
	FILE *out;
	int r;

	snprintf(path, sizeof(path), "%s/%s", options->output, name);
	snprintf(draft, sizeof(draft), "%s.new", path);
	if ((out = fopen(draft, "we")) == NULL) {
		warn("%s: cannot write it", draft);
		return -1;
	}
	r = write(out);
	if (fclose(out) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(draft, path) < 0)
		r = -errno;
	if (r == 0)
		printf("%s\n", path);
	else
		unlink(draft);
	if (r < 0)
		warnc(-r, "%s: cannot write it", path);
	return r < 0 ? -1 : 0;
}

static void
list(void)
{
	puts("workloads (-w):");
	for (size_t i = 0; i < n_workloads; i++)
		printf("  %-22s %s: %s\n", workloads[i].name,
		    workloads[i].title, workloads[i].subjects);
	puts("servers (-s):");
	for (size_t i = 0; i < n_subjects; i++)
		printf("  %-22s %s\n", subjects[i].name, subjects[i].title);
}

static int
run(const struct bench_options *options)
{
	if (results_open(&results, options->n_rounds) < 0 ||
	    head_open(&head, &bench, options->n_rounds) < 0)
		errx(71, "out of memory");
	print_estimate(options);
	for (size_t i = 0; i < n_workloads && !bench_is_interrupted; i++)
		run_workload(options, i);
	if (bench_is_interrupted) {
		warnx("interrupted: nothing is written");
		return 1;
	}
	if (write_file(options, "RESULTS.md", write_results) < 0 ||
	    write_file(options, "results.svg", write_picture) < 0)
		return 73;
	return 0;
}

int
main(int argc, char *argv[])
{
	struct bench_options options;
	char why[OPTIONS_WHY_MAX];
	int status;

	if (bench_options_read(argc, argv, &options, why) < 0) {
		if (why[0] != '\0')
			errx(64, "%s", why);
		fputs(bench_usage, stdout);
		return 0;
	}
	if (options.is_list) {
		list();
		return 0;
	}
	/* Now, and not after half an hour. */
	if (access(options.output, W_OK | X_OK) < 0)
		err(73, "%s: cannot write results there", options.output);
	bench.build = options.build;
	bench.sources = options.sources;
	bench.duration_ns = options.duration_ns;
	bench_open(&bench);
	status = run(&options);
	head_close(&head);
	results_close(&results);
	bench_close(&bench);
	return status;
}
