/* SPDX-License-Identifier: ISC */
/*
 * Letting others go on before sleeping: when one of several loops does so,
 * decided from what came of it, and that it loses no time and no event by it.
 */
#include <uxsrv/loop.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "lib/wait.h"
#include "lib/yield.h"
#include "suites.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- when it pays ---- */

/* Wait n times; whenever it yields, n_ready come after spent_us. Returns how
 * often it did. */
static int
wait_often(struct uxs_yield *yield, int n, int n_ready, int spent_us)
{
	int n_yielded = 0;

	for (int i = 0; i < n; i++) {
		if (!yield_pays(yield))
			continue;
		n_yielded++;
		yield_learn(yield, n_ready, spent_us * UXS_NS_PER_US);
	}
	return n_yielded;
}

/* One phase after the other; of no waits, it ends the row. */
static const struct {
	struct {
		int n, n_ready, spent_us, min, max;
	} phases[3];
} histories[] = {
	/* There was always more to do: always. */
	{ { { 10000, 8, 40, 10000, 10000 } } },
	{ { { 10000, 1, 2, 10000, 10000 } } },
	/* Each in the time that it is worth, and not. */
	{ { { 1000, 4, 200, 1000, 1000 } } },
	{ { { 1000, 4, 201, 1, 12 } } },
	/* Never anything, at once: a few, and then now and then. */
	{ { { 8, 0, 1, 8, 8 }, { 16, 0, 1, 0, 0 },
	    { 17000, 0, 1, 1000, 1000 } } },
	/* Fewer in a row than that are no reason to stop. */
	{ { { 7, 0, 1, 7, 7 }, { 1, 1, 2, 1, 1 }, { 7, 0, 1, 7, 7 } } },
	/* It pays again: seen by the next try. */
	{ { { 100, 0, 1, 13, 13 }, { 1000, 8, 40, 984, 1000 } } },
	/* A third has the processor for milliseconds: ever more seldom... */
	{ { { 1, 8, 3000, 1, 1 }, { 1, 8, 3000, 0, 0 },
	    { 1000, 8, 3000, 5, 5 } } },
	{ { { 1000, 8, 3000, 6, 6 }, { 1000000, 8, 3000, 200, 260 } } },
	{ { { 2, 0, 3000, 1, 1 } } },
	/* ...and it takes as many good ones until that is forgotten. */
	{ { { 1000, 8, 3000, 6, 6 }, { 1000, 8, 40, 170, 180 },
	    { 4000, 8, 3000, 1, 1 } } },
	{ { { 1000, 8, 3000, 6, 6 }, { 4000, 8, 40, 3000, 3300 },
	    { 8, 8, 3000, 2, 2 } } },
	/* Once in a while, it costs one sleep. */
	{ { { 1000, 8, 40, 1000, 1000 }, { 1, 8, 3000, 1, 1 },
	    { 1000, 8, 40, 999, 999 } } },
};

START_TEST(yields_where_it_pays)
{
	struct uxs_yield yield;

	yield_init(&yield);
	for (int i = 0; i < 3 && histories[_i].phases[i].n > 0; i++) {
		const int n = wait_often(&yield, histories[_i].phases[i].n,
		    histories[_i].phases[i].n_ready,
		    histories[_i].phases[i].spent_us);

		ck_assert_msg(n >= histories[_i].phases[i].min &&
			n <= histories[_i].phases[i].max,
		    "history %d, phase %d: %d yielded", _i, i, n);
	}
}
END_TEST

/* ---- in the loop ---- */

static struct uxs_loop loop;
static struct uxs_watch bell;
static int n_rung;

static void
on_bell(struct uxs_watch *watch, uint32_t events)
{
	eventfd_t count;

	ck_assert_int_eq(eventfd_read(watch->fd, &count), 0);
	n_rung++;
}

static void
open_loop(void)
{
	n_rung = 0;
	bell = (struct uxs_watch){ .fd = eventfd(0, EFD_CLOEXEC),
		.on_ready = on_bell };
	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	ck_assert_int_eq(uxs_watch_start(&loop, &bell, EPOLLIN), 0);
	wait_beside_others(&loop, true);
}

static void
close_loop(void)
{
	uxs_loop_close(&loop);
	close(bell.fd);
}

START_TEST(what_is_ready_is_called_in_the_turn_that_yields)
{
	eventfd_write(bell.fd, 1);

	ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);

	ck_assert_int_eq(n_rung, 1);
}
END_TEST

/* As with one that only sleeps: a turn lasts as long as it may. */
START_TEST(a_turn_that_yields_in_vain_sleeps_for_the_rest)
{
	const int64_t began_ns = uxs_loop_read_clock();

	ck_assert_int_eq(uxs_loop_turn(&loop, 20 * UXS_NS_PER_MS), 0);

	ck_assert_int_ge(uxs_loop_read_clock() - began_ns, 20 * UXS_NS_PER_MS);
	ck_assert_int_gt(loop.yield.n_lost + loop.yield.penalty, 0);
}
END_TEST

START_TEST(a_turn_without_time_yields_to_nobody)
{
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(uxs_loop_turn(&loop, 0), 0);

	ck_assert_int_eq(loop.yield.n_lost + loop.yield.penalty, 0);
}
END_TEST

START_TEST(a_loop_alone_never_yields)
{
	struct uxs_loop alone;

	ck_assert_int_eq(uxs_loop_open(&alone), 0);
	ck_assert_int_eq(uxs_loop_turn(&alone, UXS_NS_PER_MS), 0);

	ck_assert(!alone.yield.is_on);
	ck_assert_int_eq(alone.yield.n_lost + alone.yield.penalty, 0);
	uxs_loop_close(&alone);
}
END_TEST

/* ---- the suite ---- */

Suite *
suite_yield(void)
{
	Suite *suite = suite_create("yield");
	TCase *decision = harness_case(suite, "decision");
	TCase *turns = harness_case(suite, "turns");

	tcase_add_loop_test(decision, yields_where_it_pays, 0, N_OF(histories));
	tcase_add_checked_fixture(turns, open_loop, close_loop);
	tcase_add_test(turns, what_is_ready_is_called_in_the_turn_that_yields);
	tcase_add_test(turns, a_turn_that_yields_in_vain_sleeps_for_the_rest);
	tcase_add_test(turns, a_turn_without_time_yields_to_nobody);
	tcase_add_test(turns, a_loop_alone_never_yields);
	return suite;
}
