/* SPDX-License-Identifier: ISC */
/* What happens to messages on purpose; see fated.h. */
#include "fated.h"

#include <inttypes.h>
#include <stdlib.h>

#include "counter.h"

const char *
uxs_fault_name(enum uxs_fault fault)
{
	static const char *const names[UXS_N_FAULTS] = {
		[UXS_FAULT_DELAY] = "delay",
		[UXS_FAULT_DROP] = "drop",
		[UXS_FAULT_CORRUPT] = "corrupt",
		[UXS_FAULT_SHORT] = "short",
		[UXS_FAULT_CLOSE] = "close",
		[UXS_FAULT_STALL] = "stall",
		[UXS_FAULT_RESET] = "reset",
	};

	return names[fault];
}

/* ---- the message in hand ---- */

struct uxs_fate
fated_of(const struct fated *f, uint64_t n)
{
	struct uxs_fate fate = { .faults = 0 };

	f->fates->of_message(&fate, f->connection, n, f->fates->arg);
	return fate;
}

void
fated_begin(struct fated *f)
{
	f->fate = fated_of(f, ++f->message);
	f->done = 0;
	f->is_in_hand = true;
}

void
fated_end(struct fated *f)
{
	f->is_in_hand = false;
}

void
fated_count_of(struct fated *f, uint64_t n, enum uxs_fault fault,
    enum uxs_type type, const struct uxs_peer *peer)
{
	char who[UXS_PEER_TEXT_MAX];

	counter_add(&f->stats->of[type].faults[fault], 1);
	if (!uxs_log_wants(f->log, UXS_DEBUG))
		return;
	uxs_log_print(f->log, UXS_DEBUG, UXS_EVENT_FAULT,
	    uxs_loop_now_ns(f->loop),
	    "%s: fault (%s): connection %" PRIu64 ", message %" PRIu64 ": %s",
	    uxs_type_name(type), uxs_fault_name(fault), f->connection, n,
	    uxs_peer_print(peer, who));
}

void
fated_count(struct fated *f, enum uxs_fault fault, enum uxs_type type,
    const struct uxs_peer *peer)
{
	if ((f->done & 1U << fault) != 0)
		return;
	f->done |= 1U << fault;
	fated_count_of(f, f->message, fault, type, peer);
}

size_t
fated_cut(const struct fated *f, size_t length)
{
	return 1 + (size_t)(f->fate.short_at % (length - 1));
}

/* A newline would make two messages of one, which is another fault. */
void
fated_corrupt(const struct fated *f, char *data, size_t length, bool is_line)
{
	char *byte = &data[f->fate.corrupt_at % length];
	uint8_t mask = f->fate.corrupt_mask;

	if (is_line && (*byte ^ (char)mask) == '\n')
		mask ^= mask == 0x20 ? 0x40 : 0x20;
	*byte ^= (char)mask;
}

/* ---- answers that wait ---- */

void
delays_init(struct delays *d)
{
	*d = (struct delays){ .bytes = 0 };
	STAILQ_INIT(&d->queue);
}

struct delayed *
delayed_new(size_t length)
{
	struct delayed *delayed = malloc(delayed_cost(length));

	if (delayed != NULL)
		delayed->length = length;
	return delayed;
}

void
delays_put(struct delays *d, struct delayed *delayed, int64_t due_ns)
{
	delayed->due_ns = due_ns;
	d->bytes += delayed_cost(delayed->length);
	STAILQ_INSERT_TAIL(&d->queue, delayed, next);
}

struct delayed *
delays_take(struct delays *d, int64_t now_ns)
{
	struct delayed *first = STAILQ_FIRST(&d->queue);

	if (first == NULL || first->due_ns > now_ns)
		return NULL;
	STAILQ_REMOVE_HEAD(&d->queue, next);
	d->bytes -= delayed_cost(first->length);
	return first;
}

void
delays_arm(const struct delays *d, struct uxs_loop *loop,
    struct uxs_timer *timer)
{
	if (delays_are_there(d))
		uxs_timer_start(loop, timer, STAILQ_FIRST(&d->queue)->due_ns);
	else
		uxs_timer_stop(loop, timer);
}
