/* SPDX-License-Identifier: ISC */
/*
 * A listener's way from one process to the next. The socket is one and the
 * same, with its queue, so whoever connects meanwhile never finds nobody.
 */
#include <uxsrv/listener.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/handover.h>

#include "inet.h"
#include "inherited.h"
#include "listener_words.h"
#include "shown.h"
#include "socket_file.h"
#include "socket_options.h"
#include "sysret.h"

/* ---- to a successor ---- */

static int
copy_fd(int fd, int *copy)
{
	*copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 && *copy < 0 ? -errno : 0;
}

int
uxs_listener_hand_out(const struct uxs_listener *l, struct uxs_handed *handed)
{
	int r;

	*handed = (struct uxs_handed){
		.fd = -1,
		.lock_fd = -1,
		.is_inherited = l->is_inherited,
		.address = *l->address,
		.dev = l->dev,
		.ino = l->ino,
	};
	if ((r = copy_fd(l->fd, &handed->fd)) == 0 &&
	    (r = copy_fd(l->lock.fd, &handed->lock_fd)) < 0) {
		close(handed->fd);
		handed->fd = -1;
	}
	return r;
}

void
uxs_listener_leave(struct uxs_listener *l)
{
	l->is_bound = false;
	uxs_lock_leave(&l->lock);
	uxs_listener_close(l);
}

/* ---- from a predecessor ---- */

/* A path that the kernel tells may be one through a directory descriptor, or
 * a temporary one, so it proves nothing; the lock does. */
static const char *
object_to(const struct uxs_handed *handed, const struct uxs_address *wanted)
{
	struct uxs_inherited found = { .fd = handed->fd };
	const char *objection;

	if (uxs_type_is_loopback(wanted->type))
		return inet_object_to(handed->fd, wanted);
	objection = inherited_object_to(&found);
	if (objection != NULL)
		return objection;
	if (found.address.type != wanted->type)
		return "is of another type";
	if (found.address.is_abstract != wanted->is_abstract ||
	    (wanted->is_abstract &&
		!uxs_address_equals(&found.address, wanted)))
		return "has another name";
	if ((handed->lock_fd < 0) != wanted->is_abstract)
		return "comes without its lock";
	return NULL;
}

static int
take_place(struct uxs_listener *l, const struct uxs_handed *handed,
    struct uxs_error *why)
{
	int r;

	if (!uxs_address_has_file(l->address))
		return 0;
	if ((r = uxs_place_open(&l->place, l->address->name, why)) < 0 ||
	    (r = uxs_lock_adopt(&l->lock, &l->place, handed->lock_fd, why)) < 0)
		return r;
	l->dev = handed->dev;
	l->ino = handed->ino;
	return 0;
}

static int
take_socket(struct uxs_listener *l, const struct uxs_handed *handed,
    struct uxs_error *why)
{
	int r = copy_fd(handed->fd, &l->fd);

	if (r == 0)
		r = socket_options_set_again(l);
	if (r == 0 && uxs_type_is_loopback(l->address->type))
		r = inet_learn_port(l);
	return r < 0 ?
	    listener_explain(why, UXS_FAILURE_SYSTEM, -r, l->address->name,
		"cannot set up a socket that was handed over") :
	    0;
}

int
uxs_listener_take_over(struct uxs_listener *l,
    const struct uxs_listener_conf *conf, const struct uxs_handed *handed,
    struct uxs_error *why)
{
	const char *objection = object_to(handed, conf->address);
	char text[SHOWN_MAX];
	int r;

	*l = (struct uxs_listener)UXS_LISTENER_CLOSED;
	l->address = conf->address;
	l->mode = conf->mode;
	l->is_pending = true;
	if (objection != NULL)
		r = uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
		    "%s: the socket that was handed over %s",
		    uxs_address_print(conf->address, text, sizeof(text)),
		    objection);
	else if ((r = take_place(l, handed, why)) == 0)
		r = take_socket(l, handed, why);
	if (r < 0)
		uxs_listener_close(l);
	return r;
}

int
uxs_listener_own(struct uxs_listener *l, int backlog)
{
	int r, result;

	if (!l->is_pending)
		return 0;
	l->is_pending = false;
	l->is_bound = uxs_address_has_file(l->address);
	result = uxs_lock_own(&l->lock);
	if (l->is_bound &&
	    (r = socket_file_set_mode(&l->place, l->dev, l->ino, l->mode)) < 0)
		result = r;
	if (!uxs_type_is_datagram(l->address->type) &&
	    (r = sysret(listen(l->fd, backlog))) < 0)
		result = r;
	return result;
}
