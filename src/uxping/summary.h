/* SPDX-License-Identifier: ISC */
#ifndef UXPING_SUMMARY_H
#define UXPING_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "histogram.h"

struct json;

/* What a series of pings came to. Pure; printing is to a stream given. */

/* Up to here percentiles are exact, above they are the histogram's. */
#define SUMMARY_EXACT_MAX 4096

struct summary {
	uint64_t sent;
	uint64_t received; /* in time, once each; corrupted ones too */
	uint64_t corrupted;
	uint64_t duplicates;
	uint64_t late; /* after the time-out: counts as lost */
	uint64_t errors; /* pings lost to a connection that failed */
	int64_t start_ns, end_ns; /* of the series */
	/* private */
	int64_t ewma_ns; /* as in ping(8): each new one counts an eighth */
	struct histogram times;
	int64_t exact_ns[SUMMARY_EXACT_MAX];
};

void summary_init(struct summary *summary, int64_t now_ns);
void summary_record(struct summary *summary, int64_t rtt_ns);

/* Time below which ppm of a million answers came. Returns false where the
 * sample is too small to say; see histogram.h. */
bool summary_percentile(const struct summary *summary, uint32_t ppm,
    int64_t *ns);

/* "24.8": microseconds, rounded to the nearest tenth. */
#define SUMMARY_US_MAX 32
char *summary_us(int64_t ns, char text[SUMMARY_US_MAX]);

/* The block at the end, the interim line, and the members of a JSON event. */
void summary_print(const struct summary *summary, const char *label, FILE *out);
void summary_print_interim(const struct summary *summary, FILE *out);
void summary_print_json(const struct summary *summary, struct json *json);

#endif
