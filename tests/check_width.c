/* SPDX-License-Identifier: ISC */
/*
 * How many loops are in use, in worlds where it is known what each number of
 * them brings.
 */
#include "harness.h"
#include "lib/width.h"
#include "suites.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define N_MAX 8

/* What loops do, by how many of them are in use. */
struct world {
	int rate[N_MAX + 1]; /* thousands of messages a second */
	int busy[N_MAX + 1]; /* percent of the time of each */
};

/* A window in which so many are in use; returns how many then are. */
static unsigned
pass_window(struct width *width, const struct world *world, unsigned n)
{
	const struct width_window window = {
		.elapsed_ns = WIDTH_WINDOW_NS,
		.n_messages = (uint64_t)world->rate[n] *
		    (WIDTH_WINDOW_NS / 1000000),
		.spent_ns = (uint64_t)world->busy[n] * n *
		    (WIDTH_WINDOW_NS / 100),
	};

	return width_learn(width, &window);
}

struct course {
	unsigned n; /* in the end */
	int n_windows[N_MAX + 1]; /* spent with so many */
};

static struct course
run(struct width *width, const struct world *world, unsigned n, int n_windows)
{
	struct course course = { .n = n };

	for (int i = 0; i < n_windows; i++) {
		const unsigned before = course.n;

		course.n_windows[before]++;
		course.n = pass_window(width, world, before);
		ck_assert_uint_le(course.n, 2 * before);
		ck_assert_uint_ge(2 * course.n, before);
	}
	return course;
}

static const struct {
	unsigned n; /* loops */
	struct world world;
	unsigned best;
	int least; /* of 1000 windows, those with the best number */
} worlds[] = {
	/* One does as much as two, whether it is full or not. */
	{ 2, { { 0, 100, 100 }, { 0, 60, 45 } }, 1, 995 },
	{ 2, { { 0, 100, 100 }, { 0, 95, 70 } }, 1, 980 },
	/* Nine tenths are enough, and less is not. */
	{ 2, { { 0, 90, 100 }, { 0, 70, 45 } }, 1, 995 },
	{ 2, { { 0, 89, 100 }, { 0, 70, 45 } }, 2, 980 },
	/* Each that is added brings as much as the others. */
	{ 2, { { 0, 100, 200 }, { 0, 100, 100 } }, 2, 980 },
	{ 8,
	    { { 0, 100, 200, 300, 400, 0, 0, 0, 800 },
		{ 0, 100, 100, 100, 100, 0, 0, 0, 100 } },
	    8, 980 },
	/* Four do, and more bring nothing. */
	{ 8,
	    { { 0, 100, 200, 300, 400, 0, 0, 0, 400 },
		{ 0, 100, 100, 100, 90, 0, 0, 0, 50 } },
	    4, 950 },
	/* Not a power of two. */
	{ 6, { { 0, 100, 100, 100, 0, 0, 100 }, { 0, 70, 50, 40, 0, 0, 20 } },
	    1, 990 },
	{ 3, { { 0, 100, 200, 300 }, { 0, 100, 100, 100 } }, 3, 980 },
};

START_TEST(settles_where_clients_get_as_much_done_with_fewest)
{
	struct width width;
	struct course course;

	width_init(&width, worlds[_i].n);

	course = run(&width, &worlds[_i].world, worlds[_i].n, 1000);

	ck_assert_uint_eq(course.n, worlds[_i].best);
	ck_assert_int_ge(course.n_windows[worlds[_i].best], worlds[_i].least);
}
END_TEST

static const struct {
	struct width_window window;
	uint64_t n_clients;
	bool is_over;
} beginnings[] = {
	{ { WIDTH_WINDOW_NS, 6000, 0, 1 }, 16, true },
	{ { WIDTH_WINDOW_NS, 6000, 0, 1 }, 3000, true },
	{ { WIDTH_WINDOW_NS, 6000, 0, 1 }, 3001, false },
	{ { 5 * WIDTH_WINDOW_NS, 30000, 0, 1 }, 100000, false },
	{ { WIDTH_WINDOW_MAX_NS, 60000, 0, 1 }, 100000, true },
	{ { WIDTH_WINDOW_NS, 149, 0, 1 }, 100000, true }, /* quiet */
	{ { WIDTH_WINDOW_NS, 151, 0, 1 }, 100000, false },
	{ { WIDTH_WINDOW_NS, 151, 0, 15200000 }, 100000, true }, /* dear */
};

START_TEST(window_is_long_enough_for_many_clients)
{
	ck_assert_int_eq(width_is_over(&beginnings[_i].window,
			     beginnings[_i].n_clients),
	    beginnings[_i].is_over);
}
END_TEST

static const struct world client_bound = { { 0, 100, 100 }, { 0, 60, 45 } };
static const struct world full = { { 0, 100, 180 }, { 0, 100, 95 } };

/* It was left at one, and at once needs more; and the other way round. */
START_TEST(follows_another_load_at_once)
{
	const struct world less = { { 0, 60, 60 }, { 0, 50, 30 } };
	struct width width;
	struct course course;

	width_init(&width, 2);
	course = run(&width, &client_bound, 2, 100);
	ck_assert_uint_eq(course.n, 1);
	course = run(&width, &full, 1, 100);
	ck_assert_uint_eq(course.n, 2);
	ck_assert_int_ge(course.n_windows[2], 80);

	course = run(&width, &full, 2, 5000); /* narrower was tried in vain */
	ck_assert_uint_eq(course.n, 2);
	course = run(&width, &less, 2, 10);
	ck_assert_uint_eq(course.n, 1);
}
END_TEST

/* It was there before, and it was worse. */
START_TEST(what_paid_is_not_questioned_at_once)
{
	const struct world world = _i == 0 ? client_bound : full;
	struct width width;
	struct course course;

	width_init(&width, 2);
	width.now = _i == 0 ? 2 : 1;
	run(&width, &world, width.now, 4); /* two to begin with, and a try */
	ck_assert_uint_eq(width.now, _i == 0 ? 1 : 2);
	course = run(&width, &world, width.now, WIDTH_WAIT_MIN);
	ck_assert_int_eq(course.n_windows[course.n], WIDTH_WAIT_MIN);
}
END_TEST

/* What is tried must be compared with what was there before, and not with the
 * beginning of it. */
START_TEST(load_that_changes_is_no_time_to_try)
{
	struct width width;

	width_init(&width, 2);
	for (int rate = 10; rate < 1000; rate += 1 + rate / 10) {
		const struct world world = { { 0, 0, rate }, { 0, 0, 45 } };

		ck_assert_uint_eq(pass_window(&width, &world, 2), 2);
	}
	run(&width, &client_bound, 2, 1);
	ck_assert_uint_eq(pass_window(&width, &client_bound, 2), 1);
}
END_TEST

START_TEST(longer_windows_are_fewer_to_wait)
{
	const struct width_window longer = {
		.elapsed_ns = 8 * WIDTH_WINDOW_NS,
		.n_messages = UINT64_C(8) * 100 * (WIDTH_WINDOW_NS / 1000000),
		.spent_ns = 8 * WIDTH_WINDOW_NS,
	};
	struct width width;

	width_init(&width, 2);
	run(&width, &client_bound, 2, 4);
	ck_assert_uint_eq(width.now, 1);
	for (int i = 0; i < WIDTH_WAIT_MIN / 8; i++)
		ck_assert_uint_eq(width_learn(&width, &longer), 1);
	ck_assert_uint_eq(width_learn(&width, &longer), 2);
}
END_TEST

/* What is in vain is tried ever more seldom, so that it costs next to
 * nothing. */
START_TEST(attempts_in_vain_become_rare)
{
	const struct world world = { { 0, 100, 104 }, { 0, 95, 90 } };
	struct width width;
	struct course course;

	width_init(&width, 2);
	run(&width, &world, 2, 2000);
	course = run(&width, &world, 1, 10000);

	ck_assert_int_gt(course.n_windows[2], 0);
	ck_assert_int_lt(course.n_windows[2], 30);
}
END_TEST

/* Too few messages to tell; or the loop slept. */
static const struct width_window quiet[] = {
	{ WIDTH_WINDOW_NS, 149, 0, 1000000 },
	{ WIDTH_WINDOW_NS, 0, 0, 0 },
	{ WIDTH_WINDOW_NS, 0, 300, 20000000 },
	{ 3 * WIDTH_WINDOW_MAX_NS, 1000000, 0, 1000000 },
	{ INT64_MAX / 2, 1, 1, 1 },
};

START_TEST(stays_where_nothing_can_be_told)
{
	struct width width;

	width_init(&width, 4);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(width_learn(&width, &quiet[_i]), 4);
}
END_TEST

START_TEST(attempt_that_goes_quiet_is_taken_back)
{
	struct width width;

	width_init(&width, 2);
	run(&width, &client_bound, 2, 1);
	ck_assert_uint_eq(pass_window(&width, &client_bound, 2), 1);
	if (_i % 2 != 0)
		ck_assert_uint_eq(pass_window(&width, &client_bound, 1), 1);
	ck_assert_uint_eq(width_learn(&width, &quiet[_i / 2]), 2);
}
END_TEST

START_TEST(what_is_dear_is_done_by_all)
{
	/* 0.2 ms each, by loops that are half busy. */
	const struct width_window dear = { WIDTH_WINDOW_NS, 70, 5, 15000000 };
	struct width width;

	width_init(&width, 5);
	width.now = 1;
	ck_assert_uint_eq(width_learn(&width, &dear), 2);
	ck_assert_uint_eq(width_learn(&width, &dear), 4);
	ck_assert_uint_eq(width_learn(&width, &dear), 5);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(width_learn(&width, &dear), 5);
}
END_TEST

START_TEST(what_is_dear_and_rare_is_not_noticed)
{
	const struct width_window rare = { WIDTH_WINDOW_NS, 10, 0, 3000000 };
	struct width width;

	width_init(&width, 2);
	run(&width, &client_bound, 2, 10);
	ck_assert_uint_eq(width.now, 1);
	ck_assert_uint_eq(width_learn(&width, &rare), 1);
}
END_TEST

Suite *
suite_width(void)
{
	Suite *suite = suite_create("width");
	TCase *core = harness_case(suite, "core");

	tcase_add_loop_test(core,
	    settles_where_clients_get_as_much_done_with_fewest, 0,
	    N_OF(worlds));
	tcase_add_loop_test(core, window_is_long_enough_for_many_clients, 0,
	    N_OF(beginnings));
	tcase_add_test(core, follows_another_load_at_once);
	tcase_add_loop_test(core, what_paid_is_not_questioned_at_once, 0, 2);
	tcase_add_test(core, longer_windows_are_fewer_to_wait);
	tcase_add_test(core, load_that_changes_is_no_time_to_try);
	tcase_add_test(core, attempts_in_vain_become_rare);
	tcase_add_loop_test(core, stays_where_nothing_can_be_told, 0,
	    N_OF(quiet));
	tcase_add_loop_test(core, attempt_that_goes_quiet_is_taken_back, 0,
	    2 * N_OF(quiet));
	tcase_add_test(core, what_is_dear_is_done_by_all);
	tcase_add_test(core, what_is_dear_and_rare_is_not_noticed);
	return suite;
}
