/* SPDX-License-Identifier: ISC */
/*
 * Level-triggered epoll, timers in a tree, signals as descriptors.
 *
 * A turn is: wait, read the clock once, call what is ready, call what is due,
 * run what was deferred. In the steady state the only system call is the
 * epoll_pwait2 (wait.c): interest is applied when it changes and not
 * otherwise.
 */
#include <uxsrv/loop.h>

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "counter.h"
#include "sysret.h"
#include "tree.h"
#include "wait.h"

static int
compare_timers(const struct uxs_timer *a, const struct uxs_timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	/* Equal deadlines are common and both must have a place in the tree. */
	return a < b ? -1 : a > b;
}

UXS_TREE_GENERATE(uxs_timers, uxs_timer, node, compare_timers)

int64_t
uxs_loop_read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

/* ---- in another program's loop ---- */

/* When is there something to do that no descriptor tells of? 0: never. */
static int64_t
next_alarm_ns(struct uxs_loop *loop)
{
	const struct uxs_timer *first = RB_MIN(uxs_timers, &loop->timers);

	if (loop->is_stopped || !SLIST_EMPTY(&loop->deferreds))
		return 1; /* long ago: at once */
	return first != NULL ? first->deadline_ns : 0;
}

/*
 * One that went off is never set to the same time again: what was due has been
 * called. To set it also makes it unreadable.
 */
static void
move_alarm(struct uxs_loop *loop)
{
	const int64_t ns = next_alarm_ns(loop);
	const struct itimerspec at = {
		.it_value.tv_sec = ns / UXS_NS_PER_S,
		.it_value.tv_nsec = ns % UXS_NS_PER_S,
	};

	if (ns == loop->alarm_ns)
		return;
	loop->alarm_ns = ns;
	timerfd_settime(loop->alarm_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* At the end of a turn, and for what is done outside of one. */
static inline void
set_alarm(struct uxs_loop *loop)
{
	if (loop->alarm_fd >= 0 && !loop->is_in_turn)
		move_alarm(loop);
}

int
uxs_loop_fd(struct uxs_loop *loop)
{
	/* Without a watch: there is nobody to call. */
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	int fd, r;

	if (loop->alarm_fd >= 0)
		return loop->epoll_fd;
	fd =
	    sysret(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	if (fd < 0)
		return fd;
	r = sysret(epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event));
	if (r < 0) {
		close(fd);
		return r;
	}
	loop->alarm_fd = fd;
	set_alarm(loop);
	return loop->epoll_fd;
}

/* ---- turns ---- */

int
uxs_loop_open(struct uxs_loop *loop)
{
	*loop = (struct uxs_loop)UXS_LOOP_CLOSED;
	RB_INIT(&loop->timers);
	RB_INIT(&loop->lazy_timers);
	SLIST_INIT(&loop->deferreds);
	loop->has_pwait2 = true;
	loop->epoll_fd = sysret(epoll_create1(EPOLL_CLOEXEC));
	return loop->epoll_fd < 0 ? loop->epoll_fd : 0;
}

static void
run_deferred(struct uxs_loop *loop)
{
	struct uxs_deferred *deferred;

	while ((deferred = SLIST_FIRST(&loop->deferreds)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->deferreds, next);
		deferred->on_turn_end(deferred);
	}
}

void
uxs_loop_close(struct uxs_loop *loop)
{
	if (loop->epoll_fd < 0)
		return;
	run_deferred(loop);
	if (loop->alarm_fd >= 0)
		close(loop->alarm_fd);
	close(loop->epoll_fd);
	*loop = (struct uxs_loop)UXS_LOOP_CLOSED;
}

/* How long may this turn wait? Negative: for ever. */
static int64_t
wait_ns(struct uxs_loop *loop, int64_t timeout_ns)
{
	const struct uxs_timer *first = RB_MIN(uxs_timers, &loop->timers);
	int64_t until_first_ns;

	if (first == NULL || timeout_ns == 0)
		return timeout_ns;
	until_first_ns = first->deadline_ns - uxs_loop_read_clock();
	if (until_first_ns < 0)
		until_first_ns = 0;
	if (timeout_ns < 0 || until_first_ns < timeout_ns)
		return until_first_ns;
	return timeout_ns;
}

static void
dispatch_batch(struct uxs_loop *loop, int n)
{
	loop->batch_end = n;
	for (loop->batch_next = 0; loop->batch_next < loop->batch_end;) {
		const struct epoll_event *event =
		    &loop->batch[loop->batch_next++];
		struct uxs_watch *watch = event->data.ptr;

		if (watch != NULL) /* not stopped by an earlier one */
			watch->on_ready(watch, event->events);
	}
	loop->batch_next = loop->batch_end = 0;
}

static void
dispatch_due(struct uxs_loop *loop, struct uxs_timers *timers)
{
	struct uxs_timer *timer;

	while ((timer = RB_MIN(uxs_timers, timers)) != NULL &&
	    timer->deadline_ns <= loop->now_ns) {
		uxs_timer_stop(loop, timer);
		timer->on_expiry(timer);
	}
}

static void
dispatch_timers(struct uxs_loop *loop)
{
	loop->is_in_timers = true;
	dispatch_due(loop, &loop->timers);
	dispatch_due(loop, &loop->lazy_timers);
	loop->is_in_timers = false;
}

static const int64_t turn_bounds_ns[] = {
	10 * UXS_NS_PER_US,
	20 * UXS_NS_PER_US,
	50 * UXS_NS_PER_US,
	100 * UXS_NS_PER_US,
	200 * UXS_NS_PER_US,
	500 * UXS_NS_PER_US,
	1 * UXS_NS_PER_MS,
	2 * UXS_NS_PER_MS,
	5 * UXS_NS_PER_MS,
	10 * UXS_NS_PER_MS,
	20 * UXS_NS_PER_MS,
	50 * UXS_NS_PER_MS,
	100 * UXS_NS_PER_MS,
	1000 * UXS_NS_PER_MS,
};

_Static_assert(sizeof(turn_bounds_ns) / sizeof(turn_bounds_ns[0]) ==
	UXS_N_TURN_BOUNDS,
    "a bound for each count but the last");

int64_t
uxs_turn_bound_ns(int bound)
{
	return turn_bounds_ns[bound];
}

void
uxs_loop_measure(struct uxs_loop *loop, struct uxs_turn_stats *stats)
{
	loop->turns = stats;
}

static void
count_turn(struct uxs_loop *loop)
{
	const int64_t spent_ns = uxs_loop_read_clock() - loop->now_ns;
	int bound = 0;

	while (bound < UXS_N_TURN_BOUNDS && spent_ns > turn_bounds_ns[bound])
		bound++;
	counter_add(&loop->turns->n[bound], 1);
	counter_add(&loop->turns->spent_ns, (uint64_t)spent_ns);
}

int
uxs_loop_turn(struct uxs_loop *loop, int64_t timeout_ns)
{
	int n = wait_for_events(loop, wait_ns(loop, timeout_ns));

	if (n == -EINTR)
		n = 0;
	if (n < 0)
		return n;
	loop->now_ns = uxs_loop_read_clock();
	loop->is_in_turn = true;
	dispatch_batch(loop, n);
	dispatch_timers(loop);
	run_deferred(loop);
	loop->is_in_turn = false;
	set_alarm(loop);
	if (loop->turns != NULL)
		count_turn(loop);
	return n;
}

int
uxs_loop_run(struct uxs_loop *loop)
{
	int n = 0;

	while (!loop->is_stopped && n >= 0)
		n = uxs_loop_turn(loop, -1);
	loop->is_stopped = false;
	return n < 0 ? n : 0;
}

void
uxs_loop_stop(struct uxs_loop *loop)
{
	loop->is_stopped = true;
	set_alarm(loop);
}

/* ---- descriptors ---- */

int
uxs_watch_start(struct uxs_loop *loop, struct uxs_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int r;

	if (events == watch->events)
		return 0;
	if (events == 0) {
		uxs_watch_stop(loop, watch);
		return 0;
	}
	r = sysret(epoll_ctl(loop->epoll_fd,
	    watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, watch->fd,
	    &event));
	if (r == 0)
		watch->events = events;
	return r;
}

void
uxs_watch_stop(struct uxs_loop *loop, struct uxs_watch *watch)
{
	if (watch->events == 0)
		return;
	watch->events = 0;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	for (int i = loop->batch_next; i < loop->batch_end; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

/* ---- time ---- */

static void
start_timer(struct uxs_loop *loop, struct uxs_timer *timer, int64_t deadline_ns,
    bool is_lazy)
{
	uxs_timer_stop(loop, timer);
	/* A timer that keeps starting itself without delay gets one call a
	 * turn, or descriptors would never be looked at again. */
	if (loop->is_in_timers && deadline_ns <= loop->now_ns)
		deadline_ns = loop->now_ns + 1;
	timer->deadline_ns = deadline_ns;
	timer->is_lazy = is_lazy;
	RB_INSERT(uxs_timers, is_lazy ? &loop->lazy_timers : &loop->timers,
	    timer);
}

void
uxs_timer_start(struct uxs_loop *loop, struct uxs_timer *timer,
    int64_t deadline_ns)
{
	start_timer(loop, timer, deadline_ns, false);
	set_alarm(loop);
}

void
uxs_timer_start_lazily(struct uxs_loop *loop, struct uxs_timer *timer,
    int64_t deadline_ns)
{
	start_timer(loop, timer, deadline_ns, true);
}

void
uxs_timer_stop(struct uxs_loop *loop, struct uxs_timer *timer)
{
	if (timer->deadline_ns == 0)
		return;
	RB_REMOVE(uxs_timers,
	    timer->is_lazy ? &loop->lazy_timers : &loop->timers, timer);
	timer->deadline_ns = 0;
}

/* ---- after this turn ---- */

void
uxs_loop_defer(struct uxs_loop *loop, struct uxs_deferred *deferred)
{
	SLIST_INSERT_HEAD(&loop->deferreds, deferred, next);
	set_alarm(loop);
}

/* ---- signals ---- */

static void
on_signal_ready(struct uxs_watch *watch, uint32_t events)
{
	struct uxs_signals *signals =
	    uxs_container_of(watch, struct uxs_signals, watch);
	struct signalfd_siginfo info;

	/* One a turn: the handler may stop the signals, or the loop. */
	if (read(watch->fd, &info, sizeof(info)) == sizeof(info))
		signals->on_signal(signals, (int)info.ssi_signo);
}

int
uxs_signals_start(struct uxs_loop *loop, struct uxs_signals *signals,
    const sigset_t *set)
{
	int r;

	signals->loop = loop;
	signals->watch = (struct uxs_watch){ .on_ready = on_signal_ready };
	if ((r = sysret(signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC))) < 0)
		return r;
	signals->watch.fd = r;
	if ((r = uxs_watch_start(loop, &signals->watch, EPOLLIN)) < 0) {
		close(signals->watch.fd);
		return r;
	}
	/* Blocked last, so that a failure leaves the mask as it was. */
	if ((r = pthread_sigmask(SIG_BLOCK, set, &signals->mask_before)) != 0) {
		uxs_watch_stop(loop, &signals->watch);
		close(signals->watch.fd);
		return -r;
	}
	return 0;
}

void
uxs_signals_stop(struct uxs_signals *signals)
{
	uxs_watch_stop(signals->loop, &signals->watch);
	close(signals->watch.fd);
	pthread_sigmask(SIG_SETMASK, &signals->mask_before, NULL);
}
