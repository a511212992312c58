/* SPDX-License-Identifier: ISC */
/* What pings came to, counted and printed as ping(8) does, in microseconds. */
#include "summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/units.h>

#include "json.h"

static const struct {
	uint32_t ppm;
	const char *label, *name; /* for people, for JSON */
} percentiles[] = {
	{ 500000, "p50", "p50" },
	{ 900000, "p90", "p90" },
	{ 990000, "p99", "p99" },
	{ 999000, "p99.9", "p999" },
};

#define N_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

void
summary_init(struct summary *summary, int64_t now_ns)
{
	memset(summary, 0, sizeof(*summary));
	summary->start_ns = summary->end_ns = now_ns;
	histogram_init(&summary->times);
}

void
summary_record(struct summary *summary, int64_t rtt_ns)
{
	if (summary->times.n < SUMMARY_EXACT_MAX)
		summary->exact_ns[summary->times.n] = rtt_ns;
	if (summary->times.n == 0)
		summary->ewma_ns = rtt_ns;
	else
		summary->ewma_ns += (rtt_ns - summary->ewma_ns) / 8;
	histogram_record(&summary->times, rtt_ns);
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

bool
summary_percentile(const struct summary *summary, uint32_t ppm, int64_t *ns)
{
	const uint64_t n = summary->times.n;
	int64_t sorted[SUMMARY_EXACT_MAX];
	uint64_t rank;

	if (!histogram_percentile(&summary->times, ppm, ns))
		return false;
	if (n > SUMMARY_EXACT_MAX)
		return true;
	memcpy(sorted, summary->exact_ns, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_times);
	rank = (n * ppm + HISTOGRAM_PPM - 1) / HISTOGRAM_PPM;
	*ns = sorted[rank - 1];
	return true;
}

char *
summary_us(int64_t ns, char text[SUMMARY_US_MAX])
{
	const int64_t tenths = (ns + 50) / 100;

	snprintf(text, SUMMARY_US_MAX, "%" PRId64 ".%" PRId64, tenths / 10,
	    tenths % 10);
	return text;
}

static double
loss_percent(const struct summary *summary)
{
	if (summary->sent == 0)
		return 0;
	return 100.0 * (double)(summary->sent - summary->received) /
	    (double)summary->sent;
}

static void
print_percentiles(const struct summary *summary, FILE *out)
{
	char names[64] = "", values[4 * SUMMARY_US_MAX] = "";
	char one[SUMMARY_US_MAX];
	int64_t ns;

	for (size_t i = 0; i < N_PERCENTILES; i++) {
		if (!summary_percentile(summary, percentiles[i].ppm, &ns))
			break;
		if (i > 0) {
			strcat(names, "/");
			strcat(values, "/");
		}
		strcat(names, percentiles[i].label);
		strcat(values, summary_us(ns, one));
	}
	if (names[0] != '\0')
		fprintf(out, "rtt %s = %s us\n", names, values);
}

static void
print_extra(FILE *out, uint64_t n, const char *what)
{
	if (n > 0)
		fprintf(out, ", +%" PRIu64 " %s", n, what);
}

void
summary_print(const struct summary *summary, const char *label, FILE *out)
{
	const struct histogram *h = &summary->times;
	char min[SUMMARY_US_MAX], mean[SUMMARY_US_MAX], max[SUMMARY_US_MAX],
	    deviation[SUMMARY_US_MAX];

	fprintf(out, "\n--- %s uxping statistics ---\n", label);
	fprintf(out,
	    "%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " corrupted",
	    summary->sent, summary->received, summary->corrupted);
	print_extra(out, summary->duplicates, "duplicates");
	print_extra(out, summary->late, "late");
	print_extra(out, summary->errors, "errors");
	fprintf(out, ", %g%% loss, time %" PRId64 " ms\n",
	    loss_percent(summary),
	    (summary->end_ns - summary->start_ns) / UXS_NS_PER_MS);
	if (h->n == 0)
		return;
	fprintf(out, "rtt min/avg/max/mdev = %s/%s/%s/%s us\n",
	    summary_us(h->min_ns, min),
	    summary_us(llround(histogram_mean_ns(h)), mean),
	    summary_us(h->max_ns, max),
	    summary_us(llround(histogram_stdev_ns(h)), deviation));
	print_percentiles(summary, out);
}

void
summary_print_interim(const struct summary *summary, FILE *out)
{
	const struct histogram *h = &summary->times;
	char min[SUMMARY_US_MAX], mean[SUMMARY_US_MAX], max[SUMMARY_US_MAX],
	    ewma[SUMMARY_US_MAX];

	fprintf(out, "%" PRIu64 "/%" PRIu64 " packets, %g%% loss",
	    summary->received, summary->sent, loss_percent(summary));
	if (h->n > 0)
		fprintf(out, ", min/avg/ewma/max = %s/%s/%s/%s us",
		    summary_us(h->min_ns, min),
		    summary_us(llround(histogram_mean_ns(h)), mean),
		    summary_us(summary->ewma_ns, ewma),
		    summary_us(h->max_ns, max));
	putc('\n', out);
}

static void
print_times(const struct summary *summary, struct json *json)
{
	const struct histogram *h = &summary->times;
	int64_t ns;

	if (h->n == 0) {
		json_null(json, "rtt_ns");
		return;
	}
	json_object_open(json, "rtt_ns");
	json_integer(json, "min", h->min_ns);
	json_integer(json, "mean", llround(histogram_mean_ns(h)));
	json_integer(json, "max", h->max_ns);
	json_integer(json, "stdev", llround(histogram_stdev_ns(h)));
	for (size_t i = 0; i < N_PERCENTILES; i++) {
		if (summary_percentile(summary, percentiles[i].ppm, &ns))
			json_integer(json, percentiles[i].name, ns);
		else
			json_null(json, percentiles[i].name);
	}
	json_object_close(json);
}

void
summary_print_json(const struct summary *summary, struct json *json)
{
	json_integer(json, "sent", (int64_t)summary->sent);
	json_integer(json, "received", (int64_t)summary->received);
	json_integer(json, "corrupted", (int64_t)summary->corrupted);
	json_integer(json, "duplicates", (int64_t)summary->duplicates);
	json_integer(json, "late", (int64_t)summary->late);
	json_integer(json, "errors", (int64_t)summary->errors);
	json_integer(json, "duration_ns", summary->end_ns - summary->start_ns);
	print_times(summary, json);
}
