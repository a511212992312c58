/* SPDX-License-Identifier: ISC */
/* What send(2) and recv(2) come to on a Unix-domain connection. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>

#include "passing.h"
#include "reaper.h"

/*
 * The send buffer bounds a packet. Make room for one that is larger than the
 * default; the kernel doubles the number, and bounds it by wmem_max.
 */
static ssize_t
send_large_packet(int fd, const void *data, size_t length)
{
	const int bytes = length > INT_MAX / 2 ? INT_MAX / 2 : (int)length;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static enum wire_sent
sent(ssize_t r, size_t *n)
{
	*n = r > 0 ? (size_t)r : 0;
	if (r >= 0)
		return WIRE_SENT;
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return WIRE_BLOCKED;
	case ENOBUFS:
	case ENOMEM:
		return WIRE_CONGESTED;
	case EMSGSIZE:
		return WIRE_UNSENDABLE;
	default: /* EPIPE, ECONNRESET */
		return WIRE_GONE;
	}
}

enum wire_sent
wire_send(int fd, const void *data, size_t length, size_t *n)
{
	ssize_t r = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r < 0 && errno == EMSGSIZE)
		r = send_large_packet(fd, data, length);
	return sent(r, n);
}

enum wire_sent
wire_send_parts(int fd, const struct iovec *parts, size_t n_parts, size_t *n)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)parts,
		.msg_iovlen = n_parts,
	};

	return sent(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), n);
}

static enum wire_received
failed(int code)
{
	switch (code) {
	case EAGAIN:
	case EINTR:
		return WIRE_NOTHING;
	case ENOBUFS:
	case ENOMEM:
		return WIRE_STARVED;
	case ECONNRESET:
		/* Reported once; on seqpackets before the packets that were
		 * sent, on streams behind the bytes. The end comes after. */
		return WIRE_RESET;
	default:
		return WIRE_BROKEN;
	}
}

enum wire_received
wire_receive_stream(int fd, void *buffer, size_t size, size_t *n)
{
	ssize_t r = recv(fd, buffer, size, MSG_DONTWAIT);

	*n = r > 0 ? (size_t)r : 0;
	if (r < 0)
		return failed(errno);
	return r == 0 ? WIRE_END : WIRE_RECEIVED;
}

/* Both an empty packet and the end of file are a receive of 0; but only a
 * packet comes with credentials where SO_PASSCRED is on, if only with those of
 * nobody where it was off when it was sent. */
static enum wire_received
received(const struct msghdr *message, ssize_t r, bool may_end)
{
	if (message->msg_flags & MSG_CTRUNC)
		return WIRE_LOST;
	if (message->msg_flags & MSG_TRUNC)
		return WIRE_TOO_LONG;
	if (r == 0 && may_end && message->msg_controllen == 0)
		return WIRE_END;
	return WIRE_RECEIVED;
}

enum wire_received
wire_receive_packet(int fd, void *buffer, size_t size, size_t *n)
{
	/* With MSG_TRUNC it tells the true length of what was cut. */
	ssize_t r = recv(fd, buffer, size, MSG_DONTWAIT | MSG_TRUNC);

	*n = r > 0 ? (size_t)r : 0;
	if (r < 0)
		return failed(errno);
	return *n > size ? WIRE_TOO_LONG : WIRE_RECEIVED;
}

enum wire_received
wire_receive_last_packet(int fd, void *buffer, size_t size, size_t *n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r = recvmsg(fd, &message, MSG_DONTWAIT);

	*n = r > 0 ? (size_t)r : 0;
	return r < 0 ? failed(errno) : received(&message, r, true);
}

enum wire_received
wire_receive_passed(int fd, void *buffer, size_t size, bool may_end,
    struct reaper *reaper, size_t *n)
{
	union passing_control control; /* the kernel fills in what it uses */
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*n = r > 0 ? (size_t)r : 0;
	if (r < 0)
		return failed(errno);
	reaper_put_passed(reaper, &message);
	return received(&message, r, may_end);
}

enum wire_received
wire_receive_spliced(int fd, int pipe, size_t size, size_t *n)
{
	ssize_t r = splice(fd, NULL, pipe, NULL, size, SPLICE_F_NONBLOCK);

	*n = r > 0 ? (size_t)r : 0;
	if (r >= 0)
		return r == 0 ? WIRE_END : WIRE_RECEIVED;
	switch (errno) {
	case EINVAL:
	case ENOSYS:
	case EPERM:
		return WIRE_UNABLE;
	default:
		return failed(errno);
	}
}

enum wire_sent
wire_send_spliced(int fd, int pipe, size_t length, size_t *n)
{
	ssize_t r = splice(pipe, NULL, fd, NULL, length, SPLICE_F_NONBLOCK);

	*n = r > 0 ? (size_t)r : 0;
	if (r >= 0)
		return WIRE_SENT;
	switch (errno) {
	case EPIPE:
	case ECONNRESET:
		return WIRE_GONE;
	case ENOBUFS:
	case ENOMEM:
		return WIRE_CONGESTED;
	default: /* what does not go this way can still be sent */
		return WIRE_BLOCKED;
	}
}
