/* SPDX-License-Identifier: ISC */
/*
 * A program in a process of its own; see exec_spawn.h.
 *
 * posix_spawn(3) shares our memory with the child until it has loaded the
 * program (CLONE_VM and CLONE_VFORK), so that the cost does not grow with us.
 */
#include "exec_spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

static int
fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int code;

	sigfillset(&all);
	sigemptyset(&none);
	if ((code = posix_spawnattr_setflags(attributes,
		 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
		     POSIX_SPAWN_SETSIGMASK)) != 0 ||
	    (code = posix_spawnattr_setpgroup(attributes, 0)) != 0 ||
	    (code = posix_spawnattr_setsigdefault(attributes, &all)) != 0 ||
	    (code = posix_spawnattr_setsigmask(attributes, &none)) != 0)
		return code;
	return 0;
}

static int
fill_actions(posix_spawn_file_actions_t *actions, int fd)
{
	int code;

	if ((code = posix_spawn_file_actions_adddup2(actions, fd,
		 STDIN_FILENO)) != 0 ||
	    (code = posix_spawn_file_actions_adddup2(actions, fd,
		 STDOUT_FILENO)) != 0)
		return code;
	/* All of ours are close-on-exec; what was open when we were started,
	 * and is nobody's, need not be. */
	return posix_spawn_file_actions_addclosefrom_np(actions,
	    STDERR_FILENO + 1);
}

/* A limit is inherited and cannot be set on the way. Nothing is opened here
 * while ours is the lower one. */
static int
spawn_with_limit(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[],
    char *const environment[])
{
	struct rlimit ours, its;
	int code;

	if (getrlimit(RLIMIT_NOFILE, &ours) < 0)
		return errno;
	its = ours;
	its.rlim_cur = process_soft_descriptors();
	setrlimit(RLIMIT_NOFILE, &its);
	code = posix_spawn(pid, path, actions, attributes, argv, environment);
	setrlimit(RLIMIT_NOFILE, &ours);
	return code;
}

static int
spawn(pid_t *pid, const char *path, char *const argv[],
    char *const environment[], int fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int code;

	if ((code = posix_spawn_file_actions_init(&actions)) != 0)
		return code;
	if ((code = posix_spawnattr_init(&attributes)) == 0) {
		if ((code = fill_attributes(&attributes)) == 0 &&
		    (code = fill_actions(&actions, fd)) == 0)
			code = spawn_with_limit(pid, path, &actions,
			    &attributes, argv, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

int
exec_spawn(struct exec_process *p, const char *path, char *const argv[],
    char *const environment[], int fd)
{
	int code;

	if ((code = spawn(&p->pid, path, argv, environment, fd)) != 0)
		return -code;
	if ((p->pidfd = pidfd_open(p->pid, 0)) >= 0)
		return 0;
	/* No descriptor is left to see its end by, so it must not begin. */
	code = errno;
	kill(-p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	return -code;
}

int
exec_reap(struct exec_process *p)
{
	int status = -1;

	waitpid(p->pid, &status, WNOHANG);
	close(p->pidfd);
	p->pid = -1;
	p->pidfd = -1;
	return status;
}
