/* SPDX-License-Identifier: ISC */
#ifndef UXPING_TALLY_H
#define UXPING_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

/*
 * What a stretch of load came to: a second of it, or all of it. Pure.
 *
 * A message belongs to the measurement when it was sent in it. Errors,
 * time-outs and corrupt echoes count from the first connect on.
 */
struct tally {
	int64_t measured_ns;
	uint64_t sent, received;
	uint64_t sent_bytes, received_bytes;
	uint64_t timeouts; /* not answered in time */
	uint64_t late; /* answered after that, or twice */
	uint64_t corrupt; /* answered with other bytes than were sent */
	uint64_t errors; /* connections that could not be made or broke */
	/* From the intended time (closed loop: the first try to send) ... */
	struct histogram response;
	/* ... and, open loop only, from the time it was really sent. */
	struct histogram service;
};

void tally_init(struct tally *tally);
void tally_merge(struct tally *into, const struct tally *from);

double tally_messages_per_s(const struct tally *tally);
/* Of payload, received; for a bulk load without answers, sent. */
double tally_bytes_per_s(const struct tally *tally);

/* Was anything answered, and nothing wrong with it? */
bool tally_is_good(const struct tally *tally);

#endif
