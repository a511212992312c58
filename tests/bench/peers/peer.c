/* SPDX-License-Identifier: ISC */
#include "peer.h"

#include <err.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096 /* as uxecho */

static int
type_of(const char *name)
{
	if (strcmp(name, "stream") == 0)
		return SOCK_STREAM;
	if (strcmp(name, "seqpacket") == 0)
		return SOCK_SEQPACKET;
	if (strcmp(name, "dgram") == 0)
		return SOCK_DGRAM;
	errx(64, "%s: no type of socket", name);
}

static void
raise_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

const char *
peer_path(int argc, char *argv[], const char *version)
{
	if (argc == 2 && strcmp(argv[1], "-V") == 0) {
		puts(version);
		exit(0);
	}
	if (argc != 3)
		errx(64, "usage: %s TYPE PATH | -V", argv[0]);
	signal(SIGPIPE, SIG_IGN);
	umask(0); /* clients may be of any user */
	raise_descriptors();
	unlink(argv[2]);
	return argv[2];
}

int
peer_listen(int argc, char *argv[], const char *version)
{
	const char *path = peer_path(argc, argv, version);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const int type = type_of(argv[1]);
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path))
		errx(64, "%s: too long", path);
	strcpy(sa.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    (type != SOCK_DGRAM && listen(fd, BACKLOG) < 0))
		err(71, "%s", path);
	return fd;
}

bool
peer_echo(int fd)
{
	static _Thread_local alignas(4096) char buffer[PEER_BUFFER_BYTES];
	const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	return n > 0 && send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n;
}
