/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <uxsrv/units.h>

#include "diagnose.h"
#include "figures.h"
#include "options.h"
#include "tally.h"

/* An open loop that falls this much behind its timetable is said to. */
#define KEPT_UP 0.99

static const char *
plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

void
report_print_mode(const struct report *report, FILE *out)
{
	const struct options *o = report->options;
	char rate[FIGURES_TEXT_MAX];

	if (o->bulk)
		fprintf(out, "bulk: ");
	else if (o->rate > 0)
		fprintf(out,
		    "open loop at %s/s: ", figures_count(o->rate, rate));
	else
		fprintf(out, "closed loop: ");
	fprintf(out, "%" PRId64 " connection%s", o->n_connections,
	    plural(o->n_connections));
	if (o->bulk)
		fprintf(out, ", kept full in both directions\n");
	else if (o->reconnect)
		fprintf(out, ", a new one for each message\n");
	else if (o->rate > 0)
		fprintf(out,
		    ", depth %" PRId64 ": latency counts from "
		    "when it was due\n",
		    o->depth);
	else
		fprintf(out,
		    ", depth %" PRId64 ": latency is what the server allows\n",
		    o->depth);
}

void
report_format_load(const struct report *report, char *text, size_t size)
{
	const struct options *o = report->options;
	char rate[FIGURES_TEXT_MAX] = "";

	if (o->rate > 0)
		figures_count(o->rate, rate);
	snprintf(text, size,
	    "%s%s%s, %zu bytes, %" PRId64 " connection%s, depth %" PRId64,
	    o->rate > 0 ? "open loop at " : "closed loop", rate,
	    o->rate > 0 ? "/s" : "", o->size_bytes, o->n_connections,
	    plural(o->n_connections), o->depth);
}

void
report_print_start(const struct report *report, FILE *out)
{
	const struct options *o = report->options;
	char duration[UXS_UNITS_TEXT_MAX], warmup[UXS_UNITS_TEXT_MAX];

	fprintf(out, "UXPING BENCH %s (%s) %zu bytes for %s", report->label,
	    report->type, o->size_bytes,
	    uxs_duration_print(o->duration_ns, duration));
	if (o->warmup_ns > 0)
		fprintf(out, " after %s of warm-up",
		    uxs_duration_print(o->warmup_ns, warmup));
	putc('\n', out);
	report_print_mode(report, out);
}

/* ---- the end ---- */

static void
print_counts(const struct report *report, FILE *out)
{
	const struct tally *t = report->tally;

	if (!report->options->bulk)
		fprintf(out, "%" PRIu64 " sent, %" PRIu64 " received, ",
		    t->sent, t->received);
	fprintf(out, "%" PRIu64 " corrupted, %" PRIu64 " timeouts, ",
	    t->corrupt, t->timeouts);
	if (t->late > 0)
		fprintf(out, "%" PRIu64 " late, ", t->late);
	fprintf(out, "%" PRIu64 " errors, time %" PRId64 " ms%s\n", t->errors,
	    (t->measured_ns + UXS_NS_PER_MS / 2) / UXS_NS_PER_MS,
	    report->was_interrupted ? " (interrupted)" : "");
}

static void
print_throughput(const struct report *report, FILE *out)
{
	const struct tally *t = report->tally;
	const double s = (double)t->measured_ns / 1e9;
	char sent[FIGURES_TEXT_MAX], received[FIGURES_TEXT_MAX];

	if (t->measured_ns <= 0)
		return;
	figures_bytes_per_s((double)t->sent_bytes / s, sent);
	figures_bytes_per_s((double)t->received_bytes / s, received);
	if (report->options->bulk)
		fprintf(out, "throughput = %s sent, %s received\n", sent,
		    received);
	else
		fprintf(out, "throughput = %.0f messages/s, %s%s\n",
		    tally_messages_per_s(t), received,
		    report->options->verify ? ", every byte compared" : "");
}

static void
print_timetable(const struct report *report, FILE *out)
{
	const struct tally *t = report->tally;
	const double due = report->options->rate * (double)t->measured_ns / 1e9;
	char wanted[FIGURES_TEXT_MAX];

	if (due < 1 || (double)t->sent >= KEPT_UP * due)
		return;
	fprintf(out,
	    "the rate was not held: %.0f%% of %s/s were sent; the others "
	    "were still waiting\n",
	    100 * (double)t->sent / due,
	    figures_count(report->options->rate, wanted));
}

static void
print_times(const char *name, const struct histogram *h, FILE *out)
{
	static const uint32_t ppms[] = { 500000, 900000, 990000, 999000 };
	char text[FIGURES_TEXT_MAX];
	int64_t ns;

	fprintf(out, "%-9s%10s", name, figures_time(h->min_ns, text));
	fprintf(out, "%10s", figures_time(llround(histogram_mean_ns(h)), text));
	for (size_t i = 0; i < sizeof(ppms) / sizeof(ppms[0]); i++)
		fprintf(out, "%10s",
		    histogram_percentile(h, ppms[i], &ns) ?
			figures_time(ns, text) :
			"-");
	fprintf(out, "%10s\n", figures_time(h->max_ns, text));
}

static void
print_latency(const struct report *report, const struct bars_style *style,
    FILE *out)
{
	const struct tally *t = report->tally;

	if (t->response.n == 0)
		return;
	fprintf(out, "\n%-9s%10s%10s%10s%10s%10s%10s%10s\n", "", "min", "avg",
	    "p50", "p90", "p99", "p99.9", "max");
	if (report->options->rate > 0) {
		print_times("response", &t->response, out);
		print_times("service", &t->service, out);
	} else
		print_times("rtt", &t->response, out);
	putc('\n', out);
	bars_print(&t->response, style, out);
}

void
report_print_end(const struct report *report, const struct bars_style *style,
    FILE *out)
{
	fprintf(out, "--- %s uxping benchmark ---\n", report->label);
	print_counts(report, out);
	print_throughput(report, out);
	print_timetable(report, out);
	print_latency(report, style, out);
	fflush(out);
}

void
report_print_trouble(const struct report *report, FILE *out)
{
	if (report->diagnosis == NULL)
		return;
	fprintf(out, "uxping: %s: %s: %s\n", report->label,
	    diagnose_word(report->diagnosis->reason), report->diagnosis->text);
}

/* ---- meanwhile ---- */

void
report_print_progress(const struct report *report, int64_t elapsed_ns,
    const struct tally *second, FILE *out)
{
	char rate[FIGURES_TEXT_MAX], bytes[FIGURES_TEXT_MAX],
	    p50[FIGURES_TEXT_MAX], p99[FIGURES_TEXT_MAX];
	int64_t ns;

	fprintf(out, "\r\033[K%.0f of %.0f s", (double)elapsed_ns / 1e9,
	    (double)report->options->duration_ns / 1e9);
	if (!report->options->bulk)
		fprintf(out, ", %s messages/s",
		    figures_count(tally_messages_per_s(second), rate));
	fprintf(out, ", %s",
	    figures_bytes_per_s(tally_bytes_per_s(second), bytes));
	if (histogram_percentile(&second->response, 500000, &ns))
		fprintf(out, ", p50 %s", figures_time(ns, p50));
	if (histogram_percentile(&second->response, 990000, &ns))
		fprintf(out, ", p99 %s", figures_time(ns, p99));
	fflush(out);
}

void
report_wipe_progress(FILE *out)
{
	fputs("\r\033[K", out);
	fflush(out);
}
