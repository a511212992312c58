/* SPDX-License-Identifier: ISC */
#include "line.h"

#include <errno.h>

#include "connection.h"
#include "load.h"
#include "options.h"

#include <uxsrv/units.h>

/* How often the door is tried: arbitrary, well above the time an accept takes
 * and well below what a person notices. */
#define KNOCK_NS UXS_NS_PER_MS

bool
line_is_worth_waiting(const struct options *options, int result,
    int64_t since_ns)
{
	const int64_t waited_ns = load_clock_ns() - since_ns;

	switch (result) {
	case TARGET_BUSY:
		return waited_ns < options->wait_ns ||
		    waited_ns < options->timeout_ns;
	case -ENOENT:
	case -ECONNREFUSED:
		return waited_ns < options->wait_ns;
	default:
		return false;
	}
}

bool
line_has_room(const struct load *load)
{
	return load->target->family == TARGET_UNIX &&
	    load->target->address.type == UXS_DGRAM;
}

/* The last in line stays longest, so that the watch changes rarely. */
static void
post_sentinel(struct load *load)
{
	int r;

	load->sentinel = TAILQ_LAST(&load->room, connections);
	if (load->sentinel == NULL)
		return;
	/* Level-triggered: who is refused is the first in line, and an edge
	 * would be armed for that one only. */
	/* Level-triggered: who is refused is the first in line, and an edge
	 * would be armed for that one only. */
	r = uxs_watch_start(&load->loop, &load->sentinel->watch,
	    EPOLLIN | EPOLLOUT);
	if (r < 0)
		load_fail(load, r);
}

static void
relieve_sentinel(struct load *load)
{
	uxs_watch_start(&load->loop, &load->sentinel->watch, load->interest);
	load->sentinel = NULL;
}

void
line_join_room(struct connection *c)
{
	TAILQ_INSERT_TAIL(&c->load->room, c, entry);
	c->line = &c->load->room;
	if (c->load->sentinel == NULL)
		post_sentinel(c->load);
}

void
line_join_door(struct connection *c)
{
	TAILQ_INSERT_TAIL(&c->load->door, c, entry);
	c->line = &c->load->door;
	if (!uxs_timer_is_started(&c->load->retry))
		uxs_timer_start(&c->load->loop, &c->load->retry,
		    load_clock_ns() + KNOCK_NS);
}

void
line_leave(struct connection *c)
{
	if (c->line == NULL)
		return;
	TAILQ_REMOVE(c->line, c, entry);
	c->line = NULL;
	if (c->load->sentinel == c)
		relieve_sentinel(c->load);
}

void
line_admit(struct load *load)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&load->room)) != NULL && connection_resume(c))
		continue;
	if (load->sentinel == NULL)
		post_sentinel(load);
}

void
line_knock(struct load *load)
{
	const struct connection *last = TAILQ_LAST(&load->door, connections);
	struct connection *c;

	do {
		if ((c = TAILQ_FIRST(&load->door)) == NULL)
			break;
		line_leave(c);
		connection_open(c);
		/* Refused as it was, so would be the others. */
	} while (c != last && c->state != CONNECTION_KNOCKING);
}
