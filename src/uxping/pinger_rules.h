/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PINGER_RULES_H
#define UXPING_PINGER_RULES_H

#include <stdbool.h>
#include <stdint.h>

struct pinger;
struct window_answer;

/* What the options demand of a pinger at this point of its life. Pure. */

/* A connection for each ping: -C and -z. */
bool pinger_is_one_shot(const struct pinger *pinger);

bool pinger_may_send(const struct pinger *pinger);
bool pinger_is_complete(const struct pinger *pinger);

/* The longest time between two pings, and whether an answer cuts it short. */
int64_t pinger_interval_ns(const struct pinger *pinger);
bool pinger_sends_on_answer(const struct pinger *pinger);

/* Until when a connect that failed with result is tried again. */
int64_t pinger_give_up_ns(const struct pinger *pinger, int result);

/* ---- what it came to ---- */

void pinger_count(struct pinger *pinger, const struct window_answer *answer,
    int64_t rtt_ns);

/* Remember the first answer that was not what was sent ... */
void pinger_note_corruption(struct pinger *pinger,
    const struct window_answer *answer);

/* ... and at the end report the reason, where it has not been: of wrong
 * answers, or of none at all. */
void pinger_tell_reason(struct pinger *pinger);

#endif
