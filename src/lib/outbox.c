/* SPDX-License-Identifier: ISC */
/* Sending the answers to datagrams; see outbox.h. */
#include "outbox.h"

#include <errno.h>
#include <stdint.h>

#include <uxsrv/service.h>

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
	case RETURN_PATH_OPEN:
		break;
	}
	return UXS_DROP_ERROR;
}

/* ---- sending ---- */

static enum return_path_outcome
open_path(struct outbox *o, unsigned i)
{
	const struct outbox_origin *origin = &o->origins[i];
	enum return_path_outcome outcome = return_path_open(&o->paths,
	    &o->to[i], origin->from, origin->length, &origin->sender);

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

/* The one at which sendmmsg(2) stopped. */
static void
on_failure(struct outbox *o, unsigned i, int code)
{
	if (code == ECONNREFUSED && o->to[i].pin != NULL)
		code = send_anew(o, i);
	if (code == 0)
		o->on_sent(o, o->iov[i].iov_len);
	else
		o->on_dropped(o, o->origins[i].message, drop_of_errno(code));
	return_path_close(&o->paths, &o->to[i], code == ECONNREFUSED);
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

int
outbox_put(struct outbox *o, const struct outbox_origin *origin,
    const void *data, size_t length)
{
	enum return_path_outcome outcome;
	unsigned i;

	if (o->n == OUTBOX_MAX)
		outbox_send(o);
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
		o->on_dropped(o, origin->message, drop_of_path(outcome));
		return UXS_REPLY_DROPPED;
	}
	o->n++;
	return UXS_REPLY_ACCEPTED;
}

/* ---- life ---- */

static void
widen_send_buffer(int fd, size_t max_message)
{
	const size_t want = max_message * SEND_BUFFER_MESSAGES;
	const int bytes = want > INT32_MAX / 2 ? INT32_MAX / 2 : (int)want;

	/* The kernel bounds it by wmem_max; less only means earlier "full". */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

void
outbox_init(struct outbox *o, int fd, size_t max_message, dev_t own_dev,
    ino_t own_ino)
{
	o->fd = fd;
	o->n = 0;
	return_paths_init(&o->paths, own_dev, own_ino);
	widen_send_buffer(fd, max_message);
}

size_t
outbox_trim(struct outbox *o)
{
	return return_paths_trim(&o->paths);
}

void
outbox_close(struct outbox *o)
{
	for (unsigned i = 0; i < o->n; i++)
		return_path_close(&o->paths, &o->to[i], false);
	o->n = 0;
	return_paths_fini(&o->paths);
}
