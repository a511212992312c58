/* SPDX-License-Identifier: ISC */
/* Sending the answers to datagrams; see outbox.h. */
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <uxsrv/service.h>
#include <uxsrv/units.h>

/* So many of the largest replies may be on their way: all replies share this
 * one send buffer until their receivers have read them. */
#define SEND_BUFFER_MESSAGES 16

static enum uxs_drop
drop_of_errno(int code)
{
	switch (code) {
	case EAGAIN: /* the receiver's queue, or our send buffer, is full */
	case ENOBUFS:
	case ENOMEM:
		return UXS_DROP_FULL;
	case EMSGSIZE:
		return UXS_DROP_TOO_LONG;
	case EACCES: /* its socket does not let us write */
	case EPERM: /* it talks to another socket only */
	case ECONNREFUSED:
	case ENOENT:
	case EPIPE:
	case ENOTCONN:
	case ECONNRESET:
	case EPROTOTYPE:
		return UXS_DROP_GONE;
	default:
		return UXS_DROP_ERROR;
	}
}

static enum uxs_drop
drop_of_path(enum return_path_outcome outcome)
{
	switch (outcome) {
	case RETURN_PATH_NONE:
		return UXS_DROP_NO_RETURN_ADDRESS;
	case RETURN_PATH_GONE:
		return UXS_DROP_GONE;
	case RETURN_PATH_NOT_SENDERS:
		return UXS_DROP_NOT_SENDERS;
	case RETURN_PATH_SELF:
		return UXS_DROP_SELF;
	case RETURN_PATH_EXHAUSTED:
		return UXS_DROP_DESCRIPTORS;
	case RETURN_PATH_OPEN:
		break;
	}
	return UXS_DROP_ERROR;
}

/* ---- sockets of their own ---- */

static size_t
outstanding(int fd)
{
	int bytes = 0;

	/* It cannot fail on a Unix-domain socket. */
	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes :
							       0;
}

/*
 * Only those that are owed nothing: to close a socket forgets what is charged
 * to it, and a user who does not read could have one after the other filled.
 */
static size_t
close_idle_sockets(struct outbox *o)
{
	size_t n = 0;

	for (size_t i = 0; i < REPLY_SOCKETS_MAX; i++) {
		struct reply_socket *s = &o->sockets[i];

		if (s->fd < 0 || outstanding(s->fd) > 0)
			continue;
		close(s->fd);
		s->fd = -1;
		n++;
	}
	return n;
}

static struct reply_socket *
free_socket(struct outbox *o)
{
	for (size_t i = 0; i < REPLY_SOCKETS_MAX; i++) {
		if (o->sockets[i].fd < 0)
			return &o->sockets[i];
	}
	return NULL;
}

/* Returns -1 where there is none, and none can be made. */
static int
socket_of(struct outbox *o, uid_t uid)
{
	const int bytes = (int)o->max_message;
	struct reply_socket *s;

	for (size_t i = 0; i < REPLY_SOCKETS_MAX; i++) {
		if (o->sockets[i].fd >= 0 && o->sockets[i].uid == uid)
			return o->sockets[i].fd;
	}
	if ((s = free_socket(o)) == NULL) {
		close_idle_sockets(o);
		s = free_socket(o);
	}
	if (s == NULL)
		return -1;
	s->uid = uid;
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The kernel doubles it; so at least one of the longest fits. */
	if (s->fd >= 0)
		setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return s->fd;
}

/* Returns 0 or an errno. */
static int
send_apart(struct outbox *o, unsigned i)
{
	const int fd = socket_of(o, o->origins[i].sender.uid);

	if (fd < 0)
		return EAGAIN;
	if (sendmsg(fd, &o->out[i].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* EPERM: it hears only us, and there we have no room for it. */
	return errno == EPERM ? EAGAIN : errno;
}

/* ---- shares ---- */

static void
look(struct outbox *o)
{
	const bool was_crowded = o->shares.is_crowded;

	shares_saw(&o->shares, outstanding(o->fd));
	if (was_crowded && !o->shares.is_crowded)
		close_idle_sockets(o);
}

static bool
may_share(struct outbox *o, unsigned i)
{
	const struct return_path *to = &o->to[i];
	struct share_client client = { .dev = to->dev, .ino = to->ino };

	if (!o->shares.is_crowded || to->is_believed)
		return true;
	if (to->pin == NULL) {
		client.length = to->length -
		    offsetof(struct sockaddr_un, sun_path);
		memcpy(client.name, to->to.sun_path, client.length);
	}
	return shares_take(&o->shares, o->origins[i].sender.uid, &client,
	    o->iov[i].iov_len);
}

/* ---- sending ---- */

/* Nothing to look up, and nothing to share. */
static enum return_path_outcome
open_loopback(struct outbox *o, unsigned i)
{
	const struct outbox_origin *origin = &o->origins[i];

	o->to[i].pin = NULL;
	o->to[i].is_believed = true;
	o->out[i].msg_hdr.msg_name = (void *)(uintptr_t)origin->from;
	o->out[i].msg_hdr.msg_namelen = origin->length;
	return RETURN_PATH_OPEN;
}

static enum return_path_outcome
open_path(struct outbox *o, unsigned i)
{
	const struct outbox_origin *origin = &o->origins[i];
	enum return_path_outcome outcome;

	if (o->is_loopback)
		return open_loopback(o, i);
	outcome = return_path_open(&o->paths, &o->to[i], origin->from,
	    origin->length, &origin->sender);

	o->out[i].msg_hdr.msg_name = &o->to[i].to;
	o->out[i].msg_hdr.msg_namelen = o->to[i].length;
	return outcome;
}

/*
 * A client that ended and started again has a new socket at its old path. The
 * pin was still right when it was looked at, so look once more. Returns 0 or
 * an errno.
 */
static int
send_anew(struct outbox *o, unsigned i)
{
	return_path_close(&o->paths, &o->to[i], true);
	if (open_path(o, i) != RETURN_PATH_OPEN)
		return ECONNREFUSED;
	if (sendmsg(o->fd, &o->out[i].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno;
	return 0;
}

/* Code is 0 or an errno. */
static void
finish(struct outbox *o, unsigned i, int code)
{
	if (code == 0)
		o->on_sent(o, o->iov[i].iov_len);
	else
		o->on_dropped(o, &o->origins[i], drop_of_errno(code));
	return_path_close(&o->paths, &o->to[i], code == ECONNREFUSED);
}

/* The one at which sendmmsg(2) stopped. */
static void
on_failure(struct outbox *o, unsigned i, int code)
{
	if (code == ECONNREFUSED && o->to[i].pin != NULL)
		code = send_anew(o, i);
	/* Is it the receiver's queue or our buffer that is full? */
	if (code == EAGAIN && !o->is_loopback &&
	    outstanding(o->fd) >= o->send_buffer)
		code = send_apart(o, i);
	finish(o, i, code);
}

/* sendmmsg(2) stops at the first that fails, and reports that failure only
 * when it is the first of a call: drop it and go on behind it. */
void
outbox_send(struct outbox *o)
{
	unsigned done = 0;

	while (done < o->n) {
		const int n = sendmmsg(o->fd, o->out + done, o->n - done,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			on_failure(o, done++, errno);
		for (int i = 0; i < n; i++, done++) {
			o->on_sent(o, o->iov[done].iov_len);
			return_path_close(&o->paths, &o->to[done], false);
		}
	}
	o->n = 0;
}

/* For one more, having looked how full the buffer is: once in a batch where
 * it is crowded, and not before it can be where it was not. */
static void
make_room(struct outbox *o)
{
	if (o->n == OUTBOX_MAX ||
	    (!o->shares.is_crowded && shares_must_look(&o->shares)))
		outbox_send(o);
	if (o->n == 0 && shares_must_look(&o->shares))
		look(o);
}

void
outbox_begin(struct outbox *o)
{
	return_paths_begin(&o->paths);
}

int
outbox_put(struct outbox *o, const struct outbox_origin *origin,
    const void *data, size_t length)
{
	enum return_path_outcome outcome;
	unsigned i;

	make_room(o);
	i = o->n;
	o->origins[i] = *origin;
	o->iov[i] = (struct iovec){
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = length,
	};
	o->out[i].msg_hdr = (struct msghdr){
		.msg_iov = &o->iov[i],
		.msg_iovlen = 1,
	};
	if ((outcome = open_path(o, i)) != RETURN_PATH_OPEN) {
		o->on_dropped(o, origin, drop_of_path(outcome));
		return UXS_REPLY_DROPPED;
	}
	if (may_share(o, i)) {
		shares_add(&o->shares, length);
		o->n++;
	} else {
		outbox_send(o); /* what came before goes before */
		finish(o, i, send_apart(o, i));
	}
	return UXS_REPLY_ACCEPTED;
}

bool
outbox_reaches(struct outbox *o, const struct outbox_origin *origin)
{
	struct return_path path;
	enum return_path_outcome outcome;

	if (o->is_loopback)
		return true;
	outcome = return_path_open(&o->paths, &path, origin->from,
	    origin->length, &origin->sender);
	if (outcome == RETURN_PATH_OPEN) {
		if (!path.is_believed && path.pin == NULL)
			outcome = RETURN_PATH_NOT_SENDERS;
		return_path_close(&o->paths, &path, false);
	}
	if (outcome != RETURN_PATH_OPEN)
		o->on_dropped(o, origin, drop_of_path(outcome));
	return outcome == RETURN_PATH_OPEN;
}

/* ---- life ---- */

/* Returns what it is then. */
static size_t
widen_send_buffer(int fd, size_t max_message)
{
	const size_t want = max_message * SEND_BUFFER_MESSAGES;
	int bytes = want > INT32_MAX / 2 ? INT32_MAX / 2 : (int)want;
	socklen_t length = sizeof(bytes);

	/* The kernel bounds it by wmem_max; less only means earlier "full". */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &length);
	return (size_t)bytes;
}

/* The queue of a receiver holds one more than the limit, which is that of its
 * network namespace. Ours stands for all, but never less than the default,
 * which another namespace has. */
static size_t
read_queue_length(void)
{
	const int fd =
	    open("/proc/sys/net/unix/max_dgram_qlen", O_RDONLY | O_CLOEXEC);
	int64_t length = 10;
	char text[24] = "";

	if (fd < 0)
		return (size_t)length + 1;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		text[strcspn(text, "\n")] = '\0';
		uxs_count_parse(text, 10, INT32_MAX, &length);
	}
	close(fd);
	return (size_t)length + 1;
}

size_t
outbox_queue_length(void)
{
	static _Atomic size_t length; /* 0: not read yet */

	if (length == 0)
		length = read_queue_length();
	return length;
}

void
outbox_init(struct outbox *o, int fd, size_t max_message, dev_t own_dev,
    ino_t own_ino)
{
	o->fd = fd;
	o->n = 0;
	o->max_message = max_message;
	for (size_t i = 0; i < REPLY_SOCKETS_MAX; i++)
		o->sockets[i].fd = -1;
	return_paths_init(&o->paths, own_dev, own_ino);
	o->send_buffer = widen_send_buffer(fd, max_message);
	shares_init(&o->shares, o->send_buffer, outbox_queue_length());
}

size_t
outbox_trim(struct outbox *o)
{
	return return_paths_trim(&o->paths) + close_idle_sockets(o);
}

void
outbox_close(struct outbox *o)
{
	for (unsigned i = 0; i < o->n; i++)
		return_path_close(&o->paths, &o->to[i], false);
	o->n = 0;
	for (size_t i = 0; i < REPLY_SOCKETS_MAX; i++) {
		if (o->sockets[i].fd >= 0)
			close(o->sockets[i].fd);
		o->sockets[i].fd = -1;
	}
	return_paths_fini(&o->paths);
}
