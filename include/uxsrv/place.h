/* SPDX-License-Identifier: ISC */
#ifndef UXS_PLACE_H
#define UXS_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/cdefs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <uxsrv/initial.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * Where a socket file lives: its directory, held open, and its name in there.
 *
 * Everything that is done to the file goes through the descriptor, so that a
 * later change of the working directory, or a directory that is renamed on
 * the way, cannot make us touch somebody else's file. It is also what makes
 * paths work that are too long for sockaddr_un.
 *
 *	struct uxs_place place = UXS_PLACE_CLOSED;
 *
 *	if (uxs_place_open(&place, "/run/uxecho.sock", &why) < 0) ...
 *	uxs_place_close(&place);
 */

struct uxs_place {
	int dir_fd; /* O_PATH; -1 when closed */
	char name[NAME_MAX + 1];
	const char *path; /* as given; borrowed, must outlive the place */
};

#define UXS_PLACE_CLOSED_VALUES(SET) SET(dir_fd, -1)
#define UXS_PLACE_CLOSED UXS_INITIAL(struct uxs_place, UXS_PLACE_CLOSED_VALUES)

/*
 * Open the directory part of path. The final component is not looked at.
 *
 * Returns 0, or a negative errno with *why naming the component that is
 * missing, is no directory, or may not be searched.
 */
int uxs_place_open(struct uxs_place *place, const char *path,
    struct uxs_error *why);

/* May be called twice, and on a closed place. */
void uxs_place_close(struct uxs_place *place);

/* What strangers could do to a file in this directory. */
enum uxs_place_safety {
	UXS_PLACE_SAFE,
	UXS_PLACE_GROUP_WRITABLE, /* the group could replace the file: warn */
	UXS_PLACE_ANCESTOR_UNSAFE, /* a directory further up: warn */
	UXS_PLACE_UNSAFE, /* anybody, or the owner, could: refuse */
};

/*
 * Judge the directory. It is unsafe when it is writable by everybody without
 * the sticky bit, or owned by neither the effective uid nor root.
 *
 * Returns an enum uxs_place_safety, or a negative errno; *why explains every
 * return but UXS_PLACE_SAFE.
 */
int uxs_place_check(const struct uxs_place *place, struct uxs_error *why);

/*
 * The address for bind(2) of a name in this directory (the place's own name,
 * or a temporary one): the plain path where it is the place's own and fits,
 * otherwise /proc/self/fd/N/NAME.
 *
 * Returns 0, or -ENAMETOOLONG where not even that fits (names over about 85
 * bytes): bind a short name and rename it.
 */
int uxs_place_sockaddr(const struct uxs_place *place, const char *name,
    struct sockaddr_un *sa, socklen_t *length);

/*
 * Open what is at the place, whatever it is, without following a symbolic
 * link and without any effect on it (O_PATH | O_NOFOLLOW | O_CLOEXEC).
 *
 * Returns a descriptor, given to the caller, or a negative errno.
 */
int uxs_place_pin(const struct uxs_place *place);

/*
 * connect(2) to the very inode that pin_fd (from uxs_place_pin) holds,
 * whatever its path is now. Returns 0 or a negative errno, -ENOSYS where
 * /proc is not mounted.
 */
int uxs_pin_connect(int pin_fd, int socket_fd);

/* Remove the place's socket if it is still this inode. Returns 0 (also when it
 * is gone or is another file by now) or a negative errno. */
int uxs_place_remove(const struct uxs_place *place, dev_t dev, ino_t ino);

__END_DECLS

#endif
