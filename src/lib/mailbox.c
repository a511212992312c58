/* SPDX-License-Identifier: ISC */
/*
 * Datagrams: receive a batch, answer each, send the answers as a batch.
 *
 * A reply that the service makes from the message itself, as echo does, is
 * sent from where it was received, with no copy. Any other is sent at once,
 * since its bytes are the service's.
 */
#include "mailbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "counter.h"
#include "loopback_name.h"
#include "loopback_source.h"
#include "mailbox_fate.h"
#include "outbox.h"
#include "passing.h"
#include "reaper.h"
#include "senders.h"

/* A receive queue holds max_dgram_qlen (10 by default) and one more. */
#define BATCH_MAX OUTBOX_MAX

/* Of a sender's name in the log. */
#define SENDER_NAME_MAX 256

struct mailbox_batch {
	struct mailbox *mailbox;
	unsigned size; /* messages that are received at once */
	struct mmsghdr in[BATCH_MAX];
	struct iovec in_iov[BATCH_MAX];
	union return_address from[BATCH_MAX];
	char *control; /* of each message control_size bytes */
	size_t control_size;

	bool is_in_hand; /* there is one ... */
	unsigned current; /* ... which is this */
	struct senders senders;
	struct outbox outbox;
};

static struct uxs_stats_of_type *
stats_of(const struct mailbox *m)
{
	return &m->context->stats->of[m->client.type];
}

/* The name that the sender chose, which may hold any bytes. */
static const char *
print_sender_name(const struct outbox_origin *origin,
    char text[SENDER_NAME_MAX])
{
	const size_t before_name = offsetof(struct sockaddr_un, sun_path);
	const char *name = origin->from->un.sun_path;

	if (origin->length <= before_name)
		return "unnamed";
	return uxs_escape(text, SENDER_NAME_MAX, name,
	    name[0] == '\0' ? origin->length - before_name : strlen(name));
}

static const char *
print_origin(const struct mailbox *m, const struct outbox_origin *origin,
    char text[SENDER_NAME_MAX])
{
	if (!m->batch->outbox.is_loopback)
		return print_sender_name(origin, text);
	loopback_name_print(&origin->from->any, text);
	return text;
}

/* A message from there, or the reply to it. */
static void
count_drop(const struct mailbox *m, const struct outbox_origin *origin,
    enum uxs_drop reason)
{
	char who[UXS_PEER_TEXT_MAX], name[SENDER_NAME_MAX];

	counter_add(&stats_of(m)->dropped[reason], 1);
	if (!uxs_log_wants(m->context->log, UXS_DEBUG))
		return;
	uxs_log_print(m->context->log, UXS_DEBUG, UXS_EVENT_DROPPED,
	    uxs_loop_now_ns(m->context->loop), "%s: dropped (%s): %s from %s",
	    uxs_type_name(m->client.type), uxs_drop_name(reason),
	    uxs_peer_print(&origin->sender, who),
	    print_origin(m, origin, name));
}

/* Where the message in hand came from. */
static struct outbox_origin
origin_in_hand(const struct mailbox *m)
{
	const struct mailbox_batch *b = m->batch;

	return (struct outbox_origin){
		.from = &b->from[b->current],
		.length = b->in[b->current].msg_hdr.msg_namelen,
		.sender = m->client.peer,
	};
}

static void
drop_message(const struct mailbox *m, enum uxs_drop reason)
{
	const struct outbox_origin origin = origin_in_hand(m);

	count_drop(m, &origin, reason);
}

/* ---- sending ---- */

static struct mailbox *
mailbox_of(struct outbox *outbox)
{
	return uxs_container_of(outbox, struct mailbox_batch, outbox)->mailbox;
}

static void
on_sent(struct outbox *outbox, size_t length)
{
	const struct mailbox *m = mailbox_of(outbox);

	counter_add(&stats_of(m)->sent_messages, 1);
	counter_add(&stats_of(m)->sent_bytes, length);
}

/* Is there nobody any more, or somebody else; or does it only not work now? */
static bool
is_final(enum uxs_drop reason)
{
	return reason == UXS_DROP_GONE || reason == UXS_DROP_NOT_SENDERS ||
	    reason == UXS_DROP_SELF;
}

static void
on_dropped(struct outbox *outbox, const struct outbox_origin *origin,
    enum uxs_drop reason)
{
	count_drop(mailbox_of(outbox), origin, reason);
	if (origin->owner != NULL && is_final(reason))
		sender_leave(origin->owner, UXS_CLOSE_GONE);
}

/* Do these bytes stay where they are until the batch is sent? */
static bool
is_of_message_in_hand(const struct mailbox *m, const void *data)
{
	const struct iovec *iov = &m->batch->in_iov[m->batch->current];
	const uintptr_t at = (uintptr_t)data, first = (uintptr_t)iov->iov_base;

	return m->batch->is_in_hand && at >= first && at < first + iov->iov_len;
}

static int
put(struct mailbox *m, const struct uxs_client *client,
    const struct outbox_origin *origin, const void *data, size_t length)
{
	struct outbox *outbox = &m->batch->outbox;
	int r;

	if (m->fate != NULL && mailbox_is_fated(m->fate, client))
		return mailbox_answer_fated(m->fate, origin, data, length);
	r = outbox_put(outbox, origin, data, length);
	if (r == UXS_REPLY_ACCEPTED && !is_of_message_in_hand(m, data))
		outbox_send(outbox);
	return r;
}

static int
mailbox_reply(struct uxs_client *client, const void *data, size_t length)
{
	struct mailbox *m = uxs_container_of(client, struct mailbox, client);
	const struct outbox_origin origin = origin_in_hand(m);

	return put(m, client, &origin, data, length);
}

/* There is no connection that could end. */
static int
mailbox_refuse(struct uxs_client *client, const char *text)
{
	return mailbox_reply(client, text, strlen(text));
}

/* Nor is there one that could be asked. */
static void
mailbox_finish(struct uxs_client *client)
{
}

static int
mailbox_descriptor(const struct uxs_client *client)
{
	return -1;
}

static const struct uxs_client_ops mailbox_ops = {
	.reply = mailbox_reply,
	.tell = mailbox_reply,
	.refuse = mailbox_refuse,
	.close = mailbox_finish,
	.descriptor = mailbox_descriptor,
};

/* ---- senders who are kept ---- */

/* It may be another client's message that is in hand, or none. */
static int
sender_reply(struct uxs_client *client, const void *data, size_t length)
{
	struct sender *sender = uxs_container_of(client, struct sender, client);
	struct mailbox_batch *b =
	    uxs_container_of(sender->senders, struct mailbox_batch, senders);
	const struct outbox_origin origin = {
		.from = &sender->address,
		.length = sender->length,
		.sender = client->peer,
		.owner = sender,
	};

	if (sender->is_leaving) {
		count_drop(b->mailbox, &origin, UXS_DROP_GONE);
		return UXS_REPLY_DROPPED;
	}
	if (!b->is_in_hand)
		outbox_begin(&b->outbox);
	return put(b->mailbox, client, &origin, data, length);
}

static int
sender_refuse(struct uxs_client *client, const char *text)
{
	const int r = sender_reply(client, text, strlen(text));

	sender_leave(uxs_container_of(client, struct sender, client),
	    UXS_CLOSE_REFUSED);
	return r;
}

static void
sender_finish(struct uxs_client *client)
{
	sender_leave(uxs_container_of(client, struct sender, client),
	    UXS_CLOSE_DONE);
}

static const struct uxs_client_ops sender_ops = {
	.reply = sender_reply,
	.tell = sender_reply,
	.refuse = sender_refuse,
	.close = sender_finish,
	.descriptor = mailbox_descriptor,
};

/* ---- receiving ---- */

/* The kernel writes lengths into what it is given: give it all anew. */
static void
prepare_batch(struct mailbox_batch *b)
{
	for (unsigned i = 0; i < b->size; i++) {
		/* An unnamed sender leaves the name untouched. */
		b->from[i].un.sun_path[0] = '\0';
		b->in[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i].un),
			.msg_iov = &b->in_iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control + i * b->control_size,
			.msg_controllen = b->control_size,
		};
	}
}

/* Our own reply, come back through a name that somebody gave to our socket:
 * answering it would go on for ever. */
static bool
is_own(const struct mailbox *m)
{
	const pid_t sender = m->client.peer.pid;

	return sender != 0 && sender == outbox_own_pid(&m->batch->outbox);
}

static bool
is_allowed(const struct mailbox *m)
{
	if (uxs_access_decide(m->context->access, &m->client.peer, NULL) ==
	    UXS_ALLOW)
		return true;
	counter_add(&stats_of(m)->refused[UXS_REFUSAL_RULES], 1);
	return false;
}

/* Not too often? */
static bool
is_slow_enough(const struct mailbox *m)
{
	const struct mailbox_context *context = m->context;
	const struct uxs_peer *sender = &m->client.peer;

	switch (uxs_ledger_message(context->ledger, sender->uid,
	    uxs_loop_now_ns(context->loop))) {
	case UXS_ADMITTED:
		return true;
	case UXS_REFUSED_RATE:
		counter_add(&stats_of(m)->refused[UXS_REFUSAL_RATE], 1);
		return false;
	default: /* no memory for an account */
		counter_add(&stats_of(m)->refused[UXS_REFUSAL_DESCRIPTORS], 1);
		return false;
	}
}

/* Of whoever sent the message in hand; NULL where the service keeps none, or
 * where he is not known yet. */
static struct sender *
known_sender(const struct mailbox *m)
{
	const struct outbox_origin origin = origin_in_hand(m);

	return m->context->service->keeps_senders ?
	    senders_find(&m->batch->senders, origin.from, origin.length,
		origin.sender.uid) :
	    NULL;
}

/* Who enters is looked at by the ledger then. */
static bool
is_admitted(const struct mailbox *m, struct sender *known)
{
	if (!is_allowed(m))
		return false;
	if (known == NULL && m->context->service->keeps_senders)
		return true;
	if (!is_slow_enough(m))
		return false;
	if (known != NULL)
		sender_heard(known);
	return true;
}

/* NULL: it is not to be handed over, and that was counted. */
static struct uxs_client *
client_of(struct mailbox *m, struct sender *known)
{
	struct mailbox_batch *b = m->batch;
	const struct outbox_origin origin = origin_in_hand(m);

	if (!m->context->service->keeps_senders)
		return &m->client;
	if (known == NULL && outbox_reaches(&b->outbox, &origin))
		known = senders_admit(&b->senders, origin.from, origin.length,
		    &origin.sender, &sender_ops);
	return known != NULL ? &known->client : NULL;
}

static void
hand_over(struct mailbox *m, struct mmsghdr *in, struct sender *known)
{
	const struct uxs_service *service = m->context->service;
	const struct uxs_message message = {
		.data = in->msg_hdr.msg_iov->iov_base,
		.length = in->msg_len,
	};
	struct uxs_client *client = client_of(m, known);

	if (client == NULL)
		return;
	if (m->fate != NULL)
		mailbox_begin_fate(m->fate, client);
	if (service->on_message(client, &message, service->arg) < 0)
		drop_message(m, UXS_DROP_ERROR);
	if (m->fate != NULL)
		mailbox_end_fate(m->fate);
}

/* Why it must not be handed over, or UXS_N_DROPS. */
static enum uxs_drop
object_to(const struct mailbox *m, const struct msghdr *in)
{
	if (m->batch->outbox.is_loopback)
		return loopback_source_object_to(m->context->own,
		    &m->batch->from[m->batch->current].any, in->msg_namelen);
	if (in->msg_flags & MSG_CTRUNC)
		return UXS_DROP_LOST_DESCRIPTORS;
	return is_own(m) ? UXS_DROP_SELF : UXS_N_DROPS;
}

static void
on_datagram(struct mailbox *m, struct mmsghdr *in)
{
	struct sender *known;
	enum uxs_drop objection;

	m->client.state = NULL;
	uxs_peer_of_message(&m->client.peer, &in->msg_hdr);
	known = known_sender(m);
	if (!is_admitted(m, known))
		return;
	counter_add(&stats_of(m)->received_messages, 1);
	counter_add(&stats_of(m)->received_bytes, in->msg_len);
	if ((objection = object_to(m, &in->msg_hdr)) != UXS_N_DROPS)
		drop_message(m, objection);
	else if (in->msg_hdr.msg_flags & MSG_TRUNC)
		drop_message(m, UXS_DROP_TOO_LONG);
	else
		hand_over(m, in, known);
}

/* Returns how many messages there were. */
static unsigned
receive_batch(struct mailbox *m)
{
	struct mailbox_batch *b = m->batch;
	int n;

	prepare_batch(b);
	n = recvmmsg(m->watch.fd, b->in, b->size,
	    MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	if (n <= 0)
		return 0;
	outbox_begin(&b->outbox);
	/* Whatever becomes of the messages. */
	for (int i = 0; m->context->reaper != NULL && i < n; i++)
		reaper_put_passed(m->context->reaper, &b->in[i].msg_hdr);
	b->is_in_hand = true;
	for (b->current = 0; b->current < (unsigned)n; b->current++)
		on_datagram(m, &b->in[b->current]);
	b->is_in_hand = false;
	outbox_send(&b->outbox);
	return (unsigned)n;
}

static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	receive_batch(uxs_container_of(watch, struct mailbox, watch));
}

/* ---- life ---- */

static void
size_batch(struct mailbox_batch *b, const struct mailbox_context *context)
{
	const size_t fits = context->buffer_size / context->max_message;

	b->size = fits < BATCH_MAX ? (unsigned)fits : BATCH_MAX;
	for (unsigned i = 0; i < b->size; i++) {
		b->in_iov[i] = (struct iovec){
			.iov_base = context->buffer + i * context->max_message,
			.iov_len = context->max_message,
		};
	}
}

static struct mailbox_batch *
new_batch(const struct mailbox_context *context, enum uxs_type type)
{
	struct mailbox_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->control_size = context->reaper != NULL ?
	    sizeof(union passing_control) :
	    CMSG_SPACE(sizeof(struct ucred));
	/* Both sizes keep every part as well aligned as the first. */
	if ((b->control = calloc(BATCH_MAX, b->control_size)) == NULL) {
		free(b);
		return NULL;
	}
	size_batch(b, context);
	senders_init(&b->senders, context, type);
	return b;
}

/* Before anything is received from it. */
static void
use_socket(struct mailbox *m, const struct uxs_listener *listener)
{
	m->watch.fd = listener->fd;
	outbox_init(&m->batch->outbox, listener->fd, m->context->max_message,
	    listener->dev, listener->ino);
}

int
mailbox_open(struct mailbox *m, const struct mailbox_context *context,
    const struct uxs_listener *listener)
{
	int r;

	*m = (struct mailbox){
		.client = { .type = listener->address->type,
		    .ops = &mailbox_ops },
		.context = context,
		.watch = { .on_ready = on_ready },
	};
	if ((m->batch = new_batch(context, m->client.type)) == NULL)
		return -ENOMEM;
	m->batch->mailbox = m;
	m->batch->outbox.on_sent = on_sent;
	m->batch->outbox.on_dropped = on_dropped;
	m->batch->outbox.is_loopback = uxs_type_is_loopback(m->client.type);
	use_socket(m, listener);
	if (context->fates != NULL &&
	    (m->fate = mailbox_fate_new(context, &m->batch->outbox)) == NULL)
		r = -ENOMEM;
	else
		r = mailbox_resume(m);
	if (r < 0)
		mailbox_close(m);
	return r;
}

int
mailbox_resume(struct mailbox *m)
{
	return uxs_watch_start(m->context->loop, &m->watch, EPOLLIN);
}

void
mailbox_stop(struct mailbox *m)
{
	if (m->batch != NULL)
		uxs_watch_stop(m->context->loop, &m->watch);
}

/* What waits for its time would hold up whoever stops, or takes over. */
static void
send_delayed(struct mailbox *m)
{
	if (m->fate != NULL)
		mailbox_send_delayed(m->fate);
}

/* Finite: nothing arrives any more. */
static void
empty(struct mailbox *m)
{
	while (receive_batch(m) > 0)
		;
	send_delayed(m);
	uxs_watch_stop(m->context->loop, &m->watch);
}

void
mailbox_drain(struct mailbox *m)
{
	if (m->batch == NULL)
		return;
	empty(m);
	senders_end(&m->batch->senders, UXS_CLOSE_DRAIN);
}

void
mailbox_move(struct mailbox *m, const struct uxs_listener *to)
{
	empty(m);
	outbox_close(&m->batch->outbox);
	use_socket(m, to);
}

void
mailbox_judge(struct mailbox *m)
{
	if (m->batch != NULL)
		senders_judge(&m->batch->senders);
}

size_t
mailbox_trim(struct mailbox *m)
{
	return m->batch != NULL ? outbox_trim(&m->batch->outbox) : 0;
}

static void
free_batch(struct senders *senders)
{
	struct mailbox_batch *b =
	    uxs_container_of(senders, struct mailbox_batch, senders);

	free(b->control);
	free(b);
}

void
mailbox_close(struct mailbox *m)
{
	struct mailbox_batch *b = m->batch;

	if (b == NULL)
		return;
	uxs_watch_stop(m->context->loop, &m->watch);
	send_delayed(m);
	mailbox_fate_free(m->fate);
	m->fate = NULL;
	senders_end(&b->senders, UXS_CLOSE_DRAIN);
	outbox_close(&b->outbox);
	m->batch = NULL;
	senders_close(&b->senders, free_batch);
}
