/* SPDX-License-Identifier: ISC */
/* Fair shares of a send buffer; see share.h. */
#include "share.h"

#include <string.h>

#define SHARES_PER_BUFFER 8

void
shares_init(struct shares *s, size_t buffer, size_t queue_length)
{
	memset(s, 0, sizeof(*s));
	s->buffer = buffer;
	s->queue_length = queue_length;
}

/*
 * The kernel charges the memory that a message takes: the message and 320
 * bytes, rounded up to the next power of two, and 256 more; of a long one, in
 * pages, less. On Linux 6.18 that is 768 for 100 bytes and 8448 for 4096.
 */
size_t
share_charge(size_t length)
{
	return 2 * length + 1024;
}

bool
shares_must_look(const struct shares *s)
{
	return s->added > 0 && s->outstanding + s->added > s->buffer / 2;
}

static size_t
spent(const struct shares *s)
{
	size_t bytes = 0;

	for (size_t i = 0; i < s->n; i++)
		bytes += s->of[i].is_spent ? s->of[i].added : 0;
	return bytes;
}

static void
forget_unspent(struct shares *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->of[i].is_spent)
			s->of[n++] = s->of[i];
	}
	s->n = n;
}

/*
 * As much has been read as was added: whoever read it, the buffer is no fuller
 * than when counting began, and all can have their shares again. If only what
 * the spent shares hold is there in addition, all others can.
 */
void
shares_saw(struct shares *s, size_t outstanding)
{
	const bool was_crowded = s->is_crowded;

	s->outstanding = outstanding;
	s->added = 0;
	s->is_crowded = outstanding > s->buffer / 2;
	if (!was_crowded || !s->is_crowded || outstanding <= s->least) {
		s->least = outstanding;
		s->n = 0;
	} else if (outstanding <= s->least + spent(s)) {
		forget_unspent(s);
	}
}

void
shares_add(struct shares *s, size_t length)
{
	s->added += share_charge(length);
}

/* In a full table the one with the least gives way: it loses nothing. */
static struct share *
share_of(struct shares *s, uid_t uid)
{
	struct share *share = NULL;

	for (size_t i = 0; i < s->n; i++) {
		if (s->of[i].uid == uid)
			return &s->of[i];
		if (share == NULL || s->of[i].added < share->added)
			share = &s->of[i];
	}
	if (s->n < SHARES_MAX)
		share = &s->of[s->n++];
	memset(share, 0, sizeof(*share));
	share->uid = uid;
	return share;
}

static bool
is_same(const struct share_client *a, const struct share_client *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->length == b->length &&
	    memcmp(a->name, b->name, a->length) == 0;
}

static void
note_client(struct share *share, const struct share_client *client)
{
	if (share->n_clients > SHARE_CLIENTS_MAX)
		return;
	for (size_t i = 0; i < share->n_clients; i++) {
		if (is_same(&share->clients[i], client))
			return;
	}
	if (share->n_clients < SHARE_CLIENTS_MAX)
		share->clients[share->n_clients] = *client;
	share->n_clients++;
}

bool
shares_take(struct shares *s, uid_t uid, const struct share_client *client,
    size_t length)
{
	const size_t whole = s->buffer / SHARES_PER_BUFFER;
	const size_t charge = share_charge(length);
	struct share *share = share_of(s, uid);

	note_client(share, client);
	if (charge > share->max_charge)
		share->max_charge = charge;
	if (share->added + charge <= whole) {
		share->added += charge;
		return true;
	}
	if (share->n_clients <= SHARE_CLIENTS_MAX &&
	    share->n_clients * s->queue_length * share->max_charge <= whole)
		return true;
	share->is_spent = true;
	return false;
}
