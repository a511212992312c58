/* SPDX-License-Identifier: ISC */
/* The side of the process that replaces another one. */
#include "successor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "origin.h"
#include "upgrade_wire.h"

/* A predecessor that is stopped is not gone; who waits for him must not do so
 * for ever. He himself has less patience. */
#define PATIENCE_S 60

#define SHOWN_MAX 100

/* ---- from the environment ---- */

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 :
									 value;
}

/* Anything can be in the environment. */
static bool
is_control(int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	return option_of(fd, SO_DOMAIN) == AF_UNIX &&
	    option_of(fd, SO_TYPE) == SOCK_SEQPACKET &&
	    getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

static int
find_control(const char *text, int *control, struct uxs_error *why)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	char shown[SHOWN_MAX];
	int64_t fd;

	if (uxs_count_parse(text, STDERR_FILENO + 1, INT32_MAX, &fd) < 0 ||
	    !is_control((int)fd))
		return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
		    "environment: " ORIGIN_VARIABLE
		    "='%s' is not a socket to a uxecho that is to be replaced; "
		    "send it SIGUSR2",
		    uxs_escape(shown, sizeof(shown), text, strlen(text)));
	*control = (int)fd;
	fcntl(*control, F_SETFD, FD_CLOEXEC);
	setsockopt(*control, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	return 0;
}

/* ---- what goes along ---- */

static void
keep_fd(int *place, int fd)
{
	if (*place >= 0)
		close(*place);
	*place = fd;
}

static int
refuse(struct uxs_error *why, int r)
{
	return uxs_error_set(why, UXS_FAILURE_CONFIG, EBADMSG,
	    "upgrade: cannot understand the process before us: %s",
	    r < 0 ? strerror(-r) : "it speaks another version");
}

static int
receive_along(struct successor *s, struct uxs_error *why)
{
	struct upgrade_wire m = { .fd = -1 };
	int r;

	while ((r = upgrade_wire_receive(s->fd, &m, 0)) > 0) {
		if (m.kind == UPGRADE_SOCKETS && m.fd < 0)
			return 0;
		if (m.kind == UPGRADE_PIDFILE && m.fd >= 0) {
			keep_fd(&s->pid_file_fd, m.fd);
		} else if (m.kind == UPGRADE_REMOVER && m.fd >= 0) {
			keep_fd(&s->remover_fd, m.fd);
		} else if (m.kind == UPGRADE_SEED && m.fd < 0 &&
		    m.length == sizeof(s->seed)) {
			memcpy(&s->seed, m.bytes, sizeof(s->seed));
			s->has_seed = true;
		} else {
			keep_fd(&m.fd, -1);
			return refuse(why, 0);
		}
	}
	return refuse(why, r == 0 ? -ECONNRESET : r);
}

int
successor_open(struct successor *s, struct uxs_activation *activation,
    struct uxs_error *why)
{
	const char *text = getenv(ORIGIN_VARIABLE);
	int r;

	if (text == NULL)
		return 0;
	r = find_control(text, &s->fd, why);
	unsetenv(ORIGIN_VARIABLE);
	if (r < 0 || (r = receive_along(s, why)) < 0 ||
	    (r = uxs_handover_receive(s->fd, &s->handover, why)) < 0)
		return r;
	return uxs_handover_activate(&s->handover, activation, why);
}

static int
give_away(int *place)
{
	const int fd = *place;

	*place = -1;
	return fd;
}

int
successor_pid_file(struct successor *s)
{
	return give_away(&s->pid_file_fd);
}

int
successor_remover(struct successor *s)
{
	return give_away(&s->remover_fd);
}

const uint64_t *
successor_seed(const struct successor *s)
{
	return s->has_seed ? &s->seed : NULL;
}

/* ---- the moment ---- */

static int
say_ready(struct successor *s)
{
	const int32_t pid = getpid();
	char bytes[UPGRADE_BYTES_MAX];
	size_t n = sizeof(pid);

	memcpy(bytes, &pid, sizeof(pid));
	for (size_t i = 0; i < s->handover.n && n < sizeof(bytes); i++)
		bytes[n++] = s->handover.sockets[i].is_taken ? 'y' : 'n';
	/* While a copy is open, a socket that he drains seems to be served. */
	uxs_handover_close(&s->handover);
	return upgrade_wire_send(s->fd, UPGRADE_READY, bytes, n);
}

int
successor_take(struct successor *s, struct uxs_error *why)
{
	struct upgrade_wire m = { .fd = -1 };
	int r = say_ready(s);

	/* The end of file is the end of him: nobody else has the sockets. */
	if (r == 0)
		r = upgrade_wire_receive(s->fd, &m, 0);
	if (m.fd >= 0)
		close(m.fd);
	if (r > 0 && m.kind != UPGRADE_YOURS)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ECANCELED,
		    "upgrade: the process before us called it off");
	if (r < 0 && r != -EPIPE)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "upgrade: no answer from the process before us: %s",
		    strerror(-r));
	s->rereads = r > 0 && m.length == 1 && m.bytes[0] != 0;
	close(s->fd);
	s->fd = -1;
	return 0;
}

bool
successor_fail(struct successor *s, const char *text)
{
	return upgrade_wire_send(s->fd, UPGRADE_FAILED, text, strlen(text)) ==
	    0;
}

void
successor_close(struct successor *s)
{
	uxs_handover_close(&s->handover);
	keep_fd(&s->pid_file_fd, -1);
	keep_fd(&s->remover_fd, -1);
	keep_fd(&s->fd, -1);
}
