/* SPDX-License-Identifier: ISC */
#include <uxsrv/loop.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"

static struct uxs_loop loop; /* open in every test */
static int64_t opened_at_ns;

static void
open_loop(void)
{
	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	opened_at_ns = uxs_loop_read_clock();
}

static void
close_loop(void)
{
	uxs_loop_close(&loop);
}

static int
turn(void)
{
	return uxs_loop_turn(&loop, 0);
}

/* ---- descriptors ---- */

/* A watched descriptor that is ready from the start and stays so. */
struct bell {
	struct uxs_watch watch;
	int n_calls;
	uint32_t events; /* of the last call */
	void (*then)(struct bell *);
	struct bell *other;
};

static void
on_bell(struct uxs_watch *watch, uint32_t events)
{
	struct bell *bell = uxs_container_of(watch, struct bell, watch);

	bell->n_calls++;
	bell->events = events;
	if (bell->then != NULL)
		bell->then(bell);
}

static void
bell_start(struct bell *bell, void (*then)(struct bell *), struct bell *other)
{
	*bell = (struct bell){
		.watch = { .fd = eventfd(1, EFD_CLOEXEC), .on_ready = on_bell },
		.then = then,
		.other = other,
	};
	ck_assert_int_eq(uxs_watch_start(&loop, &bell->watch, EPOLLIN), 0);
}

static void
bell_end(struct bell *bell)
{
	uxs_watch_stop(&loop, &bell->watch);
	close(bell->watch.fd);
}

START_TEST(what_is_ready_is_called_and_told_why)
{
	struct bell bell;

	bell_start(&bell, NULL, NULL);
	int n = turn();

	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(bell.n_calls, 1);
	ck_assert_uint_eq(bell.events, EPOLLIN);
	bell_end(&bell);
}
END_TEST

START_TEST(what_stays_ready_is_called_every_turn)
{
	struct bell bell;

	bell_start(&bell, NULL, NULL);
	turn();
	turn();
	turn();

	ck_assert_int_eq(bell.n_calls, 3);
	bell_end(&bell);
}
END_TEST

START_TEST(the_events_are_those_of_the_last_start)
{
	struct bell bell;

	bell_start(&bell, NULL, NULL);
	uxs_watch_start(&loop, &bell.watch, EPOLLOUT);
	turn();

	ck_assert_uint_eq(bell.events, EPOLLOUT);
	bell_end(&bell);
}
END_TEST

START_TEST(the_same_events_again_cost_no_system_call)
{
	struct bell bell;
	int fd;

	bell_start(&bell, NULL, NULL);
	fd = dup(bell.watch.fd);
	close(bell.watch.fd); /* a system call about it would be EBADF */

	ck_assert_int_eq(uxs_watch_start(&loop, &bell.watch, EPOLLIN), 0);
	ck_assert_int_eq(uxs_watch_start(&loop, &bell.watch, EPOLLOUT), -EBADF);
	dup2(fd, bell.watch.fd);
	close(fd);
	bell_end(&bell);
}
END_TEST

START_TEST(a_watch_that_cannot_start_is_not_started)
{
	struct uxs_watch bad = { .fd = -1, .on_ready = on_bell };
	struct uxs_watch file = { .on_ready = on_bell };

	write_file("file", "", 0600);
	file.fd = open("file", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(uxs_watch_start(&loop, &bad, EPOLLIN), -EBADF);
	ck_assert_int_eq(uxs_watch_start(&loop, &file, EPOLLIN), -EPERM);
	ck_assert_uint_eq(bad.events, 0);
	ck_assert_uint_eq(file.events, 0);
	uxs_watch_stop(&loop, &bad);
	close(file.fd);
}
END_TEST

START_TEST(a_stopped_watch_is_not_called)
{
	struct bell bell;

	bell_start(&bell, NULL, NULL);
	uxs_watch_stop(&loop, &bell.watch);
	uxs_watch_stop(&loop, &bell.watch);
	int n = turn();

	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(bell.n_calls, 0);
	bell_end(&bell);
}
END_TEST

START_TEST(a_stopped_watch_can_be_started_again)
{
	struct bell bell;

	bell_start(&bell, NULL, NULL);
	uxs_watch_stop(&loop, &bell.watch);
	ck_assert_int_eq(uxs_watch_start(&loop, &bell.watch, EPOLLIN), 0);
	turn();

	ck_assert_int_eq(bell.n_calls, 1);
	bell_end(&bell);
}
END_TEST

/* With a mask of 0 epoll goes on to report a hang-up, turn after turn. */
START_TEST(no_events_means_no_hang_up_either)
{
	struct bell bell;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	bell = (struct bell){
		.watch = { .fd = pair[0], .on_ready = on_bell },
	};
	uxs_watch_start(&loop, &bell.watch, EPOLLIN);
	ck_assert_int_eq(uxs_watch_start(&loop, &bell.watch, 0), 0);
	close(pair[1]);
	ck_assert_int_eq(turn(), 0);
	ck_assert_int_eq(bell.n_calls, 0);
	uxs_watch_start(&loop, &bell.watch, EPOLLIN);

	ck_assert_int_eq(turn(), 1);
	ck_assert_uint_eq(bell.events & EPOLLHUP, EPOLLHUP);
	bell_end(&bell);
}
END_TEST

/* ---- changes in the middle of a batch ---- */

static void
stop_other(struct bell *bell)
{
	uxs_watch_stop(&loop, &bell->other->watch);
}

START_TEST(a_watch_stopped_in_the_same_batch_is_not_called)
{
	struct bell a, b;

	bell_start(&a, stop_other, &b);
	bell_start(&b, stop_other, &a);
	int n = turn();

	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(a.n_calls + b.n_calls, 1);
	bell_end(&a);
	bell_end(&b);
}
END_TEST

static struct bell *survivor;

static void
free_other(struct bell *bell)
{
	ck_assert_ptr_null(survivor);
	survivor = bell;
	bell_end(bell->other);
	free(bell->other);
}

START_TEST(a_watch_freed_in_the_same_batch_is_not_touched)
{
	struct bell *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	bell_start(a, free_other, b);
	bell_start(b, free_other, a);
	int n = turn();

	ck_assert_int_eq(n, 2);
	ck_assert_ptr_nonnull(survivor);
	ck_assert_int_eq(survivor->n_calls, 1);
	bell_end(survivor);
	free(survivor);
}
END_TEST

static void
restart_other(struct bell *bell)
{
	uxs_watch_stop(&loop, &bell->other->watch);
	uxs_watch_start(&loop, &bell->other->watch, EPOLLIN);
}

START_TEST(a_watch_started_in_a_batch_waits_for_the_next)
{
	struct bell a, b;

	bell_start(&a, restart_other, &b);
	bell_start(&b, restart_other, &a);
	turn();

	ck_assert_int_eq(a.n_calls + b.n_calls, 1);
	bell_end(&a);
	bell_end(&b);
}
END_TEST

static struct bell heir;

/* Close the other's descriptor; the next one opened has its number. */
static void
replace_other(struct bell *bell)
{
	const int number = bell->other->watch.fd;

	uxs_watch_stop(&loop, &bell->other->watch);
	close(number);
	heir = (struct bell){
		.watch = { .fd = eventfd(0, EFD_CLOEXEC), .on_ready = on_bell },
	};
	ck_assert_int_eq(heir.watch.fd, number);
	uxs_watch_start(&loop, &heir.watch, EPOLLIN);
}

START_TEST(a_descriptor_of_the_same_number_inherits_no_event)
{
	struct bell a, b;

	bell_start(&a, replace_other, &b);
	bell_start(&b, replace_other, &a);
	turn();
	turn();

	ck_assert_int_eq(heir.n_calls, 0);
	bell_end(&heir);
	bell_end(a.n_calls > 0 ? &a : &b);
}
END_TEST

#define N_CROWD (2 * UXS_LOOP_BATCH + 10)
static struct bell crowd[N_CROWD];

static void
stop_crowd(struct bell *bell)
{
	for (int i = 0; i < N_CROWD; i++)
		uxs_watch_stop(&loop, &crowd[i].watch);
}

START_TEST(all_the_others_of_a_batch_can_be_stopped)
{
	int n_calls = 0;

	for (int i = 0; i < N_CROWD; i++)
		bell_start(&crowd[i], stop_crowd, NULL);
	turn();
	turn();

	for (int i = 0; i < N_CROWD; i++) {
		n_calls += crowd[i].n_calls;
		bell_end(&crowd[i]);
	}
	ck_assert_int_eq(n_calls, 1);
}
END_TEST

START_TEST(a_crowd_is_served_in_turns_and_nobody_is_left_out)
{
	for (int i = 0; i < N_CROWD; i++)
		bell_start(&crowd[i], NULL, NULL);
	for (int i = 0; i < 4; i++)
		turn();

	for (int i = 0; i < N_CROWD; i++) {
		ck_assert_int_ge(crowd[i].n_calls, 1);
		bell_end(&crowd[i]);
	}
}
END_TEST

/* ---- time ---- */

struct alarm {
	struct uxs_timer timer;
	int n_calls;
	int64_t called_at_ns;
	void (*then)(struct alarm *);
	struct alarm *other;
};

static int order[16], n_order;

static void
on_alarm(struct uxs_timer *timer)
{
	struct alarm *alarm = uxs_container_of(timer, struct alarm, timer);

	ck_assert(!uxs_timer_is_started(timer));
	alarm->n_calls++;
	alarm->called_at_ns = uxs_loop_now_ns(&loop);
	if (alarm->then != NULL)
		alarm->then(alarm);
}

static struct alarm
alarm_that(void (*then)(struct alarm *))
{
	return (struct alarm){
		.timer = { .on_expiry = on_alarm },
		.then = then,
	};
}

/* Deadlines that have passed already, so that no test waits. */
static int64_t
past(int64_t ns)
{
	return opened_at_ns - UXS_NS_PER_MS + ns;
}

static int64_t
far_away(void)
{
	return uxs_loop_now_ns(&loop) + 3600 * UXS_NS_PER_S;
}

static struct alarm alarms[16];

static void
note_order(struct alarm *alarm)
{
	order[n_order++] = (int)(alarm - alarms);
}

START_TEST(timers_come_in_the_order_of_their_deadlines)
{
	/* Every one of 16 once, in no order. */
	for (int i = 0; i < 16; i++) {
		const int which = i * 7 % 16;

		alarms[which] = alarm_that(note_order);
		uxs_timer_start(&loop, &alarms[which].timer, past(which));
	}
	turn();

	ck_assert_int_eq(n_order, 16);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(order[i], i);
}
END_TEST

START_TEST(timers_of_one_deadline_all_come)
{
	const int64_t deadline = past(0);

	for (int i = 0; i < 16; i++) {
		alarms[i] = alarm_that(NULL);
		uxs_timer_start(&loop, &alarms[i].timer, deadline);
	}
	uxs_timer_stop(&loop, &alarms[7].timer);
	turn();

	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(alarms[i].n_calls, i == 7 ? 0 : 1);
}
END_TEST

START_TEST(a_timer_comes_once)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer, past(0));
	ck_assert(uxs_timer_is_started(&alarm.timer));
	turn();
	turn();

	ck_assert_int_eq(alarm.n_calls, 1);
	ck_assert(!uxs_timer_is_started(&alarm.timer));
}
END_TEST

START_TEST(a_timer_never_comes_early)
{
	struct alarm alarm = alarm_that(NULL);
	int64_t deadline = uxs_loop_now_ns(&loop) + 1500 * UXS_NS_PER_US;

	loop.has_pwait2 = _i; /* with and without epoll_pwait2 */
	uxs_timer_start(&loop, &alarm.timer, deadline);
	while (alarm.n_calls == 0)
		ck_assert_int_ge(uxs_loop_turn(&loop, -1), 0);

	ck_assert_int_ge(alarm.called_at_ns, deadline);
}
END_TEST

START_TEST(a_timer_ends_a_wait)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer,
	    uxs_loop_now_ns(&loop) + UXS_NS_PER_MS);
	while (alarm.n_calls == 0)
		ck_assert_int_eq(uxs_loop_turn(&loop, 3600 * UXS_NS_PER_S), 0);
}
END_TEST

START_TEST(a_wait_ends_before_a_timer)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer, far_away());
	ck_assert_int_eq(uxs_loop_turn(&loop, UXS_NS_PER_MS), 0);

	ck_assert_int_eq(alarm.n_calls, 0);
	uxs_timer_stop(&loop, &alarm.timer);
}
END_TEST

START_TEST(a_lazy_timer_wakes_nobody_and_comes_with_the_next_turn)
{
	struct alarm alarm = alarm_that(NULL);
	struct pollfd pfd = { .fd = uxs_loop_fd(&loop), .events = POLLIN };

	uxs_timer_start_lazily(&loop, &alarm.timer, past(0));
	ck_assert(uxs_timer_is_started(&alarm.timer));
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	turn();
	turn();

	ck_assert_int_eq(alarm.n_calls, 1);
	ck_assert(!uxs_timer_is_started(&alarm.timer));
}
END_TEST

/* Its deadline is long gone when the other one ends the wait. */
START_TEST(a_lazy_timer_ends_no_wait)
{
	struct alarm lazy = alarm_that(NULL), other = alarm_that(NULL);
	const int64_t deadline_ns = uxs_loop_now_ns(&loop) + 5 * UXS_NS_PER_MS;

	uxs_timer_start_lazily(&loop, &lazy.timer, past(0));
	uxs_timer_start(&loop, &other.timer, deadline_ns);
	while (lazy.n_calls == 0)
		ck_assert_int_eq(uxs_loop_turn(&loop, -1), 0);

	ck_assert_int_ge(lazy.called_at_ns, deadline_ns);
	ck_assert_int_eq(other.n_calls, 1);
}
END_TEST

START_TEST(a_lazy_timer_does_not_come_early)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start_lazily(&loop, &alarm.timer, far_away());
	turn();

	ck_assert_int_eq(alarm.n_calls, 0);
	uxs_timer_stop(&loop, &alarm.timer);
	ck_assert(!uxs_timer_is_started(&alarm.timer));
	uxs_timer_stop(&loop, &alarm.timer);
}
END_TEST

START_TEST(a_timer_can_become_lazy_and_back)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer, past(0));
	uxs_timer_start_lazily(&loop, &alarm.timer, far_away());
	turn();
	ck_assert_int_eq(alarm.n_calls, 0);
	uxs_timer_start(&loop, &alarm.timer, past(0));
	turn();

	ck_assert_int_eq(alarm.n_calls, 1);
}
END_TEST

START_TEST(a_turn_without_time_does_not_wait)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer, far_away());
	ck_assert_int_eq(uxs_loop_turn(&loop, 0), 0);

	ck_assert_int_eq(alarm.n_calls, 0);
	uxs_timer_stop(&loop, &alarm.timer);
}
END_TEST

START_TEST(a_restarted_timer_has_the_last_deadline)
{
	struct alarm alarm = alarm_that(NULL);

	uxs_timer_start(&loop, &alarm.timer, past(0));
	uxs_timer_start(&loop, &alarm.timer, far_away());
	turn();
	ck_assert_int_eq(alarm.n_calls, 0);
	uxs_timer_start(&loop, &alarm.timer, past(0));
	turn();

	ck_assert_int_eq(alarm.n_calls, 1);
}
END_TEST

static void
start_again(struct alarm *alarm)
{
	if (alarm->n_calls < 3)
		uxs_timer_start(&loop, &alarm->timer,
		    uxs_loop_now_ns(&loop) + 1);
}

static void
start_at_once(struct alarm *alarm)
{
	if (alarm->n_calls < 100)
		uxs_timer_start(&loop, &alarm->timer, past(0));
}

START_TEST(a_timer_that_is_always_due_is_called_once_a_turn)
{
	struct alarm alarm = alarm_that(start_at_once);

	uxs_timer_start(&loop, &alarm.timer, past(0));
	turn();

	ck_assert_int_eq(alarm.n_calls, 1);
	uxs_timer_stop(&loop, &alarm.timer);
}
END_TEST

START_TEST(a_timer_can_start_itself_again)
{
	struct alarm alarm = alarm_that(start_again);

	uxs_timer_start(&loop, &alarm.timer, past(0));
	turn();
	ck_assert_int_eq(alarm.n_calls, 1); /* the rest is for later turns */
	while (uxs_timer_is_started(&alarm.timer))
		uxs_loop_turn(&loop, -1);

	ck_assert_int_eq(alarm.n_calls, 3);
}
END_TEST

static void
stop_the_other(struct alarm *alarm)
{
	uxs_timer_stop(&loop, &alarm->other->timer);
}

START_TEST(a_timer_stopped_by_another_does_not_come)
{
	struct alarm first = alarm_that(stop_the_other);
	struct alarm second = alarm_that(NULL);

	first.other = &second;
	uxs_timer_start(&loop, &first.timer, past(0));
	uxs_timer_start(&loop, &second.timer, past(1));
	turn();
	turn();

	ck_assert_int_eq(first.n_calls, 1);
	ck_assert_int_eq(second.n_calls, 0);
}
END_TEST

START_TEST(the_clock_stands_still_in_a_turn)
{
	struct alarm first = alarm_that(NULL), second = alarm_that(NULL);
	int64_t before = uxs_loop_now_ns(&loop);

	uxs_timer_start(&loop, &first.timer, past(0));
	uxs_timer_start(&loop, &second.timer, past(1));
	turn();

	ck_assert_int_gt(first.called_at_ns, before);
	ck_assert_int_eq(first.called_at_ns, second.called_at_ns);
}
END_TEST

/* ---- the end of a turn ---- */

struct later {
	struct uxs_deferred deferred;
	int n_calls, n_bells, n_alarms;
	struct later *next;
};

static struct bell last_bell;
static struct alarm last_alarm;

static void
on_later(struct uxs_deferred *deferred)
{
	struct later *later =
	    uxs_container_of(deferred, struct later, deferred);

	later->n_calls++;
	later->n_bells = last_bell.n_calls;
	later->n_alarms = last_alarm.n_calls;
	if (later->next != NULL)
		uxs_loop_defer(&loop, &later->next->deferred);
}

START_TEST(what_is_deferred_comes_last_and_once)
{
	struct later later = { .deferred = { .on_turn_end = on_later } };

	bell_start(&last_bell, NULL, NULL);
	last_alarm = alarm_that(NULL);
	uxs_timer_start(&loop, &last_alarm.timer, past(0));
	uxs_loop_defer(&loop, &later.deferred);
	ck_assert_int_eq(later.n_calls, 0);
	turn();
	turn();

	ck_assert_int_eq(later.n_calls, 1);
	ck_assert_int_eq(later.n_bells, 1);
	ck_assert_int_eq(later.n_alarms, 1);
	bell_end(&last_bell);
}
END_TEST

START_TEST(what_is_deferred_may_defer_more)
{
	struct later second = { .deferred = { .on_turn_end = on_later } };
	struct later first = { .deferred = { .on_turn_end = on_later },
		.next = &second };

	uxs_loop_defer(&loop, &first.deferred);
	turn();

	ck_assert_int_eq(first.n_calls, 1);
	ck_assert_int_eq(second.n_calls, 1);
}
END_TEST

START_TEST(what_is_deferred_comes_before_the_loop_closes)
{
	struct later later = { .deferred = { .on_turn_end = on_later } };

	uxs_loop_defer(&loop, &later.deferred);
	uxs_loop_close(&loop);
	uxs_loop_close(&loop);

	ck_assert_int_eq(later.n_calls, 1);
}
END_TEST

/* ---- running ---- */

static void
stop_on_third_call(struct bell *bell)
{
	if (bell->n_calls == 3)
		uxs_loop_stop(&loop);
}

START_TEST(runs_until_it_is_stopped)
{
	struct bell bell;

	for (int i = 0; i < 2; i++) {
		bell_start(&bell, stop_on_third_call, NULL);
		ck_assert_int_eq(uxs_loop_run(&loop), 0);
		ck_assert_int_eq(bell.n_calls, 3);
		bell_end(&bell);
	}
}
END_TEST

START_TEST(a_stop_that_came_before_counts_once)
{
	struct bell bell;

	bell_start(&bell, stop_on_third_call, NULL);
	uxs_loop_stop(&loop);
	ck_assert_int_eq(uxs_loop_run(&loop), 0);
	ck_assert_int_eq(bell.n_calls, 0);

	ck_assert_int_eq(uxs_loop_run(&loop), 0);
	ck_assert_int_eq(bell.n_calls, 3);
	bell_end(&bell);
}
END_TEST

START_TEST(a_broken_loop_says_so)
{
	const int fd = loop.epoll_fd;

	loop.epoll_fd = -1;
	ck_assert_int_eq(uxs_loop_turn(&loop, 0), -EBADF);
	ck_assert_int_eq(uxs_loop_run(&loop), -EBADF);

	loop.epoll_fd = fd;
}
END_TEST

START_TEST(the_descriptor_is_not_inherited)
{
	ck_assert(fcntl(loop.epoll_fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

static void
on_interruption(int number)
{
}

START_TEST(an_interrupted_wait_is_a_turn_without_events)
{
	/* Again and again: one signal might come before the wait begins. */
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_interruption };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	int n = uxs_loop_turn(&loop, -1);
	setitimer(ITIMER_REAL, &never, NULL);

	ck_assert_int_eq(n, 0);
}
END_TEST

/* ---- signals ---- */

struct receiver {
	struct uxs_signals signals;
	int n_calls, numbers[4];
	bool stops;
};

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct receiver *receiver =
	    uxs_container_of(signals, struct receiver, signals);

	receiver->numbers[receiver->n_calls++] = number;
	if (receiver->stops)
		uxs_signals_stop(signals);
}

static void
receiver_start(struct receiver *receiver)
{
	sigset_t set;

	*receiver = (struct receiver){ .signals = { .on_signal = on_signal } };
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	ck_assert_int_eq(uxs_signals_start(&loop, &receiver->signals, &set), 0);
}

static bool
is_blocked(int number)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, number);
}

START_TEST(signals_become_events)
{
	struct receiver receiver;

	receiver_start(&receiver);
	raise(SIGUSR1);
	ck_assert_int_eq(receiver.n_calls, 0);
	turn();

	ck_assert_int_eq(receiver.n_calls, 1);
	ck_assert_int_eq(receiver.numbers[0], SIGUSR1);
	uxs_signals_stop(&receiver.signals);
}
END_TEST

START_TEST(no_signal_is_lost_when_two_come_at_once)
{
	struct receiver receiver;

	receiver_start(&receiver);
	raise(SIGUSR2);
	raise(SIGUSR1);
	turn();
	turn();
	turn();

	ck_assert_int_eq(receiver.n_calls, 2);
	ck_assert_int_eq(receiver.numbers[0] + receiver.numbers[1],
	    SIGUSR1 + SIGUSR2);
	uxs_signals_stop(&receiver.signals);
}
END_TEST

START_TEST(stopping_gives_the_signal_mask_back)
{
	struct receiver receiver;
	sigset_t before;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	receiver_start(&receiver);
	ck_assert(is_blocked(SIGUSR1));
	uxs_signals_stop(&receiver.signals);

	ck_assert(!is_blocked(SIGUSR1));
	ck_assert(is_blocked(SIGUSR2)); /* as it was */
}
END_TEST

START_TEST(signals_can_be_stopped_by_a_signal)
{
	struct receiver receiver;

	receiver_start(&receiver);
	receiver.stops = true;
	raise(SIGUSR1);
	turn();

	ck_assert_int_eq(receiver.n_calls, 1);
	ck_assert(!is_blocked(SIGUSR1));
}
END_TEST

START_TEST(signals_that_cannot_start_leave_the_mask_as_it_was)
{
	struct receiver receiver = { .signals = { .on_signal = on_signal } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	allow_descriptors(0);
	int r = uxs_signals_start(&loop, &receiver.signals, &set);
	allow_descriptors(-1);

	ck_assert_int_eq(r, -EMFILE);
	ck_assert(!is_blocked(SIGUSR1));
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

static void
add_watch_tests(TCase *watches, TCase *batch)
{
	tcase_add_test(watches, what_is_ready_is_called_and_told_why);
	tcase_add_test(watches, what_stays_ready_is_called_every_turn);
	tcase_add_test(watches, the_events_are_those_of_the_last_start);
	tcase_add_test(watches, the_same_events_again_cost_no_system_call);
	tcase_add_test(watches, a_watch_that_cannot_start_is_not_started);
	tcase_add_test(watches, a_stopped_watch_is_not_called);
	tcase_add_test(watches, a_stopped_watch_can_be_started_again);
	tcase_add_test(watches, no_events_means_no_hang_up_either);

	tcase_add_test(batch, a_watch_stopped_in_the_same_batch_is_not_called);
	tcase_add_test(batch, a_watch_freed_in_the_same_batch_is_not_touched);
	tcase_add_test(batch, a_watch_started_in_a_batch_waits_for_the_next);
	tcase_add_test(batch,
	    a_descriptor_of_the_same_number_inherits_no_event);
	tcase_add_test(batch, all_the_others_of_a_batch_can_be_stopped);
	tcase_add_test(batch,
	    a_crowd_is_served_in_turns_and_nobody_is_left_out);
}

static void
add_time_tests(TCase *timers)
{
	tcase_add_test(timers, timers_come_in_the_order_of_their_deadlines);
	tcase_add_test(timers, timers_of_one_deadline_all_come);
	tcase_add_test(timers, a_timer_comes_once);
	tcase_add_loop_test(timers, a_timer_never_comes_early, 0, 2);
	tcase_add_test(timers, a_timer_ends_a_wait);
	tcase_add_test(timers, a_wait_ends_before_a_timer);
	tcase_add_test(timers, a_turn_without_time_does_not_wait);
	tcase_add_test(timers,
	    a_lazy_timer_wakes_nobody_and_comes_with_the_next_turn);
	tcase_add_test(timers, a_lazy_timer_ends_no_wait);
	tcase_add_test(timers, a_lazy_timer_does_not_come_early);
	tcase_add_test(timers, a_timer_can_become_lazy_and_back);
	tcase_add_test(timers, a_restarted_timer_has_the_last_deadline);
	tcase_add_test(timers,
	    a_timer_that_is_always_due_is_called_once_a_turn);
	tcase_add_test(timers, a_timer_can_start_itself_again);
	tcase_add_test(timers, a_timer_stopped_by_another_does_not_come);
	tcase_add_test(timers, the_clock_stands_still_in_a_turn);
}

Suite *
suite_loop(void)
{
	Suite *suite = suite_create("loop");
	TCase *turns = loop_case(suite, "turns");
	TCase *signals = loop_case(suite, "signals");

	add_watch_tests(loop_case(suite, "watches"), loop_case(suite, "batch"));
	add_time_tests(loop_case(suite, "timers"));

	tcase_add_test(turns, what_is_deferred_comes_last_and_once);
	tcase_add_test(turns, what_is_deferred_may_defer_more);
	tcase_add_test(turns, what_is_deferred_comes_before_the_loop_closes);
	tcase_add_test(turns, runs_until_it_is_stopped);
	tcase_add_test(turns, a_stop_that_came_before_counts_once);
	tcase_add_test(turns, a_broken_loop_says_so);
	tcase_add_test(turns, the_descriptor_is_not_inherited);
	tcase_add_test(turns, an_interrupted_wait_is_a_turn_without_events);

	tcase_add_test(signals, signals_become_events);
	tcase_add_test(signals, no_signal_is_lost_when_two_come_at_once);
	tcase_add_test(signals, stopping_gives_the_signal_mask_back);
	tcase_add_test(signals, signals_can_be_stopped_by_a_signal);
	tcase_add_test(signals,
	    signals_that_cannot_start_leave_the_mask_as_it_was);
	return suite;
}
