/* SPDX-License-Identifier: ISC */
/* A loop and its sessions; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <uxsrv/error.h>
#include <uxsrv/server.h>

#include "client.h"

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

int
worker_open(struct worker *w, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, struct uxs_error *why)
{
	int r;

	if ((r = uxs_loop_open(&w->loop)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot make an event loop: %s", strerror(-r));
	if ((r = map_buffer(w, conf->max_message_bytes, why)) < 0)
		return r;
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
		.idle_timeout_ns = conf->idle_timeout_ns,
		.write_timeout_ns = conf->write_timeout_ns,
	};
	LIST_INIT(&w->sessions.sessions);
	return 0;
}

int
worker_admit(struct worker *w, int fd, const struct uxs_peer *peer,
    enum uxs_type type)
{
	struct session *session = session_new(&w->sessions, fd, peer, type);
	int r;

	if (session == NULL)
		return -ENOMEM;
	if ((r = session_begin(session)) < 0)
		session_free(session);
	return r;
}

bool
worker_is_idle(const struct worker *w)
{
	return LIST_EMPTY(&w->sessions.sessions);
}

void
worker_drain(struct worker *w)
{
	struct session *session;

	w->sessions.is_draining = true;
	LIST_FOREACH (session, &w->sessions.sessions, next)
		session_drain(session);
}

/* Sessions stay in memory until the turn is over, and so does the way on from
 * each. */
void
worker_judge(struct worker *w, const struct uxs_access *const *access)
{
	struct session *session, *next;

	LIST_FOREACH_SAFE (session, &w->sessions.sessions, next, next) {
		if (session->state != SESSION_CLOSED &&
		    !client_is_allowed(*access, &session->client.peer,
			session->watch.fd))
			session_close(session, UXS_CLOSE_RULES);
	}
}

void
worker_close_sessions(struct worker *w)
{
	struct session *session;

	while ((session = LIST_FIRST(&w->sessions.sessions)) != NULL)
		session_close(session, UXS_CLOSE_DRAIN);
}

void
worker_close(struct worker *w)
{
	relay_close(&w->sessions.relay);
	uxs_loop_close(&w->loop);
	if (w->buffer != NULL)
		munmap(w->buffer, w->buffer_size);
	w->buffer = NULL;
}
