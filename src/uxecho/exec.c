/* SPDX-License-Identifier: ISC */
/* A program for each connection, from its start to its end; see exec.h. */
#include "exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/service.h>
#include <uxsrv/units.h>

#include "exec_environment.h"
#include "exec_spawn.h"
#include "services/services.h"

/* What was killed ends at once, unless it hangs in the kernel; arbitrary. */
#define KILLED_WAIT_NS UXS_NS_PER_S

LIST_HEAD(children, child);

struct child {
	struct uxs_client *client; /* NULL: the server has given it up */
	struct exec_process process;
	struct uxs_watch watch; /* of its end */
	struct uxs_timer timer; /* of SIGTERM */
	bool is_to_end; /* we want it; its group goes with it */
	LIST_ENTRY(child) next;
};

static struct {
	const struct exec_program *program;
	struct uxs_loop *loop;
	struct uxs_log *log;
	int64_t drain_ns;
	struct children children;
} exec;

static void
say(enum uxs_level level, const char *what, const struct uxs_peer *peer,
    const char *why)
{
	char who[UXS_PEER_TEXT_MAX];

	uxs_log_print(exec.log, level, UXS_EVENT_SESSION,
	    uxs_loop_now_ns(exec.loop), "%s: %s%s: %s", exec.program->argv[0],
	    what, why, uxs_peer_print(peer, who));
}

/* ---- the end of one ---- */

static void
say_end(const struct child *child, int status)
{
	char text[UXS_UNITS_TEXT_MAX] = "";

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "%d", WTERMSIG(status));
	else if (status != -1)
		snprintf(text, sizeof(text), "%d", WEXITSTATUS(status));
	say(UXS_INFO,
	    WIFSIGNALED(status) ? "ended by signal " : "ended with status ",
	    &child->client->peer, text);
}

static void
send_group(struct child *child, int number)
{
	child->is_to_end = true;
	kill(-child->process.pid, number);
	kill(-child->process.pid, SIGCONT); /* also where it was stopped */
}

static void
forget(struct child *child)
{
	uxs_timer_stop(exec.loop, &child->timer);
	LIST_REMOVE(child, next);
	free(child);
}

/* While it is not reaped its pid, and so its group's, is nobody else's. */
static void
on_exit_of(struct uxs_watch *watch, uint32_t events)
{
	struct child *child = uxs_container_of(watch, struct child, watch);
	struct uxs_client *client = child->client;

	if (child->is_to_end)
		kill(-child->process.pid, SIGKILL);
	uxs_watch_stop(exec.loop, &child->watch);
	say_end(child, exec_reap(&child->process));
	client->state = NULL;
	forget(child);
	uxs_client_close(client);
}

static void
on_term(struct uxs_timer *timer)
{
	send_group(uxs_container_of(timer, struct child, timer), SIGTERM);
}

/* ---- the service ---- */

/* A path, "@name", or nothing. */
static void
name_of(int fd, char name[sizeof(struct sockaddr_un) + 1])
{
	/* With room behind it: a name may fill the address, without a NUL. */
	union {
		struct sockaddr_un un;
		char bytes[sizeof(struct sockaddr_un) + 1];
	} address = { .bytes = "" };
	socklen_t length = sizeof(address.un);
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	char *path = address.bytes + before;

	name[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&address, &length) < 0 ||
	    length <= before)
		return;
	if (path[0] == '\0')
		path[0] = '@';
	strlcpy(name, path, sizeof(address.un) - before + 1);
}

static int
start(struct child *child, int fd)
{
	char name[sizeof(struct sockaddr_un) + 1];
	struct exec_environment environment;
	struct uxs_groups groups;
	int r;

	name_of(fd, name);
	uxs_client_groups(child->client, &groups); /* or they stay unknown */
	r = exec_environment_make(&environment, environ, &child->client->peer,
	    &groups, name);
	uxs_groups_fini(&groups);
	if (r < 0)
		return r;
	r = exec_spawn(&child->process, exec.program->path, exec.program->argv,
	    environment.list, fd);
	exec_environment_free(&environment);
	return r;
}

static int
watch(struct child *child)
{
	int r;

	child->watch.fd = child->process.pidfd;
	if ((r = uxs_watch_start(exec.loop, &child->watch, EPOLLIN)) == 0)
		return 0;
	send_group(child, SIGKILL);
	waitpid(child->process.pid, NULL, 0);
	close(child->process.pidfd);
	return r;
}

static int
on_connection(struct uxs_client *client, int fd, void *arg)
{
	struct child *child = calloc(1, sizeof(*child));
	int r;

	if (child == NULL)
		return -ENOMEM;
	child->client = client;
	child->watch.on_ready = on_exit_of;
	child->timer.on_expiry = on_term;
	if ((r = start(child, fd)) < 0 || (r = watch(child)) < 0) {
		say(UXS_WARNING, "cannot be run: ", &client->peer,
		    strerror(-r));
		free(child);
		return r;
	}
	client->state = child;
	LIST_INSERT_HEAD(&exec.children, child, next);
	return 0;
}

static void
on_stop(struct uxs_client *client, enum uxs_stop how, void *arg)
{
	struct child *child = client->state;

	switch (how) {
	case UXS_STOP_DRAIN:
		uxs_timer_start(exec.loop, &child->timer,
		    uxs_loop_now_ns(exec.loop) + exec.drain_ns / 2);
		break;
	case UXS_STOP_NOW:
		send_group(child, SIGKILL);
		break;
	}
}

/* Of one that still runs: it was told to stop, and the server does not wait. */
static void
on_end(struct uxs_client *client, void *arg)
{
	struct child *child = client->state;

	if (child == NULL)
		return;
	uxs_watch_stop(exec.loop, &child->watch);
	uxs_timer_stop(exec.loop, &child->timer);
	child->client = NULL;
}

const struct uxs_service service_exec = {
	.on_connection = on_connection,
	.on_stop = on_stop,
	.on_end = on_end,
};

/* ---- life ---- */

void
exec_begin(const struct exec_program *program, struct uxs_loop *loop,
    struct uxs_log *log, int64_t drain_ns)
{
	exec.program = program;
	exec.loop = loop;
	exec.log = log;
	exec.drain_ns = drain_ns;
	LIST_INIT(&exec.children);
	/* Ignored, as it may be inherited, it would have the kernel reap. */
	signal(SIGCHLD, SIG_DFL);
}

static bool
has_ended(const struct child *child, int64_t deadline_ns)
{
	struct pollfd end = { .fd = child->process.pidfd, .events = POLLIN };
	const int64_t left_ns = deadline_ns - uxs_loop_read_clock();

	return poll(&end, 1,
		   left_ns > 0 ? (int)(left_ns / UXS_NS_PER_MS) : 0) == 1;
}

void
exec_end(void)
{
	const int64_t deadline_ns = uxs_loop_read_clock() + KILLED_WAIT_NS;
	struct child *child;

	while ((child = LIST_FIRST(&exec.children)) != NULL) {
		if (has_ended(child, deadline_ns))
			exec_reap(&child->process);
		else
			close(child->process.pidfd);
		LIST_REMOVE(child, next);
		free(child);
	}
}
