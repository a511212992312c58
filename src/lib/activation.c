/* SPDX-License-Identifier: ISC */
/*
 * What was inherited, looked at from every side before it is believed: the
 * environment is text that anybody can have left there.
 */
#include <uxsrv/activation.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/units.h>

#include "inet.h"
#include "inherited.h"
#include "shown.h"

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446 /* newer than Debian 12's headers */
#endif

/* As many as one process may well be given; a table of theirs is made. */
#define INHERITED_MAX 1024

static int
refuse(struct uxs_error *why, const char *name, const char *value,
    const char *objection)
{
	char text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
	    "environment: %s='%s' %s", name, shown(text, value), objection);
}

/* ---- for us? ---- */

/* Returns 1, 0, or a negative errno. */
static int
is_our_pid(struct uxs_error *why)
{
	const char *text = getenv("LISTEN_PID");
	int64_t pid;

	if (text == NULL)
		return 0;
	if (uxs_count_parse(text, 1, INT32_MAX, &pid) < 0)
		return refuse(why, "LISTEN_PID", text, "is not a process ID");
	return pid == getpid();
}

/* A pidfd's inode number is never used again, a pid is; but only where pidfds
 * have a file system of their own (Linux 6.9). */
static bool
own_pidfd_id(int64_t *id)
{
	const int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct statfs fs;
	struct stat st;
	bool is_known;

	if (fd < 0)
		return false;
	is_known = fstatfs(fd, &fs) == 0 && fs.f_type == PID_FS_MAGIC &&
	    fstat(fd, &st) == 0;
	if (is_known)
		*id = (int64_t)st.st_ino;
	close(fd);
	return is_known;
}

static int
is_our_pidfd(struct uxs_error *why)
{
	const char *text = getenv("LISTEN_PIDFDID");
	int64_t said, own;

	if (text == NULL)
		return 1;
	if (uxs_count_parse(text, 1, INT64_MAX, &said) < 0)
		return refuse(why, "LISTEN_PIDFDID", text,
		    "is not the number of a pidfd");
	return !own_pidfd_id(&own) || said == own;
}

/* Returns how many descriptors there are for us, or a negative errno. */
static int
count_ours(struct uxs_error *why)
{
	const char *text = getenv("LISTEN_FDS");
	int64_t n;
	int r;

	if (text == NULL || (r = is_our_pid(why)) == 0)
		return 0;
	if (r < 0 || (r = is_our_pidfd(why)) <= 0)
		return r;
	if (uxs_count_parse(text, 0, INHERITED_MAX, &n) < 0)
		return refuse(why, "LISTEN_FDS", text,
		    "is not a number of descriptors, 0 to 1024");
	return (int)n;
}

/* ---- names ---- */

/* *at is behind the former name, NULL after the last. */
static bool
next_name(const char **at, char name[UXS_INHERITED_NAME_MAX])
{
	const char *from = *at;
	size_t length;

	if (from == NULL)
		return false;
	length = strcspn(from, ":");
	if (length == 0 || length >= UXS_INHERITED_NAME_MAX)
		return false;
	memcpy(name, from, length);
	name[length] = '\0';
	*at = from[length] == ':' ? from + length + 1 : NULL;
	return true;
}

static int
read_names(struct uxs_activation *a, struct uxs_error *why)
{
	const char *text = getenv("LISTEN_FDNAMES"), *at = text;

	for (size_t i = 0; i < a->n; i++) {
		char *name = a->sockets[i].name;

		if (text == NULL)
			strcpy(name, "unknown");
		else if (!next_name(&at, name))
			return refuse(why, "LISTEN_FDNAMES", text,
			    "has not one name, of 1 to 255 bytes, for each "
			    "descriptor");
	}
	if (at != NULL)
		return refuse(why, "LISTEN_FDNAMES", text,
		    "has more names than there are descriptors");
	return 0;
}

/* ---- each of them ---- */

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0)
		return -1;
	return value;
}

static bool
find_type(int fd, enum uxs_type *type)
{
	const int socket_type = option_of(fd, SO_TYPE);

	for (int i = 0; i < UXS_N_TYPES; i++) {
		*type = (enum uxs_type)i;
		if (uxs_type_socket(*type) == socket_type)
			return true;
	}
	return false;
}

/*
 * The kernel tells a name of 108 bytes without a NUL, and a length that is one
 * more than the structure: room for both, and zeros behind.
 */
static bool
find_name(int fd, struct uxs_address *address)
{
	union {
		struct sockaddr_un un;
		char bytes[sizeof(struct sockaddr_un) + 2];
	} sa = { .bytes = { 0 } };
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	socklen_t length = sizeof(sa) - 1;
	const char *name = sa.bytes + before;

	if (getsockname(fd, (struct sockaddr *)&sa, &length) < 0 ||
	    length <= before)
		return false;
	address->is_abstract = name[0] == '\0';
	if (address->is_abstract) {
		address->length = length - before - 1;
		memcpy(address->name, name + 1, address->length);
	} else {
		address->length = strlen(name);
		memcpy(address->name, name, address->length);
	}
	return true;
}

static bool
is_connected(int fd)
{
	struct sockaddr_un peer;
	socklen_t length = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

static const char *
identify(int fd, int domain, struct uxs_address *address)
{
	if (domain != AF_UNIX)
		return inet_identify(fd, address);
	if (!find_type(fd, &address->type))
		return "is neither a stream, a seqpacket nor a datagram socket";
	if (!find_name(fd, address))
		return "has no name, so that nobody could reach it";
	return NULL;
}

const char *
inherited_object_to(struct uxs_inherited *s)
{
	const int domain = option_of(s->fd, SO_DOMAIN);
	const char *objection;

	if (domain < 0)
		return "is not a socket";
	if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
		return "is neither of the Unix domain nor of TCP or UDP";
	if (is_connected(s->fd))
		return "is connected to a client; what is wanted is the socket "
		       "that clients connect to (Accept=no)";
	if ((objection = identify(s->fd, domain, &s->address)) != NULL)
		return objection;
	if (!uxs_type_is_datagram(s->address.type) &&
	    option_of(s->fd, SO_ACCEPTCONN) != 1)
		return "does not listen";
	return NULL;
}

const char *
inherited_take(struct uxs_inherited *s)
{
	const int flags = fcntl(s->fd, F_GETFL);
	const char *objection = flags < 0 ? "is not open" :
					    inherited_object_to(s);

	if (objection == NULL &&
	    (fcntl(s->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(s->fd, F_SETFD, FD_CLOEXEC) < 0))
		objection = "cannot be made non-blocking";
	return objection;
}

static int
take(struct uxs_inherited *s, struct uxs_error *why)
{
	const char *objection = inherited_take(s);
	char text[SHOWN_MAX];

	if (objection == NULL)
		return 0;
	return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
	    "environment: of LISTEN_FDS, descriptor %d (%s) %s", s->fd,
	    shown(text, s->name), objection);
}

/* ---- all of them ---- */

static int
allocate(struct uxs_activation *a, size_t n, struct uxs_error *why)
{
	if ((a->sockets = calloc(n, sizeof(a->sockets[0]))) == NULL) {
		uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the inherited sockets");
		return -ENOMEM;
	}
	a->n = n;
	for (size_t i = 0; i < n; i++)
		a->sockets[i].fd = UXS_ACTIVATION_FIRST_FD + (int)i;
	return 0;
}

/* Those that are not what they should be may be somebody else's: they stay. */
static int
take_all(struct uxs_activation *a, struct uxs_error *why)
{
	const size_t n = a->n;
	int r = 0;

	for (a->n = 0; a->n < n; a->n++) {
		if ((r = take(&a->sockets[a->n], why)) < 0)
			break;
	}
	return r;
}

int
uxs_activation_open(struct uxs_activation *a, struct uxs_error *why)
{
	int r;

	*a = (struct uxs_activation)UXS_ACTIVATION_NONE;
	if ((r = count_ours(why)) > 0 &&
	    (r = allocate(a, (size_t)r, why)) == 0) {
		if ((r = read_names(a, why)) < 0)
			a->n = 0;
		if (r == 0)
			r = take_all(a, why);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PIDFDID");
	if (r < 0)
		uxs_activation_close(a);
	return r;
}

void
uxs_activation_close(struct uxs_activation *a)
{
	for (size_t i = 0; i < a->n; i++)
		close(a->sockets[i].fd);
	free(a->sockets);
	*a = (struct uxs_activation)UXS_ACTIVATION_NONE;
}
