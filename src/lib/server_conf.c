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

#include "fated.h"
#include "server_conf.h"
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
check_twice(const struct uxs_server_conf *conf, size_t i, struct uxs_error *why)
{
	if (!is_given_before(conf, i))
		return 0;
	return refuse_address(why, address_at(conf, i),
	    i < conf->n_addresses ?
		"the same address is given twice" :
		"this address is inherited, too; leave it out");
}

int
server_conf_check_rules(const struct uxs_server_conf *conf,
    struct uxs_error *why)
{
	const size_t n = conf->n_addresses + count_inherited(conf);

	if (conf->access != NULL && uxs_access_has_allow(conf->access))
		return 0;
	/* No file, so no mode keeps anybody out. */
	for (size_t i = 0; i < n; i++) {
		if (address_at(conf, i)->is_abstract)
			return refuse_address(why, address_at(conf, i),
			    "an abstract name has no file permissions; say who "
			    "may use it with --allow");
	}
	return 0;
}

static int
check_loopback(const struct uxs_server_conf *conf, struct uxs_error *why)
{
	const struct uxs_peer unknown = UXS_PEER_UNKNOWN;
	const size_t n = conf->n_addresses + count_inherited(conf);

	if (conf->access != NULL &&
	    uxs_access_decide(conf->access, &unknown, NULL) == UXS_ALLOW)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (uxs_type_is_loopback(address_at(conf, i)->type))
			return refuse_address(why, address_at(conf, i),
			    "nobody can tell who connects over the loopback "
			    "interface, so that only --allow any lets anybody "
			    "in; give it, or use a socket file");
	}
	return 0;
}

/* Whoever is given a connection wants to know whose it is. */
static int
check_connections(const struct uxs_server_conf *conf, size_t i,
    struct uxs_error *why)
{
	const struct uxs_address *address = address_at(conf, i);

	if (conf->service == NULL || conf->service->on_connection == NULL)
		return 0;
	if (uxs_type_is_datagram(address->type))
		return refuse_address(why, address,
		    "this service takes connections over, and a datagram "
		    "socket has none; write stream: or seqpacket:");
	if (uxs_type_is_loopback(address->type))
		return refuse_address(why, address,
		    "this service takes connections over, and asks whose they "
		    "are; write stream: or seqpacket:");
	return 0;
}

static int
check_addresses(const struct uxs_server_conf *conf, struct uxs_error *why)
{
	const size_t n = conf->n_addresses + count_inherited(conf);
	int r;

	if (n == 0)
		return refuse(why, "no address to serve; give at least one");
	for (size_t i = 0; i < n; i++) {
		if ((r = check_twice(conf, i, why)) < 0 ||
		    (r = check_connections(conf, i, why)) < 0)
			return r;
	}
	if ((r = server_conf_check_rules(conf, why)) < 0)
		return r;
	return check_loopback(conf, why);
}

int
uxs_server_conf_check(const struct uxs_server_conf *conf, struct uxs_error *why)
{
	if (conf->buffer_bytes == 0 || conf->max_message_bytes == 0)
		return refuse(why,
		    "the buffer and the longest message must be at least one "
		    "byte");
	if (conf->n_threads > UXS_THREADS_MAX)
		return refuse(why, "too many threads");
	if (conf->n_threads > 1 && conf->service != NULL &&
	    (!conf->service->is_concurrent ||
		conf->service->on_connection != NULL))
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "%zu threads: this service cannot run in several threads; "
		    "leave it at one",
		    conf->n_threads);
	if (conf->fates != NULL && conf->service != NULL &&
	    conf->service->on_connection != NULL)
		return refuse(why,
		    "this service takes connections over, so that nothing can "
		    "go wrong with its messages; leave the fates out");
	return check_addresses(conf, why);
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
 * ways: with a few bytes at their ends, and in, as much as a read is. What is
 * delayed on purpose takes a little more each, and goes from there to where it
 * is kept. */
static size_t
bytes_allowed(const struct uxs_server_conf *conf)
{
	size_t each, all;

	if (__builtin_add_overflow(conf->buffer_bytes, conf->max_message_bytes,
		&each) ||
	    __builtin_add_overflow(each, sizeof(uint32_t), &each) ||
	    (conf->fates != NULL &&
		__builtin_add_overflow(each, 2 * delayed_cost(0), &each)) ||
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
