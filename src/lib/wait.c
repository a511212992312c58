/* SPDX-License-Identifier: ISC */
/*
 * The system calls in which a loop waits. One that spins looks and yields for
 * a while before it sleeps, one beside others yields once; whether they do is
 * for spin.c and yield.c to say.
 */
#include "wait.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

#include <uxsrv/units.h>

#include "counter.h"
#include "spin.h"
#include "sysret.h"
#include "yield.h"

/* Before Linux 5.11 waits are in milliseconds: round up, so that a timer is
 * never polled for in vain. */
static int
wait_ms(struct uxs_loop *loop, int64_t timeout_ns)
{
	int64_t ms = timeout_ns < 0 ?
	    -1 :
	    (timeout_ns + UXS_NS_PER_MS - 1) / UXS_NS_PER_MS;

	if (ms > INT32_MAX)
		ms = INT32_MAX;
	return sysret(epoll_wait(loop->epoll_fd, loop->batch, UXS_LOOP_BATCH,
	    (int)ms));
}

static int
sleep_on(struct uxs_loop *loop, int64_t timeout_ns)
{
	const struct timespec timeout = {
		.tv_sec = timeout_ns / UXS_NS_PER_S,
		.tv_nsec = timeout_ns % UXS_NS_PER_S,
	};
	int n;

	/* For ever, or not at all, is the same in both and older. */
	if (!loop->has_pwait2 || timeout_ns <= 0)
		return wait_ms(loop, timeout_ns);
	n = sysret(epoll_pwait2(loop->epoll_fd, loop->batch, UXS_LOOP_BATCH,
	    &timeout, NULL));
	if (n == -ENOSYS) {
		loop->has_pwait2 = false;
		return wait_ms(loop, timeout_ns);
	}
	return n;
}

/* Leave in *timeout_ns (negative: for ever) what is still to be slept. */
static void
spend(int64_t *timeout_ns, int64_t spent_ns)
{
	if (*timeout_ns >= 0)
		*timeout_ns = spent_ns < *timeout_ns ? *timeout_ns - spent_ns :
						       0;
}

/* ---- spinning ---- */

/* Others may be told at any time where they and we may run. */
static void
count_processors(struct uxs_loop *loop)
{
	cpu_set_t allowed;

	loop->spin.checked_ns = uxs_loop_read_clock();
	/* It fails where there are more than a set holds: not alone, then. */
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		CPU_ZERO(&allowed);
	loop->spin.is_alone = CPU_COUNT(&allowed) == 1;
}

bool
uxs_loop_set_spin(struct uxs_loop *loop, int64_t limit_ns,
    struct uxs_spin_stats *stats)
{
	spin_init(&loop->spin, limit_ns);
	loop->spin.stats = stats;
	count_processors(loop);
	return !loop->spin.is_alone;
}

static bool
may_spin(struct uxs_loop *loop)
{
	if (loop->spin.limit_ns <= 0)
		return false;
	if (loop->now_ns - loop->spin.checked_ns >= UXS_NS_PER_S)
		count_processors(loop);
	return !loop->spin.is_alone;
}

/* Look for so long; *spent_ns is how long it was. Without sched_yield(2) a
 * client on our own processor could not go on. */
static int
look_on(struct uxs_loop *loop, int64_t for_ns, int64_t *spent_ns)
{
	const int64_t began_ns = uxs_loop_read_clock();
	int n;

	do {
		sched_yield();
		n = wait_ms(loop, 0);
		*spent_ns = uxs_loop_read_clock() - began_ns;
	} while (n == 0 && *spent_ns < for_ns);
	return n;
}

static void
count(struct uxs_spin *spin, int n_ready, int64_t spent_ns)
{
	spin_learn(spin, spin_judge(spin, n_ready, spent_ns));
	counter_add(&spin->stats->won, n_ready > 0);
	counter_add(&spin->stats->lost, n_ready == 0);
	counter_add(&spin->stats->spent_ns, (uint64_t)spent_ns);
}

/* Spin for *timeout_ns at most, and leave in it what is left to sleep. */
static int
spin(struct uxs_loop *loop, int64_t *timeout_ns)
{
	int64_t spent_ns, limit_ns = loop->spin.limit_ns;
	int n = wait_ms(loop, 0);

	if (n != 0) {
		spin_learn(&loop->spin, SPIN_NEEDLESS);
		return n;
	}
	if (*timeout_ns >= 0 && *timeout_ns < limit_ns)
		limit_ns = *timeout_ns;
	n = look_on(loop, limit_ns, &spent_ns);
	count(&loop->spin, n, spent_ns);
	spend(timeout_ns, spent_ns);
	return n;
}

/* A sleep teaches as much as a spin, and costs nothing. */
static int
sleep_and_learn(struct uxs_loop *loop, int64_t timeout_ns)
{
	const int64_t began_ns = uxs_loop_read_clock();
	const int n = sleep_on(loop, timeout_ns);
	const int64_t slept_ns = uxs_loop_read_clock() - began_ns;

	if (n > 0)
		spin_learn(&loop->spin,
		    spin_judge_sleep(&loop->spin, slept_ns));
	return n;
}

static int
spin_or_sleep(struct uxs_loop *loop, int64_t timeout_ns)
{
	int n;

	if (!spin_pays(&loop->spin))
		return sleep_and_learn(loop, timeout_ns);
	n = spin(loop, &timeout_ns);
	return n != 0 ? n : sleep_on(loop, timeout_ns);
}

/* ---- beside others ---- */

void
wait_beside_others(struct uxs_loop *loop, bool is_beside)
{
	yield_init(&loop->yield);
	loop->yield.is_on = is_beside;
}

static int
yield_and_look(struct uxs_loop *loop, int64_t *timeout_ns)
{
	const int64_t began_ns = uxs_loop_read_clock();
	int64_t spent_ns;
	int n;

	sched_yield();
	n = wait_ms(loop, 0);
	spent_ns = uxs_loop_read_clock() - began_ns;
	yield_learn(&loop->yield, n, spent_ns);
	spend(timeout_ns, spent_ns);
	return n;
}

int
wait_for_events(struct uxs_loop *loop, int64_t timeout_ns)
{
	int n = 0;

	if (timeout_ns == 0)
		return wait_ms(loop, 0);
	if (may_spin(loop))
		return spin_or_sleep(loop, timeout_ns);
	if (loop->yield.is_on && yield_pays(&loop->yield))
		n = yield_and_look(loop, &timeout_ns);
	return n != 0 ? n : sleep_on(loop, timeout_ns);
}
