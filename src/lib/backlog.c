/* SPDX-License-Identifier: ISC */
/* One question and one answer over netlink(7); see backlog.h. */
#include "backlog.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sysret.h"

/* The kernel's is an int. */
#define ATTRIBUTE_HEAD ((size_t)NLA_HDRLEN)

struct question {
	struct nlmsghdr header;
	struct unix_diag_req body;
};

int
backlog_open(void)
{
	return sysret(socket(AF_NETLINK,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

/* By the number of its inode: the cookie, too, would have to be asked for. */
static int
ask(int diag_fd, ino_t ino)
{
	const struct question question = {
		.header = {
			.nlmsg_len = sizeof(question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.body = {
			.sdiag_family = AF_UNIX,
			.udiag_states = ~0U,
			.udiag_ino = (uint32_t)ino,
			.udiag_show = UDIAG_SHOW_RQLEN,
			.udiag_cookie = { ~0U, ~0U },
		},
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sysret((int)sendto(diag_fd, &question, sizeof(question),
	    MSG_DONTWAIT, (const struct sockaddr *)&kernel, sizeof(kernel)));
}

/* The attribute among those of an answer; all lengths are the kernel's. */
static int
find_lengths(const char *attributes, size_t length,
    struct unix_diag_rqlen *lengths)
{
	struct nlattr a;

	while (length >= ATTRIBUTE_HEAD) {
		memcpy(&a, attributes, sizeof(a));
		if (a.nla_len < ATTRIBUTE_HEAD || a.nla_len > length)
			break;
		if (a.nla_type == UNIX_DIAG_RQLEN &&
		    a.nla_len >= ATTRIBUTE_HEAD + sizeof(*lengths)) {
			memcpy(lengths, attributes + ATTRIBUTE_HEAD,
			    sizeof(*lengths));
			return 0;
		}
		if ((size_t)NLA_ALIGN(a.nla_len) >= length)
			break;
		attributes += (size_t)NLA_ALIGN(a.nla_len);
		length -= (size_t)NLA_ALIGN(a.nla_len);
	}
	return -ENODATA;
}

static int
take_answer(const char *answer, size_t length, struct unix_diag_rqlen *lengths)
{
	const size_t before = NLMSG_HDRLEN +
	    NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	struct nlmsghdr header;
	struct nlmsgerr error;

	if (length < sizeof(header))
		return -EBADMSG;
	memcpy(&header, answer, sizeof(header));
	if (header.nlmsg_type == NLMSG_ERROR &&
	    length >= NLMSG_HDRLEN + sizeof(error)) {
		memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
		return error.error < 0 ? error.error : -EBADMSG;
	}
	if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || length < before)
		return -EBADMSG;
	return find_lengths(answer + before, length - before, lengths);
}

int
backlog_read(int diag_fd, int fd, uint32_t *waiting, uint32_t *max)
{
	struct unix_diag_rqlen lengths;
	struct stat st;
	char answer[512];
	int r;

	if (diag_fd < 0)
		return -EBADF;
	if ((r = sysret(fstat(fd, &st))) < 0 ||
	    (r = ask(diag_fd, st.st_ino)) < 0 ||
	    (r = sysret((int)recv(diag_fd, answer, sizeof(answer),
		 MSG_DONTWAIT))) < 0 ||
	    (r = take_answer(answer, (size_t)r, &lengths)) < 0)
		return r;
	*waiting = lengths.udiag_rqueue;
	*max = lengths.udiag_wqueue;
	return 0;
}
