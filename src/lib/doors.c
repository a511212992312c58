/* SPDX-License-Identifier: ISC */
/* All doors of a server; see doors.h. */
#include "doors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/activation.h>
#include <uxsrv/error.h>
#include <uxsrv/handover.h>
#include <uxsrv/server.h>

#include "backlog.h"
#include "inet.h"
#include "loopback_name.h"
#include "loopback_source.h"
#include "reaper.h"
#include "senders.h"
#include "worker.h"

/* ---- want of descriptors ---- */

static void
resume(struct doors *d)
{
	for (size_t i = 0; i < d->n_open; i++) {
		if (door_resume(&d->doors[i]) < 0)
			shortage_pause(&d->shortage);
	}
}

static void
on_pause_over(struct uxs_timer *timer)
{
	struct doors *d = uxs_container_of(timer, struct doors, shortage.timer);

	/* Before a client gets it, where the reaper was late with it. */
	shortage_take_back(&d->shortage);
	resume(d);
}

void
doors_left(struct doors *d)
{
	if (!shortage_left(&d->shortage))
		return;
	/* Or its descriptor is still there, and the next try in 50 ms. */
	reaper_settle(d->reaper);
	resume(d);
}

bool
doors_are_short(const struct doors *d)
{
	return shortage_is_there(&d->shortage);
}

/* What mailboxes hold to save time is worth less than a client. */
static void
on_short(struct door_context *context)
{
	struct doors *d = uxs_container_of(context, struct doors, context);

	for (size_t i = 0; i < d->n_open; i++)
		mailbox_trim(&d->doors[i].mailbox);
}

/* ---- opening ---- */

static void
on_directory_warning(void *arg, const char *text)
{
	const struct door_context *context = arg;

	uxs_log_print(context->log, UXS_WARNING, UXS_EVENT_LIFE,
	    uxs_loop_now_ns(context->loop), "%s", text);
}

static void
fill_contexts(struct doors *d, const struct uxs_server_conf *conf,
    struct worker *worker, struct uxs_ledger *ledger)
{
	d->mailboxes = (struct mailbox_context){
		.loop = &worker->loop,
		.service = conf->service,
		.access = conf->access,
		.ledger = ledger,
		.stats = &worker->stats,
		.log = conf->log,
		.buffer = worker->buffer,
		.buffer_size = worker->buffer_size,
		.max_message = conf->max_message_bytes,
		.own = &d->own,
		.fates = conf->fates,
		.max_delayed = conf->buffer_bytes,
		.silence_ns = conf->idle_timeout_ns != 0 ?
		    conf->idle_timeout_ns :
		    SENDER_SILENCE_NS,
	};
	d->context = (struct door_context){
		.loop = &worker->loop,
		.access = conf->access,
		.ledger = ledger,
		.stats = &worker->stats,
		.log = conf->log,
		.mailboxes = &d->mailboxes,
		.shortage = &d->shortage,
		.backlog = conf->backlog,
		.on_admitted = d->context.on_admitted,
		.on_short = on_short,
		.on_ended = d->context.on_ended,
		.on_lost = d->context.on_lost,
		.on_broken = d->context.on_broken,
	};
}

static int
allocate(struct doors *d, size_t n, struct uxs_error *why)
{
	if ((d->doors = calloc(n, sizeof(d->doors[0]))) == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the addresses");
	d->n = n;
	for (size_t i = 0; i < n; i++)
		d->doors[i] = (struct door)DOOR_CLOSED;
	return 0;
}

static size_t
count_doors(const struct uxs_server_conf *conf)
{
	return conf->n_addresses +
	    (conf->activation != NULL ? conf->activation->n : 0);
}

/* A port that the kernel chose for the predecessor is the one that was asked
 * for, or the next one if several were. */
static bool
is_for(const struct uxs_handed *handed, const struct uxs_address *address)
{
	if (handed->is_inherited)
		return false;
	if (!uxs_type_is_loopback(address->type))
		return uxs_address_equals(&handed->address, address);
	return handed->address.type == address->type && !handed->is_taken &&
	    loopback_name_is_for(address->name, handed->address.name);
}

static struct uxs_handed *
find_handed(struct uxs_handover *handover, const struct uxs_address *address)
{
	for (size_t i = 0; handover != NULL && i < handover->n; i++) {
		struct uxs_handed *handed = &handover->sockets[i];

		if (is_for(handed, address))
			return handed;
	}
	return NULL;
}

/* The predecessor's, or one of our own. */
static int
open_listener(struct uxs_listener *l, const struct uxs_listener_conf *conf,
    struct uxs_handover *handover, struct uxs_error *why)
{
	struct uxs_handed *handed = find_handed(handover, conf->address);
	int r;

	if (handed == NULL)
		return uxs_listener_open(l, conf, why);
	if ((r = uxs_listener_take_over(l, conf, handed, why)) == 0)
		handed->is_taken = true;
	return r;
}

static int
open_listeners(struct doors *d, const struct uxs_server_conf *server,
    struct uxs_error *why)
{
	struct uxs_listener_conf conf = {
		.mode = server->mode,
		.owner_uid = server->owner_uid,
		.owner_gid = server->owner_gid,
		.force_dir = server->force_dir,
		.on_warning = on_directory_warning,
		.arg = &d->context,
	};
	int r;

	for (; d->n_open < server->n_addresses; d->n_open++) {
		conf.address = &server->addresses[d->n_open];
		r = open_listener(&d->doors[d->n_open].listener, &conf,
		    server->handover, why);
		if (r < 0)
			return r;
	}
	for (; d->n_open < d->n; d->n_open++) {
		r = uxs_listener_adopt(&d->doors[d->n_open].listener,
		    &server->activation
			 ->sockets[d->n_open - server->n_addresses],
		    why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The ports that the kernel chose are known now. */
static int
find_own(struct doors *d)
{
	const struct uxs_address *address;
	int r = 0;

	for (size_t i = 0; r == 0 && (address = doors_address(d, i)) != NULL;
	     i++) {
		if (address->type == UXS_UDP)
			r = loopback_sources_add(&d->own, address->name);
	}
	return r;
}

/* Only where the kernel leaves it to us to get rid of passed descriptors. */
static int
start_reaper(struct doors *d, struct uxs_error *why)
{
	bool is_needed = false;
	int r;

	for (size_t i = 0; i < d->n; i++)
		is_needed |= !d->doors[i].listener.refuses_descriptors;
	if (is_needed && (r = reaper_open(&d->reaper)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot start the thread that closes descriptors: %s",
		    strerror(-r));
	d->mailboxes.reaper = d->context.reaper = d->reaper;
	return 0;
}

/* All names first, then all clients: nobody is let in to a server that cannot
 * open the rest of its addresses. */
int
doors_open(struct doors *d, const struct uxs_server_conf *conf,
    struct worker *worker, struct uxs_ledger *ledger, struct uxs_error *why)
{
	int r;

	fill_contexts(d, conf, worker, ledger);
	d->shortage.timer.on_expiry = on_pause_over;
	shortage_open(&d->shortage, &worker->loop);
	if ((r = allocate(d, count_doors(conf), why)) < 0 ||
	    (r = open_listeners(d, conf, why)) < 0)
		return r;
	if ((r = find_own(d)) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "no memory for the addresses");
	/* While we may still look at all directories. */
	r = lost_open(&d->lost, conf, d->doors, d->n, &d->context, why);
	if (r < 0)
		return r;
	d->is_bound = true;
	if ((conf->on_bound != NULL &&
		(r = conf->on_bound(conf->arg, why)) < 0) ||
	    (r = start_reaper(d, why)) < 0)
		return r;
	for (size_t i = 0; i < d->n; i++) {
		if ((r = door_start(&d->doors[i], &d->context, why)) < 0)
			return r;
	}
	return 0;
}

/* ---- from and to other processes ---- */

int
doors_own(struct doors *d)
{
	int result = 0;

	for (size_t i = 0; i < d->n_open; i++) {
		const int r =
		    uxs_listener_own(&d->doors[i].listener, d->context.backlog);

		if (r < 0)
			result = r;
	}
	return result;
}

int
doors_hand_out(const struct doors *d, const struct uxs_server_conf *conf,
    struct uxs_handover *handover)
{
	handover->n = 0;
	if ((handover->sockets = calloc(d->n, sizeof(struct uxs_handed))) ==
	    NULL)
		return -ENOMEM;
	for (; handover->n < d->n; handover->n++) {
		struct uxs_handed *to = &handover->sockets[handover->n];
		const int r =
		    uxs_listener_hand_out(&d->doors[handover->n].listener, to);

		if (r < 0)
			return r;
		/* The inherited ones come last. */
		if (handover->n >= conf->n_addresses)
			strlcpy(to->name,
			    conf->activation
				->sockets[handover->n - conf->n_addresses]
				.name,
			    sizeof(to->name));
	}
	return 0;
}

void
doors_leave(struct doors *d, const bool *is_taken)
{
	lost_stop(&d->lost);
	for (size_t i = 0; i < d->n_open; i++) {
		if (is_taken[i])
			door_leave(&d->doors[i]);
		else
			door_drain(&d->doors[i]);
	}
}

/* ---- life ---- */

void
doors_set_access(struct doors *d, const struct uxs_access *access)
{
	d->mailboxes.access = d->context.access = access;
	for (size_t i = 0; i < d->n_open; i++)
		mailbox_judge(&d->doors[i].mailbox);
}

void
doors_drain(struct doors *d)
{
	lost_stop(&d->lost);
	for (size_t i = 0; i < d->n_open; i++)
		door_drain(&d->doors[i]);
}

bool
doors_have_ended(const struct doors *d)
{
	for (size_t i = 0; i < d->n_open; i++) {
		if (!d->doors[i].has_ended || door_has_former(&d->doors[i]))
			return false;
	}
	return true;
}

void
doors_measure(struct doors *d)
{
	d->diag_fd = backlog_open();
}

static int
read_backlog(const struct doors *d, const struct uxs_listener *l,
    struct uxs_queue *queue)
{
	if (uxs_type_is_loopback(l->address->type))
		return inet_backlog(l->fd, &queue->waiting, &queue->limit);
	return backlog_read(d->diag_fd, l->fd, &queue->waiting, &queue->limit);
}

size_t
doors_queues(const struct doors *d, struct uxs_queue *queues, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_open && n < max; i++) {
		const struct uxs_listener *l = &d->doors[i].listener;
		struct uxs_queue *queue = &queues[n];

		if (l->fd < 0 || uxs_type_is_datagram(l->address->type) ||
		    read_backlog(d, l, queue) < 0)
			continue;
		queue->address = l->address;
		n++;
	}
	return n;
}

const struct uxs_address *
doors_address(const struct doors *d, size_t i)
{
	return i < d->n_open ? d->doors[i].listener.address : NULL;
}

void
doors_close(struct doors *d)
{
	if (d->diag_fd >= 0)
		close(d->diag_fd);
	d->diag_fd = -1;
	shortage_close(&d->shortage);
	for (size_t i = 0; i < d->n; i++)
		door_close(&d->doors[i]);
	lost_close(&d->lost);
	reaper_close(&d->reaper);
	loopback_sources_fini(&d->own);
	free(d->doors);
	d->doors = NULL;
	d->n = d->n_open = 0;
}
