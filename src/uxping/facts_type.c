/* SPDX-License-Identifier: ISC */
/* What the kernel lists of Unix sockets in this network namespace. */
#include "facts_type.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "facts.h"

static int
type_of_number(unsigned number)
{
	for (int type = 0; type < UXS_N_TYPES; type++) {
		if (uxs_type_socket((enum uxs_type)type) == (int)number)
			return type;
	}
	return FACTS_TYPE_UNKNOWN;
}

/* ---- by file ---- */

/* The kernel's dev_t in this interface: 12 bits of major, 20 of minor. */
static bool
is_file(const struct unix_diag_vfs *vfs, const struct stat *st)
{
	return vfs->udiag_vfs_ino == (uint32_t)st->st_ino &&
	    vfs->udiag_vfs_dev >> 20 == major(st->st_dev) &&
	    (vfs->udiag_vfs_dev & 0xfffff) == minor(st->st_dev);
}

static bool
is_of_file(const struct nlmsghdr *header, const struct stat *st)
{
	const struct unix_diag_msg *message = NLMSG_DATA(header);
	const char *at = (const char *)(message + 1);
	int n = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*message)));

	/* RTA_NEXT and NLMSG_NEXT would do the same with casts that compilers
	 * warn of. */
	while (RTA_OK((const struct rtattr *)(const void *)at, n)) {
		const struct rtattr *attribute = (const void *)at;

		at += RTA_ALIGN(attribute->rta_len);
		n -= (int)RTA_ALIGN(attribute->rta_len);
		if (attribute->rta_type == UNIX_DIAG_VFS &&
		    is_file(RTA_DATA(attribute), st))
			return true;
	}
	return false;
}

static int
ask_for_all(int fd)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.body = {
			.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_show = UDIAG_SHOW_VFS,
		},
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -1 : 0;
}

/* Read the answer to its end, or to the socket that is meant. */
static int
find_file(int fd, const struct stat *st)
{
	static char buffer[32 * 1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		const char *at = buffer;

		while (NLMSG_OK((const struct nlmsghdr *)(const void *)at, n)) {
			const struct nlmsghdr *header = (const void *)at;
			const struct unix_diag_msg *message =
			    NLMSG_DATA(header);

			if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
				return FACTS_TYPE_UNKNOWN;
			if (is_of_file(header, st))
				return type_of_number(message->udiag_type);
			at += NLMSG_ALIGN(header->nlmsg_len);
			n -= NLMSG_ALIGN(header->nlmsg_len);
		}
	}
	return FACTS_TYPE_UNKNOWN;
}

int
facts_type_of_file(const struct stat *st)
{
	const int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int type = FACTS_TYPE_UNKNOWN;

	if (fd < 0)
		return type;
	if (ask_for_all(fd) == 0)
		type = find_file(fd, st);
	close(fd);
	return type;
}

/* ---- by name ---- */

int
facts_type_of_name(const char *name)
{
	FILE *list = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t size = 0;
	int found = FACTS_TYPE_UNKNOWN;

	while (list != NULL && found == FACTS_TYPE_UNKNOWN &&
	    getline(&line, &size, list) > 0) {
		unsigned number;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %*s %*s %*s %x %*s %*s %n", &number,
			&at) == 1 &&
		    at > 0 && strcmp(line + at, name) == 0)
			found = type_of_number(number);
	}
	free(line);
	if (list != NULL)
		fclose(list);
	return found;
}
