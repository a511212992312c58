/* SPDX-License-Identifier: ISC */
#include "metrics.h"

#include <math.h>
#include <stdio.h>

const struct metric_info metrics[N_METRICS] = {
	[METRIC_CPU] = { "CPU per message", UNIT_NS, true },
	[METRIC_RATE] = { "messages/s", UNIT_COUNT_PER_S, true },
	[METRIC_P50] = { "p50", UNIT_NS, true },
	[METRIC_P99] = { "p99", UNIT_NS, true },
	[METRIC_BUSY] = { "busy", UNIT_SHARE, false },
	[METRIC_CPU_BULK] = { "CPU per MB", UNIT_NS, true },
	[METRIC_BYTES] = { "throughput", UNIT_BYTES_PER_S, true },
	[METRIC_MEMORY] = { "memory per connection", UNIT_BYTES, true },
	[METRIC_RSS] = { "RSS", UNIT_BYTES, false },
	[METRIC_KERNEL] = { "kernel's per connection", UNIT_BYTES, false },
	[METRIC_START] = { "to the first echo", UNIT_NS, true },
	[METRIC_IDLE] = { "CPU per idle second", UNIT_NS, false },
};

struct scale {
	const char *names[4]; /* each a thousand of the one before */
};

static const struct scale scales[] = {
	[UNIT_NS] = { { "ns", "us", "ms", "s" } },
	[UNIT_COUNT_PER_S] = { { "", "k", "M", "G" } },
	[UNIT_BYTES] = { { "B", "kB", "MB", "GB" } },
	[UNIT_BYTES_PER_S] = { { "B/s", "kB/s", "MB/s", "GB/s" } },
};

char *
metric_print(enum metric metric, double value, char text[METRIC_TEXT_MAX])
{
	const enum unit unit = metrics[metric].unit;
	int i = 0;

	if (!isfinite(value)) {
		snprintf(text, METRIC_TEXT_MAX, "-");
		return text;
	}
	if (unit == UNIT_SHARE) {
		snprintf(text, METRIC_TEXT_MAX, "%.0f%%", value * 100);
		return text;
	}
	/* From 999.5 on three digits would be four. */
	for (; fabs(value) >= 999.5 && i < 3; i++)
		value /= 1000;
	snprintf(text, METRIC_TEXT_MAX, "%.*f%s%s",
	    fabs(value) >= 99.95 || (i == 0 && value == floor(value)) ? 0 :
		fabs(value) >= 9.995                                  ? 1 :
									2,
	    value, scales[unit].names[i][0] != '\0' ? " " : "",
	    scales[unit].names[i]);
	return text;
}
