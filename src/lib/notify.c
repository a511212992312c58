/* SPDX-License-Identifier: ISC */
/*
 * What we tell whoever started us.
 *
 * The socket is connected, since only then poll(2) tells when the manager has
 * room again (an unconnected sender of datagrams is always writable), and since
 * a manager that lets only root in must still hear us after root is given up.
 * A manager that started anew has another socket at the name: connect again.
 */
#include <uxsrv/notify.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/address.h>
#include <uxsrv/error.h>
#include <uxsrv/units.h>

#include "shown.h"
#include "sysret.h"

/* WATCHDOG_USEC beyond a year is nonsense, and must not overflow. */
#define WATCHDOG_MAX_US (INT64_C(365) * 24 * 3600 * 1000000)

/* ---- the environment ---- */

static int
refuse(struct uxs_error *why, const char *name, const char *value,
    const char *objection)
{
	char text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
	    "environment: %s='%s' %s", name, shown(text, value), objection);
}

static int
read_socket(struct uxs_notify *n, const char *name, struct uxs_error *why)
{
	int r = -EINVAL;

	if (name[0] == '@' && name[1] != '\0')
		r = uxs_sockaddr_from_abstract(&n->to, &n->to_length, name + 1,
		    strlen(name + 1));
	else if (name[0] == '/')
		r = uxs_sockaddr_from_path(&n->to, &n->to_length, name);
	if (r < 0)
		return refuse(why, "NOTIFY_SOCKET", name,
		    "is neither an absolute path nor '@' and a name, of up to "
		    "107 bytes");
	r = sysret(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0));
	if (r < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot make a socket for the service manager: %s",
		    strerror(-r));
	n->fd = n->room.fd = r;
	return 0;
}

static int
read_watchdog(struct uxs_notify *n, struct uxs_error *why)
{
	const char *limit = getenv("WATCHDOG_USEC");
	const char *who = getenv("WATCHDOG_PID");
	int64_t limit_us, pid;

	if (limit == NULL)
		return 0;
	if (uxs_count_parse(limit, 1, WATCHDOG_MAX_US, &limit_us) < 0)
		return refuse(why, "WATCHDOG_USEC", limit,
		    "is not a number of microseconds");
	if (who != NULL && uxs_count_parse(who, 1, INT32_MAX, &pid) < 0)
		return refuse(why, "WATCHDOG_PID", who, "is not a process ID");
	if (who == NULL || pid == getpid())
		n->watchdog_ns = limit_us * UXS_NS_PER_US;
	return 0;
}

static int
attach(struct uxs_notify *n)
{
	return sysret(connect(n->fd, (struct sockaddr *)&n->to, n->to_length));
}

int
uxs_notify_open(struct uxs_notify *n, struct uxs_error *why)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int r = 0;

	*n = (struct uxs_notify)UXS_NOTIFY_CLOSED;
	if (name != NULL) {
		r = read_socket(n, name, why);
		if (r == 0)
			r = read_watchdog(n, why);
		if (r == 0)
			attach(n); /* or later, when something is sent */
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (r < 0)
		uxs_notify_close(n);
	return r;
}

/* ---- sending ---- */

static int
send_now(struct uxs_notify *n, const char *text)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	int r = sysret((int)send(n->fd, text, strlen(text), flags));

	/* What a socket says whose peer was never there, or is gone. */
	if (r == -ENOTCONN || r == -ECONNREFUSED || r == -ECONNRESET) {
		if ((r = attach(n)) == 0)
			r = sysret((int)send(n->fd, text, strlen(text), flags));
	}
	return r < 0 ? r : 0;
}

static void
on_room(struct uxs_watch *watch, uint32_t events)
{
	struct uxs_notify *n = uxs_container_of(watch, struct uxs_notify, room);

	while (n->n_kept > 0 && send_now(n, n->kept[0]) != -EAGAIN)
		memmove(n->kept[0], n->kept[1],
		    --n->n_kept * sizeof(n->kept[0]));
	if (n->n_kept == 0)
		uxs_watch_stop(n->loop, watch);
}

/* In order, so that nothing overtakes what is kept. */
static int
keep(struct uxs_notify *n, const char *text)
{
	if (n->n_kept == UXS_NOTIFY_KEPT)
		return -EAGAIN;
	memcpy(n->kept[n->n_kept++], text, UXS_NOTIFY_TEXT_MAX);
	return n->loop == NULL ? 0 :
				 uxs_watch_start(n->loop, &n->room, EPOLLOUT);
}

int
uxs_notify_send(struct uxs_notify *n, const char *format, ...)
{
	char text[UXS_NOTIFY_TEXT_MAX];
	va_list args;
	int r = -EAGAIN;

	if (n->fd < 0)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n->n_kept == 0)
		r = send_now(n, text);
	return r == -EAGAIN ? keep(n, text) : r;
}

/* ---- signs of life ---- */

static void
on_beat_due(struct uxs_timer *timer)
{
	struct uxs_notify *n = uxs_container_of(timer, struct uxs_notify, beat);

	if (n->on_beat != NULL)
		n->on_beat(n);
	/* One that is late is of no use: it is not kept. */
	if (n->n_kept == 0)
		send_now(n, "WATCHDOG=1");
	uxs_timer_start(n->loop, timer,
	    uxs_loop_now_ns(n->loop) + n->watchdog_ns / 2);
}

void
uxs_notify_start(struct uxs_notify *n, struct uxs_loop *loop)
{
	if (n->fd < 0)
		return;
	n->loop = loop;
	n->room.on_ready = on_room;
	n->beat.on_expiry = on_beat_due;
	if (n->n_kept > 0)
		uxs_watch_start(loop, &n->room, EPOLLOUT);
	if (n->watchdog_ns > 0)
		uxs_timer_start(loop, &n->beat,
		    uxs_loop_now_ns(loop) + n->watchdog_ns / 2);
}

void
uxs_notify_stop(struct uxs_notify *n)
{
	if (n->loop == NULL)
		return;
	uxs_watch_stop(n->loop, &n->room);
	uxs_timer_stop(n->loop, &n->beat);
	n->loop = NULL;
}

void
uxs_notify_close(struct uxs_notify *n)
{
	uxs_notify_stop(n);
	if (n->fd >= 0)
		close(n->fd);
	*n = (struct uxs_notify)UXS_NOTIFY_CLOSED;
}

/* ---- without a protocol ---- */

int
uxs_notify_ready_fd(int fd)
{
	int r = 0;

	if (write(fd, "\n", 1) != 1)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}
