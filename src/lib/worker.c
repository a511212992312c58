/* SPDX-License-Identifier: ISC */
/* A loop and its sessions; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/server.h>

#include "counter.h"
#include "sysret.h"
#include "thread.h"
#include "wait.h"
#include "worker_sessions.h"

/* Reads of 256 KiB are the fastest; a batch of datagrams may take more. The
 * kernel gives memory only for what is used of it. */
#define READ_BUFFER_BYTES ((size_t)256 * 1024)
#define BATCH_BUFFER_BYTES ((size_t)4 * 1024 * 1024)

static int
map_buffer(struct worker *w, size_t max_message, struct uxs_error *why)
{
	void *buffer;

	w->buffer_size = max_message > BATCH_BUFFER_BYTES ? max_message :
							    BATCH_BUFFER_BYTES;
	buffer = mmap(NULL, w->buffer_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "no memory for messages of %zu bytes: %s", max_message,
		    strerror(errno));
	w->buffer = buffer;
	return 0;
}

/* ---- the inbox ---- */

static void
wake_locked(struct worker *w)
{
	if (w->is_woken || w->wake_fd < 0)
		return;
	w->is_woken = true;
	eventfd_write(w->wake_fd, 1);
}

void
worker_wake(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
}

static void
take_inbox(struct worker *w, struct worker_inbox *inbox)
{
	eventfd_t count;

	LIST_INIT(&inbox->sessions);
	LIST_INIT(&inbox->moved);
	pthread_mutex_lock(&w->mutex);
	if (w->is_woken)
		eventfd_read(w->wake_fd, &count);
	w->is_woken = false;
	inbox->access = w->inbox.access;
	inbox->wants_drain = w->inbox.wants_drain;
	inbox->wants_leave = w->inbox.wants_leave;
	inbox->wants_stop = w->inbox.wants_stop;
	inbox->move = w->inbox.move;
	LIST_SWAP(&inbox->sessions, &w->inbox.sessions, session, next);
	LIST_SWAP(&inbox->moved, &w->inbox.moved, session, next);
	w->inbox = (struct worker_inbox){ .access = NULL };
	pthread_mutex_unlock(&w->mutex);
}

/* These alone, without a look at what else there is: whoever woke us up is
 * still to be heard. */
static void
join_moved(struct worker *w)
{
	struct sessions moved = LIST_HEAD_INITIALIZER(moved);

	pthread_mutex_lock(&w->mutex);
	LIST_SWAP(&moved, &w->inbox.moved, session, next);
	pthread_mutex_unlock(&w->mutex);
	worker_sessions_join(w, &moved);
}

static void
has_judged(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	w->is_judged = true;
	pthread_cond_signal(&w->judged);
	pthread_mutex_unlock(&w->mutex);
}

/* Sessions first: who asked for anything else asked it for them too. */
static void
read_inbox(struct worker *w)
{
	struct worker_inbox inbox;

	take_inbox(w, &inbox);
	worker_sessions_begin(w, &inbox.sessions);
	worker_sessions_join(w, &inbox.moved);
	if (inbox.access != NULL) {
		worker_sessions_judge(w, inbox.access);
		has_judged(w);
	}
	if (inbox.wants_drain)
		worker_sessions_drain(w);
	if (inbox.move.to != NULL)
		worker_sessions_move(w, &inbox.move);
	w->is_leaving |= inbox.wants_leave;
	if (inbox.wants_drain || inbox.wants_leave)
		w->on_left(w); /* where there is nobody to leave */
	if (inbox.wants_stop)
		uxs_loop_stop(&w->loop);
}

static void
on_wake_ready(struct uxs_watch *watch, uint32_t events)
{
	struct worker *w = uxs_container_of(watch, struct worker, wake);

	read_inbox(w);
	if (w->on_wake != NULL)
		w->on_wake(w);
}

/* ---- the thread ---- */

static void *
run(void *arg)
{
	struct worker *w = arg;
	const int r = uxs_loop_run(&w->loop);

	pthread_mutex_lock(&w->mutex);
	w->result = r;
	w->has_ended = true; /* and will judge nobody */
	pthread_cond_signal(&w->judged);
	pthread_mutex_unlock(&w->mutex);
	if (r < 0)
		w->on_failed(w);
	return NULL;
}

int
worker_listen(struct worker *w)
{
	int r;

	if (w->wake_fd >= 0)
		return 0;
	if ((r = sysret(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) < 0)
		return r;
	w->wake_fd = r;
	w->wake = (struct uxs_watch){ .fd = r, .on_ready = on_wake_ready };
	return uxs_watch_start(&w->loop, &w->wake, EPOLLIN);
}

int
worker_start(struct worker *w, unsigned number)
{
	char name[16];
	int r;

	if ((r = worker_listen(w)) < 0)
		return r;
	snprintf(name, sizeof(name), "loop-%u", number);
	w->has_ended = false;
	r = thread_start(&w->thread, name, run, w);
	w->has_thread = r == 0;
	return r;
}

int
worker_stop(struct worker *w)
{
	if (!w->has_thread)
		return 0;
	pthread_mutex_lock(&w->mutex);
	w->inbox.wants_stop = true;
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
	w->inbox.move.to = NULL; /* he may have ended before */
	return w->result;
}

bool
worker_has_failed(struct worker *w)
{
	bool has_failed;

	pthread_mutex_lock(&w->mutex);
	has_failed = w->has_ended && w->result < 0;
	pthread_mutex_unlock(&w->mutex);
	return has_failed;
}

/* ---- the owner's side ---- */

static int
admit_here(struct worker *w, struct session *session)
{
	const int r = session_begin(session);

	if (r < 0) {
		counter_take(&w->n_admitted, 1);
		session_free(session);
	}
	return r;
}

static int
hand_over(struct worker *w, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	int r;

	counter_add(&w->n_admitted, 1);
	if ((r = takeover_begin(&w->sessions, &w->takeovers, fd, peer, type)) <
	    0)
		counter_take(&w->n_admitted, 1);
	return r;
}

int
worker_admit(struct worker *w, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	struct session *session;

	if (w->sessions.service->on_connection != NULL)
		return hand_over(w, fd, peer, type);
	if ((session = session_new(&w->sessions, fd, peer, type)) == NULL)
		return -ENOMEM;
	/* First of all: it may be over before this returns. */
	counter_add(&w->n_admitted, 1);
	if (!w->has_thread)
		return admit_here(w, session);
	pthread_mutex_lock(&w->mutex);
	LIST_INSERT_HEAD(&w->inbox.sessions, session, next);
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
	return 0;
}

uint64_t
worker_load(const struct worker *w)
{
	return __atomic_load_n(&w->n_admitted, __ATOMIC_RELAXED) +
	    __atomic_load_n(&w->n_moved_in, __ATOMIC_RELAXED) -
	    __atomic_load_n(&w->n_moved_out, __ATOMIC_RELAXED) -
	    __atomic_load_n(&w->n_left, __ATOMIC_RELAXED);
}

void
worker_move(struct worker *w, const struct worker_move *move)
{
	if (!w->has_thread) {
		worker_sessions_move(w, move);
		return;
	}
	pthread_mutex_lock(&w->mutex);
	w->inbox.move = *move;
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
}

void
worker_receive(struct worker *w, struct sessions *sessions, uint64_t n)
{
	struct session *session;

	__atomic_add_fetch(&w->n_moved_in, n, __ATOMIC_RELAXED);
	pthread_mutex_lock(&w->mutex);
	while ((session = LIST_FIRST(sessions)) != NULL) {
		LIST_REMOVE(session, next);
		LIST_INSERT_HEAD(&w->inbox.moved, session, next);
	}
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
}

void
worker_drain(struct worker *w)
{
	if (!w->has_thread) {
		worker_sessions_drain(w);
		return;
	}
	pthread_mutex_lock(&w->mutex);
	w->inbox.wants_drain = true;
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
}

void
worker_leave(struct worker *w)
{
	if (!w->has_thread) {
		w->is_leaving = true;
		return;
	}
	pthread_mutex_lock(&w->mutex);
	w->inbox.wants_leave = true;
	wake_locked(w);
	pthread_mutex_unlock(&w->mutex);
}

void
worker_judge(struct worker *w, const struct uxs_access *const *access)
{
	if (!w->has_thread) {
		join_moved(w);
		worker_sessions_judge(w, access);
		return;
	}
	pthread_mutex_lock(&w->mutex);
	w->is_judged = false;
	w->inbox.access = access;
	wake_locked(w);
	while (!w->is_judged && !w->has_ended)
		pthread_cond_wait(&w->judged, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

/* ---- life ---- */

int
worker_open(struct worker *w, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, struct uxs_error *why)
{
	int r;

	w->wake_fd = -1;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->judged, NULL);
	LIST_INIT(&w->inbox.sessions);
	LIST_INIT(&w->inbox.moved);
	LIST_INIT(&w->sessions.sessions);
	LIST_INIT(&w->takeovers);
	if ((r = uxs_loop_open(&w->loop)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot make an event loop: %s", strerror(-r));
	if (conf->n_threads > 1)
		wait_beside_others(&w->loop, true);
	if ((r = map_buffer(w, conf->max_message_bytes, why)) < 0)
		return r;
	if (conf->is_measured || conf->n_threads > 1)
		uxs_loop_measure(&w->loop, &w->stats.turns);
	w->sessions = (struct session_context){
		.loop = &w->loop,
		.service = conf->service,
		.ledger = ledger,
		.stats = &w->stats,
		.log = conf->log,
		.buffer = w->buffer,
		.buffer_size = READ_BUFFER_BYTES,
		.max_output = conf->buffer_bytes,
		.max_message = conf->max_message_bytes,
		.framing = conf->framing,
		.fates = conf->fates,
		.idle_timeout_ns = conf->idle_timeout_ns,
		.write_timeout_ns = conf->write_timeout_ns,
		.on_closed = worker_sessions_closed,
	};
	return 0;
}

void
worker_close_sessions(struct worker *w)
{
	struct session *session;

	read_inbox(w);
	while ((session = LIST_FIRST(&w->sessions.sessions)) != NULL)
		session_close(session, UXS_CLOSE_DRAIN);
	takeovers_close(&w->takeovers);
}

void
worker_close(struct worker *w)
{
	relay_close(&w->sessions.relay);
	if (w->wake_fd >= 0) {
		uxs_watch_stop(&w->loop, &w->wake);
		close(w->wake_fd);
	}
	w->wake_fd = -1;
	uxs_loop_close(&w->loop);
	if (w->buffer != NULL)
		munmap(w->buffer, w->buffer_size);
	w->buffer = NULL;
	pthread_cond_destroy(&w->judged);
	pthread_mutex_destroy(&w->mutex);
}
