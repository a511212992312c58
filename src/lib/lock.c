/* SPDX-License-Identifier: ISC */
/*
 * PATH.lock, by flopenat(3) of libbsd: it locks, then checks that the file it
 * locked is still the one at the path, so that a holder may remove the file
 * when it lets go without a window for two.
 */
#include <uxsrv/lock.h>

#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/place.h>

#include "shown.h"

static void
lock_name(char name[NAME_MAX + 1], const struct uxs_place *place)
{
	/* Addresses are refused whose lock would not fit. */
	snprintf(name, NAME_MAX + 1, "%.*s%s",
	    (int)(NAME_MAX - sizeof(UXS_LOCK_SUFFIX) + 1), place->name,
	    UXS_LOCK_SUFFIX);
}

/* Who holds it, as far as we may read. */
static void
read_holder(const struct uxs_place *place, const char *name,
    struct uxs_lock_holder *holder)
{
	int fd = openat(place->dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[16] = "";
	struct stat st;

	*holder = (struct uxs_lock_holder){ .uid = (uid_t)-1 };
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		holder->uid = st.st_uid;
		if (S_ISREG(st.st_mode) && read(fd, text, sizeof(text) - 1) > 0)
			holder->pid = (pid_t)strtol(text, NULL, 10);
	}
	close(fd);
}

static int
explain(struct uxs_error *why, const struct uxs_place *place, int code)
{
	char path_text[SHOWN_MAX];
	const char *cause = strerror(code);

	if (code == EACCES)
		cause = "its directory is not writable by this user, or the "
			"lock file is another user's";
	else if (code == EROFS)
		cause = "its file system is read-only";
	else if (code == ELOOP)
		cause = "a symbolic link has that name";
	else if (code == EISDIR)
		cause = "a directory has that name";
	return uxs_error_set(why, uxs_failure_of(code, UXS_FAILURE_CREATE),
	    code, "%s%s: cannot lock: %s", shown(path_text, place->path),
	    UXS_LOCK_SUFFIX, cause);
}

/*
 * Nothing that a stranger prepared: not a fifo, not another name of a file
 * that we are about to write to, not a file that others can lock or write.
 */
static bool
is_our_lock_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_mode & 077) == 0 &&
	    (st.st_uid == geteuid() || st.st_uid == 0);
}

static int
explain_strange(struct uxs_error *why, const struct uxs_place *place)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
	    "%s%s is not a lock file of ours (a regular file, mode 0600, one "
	    "name, owned by us or root): look at it, then remove it",
	    shown(path_text, place->path), UXS_LOCK_SUFFIX);
}

static bool
write_pid(int fd)
{
	/* Whoever handed it over has the same offset, and wrote to it. */
	return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    dprintf(fd, "%ld\n", (long)getpid()) > 0;
}

int
uxs_lock_open(struct uxs_lock *lock, const struct uxs_place *place,
    struct uxs_lock_holder *holder, struct uxs_error *why)
{
	char name[NAME_MAX + 1];
	int fd;

	*lock = (struct uxs_lock)UXS_LOCK_CLOSED;
	lock_name(name, place);
	fd = flopenat(place->dir_fd, name,
	    O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0) {
		const int code = errno;

		read_holder(place, name, holder);
		return code == EWOULDBLOCK ? UXS_LOCK_HELD :
					     explain(why, place, code);
	}
	if (!is_our_lock_file(fd)) {
		close(fd);
		return explain_strange(why, place);
	}
	lock->fd = fd;
	if (!write_pid(fd)) {
		const int code = errno;

		uxs_lock_close(lock, place);
		return explain(why, place, code);
	}
	return UXS_LOCK_TAKEN;
}

int
uxs_lock_check(const struct uxs_place *place, struct uxs_error *why)
{
	char name[NAME_MAX + 1];
	int fd, r = 0;

	lock_name(name, place);
	fd = openat(place->dir_fd, name,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : explain(why, place, errno);
	if (!is_our_lock_file(fd))
		r = explain_strange(why, place);
	close(fd);
	return r;
}

static bool
is_at(int fd, const struct uxs_place *place)
{
	char name[NAME_MAX + 1];
	struct stat held, there;

	lock_name(name, place);
	return fstat(fd, &held) == 0 &&
	    fstatat(place->dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

bool
uxs_lock_is_valid(const struct uxs_lock *lock, const struct uxs_place *place)
{
	return lock->fd >= 0 && is_at(lock->fd, place);
}

/* ---- from a predecessor ---- */

int
uxs_lock_adopt(struct uxs_lock *lock, const struct uxs_place *place, int fd,
    struct uxs_error *why)
{
	char path_text[SHOWN_MAX];

	*lock = (struct uxs_lock)UXS_LOCK_CLOSED;
	/* To lock again what this open file has locked does nothing. */
	if (!is_our_lock_file(fd) || !is_at(fd, place) ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return uxs_error_set(why, UXS_FAILURE_CONFIG, ESTALE,
		    "%s%s is not the lock that was handed over",
		    shown(path_text, place->path), UXS_LOCK_SUFFIX);
	if ((lock->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return explain(why, place, errno);
	return 0;
}

int
uxs_lock_own(struct uxs_lock *lock)
{
	return lock->fd < 0 || write_pid(lock->fd) ? 0 : -errno;
}

void
uxs_lock_leave(struct uxs_lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	*lock = (struct uxs_lock)UXS_LOCK_CLOSED;
}

/* ---- the end ---- */

void
uxs_lock_close(struct uxs_lock *lock, const struct uxs_place *place)
{
	char name[NAME_MAX + 1];

	if (lock->fd < 0)
		return;
	lock_name(name, place);
	/* While we hold it, nobody of our kind replaces it; others might. */
	if (is_at(lock->fd, place))
		unlinkat(place->dir_fd, name, 0);
	uxs_lock_leave(lock);
}
