/* SPDX-License-Identifier: ISC */
#ifndef UXS_WORKER_H
#define UXS_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <uxsrv/access.h>
#include <uxsrv/ledger.h>
#include <uxsrv/loop.h>
#include <uxsrv/stats.h>

#include "session.h"
#include "takeover.h"

struct uxs_error;
struct uxs_server_conf;

/*
 * One loop, with all that its sessions share: the buffer that every read lands
 * in, the figures, and the sessions themselves. They live and die in it.
 *
 * It may have a thread of its own. Whatever others want of it then goes into
 * its inbox, and an eventfd(2) wakes it up, once for all that has come
 * together; a message of a client never comes that way.
 *
 * A session can be moved to another worker. Then it was admitted by one and
 * leaves another: so what matters of n_admitted and n_left is their sum over
 * all of them, which is never even while a session is on its way.
 */

/* To give sessions to another. */
struct worker_move {
	struct worker *to; /* NULL: nobody */
	bool is_half; /* every other one, and not all */
};

struct worker_inbox {
	struct sessions sessions; /* not begun */
	struct sessions moved; /* begun elsewhere, to go on here */
	struct worker_move move;
	const struct uxs_access *const *access; /* to judge by; or NULL */
	bool wants_drain, wants_leave, wants_stop;
};

struct worker {
	/* A cache line is no two workers'. */
	_Alignas(64) struct uxs_loop loop;
	struct uxs_stats stats;
	struct session_context sessions; /* the owner's: reaper */
	struct takeovers takeovers; /* in place of sessions */
	char *buffer; /* page-aligned: copies from there cost half as much */
	size_t buffer_size; /* at least a longest message */
	/* The owner's, called in the thread of the loop: a session has left,
	 * or none was there to leave at a drain or worker_leave; somebody called worker_wake
	 * (optional); the loop has failed, and will not run any more. */
	void (*on_left)(struct worker *worker);
	void (*on_wake)(struct worker *worker);
	void (*on_failed)(struct worker *worker);
	void *arg;
	/* For who measures what it does: how much that was at the beginning. */
	uint64_t n_messages_then, n_moments_then, spent_ns_then;
	/* private */
	uint64_t n_admitted; /* written by who admits */
	uint64_t n_left; /* written by the loop's thread */
	uint64_t n_moved_in; /* written by whoever moves them here */
	uint64_t n_moved_out; /* written by the loop's thread */
	bool is_leaving; /* of the loop's thread */
	bool has_thread;
	pthread_t thread;
	int wake_fd; /* -1: nobody is to wake it */
	struct uxs_watch wake;
	pthread_mutex_t mutex; /* of all that follows */
	pthread_cond_t judged;
	bool is_woken, is_judged, has_ended;
	int result; /* of a loop that has ended */
	struct worker_inbox inbox;
};

/* Borrows conf for this call, and the ledger until close. worker is of zeroes.
 * Returns 0 or a negative errno with *why; then it is still to be closed. */
int worker_open(struct worker *worker, const struct uxs_server_conf *conf,
    struct uxs_ledger *ledger, struct uxs_error *why);

/* From now on it can be woken up. Returns 0 or a negative errno. */
int worker_listen(struct worker *worker);

/* Run its loop in a thread of its own, called "PROGRAM:loop-number". Returns 0
 * or a negative errno. */
int worker_start(struct worker *worker, unsigned number);

/* End that thread; its sessions stay, and are the caller's. Returns 0, or the
 * negative errno of a loop that failed. May be called without a thread. */
int worker_stop(struct worker *worker);

/* Sessions that left another worker's loop, n of them, taken out of the list.
 * From any thread. */
void worker_receive(struct worker *worker, struct sessions *sessions,
    uint64_t n);

/* Has its loop ended although nobody stopped it? */
bool worker_has_failed(struct worker *worker);

/* Have on_wake called. From any thread. */
void worker_wake(struct worker *worker);

/* ---- from the thread that owns all workers ---- */

/*
 * Serve somebody who is in the ledger. Takes fd and returns 0; or a negative
 * errno when there is no memory, or it cannot be watched. In another thread it
 * is refused there where it cannot be watched.
 */
int worker_admit(struct worker *worker, int fd, const struct uxs_peer *peer,
    enum uxs_type type);

/* What was admitted to it less what has left it, as a term of that sum. */
static inline uint64_t
worker_open_ends(const struct worker *worker)
{
	return worker->n_admitted -
	    __atomic_load_n(&worker->n_left, __ATOMIC_RELAXED);
}

/* Sessions, those on their way to it too. From its own thread as well. */
uint64_t worker_load(const struct worker *worker);

/*
 * Have it give to another those of its sessions that have something to do, all
 * or half of them: who was silent for a second stays, and so does who has
 * something kept for him, or is about to end. When it drains, all stay.
 */
void worker_move(struct worker *worker, const struct worker_move *move);

/* Sessions, those that come later too, send no more and get their answers. */
void worker_drain(struct worker *worker);

/* No more will come; on_left is to tell when the last one has gone. */
void worker_leave(struct worker *worker);

/*
 * End the sessions that are not allowed by *access, and return when that is
 * done. A session that closes can, through its service, close others, or set
 * other rules; so these are looked up anew every time.
 */
void worker_judge(struct worker *worker,
    const struct uxs_access *const *access);

/* End those that are left. Without a thread, as in what follows. */
void worker_close_sessions(struct worker *worker);

/* Without sessions. May be called twice. */
void worker_close(struct worker *worker);

#endif
