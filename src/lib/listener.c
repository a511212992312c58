/* SPDX-License-Identifier: ISC */
/*
 * The life of one listening socket and its file.
 *
 * Opening goes: directory, lock, probe, remove the dead, make our own. The
 * name is owned only once it was bound, so a failed open cannot remove what
 * somebody else has there. Closing goes backwards, the lock last, since it is
 * what lets a successor in.
 */
#include <uxsrv/listener.h>

#include <errno.h>
#include <unistd.h>

#include <uxsrv/activation.h>
#include <uxsrv/error.h>
#include <uxsrv/peer.h>
#include <uxsrv/probe.h>

#include "inet.h"
#include "listener_check.h"
#include "listener_parts.h"
#include "listener_words.h"
#include "shown.h"
#include "socket_file.h"
#include "socket_options.h"
#include "sysret.h"

/* ---- opening ---- */

int
listener_take_lock(struct uxs_listener *l, struct uxs_error *why)
{
	const char *path = l->place.path;
	struct uxs_lock_holder holder;
	struct uxs_probe_facts facts;
	int r = uxs_lock_open(&l->lock, &l->place, &holder, why);

	if (r == UXS_LOCK_HELD) {
		listener_explain_live(why, path, holder.pid, holder.uid);
		return -EADDRINUSE;
	}
	/* Another user's server has another user's lock: it is still live. */
	if (r < 0 && uxs_probe_place(&l->place, &facts) == UXS_PROBE_LIVE)
		return listener_explain_live(why, path, 0, facts.uid);
	return r;
}

/* Only under the lock: between the probe and the removal nobody of our kind
 * can have come. */
int
listener_remove_dead(struct uxs_listener *l, struct uxs_error *why)
{
	struct uxs_probe_facts facts;
	int probe = uxs_probe_place(&l->place, &facts);
	int r = listener_judge_probe(why, l->place.path, probe, &facts);

	if (r < 0 || probe != UXS_PROBE_DEAD)
		return r;
	if ((r = uxs_place_remove(&l->place, facts.dev, facts.ino)) < 0)
		return listener_explain(why, UXS_FAILURE_PERMISSION, -r,
		    l->place.path,
		    "cannot remove the dead socket that is there");
	return 0;
}

int
listener_make_socket(struct uxs_listener *l, struct uxs_error *why)
{
	int r = sysret(socket(AF_UNIX,
	    uxs_type_socket(l->address->type) | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0));

	if (r >= 0) {
		l->fd = r;
		r = socket_options_set(l);
	}
	return r < 0 ? listener_explain(why, UXS_FAILURE_SYSTEM, -r,
			   l->address->name, "cannot make a socket") :
		       0;
}

/* An abstract name has no file and no permissions, and bind(2) itself lets
 * only one have it. */
static int
open_abstract(struct uxs_listener *l, struct uxs_error *why)
{
	char name[SHOWN_MAX];
	struct sockaddr_un sa;
	socklen_t length;
	int r;

	uxs_address_print(l->address, name, sizeof(name));
	if ((r = listener_make_socket(l, why)) < 0)
		return r;
	r = uxs_sockaddr_from_abstract(&sa, &length, l->address->name,
	    l->address->length);
	if (r == 0)
		r = sysret(bind(l->fd, (struct sockaddr *)&sa, length));
	if (r == -EADDRINUSE)
		return listener_explain_live(why, name, 0, UXS_UID_NONE);
	if (r < 0)
		return listener_explain(why,
		    uxs_failure_of(-r, UXS_FAILURE_CREATE), -r, name,
		    "cannot create the socket");
	return 0;
}

static int
open_path(struct uxs_listener *l, const struct uxs_listener_conf *conf,
    struct uxs_error *why)
{
	struct stat made;
	int r;

	if ((r = uxs_place_open(&l->place, conf->address->name, why)) < 0 ||
	    (r = listener_check_directory(conf, &l->place, why)) < 0 ||
	    (r = listener_take_lock(l, why)) < 0 ||
	    (r = listener_remove_dead(l, why)) < 0 ||
	    (r = listener_make_socket(l, why)) < 0 ||
	    (r = socket_file_make(l->fd, &l->place, conf, &made, why)) < 0)
		return r;
	l->is_bound = true;
	l->dev = made.st_dev;
	l->ino = made.st_ino;
	return 0;
}

int
uxs_listener_open(struct uxs_listener *l, const struct uxs_listener_conf *conf,
    struct uxs_error *why)
{
	int r;

	*l = (struct uxs_listener)UXS_LISTENER_CLOSED;
	l->address = conf->address;
	if (uxs_type_is_loopback(conf->address->type))
		r = inet_open(l, why);
	else
		r = conf->address->is_abstract ? open_abstract(l, why) :
						 open_path(l, conf, why);
	if (r < 0)
		uxs_listener_close(l);
	return r;
}

/* ---- inherited ---- */

/* Only to know our own socket when it is given as a return address. */
static void
look_at_file(struct uxs_listener *l)
{
	struct stat st;

	if (!uxs_address_has_file(l->address) ||
	    lstat(l->address->name, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
}

int
uxs_listener_adopt(struct uxs_listener *l, const struct uxs_inherited *in,
    struct uxs_error *why)
{
	int r;

	*l = (struct uxs_listener)UXS_LISTENER_CLOSED;
	l->address = &in->address;
	l->fd = in->fd;
	l->is_inherited = true;
	r = uxs_type_is_loopback(l->address->type) ?
	    inet_adopt(l) :
	    socket_options_set_again(l);
	if (r < 0) {
		listener_explain(why, UXS_FAILURE_SYSTEM, -r, in->address.name,
		    "cannot set up an inherited socket");
		uxs_listener_close(l);
		return r;
	}
	look_at_file(l);
	return 0;
}

/* ---- serving ---- */

/* Somebody else serves on it as well, so it is not ours to end. */
static bool
is_others(const struct uxs_listener *l)
{
	return l->is_inherited || l->is_pending;
}

int
uxs_listener_listen(struct uxs_listener *l, int backlog, struct uxs_error *why)
{
	if (uxs_type_is_datagram(l->address->type) || l->is_pending ||
	    listen(l->fd, backlog) == 0)
		return 0;
	if (uxs_type_is_loopback(l->address->type))
		return inet_explain_listen(l, -errno, why);
	return listener_explain(why, UXS_FAILURE_SYSTEM, errno,
	    l->address->name, "cannot listen");
}

int
uxs_listener_accept(struct uxs_listener *l, int *fd)
{
	*fd = -1;
	if (is_others(l) && l->is_drained)
		return UXS_ACCEPT_ENDED;
	/* cppcheck-suppress nullPointer ; the peer's address is not wanted */
	*fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*fd >= 0)
		return UXS_ACCEPT_OK;
	switch (errno) {
	case EAGAIN:
		/*
		 * Shut down and empty: nobody can be on the way, since connect
		 * looks at the shutdown and queues under one lock. (A blocking
		 * accept says EINVAL here; a non-blocking one goes on saying
		 * EAGAIN, while epoll goes on saying readable.)
		 */
		return l->is_drained ? UXS_ACCEPT_ENDED : UXS_ACCEPT_NONE;
	case EINTR:
	case ECONNABORTED: /* the client gave up first */
	case EPERM: /* a security module refused this one */
	case EPROTO: /* accept(2): TCP may tell of the new one's troubles */
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return UXS_ACCEPT_NONE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return UXS_ACCEPT_EXHAUSTED;
	default:
		return -errno;
	}
}

void
uxs_listener_drain(struct uxs_listener *l)
{
	l->is_drained = true;
	if (is_others(l))
		return;
	if (uxs_type_is_loopback(l->address->type)) {
		inet_drain(l->fd);
		return;
	}
	/*
	 * For a connection: new ones get ECONNREFUSED, queued ones can still
	 * be accepted. For datagrams: new ones get EPIPE, queued ones can
	 * still be received. Closing instead would reset those who wait.
	 */
	shutdown(l->fd, SHUT_RD);
}

void
uxs_listener_close(struct uxs_listener *l)
{
	/* Name first: after close() it may already belong to a successor. */
	if (l->is_bound)
		uxs_place_remove(&l->place, l->dev, l->ino);
	if (l->fd >= 0 && !l->is_inherited)
		close(l->fd);
	if (l->is_pending)
		uxs_lock_leave(&l->lock);
	uxs_lock_close(&l->lock, &l->place);
	uxs_place_close(&l->place);
	inet_close(l);
	*l = (struct uxs_listener)UXS_LISTENER_CLOSED;
}
