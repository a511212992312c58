/* SPDX-License-Identifier: ISC */
#ifndef UXS_LISTENER_REBIND_H
#define UXS_LISTENER_REBIND_H

#include <stdbool.h>
#include <sys/stat.h>

struct uxs_error;
struct uxs_listener;
struct uxs_listener_conf;

/*
 * A listener whose file was taken away: how that is seen, and how it gets a
 * new one. path is that of the listener's address, absolute, so that it leads
 * there whatever the working directory is by now.
 */

enum listener_file {
	LISTENER_FILE_OURS, /* or nobody can tell otherwise */
	LISTENER_FILE_REMOVED,
	LISTENER_FILE_REPLACED, /* something else has its name */
	LISTENER_FILE_ELSEWHERE, /* the path leads to no directory, or another */
};

/* *st describes the file where it is still ours. */
enum listener_file listener_look(const struct uxs_listener *listener,
    const char *path, struct stat *st);

/* Is the lock file that we hold still the one that others would find? */
bool listener_has_lock(const struct uxs_listener *listener);

/* Take the lock anew, as its file was removed. Returns 0, or a negative errno
 * with *why; then the listener has what it had. */
int listener_relock(struct uxs_listener *listener, struct uxs_error *why);

/*
 * Give *fresh, a new socket at the path which listens already, by the rules
 * for opening: it is never taken from a live server, and nothing is in the way.
 * It gets the lock where that is still valid. Borrows path until *fresh is
 * closed. *former goes on as it was, and is to be drained and closed.
 *
 * Returns 0, or a negative errno with *why; then nothing has changed.
 */
int listener_rebind(struct uxs_listener *fresh, struct uxs_listener *former,
    const struct uxs_listener_conf *conf, const char *path, int backlog,
    struct uxs_error *why);

#endif
