/* SPDX-License-Identifier: ISC */
/* For scripts that know us by a file. The lock on the socket does not rest on
 * it. */
#include "pid_file.h"

#include <errno.h>
#include <libutil.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/place.h>

#define SHOWN_MAX 400

/* Root must not be made to write through a link that a stranger has put. */
static int
check_directory(const char *path, struct uxs_error *why)
{
	struct uxs_place place;
	struct uxs_error doubt;
	char shown[SHOWN_MAX];
	int r = uxs_place_open(&place, path, why);

	if (r < 0)
		return r;
	if (uxs_place_check(&place, &doubt) == UXS_PLACE_UNSAFE)
		r = uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
		    "--pidfile %s: others could replace a file in its "
		    "directory; use a directory of your own or of root's",
		    uxs_escape(shown, sizeof(shown), path, strlen(path)));
	uxs_place_close(&place);
	return r;
}

static int
make_absolute(const char *path, char absolute[PATH_MAX], struct uxs_error *why)
{
	char here[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(here, sizeof(here) - 1) == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot find out the working directory: %s",
		    strerror(errno));
	n = snprintf(absolute, PATH_MAX, "%s%s%s", here,
	    path[0] != '/' ? "/" : "", path);
	if (n >= PATH_MAX)
		return uxs_error_set(why, UXS_FAILURE_USAGE, ENAMETOOLONG,
		    "--pidfile: the path is too long");
	return 0;
}

/* A holder that starts just now has not written its number yet. */
static int
explain_held(struct uxs_error *why, const char *shown, pid_t holder)
{
	if (holder > 0)
		return uxs_error_set(why, UXS_FAILURE_LIVE, EEXIST,
		    "--pidfile %s: process %ld holds this file; stop it, or "
		    "choose another one",
		    shown, (long)holder);
	return uxs_error_set(why, UXS_FAILURE_LIVE, EEXIST,
	    "--pidfile %s: a process that is starting holds this file", shown);
}

int
pid_file_open(struct pid_file *file, struct uxs_error *why)
{
	char shown[SHOWN_MAX];
	pid_t holder = -1;
	int r, code;

	if (file->path == NULL)
		return 0;
	if ((r = check_directory(file->path, why)) < 0)
		return r;
	/* It is removed by its path, maybe from another working directory.
	 * 0600, since whoever can read it could lock it. */
	if ((r = make_absolute(file->path, file->absolute, why)) < 0)
		return r;
	file->handle = pidfile_open(file->absolute, 0600, &holder);
	if (file->handle != NULL)
		return 0;
	code = errno;
	uxs_escape(shown, sizeof(shown), file->path, strlen(file->path));
	if (code == EEXIST || code == EAGAIN)
		return explain_held(why, shown, code == EEXIST ? holder : -1);
	return uxs_error_set(why, uxs_failure_of(code, UXS_FAILURE_CREATE),
	    code, "--pidfile %s: cannot make this file: %s", shown,
	    strerror(code));
}

/* ---- from a predecessor ---- */

static bool
is_at(int fd, const char *path)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && lstat(path, &there) == 0 &&
	    held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

int
pid_file_adopt(struct pid_file *file, int fd, struct uxs_error *why)
{
	char shown[SHOWN_MAX];
	int r;

	if (file->path == NULL || fd < 0) {
		if (fd >= 0)
			close(fd);
		return pid_file_open(file, why);
	}
	file->fd = fd;
	if ((r = make_absolute(file->path, file->absolute, why)) < 0)
		return r;
	/* To lock again what this open file has locked does nothing. */
	if (is_at(fd, file->absolute) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	uxs_escape(shown, sizeof(shown), file->path, strlen(file->path));
	return uxs_error_set(why, UXS_FAILURE_CONFIG, ESTALE,
	    "--pidfile %s is not the file that was handed over", shown);
}

int
pid_file_fd(const struct pid_file *file)
{
	return file->handle != NULL ? pidfile_fileno(file->handle) : file->fd;
}

void
pid_file_leave(struct pid_file *file)
{
	if (file->handle != NULL)
		pidfile_close(file->handle);
	file->handle = NULL;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- what is in it ---- */

/* As pidfile_write(3bsd) does. */
static int
write_pid(int fd)
{
	return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
		dprintf(fd, "%ld", (long)getpid()) > 0 ?
	    0 :
	    -1;
}

int
pid_file_write(struct pid_file *file, struct uxs_error *why)
{
	/* After a write that failed, libbsd has removed the file, and frees
	 * the handle by no call any more. So that it is not taken for lost: */
	static struct pidfh *volatile spent __attribute__((unused));
	char shown[SHOWN_MAX];
	int code;

	if (pid_file_fd(file) < 0 ||
	    (file->handle != NULL ? pidfile_write(file->handle) :
				    write_pid(file->fd)) == 0)
		return 0;
	code = errno;
	spent = file->handle;
	file->handle = NULL;
	uxs_escape(shown, sizeof(shown), file->path, strlen(file->path));
	return uxs_error_set(why, UXS_FAILURE_CREATE, code,
	    "--pidfile %s: cannot write to this file: %s", shown,
	    strerror(code));
}

void
pid_file_close(struct pid_file *file)
{
	/* Also frees the handle where the file cannot be removed: where we may
	 * not do that any more, it has been done for us. */
	if (file->handle != NULL)
		pidfile_remove(file->handle);
	file->handle = NULL;
	if (file->fd >= 0 && is_at(file->fd, file->absolute))
		unlink(file->absolute);
	pid_file_leave(file);
}
