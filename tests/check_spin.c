/* SPDX-License-Identifier: ISC */
/*
 * Looking on before sleeping: when it is done, decided from what came of it,
 * and that the loop is right in all else while it does so.
 */
#include <uxsrv/loop.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "lib/spin.h"
#include "suites.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- when it pays ---- */

#define LIMIT_US 200
#define WAKE_US 90 /* what a sleep takes longer than the wait it is for */

/* Wait n times for something that comes after gap_us; returns how many of
 * these waits were spun. */
static int
wait_often(struct uxs_spin *spin, int n, int gap_us)
{
	int n_spun = 0;

	for (int i = 0; i < n; i++) {
		const bool is_short = gap_us < LIMIT_US;

		if (spin_pays(spin)) {
			n_spun++;
			spin_learn(spin, is_short ? SPIN_WON : SPIN_LOST);
		} else {
			spin_learn(spin,
			    spin_judge_sleep(spin,
				(gap_us + WAKE_US) * UXS_NS_PER_US));
		}
	}
	return n_spun;
}

/* One phase after the other; a gap of 0 ends the row. */
static const struct {
	struct {
		int n, gap_us, min, max;
	} phases[4];
} histories[] = {
	/* Answers are followed by questions: always. */
	{ { { 10000, 10, 10000, 10000 } } },
	{ { { 10000, 150, 10000, 10000 } } },
	/* Never worth it, and plainly so: one try. */
	{ { { 1000000, 1000, 1, 1 } } },
	/* Hardly worth it: tried again ever more seldom. */
	{ { { 10, 250, 1, 1 } } },
	{ { { 1000, 250, 2, 8 } } },
	{ { { 1000000, 250, 200, 260 } } },
	/* It was, and is no more. */
	{ { { 1000, 10, 1000, 1000 }, { 1000, 1000, 5, 5 } } },
	{ { { 1000, 10, 1000, 1000 }, { 1000, 250, 6, 12 } } },
	/* One pause is forgiven. */
	{ { { 1000, 10, 1000, 1000 }, { 1, 1000000, 1, 1 },
	    { 1000, 10, 1000, 1000 } } },
	/* It was not, and is: sleeps tell at once where they are short... */
	{ { { 100000, 1000, 1, 1 }, { 100, 10, 90, 95 } } },
	/* ...and a probe does where the wake-up makes them seem long. */
	{ { { 100000, 1000, 1, 1 }, { 1000, 150, 980, 985 } } },
	{ { { 1000000, 250, 200, 260 }, { 4096, 150, 1, 4096 },
	    { 1000, 150, 1000, 1000 } } },
	/* Once it has paid again, probes are frequent again. */
	{ { { 1000000, 250, 200, 260 }, { 1000, 10, 900, 1000 },
	    { 10, 1000, 5, 5 }, { 100, 150, 80, 100 } } },
};

START_TEST(spins_where_it_pays)
{
	struct uxs_spin spin;

	spin_init(&spin, LIMIT_US * UXS_NS_PER_US);
	for (int i = 0; i < 4 && histories[_i].phases[i].n > 0; i++) {
		const int n = wait_often(&spin, histories[_i].phases[i].n,
		    histories[_i].phases[i].gap_us);

		ck_assert_msg(n >= histories[_i].phases[i].min &&
			n <= histories[_i].phases[i].max,
		    "history %d, phase %d: %d spun", _i, i, n);
	}
}
END_TEST

/* Of each round so many waits are short, one after the other. */
static const struct {
	int n_short, n_long;
	bool pays;
} mixtures[] = {
	{ 9, 1, true },
	{ 3, 1, true },
	{ 5, 2, true },
	{ 3, 2, false },
	{ 1, 1, false },
	{ 1, 2, false },
	{ 1, 9, false },
};

START_TEST(pays_where_two_of_three_waits_are_short)
{
	struct uxs_spin spin;
	int n_spun = 0;

	spin_init(&spin, LIMIT_US * UXS_NS_PER_US);
	for (int i = 0; i < 10000; i++) {
		n_spun += wait_often(&spin, mixtures[_i].n_short, 10);
		n_spun += wait_often(&spin, mixtures[_i].n_long, 1000);
	}

	const int n = 10000 * (mixtures[_i].n_short + mixtures[_i].n_long);
	if (mixtures[_i].pays)
		ck_assert_int_gt(n_spun, n * 9 / 10);
	else
		ck_assert_int_lt(n_spun, n / 100);
}
END_TEST

START_TEST(a_busy_loop_is_ready_to_spin)
{
	struct uxs_spin spin;

	spin_init(&spin, LIMIT_US * UXS_NS_PER_US);
	wait_often(&spin, 10, 1000);
	ck_assert(!spin_pays(&spin));
	for (int i = 0; i < SPIN_SCORE_PAYS; i++)
		spin_learn(&spin, SPIN_NEEDLESS);

	ck_assert(spin_pays(&spin));
}
END_TEST

START_TEST(a_timer_teaches_nothing)
{
	struct uxs_spin spin;

	spin_init(&spin, LIMIT_US * UXS_NS_PER_US);
	for (int i = 0; i < 1000; i++) {
		ck_assert(spin_pays(&spin));
		spin_learn(&spin, SPIN_CUT);
	}
}
END_TEST

static const struct {
	int n_ready;
	int64_t spent_us;
	enum spin_end end;
} spins[] = {
	{ 1, 0, SPIN_WON },
	{ 64, 199, SPIN_WON },
	{ 1, 200, SPIN_WON },
	{ 0, 200, SPIN_LOST },
	{ 0, 300, SPIN_LOST },
	/* Others had the processor: asleep we would have been woken. */
	{ 1, 201, SPIN_LOST },
	{ 1, 3000, SPIN_LOST },
	/* A timer was due sooner. */
	{ 0, 20, SPIN_CUT },
	{ 0, 199, SPIN_CUT },
};

START_TEST(a_spin_is_judged_by_its_event_and_its_time)
{
	struct uxs_spin spin;

	spin_init(&spin, 200 * UXS_NS_PER_US);

	ck_assert_int_eq(spin_judge(&spin, spins[_i].n_ready,
			     spins[_i].spent_us * UXS_NS_PER_US),
	    spins[_i].end);
}
END_TEST

/* With a limit of 200 us. */
static const struct {
	int64_t slept_us;
	enum spin_end end;
} sleeps[] = {
	{ 0, SPIN_SLEPT_SHORT },
	{ 200, SPIN_SLEPT_SHORT },
	{ 201, SPIN_SLEPT_NEAR },
	{ 400, SPIN_SLEPT_NEAR },
	{ 401, SPIN_SLEPT_LONG },
	{ 1000000, SPIN_SLEPT_LONG },
};

START_TEST(a_sleep_is_judged_by_its_time)
{
	struct uxs_spin spin;

	spin_init(&spin, 200 * UXS_NS_PER_US);

	ck_assert_int_eq(spin_judge_sleep(&spin,
			     sleeps[_i].slept_us * UXS_NS_PER_US),
	    sleeps[_i].end);
}
END_TEST

/* ---- in the loop ---- */

static struct uxs_loop loop;
static struct uxs_spin_stats stats;

struct bell {
	struct uxs_watch watch;
	int n_calls;
};

static struct bell bell;

static void
on_bell(struct uxs_watch *watch, uint32_t events)
{
	uint64_t count;

	ck_assert_int_eq(read(watch->fd, &count, sizeof(count)), 8);
	bell.n_calls++;
}

static void
ring(int number)
{
	const uint64_t one = 1;

	if (write(bell.watch.fd, &one, sizeof(one)) < 0)
		_exit(1);
}

static void
open_loop(void)
{
	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	stats = (struct uxs_spin_stats){ 0 };
	bell = (struct bell){
		.watch = { .fd = eventfd(0, EFD_CLOEXEC), .on_ready = on_bell },
	};
	ck_assert_int_eq(uxs_watch_start(&loop, &bell.watch, EPOLLIN), 0);
}

static void
close_loop(void)
{
	uxs_loop_close(&loop);
	close(bell.watch.fd);
}

/* Says so where there is only one processor. */
static bool
can_spin(int64_t limit_ns)
{
	if (uxs_loop_set_spin(&loop, limit_ns, &stats))
		return true;
	skip("needs two processors, since on one nothing spins");
	return false;
}

static uint64_t
n_spins(void)
{
	return stats.won + stats.lost;
}

START_TEST(without_being_told_nothing_spins)
{
	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);
	uxs_loop_set_spin(&loop, 0, &stats);
	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);

	ck_assert_uint_eq(n_spins(), 0);
	ck_assert_uint_eq(stats.spent_ns, 0);
}
END_TEST

START_TEST(a_turn_without_time_does_not_spin)
{
	if (!can_spin(UXS_NS_PER_MS))
		return;

	ck_assert_int_eq(uxs_loop_turn(&loop, 0), 0);

	ck_assert_uint_eq(n_spins(), 0);
}
END_TEST

START_TEST(what_is_ready_needs_no_spin)
{
	if (!can_spin(UXS_NS_PER_MS))
		return;
	ring(0);

	ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);

	ck_assert_int_eq(bell.n_calls, 1);
	ck_assert_uint_eq(n_spins(), 0);
}
END_TEST

START_TEST(a_spin_in_vain_is_lost_and_its_time_told)
{
	if (!can_spin(UXS_NS_PER_US))
		return;

	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);

	ck_assert_uint_eq(stats.won, 0);
	ck_assert_uint_eq(stats.lost, 1);
	ck_assert_uint_ge(stats.spent_ns, UXS_NS_PER_US);
}
END_TEST

/* The bell rings while the loop spins; or before, on a busy machine. */
START_TEST(a_spin_that_sees_something_is_won)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };

	signal(SIGALRM, ring);
	while (stats.won == 0) {
		if (!can_spin(5 * UXS_NS_PER_S))
			return;
		setitimer(ITIMER_REAL, &soon, NULL);
		ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);
	}

	ck_assert_uint_eq(stats.won, 1);
	ck_assert_uint_eq(stats.lost, 0);
	ck_assert_uint_gt(stats.spent_ns, 0);
}
END_TEST

static int64_t called_at_ns;

static void
on_expiry(struct uxs_timer *timer)
{
	called_at_ns = uxs_loop_now_ns(&loop);
}

START_TEST(a_spin_in_vain_is_followed_by_a_sleep_in_the_same_turn)
{
	struct uxs_timer timer = { .on_expiry = on_expiry };

	if (!can_spin(UXS_NS_PER_US))
		return;
	uxs_timer_start(&loop, &timer,
	    uxs_loop_now_ns(&loop) + 20 * UXS_NS_PER_MS);

	ck_assert_int_eq(uxs_loop_turn(&loop, -1), 0);

	ck_assert_int_ne(called_at_ns, 0);
}
END_TEST

/* Ring once the one who waits has fallen asleep, or long after. */
static void
ring_the_sleeper(void *arg)
{
	char path[64], state = '?';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)getppid());
	for (int i = 0; i < 100000 && state != 'S'; i++) {
		ck_assert_ptr_nonnull(stat = fopen(path, "r"));
		ck_assert_int_eq(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
		fclose(stat);
	}
	ring(0);
}

/* No timer tells how long. */
START_TEST(who_sleeps_after_a_spin_sleeps_until_woken)
{
	pid_t child;

	if (!can_spin(UXS_NS_PER_US))
		return;
	child = start_child(ring_the_sleeper, NULL);

	ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);

	ck_assert_int_eq(bell.n_calls, 1);
	ck_assert_int_eq(wait_child(child), 0);
}
END_TEST

/* So often that every wait would have been spun. */
#define N_VAIN 100

static void
spin_in_vain(int n)
{
	for (int i = 0; i < n; i++)
		uxs_loop_turn(&loop, 10 * UXS_NS_PER_US);
}

START_TEST(what_is_always_in_vain_is_given_up)
{
	if (!can_spin(UXS_NS_PER_US))
		return;

	spin_in_vain(N_VAIN);

	ck_assert_uint_ge(stats.lost, 1);
	ck_assert_uint_lt(stats.lost, N_VAIN / 10);
}
END_TEST

START_TEST(sleeps_that_are_short_bring_it_back)
{
	uint64_t lost;

	if (!can_spin(UXS_NS_PER_US))
		return;
	spin_in_vain(20);
	loop.spin.limit_ns = UXS_NS_PER_S; /* all that follow are short */
	lost = stats.lost;
	for (int i = 0; i < SPIN_SCORE_PAYS; i++) {
		ring(0);
		ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);
	}
	spin_in_vain(1);

	ck_assert_uint_eq(stats.lost, lost + 1);
}
END_TEST

/* After a spin in vain the loop sleeps, and is woken. */
START_TEST(what_comes_after_a_spin_is_not_missed)
{
	const struct itimerval later = { .it_value = { .tv_usec = 20000 } };
	int n = 0;

	if (!can_spin(UXS_NS_PER_US))
		return;
	signal(SIGALRM, ring);
	setitimer(ITIMER_REAL, &later, NULL);
	while (n == 0) /* the signal interrupts a wait */
		n = uxs_loop_turn(&loop, -1);

	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(bell.n_calls, 1);
}
END_TEST

static const int64_t limits_us[] = { 1, 100, 1500, 10000 };

START_TEST(a_timer_is_neither_early_nor_missed)
{
	struct uxs_timer timer = { .on_expiry = on_expiry };
	int64_t deadline_ns;

	if (!can_spin(limits_us[_i] * UXS_NS_PER_US))
		return;
	deadline_ns = uxs_loop_now_ns(&loop) + 1500 * UXS_NS_PER_US;
	uxs_timer_start(&loop, &timer, deadline_ns);
	while (called_at_ns == 0)
		ck_assert_int_eq(uxs_loop_turn(&loop, -1), 0);

	ck_assert_int_ge(called_at_ns, deadline_ns);
}
END_TEST

/* With an hour to spin for, only the timer can end it. */
START_TEST(a_timer_ends_a_spin)
{
	struct uxs_timer timer = { .on_expiry = on_expiry };

	if (!can_spin(3600 * UXS_NS_PER_S))
		return;
	uxs_timer_start(&loop, &timer, uxs_loop_now_ns(&loop) + UXS_NS_PER_MS);

	while (called_at_ns == 0)
		ck_assert_int_eq(uxs_loop_turn(&loop, -1), 0);
}
END_TEST

START_TEST(a_spin_takes_no_longer_than_the_turn)
{
	if (!can_spin(3600 * UXS_NS_PER_S))
		return;

	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);
}
END_TEST

static int got_signal;

static void
on_signal(struct uxs_signals *signals, int number)
{
	got_signal = number;
}

START_TEST(a_signal_ends_a_spin)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };
	struct uxs_signals signals = { .on_signal = on_signal };
	sigset_t set;

	if (!can_spin(3600 * UXS_NS_PER_S))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ck_assert_int_eq(uxs_signals_start(&loop, &signals, &set), 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(uxs_loop_turn(&loop, -1), 1);

	ck_assert_int_eq(got_signal, SIGALRM);
	uxs_signals_stop(&signals);
}
END_TEST

/* ---- on one processor ---- */

static cpu_set_t all;

/* Stay on the one where we are. */
static void
allow_one(void)
{
	cpu_set_t one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void
allow_all(void)
{
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}

START_TEST(on_one_processor_nothing_spins)
{
	allow_one();
	ck_assert(!uxs_loop_set_spin(&loop, UXS_NS_PER_US, &stats));

	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);

	ck_assert_uint_eq(n_spins(), 0);
	allow_all();
}
END_TEST

/* The test ages what the loop knows, or it would have to wait a second. */
START_TEST(processors_may_be_given_and_taken)
{
	if (!can_spin(UXS_NS_PER_US))
		return;
	ck_assert_int_eq(uxs_loop_turn(&loop, 0), 0); /* what time it is */
	allow_one();
	loop.spin.checked_ns -= 2 * UXS_NS_PER_S;
	uxs_loop_turn(&loop, UXS_NS_PER_MS);
	ck_assert_uint_eq(n_spins(), 0);
	allow_all();
	loop.spin.checked_ns -= 2 * UXS_NS_PER_S;
	uxs_loop_turn(&loop, UXS_NS_PER_MS);

	ck_assert_uint_eq(n_spins(), 1);
}
END_TEST

static TCase *
loop_case(Suite *suite, const char *name)
{
	TCase *tcase = harness_case(suite, name);

	tcase_add_checked_fixture(tcase, open_loop, close_loop);
	tcase_set_timeout(tcase, 20); /* what waits here waits for ever */
	return tcase;
}

Suite *
suite_spin(void)
{
	Suite *suite = suite_create("spin");
	TCase *decision = harness_case(suite, "decision");
	TCase *turns = loop_case(suite, "turns");
	TCase *processors = loop_case(suite, "processors");

	tcase_add_loop_test(decision, spins_where_it_pays, 0, N_OF(histories));
	tcase_add_loop_test(decision, pays_where_two_of_three_waits_are_short,
	    0, N_OF(mixtures));
	tcase_add_test(decision, a_busy_loop_is_ready_to_spin);
	tcase_add_test(decision, a_timer_teaches_nothing);
	tcase_add_loop_test(decision,
	    a_spin_is_judged_by_its_event_and_its_time, 0, N_OF(spins));

	tcase_add_loop_test(decision, a_sleep_is_judged_by_its_time, 0,
	    N_OF(sleeps));

	tcase_add_test(turns, without_being_told_nothing_spins);
	tcase_add_test(turns, a_turn_without_time_does_not_spin);
	tcase_add_test(turns, what_is_ready_needs_no_spin);
	tcase_add_test(turns, a_spin_in_vain_is_lost_and_its_time_told);
	tcase_add_test(turns, a_spin_that_sees_something_is_won);
	tcase_add_test(turns,
	    a_spin_in_vain_is_followed_by_a_sleep_in_the_same_turn);
	tcase_add_test(turns, who_sleeps_after_a_spin_sleeps_until_woken);
	tcase_add_test(turns, what_is_always_in_vain_is_given_up);
	tcase_add_test(turns, sleeps_that_are_short_bring_it_back);
	tcase_add_test(turns, what_comes_after_a_spin_is_not_missed);
	tcase_add_loop_test(turns, a_timer_is_neither_early_nor_missed, 0,
	    N_OF(limits_us));
	tcase_add_test(turns, a_timer_ends_a_spin);
	tcase_add_test(turns, a_spin_takes_no_longer_than_the_turn);
	tcase_add_test(turns, a_signal_ends_a_spin);

	tcase_add_test(processors, on_one_processor_nothing_spins);
	tcase_add_test(processors, processors_may_be_given_and_taken);
	return suite;
}
