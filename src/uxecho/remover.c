/* SPDX-License-Identifier: ISC */
/*
 * A process of root that removes our files, and nothing else.
 *
 * It is told before we let go of the lock: while that is held, nobody of our
 * kind can have put other files there. When we end without telling it, it ends
 * too, and what is left is as after any crash.
 */
#include "remover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/lock.h>
#include <uxsrv/place.h>
#include <uxsrv/server.h>

#include "privileges.h"
#include "process.h"

/* A file system that does not respond must not keep us from ending. */
#define PATIENCE_S 5

/* ---- the process ---- */

static bool
keep_descriptors(const struct remover *r, int fd)
{
	int *keep = reallocarray(NULL, r->n + 1, sizeof(*keep));

	if (keep == NULL || !process_forget(STDIN_FILENO, STDERR_FILENO))
		return false;
	for (size_t i = 0; i < r->n; i++)
		keep[i] = r->files[i].dir_fd;
	keep[r->n] = fd;
	process_keep(keep, r->n + 1);
	free(keep);
	return true;
}

/* Returns false while it is still there. */
static bool
remove_file(const struct remover_file *f)
{
	struct stat st;

	if (fstatat(f->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (st.st_dev != f->dev || st.st_ino != f->ino)
		return true; /* somebody else's by now */
	return unlinkat(f->dir_fd, f->name, 0) == 0;
}

static char
remove_files(const struct remover *r)
{
	char answer = 'y';

	for (size_t i = 0; i < r->n; i++) {
		if (!remove_file(&r->files[i]))
			answer = 'n';
	}
	return answer;
}

/* Signals are for the daemon; whoever ends all of a service ends that, and
 * with it this. */
static void
be_remover(const struct remover *r, int fd)
{
	const uint64_t caps = UINT64_C(1) << CAP_DAC_OVERRIDE |
	    UINT64_C(1) << CAP_FOWNER;
	sigset_t all;
	char told;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "uxecho-remover", 0, 0, 0);
	if (!keep_descriptors(r, fd) || chdir("/") < 0 ||
	    privileges_limit(caps) < 0)
		_exit(1);
	if (write(fd, "r", 1) == 1 && read(fd, &told, 1) == 1) {
		told = remove_files(r);
		if (write(fd, &told, 1) < 0)
			_exit(1);
	}
	_exit(0);
}

/* ---- what it is to remove ---- */

static void
forget_files(struct remover *r)
{
	for (size_t i = 0; i < r->n; i++)
		close(r->files[i].dir_fd);
	free(r->files);
	r->files = NULL;
	r->n = 0;
}

static int
add_name(struct remover *r, const struct uxs_place *place, const char *suffix,
    struct uxs_error *why)
{
	struct remover_file *files =
	    reallocarray(r->files, r->n + 1, sizeof(*files));
	struct remover_file *f;
	struct stat st;

	if (files == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the names of files");
	r->files = files;
	f = &files[r->n];
	snprintf(f->name, sizeof(f->name), "%.*s%s",
	    (int)(sizeof(f->name) - strlen(suffix) - 1), place->name, suffix);
	if (fstatat(place->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone already */
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->dir_fd = fcntl(place->dir_fd, F_DUPFD_CLOEXEC, 0);
	if (f->dir_fd < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot hold a directory open: %s", strerror(errno));
	r->n++;
	return 0;
}

static int
add_path(struct remover *r, const char *path, bool has_lock,
    struct uxs_error *why)
{
	struct uxs_place place = UXS_PLACE_CLOSED;
	int result = uxs_place_open(&place, path, why);

	if (result == 0)
		result = add_name(r, &place, "", why);
	if (result == 0 && has_lock)
		result = add_name(r, &place, UXS_LOCK_SUFFIX, why);
	uxs_place_close(&place);
	return result;
}

static int
add_socket(struct remover *r, const struct uxs_address *address,
    struct uxs_error *why)
{
	return uxs_address_has_file(address) ?
	    add_path(r, address->name, true, why) :
	    0;
}

static int
add_all(struct remover *r, const struct uxs_server_conf *conf,
    const struct uxs_address *other, const char *file, struct uxs_error *why)
{
	int result = file != NULL ? add_path(r, file, false, why) : 0;

	for (size_t i = 0; i < conf->n_addresses && result == 0; i++)
		result = add_socket(r, &conf->addresses[i], why);
	if (other != NULL && result == 0)
		result = add_socket(r, other, why);
	return result;
}

/* ---- to have it ---- */

/* Until then it has copies of the sockets, and all of root's rights. */
static int
wait_until_confined(struct remover *r, struct uxs_error *why)
{
	char ready;

	if (recv(r->fd, &ready, 1, 0) == 1)
		return 0;
	remover_stop(r);
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, EPERM,
	    "the process that removes the socket files cannot give up what it "
	    "does not need");
}

static int
start(struct remover *r, struct uxs_error *why)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot make a pair of sockets: %s", strerror(errno));
	if ((r->pid = fork()) == 0)
		be_remover(r, pair[1]);
	close(pair[1]);
	if (r->pid < 0) {
		close(pair[0]);
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot start the process that removes the socket files: "
		    "%s",
		    strerror(errno));
	}
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	r->fd = pair[0];
	return wait_until_confined(r, why);
}

int
remover_start(struct remover *r, const struct uxs_server_conf *conf,
    const struct uxs_address *other, const char *file, struct uxs_error *why)
{
	int result = add_all(r, conf, other, file, why);

	if (result == 0 && r->n > 0)
		result = start(r, why);
	if (result < 0)
		forget_files(r);
	return result;
}

static bool
can_remove(const struct remover_file *f)
{
	struct stat directory, file;

	if (faccessat(f->dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ||
	    fstatat(f->dir_fd, ".", &directory, 0) < 0 ||
	    fstatat(f->dir_fd, f->name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return (directory.st_mode & S_ISVTX) == 0 ||
	    directory.st_uid == geteuid() || file.st_uid == geteuid();
}

bool
remover_is_needed(struct remover *r)
{
	bool is_needed = false;

	for (size_t i = 0; i < r->n; i++)
		is_needed |= !can_remove(&r->files[i]);
	forget_files(r);
	if (!is_needed)
		remover_stop(r);
	return is_needed;
}

bool
remover_remove(struct remover *r)
{
	char answer = 'n';

	if (r->fd < 0)
		return true;
	if (send(r->fd, "r", 1, MSG_NOSIGNAL) == 1 &&
	    recv(r->fd, &answer, 1, 0) == 1) {
		remover_stop(r);
	} else { /* do not wait for it any longer */
		close(r->fd);
		r->fd = -1;
	}
	return answer == 'y';
}

void
remover_stop(struct remover *r)
{
	forget_files(r);
	if (r->fd < 0)
		return;
	close(r->fd); /* end of file is its end */
	r->fd = -1;
	while (r->pid > 0 && waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
}

/* ---- from one process to the next ---- */

int
remover_fd(const struct remover *r)
{
	return r->fd;
}

void
remover_adopt(struct remover *r, int fd)
{
	*r = (struct remover)REMOVER_NONE;
	r->fd = fd;
}

void
remover_leave(struct remover *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->pid = 0;
}
