/* SPDX-License-Identifier: ISC */
/*
 * A directory below TMPDIR with a name that cannot be guessed, and sockets
 * "1", "2", ... in it.
 *
 * The directory has mode 0711 and not 0700. A server resolves our path with
 * its own rights: one that runs as another user, or as root without
 * CAP_DAC_OVERRIDE, could not search a 0700 directory, and its answers would
 * be lost. Nobody but us can list, add or replace anything in there, and what
 * a stranger sends to a name that it did learn, the kernel refuses, since the
 * sockets are connected (EPERM).
 */
#include "return_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/address.h>

/* Sending to a socket takes write permission on its file and nothing else. */
#define SOCKET_MODE 0222

static char directory[64]; /* empty: not made yet */
static int n_used;

static void
remove_directory(void)
{
	if (directory[0] != '\0')
		rmdir(directory);
	directory[0] = '\0';
}

/* $TMPDIR where it leaves room for the name in sockaddr_un, else /tmp. */
static int
make_directory(void)
{
	const char *parent = getenv("TMPDIR");
	static bool is_registered;

	if (parent == NULL || parent[0] != '/' ||
	    snprintf(directory, sizeof(directory), "%s/uxping.XXXXXX",
		parent) >= (int)sizeof(directory))
		snprintf(directory, sizeof(directory), "/tmp/uxping.XXXXXX");
	if (mkdtemp(directory) == NULL) {
		directory[0] = '\0';
		return -errno;
	}
	if (chmod(directory, 0711) < 0) {
		remove_directory();
		return -EACCES;
	}
	if (!is_registered)
		atexit(remove_directory);
	is_registered = true;
	return 0;
}

static char *
path_of(char path[sizeof(directory) + 16], int id)
{
	snprintf(path, sizeof(directory) + 16, "%s/%d", directory, id);
	return path;
}

int
return_address_bind(int fd)
{
	char path[sizeof(directory) + 16];
	struct sockaddr_un sa;
	socklen_t length;
	int r;

	if (directory[0] == '\0' && (r = make_directory()) < 0)
		return r;
	if ((r = uxs_sockaddr_from_path(&sa, &length,
		 path_of(path, n_used + 1))) < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&sa, length) < 0)
		return -errno;
	/* By name, since bind masks the mode by umask; the name is safe in a
	 * directory that only we can write to. */
	if (chmod(path, SOCKET_MODE) < 0) {
		r = -errno;
		unlink(path);
		return r;
	}
	return ++n_used;
}

void
return_address_remove(int id)
{
	char path[sizeof(directory) + 16];

	if (id > 0 && directory[0] != '\0')
		unlink(path_of(path, id));
}
