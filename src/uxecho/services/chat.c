/* SPDX-License-Identifier: ISC */
/*
 * Each message goes to every other client, whichever type of socket it has,
 * as it is. Who comes and who goes is told in a line of our own:
 *
 *	* 3 joined: uid=1000 gid=1000 pid=4711 (stream)
 *	* 3 left
 *
 * Who does not read is not told more than there is room for, and hears how
 * much that was when there is room again.
 *
 * To tell one client something can end it, and that is news for the others.
 * So members only leave the list when nobody is being told anything.
 */
#include "services.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

/* What one says costs a send to each of the others: arbitrary, and such that
 * a message costs about a millisecond. Half of it for one user. */
#define MEMBERS_MAX 1000
#define MEMBERS_OF_USER_MAX (MEMBERS_MAX / 2)

TAILQ_HEAD(members, member);

struct member {
	struct uxs_client *client; /* NULL: it has left */
	unsigned long number;
	unsigned long n_missed; /* messages, since it has last been told one */
	TAILQ_ENTRY(member) next;
};

static struct chat {
	struct members members;
	size_t n;
	unsigned long last_number;
	bool is_telling;
	bool has_leavers; /* in members, without a client */
} chat = { .members = TAILQ_HEAD_INITIALIZER(chat.members) };

/* ---- telling ---- */

/* A line is given its newline by its framing. */
static int
say(struct uxs_client *client, const char *line, int length)
{
	const int n = length - (client->framing == UXS_FRAMING_LINE);

	return uxs_client_tell(client, line, (size_t)n);
}

/* Returns whether there is room for more. */
static bool
tell_of_missed(struct member *m)
{
	char line[64];
	int n;

	if (m->n_missed == 0)
		return true;
	n = snprintf(line, sizeof(line), "* %lu messages were missed here\n",
	    m->n_missed);
	if (say(m->client, line, n) != UXS_REPLY_ACCEPTED)
		return false;
	m->n_missed = 0;
	return m->client != NULL;
}

static void
tell(struct member *m, const struct uxs_message *message, bool is_line)
{
	int r;

	if (!tell_of_missed(m)) {
		m->n_missed++;
		return;
	}
	r = is_line ?
	    say(m->client, message->data, (int)message->length) :
	    uxs_client_tell(m->client, message->data, message->length);
	if (r == UXS_REPLY_DROPPED)
		m->n_missed++;
}

static void
tell_others(const struct member *from, const struct uxs_message *message,
    bool is_line)
{
	struct member *m;

	chat.is_telling = true;
	TAILQ_FOREACH (m, &chat.members, next) {
		/* Who was freed was taken off the list, which the analyzer
		 * misses: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (m != from && m->client != NULL)
			tell(m, message, is_line);
	}
	chat.is_telling = false;
}

/* ---- coming and going ---- */

static void
tell_left(struct member *m)
{
	char line[64];
	const int n = snprintf(line, sizeof(line), "* %lu left\n", m->number);
	const struct uxs_message message = { line, (size_t)n };

	TAILQ_REMOVE(&chat.members, m, next);
	tell_others(m, &message, true);
	free(m);
}

/* To tell of one may make others leave: until nobody does. */
static void
see_off(void)
{
	struct member *m, *next;

	while (chat.has_leavers) {
		chat.has_leavers = false;
		for (m = TAILQ_FIRST(&chat.members); m != NULL; m = next) {
			next = TAILQ_NEXT(m, next);
			if (m->client == NULL)
				tell_left(m);
		}
	}
}

static void
tell_joined(const struct member *m)
{
	char line[UXS_PEER_TEXT_MAX + 64], who[UXS_PEER_TEXT_MAX];
	const int n = snprintf(line, sizeof(line), "* %lu joined: %s (%s)\n",
	    m->number, uxs_peer_print(&m->client->peer, who),
	    uxs_type_name(m->client->type));
	const struct uxs_message message = { line, (size_t)n };

	tell_others(m, &message, true);
}

static bool
has_room_for(const struct uxs_client *client)
{
	const struct member *m;
	size_t n_own = 0;

	TAILQ_FOREACH (m, &chat.members, next)
		n_own += m->client != NULL &&
		    m->client->peer.uid == client->peer.uid;
	return chat.n < MEMBERS_MAX && n_own < MEMBERS_OF_USER_MAX;
}

static int
on_open(struct uxs_client *client, void *arg)
{
	static const char full[] = "* the chat is full\n";
	struct member *m;

	if (!has_room_for(client)) {
		say(client, full, sizeof(full) - 1);
		return -EUSERS;
	}
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return -ENOMEM;
	m->client = client;
	m->number = ++chat.last_number;
	client->state = m;
	TAILQ_INSERT_TAIL(&chat.members, m, next);
	chat.n++;
	tell_joined(m);
	see_off();
	return 0;
}

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	tell_others(client->state, message, false);
	see_off();
	return 0;
}

static void
on_end(struct uxs_client *client, void *arg)
{
	struct member *m = client->state;

	if (m == NULL) /* never let in */
		return;
	m->client = NULL;
	chat.n--;
	chat.has_leavers = true;
	if (!chat.is_telling)
		see_off();
}

const struct uxs_service service_chat = {
	.on_open = on_open,
	.on_message = on_message,
	.on_end = on_end,
	.keeps_senders = true,
};
