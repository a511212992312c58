/* SPDX-License-Identifier: ISC */
/*
 * Everything together: doors let clients in, sessions and mailboxes serve
 * them, the ledger counts them; here it is opened, run and closed.
 */
#include "server_parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/notify.h>

#include "outbox.h"
#include "server_conf.h"

void
server_say(struct uxs_server *s, enum uxs_level level, const char *text)
{
	uxs_log_print(s->conf.log, level, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(server_loop(s)), "%s", text);
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
		server_say(s, UXS_NOTICE,
		    "one processor is allowed, so waits are slept, not spun");
}

static int
open_crew(struct uxs_server *s, struct uxs_error *why)
{
	struct crew_owner owner;
	int r;

	server_listen(s, &owner);
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
	if ((r = open_crew(s, why)) < 0 ||
	    (r = server_start_signals(s, why)) < 0)
		return r;
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

	if (server_is_elsewhere(s))
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
	uxs_notify_start(s->conf.notify, server_loop(s));
	r = uxs_notify_send(s->conf.notify, "READY=1\nMAINPID=%ld",
	    (long)getpid());
	if (r < 0)
		uxs_log_print(s->conf.log, UXS_WARNING, UXS_EVENT_LIFE,
		    uxs_loop_now_ns(server_loop(s)),
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
		    uxs_loop_now_ns(server_loop(s)),
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
	result = uxs_loop_run(server_loop(s));
	r = server_end(s);
	return result < 0 ? result : r;
}

int
uxs_server_fd(struct uxs_server *s)
{
	const int fd = uxs_loop_fd(server_loop(s));
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
	const int result = uxs_loop_turn(server_loop(s), 0);
	int r;

	if (result >= 0 && !uxs_loop_is_stopped(server_loop(s)))
		return UXS_TURN_SERVING;
	r = server_end(s);
	return result < 0 ? result : r < 0 ? r : UXS_TURN_DONE;
}

struct uxs_loop *
uxs_server_loop(struct uxs_server *s)
{
	return server_loop(s);
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
	server_end(s);
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
