/* SPDX-License-Identifier: ISC */
/*
 * Everything together: doors let clients in, sessions and mailboxes serve
 * them, the ledger counts them; here it is opened, drained and closed.
 */
#include <uxsrv/server.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/handover.h>
#include <uxsrv/ledger.h>
#include <uxsrv/notify.h>

#include "crew.h"
#include "doors.h"
#include "outbox.h"
#include "server_conf.h"

/*
 *	SERVING ──► DRAINING ──► STOPPED
 *	   └─► LEAVING ─┘
 *
 * Who leaves lets nobody in, as a successor does, and his sessions go on; who
 * drains asks them to end.
 */
enum server_state {
	SERVER_SERVING,
	SERVER_LEAVING,
	SERVER_DRAINING,
	SERVER_STOPPED,
};

struct uxs_server {
	struct uxs_server_conf conf;
	struct uxs_access default_access;
	enum server_state state;
	struct uxs_signals signals;
	bool has_signals;
	bool is_ready_told;
	bool is_lost;
	struct uxs_error lost_why;
	struct uxs_ledger ledger;
	struct doors doors;
	struct uxs_timer drain_timer;
	/* The first one's loop has the doors, the signals and the timer. */
	struct crew crew;
	pthread_t thread; /* of that loop */
	/* What other threads ask of it. */
	atomic_bool is_drain_wanted, is_stop_wanted;
};

static struct uxs_loop *
loop_of(struct uxs_server *s)
{
	return &crew_first(&s->crew)->loop;
}

static void
say(struct uxs_server *s, enum uxs_level level, const char *text)
{
	uxs_log_print(s->conf.log, level, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(loop_of(s)), "%s", text);
}

/* ---- the end ---- */

static void
stop_if_drained(struct uxs_server *s)
{
	if ((s->state == SERVER_DRAINING || s->state == SERVER_LEAVING) &&
	    doors_have_ended(&s->doors) && crew_is_idle(&s->crew))
		uxs_loop_stop(loop_of(s));
}

/* Who is cut off is counted before anybody reads the figures. Returns 0, or a
 * negative errno where a loop in another thread had failed. */
static int
end(struct uxs_server *s)
{
	const int r = crew_stop(&s->crew);

	crew_close_sessions(&s->crew);
	return r;
}

/* From another thread it is a wish; that loop is told. */
static bool
is_elsewhere(const struct uxs_server *s)
{
	return s->crew.n > 1 && !pthread_equal(s->thread, pthread_self());
}

static void
on_drain_over(struct uxs_timer *timer)
{
	struct uxs_server *s =
	    uxs_container_of(timer, struct uxs_server, drain_timer);

	if (s->state == SERVER_LEAVING) {
		uxs_server_drain(s);
		return;
	}
	say(s, UXS_WARNING,
	    "the drain time is over; closing the sessions that are left");
	uxs_server_stop(s);
}

static void
start_drain_timer(struct uxs_server *s)
{
	uxs_timer_start(loop_of(s), &s->drain_timer,
	    uxs_loop_now_ns(loop_of(s)) + s->conf.drain_ns);
}

void
uxs_server_drain(struct uxs_server *s)
{
	if (is_elsewhere(s)) {
		s->is_drain_wanted = true;
		worker_wake(crew_first(&s->crew));
		return;
	}
	if (s->state != SERVER_SERVING && s->state != SERVER_LEAVING)
		return;
	s->state = SERVER_DRAINING;
	if (s->conf.notify != NULL)
		uxs_notify_send(s->conf.notify, "STOPPING=1");
	say(s, UXS_NOTICE, "draining: no new clients");
	start_drain_timer(s);
	doors_drain(&s->doors);
	crew_drain(&s->crew);
	stop_if_drained(s);
}

int
uxs_server_leave(struct uxs_server *s, const bool *is_taken)
{
	if (s->state != SERVER_SERVING)
		return -EALREADY;
	s->state = SERVER_LEAVING;
	if (s->conf.notify != NULL)
		uxs_notify_stop(s->conf.notify);
	s->conf.notify = NULL;
	start_drain_timer(s);
	doors_leave(&s->doors, is_taken);
	crew_leave(&s->crew);
	stop_if_drained(s);
	return 0;
}

int
uxs_server_hand_out(const struct uxs_server *s, struct uxs_handover *handover,
    struct uxs_error *why)
{
	const int r = doors_hand_out(&s->doors, &s->conf, handover);

	if (r == 0)
		return 0;
	uxs_handover_close(handover);
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
	    "cannot hand out the sockets: %s", strerror(-r));
}

void
uxs_server_stop(struct uxs_server *s)
{
	if (is_elsewhere(s)) {
		s->is_stop_wanted = true;
		worker_wake(crew_first(&s->crew));
		return;
	}
	s->state = SERVER_STOPPED;
	uxs_loop_stop(loop_of(s));
}

/* ---- what doors and sessions tell ---- */

static struct uxs_server *
server_of(struct door_context *context)
{
	return uxs_container_of(context, struct uxs_server, doors.context);
}

static void
on_door_ended(struct door_context *context)
{
	stop_if_drained(server_of(context));
}

/* A listening socket that fails is not a client's doing: stop in order. */
static void
on_door_broken(struct door_context *context, int r)
{
	struct uxs_server *s = server_of(context);

	uxs_log_print(s->conf.log, UXS_ERROR, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(loop_of(s)), "cannot accept: %s", strerror(-r));
	uxs_server_drain(s);
}

/* Perhaps somebody else is to have the address now. */
static void
on_lost(struct door_context *context, const struct uxs_error *why)
{
	struct uxs_server *s = server_of(context);

	s->is_lost = true;
	s->lost_why = *why;
	uxs_server_drain(s);
}

static void
on_someone_left(struct uxs_server *s)
{
	doors_left(&s->doors);
	stop_if_drained(s);
}

/* In the thread of that loop. Another is told only when it waits for it. */
static void
on_left(struct worker *w)
{
	struct uxs_server *s = w->arg;

	if (w == crew_first(&s->crew))
		on_someone_left(s);
	else if (doors_are_short(&s->doors) ||
	    ((w->sessions.is_draining || w->is_leaving) && worker_load(w) == 0))
		worker_wake(crew_first(&s->crew));
}

static void
on_loop_failed(struct worker *w)
{
	struct uxs_server *s = w->arg;

	worker_wake(crew_first(&s->crew));
}

/* Somebody in another thread has news, or a wish. */
static void
on_wake(struct worker *w)
{
	struct uxs_server *s = w->arg;

	if (s->is_stop_wanted || crew_has_failed(&s->crew))
		uxs_server_stop(s);
	else if (s->is_drain_wanted)
		uxs_server_drain(s);
	on_someone_left(s);
}

static int
on_admitted(struct door_context *context, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	return crew_admit(&server_of(context)->crew, fd, peer, type);
}

/* ---- signals ---- */

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct uxs_server *s =
	    uxs_container_of(signals, struct uxs_server, signals);

	if (number != SIGTERM && number != SIGINT) {
		s->conf.on_signal(number, s->conf.arg);
	} else if (s->state == SERVER_SERVING || s->state == SERVER_LEAVING) {
		uxs_server_drain(s);
	} else {
		say(s, UXS_NOTICE, "told twice: stopping at once");
		uxs_server_stop(s);
	}
}

static int
start_signals(struct uxs_server *s, struct uxs_error *why)
{
	sigset_t set;
	int r;

	if (!s->conf.handle_signals)
		return 0;
	if (s->conf.extra_signals != NULL && s->conf.on_signal != NULL)
		set = *s->conf.extra_signals;
	else
		sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	s->signals.on_signal = on_signal;
	if ((r = uxs_signals_start(loop_of(s), &s->signals, &set)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot receive signals: %s", strerror(-r));
	s->has_signals = true;
	return 0;
}

/* ---- opening ---- */

static void
start_spinning(struct uxs_server *s)
{
	bool can_spin = true;

	for (size_t i = 0; i < s->crew.n && s->conf.spin_ns > 0; i++) {
		struct worker *w = &s->crew.workers[i];

		can_spin &= uxs_loop_set_spin(&w->loop, s->conf.spin_ns,
		    &w->stats.spin);
	}
	if (!can_spin)
		say(s, UXS_NOTICE,
		    "one processor is allowed, so waits are slept, not spun");
}

static int
open_crew(struct uxs_server *s, struct uxs_error *why)
{
	const struct crew_owner owner = {
		.on_left = on_left,
		.on_wake = on_wake,
		.on_failed = on_loop_failed,
		.arg = s,
	};
	int r;

	if (s->conf.n_threads > 1)
		uxs_ledger_share(&s->ledger);
	r = crew_open(&s->crew, &s->conf, &s->ledger, &owner, why);
	if (r == 0)
		start_spinning(s);
	return r;
}

static int
open_all(struct uxs_server *s, struct uxs_error *why)
{
	int r;

	/* Read once, now: later this process may be confined. */
	uxs_overflow_uid();
	uxs_overflow_gid();
	outbox_queue_length();
	uxs_ledger_init(&s->ledger,
	    &(struct uxs_limits){
		.max_conns = s->conf.max_conns,
		.max_conns_per_user = s->conf.max_conns_per_user,
		.max_bytes_per_user = s->conf.max_bytes_per_user,
		.max_rate = s->conf.max_rate,
	    });
	/* Signals before the sockets: one that comes early must find somebody
	 * to remove them. */
	if ((r = open_crew(s, why)) < 0 || (r = start_signals(s, why)) < 0)
		return r;
	s->doors.context.on_admitted = on_admitted;
	s->doors.context.on_ended = on_door_ended;
	s->doors.context.on_lost = on_lost;
	s->doors.context.on_broken = on_door_broken;
	if (s->conf.is_measured)
		doors_measure(&s->doors);
	r = doors_open(&s->doors, &s->conf, crew_first(&s->crew), &s->ledger,
	    why);
	for (size_t i = 0; i < s->crew.n; i++)
		s->crew.workers[i].sessions.reaper = s->doors.reaper;
	return r;
}

/* Everything closed, so that uxs_server_close can follow at any stage. */
static struct uxs_server *
new_server(const struct uxs_server_conf *conf)
{
	struct uxs_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->conf = *conf;
	uxs_server_conf_resolve(&s->conf);
	s->default_access = (struct uxs_access)UXS_ACCESS_EMPTY(geteuid());
	if (s->conf.access == NULL)
		s->conf.access = &s->default_access;
	s->doors = (struct doors)DOORS_CLOSED;
	s->drain_timer.on_expiry = on_drain_over;
	s->thread = pthread_self();
	return s;
}

int
uxs_server_open(struct uxs_server **server, const struct uxs_server_conf *conf,
    struct uxs_error *why)
{
	struct uxs_server *s;
	int r;

	*server = NULL;
	if ((r = uxs_server_conf_check(conf, why)) < 0)
		return r;
	if ((s = new_server(conf)) == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the server");
	if ((r = open_all(s, why)) < 0)
		uxs_server_close(&s);
	*server = s;
	return r;
}

int
uxs_server_set_access(struct uxs_server *s, const struct uxs_access *access,
    struct uxs_error *why)
{
	struct uxs_server_conf conf = s->conf;
	int r;

	if (is_elsewhere(s))
		return uxs_error_set(why, UXS_FAILURE_USAGE, EPERM,
		    "rules can be set in the thread of the server only");
	conf.access = access != NULL ? access : &s->default_access;
	if ((r = server_conf_check_rules(&conf, why)) < 0)
		return r;
	s->conf.access = conf.access;
	doors_set_access(&s->doors, conf.access);
	crew_judge(&s->crew, &s->conf.access);
	return 0;
}

/* Clients can connect since open: now is the moment that the manager waits for,
 * when the caller has done all that he wanted to do first. */
static void
tell_ready(struct uxs_server *s)
{
	int r;

	if (s->conf.notify == NULL || s->state != SERVER_SERVING ||
	    s->is_ready_told)
		return;
	s->is_ready_told = true;
	uxs_notify_start(s->conf.notify, loop_of(s));
	r = uxs_notify_send(s->conf.notify, "READY=1\nMAINPID=%ld",
	    (long)getpid());
	if (r < 0)
		uxs_log_print(s->conf.log, UXS_WARNING, UXS_EVENT_LIFE,
		    uxs_loop_now_ns(loop_of(s)),
		    "cannot tell the service manager (NOTIFY_SOCKET): %s",
		    strerror(-r));
}

/* Whoever had the sockets before has left them. */
static void
own_doors(struct uxs_server *s)
{
	const int r = doors_own(&s->doors);

	if (r < 0)
		uxs_log_print(s->conf.log, UXS_WARNING, UXS_EVENT_LIFE,
		    uxs_loop_now_ns(loop_of(s)),
		    "cannot make all that was handed over our own: %s",
		    strerror(-r));
}

int
uxs_server_start(struct uxs_server *s, struct uxs_error *why)
{
	if (s->crew.n_running < s->crew.n)
		s->thread = pthread_self();
	return crew_start(&s->crew, why);
}

int
uxs_server_run(struct uxs_server *s)
{
	int r, result;

	if ((r = uxs_server_start(s, NULL)) < 0)
		return r;
	own_doors(s);
	tell_ready(s);
	result = uxs_loop_run(loop_of(s));
	r = end(s);
	return result < 0 ? result : r;
}

int
uxs_server_fd(struct uxs_server *s)
{
	const int fd = uxs_loop_fd(loop_of(s));
	int r;

	if (fd < 0)
		return fd;
	if ((r = uxs_server_start(s, NULL)) < 0)
		return r;
	own_doors(s);
	tell_ready(s);
	return fd;
}

int
uxs_server_turn(struct uxs_server *s)
{
	const int result = uxs_loop_turn(loop_of(s), 0);
	int r;

	if (result >= 0 && !uxs_loop_is_stopped(loop_of(s)))
		return UXS_TURN_SERVING;
	r = end(s);
	return result < 0 ? result : r < 0 ? r : UXS_TURN_DONE;
}

struct uxs_loop *
uxs_server_loop(struct uxs_server *s)
{
	return loop_of(s);
}

void
uxs_server_stats(const struct uxs_server *s, struct uxs_stats *stats)
{
	crew_stats(&s->crew, stats);
}

size_t
uxs_server_users(struct uxs_server *s, struct uxs_account_figures *users,
    size_t max)
{
	return uxs_ledger_list(&s->ledger, users, max);
}

size_t
uxs_server_queues(const struct uxs_server *s, struct uxs_queue *queues,
    size_t max)
{
	return doors_queues(&s->doors, queues, max);
}

bool
uxs_server_is_lost(const struct uxs_server *s, struct uxs_error *why)
{
	if (s->is_lost && why != NULL)
		*why = s->lost_why;
	return s->is_lost;
}

const struct uxs_address *
uxs_server_address(const struct uxs_server *s, size_t i)
{
	return doors_address(&s->doors, i);
}

void
uxs_server_close(struct uxs_server **server)
{
	struct uxs_server *s = *server;

	if (s == NULL)
		return;
	*server = NULL;
	s->state = SERVER_STOPPED;
	end(s);
	if (s->doors.is_bound && s->conf.on_unbind != NULL)
		s->conf.on_unbind(s->conf.arg);
	doors_close(&s->doors);
	if (s->conf.notify != NULL)
		uxs_notify_stop(s->conf.notify);
	if (s->has_signals)
		uxs_signals_stop(&s->signals);
	crew_close(&s->crew);
	uxs_ledger_fini(&s->ledger);
	free(s);
}
