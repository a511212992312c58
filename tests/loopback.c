/* SPDX-License-Identifier: ISC */
#include "loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 20

static void
read_line(int fd, char *line, size_t size)
{
	size_t n;

	for (n = 0; n < size - 1; n++) {
		ck_assert_int_eq(read(fd, &line[n], 1), 1);
		if (line[n] == '\n')
			break;
	}
	line[n] = '\0';
}

const char *
loopback_served(const struct service *process, const char *type,
    char text[LOOPBACK_NAME_ROOM])
{
	char line[512], words[32];
	const char *found;

	snprintf(words, sizeof(words), " %s:", type);
	do {
		read_line(process->stderr_fd, line, sizeof(line));
	} while (strstr(line, "serving ") == NULL ||
	    (found = strstr(line, words)) == NULL);
	strlcpy(text, found + strlen(words), LOOPBACK_NAME_ROOM);
	return text;
}

static int
open_socket(int type, const char *name, bool connects)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };
	struct sockaddr_storage sa;
	socklen_t length;
	int fd, r;

	ck_assert_int_eq(uxs_sockaddr_from_loopback(&sa, &length, name), 0);
	fd = socket(sa.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	r = connects ? connect(fd, (struct sockaddr *)&sa, length) :
		       bind(fd, (struct sockaddr *)&sa, length);
	if (r == 0)
		return fd;
	r = errno;
	close(fd);
	errno = r;
	return -1;
}

int
loopback_bind(int type, const char *name)
{
	return open_socket(type, name, false);
}

int
loopback_try(int type, const char *name)
{
	return open_socket(type, name, true);
}

int
loopback_connect_to(int type, const char *name)
{
	const int fd = loopback_try(type, name);

	ck_assert_msg(fd >= 0, "cannot connect to %s: %s", name,
	    strerror(errno));
	return fd;
}

unsigned
loopback_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa = { .in = { .sin_port = 0 } };
	socklen_t length = sizeof(sa);

	ck_assert_int_eq(getsockname(fd, &sa.any, &length), 0);
	return ntohs(sa.in.sin_port); /* both families have it there */
}

bool
loopback_has_ipv6(void)
{
	const int fd = loopback_bind(SOCK_STREAM, "[::1]:0");

	if (fd < 0) {
		skip("there is no IPv6 here");
		return false;
	}
	close(fd);
	return true;
}
