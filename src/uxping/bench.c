/* SPDX-License-Identifier: ISC */
/*
 * The bench from outside: which targets, in which order, and where what was
 * found goes.
 */
#include "bench.h"

#include <err.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "compare.h"
#include "options.h"
#include "subject.h"
#include "svg.h"

struct bench {
	const struct options *options;
	struct bars_style style;
	bool has_progress;
	struct subject *subjects;
	size_t n_subjects; /* that are open */
};

/* ---- one after the other ---- */

static void
on_start(struct subject *s, void *arg)
{
	if (s->options->json)
		report_json_start(&s->report, stdout);
	else
		report_print_start(&s->report, stdout);
	fflush(stdout);
}

static void
on_interval(struct subject *s, const struct tally *second, void *arg)
{
	const struct bench *bench = arg;

	s->elapsed_ns += second->measured_ns;
	if (s->options->json)
		report_json_interval(&s->report, second, stdout);
	else if (bench->has_progress)
		report_print_progress(&s->report, s->elapsed_ns, second,
		    stderr);
}

static void
tell(const struct bench *bench, const struct subject *s)
{
	if (bench->has_progress)
		report_wipe_progress(stderr);
	if (s->options->json) {
		report_json_error(&s->report, stdout);
		report_json_end(&s->report, stdout);
		return;
	}
	/* One that was never connected has no figures. */
	if (s->report.type != NULL)
		report_print_end(&s->report, &bench->style, stdout);
	report_print_trouble(&s->report, stderr);
}

static int
run_in_turn(struct bench *bench)
{
	const struct subject_watcher watcher = {
		.on_start = on_start,
		.on_interval = on_interval,
		.arg = bench,
	};
	int status = 0;

	for (size_t i = 0; i < bench->n_subjects; i++) {
		struct subject *s = &bench->subjects[i];

		subject_run(s, bench->options->duration_ns, &watcher);
		if (s->status != 2)
			tell(bench, s);
		if (s->status > status)
			status = s->status;
		if (s->was_interrupted)
			break;
	}
	return status;
}

/* ---- files ---- */

static int
write_svg(const struct bench *bench, FILE *out)
{
	struct svg_series series[2 * SVG_SERIES_MAX];
	const struct options *o = bench->options;
	const struct subject *first = &bench->subjects[0];
	char subtitle[128], title[TARGET_TEXT_MAX + 32];
	size_t n = 0;

	for (size_t i = 0; i < bench->n_subjects && n < SVG_SERIES_MAX; i++) {
		series[n].name = subject_name(&bench->subjects[i]);
		series[n++].histogram = &bench->subjects[i].total.response;
	}
	if (n == 1 && o->rate > 0) {
		series[0].name = "response time, from when it was due";
		series[1].name = "service time, from when it was sent";
		series[n++].histogram = &first->total.service;
	}
	if (bench->n_subjects > 1)
		snprintf(title, sizeof(title), "Latency of %zu addresses",
		    bench->n_subjects);
	else
		snprintf(title, sizeof(title), "Latency of %s",
		    subject_name(first));
	report_format_load(&first->report, subtitle, sizeof(subtitle));
	return svg_write(out, title, subtitle, series, n);
}

static int
write_csv(const struct bench *bench, FILE *out)
{
	return report_csv(&bench->subjects[0].report, out);
}

/* Returns 0 or -1, which has been said. */
static int
write_file(const struct bench *bench, const char *path,
    int (*write)(const struct bench *, FILE *))
{
	FILE *out;
	int r;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0)
		r = write(bench, stdout);
	else if ((out = fopen(path, "we")) == NULL)
		r = -errno;
	else {
		r = write(bench, out);
		if (fclose(out) != 0 && r == 0)
			r = -errno;
	}
	if (r < 0)
		warnc(-r, "%s: cannot write it", path);
	return r < 0 ? -1 : 0;
}

/* ---- all of it ---- */

static bool
is_utf8(void)
{
	/* For characters only: numbers keep their dots. */
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int
open_subjects(struct bench *bench)
{
	const struct options *options = bench->options;

	if (options->csv_path != NULL && options->n_targets > 1) {
		warnx("--csv holds the times of one address; give one, or use "
		      "--svg");
		return -1;
	}
	bench->subjects = calloc(options->n_targets, sizeof(struct subject));
	if (bench->subjects == NULL) {
		warn("cannot start");
		return -1;
	}
	while (bench->n_subjects < options->n_targets) {
		struct subject *s = &bench->subjects[bench->n_subjects];

		if (subject_open(s, options->targets[bench->n_subjects],
			options) < 0)
			return -1;
		bench->n_subjects++;
	}
	return 0;
}

int
bench_run(const struct options *options)
{
	struct bench bench = {
		.options = options,
		.style = {
			.is_utf8 = is_utf8(),
			.has_color = options_wants_color(options, stdout),
		},
		.has_progress = !options->json && isatty(STDERR_FILENO),
	};
	int status = 2;

	if (open_subjects(&bench) == 0) {
		status = options->compare ?
		    compare_run(bench.subjects, bench.n_subjects, options,
			&bench.style) :
		    run_in_turn(&bench);
		if (status != 2 &&
		    (write_file(&bench, options->csv_path, write_csv) < 0 ||
			write_file(&bench, options->svg_path, write_svg) < 0))
			status = 2;
	}
	while (bench.n_subjects > 0)
		subject_close(&bench.subjects[--bench.n_subjects]);
	free(bench.subjects);
	return status;
}
