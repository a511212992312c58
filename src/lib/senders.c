/* SPDX-License-Identifier: ISC */
/* Senders of datagrams who stay; see senders.h. */
#include "senders.h"

#include <stdlib.h>
#include <string.h>

#include <uxsrv/access.h>
#include <uxsrv/ledger.h>

#include "client.h"
#include "counter.h"
#include "tree.h"

static int
compare_senders(const struct sender *a, const struct sender *b)
{
	if (a->client.peer.uid != b->client.peer.uid)
		return a->client.peer.uid < b->client.peer.uid ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->address.bytes, b->address.bytes, a->length);
}

UXS_TREE_GENERATE(sender_tree, sender, node, compare_senders)

static struct uxs_stats *
stats_of(const struct senders *senders)
{
	return senders->context->stats;
}

static int64_t
now_ns(const struct senders *senders)
{
	return uxs_loop_now_ns(senders->context->loop);
}

static void
tell_log(const struct sender *sender, const char *what, const char *reason)
{
	const struct mailbox_context *context = sender->senders->context;

	client_log(context->log, context->loop, UXS_INFO, UXS_EVENT_SESSION,
	    sender->client.type, what, reason, &sender->client.peer);
}

/* ---- the end ---- */

static void
end(struct senders *senders, struct sender *sender)
{
	const struct mailbox_context *context = senders->context;
	const struct uxs_service *service = context->service;

	TAILQ_REMOVE(&senders->leaving, sender, next);
	counter_take(&stats_of(senders)->of[senders->type].connections, 1);
	counter_add(&stats_of(senders)->closed[sender->reason], 1);
	uxs_ledger_leave(context->ledger, sender->client.peer.uid);
	tell_log(sender, "closed", uxs_close_name(sender->reason));
	if (service->on_end != NULL)
		service->on_end(&sender->client, service->arg);
	free(sender);
}

/* What the service says to the others then may make more of them leave. */
static void
end_leaving(struct senders *senders)
{
	struct sender *sender;

	while ((sender = TAILQ_FIRST(&senders->leaving)) != NULL)
		/* It takes the first off the list, which the analyzer misses:
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		end(senders, sender);
}

static void
on_turn_end(struct uxs_deferred *deferred)
{
	struct senders *senders =
	    uxs_container_of(deferred, struct senders, ends);

	end_leaving(senders);
	senders->is_deferred = false;
	if (senders->on_closed != NULL)
		senders->on_closed(senders);
}

static void
watch_silence(struct senders *senders)
{
	const struct mailbox_context *context = senders->context;
	const struct sender *first = TAILQ_FIRST(&senders->heard);

	if (first == NULL)
		uxs_timer_stop(context->loop, &senders->silence);
	else if (!uxs_timer_is_started(&senders->silence))
		uxs_timer_start(context->loop, &senders->silence,
		    first->heard_ns + context->silence_ns);
}

static void
leave(struct sender *sender, enum uxs_close reason)
{
	struct senders *senders = sender->senders;

	sender->is_leaving = true;
	sender->reason = reason;
	RB_REMOVE(sender_tree, &senders->here, sender);
	TAILQ_REMOVE(&senders->heard, sender, next);
	TAILQ_INSERT_TAIL(&senders->leaving, sender, next);
	watch_silence(senders);
}

void
sender_leave(struct sender *sender, enum uxs_close reason)
{
	struct senders *senders = sender->senders;

	if (sender->is_leaving)
		return;
	leave(sender, reason);
	if (!senders->is_deferred)
		uxs_loop_defer(senders->context->loop, &senders->ends);
	senders->is_deferred = true;
}

static void
on_silence(struct uxs_timer *timer)
{
	struct senders *senders =
	    uxs_container_of(timer, struct senders, silence);
	struct sender *first;

	while ((first = TAILQ_FIRST(&senders->heard)) != NULL &&
	    first->heard_ns + senders->context->silence_ns <= now_ns(senders))
		sender_leave(first, UXS_CLOSE_IDLE);
	watch_silence(senders);
}

void
senders_judge(struct senders *senders)
{
	struct sender *sender, *next;

	TAILQ_FOREACH_SAFE (sender, &senders->heard, next, next) {
		if (uxs_access_decide(senders->context->access,
			&sender->client.peer, NULL) != UXS_ALLOW)
			sender_leave(sender, UXS_CLOSE_RULES);
	}
}

void
senders_end(struct senders *senders, enum uxs_close reason)
{
	struct sender *first;

	while ((first = TAILQ_FIRST(&senders->heard)) != NULL)
		leave(first, reason);
	end_leaving(senders);
}

void
senders_close(struct senders *senders,
    void (*on_closed)(struct senders *senders))
{
	senders_end(senders, UXS_CLOSE_DRAIN);
	senders->on_closed = on_closed;
	if (!senders->is_deferred)
		on_closed(senders);
}

/* ---- the beginning ---- */

void
senders_init(struct senders *senders, const struct mailbox_context *context,
    enum uxs_type type)
{
	*senders = (struct senders){
		.context = context,
		.type = type,
		.silence = { .on_expiry = on_silence },
		.ends = { .on_turn_end = on_turn_end },
	};
	RB_INIT(&senders->here);
	TAILQ_INIT(&senders->heard);
	TAILQ_INIT(&senders->leaving);
}

struct sender *
senders_find(struct senders *senders, const union return_address *from,
    socklen_t length, uid_t uid)
{
	struct sender key = {
		.client = { .peer = { .uid = uid } },
		.length = length,
	};

	if (length > sizeof(key.address))
		return NULL;
	memcpy(key.address.bytes, from->bytes, length);
	return RB_FIND(sender_tree, &senders->here, &key);
}

void
sender_heard(struct sender *sender)
{
	struct senders *senders = sender->senders;

	sender->heard_ns = now_ns(senders);
	TAILQ_REMOVE(&senders->heard, sender, next);
	TAILQ_INSERT_TAIL(&senders->heard, sender, next);
}

static bool
has_place(struct senders *senders, uid_t uid)
{
	const int admission =
	    uxs_ledger_enter(senders->context->ledger, uid, now_ns(senders));

	if (admission != UXS_ADMITTED)
		counter_add(&stats_of(senders)
				 ->of[senders->type]
				 .refused[client_refusal_of(admission)],
		    1);
	return admission == UXS_ADMITTED;
}

static struct sender *
new_sender(struct senders *senders, const union return_address *from,
    socklen_t length, const struct uxs_peer *peer,
    const struct uxs_client_ops *ops)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->client = (struct uxs_client){
		.peer = *peer,
		.type = senders->type,
		.ops = ops,
	};
	sender->senders = senders;
	sender->length = length;
	memcpy(sender->address.bytes, from->bytes, length);
	sender->heard_ns = now_ns(senders);
	RB_INSERT(sender_tree, &senders->here, sender);
	TAILQ_INSERT_TAIL(&senders->heard, sender, next);
	watch_silence(senders);
	return sender;
}

struct sender *
senders_admit(struct senders *senders, const union return_address *from,
    socklen_t length, const struct uxs_peer *peer,
    const struct uxs_client_ops *ops)
{
	const struct uxs_service *service = senders->context->service;
	struct uxs_stats_of_type *stats = &stats_of(senders)->of[senders->type];
	struct sender *sender;

	if (length > sizeof(sender->address) || !has_place(senders, peer->uid))
		return NULL;
	sender = new_sender(senders, from, length, peer, ops);
	if (sender == NULL) {
		uxs_ledger_leave(senders->context->ledger, peer->uid);
		counter_add(&stats->refused[UXS_REFUSAL_DESCRIPTORS], 1);
		return NULL;
	}
	counter_add(&stats->accepted, 1);
	counter_add(&stats->connections, 1);
	tell_log(sender, "opened", NULL);
	if (service->on_open != NULL &&
	    service->on_open(&sender->client, service->arg) < 0)
		sender_leave(sender, UXS_CLOSE_REFUSED);
	return sender->is_leaving ? NULL : sender;
}
