/* SPDX-License-Identifier: ISC */
/* Never a messenger to somebody else's socket; see return_path.h. */
#include "return_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/address.h>

static bool
is_believed(const struct uxs_peer *sender)
{
	return uxs_peer_is_known(sender) &&
	    (sender->uid == 0 || sender->uid == geteuid());
}

static enum return_path_outcome
pin(struct return_path *path, const char *name, uid_t sender)
{
	char link[sizeof("/proc/self/fd/") + 11];
	struct stat st;

	path->pin_fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (path->pin_fd < 0)
		return errno == EMFILE || errno == ENFILE ?
		    RETURN_PATH_EXHAUSTED :
		    RETURN_PATH_GONE;
	/* O_PATH opens a symbolic link itself: it is no socket. */
	if (fstat(path->pin_fd, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != sender)
		return RETURN_PATH_NOT_SENDERS;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path->pin_fd);
	uxs_sockaddr_from_path(&path->to, &path->length, link);
	return RETURN_PATH_OPEN;
}

enum return_path_outcome
return_path_open(struct return_path *path, const union return_address *from,
    socklen_t from_length, const struct uxs_peer *sender)
{
	const size_t before_name = offsetof(struct sockaddr_un, sun_path);

	path->pin_fd = -1;
	if (from_length <= before_name)
		return RETURN_PATH_NONE;
	/*
	 * An abstract name is bound to one socket and has no owner to look
	 * at; no link can lead from it elsewhere.
	 */
	if (from->un.sun_path[0] == '\0' || is_believed(sender)) {
		path->to = from->un;
		/* 108 bytes without a NUL are reported as one longer than the
		 * struct, but are sent as they are. */
		path->length = from_length > sizeof(path->to) ?
		    sizeof(path->to) :
		    from_length;
		return RETURN_PATH_OPEN;
	}
	/* Relative names would be looked up in our directory, not the
	 * sender's, and an unknown sender owns nothing. */
	if (from->un.sun_path[0] != '/' || !uxs_peer_is_known(sender))
		return RETURN_PATH_NOT_SENDERS;
	return pin(path, from->un.sun_path, sender->uid);
}

void
return_path_close(struct return_path *path)
{
	if (path->pin_fd >= 0)
		close(path->pin_fd);
	path->pin_fd = -1;
}
