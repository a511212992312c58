/* SPDX-License-Identifier: ISC */
#ifndef UXS_SPIN_H
#define UXS_SPIN_H

#include <uxsrv/loop.h>

/*
 * Whether it pays to look again for a while before sleeping. Pure: the loop
 * looks, sleeps and measures; here it is only decided, and learnt from.
 *
 * A wait is short when something was ready within the limit, no matter
 * whether the loop spun or slept. The score counts short waits up and long
 * ones down twice as fast: from the middle on a wait is worth a spin, so it
 * is where at least two of three waits are short that the loop spins.
 *
 * A sleep that was longer than the limit by no more than it takes to wake a
 * processor, 20 to 105 us, may have been for a short wait. So after some of
 * these, and ever more seldom, a wait is spun although the score says no.
 */

#define SPIN_SCORE_MAX 16
#define SPIN_SCORE_PAYS 8
#define SPIN_PROBE_MIN 16 /* such sleeps from one probe to the next */
#define SPIN_PROBE_MAX 4096
#define SPIN_WAKE_NS INT64_C(200000) /* ample, and far from a millisecond */

/* How a wait ended. */
enum spin_end {
	SPIN_NEEDLESS, /* something was ready at the first look */
	SPIN_WON, /* something came while the loop spun */
	SPIN_LOST, /* nothing came, or the processor was taken for too long */
	SPIN_CUT, /* a timer was due before either was known */
	SPIN_SLEPT_SHORT,
	SPIN_SLEPT_NEAR, /* who knows: waking takes its time, too */
	SPIN_SLEPT_LONG,
};

void spin_init(struct uxs_spin *spin, int64_t limit_ns);

/* Is the wait that begins now worth a spin? */
bool spin_pays(struct uxs_spin *spin);

/* What a spin came to: n_ready as of epoll_wait(2). */
enum spin_end spin_judge(const struct uxs_spin *spin, int n_ready,
    int64_t spent_ns);

/* And a sleep that something ended. */
enum spin_end spin_judge_sleep(const struct uxs_spin *spin, int64_t slept_ns);

void spin_learn(struct uxs_spin *spin, enum spin_end end);

#endif
