/* SPDX-License-Identifier: ISC */
#include "upgrade_wire.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int
send_parts(int fd, int kind, const void *bytes, size_t length, int passed)
{
	char first = (char)kind;
	struct iovec parts[] = {
		{ .iov_base = &first, .iov_len = 1 },
		{ .iov_base = (void *)(uintptr_t)bytes, .iov_len = length },
	};
	union control control = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (passed >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.align = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.align), &passed, sizeof(passed));
	}
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno :
									0;
}

int
upgrade_wire_send(int fd, int kind, const void *bytes, size_t length)
{
	return send_parts(fd, kind, bytes, length, -1);
}

int
upgrade_wire_send_fd(int fd, int kind, int passed)
{
	return send_parts(fd, kind, "", 0, passed);
}

static int
passed_in(const struct msghdr *message, const union control *control)
{
	int fd;

	if (message->msg_controllen < sizeof(struct cmsghdr) ||
	    control->align.cmsg_level != SOL_SOCKET ||
	    control->align.cmsg_type != SCM_RIGHTS ||
	    control->align.cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(&control->align), sizeof(fd));
	return fd;
}

int
upgrade_wire_receive(int fd, struct upgrade_wire *m, int flags)
{
	unsigned char kind = 0;
	struct iovec parts[] = {
		{ .iov_base = &kind, .iov_len = 1 },
		{ .iov_base = m->bytes, .iov_len = UPGRADE_BYTES_MAX },
	};
	union control control = { .bytes = { 0 } };
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	m->fd = -1;
	/* A peer that ends before it has read all we sent resets the connection
	 * once; what it said is still behind that. */
	while ((n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC)) < 0 &&
	    (errno == EINTR || errno == ECONNRESET))
		;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	m->fd = passed_in(&message, &control);
	m->kind = kind;
	m->length = (size_t)n - 1;
	m->bytes[m->length] = '\0';
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return 1;
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	return -EBADMSG;
}
