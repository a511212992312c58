/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOCK_H
#define UXS_LOCK_H

#include <stdbool.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include <uxsrv/initial.h>

__BEGIN_DECLS

struct uxs_error;
struct uxs_place;

/*
 * PATH.lock: who may decide over PATH.
 *
 * Probing alone is a race between two starters that find the same stale file;
 * only a lock that is held for the server's life settles it. The file is 0600,
 * because whoever can read it could lock it, and holds the pid of its holder.
 */

#define UXS_LOCK_SUFFIX ".lock"

struct uxs_lock {
	int fd; /* -1 when closed */
};

#define UXS_LOCK_CLOSED_VALUES(SET) SET(fd, -1)
#define UXS_LOCK_CLOSED UXS_INITIAL(struct uxs_lock, UXS_LOCK_CLOSED_VALUES)

struct uxs_lock_holder {
	pid_t pid; /* 0: not known */
	uid_t uid; /* who owns the lock file */
};

enum uxs_lock_outcome {
	UXS_LOCK_TAKEN,
	UXS_LOCK_HELD, /* *holder says by whom */
};

/*
 * Take the lock of a place, without waiting.
 *
 * Returns UXS_LOCK_TAKEN, UXS_LOCK_HELD, or a negative errno with *why: the
 * directory is not writable, or something that is not our lock file is there.
 */
int uxs_lock_open(struct uxs_lock *lock, const struct uxs_place *place,
    struct uxs_lock_holder *holder, struct uxs_error *why);

/*
 * What uxs_lock_open would object to, without creating or locking anything,
 * so that nobody is disturbed; whether it is held is not found out. Returns 0
 * or a negative errno with *why.
 */
int uxs_lock_check(const struct uxs_place *place, struct uxs_error *why);

/*
 * Hold a lock that a predecessor holds, through a descriptor of his: a lock of
 * flock(2) belongs to the open file, so that it is never free in between. fd
 * is borrowed, a copy of it is kept. Until uxs_lock_own the file stays as it
 * is. Returns 0, or a negative errno with *why: it is not the lock file of
 * this place, or it is not locked through fd.
 */
int uxs_lock_adopt(struct uxs_lock *lock, const struct uxs_place *place, int fd,
    struct uxs_error *why);

/* Our pid goes into it instead of the predecessor's. Returns 0 or a negative
 * errno. */
int uxs_lock_own(struct uxs_lock *lock);

/* Close it and remove nothing: somebody else has it, too. May be called twice,
 * and on a closed lock. */
void uxs_lock_leave(struct uxs_lock *lock);

/* Is the file that was locked still the one at the place? If somebody removed
 * it, another one can be made and locked by others. */
bool uxs_lock_is_valid(const struct uxs_lock *lock,
    const struct uxs_place *place);

/* Remove the lock file and let go. The socket must have been removed before.
 * May be called twice, and on a closed lock. */
void uxs_lock_close(struct uxs_lock *lock, const struct uxs_place *place);

__END_DECLS

#endif
