/* SPDX-License-Identifier: ISC */
/* Connections in the hands of the service; see takeover.h. */
#include "takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "client.h"
#include "counter.h"
#include "reaper.h"
#include "session.h"

struct takeover {
	struct uxs_client client; /* what the service sees */
	struct session_context *context;
	int fd;
	bool is_stopped; /* the service knows that it has to end now */
	bool is_over;
	enum uxs_close reason;
	LIST_ENTRY(takeover) next;
	struct uxs_deferred release;
};

static void
tell(const struct takeover *h, const char *what, const char *why)
{
	client_log(h->context->log, h->context->loop, UXS_INFO,
	    UXS_EVENT_SESSION, h->client.type, what, why, &h->client.peer);
}

static struct uxs_stats_of_type *
stats_of(const struct takeover *h)
{
	return &h->context->stats->of[h->client.type];
}

static void
release(struct uxs_deferred *deferred)
{
	free(uxs_container_of(deferred, struct takeover, release));
}

static void
end(struct takeover *h)
{
	struct session_context *context = h->context;
	const struct uxs_service *service = context->service;

	if (h->is_over)
		return;
	h->is_over = true;
	LIST_REMOVE(h, next);
	if (service->on_end != NULL)
		service->on_end(&h->client, service->arg);
	/* Before the client sees the end: who comes back finds his place
	 * free. */
	uxs_ledger_leave(context->ledger, h->client.peer.uid);
	counter_take(&stats_of(h)->connections, 1);
	counter_add(&context->stats->closed[h->reason], 1);
	/* Others may have it open; what they sent before is still read. */
	shutdown(h->fd, SHUT_RDWR);
	reaper_put(context->reaper, h->fd);
	tell(h, "closed", uxs_close_name(h->reason));
	uxs_loop_defer(context->loop, &h->release);
	context->on_closed(context);
}

static void
stop(struct takeover *h, enum uxs_stop how)
{
	const struct uxs_service *service = h->context->service;

	if (h->is_over || h->is_stopped)
		return;
	h->is_stopped = how == UXS_STOP_NOW;
	shutdown(h->fd, h->is_stopped ? SHUT_RDWR : SHUT_RD);
	service->on_stop(&h->client, how, service->arg);
}

/* ---- what the service may do ---- */

static struct takeover *
takeover_of(const struct uxs_client *client)
{
	return uxs_container_of(client, struct takeover, client);
}

/* It has the descriptor for that. */
static int
takeover_reply(struct uxs_client *client, const void *data, size_t length)
{
	counter_add(&stats_of(takeover_of(client))->dropped[UXS_DROP_ERROR], 1);
	return UXS_REPLY_DROPPED;
}

static int
takeover_refuse(struct uxs_client *client, const char *text)
{
	const int r = takeover_reply(client, text, 0);

	end(takeover_of(client));
	return r;
}

static void
takeover_close(struct uxs_client *client)
{
	end(takeover_of(client));
}

static int
takeover_descriptor(const struct uxs_client *client)
{
	return takeover_of(client)->fd;
}

static const struct uxs_client_ops takeover_ops = {
	.reply = takeover_reply,
	.tell = takeover_reply,
	.refuse = takeover_refuse,
	.close = takeover_close,
	.descriptor = takeover_descriptor,
};

/* ---- life ---- */

/* As programs expect a socket to be: it waits, and tells of nothing but what
 * was sent. A listener that was inherited may ask for credentials. */
static void
set_options(int fd)
{
	const int off = 0;

	fcntl(fd, F_SETFL, 0);
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
}

static struct takeover *
takeover_new(struct session_context *context, int fd,
    const struct uxs_peer *peer, enum uxs_type type)
{
	struct takeover *h = malloc(sizeof(*h));

	if (h == NULL)
		return NULL;
	*h = (struct takeover){
		.client = { .peer = *peer, .type = type, .ops = &takeover_ops },
		.context = context,
		.fd = fd,
		.reason = UXS_CLOSE_DONE,
		.release = { .on_turn_end = release },
	};
	return h;
}

int
takeover_begin(struct session_context *context, struct takeovers *all, int fd,
    const struct uxs_peer *peer, enum uxs_type type)
{
	const struct uxs_service *service = context->service;
	struct takeover *h = takeover_new(context, fd, peer, type);

	if (h == NULL)
		return -ENOMEM;
	set_options(fd);
	LIST_INSERT_HEAD(all, h, next);
	counter_add(&stats_of(h)->connections, 1);
	counter_add(&stats_of(h)->accepted, 1);
	tell(h, "opened", NULL);
	/* It may be over with the return; the memory stays for this turn. */
	if (service->on_connection(&h->client, fd, service->arg) < 0) {
		h->reason = UXS_CLOSE_ERROR;
		end(h);
	} else if (context->is_draining) {
		stop(h, UXS_STOP_DRAIN);
	}
	return 0;
}

/* What the service does about one of them may end it, and no other. */
void
takeovers_drain(struct takeovers *all)
{
	struct takeover *h, *next;

	LIST_FOREACH_SAFE (h, all, next, next)
		stop(h, UXS_STOP_DRAIN);
}

void
takeovers_judge(struct takeovers *all, const struct uxs_access *const *access)
{
	struct takeover *h, *next;

	LIST_FOREACH_SAFE (h, all, next, next) {
		if (h->is_stopped ||
		    client_is_allowed(*access, &h->client.peer, h->fd))
			continue;
		h->reason = UXS_CLOSE_RULES;
		stop(h, UXS_STOP_NOW);
	}
}

void
takeovers_close(struct takeovers *all)
{
	struct takeover *h, *next;

	/* All are told before one is waited for. */
	LIST_FOREACH_SAFE (h, all, next, next) {
		if (!h->is_stopped)
			h->reason = UXS_CLOSE_DRAIN;
		stop(h, UXS_STOP_NOW);
	}
	while ((h = LIST_FIRST(all)) != NULL)
		end(h);
}
