/* SPDX-License-Identifier: ISC */
/* Who comes in. Nothing about one client travels up from here as an error. */
#include "door.h"

#include <string.h>

#include <uxsrv/access.h>
#include <uxsrv/error.h>

#include "client.h"
#include "counter.h"
#include "reaper.h"
#include "shortage.h"

/* Connections that are admitted before others get their turn. */
#define ACCEPTS_PER_TURN 16

/* Those who are told that there is no room, between two pauses. */
#define REFUSALS_PER_PAUSE 64

static enum uxs_type
type_of(const struct door *door)
{
	return door->listener.address->type;
}

static struct uxs_stats_of_type *
stats_of(const struct door *door)
{
	return &door->context->stats->of[type_of(door)];
}

/* ---- admission ---- */

static void
refuse(struct door *door, const struct uxs_peer *peer, int fd,
    enum uxs_refusal why)
{
	reaper_put(door->context->reaper, fd);
	counter_add(&stats_of(door)->refused[why], 1);
	client_log(door->context->log, door->context->loop, UXS_NOTICE,
	    UXS_EVENT_REFUSED, type_of(door), "refused", uxs_refusal_name(why),
	    peer);
}

/* Takes fd. */
static void
admit(struct door *door, int fd)
{
	struct door_context *context = door->context;
	struct uxs_peer peer;
	int admission;

	uxs_peer_of_socket(&peer, fd);
	if (!client_is_allowed(context->access, &peer, fd)) {
		refuse(door, &peer, fd, UXS_REFUSAL_RULES);
		return;
	}
	admission = uxs_ledger_enter(context->ledger, peer.uid,
	    uxs_loop_now_ns(context->loop));
	if (admission != UXS_ADMITTED) {
		refuse(door, &peer, fd, client_refusal_of(admission));
		return;
	}
	if (context->on_admitted(context, fd, &peer, type_of(door)) < 0) {
		uxs_ledger_leave(context->ledger, peer.uid);
		refuse(door, &peer, fd, UXS_REFUSAL_DESCRIPTORS);
	}
}

/* With the spare descriptor, one after the other. Who they are is not logged:
 * the line about the pause is enough while it lasts. */
static void
refuse_who_wait(struct door *door, struct uxs_listener *listener)
{
	struct shortage *shortage = door->context->shortage;
	int r = UXS_ACCEPT_OK;

	for (int i = 0; i < REFUSALS_PER_PAUSE && r == UXS_ACCEPT_OK; i++) {
		int fd;

		shortage_lend(shortage);
		r = uxs_listener_accept(listener, &fd);
		if (r == UXS_ACCEPT_OK) {
			reaper_put(door->context->reaper, fd);
			/* Or it would still have the spare one. */
			reaper_settle(door->context->reaper);
			counter_add(&stats_of(door)
					 ->refused[UXS_REFUSAL_DESCRIPTORS],
			    1);
		}
		shortage_take_back(shortage);
	}
}

static void
pause_accepting(struct door *door, struct uxs_listener *listener)
{
	struct door_context *context = door->context;

	context->on_short(context);
	if (shortage_is_long(context->shortage))
		refuse_who_wait(door, listener);
	uxs_watch_stop(context->loop, &door->watch);
	uxs_watch_stop(context->loop, &door->former_watch);
	counter_add(&context->stats->pauses, 1);
	if (!shortage_pause(context->shortage))
		return;
	uxs_log_print(context->log, UXS_WARNING, UXS_EVENT_PAUSED,
	    uxs_loop_now_ns(context->loop),
	    "%s: out of descriptors or memory; accepting is paused",
	    uxs_type_name(type_of(door)));
}

/* The connections that wait may hold descriptors that are slow to close. The
 * name goes first as ever: whoever comes next finds nothing, or his own. What
 * is not ours alone is just closed: the reaper shuts a listener down, and
 * accepts who waits there, but it is another process that serves them. */
static void
close_listener(const struct door *door, struct uxs_listener *listener)
{
	const int fd = listener->fd;

	if (door->context != NULL && door->context->reaper != NULL && fd >= 0 &&
	    !listener->is_inherited && !listener->is_pending) {
		listener->fd = -1;
		uxs_listener_close(listener);
		reaper_put(door->context->reaper, fd);
	} else {
		uxs_listener_close(listener);
	}
}

static void
end(struct door *door)
{
	if (door->has_ended)
		return;
	uxs_watch_stop(door->context->loop, &door->watch);
	door->has_ended = true;
	door->context->on_ended(door->context);
}

/* All who waited there have been let in. */
static void
end_former(struct door *door)
{
	uxs_watch_stop(door->context->loop, &door->former_watch);
	close_listener(door, &door->former);
	door->context->on_ended(door->context);
}

static void
end_of(struct door *door, const struct uxs_listener *listener)
{
	if (listener == &door->former)
		end_former(door);
	else
		end(door);
}

/* Returns true while there may be more. */
static bool
accept_one(struct door *door, struct uxs_listener *listener)
{
	int fd, r = uxs_listener_accept(listener, &fd);

	if (r < 0) {
		if (listener == &door->listener)
			door->context->on_broken(door->context, r);
		end_of(door, listener);
		return false;
	}
	/* The descriptor comes before the look who waits: there is one again,
	 * also where nobody waits any more. */
	if (r != UXS_ACCEPT_EXHAUSTED)
		shortage_over(door->context->shortage);
	switch ((enum uxs_accept)r) {
	case UXS_ACCEPT_OK:
		admit(door, fd);
		return true;
	case UXS_ACCEPT_NONE:
		break;
	case UXS_ACCEPT_EXHAUSTED:
		pause_accepting(door, listener);
		break;
	case UXS_ACCEPT_ENDED:
		end_of(door, listener);
		break;
	}
	return false;
}

static void
accept_some(struct door *door, struct uxs_listener *listener)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (!accept_one(door, listener))
			return;
	}
}

static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct door *door = uxs_container_of(watch, struct door, watch);

	accept_some(door, &door->listener);
}

static void
on_former_ready(struct uxs_watch *watch, uint32_t events)
{
	struct door *door = uxs_container_of(watch, struct door, former_watch);

	accept_some(door, &door->former);
}

/* ---- life ---- */

int
door_start(struct door *door, struct door_context *context,
    struct uxs_error *why)
{
	int r;

	door->context = context;
	r = uxs_listener_listen(&door->listener, context->backlog, why);
	if (r < 0)
		return r;
	door->watch = (struct uxs_watch){
		.fd = door->listener.fd,
		.on_ready = on_ready,
	};
	if (uxs_type_is_datagram(type_of(door)))
		r = mailbox_open(&door->mailbox, context->mailboxes,
		    &door->listener);
	else
		r = door_resume(door);
	if (r < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot watch a %s socket: %s",
		    uxs_type_name(type_of(door)), strerror(-r));
	return 0;
}

int
door_resume(struct door *door)
{
	struct uxs_loop *loop = door->context->loop;
	int r = 0;

	if (door_has_former(door))
		r = uxs_watch_start(loop, &door->former_watch, EPOLLIN);
	if (r < 0 || door->has_ended)
		return r;
	return uxs_type_is_datagram(type_of(door)) ?
	    mailbox_resume(&door->mailbox) :
	    uxs_watch_start(loop, &door->watch, EPOLLIN);
}

static void
renew_mailbox(struct door *door, struct uxs_listener *fresh)
{
	struct uxs_listener former = door->listener;

	door->listener = *fresh;
	uxs_listener_drain(&former);
	mailbox_move(&door->mailbox, &door->listener);
	close_listener(door, &former);
}

static void
renew_entrance(struct door *door, struct uxs_listener *fresh)
{
	uxs_watch_stop(door->context->loop, &door->watch);
	door->former = door->listener;
	door->former_watch = (struct uxs_watch){
		.fd = door->former.fd,
		.on_ready = on_former_ready,
	};
	uxs_listener_drain(&door->former);
	door->listener = *fresh;
	door->watch.fd = fresh->fd;
}

void
door_renew(struct door *door, struct uxs_listener *fresh)
{
	if (uxs_type_is_datagram(type_of(door)))
		renew_mailbox(door, fresh);
	else
		renew_entrance(door, fresh);
	*fresh = (struct uxs_listener)UXS_LISTENER_CLOSED;
	if (door_resume(door) < 0)
		shortage_pause(door->context->shortage);
}

void
door_drain(struct door *door)
{
	if (door->has_ended)
		return;
	uxs_listener_drain(&door->listener);
	if (door->listener.is_inherited) {
		/* Who waits is the next instance's. */
		mailbox_stop(&door->mailbox);
		end(door);
	} else if (uxs_type_is_datagram(type_of(door))) {
		mailbox_drain(&door->mailbox);
		end(door);
	} else if (uxs_type_is_loopback(type_of(door))) {
		/* Such a listener is not readable when nobody waits, so that
		 * ENDED would never be heard. Finite: nobody comes any more. */
		while (accept_one(door, &door->listener))
			;
	} else if (door_resume(door) < 0) {
		end(door); /* cannot look who waits */
	}
	/* Otherwise the queue is accepted as ever, until it says ENDED. */
}

void
door_leave(struct door *door)
{
	if (door->has_ended)
		return;
	mailbox_close(&door->mailbox);
	uxs_watch_stop(door->context->loop, &door->watch);
	uxs_listener_leave(&door->listener);
	end(door);
}

void
door_close(struct door *door)
{
	mailbox_close(&door->mailbox);
	if (door->context != NULL) {
		uxs_watch_stop(door->context->loop, &door->watch);
		uxs_watch_stop(door->context->loop, &door->former_watch);
	}
	close_listener(door, &door->former);
	close_listener(door, &door->listener);
}
