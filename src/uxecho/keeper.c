/* SPDX-License-Identifier: ISC */
/* The process that starts us anew. */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "origin.h"
#include "process.h"
#include "upgrade_wire.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { KEEPER_READY = 'r', KEEPER_RUN = 's', KEEPER_KILL = 'k' };

/* ---- the process ---- */

struct post {
	const struct origin *origin;
	bool returns_home;
	int fd; /* to the daemon */
	pid_t child;
	int child_fd; /* a pidfd; -1: no child */
};

/* What goes wrong is told as the program itself would tell it. */
static void
be_program(const struct post *post, int fd)
{
	struct uxs_error why;

	origin_exec(post->origin, fd, post->returns_home, &why);
	upgrade_wire_send(fd, UPGRADE_FAILED, why.text, strlen(why.text));
	_exit(uxs_error_exit_status(&why));
}

static void
report(struct post *post, int status)
{
	upgrade_wire_send(post->fd, UPGRADE_ENDED, &status, sizeof(status));
}

/* Takes fd. */
static void
run(struct post *post, int fd)
{
	if (post->child_fd >= 0 || (post->child = fork()) < 0) {
		close(fd);
		report(post, W_EXITCODE(71, 0));
		return;
	}
	if (post->child == 0)
		be_program(post, fd);
	close(fd);
	post->child_fd = (int)syscall(SYS_pidfd_open, post->child, 0);
	if (post->child_fd < 0) /* it would never be missed */
		kill(post->child, SIGKILL);
}

static void
on_child_ended(struct post *post)
{
	int status = 0;

	while (waitpid(post->child, &status, 0) < 0 && errno == EINTR)
		;
	close(post->child_fd);
	post->child_fd = -1;
	report(post, status);
}

/* Returns false when the daemon is gone. */
static bool
obey(struct post *post)
{
	struct upgrade_wire message = { .fd = -1 };

	if (upgrade_wire_receive(post->fd, &message, 0) <= 0)
		return false;
	if (message.kind == KEEPER_RUN && message.fd >= 0)
		run(post, message.fd);
	else if (message.fd >= 0)
		close(message.fd);
	if (message.kind == KEEPER_KILL && post->child_fd >= 0)
		kill(post->child, SIGKILL);
	return true;
}

/* Signals are for the daemon; whoever ends all of a service ends that, and
 * with it this. */
static void
be_keeper(struct post *post, bool lets_go_of_stderr)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "uxecho-keeper", 0, 0, 0);
	process_keep(&post->fd, 1);
	if (!process_forget(STDIN_FILENO,
		lets_go_of_stderr ? STDERR_FILENO : STDOUT_FILENO) ||
	    (post->returns_home && chdir("/") < 0) ||
	    upgrade_wire_send(post->fd, KEEPER_READY, "", 0) < 0)
		_exit(1);
	for (;;) {
		struct pollfd ready[2] = {
			{ .fd = post->fd, .events = POLLIN },
			{ .fd = post->child_fd, .events = POLLIN },
		};

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (ready[1].revents != 0)
			on_child_ended(post);
		if (ready[0].revents != 0 && !obey(post))
			_exit(0);
	}
}

/* ---- the daemon's side ---- */

static int
fail(struct uxs_error *why, int code)
{
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, code,
	    "cannot start the process that can start us anew: %s",
	    strerror(code));
}

int
keeper_start(struct keeper *k, const struct origin *origin,
    bool lets_go_of_directory, bool lets_go_of_stderr, struct uxs_error *why)
{
	struct post post = {
		.origin = origin,
		.returns_home = lets_go_of_directory,
		.child_fd = -1,
	};
	struct upgrade_wire message = { .fd = -1 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(why, errno);
	post.fd = pair[1];
	if ((k->pid = fork()) == 0)
		be_keeper(&post, lets_go_of_stderr);
	close(pair[1]);
	k->fd = pair[0];
	if (k->pid < 0) {
		const int code = errno;

		close(k->fd);
		*k = (struct keeper)KEEPER_NONE;
		return fail(why, code);
	}
	/* Until then it has copies of the sockets. */
	if (upgrade_wire_receive(k->fd, &message, 0) > 0)
		return 0;
	keeper_stop(k);
	return fail(why, ECHILD);
}

int
keeper_run(struct keeper *k, int fd)
{
	return upgrade_wire_send_fd(k->fd, KEEPER_RUN, fd);
}

void
keeper_kill(struct keeper *k)
{
	if (k->fd >= 0)
		upgrade_wire_send(k->fd, KEEPER_KILL, "", 0);
}

int
keeper_ended(struct keeper *k, int *status)
{
	struct upgrade_wire message = { .fd = -1 };
	const int r = upgrade_wire_receive(k->fd, &message, MSG_DONTWAIT);

	if (r == -EAGAIN)
		return 0;
	if (r <= 0)
		return -ECONNRESET;
	if (message.fd >= 0)
		close(message.fd);
	if (message.kind != UPGRADE_ENDED || message.length != sizeof(*status))
		return 0;
	memcpy(status, message.bytes, sizeof(*status));
	return 1;
}

void
keeper_stop(struct keeper *k)
{
	if (k->fd < 0)
		return;
	close(k->fd); /* end of file is its end */
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*k = (struct keeper)KEEPER_NONE;
}
