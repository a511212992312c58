/* SPDX-License-Identifier: ISC */
/*
 * A directory held open and a name in it. See place.h for why. The directory
 * is opened O_PATH: only search permission is needed, and it does no I/O.
 */
#include <uxsrv/place.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/address.h>
#include <uxsrv/error.h>

#include "shown.h"
#include "sysret.h"

/* "/proc/self/fd/2147483647" and its NUL. */
#define FD_PATH_MAX 32

/* How far up a directory tree is followed; deeper ones do not fit PATH_MAX. */
#define ANCESTORS_MAX (PATH_MAX / 2)

static char *
fd_path(char text[FD_PATH_MAX], int fd)
{
	snprintf(text, FD_PATH_MAX, "/proc/self/fd/%d", fd);
	return text;
}

/*
 * Shorten directory to its first component that cannot be opened, so that the
 * message names the culprit and not the whole path.
 */
static void
find_culprit(char *directory)
{
	for (char *slash = directory + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		int fd;

		*slash = '\0';
		fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return;
		close(fd);
		*slash = '/';
	}
}

/* What cannot be opened for want of search permission lies in the directory
 * that refuses: opening O_PATH needs nothing of the thing itself. */
static void
cut_last(char *directory)
{
	char *slash = strrchr(directory, '/');

	if (slash == NULL)
		strcpy(directory, ".");
	else
		slash[slash == directory] = '\0';
}

static int
explain_open(struct uxs_error *why, const char *path, char *directory, int code)
{
	char path_text[SHOWN_MAX], culprit[SHOWN_MAX];
	const char *cause = strerror(code);

	find_culprit(directory);
	if (code == ENOENT) {
		cause = "does not exist; create it first";
	} else if (code == ENOTDIR) {
		cause = "is not a directory";
	} else if (code == EACCES) {
		cut_last(directory);
		cause = "may not be searched by this user";
	}
	return uxs_error_set(why, uxs_failure_of(code, UXS_FAILURE_CREATE),
	    code, "%s: the directory %s %s", shown(path_text, path),
	    shown(culprit, directory), cause);
}

int
uxs_place_open(struct uxs_place *place, const char *path, struct uxs_error *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char directory[PATH_MAX] = ".";
	int fd;

	*place = (struct uxs_place)UXS_PLACE_CLOSED;
	if (strlen(path) >= PATH_MAX || strlen(name) > NAME_MAX)
		return uxs_error_set(why, UXS_FAILURE_USAGE, ENAMETOOLONG,
		    "the path is too long");
	if (slash != NULL) /* "/name" is in "/" */
		snprintf(directory, sizeof(directory), "%.*s",
		    (int)(slash == path ? 1 : slash - path), path);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return explain_open(why, path, directory, errno);
	place->dir_fd = fd;
	place->path = path;
	snprintf(place->name, sizeof(place->name), "%s", name);
	return 0;
}

void
uxs_place_close(struct uxs_place *place)
{
	if (place->dir_fd >= 0)
		close(place->dir_fd);
	*place = (struct uxs_place)UXS_PLACE_CLOSED;
}

/* ---- safety ---- */

static enum uxs_place_safety
judge(const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return UXS_PLACE_UNSAFE;
	if (st->st_mode & S_ISVTX) /* only owners remove and rename in it */
		return UXS_PLACE_SAFE;
	if (st->st_mode & S_IWOTH)
		return UXS_PLACE_UNSAFE;
	if (st->st_mode & S_IWGRP)
		return UXS_PLACE_GROUP_WRITABLE;
	return UXS_PLACE_SAFE;
}

static void
explain_safety(struct uxs_error *why, const struct uxs_place *place,
    const struct stat *st, enum uxs_place_safety safety, const char *which)
{
	char path_text[SHOWN_MAX];
	const char *path = shown(path_text, place->path);

	if (safety == UXS_PLACE_GROUP_WRITABLE)
		uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
		    "%s: %s is writable by group %u, which could replace the "
		    "socket",
		    path, which, (unsigned)st->st_gid);
	else if (st->st_uid != geteuid() && st->st_uid != 0)
		uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
		    "%s: %s is owned by uid %u, who could replace the socket; "
		    "use a directory of your own, or --force-dir",
		    path, which, (unsigned)st->st_uid);
	else
		uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
		    "%s: %s is writable by everybody without the sticky bit "
		    "(mode %04o), so that anybody could replace the socket; "
		    "use another directory, chmod +t it, or --force-dir",
		    path, which, (unsigned)(st->st_mode & 07777));
}

/* Whoever can rename a directory further up can replace all that is in it. */
static int
check_ancestors(const struct uxs_place *place, const struct stat *bottom,
    struct uxs_error *why)
{
	int fd = openat(place->dir_fd, "..", O_PATH | O_CLOEXEC);
	struct stat st, below = *bottom;
	int r = UXS_PLACE_SAFE;

	for (int i = 0; i < ANCESTORS_MAX && fd >= 0; i++) {
		int up;

		if (fstat(fd, &st) < 0 ||
		    (st.st_ino == below.st_ino && st.st_dev == below.st_dev))
			break; /* the root is its own parent */
		if (judge(&st) == UXS_PLACE_UNSAFE) {
			explain_safety(why, place, &st, UXS_PLACE_UNSAFE,
			    "a directory above it");
			r = UXS_PLACE_ANCESTOR_UNSAFE;
			break;
		}
		below = st;
		up = openat(fd, "..", O_PATH | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return r;
}

int
uxs_place_check(const struct uxs_place *place, struct uxs_error *why)
{
	char path_text[SHOWN_MAX];
	enum uxs_place_safety safety;
	struct stat st;

	if (fstat(place->dir_fd, &st) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "%s: cannot look at its directory: %s",
		    shown(path_text, place->path), strerror(errno));
	safety = judge(&st);
	if (safety == UXS_PLACE_SAFE)
		return check_ancestors(place, &st, why);
	explain_safety(why, place, &st, safety, "its directory");
	return safety;
}

/* ---- the file ---- */

int
uxs_place_sockaddr(const struct uxs_place *place, const char *name,
    struct sockaddr_un *sa, socklen_t *length)
{
	char directory[FD_PATH_MAX];
	char path[FD_PATH_MAX + NAME_MAX + 1];

	if (strcmp(name, place->name) == 0 &&
	    uxs_sockaddr_from_path(sa, length, place->path) == 0)
		return 0;
	/* Peers are shown this literal text, so only where it is needed. */
	snprintf(path, sizeof(path), "%s/%s", fd_path(directory, place->dir_fd),
	    name);
	return uxs_sockaddr_from_path(sa, length, path);
}

int
uxs_place_pin(const struct uxs_place *place)
{
	return sysret(openat(place->dir_fd, place->name,
	    O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int
uxs_pin_connect(int pin_fd, int socket_fd)
{
	struct sockaddr_un sa;
	socklen_t length;
	char path[FD_PATH_MAX];
	int r;

	uxs_sockaddr_from_path(&sa, &length, fd_path(path, pin_fd));
	r = sysret(connect(socket_fd, (struct sockaddr *)&sa, length));
	/* The inode is held, so nothing but /proc itself can be missing. */
	return r == -ENOENT ? -ENOSYS : r;
}

int
uxs_place_remove(const struct uxs_place *place, dev_t dev, ino_t ino)
{
	struct stat st;

	if (fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != dev || st.st_ino != ino || !S_ISSOCK(st.st_mode))
		return 0;
	if (unlinkat(place->dir_fd, place->name, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
