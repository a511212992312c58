/* SPDX-License-Identifier: ISC */
/*
 * Connections to a target. The path is opened O_PATH, which follows symbolic
 * links as connect(2) would and has no effect on what it finds; everything
 * after that concerns the very file that was found.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/place.h>
#include <uxsrv/units.h>

#include "loopback.h"
#include "return_address.h"

/* ---- the file ---- */

void
target_unpin(struct target *target)
{
	if (target->pin_fd >= 0)
		close(target->pin_fd);
	target->pin_fd = -1;
}

/* PATH.dgram or @NAME.dgram, of a pair, becomes PATH or @NAME itself. */
static void
drop_suffix(struct uxs_address *address)
{
	address->length -= sizeof(UXS_PAIR_SUFFIX) - 1;
	address->name[address->length] = '\0';
}

static int
open_path(const struct target *target)
{
	const int fd = open(target->address.name, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* -t dgram with a path whose PATH.dgram is missing: PATH itself will do when
 * it is a datagram socket, which connecting to it tells. */
static int
open_pair(struct target *target)
{
	const struct uxs_address pair = target->address;
	int fd = open_path(target);

	if (!target->has_pair || fd != -ENOENT)
		return fd;
	drop_suffix(&target->address);
	if ((fd = open_path(target)) < 0) {
		target->address = pair;
		return fd;
	}
	target->has_pair = false;
	target_relabel(target);
	return fd;
}

static int
pin(struct target *target)
{
	int r;

	if (target->pin_fd >= 0)
		return 0;
	if ((r = open_pair(target)) < 0)
		return r;
	target->pin_fd = r;
	return fstat(target->pin_fd, &target->file) < 0 ? -errno : 0;
}

/* ---- connecting ---- */

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

static int
connect_abstract(const struct target *target, int fd)
{
	struct sockaddr_un sa;
	socklen_t length;

	uxs_sockaddr_from_abstract(&sa, &length, target->address.name,
	    target->address.length);
	return connect(fd, (struct sockaddr *)&sa, length) < 0 ? -errno : 0;
}

/* Without /proc there is the path only, which can be swapped: not where
 * somebody insists on the owner. */
static int
connect_pinned(const struct target *target, int fd)
{
	struct sockaddr_un sa;
	socklen_t length;
	int r = uxs_pin_connect(target->pin_fd, fd);

	if (r != -ENOSYS || target->expect_uid != UXS_UID_NONE)
		return r;
	if (uxs_sockaddr_from_path(&sa, &length, target->address.name) < 0)
		return r;
	return connect(fd, (struct sockaddr *)&sa, length) < 0 ? -errno : 0;
}

/* One attempt with one type. Returns 0 and an open link, or a negative errno. */
static int
attempt(struct target *target, enum uxs_type type, struct target_link *link)
{
	const int kind = uxs_type_socket(type) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int64_t start_ns;
	int r;

	if ((link->fd = socket(AF_UNIX, kind, 0)) < 0)
		return -errno;
	start_ns = now_ns();
	r = target->address.is_abstract ? connect_abstract(target, link->fd) :
					  connect_pinned(target, link->fd);
	link->connect_ns = now_ns() - start_ns;
	if (r < 0)
		target_disconnect(link);
	return r;
}

/*
 * Does this answer leave room for another type? A socket file says that it is
 * of another one; an abstract name of another type is simply not found.
 */
static bool
may_be_other_type(const struct target *target, int r)
{
	return target->is_type_open &&
	    (r == -EPROTOTYPE ||
		(r == -ECONNREFUSED && target->address.is_abstract));
}

static int
attempt_types(struct target *target, struct target_link *link)
{
	static const enum uxs_type order[] = { UXS_STREAM, UXS_SEQPACKET,
		UXS_DGRAM };
	int r = attempt(target, target->address.type, link);

	for (size_t i = 1; i < 3 && may_be_other_type(target, r); i++) {
		const int other = attempt(target, order[i], link);

		if (other == 0)
			target->address.type = order[i];
		/* Of two refusals the later is the better informed, unless it
		 * is only about the type. */
		if (other != -EPROTOTYPE)
			r = other;
	}
	if (r == 0)
		target->is_type_open = false;
	return r;
}

/* @NAME.dgram of a pair, else @NAME itself. */
static int
attempt_abstract_pair(struct target *target, struct target_link *link)
{
	const struct uxs_address pair = target->address;
	int r = attempt_types(target, link);

	if (r != -ECONNREFUSED || !target->has_pair)
		return r;
	drop_suffix(&target->address);
	if ((r = attempt_types(target, link)) < 0) {
		target->address = pair;
		return r;
	}
	target->has_pair = false;
	target_relabel(target);
	return 0;
}

static int
connect_unix(struct target *target, struct target_link *link)
{
	const bool was_pinned = target->pin_fd >= 0;
	int r;

	if (target->address.is_abstract)
		return attempt_abstract_pair(target, link);
	if ((r = pin(target)) < 0)
		return r;
	r = attempt_types(target, link);
	if (r != -ECONNREFUSED || !was_pinned)
		return r;
	/* The server may have been replaced, and its file with it. */
	target_unpin(target);
	return (r = pin(target)) < 0 ? r : attempt_types(target, link);
}

/*
 * The one who called listen(2) must be the expected user. The file may be
 * root's as well: whom root sets up, root has chosen. Of a datagram socket
 * nobody attests more than the owner of its file.
 */
static bool
is_expected(const struct target *target, const struct target_link *link)
{
	const uid_t expected = target->expect_uid;

	if (expected == UXS_UID_NONE)
		return true;
	if (target->address.type == UXS_DGRAM)
		return target->file.st_uid == expected;
	if (link->listener.uid != expected)
		return false;
	return target->address.is_abstract || target->file.st_uid == expected ||
	    target->file.st_uid == 0;
}

/* After connect, so that nobody but the peer can ever have sent to it. */
static int
bind_return_address(const struct target *target, struct target_link *link)
{
	const sa_family_t family = AF_UNIX; /* and no name: autobind */
	int r;

	if (target->sends_nothing)
		return 0;
	if (target->autobind)
		return bind(link->fd, (const struct sockaddr *)&family,
			   sizeof(family)) < 0 ?
		    -errno :
		    0;
	if ((r = return_address_bind(link->fd)) < 0)
		return r;
	link->return_id = r;
	return 0;
}

static int
finish_unix(struct target *target, struct target_link *link)
{
	int outcome = TARGET_CONNECTED;

	if (target->address.type != UXS_DGRAM)
		uxs_peer_of_socket(&link->listener, link->fd);
	if (!is_expected(target, link))
		outcome = TARGET_WRONG_USER;
	else if (target->address.type == UXS_DGRAM &&
	    bind_return_address(target, link) < 0)
		outcome = TARGET_REPLY_PATH;
	if (outcome != TARGET_CONNECTED)
		target_disconnect(link);
	return outcome;
}

static int
connect_loopback(const struct target *target, struct target_link *link)
{
	const int64_t start_ns = now_ns();
	const int r = loopback_connect(&target->loopback,
	    target->loopback_length, uxs_type_socket(target->address.type));

	if (r < 0)
		return r == -EAGAIN ? TARGET_BUSY : r;
	link->fd = r;
	link->connect_ns = now_ns() - start_ns;
	return TARGET_CONNECTED;
}

int
target_connect(struct target *target, struct target_link *link)
{
	int r;

	*link = (struct target_link)TARGET_LINK_CLOSED;
	if (target->family != TARGET_UNIX)
		return connect_loopback(target, link);
	if ((r = connect_unix(target, link)) == 0)
		return finish_unix(target, link);
	return r == -EAGAIN ? TARGET_BUSY : r;
}

void
target_disconnect(struct target_link *link)
{
	return_address_remove(link->return_id);
	if (link->fd >= 0)
		close(link->fd);
	*link = (struct target_link)TARGET_LINK_CLOSED;
}
