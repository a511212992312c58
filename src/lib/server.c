/* SPDX-License-Identifier: ISC */
/*
 * Everything together: doors let clients in, sessions and mailboxes serve
 * them, the ledger counts them; here it is opened, drained and closed.
 */
#include <uxsrv/server.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/ledger.h>

#include "door.h"
#include "reaper.h"
#include "shortage.h"

/* Reads of 256 KiB are the fastest; a batch of datagrams may take more. The
 * kernel gives memory only for what is used of it. */
#define READ_BUFFER_BYTES ((size_t)256 * 1024)
#define BATCH_BUFFER_BYTES ((size_t)4 * 1024 * 1024)

enum server_state { SERVER_SERVING, SERVER_DRAINING, SERVER_STOPPED };

struct uxs_server {
	struct uxs_server_conf conf;
	struct uxs_access default_access;
	enum server_state state;
	struct uxs_loop loop;
	struct uxs_signals signals;
	bool has_signals;
	struct uxs_stats stats;
	struct uxs_ledger ledger;
	struct session_context sessions;
	struct mailbox_context mailboxes;
	struct door_context door_context;
	struct shortage shortage;
	struct reaper *reaper; /* NULL where the kernel refuses descriptors */
	struct uxs_timer drain_timer;
	char *buffer; /* page-aligned: copies from there cost half as much */
	size_t buffer_size;
	size_t n_doors;
	struct door doors[];
};

static void
say(struct uxs_server *s, enum uxs_level level, const char *text)
{
	uxs_log_print(s->conf.log, level, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(&s->loop), "%s", text);
}

/* ---- the end ---- */

static void
stop_if_drained(struct uxs_server *s)
{
	if (s->state != SERVER_DRAINING || !LIST_EMPTY(&s->sessions.sessions))
		return;
	for (size_t i = 0; i < s->n_doors; i++) {
		if (!s->doors[i].has_ended)
			return;
	}
	uxs_loop_stop(&s->loop);
}

static void
close_sessions(struct uxs_server *s)
{
	struct session *session;

	while ((session = LIST_FIRST(&s->sessions.sessions)) != NULL)
		session_close(session, UXS_CLOSE_DRAIN);
}

static void
on_drain_over(struct uxs_timer *timer)
{
	struct uxs_server *s =
	    uxs_container_of(timer, struct uxs_server, drain_timer);

	say(s, UXS_WARNING,
	    "the drain time is over; closing the sessions that are left");
	uxs_server_stop(s);
}

void
uxs_server_drain(struct uxs_server *s)
{
	struct session *session;

	if (s->state != SERVER_SERVING)
		return;
	s->state = SERVER_DRAINING;
	s->sessions.is_draining = true;
	say(s, UXS_NOTICE, "draining: no new clients");
	uxs_timer_start(&s->loop, &s->drain_timer,
	    uxs_loop_now_ns(&s->loop) + s->conf.drain_ns);
	for (size_t i = 0; i < s->n_doors; i++)
		door_drain(&s->doors[i]);
	LIST_FOREACH (session, &s->sessions.sessions, next)
		session_drain(session);
	stop_if_drained(s);
}

void
uxs_server_stop(struct uxs_server *s)
{
	s->state = SERVER_STOPPED;
	uxs_loop_stop(&s->loop);
}

/* ---- what doors and sessions tell ---- */

static struct uxs_server *
server_of(struct door_context *context)
{
	return uxs_container_of(context, struct uxs_server, door_context);
}

static void
resume_doors(struct uxs_server *s)
{
	for (size_t i = 0; i < s->n_doors; i++) {
		if (door_resume(&s->doors[i]) < 0)
			shortage_pause(&s->shortage);
	}
}

static void
on_pause_over(struct uxs_timer *timer)
{
	resume_doors(uxs_container_of(timer, struct uxs_server,
	    shortage.timer));
}

/* What mailboxes hold to save time is worth less than a client. */
static void
on_door_short(struct door_context *context)
{
	struct uxs_server *s = server_of(context);

	for (size_t i = 0; i < s->n_doors; i++)
		mailbox_trim(&s->doors[i].mailbox);
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
	    uxs_loop_now_ns(&s->loop), "cannot accept: %s", strerror(-r));
	uxs_server_drain(s);
}

static void
on_session_closed(struct session_context *context,
    const struct session *session)
{
	struct uxs_server *s =
	    uxs_container_of(context, struct uxs_server, sessions);

	uxs_ledger_leave(&s->ledger, session->client.peer.uid);
	door_log(&s->door_context, UXS_INFO, UXS_EVENT_SESSION,
	    session->client.type, "closed", uxs_close_name(session->reason),
	    &session->client.peer);
	if (shortage_left(&s->shortage))
		resume_doors(s);
	stop_if_drained(s);
}

/* ---- signals ---- */

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct uxs_server *s =
	    uxs_container_of(signals, struct uxs_server, signals);

	if (number != SIGTERM && number != SIGINT) {
		s->conf.on_signal(number, s->conf.arg);
	} else if (s->state == SERVER_SERVING) {
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
	if ((r = uxs_signals_start(&s->loop, &s->signals, &set)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot receive signals: %s", strerror(-r));
	s->has_signals = true;
	return 0;
}

/* ---- opening ---- */

static void
on_directory_warning(void *arg, const char *text)
{
	say(arg, UXS_WARNING, text);
}

/* Only where the kernel leaves it to us to get rid of passed descriptors. */
static int
start_reaper(struct uxs_server *s, struct uxs_error *why)
{
	bool is_needed = false;
	int r;

	for (size_t i = 0; i < s->n_doors; i++)
		is_needed |= !s->doors[i].listener.refuses_descriptors;
	if (is_needed && (r = reaper_open(&s->reaper)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot start the thread that closes descriptors: %s",
		    strerror(-r));
	s->sessions.reaper = s->mailboxes.reaper = s->door_context.reaper =
	    s->reaper;
	return 0;
}

/* All names first, then all clients: nobody is let in to a server that cannot
 * open the rest of its addresses. */
static int
open_doors(struct uxs_server *s, struct uxs_error *why)
{
	struct uxs_listener_conf conf = {
		.mode = s->conf.mode,
		.owner_uid = s->conf.owner_uid,
		.owner_gid = s->conf.owner_gid,
		.force_dir = s->conf.force_dir,
		.on_warning = on_directory_warning,
		.arg = s,
	};
	int r;

	for (; s->n_doors < s->conf.n_addresses; s->n_doors++) {
		conf.address = &s->conf.addresses[s->n_doors];
		r = uxs_listener_open(&s->doors[s->n_doors].listener, &conf,
		    why);
		if (r < 0)
			return r;
	}
	if ((r = start_reaper(s, why)) < 0)
		return r;
	for (size_t i = 0; i < s->n_doors; i++) {
		if ((r = door_start(&s->doors[i], &s->door_context, why)) < 0)
			return r;
	}
	return 0;
}

static int
map_buffer(struct uxs_server *s, struct uxs_error *why)
{
	const size_t max = s->conf.max_message_bytes;
	void *buffer;

	s->buffer_size = max > BATCH_BUFFER_BYTES ? max : BATCH_BUFFER_BYTES;
	buffer = mmap(NULL, s->buffer_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "no memory for messages of %zu bytes: %s", max,
		    strerror(errno));
	s->buffer = buffer;
	return 0;
}

static void
fill_contexts(struct uxs_server *s)
{
	s->sessions = (struct session_context){
		.loop = &s->loop,
		.service = s->conf.service,
		.ledger = &s->ledger,
		.stats = &s->stats,
		.buffer = s->buffer,
		.buffer_size = READ_BUFFER_BYTES,
		.max_output = s->conf.buffer_bytes,
		.max_message = s->conf.max_message_bytes,
		.idle_timeout_ns = s->conf.idle_timeout_ns,
		.write_timeout_ns = s->conf.write_timeout_ns,
		.on_closed = on_session_closed,
	};
	LIST_INIT(&s->sessions.sessions);
	s->mailboxes = (struct mailbox_context){
		.loop = &s->loop,
		.service = s->conf.service,
		.access = s->conf.access,
		.ledger = &s->ledger,
		.stats = &s->stats,
		.log = s->conf.log,
		.buffer = s->buffer,
		.buffer_size = s->buffer_size,
		.max_message = s->conf.max_message_bytes,
	};
	s->door_context = (struct door_context){
		.loop = &s->loop,
		.access = s->conf.access,
		.ledger = &s->ledger,
		.stats = &s->stats,
		.log = s->conf.log,
		.sessions = &s->sessions,
		.mailboxes = &s->mailboxes,
		.shortage = &s->shortage,
		.backlog = s->conf.backlog,
		.on_short = on_door_short,
		.on_ended = on_door_ended,
		.on_broken = on_door_broken,
	};
}

static int
open_all(struct uxs_server *s, struct uxs_error *why)
{
	int r;

	/* Read once, now: later this process may be confined. */
	uxs_overflow_uid();
	uxs_overflow_gid();
	if ((r = uxs_loop_open(&s->loop)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot make an event loop: %s", strerror(-r));
	shortage_open(&s->shortage, &s->loop);
	uxs_ledger_init(&s->ledger,
	    &(struct uxs_limits){
		.max_conns = s->conf.max_conns,
		.max_conns_per_user = s->conf.max_conns_per_user,
		.max_bytes_per_user = s->conf.max_bytes_per_user,
		.max_rate = s->conf.max_rate,
	    });
	/* Before the sockets: a signal that comes early must find somebody to
	 * remove them. */
	if ((r = start_signals(s, why)) < 0 || (r = map_buffer(s, why)) < 0)
		return r;
	fill_contexts(s);
	return open_doors(s, why);
}

/* Everything closed, so that uxs_server_close can follow at any stage. */
static struct uxs_server *
new_server(const struct uxs_server_conf *conf)
{
	struct uxs_server *s =
	    calloc(1, sizeof(*s) + conf->n_addresses * sizeof(s->doors[0]));

	if (s == NULL)
		return NULL;
	s->conf = *conf;
	uxs_server_conf_resolve(&s->conf);
	s->default_access = (struct uxs_access)UXS_ACCESS_EMPTY(geteuid());
	if (s->conf.access == NULL)
		s->conf.access = &s->default_access;
	s->loop = (struct uxs_loop)UXS_LOOP_CLOSED;
	s->shortage = (struct shortage)SHORTAGE_NONE;
	s->shortage.timer.on_expiry = on_pause_over;
	s->drain_timer.on_expiry = on_drain_over;
	for (size_t i = 0; i < conf->n_addresses; i++)
		s->doors[i].listener = (struct uxs_listener)UXS_LISTENER_CLOSED;
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

	conf.access = access != NULL ? access : &s->default_access;
	if ((r = uxs_server_conf_check(&conf, why)) < 0)
		return r;
	s->conf.access = conf.access;
	s->mailboxes.access = conf.access;
	door_set_access(&s->door_context, conf.access);
	return 0;
}

int
uxs_server_run(struct uxs_server *s)
{
	const int r = uxs_loop_run(&s->loop);

	/* Who is cut off is counted before anybody reads the figures. */
	close_sessions(s);
	return r;
}

struct uxs_loop *
uxs_server_loop(struct uxs_server *s)
{
	return &s->loop;
}

const struct uxs_stats *
uxs_server_stats(const struct uxs_server *s)
{
	return &s->stats;
}

void
uxs_server_close(struct uxs_server **server)
{
	struct uxs_server *s = *server;

	if (s == NULL)
		return;
	*server = NULL;
	s->state = SERVER_STOPPED;
	close_sessions(s);
	shortage_close(&s->shortage);
	for (size_t i = 0; i < s->conf.n_addresses; i++)
		door_close(&s->doors[i]);
	reaper_close(&s->reaper);
	if (s->has_signals)
		uxs_signals_stop(&s->signals);
	uxs_loop_close(&s->loop);
	uxs_ledger_fini(&s->ledger);
	if (s->buffer != NULL)
		munmap(s->buffer, s->buffer_size);
	free(s);
}
