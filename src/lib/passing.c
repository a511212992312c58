/* SPDX-License-Identifier: ISC */
/* Passed descriptors: refused where that is possible, found where not. */
#include "passing.h"

#include <errno.h>
#include <string.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16; newer than Debian 12's libc */
#endif

static bool pretends_old_kernel;

void
passing_pretend_old_kernel(bool is_old)
{
	pretends_old_kernel = is_old;
}

int
passing_refuse(int fd, bool *is_refused)
{
	const int off = 0;

	*is_refused = false;
	if (pretends_old_kernel)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)) == 0)
		*is_refused = true;
	else if (errno != ENOPROTOOPT)
		return -errno;
	return 0;
}

bool
passing_is_refused(int fd)
{
	int is_on = 1;
	socklen_t length = sizeof(is_on);

	return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &is_on, &length) ==
	    0 &&
	    is_on == 0;
}

static void
for_each_of(const struct cmsghdr *header, void (*function)(int fd, void *arg),
    void *arg)
{
	const size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	const unsigned char *data = CMSG_DATA(header);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		function(fd, arg);
	}
}

void
passing_for_each(struct msghdr *message, void (*function)(int fd, void *arg),
    void *arg)
{
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level == SOL_SOCKET &&
		    header->cmsg_type == SCM_RIGHTS)
			for_each_of(header, function, arg);
	}
}
