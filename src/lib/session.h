/* SPDX-License-Identifier: ISC */
#ifndef UXS_SESSION_H
#define UXS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uxsrv/fate.h>
#include <uxsrv/framing.h>
#include <uxsrv/ledger.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/peer.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>

#include "bulk.h"
#include "output.h"
#include "relay.h"

/*
 * One connection, from its admission to its end.
 *
 *	             the service refuses, or a message is too long
 *	   OPEN ────────────────────────────────────────────► ENDING
 *	    │ reads and answers                  throws input away │
 *	    │ end of file                              end of file │
 *	    ▼                                                      ▼
 *	 FLUSHING ◄────────────────────────────────────────────────┘
 *	    │ what is kept goes out; nothing left
 *	    ▼
 *	  CLOSED      also from every state: gone, a timeout, no memory, stop
 *
 * Where messages have fates (uxsrv/fate.h) OPEN may lead to STALLED as well, in
 * which nothing comes or goes but what is kept, until the client has gone or
 * is to end; or to FLUSHING with input that is left unread: a reset.
 *
 * Draining is no state: it shuts down the receiving side, so that the input
 * ends behind what was already received, and the picture does the rest.
 */
enum session_state {
	SESSION_OPEN,
	SESSION_STALLED,
	SESSION_ENDING,
	SESSION_FLUSHING,
	SESSION_CLOSED,
};

LIST_HEAD(sessions, session);
struct frames;
struct session_fate;
struct session;
struct reaper;

/* What all sessions of a loop share. */
struct session_context {
	struct uxs_loop *loop;
	const struct uxs_service *service;
	struct uxs_ledger *ledger; /* told what is kept for whom */
	struct uxs_stats *stats;
	struct uxs_log *log;
	char *buffer; /* every read lands here */
	size_t buffer_size;
	size_t max_output; /* unread output, before reading stops */
	size_t max_message;
	struct relay relay; /* of bulk data, empty between any two calls */
	enum uxs_framing framing; /* of streams */
	struct reaper *reaper; /* NULL: nobody can pass descriptors */
	const struct uxs_fates *fates; /* NULL: nothing goes wrong on purpose */
	uint64_t *n_fated; /* connections that were numbered for it */
	int64_t idle_timeout_ns, write_timeout_ns; /* 0: none */
	struct sessions sessions;
	bool is_draining; /* new ones are drained at once */
	/* The session's places in the ledger and in the list are free, and so
	 * is its descriptor. */
	void (*on_closed)(struct session_context *context);
};

struct session {
	struct uxs_client client; /* what the service sees */
	struct session_context *context;
	struct uxs_watch watch; /* holds the descriptor */
	struct uxs_timer timer; /* may be early: active_ns has the truth */
	struct output output;
	struct frames *frames; /* what has not become messages; NULL: nothing */
	struct session_fate *fate; /* NULL: that of all without conf.fates */
	uint32_t delayed_bytes; /* of it: what waits for its time */
	int64_t active_ns; /* last progress in either direction */
	enum session_state state : 8;
	enum uxs_close reason : 8; /* of what ENDING and FLUSHING lead to */
	struct bulk bulk;
	bool is_paused; /* nothing is looked at until the timer says so */
	bool may_end; /* packets: the client may have sent the last */
	bool is_output_gone; /* the client does not read any more */
	bool is_corked; /* replies are gathered, to be sent as one */
	bool is_cut; /* not the client has ended its input */
	bool is_reset; /* what is left unread is to be the client's error */
	LIST_ENTRY(session) next;
	struct uxs_deferred release;
};

/* A session of a connected socket, of which nobody knows yet. Returns NULL
 * when there is no memory. */
struct session *session_new(struct session_context *context, int fd,
    const struct uxs_peer *peer, enum uxs_type type);

/*
 * Begin to serve it, in the thread of its loop. The session then owns itself
 * and the socket. Returns 0, or a negative errno when it cannot be watched;
 * then it is as it was before, to be freed by session_free.
 */
int session_begin(struct session *session);

/* One that has not begun. The socket stays open. */
void session_free(struct session *session);

/*
 * To another loop, between two turns: who can is taken out of the one in its
 * thread, and put into the other in that one's, where it goes on, or is closed
 * if it cannot be watched. In between it is in no list, and nobody's.
 */
bool session_can_move(const struct session *session);
void session_leave(struct session *session);
void session_join(struct session *session, struct session_context *context);

/* Let the client send no more; what was received is still answered. */
void session_drain(struct session *session);

/* End at once. The memory lives until the turn is over. */
void session_close(struct session *session, enum uxs_close reason);

#endif
