/* SPDX-License-Identifier: ISC */
#ifndef UXS_YIELD_H
#define UXS_YIELD_H

#include <uxsrv/loop.h>

/*
 * Whether a loop beside others lets them go on before it sleeps. Pure: the
 * loop yields, looks and measures; here it is only decided, and learnt from.
 *
 * Loops that share the clients see little of them each. One that sleeps as
 * soon as it has done everything is woken for every message, which costs the
 * server a switch of tasks, and the client the waking of it. One that yields
 * once, sched_yield(2), and looks again finds more of them together.
 *
 * Where its clients are too few for that, yielding is in vain, for 0.6 us. So
 * some in a row are the end of it, but for a try now and then.
 *
 * A processor that was given away to a third may be gone for milliseconds,
 * while one who sleeps would have been woken at once. So what came has to be
 * worth the time; if it was not, the next waits are slept, and four times as
 * many when that comes again.
 */

#define YIELD_LOST_MAX 8 /* in a row */
#define YIELD_PROBE 16 /* sleeps from one try to the next, then */
#define YIELD_PENALTY_MAX 4096
#define YIELD_WORTH_NS INT64_C(50000) /* each of what is ready then */

void yield_init(struct uxs_yield *yield);

/* Is the wait that begins now worth a try? */
bool yield_pays(struct uxs_yield *yield);

/* What it came to: n_ready as of epoll_wait(2), after spent_ns. */
void yield_learn(struct uxs_yield *yield, int n_ready, int64_t spent_ns);

#endif
