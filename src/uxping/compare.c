/* SPDX-License-Identifier: ISC */
#include "compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "figures.h"
#include "options.h"
#include "subject.h"

/* What the ratio is of: messages where the server sets the pace, bytes of a
 * bulk load, and the median where the rate is given. */
static double
figure_of(const struct options *options, const struct tally *tally)
{
	int64_t ns;

	if (tally->measured_ns == 0) /* never connected */
		return NAN;
	if (options->bulk)
		return tally_bytes_per_s(tally);
	if (options->rate == 0)
		return tally_messages_per_s(tally);
	return histogram_percentile(&tally->response, 500000, &ns) ?
	    (double)ns :
	    NAN;
}

static const char *
figure_name(const struct options *options)
{
	if (options->bulk)
		return "bytes/s";
	return options->rate == 0 ? "messages/s" : "p50";
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which the given part of n sorted ones lies. */
static double
quantile(const double *sorted, size_t n, double part)
{
	const double place = part * (double)(n - 1);
	const size_t i = (size_t)place;
	const double next = i + 1 < n ? sorted[i + 1] : sorted[i];

	return sorted[i] + (place - (double)i) * (next - sorted[i]);
}

struct compare_ratio
compare_ratio_of(const double *values, const double *base, size_t n)
{
	double ratios[COMPARE_ROUNDS];
	size_t n_ratios = 0;

	for (size_t i = 0; i < n && i < COMPARE_ROUNDS; i++) {
		const double ratio = values[i] / base[i];

		if (isfinite(ratio))
			ratios[n_ratios++] = ratio;
	}
	if (n_ratios == 0)
		return (struct compare_ratio){ NAN, NAN, NAN };
	qsort(ratios, n_ratios, sizeof(ratios[0]), compare_doubles);
	return (struct compare_ratio){
		.q1 = quantile(ratios, n_ratios, 0.25),
		.median = quantile(ratios, n_ratios, 0.5),
		.q3 = quantile(ratios, n_ratios, 0.75),
	};
}

/* ---- running ---- */

struct comparison {
	const struct options *options;
	struct subject *subjects;
	size_t n;
	double (*figures)[COMPARE_ROUNDS]; /* of each subject */
	size_t n_rounds; /* that are complete */
	bool has_progress;
};

static void
print_progress(const struct comparison *c, size_t round, size_t i)
{
	if (!c->has_progress)
		return;
	fprintf(stderr, "\r\033[Kround %zu of %d: %s", round + 1,
	    COMPARE_ROUNDS, subject_name(&c->subjects[i]));
	fflush(stderr);
}

/* Returns whether it was complete. */
static bool
run_round(struct comparison *c, size_t round)
{
	const struct subject_watcher nobody = { 0 };

	for (size_t i = 0; i < c->n; i++) {
		struct subject *s = &c->subjects[i];

		print_progress(c, round, i);
		subject_run(s, c->options->duration_ns / COMPARE_ROUNDS,
		    &nobody);
		c->figures[i][round] = figure_of(c->options, &s->last);
		if (s->was_interrupted || s->status == 2)
			return false;
	}
	return true;
}

/* ---- telling ---- */

static int
label_width(const struct comparison *c)
{
	size_t width = strlen("address");

	for (size_t i = 0; i < c->n; i++) {
		const size_t length = strlen(subject_name(&c->subjects[i]));

		width = length > width ? length : width;
	}
	return (int)width;
}

static void
print_ratio(const struct compare_ratio *ratio, FILE *out)
{
	if (isnan(ratio->median))
		fprintf(out, "       -\n");
	else
		fprintf(out, "  %6.3f  (%.3f .. %.3f)\n", ratio->median,
		    ratio->q1, ratio->q3);
}

static const char *
time_or_dash(const struct subject *s, uint32_t ppm, char text[FIGURES_TEXT_MAX])
{
	int64_t ns;

	if (!histogram_percentile(&s->total.response, ppm, &ns))
		return "-";
	return figures_time(ns, text);
}

static void
print_row(const struct comparison *c, size_t i, int width)
{
	const struct subject *s = &c->subjects[i];
	const struct compare_ratio ratio =
	    compare_ratio_of(c->figures[i], c->figures[0], c->n_rounds);
	char rate[FIGURES_TEXT_MAX], bytes[FIGURES_TEXT_MAX],
	    p50[FIGURES_TEXT_MAX], p99[FIGURES_TEXT_MAX];

	printf("%-*s  %10s  %10s  %9s  %9s", width, subject_name(s),
	    c->options->bulk ?
		"-" :
		figures_count(tally_messages_per_s(&s->total), rate),
	    figures_bytes_per_s(tally_bytes_per_s(&s->total), bytes),
	    time_or_dash(s, 500000, p50), time_or_dash(s, 990000, p99));
	print_ratio(&ratio, stdout);
}

static void
print_table(const struct comparison *c, const struct bars_style *style)
{
	const int width = label_width(c);
	char duration[UXS_UNITS_TEXT_MAX];

	printf("UXPING COMPARE %zu addresses, %zu bytes, %d rounds of %s "
	       "each\n",
	    c->n, c->options->size_bytes, COMPARE_ROUNDS,
	    uxs_duration_print(c->options->duration_ns / COMPARE_ROUNDS,
		duration));
	report_print_mode(&c->subjects[0].report, stdout);
	printf("%s%-*s  %10s  %10s  %9s  %9s  %s%s\n",
	    style->has_color ? "\033[1m" : "", width, "address", "messages/s",
	    "bytes/s", "p50", "p99", "ratio of ", figure_name(c->options));
	if (style->has_color)
		fputs("\033[0m", stdout);
	for (size_t i = 0; i < c->n; i++)
		print_row(c, i, width);
	if (c->n_rounds < COMPARE_ROUNDS)
		printf("%zu of %d rounds were complete\n", c->n_rounds,
		    COMPARE_ROUNDS);
}

static void
tell(struct comparison *c, const struct bars_style *style)
{
	for (size_t i = 0; i < c->n; i++) {
		struct report *report = &c->subjects[i].report;
		const struct compare_ratio ratio =
		    compare_ratio_of(c->figures[i], c->figures[0], c->n_rounds);

		report->ratio = &ratio;
		if (c->options->json) {
			report_json_error(report, stdout);
			report_json_end(report, stdout);
		}
		report->ratio = NULL;
	}
	if (c->options->json)
		return;
	print_table(c, style);
	for (size_t i = 0; i < c->n; i++)
		report_print_trouble(&c->subjects[i].report, stderr);
	for (size_t i = 0; i < c->n && c->options->histogram; i++) {
		printf("\n%s\n", subject_name(&c->subjects[i]));
		bars_print(&c->subjects[i].total.response, style, stdout);
	}
}

int
compare_run(struct subject *subjects, size_t n, const struct options *options,
    const struct bars_style *style)
{
	struct comparison c = {
		.options = options,
		.subjects = subjects,
		.n = n,
		.figures = calloc(n, sizeof(*c.figures)),
		.has_progress = !options->json && isatty(STDERR_FILENO),
	};
	int status = 0;

	if (c.figures == NULL)
		return 2;
	while (c.n_rounds < COMPARE_ROUNDS && run_round(&c, c.n_rounds))
		c.n_rounds++;
	if (c.has_progress)
		report_wipe_progress(stderr);
	tell(&c, style);
	for (size_t i = 0; i < n; i++)
		status = subjects[i].status > status ? subjects[i].status :
						       status;
	free(c.figures);
	return status;
}
