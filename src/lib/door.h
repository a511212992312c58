/* SPDX-License-Identifier: ISC */
#ifndef UXS_DOOR_H
#define UXS_DOOR_H

#include <stdbool.h>

#include <uxsrv/ledger.h>
#include <uxsrv/listener.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/stats.h>

#include "mailbox.h"

struct uxs_error;

/*
 * One address of a server: a listener whose connections become sessions, or a
 * mailbox.
 *
 * Admission goes: credentials, decision, ledger, allocation, registration.
 * So a refusal costs nothing but its accept, and accepting goes on at every
 * limit: the queue of a listener is one line for all users, and whoever is
 * over his own limit must not block it.
 */

struct door;
struct reaper;
struct shortage;

/* What all doors of a server share. */
struct door_context {
	struct uxs_loop *loop;
	const struct uxs_access *access;
	struct uxs_ledger *ledger;
	struct uxs_stats *stats;
	struct uxs_log *log;
	const struct mailbox_context *mailboxes;
	struct shortage *shortage; /* a door that it shuts waits for resume */
	struct reaper *reaper; /* NULL: nobody can pass descriptors */
	int backlog;
	/* Somebody may come in, and is in the ledger. Takes fd and returns 0;
	 * or returns a negative errno where he cannot be served. */
	int (*on_admitted)(struct door_context *context, int fd,
	    const struct uxs_peer *peer, enum uxs_type type);
	/* Out of descriptors: give back what is held only to save time. */
	void (*on_short)(struct door_context *context);
	/* Drained: nobody waits any more, and nobody will come. */
	void (*on_ended)(struct door_context *context);
	/* A socket's file was lost, and the configuration wants to end. */
	void (*on_lost)(struct door_context *context,
	    const struct uxs_error *why);
	/* The listening socket is of no use any more. */
	void (*on_broken)(struct door_context *context, int r);
};

struct door {
	struct door_context *context;
	struct uxs_listener listener;
	struct uxs_watch watch; /* of a listener that accepts */
	struct mailbox mailbox; /* of one that receives */
	/* The one before it, for as long as somebody waits there. */
	struct uxs_listener former;
	struct uxs_watch former_watch;
	bool has_ended; /* the listener, or the mailbox */
};

#define DOOR_CLOSED                              \
	{                                        \
		.listener = UXS_LISTENER_CLOSED, \
		.former = UXS_LISTENER_CLOSED,   \
	}

static inline bool
door_has_former(const struct door *door)
{
	return door->former.fd >= 0;
}

/* Let clients in. The listener is open, the door otherwise closed. Returns 0
 * or a negative errno with *why. */
int door_start(struct door *door, struct door_context *context,
    struct uxs_error *why);

/* After a pause. Returns 0 or a negative errno: try again later. */
int door_resume(struct door *door);

/*
 * From now on let clients in by another listener, of the same address, that
 * listens already; takes *fresh. Who waits at the former one is still let in,
 * and what is in a former mailbox is answered within this call. Only where
 * there is no former one left.
 */
void door_renew(struct door *door, struct uxs_listener *fresh);

/* No new clients; who waits is still let in, then on_ended is called, which
 * may happen within this call; so that it is called for a former listener,
 * too. */
void door_drain(struct door *door);

/* A successor has the socket: nobody is let in any more, on_ended is called.
 * Not from within a callback of the door's own. */
void door_leave(struct door *door);

/* Also closes the listener. May be called twice, and before door_start. */
void door_close(struct door *door);

#endif
