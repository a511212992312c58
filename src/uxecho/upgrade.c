/* SPDX-License-Identifier: ISC */
/* The side of the process that is replaced. */
#include "upgrade.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/handover.h>
#include <uxsrv/log.h>
#include <uxsrv/notify.h>
#include <uxsrv/server.h>
#include <uxsrv/units.h>

#include "fault.h"
#include "pid_file.h"
#include "remover.h"
#include "stats.h"
#include "upgrade_wire.h"

#define SOCKETS_MAX (UPGRADE_BYTES_MAX - sizeof(int32_t))

static void
say(struct upgrade *u, enum uxs_level level, const char *what, const char *why)
{
	uxs_log_print(u->log, level, UXS_EVENT_LIFE, 0, "%s%s", what, why);
}

static struct uxs_loop *
loop_of(struct upgrade *u)
{
	return uxs_server_loop(u->server);
}

/* ---- the end of it ---- */

static void
close_control(struct upgrade *u)
{
	uxs_timer_stop(loop_of(u), &u->limit);
	uxs_watch_stop(loop_of(u), &u->control);
	if (u->control.fd >= 0)
		close(u->control.fd);
	u->control.fd = -1;
}

static void
call_off(struct upgrade *u)
{
	if (u->control.fd >= 0)
		upgrade_wire_send(u->control.fd, UPGRADE_CALLED_OFF, "", 0);
	keeper_kill(&u->keeper);
	close_control(u);
	u->state = UPGRADE_OFF;
}

static void
fail(struct upgrade *u, const char *why)
{
	if (u->state != UPGRADE_ASKED)
		return;
	say(u, UXS_ERROR, "no upgrade, this process goes on: ", why);
	call_off(u);
}

/* ---- it is ready ---- */

/* Who ended since is found out here, and not by losing the sockets to him. */
static bool
is_alive(struct upgrade *u)
{
	struct pollfd peer = { .fd = u->control.fd };

	return poll(&peer, 1, 0) == 0;
}

/*
 * Before he says READY=1 he has to be the one that the manager listens to. A
 * message that could only be kept would be lost when we go.
 */
static bool
tell_manager(struct upgrade *u, pid_t pid)
{
	if (uxs_notify_has_sent(u->notify) &&
	    uxs_notify_send(u->notify, "MAINPID=%ld", (long)pid) == 0 &&
	    uxs_notify_has_sent(u->notify))
		return true;
	uxs_notify_send(u->notify, "MAINPID=%ld", (long)getpid());
	return false;
}

static void
let_go(struct upgrade *u, pid_t pid)
{
	const char rereads = u->rereads ? 1 : 0;
	const int r = upgrade_wire_send(u->control.fd, UPGRADE_YOURS, &rereads,
	    sizeof(rereads));

	if (r < 0)
		say(u, UXS_ERROR,
		    "the new process ended just now: ", strerror(-r));
	pid_file_leave(u->pid_file);
	remover_leave(u->remover);
	uxs_notify_close(u->notify);
	close_control(u);
	uxs_watch_stop(loop_of(u), &u->reports);
	keeper_stop(&u->keeper);
	u->state = UPGRADE_DONE;
	uxs_log_print(u->log, UXS_NOTICE, UXS_EVENT_LIFE, 0,
	    "process %ld has taken over; sessions that are open go on here",
	    (long)pid);
}

static void
on_it_ready(struct upgrade *u, const struct upgrade_wire *m)
{
	bool is_taken[SOCKETS_MAX] = { false };
	int32_t pid;

	if (m->length != sizeof(pid) + u->n_sockets) {
		fail(u, "the new process speaks another version");
		return;
	}
	memcpy(&pid, m->bytes, sizeof(pid));
	for (size_t i = 0; i < u->n_sockets; i++)
		is_taken[i] = m->bytes[sizeof(pid) + i] == 'y';
	if (!is_alive(u))
		return; /* its end is reported, too */
	if (!tell_manager(u, pid))
		fail(u, "the service manager does not take the new pid");
	else if (uxs_server_leave(u->server, is_taken) == 0) {
		stats_leave(u->stats, is_taken + u->n_service);
		let_go(u, pid);
	} else {
		tell_manager(u, getpid());
		fail(u, "this process is stopping");
	}
}

/* ---- what is heard ---- */

static void
on_message(struct upgrade *u, const struct upgrade_wire *m)
{
	if (m->fd >= 0)
		close(m->fd);
	if (m->kind == UPGRADE_READY)
		on_it_ready(u, m);
	else if (m->kind == UPGRADE_FAILED) {
		char shown[UXS_ERROR_TEXT_MAX];

		fail(u, uxs_escape(shown, sizeof(shown), m->bytes, m->length));
	} else
		fail(u, "the new process speaks another version");
}

static void
read_control(struct upgrade *u)
{
	struct upgrade_wire m = { .fd = -1 };
	int r = 1;

	while (u->control.fd >= 0 && r > 0) {
		r = upgrade_wire_receive(u->control.fd, &m, MSG_DONTWAIT);
		if (r > 0)
			on_message(u, &m);
	}
	/* Its end says more than that of its socket. */
	if (r != -EAGAIN && u->control.fd >= 0)
		uxs_watch_stop(loop_of(u), &u->control);
}

static void
on_control(struct uxs_watch *watch, uint32_t events)
{
	read_control(uxs_container_of(watch, struct upgrade, control));
}

static void
on_its_end(struct upgrade *u, int status)
{
	char text[96];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text),
		    "the new process was killed by signal %d before it was "
		    "ready",
		    WTERMSIG(status));
	else
		snprintf(text, sizeof(text),
		    "the new process ended with status %d before it was ready",
		    WEXITSTATUS(status));
	read_control(u); /* it may have said why */
	fail(u, text);
	if (u->state != UPGRADE_OFF)
		return;
	u->state = UPGRADE_IDLE;
	if (u->is_wanted)
		upgrade_begin(u);
}

static void
on_report(struct uxs_watch *watch, uint32_t events)
{
	struct upgrade *u = uxs_container_of(watch, struct upgrade, reports);
	int status;
	const int r = keeper_ended(&u->keeper, &status);

	if (r > 0) {
		on_its_end(u, status);
	} else if (r < 0) {
		uxs_watch_stop(loop_of(u), watch);
		keeper_stop(&u->keeper);
		fail(u, "the process that starts the new one is gone");
		u->state = UPGRADE_IDLE;
	}
}

static void
on_limit(struct uxs_timer *timer)
{
	struct upgrade *u = uxs_container_of(timer, struct upgrade, limit);
	char text[UXS_UNITS_TEXT_MAX + 64], duration[UXS_UNITS_TEXT_MAX];

	snprintf(text, sizeof(text), "the new process was not ready within %s",
	    uxs_duration_print(u->limit_ns, duration));
	fail(u, text);
}

/* ---- the beginning ---- */

static int
send_along(struct upgrade *u, int fd)
{
	int r = 0;

	if (pid_file_fd(u->pid_file) >= 0)
		r = upgrade_wire_send_fd(fd, UPGRADE_PIDFILE,
		    pid_file_fd(u->pid_file));
	if (r == 0 && remover_fd(u->remover) >= 0)
		r = upgrade_wire_send_fd(fd, UPGRADE_REMOVER,
		    remover_fd(u->remover));
	if (r == 0 && u->fault->is_drawn)
		r = upgrade_wire_send(fd, UPGRADE_SEED, &u->fault->seed,
		    sizeof(u->fault->seed));
	if (r == 0)
		r = upgrade_wire_send(fd, UPGRADE_SOCKETS, "", 0);
	return r;
}

/* Takes what is in part. */
static int
append(struct uxs_handover *all, struct uxs_handover *part,
    struct uxs_error *why)
{
	struct uxs_handed *sockets =
	    reallocarray(all->sockets, all->n + part->n + 1, sizeof(*sockets));

	if (sockets == NULL) {
		uxs_handover_close(part);
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the sockets");
	}
	for (size_t i = 0; i < part->n; i++)
		sockets[all->n + i] = part->sockets[i];
	all->sockets = sockets;
	all->n += part->n;
	free(part->sockets);
	return 0;
}

/* Those of the service come first. */
static int
hand_out(struct upgrade *u, struct uxs_handover *all, struct uxs_error *why)
{
	struct uxs_handover part;
	int r = uxs_server_hand_out(u->server, all, why);

	if (r < 0)
		return r;
	u->n_service = all->n;
	if ((r = stats_hand_out(u->stats, &part, why)) < 0 ||
	    (r = append(all, &part, why)) < 0)
		uxs_handover_close(all);
	u->n_sockets = all->n;
	return r;
}

/* All of it waits in the socket for a process that is still to start. */
static int
send_all(struct upgrade *u, int fd, struct uxs_error *why)
{
	struct uxs_handover handover;
	int r = hand_out(u, &handover, why);

	if (r < 0)
		return r;
	r = handover.n > SOCKETS_MAX ? -EAGAIN : send_along(u, fd);
	if (r == 0)
		r = uxs_handover_send(fd, &handover);
	uxs_handover_close(&handover);
	if (r < 0)
		uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    r == -EAGAIN ? "there are too many sockets to hand over" :
				   "cannot hand over the sockets: %s",
		    strerror(-r));
	return r;
}

static int
start(struct upgrade *u, struct uxs_error *why)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot make a pair of sockets: %s", strerror(errno));
	u->control.fd = pair[0];
	r = send_all(u, pair[0], why);
	if (r == 0 &&
	    ((r = uxs_watch_start(loop_of(u), &u->control, EPOLLIN)) < 0 ||
		(r = keeper_run(&u->keeper, pair[1])) < 0))
		uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot start a process: %s", strerror(-r));
	close(pair[1]);
	if (r < 0)
		close_control(u);
	return r;
}

void
upgrade_begin(struct upgrade *u)
{
	struct uxs_error why;

	u->is_wanted = false;
	if (u->state == UPGRADE_DONE) {
		say(u, UXS_NOTICE, "no upgrade: another process serves", "");
	} else if (u->state == UPGRADE_ASKED) {
		say(u, UXS_NOTICE, "an upgrade is under way already", "");
	} else if (u->state == UPGRADE_OFF) {
		u->is_wanted = true;
	} else if (keeper_fd(&u->keeper) < 0) {
		say(u, UXS_ERROR,
		    "no upgrade: there is no process that could start a new "
		    "one",
		    "");
	} else if (start(u, &why) < 0) {
		say(u, UXS_ERROR,
		    "no upgrade, this process goes on: ", why.text);
	} else {
		say(u, UXS_NOTICE, "upgrade: starting a new process", "");
		u->state = UPGRADE_ASKED;
		u->rereads = false;
		uxs_timer_start(loop_of(u), &u->limit,
		    uxs_loop_now_ns(loop_of(u)) + u->limit_ns);
	}
}

void
upgrade_reread(struct upgrade *u)
{
	u->rereads = true;
}

void
upgrade_attach(struct upgrade *u, struct uxs_server *server)
{
	u->server = server;
	u->control.on_ready = on_control;
	u->limit.on_expiry = on_limit;
	u->reports = (struct uxs_watch){
		.fd = keeper_fd(&u->keeper),
		.on_ready = on_report,
	};
	if (keeper_fd(&u->keeper) >= 0 &&
	    uxs_watch_start(loop_of(u), &u->reports, EPOLLIN) < 0)
		keeper_stop(&u->keeper);
}

void
upgrade_detach(struct upgrade *u)
{
	if (u->server == NULL)
		return;
	if (u->state == UPGRADE_ASKED)
		call_off(u);
	uxs_watch_stop(loop_of(u), &u->reports);
	keeper_stop(&u->keeper);
	u->server = NULL;
}
