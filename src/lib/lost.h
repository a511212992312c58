/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOST_H
#define UXS_LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <uxsrv/error.h>
#include <uxsrv/listener.h>
#include <uxsrv/loop.h>

#include "listener_rebind.h"

struct door;
struct door_context;
struct uxs_server_conf;

/*
 * The files of the sockets, watched by inotify(7): one that is removed or
 * replaced while we serve is noticed, and a new socket is made at its path.
 *
 *	OURS ──► REMOVED, REPLACED, ELSEWHERE ──► OURS
 *	  ▲  an event, then a look     │   a new socket, or told to the owner
 *	  └────────────────────────────┘   and tried again later
 *
 * Events only say where to look, and looks are what decides, so that events
 * that come late, twice or not at all do no harm. A directory in which much
 * happens costs no more than one batch of events in a while.
 */

struct lost_file {
	struct door *door;
	char *path; /* absolute */
	int directory; /* the watch descriptor of inotify; -1: not watched */
	bool is_taken_up;
	bool is_touched; /* look at it when the pause is over */
	enum listener_file state;
	mode_t mode; /* as of the last look */
	uid_t uid;
	gid_t gid;
	char told[UXS_ERROR_TEXT_MAX]; /* why it cannot be made anew */
};

struct lost {
	struct door_context *context;
	struct uxs_listener_conf conf;
	bool is_exit; /* on_lost */
	bool is_stopped;
	int watch_error; /* why there is no inotify descriptor */
	struct uxs_watch watch; /* of the inotify descriptor */
	struct uxs_timer pause, retry;
	int64_t retry_ns; /* after this long; 0: nothing to try */
	struct lost_file *files;
	size_t n;
};

#define LOST_CLOSED            \
	{                      \
		.watch.fd = -1 \
	}

/*
 * Begin to watch those of n doors, the listeners of which are open, that have
 * a file of ours; where on_lost is to ignore them, none. Borrows doors and
 * context until close, conf for this call; where on_lost is to end, it is
 * context's on_lost that is told. What cannot be watched is looked at from
 * time to time. Returns 0, or -ENOMEM with *why.
 */
int lost_open(struct lost *lost, const struct uxs_server_conf *conf,
    struct door *doors, size_t n, struct door_context *context,
    struct uxs_error *why);

/* Look no more; for a drain. */
void lost_stop(struct lost *lost);

/* When the doors are closed. May be called twice. */
void lost_close(struct lost *lost);

#endif
