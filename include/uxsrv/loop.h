/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOOP_H
#define UXS_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <uxsrv/initial.h>

__BEGIN_DECLS

/*
 * When: readiness, time and signals, on level-triggered epoll(7).
 *
 * Watches, timers and deferred calls live inside their owners and are found
 * back with uxs_container_of, so that registering allocates nothing. One loop
 * belongs to one thread, which alone may call anything here on it. Everything
 * here may be called from any callback.
 *
 *	struct uxs_loop loop;
 *
 *	uxs_loop_open(&loop);
 *	uxs_watch_start(&loop, &watch, EPOLLIN);
 *	uxs_loop_run(&loop);		until uxs_loop_stop
 *	uxs_loop_close(&loop);
 */

#define uxs_container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define UXS_LOOP_BATCH 64

RB_HEAD(uxs_timers, uxs_timer);
SLIST_HEAD(uxs_deferreds, uxs_deferred);

/* What spinning came to, in numbers that only grow. */
struct uxs_spin_stats {
	uint64_t won; /* something came in time: a sleep was saved */
	uint64_t lost; /* nothing did; the loop slept after all */
	uint64_t spent_ns; /* in both */
};

/* How long turns took, from waking up to having done everything. */
#define UXS_N_TURN_BOUNDS 14

struct uxs_turn_stats {
	/* Of each bound, those that took no longer, but longer than the one
	 * before; the last is of those that took longer than any. */
	uint64_t n[UXS_N_TURN_BOUNDS + 1];
	uint64_t spent_ns;
};

struct uxs_spin {
	/* private */
	int64_t limit_ns; /* 0: sleep at once */
	int64_t checked_ns; /* when the processors were counted */
	bool is_alone; /* on one processor: nobody could work meanwhile */
	int score; /* of whether it pays */
	int probe_after, until_probe; /* in waits */
	struct uxs_spin_stats *stats;
};

struct uxs_yield {
	/* private */
	bool is_on;
	int n_lost; /* in a row */
	int penalty; /* for a processor that was gone for long */
	int n_to_sleep; /* waits until the next try */
};

struct uxs_loop {
	/* private */
	int epoll_fd;
	bool is_stopped;
	bool is_in_turn;
	bool is_in_timers;
	bool has_pwait2; /* epoll_pwait2(2), Linux 5.11: nanosecond waits */
	int64_t now_ns;
	int alarm_fd; /* timerfd(2), for those who wait on epoll_fd */
	int64_t alarm_ns; /* what it is set to; 0: off */
	struct uxs_spin spin;
	struct uxs_yield yield;
	struct uxs_turn_stats *turns; /* NULL: nobody wants to know */
	struct uxs_timers timers, lazy_timers;
	struct uxs_deferreds deferreds;
	int batch_next, batch_end; /* what of the batch is still to come */
	struct epoll_event batch[UXS_LOOP_BATCH];
};

#define UXS_LOOP_CLOSED_VALUES(SET) \
	SET(epoll_fd, -1)           \
	SET(alarm_fd, -1)
#define UXS_LOOP_CLOSED UXS_INITIAL(struct uxs_loop, UXS_LOOP_CLOSED_VALUES)

/* Returns 0 or a negative errno. */
int uxs_loop_open(struct uxs_loop *loop);

/* Runs what was deferred, then lets go. Watches and timers that were still
 * started are forgotten; their descriptors stay their owners'. */
void uxs_loop_close(struct uxs_loop *loop);

/* Dispatch turns until uxs_loop_stop, at least none: a stop that came before
 * counts. Returns 0 or a negative errno when waiting itself failed. */
int uxs_loop_run(struct uxs_loop *loop);
void uxs_loop_stop(struct uxs_loop *loop);

/* Has it been told to stop, and not run to the end since? */
static inline bool
uxs_loop_is_stopped(const struct uxs_loop *loop)
{
	return loop->is_stopped;
}

/*
 * One turn: wait at most timeout_ns (0: only look; negative: for ever), or
 * until the next timer, then call what is ready, then what is due, then what
 * was deferred. Returns the number of ready watches or a negative errno.
 */
int uxs_loop_turn(struct uxs_loop *loop, int64_t timeout_ns);

/*
 * From now on look again for up to limit_ns (0, as it is at first: not at
 * all) before sleeping, and let others use the processor in between.
 *
 * To put a processor to sleep and to wake it takes 20 to 105 us on a virtual
 * machine. A spin that is shorter than that gains nothing; 100 to 200 us are
 * worth it where questions follow answers closely. The loop backs off when it
 * does not pay: where less than about two of three waits end within limit_ns
 * it sleeps, and tries again now and then. A loop in which nothing happens
 * takes no time, and a turn that must not wait does not spin.
 *
 * Counts in *stats, borrowed until the loop is closed. Returns whether there
 * is anything to gain: a thread that is allowed one processor only
 * (sched_setaffinity(2)) does not spin, as nobody could send it anything
 * meanwhile. The loop looks at that again once a second.
 */
bool uxs_loop_set_spin(struct uxs_loop *loop, int64_t limit_ns,
    struct uxs_spin_stats *stats);

/*
 * From now on time the turns, counting in *stats, borrowed until the loop is
 * closed. Costs one more reading of the clock in each turn, and so nothing for
 * a message of many in a turn.
 */
void uxs_loop_measure(struct uxs_loop *loop, struct uxs_turn_stats *stats);

/* From 10 us on for 0 to 1 s for UXS_N_TURN_BOUNDS - 1. */
int64_t uxs_turn_bound_ns(int bound);

/*
 * To live in another program's loop: a descriptor that polls readable (it is
 * the epoll one, and level-triggered) for as long as uxs_loop_turn with a
 * timeout of 0 would do something: a watch is ready, a timer is due, or since
 * the last turn something was deferred or the loop was stopped. Wait for it,
 * and call uxs_loop_turn each time.
 *
 *	struct pollfd pfd = { .fd = uxs_loop_fd(&loop), .events = POLLIN };
 *
 *	while (!uxs_loop_is_stopped(&loop) && poll(&pfd, 1, -1) >= 0)
 *		uxs_loop_turn(&loop, 0);
 *
 * The first call adds a timerfd_create(2) one, and from then on a turn after which
 * another timer is the next one costs a system call more; that timer then
 * counts as a ready watch. Lent until close; never read from it. Returns a
 * negative errno where none can be made.
 */
int uxs_loop_fd(struct uxs_loop *loop);

/* The same clock, read now. */
int64_t uxs_loop_read_clock(void);

/* CLOCK_MONOTONIC as of the start of this turn, since one reading serves all;
 * outside of a turn, as of now. */
static inline int64_t
uxs_loop_now_ns(const struct uxs_loop *loop)
{
	return loop->is_in_turn ? loop->now_ns : uxs_loop_read_clock();
}

/* ---- descriptors ---- */

struct uxs_watch;

/* events as of epoll_wait(2); EPOLLERR and EPOLLHUP may come unasked. */
typedef void uxs_on_ready(struct uxs_watch *watch, uint32_t events);

struct uxs_watch {
	int fd; /* borrowed: open from start to stop */
	uint32_t events; /* private: what epoll has been told; 0 when stopped */
	uxs_on_ready *on_ready;
};

/*
 * Watch for exactly these events from now on; costs a system call only when
 * they differ from before. 0 stops the watch: the descriptor leaves epoll,
 * since a mask of 0 would go on to report EPOLLHUP, turn after turn.
 *
 * Returns 0 or a negative errno (-ENOSPC: too many watches for this user).
 */
int uxs_watch_start(struct uxs_loop *loop, struct uxs_watch *watch,
    uint32_t events);

/* Stop, also in the middle of a batch that has this watch still to come: it
 * will not be called. Stop before closing the descriptor. */
void uxs_watch_stop(struct uxs_loop *loop, struct uxs_watch *watch);

/* ---- time ---- */

struct uxs_timer;
typedef void uxs_on_expiry(struct uxs_timer *timer);

struct uxs_timer {
	uxs_on_expiry *on_expiry;
	/* private */
	int64_t deadline_ns; /* absolute, CLOCK_MONOTONIC; 0 when stopped */
	bool is_lazy; /* it waits for a turn that comes anyway */
	RB_ENTRY(uxs_timer) node;
};

/* (Re)start: call on_expiry once, at or soon after deadline_ns (over 0); from
 * within an on_expiry in the next turn at the earliest. */
void uxs_timer_start(struct uxs_loop *loop, struct uxs_timer *timer,
    int64_t deadline_ns);
void uxs_timer_stop(struct uxs_loop *loop, struct uxs_timer *timer);

/* The same, but for it alone nobody is woken up: on_expiry is called in the
 * first turn after deadline_ns that comes about for another reason, if one
 * does. For what only shows what other turns have done. */
void uxs_timer_start_lazily(struct uxs_loop *loop, struct uxs_timer *timer,
    int64_t deadline_ns);

/* Is it still to come? */
static inline bool
uxs_timer_is_started(const struct uxs_timer *timer)
{
	return timer->deadline_ns != 0;
}

/* ---- after this turn ---- */

struct uxs_deferred;
typedef void uxs_on_turn_end(struct uxs_deferred *deferred);

struct uxs_deferred {
	uxs_on_turn_end *on_turn_end;
	/* private */
	SLIST_ENTRY(uxs_deferred) next;
};

/* Call once at the end of this turn, when nothing of the batch can refer to
 * the owner any more: the place to free it. */
void uxs_loop_defer(struct uxs_loop *loop, struct uxs_deferred *deferred);

/* ---- signals ---- */

struct uxs_signals;
typedef void uxs_on_signal(struct uxs_signals *signals, int number);

struct uxs_signals {
	uxs_on_signal *on_signal;
	/* private */
	struct uxs_watch watch;
	struct uxs_loop *loop;
	sigset_t mask_before;
};

/*
 * Turn these signals into events of the loop, through signalfd(2): no code
 * ever runs in a handler. Blocks them in the calling thread; stop gives the
 * mask back. Returns 0 or a negative errno.
 */
int uxs_signals_start(struct uxs_loop *loop, struct uxs_signals *signals,
    const sigset_t *set);
void uxs_signals_stop(struct uxs_signals *signals);

__END_DECLS

#endif
