/* SPDX-License-Identifier: ISC */
/*
 * What a configuration means before anything is opened: what it must not ask
 * for, and what it left to the server.
 */
#include <uxsrv/server.h>

#include <errno.h>
#include <sys/resource.h>

#include <uxsrv/activation.h>
#include <uxsrv/error.h>

#include "shown.h"

#define MODE_PRIVATE 0600
#define MODE_PUBLIC 0666

/* Descriptors that are no connections: the three standard ones, epoll,
 * signalfd, inotify, the log's, a pipe for bulk data, and a few that are open
 * only for a moment. */
#define OTHER_DESCRIPTORS 15

/* Directory, lock and socket. */
#define DESCRIPTORS_PER_ADDRESS 3

/* Where there are several: epoll, an eventfd to wake it up, and the pipe for
 * bulk data. */
#define DESCRIPTORS_PER_THREAD 4

static int
refuse(struct uxs_error *why, const char *text)
{
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "%s", text);
}

static int
refuse_address(struct uxs_error *why, const struct uxs_address *address,
    const char *objection)
{
	char text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "%s: %s",
	    uxs_address_print(address, text, sizeof(text)), objection);
}

static size_t
count_inherited(const struct uxs_server_conf *conf)
{
	return conf->activation != NULL ? conf->activation->n : 0;
}

/* Those that are inherited come last. */
static const struct uxs_address *
address_at(const struct uxs_server_conf *conf, size_t i)
{
	return i < conf->n_addresses ?
	    &conf->addresses[i] :
	    &conf->activation->sockets[i - conf->n_addresses].address;
}

static bool
is_given_before(const struct uxs_server_conf *conf, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (uxs_address_equals(address_at(conf, i),
			address_at(conf, k)))
			return true;
	}
	return false;
}

static int
check_address(const struct uxs_server_conf *conf, size_t i, bool is_open,
    struct uxs_error *why)
{
	const struct uxs_address *address = address_at(conf, i);

	if (is_given_before(conf, i))
		return refuse_address(why, address,
		    i < conf->n_addresses ?
			"the same address is given twice" :
			"this address is inherited, too; leave it out");
	if (address->type == UXS_DGRAM && conf->service != NULL &&
	    conf->service->on_connection != NULL)
		return refuse_address(why, address,
		    "this service takes connections over, and a datagram "
		    "socket has none; write stream: or seqpacket:");
	/* No file, so no mode keeps anybody out. */
	if (address->is_abstract && !is_open)
		return refuse_address(why, address,
		    "an abstract name has no file permissions; say who may "
		    "use it with --allow");
	return 0;
}

int
uxs_server_conf_check(const struct uxs_server_conf *conf, struct uxs_error *why)
{
	const bool is_open = conf->access != NULL &&
	    uxs_access_has_allow(conf->access);

	const size_t n = conf->n_addresses + count_inherited(conf);

	if (n == 0)
		return refuse(why, "no address to serve; give at least one");
	if (conf->buffer_bytes == 0 || conf->max_message_bytes == 0)
		return refuse(why,
		    "the buffer and the longest message must be at least one "
		    "byte");
	if (conf->n_threads > UXS_THREADS_MAX)
		return refuse(why, "too many threads");
	if (conf->n_threads > 1 && conf->service != NULL &&
	    (!conf->service->is_concurrent ||
		conf->service->on_connection != NULL))
		return refuse(why,
		    "this service cannot run in several threads; leave it at "
		    "one");
	for (size_t i = 0; i < n; i++) {
		const int r = check_address(conf, i, is_open, why);

		if (r < 0)
			return r;
	}
	return 0;
}

static size_t
conns_allowed(const struct uxs_server_conf *conf)
{
	const size_t others = OTHER_DESCRIPTORS +
	    (conf->n_addresses + count_inherited(conf)) *
		DESCRIPTORS_PER_ADDRESS +
	    (conf->n_threads > 1 ? conf->n_threads * DESCRIPTORS_PER_THREAD :
				   0);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024 - others; /* what most systems give */
	return limit.rlim_cur > others + 1 ? limit.rlim_cur - others : 1;
}

/* Reading stops at buffer_bytes, and what stands there is one message away
 * from it at the most, and the packet's length. Frames may be kept on both
 * ways: with a few bytes at their ends, and in, as much as a read is. */
static size_t
bytes_allowed(const struct uxs_server_conf *conf)
{
	size_t each, all;

	if (__builtin_add_overflow(conf->buffer_bytes, conf->max_message_bytes,
		&each) ||
	    __builtin_add_overflow(each, sizeof(uint32_t), &each) ||
	    (conf->framing != UXS_FRAMING_NONE &&
		(__builtin_add_overflow(each, UXS_FRAME_HEAD_MAX, &each) ||
		    __builtin_mul_overflow(each, (size_t)2, &each))) ||
	    __builtin_mul_overflow(each, conf->max_conns_per_user, &all))
		return SIZE_MAX;
	return all;
}

void
uxs_server_conf_resolve(struct uxs_server_conf *conf)
{
	if (conf->mode == UXS_MODE_AUTO)
		conf->mode = conf->access != NULL &&
			uxs_access_has_allow(conf->access) ?
		    MODE_PUBLIC :
		    MODE_PRIVATE;
	if (conf->n_threads == 0)
		conf->n_threads = 1;
	if (conf->max_conns == 0)
		conf->max_conns = conns_allowed(conf);
	if (conf->max_conns_per_user == 0)
		conf->max_conns_per_user = (conf->max_conns + 1) / 2;
	if (conf->max_bytes_per_user == 0)
		conf->max_bytes_per_user = bytes_allowed(conf);
}
