/* SPDX-License-Identifier: ISC */
/* Answers to datagrams, spoilt and late on purpose; see mailbox_fate.h. */
#include "mailbox_fate.h"

#include <stdlib.h>
#include <string.h>

#include "mailbox.h"

/* In front of the bytes of an answer that waits: whom it is for. */
struct addressee {
	union return_address address;
	socklen_t length;
	struct uxs_peer sender;
};

static void
count(struct mailbox_fate *f, enum uxs_fault fault)
{
	fated_count(&f->fated, fault, f->client->type, &f->client->peer);
}

void
mailbox_begin_fate(struct mailbox_fate *f, const struct uxs_client *client)
{
	fated_begin(&f->fated);
	f->client = client;
}

void
mailbox_end_fate(struct mailbox_fate *f)
{
	fated_end(&f->fated);
	f->client = NULL;
}

bool
mailbox_is_fated(const struct mailbox_fate *f, const struct uxs_client *client)
{
	return f->client == client &&
	    (f->fated.fate.faults != 0 || delays_are_there(&f->delays));
}

/* ---- answers ---- */

/* Returns NULL where there is no memory. */
static struct delayed *
make_answer(struct mailbox_fate *f, const struct outbox_origin *origin,
    const void *data, size_t length)
{
	struct addressee to = { .length = origin->length,
		.sender = origin->sender };
	struct delayed *d = delayed_new(sizeof(to) + length);

	if (d == NULL)
		return NULL;
	memcpy(&to.address, origin->from, sizeof(to.address));
	memcpy(d->data, &to, sizeof(to));
	if (length > 0)
		memcpy(d->data + sizeof(to), data, length);
	if (length > 1 && fated_has(&f->fated, UXS_FAULT_SHORT)) {
		length = fated_cut(&f->fated, length);
		d->length = sizeof(to) + length;
		count(f, UXS_FAULT_SHORT);
	}
	if (length > 0 && fated_has(&f->fated, UXS_FAULT_CORRUPT)) {
		fated_corrupt(&f->fated, d->data + sizeof(to), length, false);
		count(f, UXS_FAULT_CORRUPT);
	}
	return d;
}

/* Takes d; what becomes of it is told by the outbox. */
static int
send_one(struct mailbox_fate *f, struct delayed *d)
{
	struct addressee to;
	int r;

	memcpy(&to, d->data, sizeof(to));
	r = outbox_put(f->outbox,
	    &(struct outbox_origin){
		.from = &to.address,
		.length = to.length,
		.sender = to.sender,
	    },
	    d->data + sizeof(to), d->length - sizeof(to));
	outbox_send(f->outbox);
	free(d);
	return r;
}

static int
drop(struct mailbox_fate *f, const struct outbox_origin *origin,
    enum uxs_drop reason)
{
	f->outbox->on_dropped(f->outbox, origin, reason);
	return UXS_REPLY_DROPPED;
}

/* Takes d. */
static int
put_later(struct mailbox_fate *f, struct delayed *d, int64_t delay_ns)
{
	struct uxs_loop *loop = f->context->loop;

	delays_put(&f->delays, d, uxs_loop_now_ns(loop) + delay_ns);
	delays_arm(&f->delays, loop, &f->timer);
	return UXS_REPLY_ACCEPTED;
}

int
mailbox_answer_fated(struct mailbox_fate *f, const struct outbox_origin *origin,
    const void *data, size_t length)
{
	int64_t delay_ns = 0;
	struct delayed *d;

	if (fated_has(&f->fated, UXS_FAULT_DROP)) {
		count(f, UXS_FAULT_DROP);
		return UXS_REPLY_DROPPED;
	}
	if (f->delays.bytes >= f->context->max_delayed)
		return drop(f, origin, UXS_DROP_FULL);
	if ((d = make_answer(f, origin, data, length)) == NULL)
		return drop(f, origin, UXS_DROP_ERROR);
	if (fated_has(&f->fated, UXS_FAULT_DELAY)) {
		delay_ns = f->fated.fate.delay_ns;
		count(f, UXS_FAULT_DELAY);
	}
	if (delay_ns > 0 || delays_are_there(&f->delays))
		return put_later(f, d, delay_ns);
	return send_one(f, d);
}

/* ---- their time ---- */

static void
send_due(struct mailbox_fate *f, int64_t now_ns)
{
	struct delayed *d;

	if (!delays_are_there(&f->delays))
		return;
	outbox_begin(f->outbox);
	while ((d = delays_take(&f->delays, now_ns)) != NULL)
		send_one(f, d);
	delays_arm(&f->delays, f->context->loop, &f->timer);
}

static void
on_due(struct uxs_timer *timer)
{
	struct mailbox_fate *f =
	    uxs_container_of(timer, struct mailbox_fate, timer);

	send_due(f, uxs_loop_now_ns(f->context->loop));
}

void
mailbox_send_delayed(struct mailbox_fate *f)
{
	send_due(f, INT64_MAX);
}

/* ---- life ---- */

struct mailbox_fate *
mailbox_fate_new(const struct mailbox_context *context, struct outbox *outbox)
{
	struct mailbox_fate *f = malloc(sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = (struct mailbox_fate){
		.context = context,
		.outbox = outbox,
		.fated = {
			.fates = context->fates,
			.stats = context->stats,
			.log = context->log,
			.loop = context->loop,
		},
		.timer = { .on_expiry = on_due },
	};
	delays_init(&f->delays);
	return f;
}

void
mailbox_fate_free(struct mailbox_fate *f)
{
	struct delayed *d;

	if (f == NULL)
		return;
	while ((d = delays_take(&f->delays, INT64_MAX)) != NULL)
		free(d);
	uxs_timer_stop(f->context->loop, &f->timer);
	free(f);
}
