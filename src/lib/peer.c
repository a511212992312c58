/* SPDX-License-Identifier: ISC */
/*
 * What the kernel attests about the other end. Every function starts from
 * "nobody at all": a call that fails can only ever leave less known.
 */
#include <uxsrv/peer.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "sysret.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; newer than Debian 12's libc */
#endif

/* Labels are short ("unconfined_u:...:s0-s0:c0.c1023"); one that is longer is
 * reported as an error, never in part. */
#define LABEL_MAX 512

/* ---- ids that stand for nobody ---- */

static uid_t
read_overflow_id(const char *path)
{
	char text[16] = "";
	int64_t id;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 65534;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return uxs_count_parse(text, 0, UINT32_MAX, &id) == 0 ? (uid_t)id :
								65534;
}

uid_t
uxs_overflow_uid(void)
{
	/* 0 is never the overflow uid, so it can say "not read yet"; two
	 * threads that both read it find the same number. */
	static _Atomic uid_t uid;

	if (uid == 0)
		uid = read_overflow_id("/proc/sys/kernel/overflowuid");
	return uid;
}

gid_t
uxs_overflow_gid(void)
{
	static _Atomic gid_t gid;

	if (gid == 0)
		gid = read_overflow_id("/proc/sys/kernel/overflowgid");
	return gid;
}

static void
fill(struct uxs_peer *peer, const struct ucred *ucred)
{
	if (ucred->uid == UXS_UID_NONE)
		return;
	if (ucred->uid == uxs_overflow_uid()) {
		/* Without a pid these are no credentials at all: a message
		 * that was queued before SO_PASSCRED was on has such. */
		peer->is_unmapped = ucred->pid > 0;
		return;
	}
	peer->uid = ucred->uid;
	if (ucred->gid != uxs_overflow_gid())
		peer->gid = ucred->gid;
	if (ucred->pid > 0)
		peer->pid = ucred->pid;
}

/* ---- credentials ---- */

void
uxs_peer_of_socket(struct uxs_peer *peer, int fd)
{
	struct ucred ucred;
	socklen_t length = sizeof(ucred);

	*peer = (struct uxs_peer)UXS_PEER_UNKNOWN;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &length) == 0 &&
	    length == sizeof(ucred))
		fill(peer, &ucred);
}

void
uxs_peer_of_message(struct uxs_peer *peer, struct msghdr *message)
{
	struct cmsghdr *header;
	struct ucred ucred;

	*peer = (struct uxs_peer)UXS_PEER_UNKNOWN;
	for (header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_CREDENTIALS ||
		    header->cmsg_len != CMSG_LEN(sizeof(ucred)))
			continue;
		memcpy(&ucred, CMSG_DATA(header), sizeof(ucred));
		fill(peer, &ucred);
		return;
	}
}

int
uxs_groups_of_socket(struct uxs_groups *groups, int fd)
{
	socklen_t length = 0;
	gid_t *gids = NULL;
	int r;

	*groups = (struct uxs_groups)UXS_GROUPS_UNKNOWN;
	/* Too little room is ERANGE, and length then says how much it takes. */
	r = sysret(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length));
	if (r == -ERANGE) {
		if (length > UXS_GROUPS_MAX * sizeof(*gids))
			return -ERANGE;
		if ((gids = malloc(length)) == NULL)
			return -ENOMEM;
		r = sysret(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids,
		    &length));
	}
	if (r < 0) {
		free(gids);
		return r;
	}
	groups->is_known = true;
	groups->n = length / sizeof(*gids);
	groups->gids = gids;
	return 0;
}

void
uxs_groups_fini(struct uxs_groups *groups)
{
	free(groups->gids);
	*groups = (struct uxs_groups)UXS_GROUPS_UNKNOWN;
}

int
uxs_peer_open_pidfd(int fd)
{
	int pidfd = -1;
	socklen_t length = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0)
		return -errno;
	return pidfd;
}

int
uxs_peer_label(int fd, char *label, size_t size)
{
	char raw[LABEL_MAX] = "";
	socklen_t length = sizeof(raw) - 1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, raw, &length) < 0)
		return -errno;
	/* SELinux counts a NUL, AppArmor does not. */
	uxs_escape(label, size, raw, strnlen(raw, length));
	return (int)strlen(label);
}

/* ---- for people ---- */

static char *
print(const struct uxs_peer *peer, const char *name,
    char text[UXS_PEER_TEXT_MAX])
{
	char uid[96] = "unknown", gid[32] = "unknown", pid[32] = "unknown";
	char shown[64];

	if (name != NULL)
		snprintf(uid, sizeof(uid), "%u(%s)", (unsigned)peer->uid,
		    uxs_escape(shown, sizeof(shown), name, strlen(name)));
	else if (peer->uid != UXS_UID_NONE)
		snprintf(uid, sizeof(uid), "%u", (unsigned)peer->uid);
	if (peer->gid != UXS_GID_NONE)
		snprintf(gid, sizeof(gid), "%u", (unsigned)peer->gid);
	if (peer->pid != 0)
		snprintf(pid, sizeof(pid), "%ld", (long)peer->pid);
	snprintf(text, UXS_PEER_TEXT_MAX, "uid=%s gid=%s pid=%s", uid, gid,
	    pid);
	return text;
}

char *
uxs_peer_print(const struct uxs_peer *peer, char text[UXS_PEER_TEXT_MAX])
{
	return print(peer, NULL, text);
}

char *
uxs_peer_print_named(const struct uxs_peer *peer, char text[UXS_PEER_TEXT_MAX])
{
	const bool is_known = uxs_peer_is_known(peer);

	return print(peer, is_known ? user_from_uid(peer->uid, 1) : NULL, text);
}
