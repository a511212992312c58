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
refuse_who_wait(struct door *door)
{
	struct shortage *shortage = door->context->shortage;
	int r = UXS_ACCEPT_OK;

	for (int i = 0; i < REFUSALS_PER_PAUSE && r == UXS_ACCEPT_OK; i++) {
		int fd;

		shortage_lend(shortage);
		r = uxs_listener_accept(&door->listener, &fd);
		if (r == UXS_ACCEPT_OK) {
			reaper_put(door->context->reaper, fd);
			counter_add(&stats_of(door)
					 ->refused[UXS_REFUSAL_DESCRIPTORS],
			    1);
		}
		shortage_take_back(shortage);
	}
}

static void
pause_accepting(struct door *door)
{
	struct door_context *context = door->context;

	context->on_short(context);
	if (shortage_is_long(context->shortage))
		refuse_who_wait(door);
	uxs_watch_stop(context->loop, &door->watch);
	counter_add(&context->stats->pauses, 1);
	if (!shortage_pause(context->shortage))
		return;
	uxs_log_print(context->log, UXS_WARNING, UXS_EVENT_PAUSED,
	    uxs_loop_now_ns(context->loop),
	    "%s: out of descriptors or memory; accepting is paused",
	    uxs_type_name(type_of(door)));
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

/* Returns true while there may be more. */
static bool
accept_one(struct door *door)
{
	int fd, r = uxs_listener_accept(&door->listener, &fd);

	if (r < 0) {
		door->context->on_broken(door->context, r);
		end(door);
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
		pause_accepting(door);
		break;
	case UXS_ACCEPT_ENDED:
		end(door);
		break;
	}
	return false;
}

static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct door *door = uxs_container_of(watch, struct door, watch);

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (!accept_one(door))
			return;
	}
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
	if (type_of(door) == UXS_DGRAM)
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
	if (door->has_ended || type_of(door) == UXS_DGRAM)
		return 0;
	return uxs_watch_start(door->context->loop, &door->watch, EPOLLIN);
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
	} else if (type_of(door) == UXS_DGRAM) {
		mailbox_drain(&door->mailbox);
		end(door);
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

/* The connections that wait may hold descriptors that are slow to close. The
 * name goes first as ever: whoever comes next finds nothing, or his own. */
static void
close_listener(struct door *door)
{
	const int fd = door->listener.fd;

	if (door->context != NULL && door->context->reaper != NULL && fd >= 0 &&
	    !door->listener.is_inherited) {
		door->listener.fd = -1;
		uxs_listener_close(&door->listener);
		reaper_put(door->context->reaper, fd);
	} else {
		uxs_listener_close(&door->listener);
	}
}

void
door_close(struct door *door)
{
	mailbox_close(&door->mailbox);
	if (door->context != NULL)
		uxs_watch_stop(door->context->loop, &door->watch);
	close_listener(door);
}
