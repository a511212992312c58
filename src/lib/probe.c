/* SPDX-License-Identifier: ISC */
/*
 * The probe that disturbs nobody. The truth table it rests on is in uxsrv(7)
 * and, row by row, in its test.
 */
#include <uxsrv/probe.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/place.h>

#include "sysret.h"

/* Connect a datagram socket, to the pinned inode or, without /proc, to the
 * name. Returns what connect did, as 0 or -errno, or -ENOTRECOVERABLE when
 * there is no socket to ask with. */
static int
ask(const struct uxs_place *place, int pin_fd)
{
	struct sockaddr_un sa;
	socklen_t length;
	int r;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -ENOTRECOVERABLE;
	r = uxs_pin_connect(pin_fd, fd);
	if (r == -ENOSYS &&
	    uxs_place_sockaddr(place, place->name, &sa, &length) == 0)
		r = sysret(connect(fd, (struct sockaddr *)&sa, length));
	close(fd);
	return r;
}

static enum uxs_probe
verdict(int answer)
{
	switch (answer) {
	case -ECONNREFUSED:
		return UXS_PROBE_DEAD;
	case -ENOENT: /* gone since it was pinned, and no /proc */
		return UXS_PROBE_FREE;
	case 0: /* a datagram server */
	case -EPROTOTYPE: /* a stream or seqpacket server */
	case -EPERM: /* a datagram server that talks to one peer only */
		return UXS_PROBE_LIVE;
	default: /* EACCES, and whatever we have not thought of */
		return UXS_PROBE_UNKNOWN;
	}
}

int
uxs_probe_place(const struct uxs_place *place, struct uxs_probe_facts *facts)
{
	struct stat st;
	int pin_fd = uxs_place_pin(place);
	int answer;

	*facts = (struct uxs_probe_facts){ .code = -pin_fd };
	if (pin_fd == -ENOENT)
		return UXS_PROBE_FREE;
	if (pin_fd < 0)
		return pin_fd;
	if (fstat(pin_fd, &st) < 0) {
		answer = -errno;
		close(pin_fd);
		return answer;
	}
	*facts = (struct uxs_probe_facts){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
	};
	/* Files and directories say ECONNREFUSED too: look first. */
	if (!S_ISSOCK(st.st_mode)) {
		close(pin_fd);
		return S_ISLNK(st.st_mode) ? UXS_PROBE_SYMLINK :
					     UXS_PROBE_NOT_A_SOCKET;
	}
	answer = ask(place, pin_fd);
	close(pin_fd);
	if (answer == -ENOTRECOVERABLE)
		return -EMFILE;
	facts->code = -answer;
	return verdict(answer);
}
