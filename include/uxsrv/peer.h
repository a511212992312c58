/* SPDX-License-Identifier: ISC */
#ifndef UXS_PEER_H
#define UXS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <uxsrv/initial.h>

__BEGIN_DECLS

/*
 * Who is at the other end, as the kernel attests it.
 *
 * For a connection that is the process which called connect(2), at that
 * moment: it may have changed its uid since, or passed the socket on. For a
 * datagram it is the sender of that very datagram. Each field is known or it
 * is not; nothing is ever guessed, and a field that is not known holds a value
 * that no real user, group or process has.
 */

#define UXS_UID_NONE ((uid_t)-1)
#define UXS_GID_NONE ((gid_t)-1)

struct uxs_peer {
	uid_t uid; /* UXS_UID_NONE: unknown */
	gid_t gid; /* UXS_GID_NONE: unknown */
	pid_t pid; /* 0: unknown, as in another pid namespace; for logs only */
	/* The kernel attests a process, and the overflow uid: somebody who is
	 * not mapped here, and no telling who. uid is unknown then. */
	bool is_unmapped;
};

#define UXS_PEER_UNKNOWN_VALUES(SET) \
	SET(uid, UXS_UID_NONE)       \
	SET(gid, UXS_GID_NONE)
#define UXS_PEER_UNKNOWN UXS_INITIAL(struct uxs_peer, UXS_PEER_UNKNOWN_VALUES)

/* Is anything known that a decision could rest on? */
static inline bool
uxs_peer_is_known(const struct uxs_peer *peer)
{
	return peer->uid != UXS_UID_NONE;
}

/*
 * Read SO_PEERCRED. The kernel's overflow uid stands for everybody who is not
 * mapped into our user namespace, so it becomes "unknown", and so does all of
 * a peer when the call fails.
 */
void uxs_peer_of_socket(struct uxs_peer *peer, int fd);

/*
 * The same from the SCM_CREDENTIALS of a received message; unknown where it
 * has none. (Queued before SO_PASSCRED was on, a message comes with pid 0 and
 * the overflow uid, which must not be taken for the user "nobody".)
 */
void uxs_peer_of_message(struct uxs_peer *peer, struct msghdr *message);

/* Linux allows a process this many supplementary groups. */
#define UXS_GROUPS_MAX 65536

struct uxs_groups {
	bool is_known; /* false: never take the list for an empty one */
	size_t n;
	gid_t *gids; /* supplementary; the primary one need not be among them */
};

#define UXS_GROUPS_UNKNOWN_VALUES(SET) SET(is_known, false)
#define UXS_GROUPS_UNKNOWN \
	UXS_INITIAL(struct uxs_groups, UXS_GROUPS_UNKNOWN_VALUES)

/*
 * Read SO_PEERGROUPS. Gives memory that uxs_groups_fini frees.
 * Returns 0, or a negative errno and leaves *groups unknown.
 */
int uxs_groups_of_socket(struct uxs_groups *groups, int fd);
void uxs_groups_fini(struct uxs_groups *groups);

/*
 * Read SO_PEERPIDFD (Linux 6.5): a close-on-exec descriptor for the process,
 * given to the caller; poll(2) on it tells of its end. Unlike a pid it cannot
 * come to mean another process. Negative errno where there is none.
 */
int uxs_peer_open_pidfd(int fd);

/*
 * Read SO_PEERSEC: the security label, NUL-terminated, every byte escaped, cut
 * at size. Returns its length, or a negative errno (-ENOPROTOOPT: no security
 * module gives labels here).
 */
int uxs_peer_label(int fd, char *label, size_t size);

/* The uid and gid that stand for "not mapped here"; read once from
 * /proc/sys/kernel/overflowuid, 65534 where that cannot be read. */
uid_t uxs_overflow_uid(void);
gid_t uxs_overflow_gid(void);

/*
 * "uid=1000 gid=1000 pid=4711", with "unknown" for what is not known. Looks
 * nothing up, so it can be used where nothing may block.
 */
#define UXS_PEER_TEXT_MAX 192
char *uxs_peer_print(const struct uxs_peer *peer, char text[UXS_PEER_TEXT_MAX]);

/* The same with the user's name, "uid=1000(alice) ...", from the user data
 * base, which may be far away. */
char *uxs_peer_print_named(const struct uxs_peer *peer,
    char text[UXS_PEER_TEXT_MAX]);

__END_DECLS

#endif
