/* SPDX-License-Identifier: ISC */
/*
 * The bulk load: each connection is an endless stream, written as long as
 * there is room and read as long as there is something. Whether the server
 * echoes or only reads, both directions are counted.
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "options.h"

/* Writes in one go before others get their turn; arbitrary. */
#define WRITES_A_TURN 4

static bool
is_retryable(int code)
{
	return code == EAGAIN || code == EINTR;
}

/* Returns whether the connection is still there. */
static bool
write_some(struct connection *c)
{
	struct load *load = c->load;
	const size_t size = load->payload.size;
	ssize_t n = (ssize_t)size;

	for (int i = 0; i < WRITES_A_TURN && n == (ssize_t)size; i++) {
		n = send(c->watch.fd,
		    load->pattern + c->n_sent_bytes % PAYLOAD_PERIOD, size,
		    MSG_NOSIGNAL);
		if (n < 0 && is_retryable(errno))
			return true;
		if (n < 0) {
			connection_break(c, errno);
			return false;
		}
		c->n_sent_bytes += (size_t)n;
		if (load->measure_from_ns != INT64_MAX)
			load->second.sent_bytes += (size_t)n;
	}
	return true;
}

static void
verify(struct connection *c, size_t n)
{
	const struct load *load = c->load;

	/* The pattern is the payload, or a read's length, longer than its
	 * period: whatever the position, it need not be put together. */
	if (c->is_corrupt ||
	    memcmp(load->buffer,
		load->pattern + c->n_received_bytes % PAYLOAD_PERIOD, n) == 0)
		return;
	c->is_corrupt =
	    true; /* and stays it: one slip shifts all that follows */
	load_count_corrupt(c->load, "the stream differs from what was sent");
}

static void
read_some(struct connection *c)
{
	struct load *load = c->load;
	const ssize_t n =
	    recv(c->watch.fd, load->buffer, load->buffer_bytes, 0);

	if (n < 0 && is_retryable(errno))
		return;
	if (n <= 0) {
		connection_break(c, n < 0 ? errno : 0);
		return;
	}
	c->had_replies = true;
	if (load->options->verify)
		verify(c, (size_t)n);
	c->n_received_bytes += (size_t)n;
	if (load->measure_from_ns != INT64_MAX)
		load->second.received_bytes += (size_t)n;
}

void
bulk_on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct connection *c =
	    uxs_container_of(watch, struct connection, watch);

	if ((events & EPOLLOUT) && !write_some(c))
		return;
	if (events & ~(uint32_t)EPOLLOUT)
		read_some(c);
}
