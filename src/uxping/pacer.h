/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PACER_H
#define UXPING_PACER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When a message is to be sent. Pure.
 *
 * A closed loop sends whenever a connection is free, so a slow server slows
 * the load that would have shown how slow it is. An open loop has a timetable:
 * message i is due at start + i / rate whatever the server does, and its
 * response time counts from there.
 */

struct pacer {
	double rate; /* messages a second; 0: closed loop */
	int64_t start_ns;
	uint64_t n_taken;
};

static inline bool
pacer_is_open(const struct pacer *pacer)
{
	return pacer->rate > 0;
}

void pacer_start(struct pacer *pacer, double rate, int64_t now_ns);

/* When the next message is due; in a closed loop always in the past. */
int64_t pacer_due_ns(const struct pacer *pacer);

/* Is a message to be sent now? Takes it from the timetable; *intended_ns is
 * when it should have been sent, which is now in a closed loop. */
bool pacer_take(struct pacer *pacer, int64_t now_ns, int64_t *intended_ns);

#endif
