/* SPDX-License-Identifier: ISC */
/*
 * Sockets and locks as messages: a head, then one message for each socket with
 * its descriptors, the socket's first. Both sides may be of different versions
 * of this library, so every message is looked at before it is believed.
 */
#include <uxsrv/handover.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "inherited.h"
#include "shown.h"

/* Changes with the form of a message. */
#define MAGIC 0x75787331u

#define SOCKETS_MAX 1024

struct head {
	uint32_t magic;
	uint32_t n;
};

enum { HANDED_ABSTRACT = 1, HANDED_INHERITED = 2 };

/* The bytes of the address and of the name follow, without their NULs. */
struct record {
	uint32_t magic;
	uint32_t type;
	uint32_t flags;
	uint32_t address_length;
	uint32_t name_length;
	uint64_t dev;
	uint64_t ino;
};

#define TEXT_MAX (PATH_MAX + UXS_INHERITED_NAME_MAX)
#define FDS_MAX 2

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

/* ---- sending ---- */

static int
send_parts(int fd, struct iovec *parts, size_t n_parts, const int *fds,
    size_t n_fds)
{
	union control control = { .bytes = { 0 } };
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = n_parts,
	};

	if (n_fds > 0) {
		struct cmsghdr *head;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n_fds * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno :
									0;
}

static int
send_one(int fd, const struct uxs_handed *h)
{
	const int fds[FDS_MAX] = { h->fd, h->lock_fd };
	struct record record = {
		.magic = MAGIC,
		.type = (uint32_t)h->address.type,
		.flags = (h->address.is_abstract ? HANDED_ABSTRACT : 0) |
		    (h->is_inherited ? HANDED_INHERITED : 0),
		.address_length = (uint32_t)h->address.length,
		.name_length = (uint32_t)strlen(h->name),
		.dev = h->dev,
		.ino = h->ino,
	};
	struct iovec parts[] = {
		{ .iov_base = &record, .iov_len = sizeof(record) },
		{ .iov_base = (void *)(uintptr_t)h->address.name,
		    .iov_len = h->address.length },
		{ .iov_base = (void *)(uintptr_t)h->name,
		    .iov_len = record.name_length },
	};

	return send_parts(fd, parts, 3, fds, h->lock_fd >= 0 ? 2 : 1);
}

int
uxs_handover_send(int fd, const struct uxs_handover *handover)
{
	struct head head = { .magic = MAGIC, .n = (uint32_t)handover->n };
	struct iovec part = { .iov_base = &head, .iov_len = sizeof(head) };
	int r = send_parts(fd, &part, 1, NULL, 0);

	for (size_t i = 0; i < handover->n && r == 0; i++)
		r = send_one(fd, &handover->sockets[i]);
	return r;
}

/* ---- receiving ---- */

struct received {
	struct record record;
	char text[TEXT_MAX];
	size_t length; /* of all */
	int fds[FDS_MAX]; /* -1: none */
};

static void
take_fds(struct received *in, struct msghdr *message)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	size_t n;

	if (head == NULL || head->cmsg_level != SOL_SOCKET ||
	    head->cmsg_type != SCM_RIGHTS)
		return;
	n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > FDS_MAX)
		n = FDS_MAX;
	memcpy(in->fds, CMSG_DATA(head), n * sizeof(int));
}

static void
close_fds(struct received *in)
{
	for (size_t i = 0; i < FDS_MAX; i++) {
		if (in->fds[i] >= 0)
			close(in->fds[i]);
		in->fds[i] = -1;
	}
}

/* Returns 0 or a negative errno; then no descriptor is left. */
static int
receive(int fd, struct received *in)
{
	struct iovec parts[] = {
		{ .iov_base = &in->record, .iov_len = sizeof(in->record) },
		{ .iov_base = in->text, .iov_len = sizeof(in->text) },
	};
	union control control = { .bytes = { 0 } };
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	*in = (struct received){ .fds = { -1, -1 } };
	while ((n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 &&
	    errno == EINTR)
		;
	if (n < 0)
		return -errno;
	take_fds(in, &message);
	in->length = (size_t)n;
	if (n > 0 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return 0;
	close_fds(in);
	return n == 0 ? -ECONNRESET : -EBADMSG;
}

static bool
is_sound(const struct received *in)
{
	const struct record *r = &in->record;
	const bool is_inherited = (r->flags & HANDED_INHERITED) != 0;

	return in->length >= sizeof(*r) && r->magic == MAGIC &&
	    r->type < UXS_N_ALL_TYPES &&
	    (r->flags & ~(uint32_t)(HANDED_ABSTRACT | HANDED_INHERITED)) == 0 &&
	    r->address_length > 0 && r->address_length < PATH_MAX &&
	    r->name_length < UXS_INHERITED_NAME_MAX &&
	    in->length ==
	    sizeof(*r) + (size_t)r->address_length + r->name_length &&
	    in->fds[0] >= 0 &&
	    (in->fds[1] >= 0) ==
	    (!is_inherited && (r->flags & HANDED_ABSTRACT) == 0 &&
		!uxs_type_is_loopback((enum uxs_type)r->type));
}

static void
fill(struct uxs_handed *h, const struct received *in)
{
	const struct record *r = &in->record;

	*h = (struct uxs_handed){
		.fd = in->fds[0],
		.lock_fd = in->fds[1],
		.is_inherited = (r->flags & HANDED_INHERITED) != 0,
		.dev = (dev_t)r->dev,
		.ino = (ino_t)r->ino,
	};
	h->address.type = (enum uxs_type)r->type;
	h->address.is_abstract = (r->flags & HANDED_ABSTRACT) != 0;
	h->address.length = r->address_length;
	memcpy(h->address.name, in->text, r->address_length);
	memcpy(h->name, in->text + r->address_length, r->name_length);
}

static int
receive_head(int fd, size_t *n)
{
	struct received in;
	struct head head;
	int r = receive(fd, &in);

	if (r < 0)
		return r;
	close_fds(&in);
	memcpy(&head, &in.record, sizeof(head));
	if (in.length != sizeof(head) || head.magic != MAGIC || head.n == 0 ||
	    head.n > SOCKETS_MAX)
		return -EBADMSG;
	*n = head.n;
	return 0;
}

static int
receive_all(int fd, struct uxs_handover *handover)
{
	struct received in;
	size_t n;
	int r = receive_head(fd, &n);

	if (r < 0)
		return r;
	if ((handover->sockets = calloc(n, sizeof(handover->sockets[0]))) ==
	    NULL)
		return -ENOMEM;
	for (; handover->n < n; handover->n++) {
		if ((r = receive(fd, &in)) < 0)
			return r;
		if (!is_sound(&in)) {
			close_fds(&in);
			return -EBADMSG;
		}
		fill(&handover->sockets[handover->n], &in);
	}
	return 0;
}

int
uxs_handover_receive(int fd, struct uxs_handover *handover,
    struct uxs_error *why)
{
	int r;

	*handover = (struct uxs_handover)UXS_HANDOVER_NONE;
	if ((r = receive_all(fd, handover)) == 0)
		return 0;
	uxs_handover_close(handover);
	return uxs_error_set(why, UXS_FAILURE_CONFIG, -r,
	    "cannot receive the sockets of the process before us: %s",
	    r == -EBADMSG ? "it speaks another version of the protocol" :
			    strerror(-r));
}

/* ---- what becomes of them ---- */

static int
activate(struct uxs_handed *h, struct uxs_inherited *to, struct uxs_error *why)
{
	const char *objection;
	char text[SHOWN_MAX];

	*to = (struct uxs_inherited){ .fd = h->fd };
	strlcpy(to->name, h->name, sizeof(to->name));
	if ((objection = inherited_take(to)) != NULL)
		return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
		    "the inherited socket (%s) that was handed over %s",
		    shown(text, h->name), objection);
	h->fd = -1;
	h->is_taken = true;
	return 0;
}

int
uxs_handover_activate(struct uxs_handover *handover,
    struct uxs_activation *activation, struct uxs_error *why)
{
	struct uxs_inherited *sockets = reallocarray(activation->sockets,
	    activation->n + handover->n + 1, sizeof(*sockets));
	int r = 0;

	if (sockets == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the inherited sockets");
	activation->sockets = sockets;
	for (size_t i = 0; i < handover->n && r == 0; i++) {
		if (!handover->sockets[i].is_inherited)
			continue;
		r = activate(&handover->sockets[i], &sockets[activation->n],
		    why);
		activation->n += r == 0;
	}
	return r;
}

void
uxs_handover_close(struct uxs_handover *handover)
{
	for (size_t i = 0; i < handover->n; i++) {
		if (handover->sockets[i].fd >= 0)
			close(handover->sockets[i].fd);
		if (handover->sockets[i].lock_fd >= 0)
			close(handover->sockets[i].lock_fd);
	}
	free(handover->sockets);
	*handover = (struct uxs_handover)UXS_HANDOVER_NONE;
}
