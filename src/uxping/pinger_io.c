/* SPDX-License-Identifier: ISC */
/* Sending and receiving pings, over sockets with and without boundaries. */
#include "pinger_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <uxsrv/units.h>

#include "options.h"
#include "pinger.h"

/* A message takes this much of the send buffer beside its own bytes; the
 * kernel doubles what is asked for, so that this is plenty. */
#define SNDBUF_SLACK 4096

int64_t
pinger_io_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

/* A message is sent whole or not at all, so the buffer must hold it. */
static void
enlarge_buffer(int fd, size_t size)
{
	const int wanted = (int)size + SNDBUF_SLACK;
	int now = 0;
	socklen_t length = sizeof(now);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &length) == 0 &&
	    now / 2 < wanted)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

int
pinger_io_prepare(struct pinger *pinger)
{
	const struct target *target = &pinger->target;
	const size_t size = pinger->options->size_bytes;
	const int on = 1;

	if (pinger->options->connect_only)
		return 0;
	if (size == 0 && !target_keeps_messages(target)) {
		diagnose_size(&pinger->diagnosis, target, size);
		return -EINVAL;
	}
	if (target_keeps_messages(target))
		enlarge_buffer(pinger->link.fd, size);
	uxs_deframer_init(&pinger->deframer, pinger->options->framing,
	    OPTIONS_SIZE_MAX);
	pinger->raw_at = pinger->raw_have = 0;
	/* An empty seqpacket message reads like the end of the connection; it
	 * comes with credentials, and the end does not. */
	if (target->address.type == UXS_SEQPACKET)
		setsockopt(pinger->link.fd, SOL_SOCKET, SO_PASSCRED, &on,
		    sizeof(on));
	return 0;
}

static bool
is_framed(const struct pinger *pinger)
{
	return pinger->options->framing != UXS_FRAMING_NONE &&
	    !target_keeps_messages(&pinger->target);
}

void
pinger_io_fill(struct pinger *pinger, uint64_t seq, int64_t sent_ns)
{
	const size_t size = pinger->options->size_bytes;
	struct uxs_frame_ends ends = { .n_head = 0 };

	/* A ping is a line already. */
	if (is_framed(pinger) && pinger->options->framing != UXS_FRAMING_LINE)
		uxs_frame_ends_fill(&ends, pinger->options->framing, size);
	memcpy(pinger->out, ends.head, ends.n_head);
	packet_fill(pinger->out + ends.n_head, size, seq, sent_ns);
	memcpy(pinger->out + ends.n_head + size, ends.tail, ends.n_tail);
	pinger->out_bytes = ends.n_head + size + ends.n_tail;
	pinger->out_done = 0;
	pinger->has_out = true;
}

int
pinger_io_send(struct pinger *pinger)
{
	const size_t size = pinger->out_bytes;

	while (pinger->has_out) {
		const ssize_t n = send(pinger->link.fd,
		    pinger->out + pinger->out_done, size - pinger->out_done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		pinger->out_done += (size_t)n;
		pinger->has_out = pinger->out_done < size;
	}
	return 0;
}

/* One message. Its true length is told even where it did not fit. */
static int
receive_message(struct pinger *pinger, size_t *length)
{
	char control[CMSG_SPACE(sizeof(struct ucred))]
	    __attribute__((aligned(sizeof(size_t))));
	struct iovec iov = {
		.iov_base = pinger->in,
		.iov_len = pinger->options->size_bytes + 1,
	};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t n = recvmsg(pinger->link.fd, &message,
	    MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	*length = (size_t)n;
	if (n == 0 && pinger->target.address.type == UXS_SEQPACKET &&
	    message.msg_controllen == 0)
		return PINGER_IO_END;
	return PINGER_IO_ANSWER;
}

static int
receive_bytes(struct pinger *pinger, size_t *length)
{
	const size_t size = pinger->options->size_bytes;
	const ssize_t n = recv(pinger->link.fd, pinger->in + pinger->in_have,
	    size - pinger->in_have, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n == 0)
		return PINGER_IO_END;
	pinger->in_have += (size_t)n;
	if (pinger->in_have < size)
		return PINGER_IO_NOTHING;
	pinger->in_have = 0;
	*length = size;
	return PINGER_IO_ANSWER;
}

/* As much as fits, and how much it is. */
static void
take_piece(struct pinger *pinger, const char *data, size_t length)
{
	const size_t size = pinger->options->size_bytes + 1;
	const size_t room = pinger->in_have < size ? size - pinger->in_have : 0;

	if (length > 0)
		memcpy(pinger->in + (size - room), data,
		    length < room ? length : room);
	pinger->in_have += length;
}

/* Of what was received. Returns PINGER_IO_NOTHING when all was looked at. */
static int
look_for_frame(struct pinger *pinger, size_t *length)
{
	struct uxs_frame_piece piece;
	const enum uxs_frame r = uxs_deframer_next(&pinger->deframer,
	    pinger->raw + pinger->raw_at, pinger->raw_have - pinger->raw_at,
	    &piece);

	pinger->raw_at += piece.n_taken;
	if (r == UXS_FRAME_TOO_LONG || r == UXS_FRAME_MALFORMED)
		return -EBADMSG;
	take_piece(pinger, piece.data, piece.length);
	if (r == UXS_FRAME_NONE)
		return PINGER_IO_NOTHING;
	if (pinger->options->framing == UXS_FRAMING_LINE)
		take_piece(pinger, "\n", 1); /* part of the ping */
	*length = pinger->in_have;
	pinger->in_have = 0;
	return PINGER_IO_ANSWER;
}

static int
receive_frame(struct pinger *pinger, size_t *length)
{
	for (;;) {
		ssize_t n;

		if (pinger->raw_at < pinger->raw_have) {
			const int r = look_for_frame(pinger, length);

			if (r != PINGER_IO_NOTHING)
				return r;
		}
		n = recv(pinger->link.fd, pinger->raw, PINGER_IO_RAW_BYTES,
		    MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 ? -errno : PINGER_IO_END;
		pinger->raw_at = 0;
		pinger->raw_have = (size_t)n;
	}
}

int
pinger_io_receive(struct pinger *pinger, size_t *length)
{
	const bool is_packet = target_keeps_messages(&pinger->target);
	bool was_reset = false;
	int r;

	do {
		if (is_framed(pinger))
			r = receive_frame(pinger, length);
		else
			r = is_packet ? receive_message(pinger, length) :
					receive_bytes(pinger, length);
		if (r == -EAGAIN)
			return PINGER_IO_NOTHING;
		/* A seqpacket socket tells of the reset before it hands out
		 * the messages that came ahead of it. */
		if (r == -ECONNRESET && is_packet && !was_reset) {
			was_reset = true;
			r = -EINTR;
		}
	} while (r == -EINTR);
	return r == PINGER_IO_END && was_reset ? -ECONNRESET : r;
}
