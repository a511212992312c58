/* SPDX-License-Identifier: ISC */
/*
 * What a load needs before it can run, and letting go of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <uxsrv/units.h>

#include "connection.h"
#include "line.h"
#include "load.h"
#include "options.h"

/* Small enough for the cache, large enough for many small replies at once. */
#define BUFFER_BYTES ((size_t)64 * 1024)

/* A bulk load reads as much as a stream can hold. */
#define BULK_BUFFER_BYTES ((size_t)256 * 1024)

/* How often a server is tried that is not there yet; arbitrary. */
#define WAIT_STEP_NS (10 * UXS_NS_PER_MS)

void
load_init(struct load *load)
{
	memset(load, 0, sizeof(*load));
	load->loop = (struct uxs_loop)UXS_LOOP_CLOSED;
	load->measure_from_ns = INT64_MAX;
	tally_init(&load->total);
	tally_init(&load->second);
	TAILQ_INIT(&load->idle);
	TAILQ_INIT(&load->room);
	TAILQ_INIT(&load->door);
}

/* Connections, each with a directory or two on the way, and our own files. */
static int
raise_descriptor_limit(size_t n_connections)
{
	const rlim_t wanted = n_connections + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= wanted)
		return 0;
	if (limit.rlim_max < wanted)
		return -EMFILE;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

static int
make_connections(struct load *load)
{
	const size_t n = (size_t)load->options->n_connections;
	const size_t depth = (size_t)load->options->depth;

	while (((size_t)1 << load->slot_bits) < depth)
		load->slot_bits++;
	load->all = calloc(n, sizeof(*load->all));
	load->slots = calloc(n * depth, sizeof(*load->slots));
	if (load->all == NULL || load->slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		connection_init(&load->all[i], load, load->slots + i * depth,
		    depth);
	load->n_all = n;
	return 0;
}

static int
make_buffers(struct load *load)
{
	const size_t size = load->options->size_bytes;
	const bool is_bulk = load->options->bulk;
	size_t pattern_bytes;

	load->buffer_bytes = is_bulk ? BULK_BUFFER_BYTES : BUFFER_BYTES;
	/* One byte more than a message: a longer reply is seen to be one. */
	if (!is_bulk && size >= load->buffer_bytes)
		load->buffer_bytes = size + 1;
	pattern_bytes = PAYLOAD_PERIOD +
	    (size > load->buffer_bytes ? size : load->buffer_bytes);
	load->buffer = malloc(load->buffer_bytes);
	load->pattern = is_bulk ? malloc(pattern_bytes) : NULL;
	if (load->buffer == NULL || (is_bulk && load->pattern == NULL))
		return -ENOMEM;
	for (size_t i = 0; is_bulk && i < pattern_bytes; i++)
		load->pattern[i] = payload_pattern(i);
	return 0;
}

/* When the type is known: only a stream needs its messages framed. */
static int
make_payload(struct load *load)
{
	const struct options *o = load->options;

	return payload_init(&load->payload, o->size_bytes,
	    load->keeps_messages ? UXS_FRAMING_NONE : o->framing);
}

/*
 * Edges save the kernel a second look at each socket, several percent of what
 * a message costs. They suffice where one recv takes all that is there: not
 * for several messages that keep their bounds.
 */
static uint32_t
interest_of(const struct load *load)
{
	return load->keeps_messages && load->options->depth > 1 ?
	    EPOLLIN :
	    EPOLLIN | EPOLLET;
}

static int
connect_first(struct load *load)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	const int64_t began_ns = load_clock_ns();
	struct target_link link = TARGET_LINK_CLOSED;
	int r;

	while ((r = target_connect(load->target, &link)) != TARGET_CONNECTED &&
	    line_is_worth_waiting(load->options, r, began_ns))
		nanosleep(&step, NULL);
	if (r != TARGET_CONNECTED) {
		load_count_refused(load, r);
		return r;
	}
	load->keeps_messages = target_keeps_messages(load->target);
	load->interest = interest_of(load);
	if (load->options->reconnect)
		target_disconnect(&link);
	else
		connection_adopt(&load->all[0], &link);
	return load->failure;
}

int
load_open(struct load *load, struct target *target,
    const struct options *options)
{
	int r;

	load_init(load);
	load->options = options;
	load->target = target;
	load_set_timers(load);
	if ((r = uxs_loop_open(&load->loop)) < 0 ||
	    (r = raise_descriptor_limit((size_t)options->n_connections)) < 0 ||
	    (r = make_buffers(load)) < 0 || (r = make_connections(load)) < 0 ||
	    (r = connect_first(load)) != 0 || (r = make_payload(load)) < 0)
		load_close(load);
	return r;
}

void
load_close(struct load *load)
{
	for (size_t i = 0; i < load->n_all; i++)
		connection_close(&load->all[i]);
	load->n_all = 0;
	uxs_loop_close(&load->loop);
	payload_fini(&load->payload);
	free(load->pattern);
	free(load->buffer);
	free(load->slots);
	free(load->all);
	load->pattern = load->buffer = NULL;
	load->slots = NULL;
	load->all = NULL;
}
