/* SPDX-License-Identifier: ISC */
#ifndef UXS_DOORS_H
#define UXS_DOORS_H

#include <stdbool.h>
#include <stddef.h>

#include "door.h"
#include "loopback_source.h"
#include "lost.h"
#include "mailbox.h"
#include "shortage.h"

struct uxs_address;
struct uxs_error;
struct uxs_handover;
struct uxs_queue;
struct uxs_server_conf;
struct worker;

/*
 * All addresses of a server, opened together or not at all, and what befalls
 * them together: when there is no descriptor left, none of them can accept.
 */
struct doors {
	/* The owner's: on_admitted, on_ended, on_lost and on_broken. */
	struct door_context context;
	struct reaper *reaper; /* NULL where the kernel refuses descriptors */
	/* private */
	struct mailbox_context mailboxes;
	struct loopback_sources own; /* of datagrams over loopback */
	struct shortage shortage;
	struct lost lost;
	size_t n, n_open;
	int diag_fd; /* to ask for queues by; -1: nobody asks */
	bool is_bound; /* all of them, and the owner was told */
	struct door *doors;
};

#define DOORS_CLOSED                                                           \
	{                                                                      \
		.diag_fd = -1, .shortage = SHORTAGE_NONE, .lost = LOST_CLOSED, \
	}

/*
 * Let clients in, in the loop of this worker, which also counts what happens.
 * Borrows conf for this call, all else until close. Returns 0 or a negative errno with *why; then
 * they are still to be closed.
 */
int doors_open(struct doors *doors, const struct uxs_server_conf *conf,
    struct worker *worker, struct uxs_ledger *ledger, struct uxs_error *why);

/* These rules from now on, for those who come. */
void doors_set_access(struct doors *doors, const struct uxs_access *access);

/* A session has ended: who waits for its descriptor goes on. */
void doors_left(struct doors *doors);

/* Does anybody wait for one? From any thread. */
bool doors_are_short(const struct doors *doors);

/* No new clients, but for those who wait already; on_ended is called for each
 * door, which may happen within this call. */
void doors_drain(struct doors *doors);
bool doors_have_ended(const struct doors *doors);

/* Be able to tell who waits, from now on until closed, if the kernel lets us;
 * then do: as uxs_server_queues. */
void doors_measure(struct doors *doors);
size_t doors_queues(const struct doors *doors, struct uxs_queue *queues,
    size_t max);

/*
 * From a predecessor, and to a successor; see handover.h. doors_own returns 0,
 * or the negative errno of what could not be done. doors_leave leaves those
 * that are taken, in the order of doors_hand_out, and drains the others.
 */
int doors_own(struct doors *doors);
int doors_hand_out(const struct doors *doors,
    const struct uxs_server_conf *conf, struct uxs_handover *handover);
void doors_leave(struct doors *doors, const bool *is_taken);

/* As uxs_server_address. */
const struct uxs_address *doors_address(const struct doors *doors, size_t i);

/* Also closes what opens in part. May be called twice. */
void doors_close(struct doors *doors);

#endif
