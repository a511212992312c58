/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <math.h>
#include <time.h>

#include <uxsrv/units.h>

#include "compare.h"
#include "diagnose.h"
#include "json.h"
#include "options.h"
#include "tally.h"

static void
begin(struct json *json, const struct report *report, const char *event,
    FILE *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_begin(json, out, event);
	json_integer(json, "time_ns", now.tv_sec * UXS_NS_PER_S + now.tv_nsec);
	json_string(json, "target", report->label);
}

static const char *
mode_of(const struct options *options)
{
	return options->rate > 0 ? "open" : "closed";
}

void
report_json_start(const struct report *report, FILE *out)
{
	const struct options *o = report->options;
	struct json json;

	begin(&json, report, "start", out);
	json_string(&json, "type", report->type);
	json_string(&json, "mode", mode_of(o));
	json_integer(&json, "bytes", (int64_t)o->size_bytes);
	json_integer(&json, "connections", o->n_connections);
	json_integer(&json, "depth", o->depth);
	if (o->rate > 0)
		json_number(&json, "rate_per_s", o->rate);
	else
		json_null(&json, "rate_per_s");
	json_integer(&json, "duration_ns", o->duration_ns);
	json_integer(&json, "warmup_ns", o->warmup_ns);
	json_boolean(&json, "reconnect", o->reconnect);
	json_boolean(&json, "bulk", o->bulk);
	json_boolean(&json, "verify", o->verify);
	json_end(&json);
}

static void
put_times(struct json *json, const char *name, const struct histogram *h)
{
	static const struct {
		const char *name;
		uint32_t ppm;
	} percentiles[] = {
		{ "p50", 500000 },
		{ "p90", 900000 },
		{ "p99", 990000 },
		{ "p999", 999000 },
	};
	int64_t ns;

	if (h->n == 0) {
		json_null(json, name);
		return;
	}
	json_object_open(json, name);
	json_integer(json, "min", h->min_ns);
	json_integer(json, "mean", llround(histogram_mean_ns(h)));
	json_integer(json, "max", h->max_ns);
	json_integer(json, "stdev", llround(histogram_stdev_ns(h)));
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]);
	     i++) {
		if (histogram_percentile(h, percentiles[i].ppm, &ns))
			json_integer(json, percentiles[i].name, ns);
		else
			json_null(json, percentiles[i].name);
	}
	json_object_close(json);
}

static void
put_tally(struct json *json, const struct report *report,
    const struct tally *tally)
{
	json_string(json, "mode", mode_of(report->options));
	json_integer(json, "sent", (int64_t)tally->sent);
	json_integer(json, "received", (int64_t)tally->received);
	json_integer(json, "corrupted", (int64_t)tally->corrupt);
	json_integer(json, "timeouts", (int64_t)tally->timeouts);
	json_integer(json, "late", (int64_t)tally->late);
	json_integer(json, "errors", (int64_t)tally->errors);
	json_integer(json, "duration_ns", tally->measured_ns);
	json_integer(json, "sent_bytes", (int64_t)tally->sent_bytes);
	json_integer(json, "received_bytes", (int64_t)tally->received_bytes);
	json_number(json, "messages_per_s", tally_messages_per_s(tally));
	json_number(json, "bytes_per_s", tally_bytes_per_s(tally));
	put_times(json, "rtt_ns", &tally->response);
	if (report->options->rate > 0)
		put_times(json, "service_ns", &tally->service);
}

static void
put_buckets(struct json *json, const struct histogram *h)
{
	struct histogram_bucket bucket;
	size_t position = 0;

	json_array_open(json, "histogram");
	while (histogram_next(h, &position, &bucket)) {
		json_array_open(json, NULL);
		json_array_integer(json, bucket.low_ns);
		json_array_integer(json, bucket.high_ns);
		json_array_integer(json, (int64_t)bucket.n);
		json_array_close(json);
	}
	json_array_close(json);
}

void
report_json_interval(const struct report *report, const struct tally *second,
    FILE *out)
{
	struct json json;

	begin(&json, report, "interval", out);
	put_tally(&json, report, second);
	json_end(&json);
}

void
report_json_end(const struct report *report, FILE *out)
{
	struct json json;

	begin(&json, report, "end", out);
	put_tally(&json, report, report->tally);
	json_boolean(&json, "interrupted", report->was_interrupted);
	json_string(&json, "reason",
	    report->diagnosis == NULL ?
		NULL :
		diagnose_word(report->diagnosis->reason));
	if (report->ratio != NULL) {
		json_object_open(&json, "ratio");
		json_number(&json, "q1", report->ratio->q1);
		json_number(&json, "median", report->ratio->median);
		json_number(&json, "q3", report->ratio->q3);
		json_object_close(&json);
	}
	if (report->options->histogram)
		put_buckets(&json, &report->tally->response);
	json_end(&json);
}

void
report_json_error(const struct report *report, FILE *out)
{
	struct json json;

	if (report->diagnosis == NULL)
		return;
	begin(&json, report, "error", out);
	json_string(&json, "reason", diagnose_word(report->diagnosis->reason));
	json_string(&json, "text", report->diagnosis->text);
	json_end(&json);
}
