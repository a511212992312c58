/* SPDX-License-Identifier: ISC */
/*
 * How a socket gets its file: with the right mode from its first instant.
 *
 * fchmod(2) on an unbound socket sets the mode that bind(2) gives the file,
 * less the umask; after bind it changes nothing on disk. The umask belongs to
 * the whole process, so the library does not touch it: what it took away is
 * given back through a descriptor of the file, before anybody is let in.
 */
#include "socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/listener.h>
#include <uxsrv/peer.h>
#include <uxsrv/place.h>

#include "shown.h"
#include "sysret.h"

/* Only for names too long for any sockaddr_un; see uxs_place_sockaddr. */
#define TEMPORARY_NAME_MAX 32

static int
explain(struct uxs_error *why, const struct uxs_place *place, int r,
    const char *what)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, uxs_failure_of(-r, UXS_FAILURE_CREATE), -r,
	    "%s: cannot %s: %s", shown(path_text, place->path), what,
	    strerror(-r));
}

static int
bind_name(int fd, const struct uxs_place *place, const char *name)
{
	struct sockaddr_un sa;
	socklen_t length;
	int r;

	if ((r = uxs_place_sockaddr(place, name, &sa, &length)) < 0)
		return r;
	return sysret(bind(fd, (struct sockaddr *)&sa, length));
}

/* Bind under a short name, then give the file its long one, unless that has
 * been taken in the meantime. */
static int
bind_and_rename(int fd, const struct uxs_place *place)
{
	char name[TEMPORARY_NAME_MAX];
	int r;

	snprintf(name, sizeof(name), ".uxs-%08x%08x", arc4random(),
	    arc4random());
	if ((r = bind_name(fd, place, name)) < 0)
		return r;
	r = sysret(renameat2(place->dir_fd, name, place->dir_fd, place->name,
	    RENAME_NOREPLACE));
	if (r < 0)
		unlinkat(place->dir_fd, name, 0);
	return r == -EEXIST ? -EADDRINUSE : r;
}

static int
bind_place(int fd, const struct uxs_place *place)
{
	int r = bind_name(fd, place, place->name);

	return r == -ENAMETOOLONG ? bind_and_rename(fd, place) : r;
}

static bool
changes_owner(const struct uxs_listener_conf *conf)
{
	return conf->owner_uid != UXS_UID_NONE ||
	    conf->owner_gid != UXS_GID_NONE;
}

/* chmod(2) of exactly this inode: fchmod(2) refuses an O_PATH descriptor, and
 * fchmodat2(2) came with Linux 6.6 only. */
static int
chmod_pinned(int pin_fd, mode_t mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pin_fd);
	return sysret(chmod(path, mode));
}

/*
 * Owner before mode: until the file belongs to whom it should, nobody is let
 * in by a group bit that was meant for another group.
 */
static int
finish(int pin_fd, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, struct stat *made,
    struct uxs_error *why)
{
	int r;

	if (changes_owner(conf) &&
	    (r = sysret(fchownat(pin_fd, "", conf->owner_uid, conf->owner_gid,
		 AT_EMPTY_PATH))) < 0)
		return explain(why, place, r,
		    "give the socket to its owner (only root may)");
	if ((r = sysret(fstat(pin_fd, made))) < 0)
		return explain(why, place, r, "look at the new socket");
	if ((made->st_mode & 07777) != conf->mode &&
	    (r = chmod_pinned(pin_fd, conf->mode)) < 0)
		return explain(why, place, r, "set the socket's mode");
	if ((r = sysret(fstat(pin_fd, made))) < 0)
		return explain(why, place, r, "look at the new socket");
	if ((made->st_mode & 07777) != conf->mode)
		return explain(why, place, -EPERM,
		    "get the mode that was asked for");
	return 0;
}

/* at: where it is bound; place: what it will be known by, for the words. */
static int
make_at(int fd, const struct uxs_place *at, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, struct stat *made,
    struct uxs_error *why)
{
	const mode_t first_mode = changes_owner(conf) ? conf->mode & S_IRWXU :
							conf->mode;
	int pin_fd, r;

	if ((r = sysret(fchmod(fd, first_mode))) < 0)
		return explain(why, place, r, "set the socket's mode");
	if ((r = bind_place(fd, at)) < 0)
		return explain(why, place, r, "create the socket");
	if ((pin_fd = uxs_place_pin(at)) < 0)
		return explain(why, place, pin_fd, "find the new socket");
	r = sysret(fstat(pin_fd, made));
	/* Whoever replaced it so soon may keep what is there now. */
	if (r == 0 && (!S_ISSOCK(made->st_mode) || made->st_uid != geteuid()))
		r = explain(why, place, -ESTALE,
		    "keep the socket: it was replaced at once");
	else if (r == 0 && (r = finish(pin_fd, place, conf, made, why)) < 0)
		uxs_place_remove(at, made->st_dev, made->st_ino);
	close(pin_fd);
	return r;
}

int
socket_file_set_mode(const struct uxs_place *place, dev_t dev, ino_t ino,
    mode_t mode)
{
	const int pin_fd = uxs_place_pin(place);
	struct stat st;
	int r;

	if (pin_fd < 0)
		return pin_fd;
	if ((r = sysret(fstat(pin_fd, &st))) == 0) {
		if (st.st_dev != dev || st.st_ino != ino)
			r = -ESTALE;
		else if ((st.st_mode & 07777) != mode)
			r = chmod_pinned(pin_fd, mode);
	}
	close(pin_fd);
	return r;
}

int
socket_file_make(int fd, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, struct stat *made,
    struct uxs_error *why)
{
	return make_at(fd, place, place, conf, made, why);
}

/* Beside it, under a name that nobody looks for. */
static void
set_aside(struct uxs_place *aside, char path[PATH_MAX],
    const struct uxs_place *place)
{
	const char *slash = strrchr(place->path, '/');
	const int n = slash != NULL ? (int)(slash - place->path) + 1 : 0;

	*aside = *place;
	aside->path = path;
	snprintf(aside->name, sizeof(aside->name), ".uxs-%08x%08x",
	    arc4random(), arc4random());
	/* Too long a path is none of a sockaddr_un, and not bound either. */
	snprintf(path, PATH_MAX, "%.*s%s", n, place->path, aside->name);
}

int
socket_file_publish(int fd, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, int backlog, struct stat *made,
    struct uxs_error *why)
{
	struct uxs_place aside;
	char path[PATH_MAX];
	int r;

	set_aside(&aside, path, place);
	if ((r = make_at(fd, &aside, place, conf, made, why)) < 0)
		return r;
	if ((r = sysret(listen(fd, backlog))) < 0)
		explain(why, place, r, "listen");
	else if ((r = sysret(renameat2(aside.dir_fd, aside.name, place->dir_fd,
		      place->name, RENAME_NOREPLACE))) < 0)
		explain(why, place, r, "give the socket its name");
	if (r < 0)
		uxs_place_remove(&aside, made->st_dev, made->st_ino);
	return r;
}
