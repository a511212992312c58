/* SPDX-License-Identifier: ISC */
/* How a listener gets back to its path; see listener_rebind.h. */
#include "listener_rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <uxsrv/listener.h>

#include "listener_check.h"
#include "listener_parts.h"
#include "socket_file.h"

/* ---- looking ---- */

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool
is_same_directory(const struct uxs_place *a, const struct uxs_place *b)
{
	struct stat st_a, st_b;

	return fstat(a->dir_fd, &st_a) == 0 && fstat(b->dir_fd, &st_b) == 0 &&
	    is_same(&st_a, &st_b);
}

/* A directory further up that we may not search any more proves nothing. */
static bool
leads_elsewhere(const struct uxs_listener *l, const char *path)
{
	struct uxs_place place = UXS_PLACE_CLOSED;
	const int r = uxs_place_open(&place, path, NULL);
	const bool is_elsewhere = r == 0 ?
	    !is_same_directory(&place, &l->place) :
	    r == -ENOENT || r == -ENOTDIR;

	uxs_place_close(&place);
	return is_elsewhere;
}

enum listener_file
listener_look(const struct uxs_listener *l, const char *path, struct stat *st)
{
	if (leads_elsewhere(l, path))
		return LISTENER_FILE_ELSEWHERE;
	if (fstatat(l->place.dir_fd, l->place.name, st, AT_SYMLINK_NOFOLLOW) <
	    0)
		return errno == ENOENT ? LISTENER_FILE_REMOVED :
					 LISTENER_FILE_OURS;
	/* The kernel keeps the inode of a socket that is open, so that nothing
	 * else can have come by its number. */
	return st->st_dev == l->dev && st->st_ino == l->ino ?
	    LISTENER_FILE_OURS :
	    LISTENER_FILE_REPLACED;
}

/* ---- the lock ---- */

bool
listener_has_lock(const struct uxs_listener *l)
{
	return uxs_lock_is_valid(&l->lock, &l->place);
}

int
listener_relock(struct uxs_listener *l, struct uxs_error *why)
{
	struct uxs_lock former = l->lock;
	const int r = listener_take_lock(l, why);

	if (r < 0)
		l->lock = former;
	else
		uxs_lock_close(&former, &l->place);
	return r;
}

/* ---- binding ---- */

static int
make_file(struct uxs_listener *l, const struct uxs_listener_conf *conf,
    int backlog, struct uxs_error *why)
{
	struct stat made;
	/* Datagrams are received from bind(2) on. */
	const int r = l->address->type == UXS_DGRAM ?
	    socket_file_make(l->fd, &l->place, conf, &made, why) :
	    socket_file_publish(l->fd, &l->place, conf, backlog, &made, why);

	if (r < 0)
		return r;
	l->is_bound = true;
	l->dev = made.st_dev;
	l->ino = made.st_ino;
	return 0;
}

int
listener_rebind(struct uxs_listener *fresh, struct uxs_listener *former,
    const struct uxs_listener_conf *conf, const char *path, int backlog,
    struct uxs_error *why)
{
	bool keeps_lock;
	int r;

	*fresh = (struct uxs_listener)UXS_LISTENER_CLOSED;
	fresh->address = former->address;
	if ((r = uxs_place_open(&fresh->place, path, why)) < 0)
		return r;
	keeps_lock = is_same_directory(&fresh->place, &former->place) &&
	    listener_has_lock(former);
	if ((r = listener_check_directory(conf, &fresh->place, why)) < 0 ||
	    (!keeps_lock && (r = listener_take_lock(fresh, why)) < 0) ||
	    (r = listener_remove_dead(fresh, why)) < 0 ||
	    (r = listener_make_socket(fresh, why)) < 0 ||
	    (r = make_file(fresh, conf, backlog, why)) < 0) {
		uxs_listener_close(fresh);
		return r;
	}
	if (keeps_lock) {
		fresh->lock = former->lock;
		former->lock = (struct uxs_lock)UXS_LOCK_CLOSED;
	}
	return 0;
}
