/* SPDX-License-Identifier: ISC */
#ifndef UXS_SHORTAGE_H
#define UXS_SHORTAGE_H

#include <stdbool.h>

#include <uxsrv/loop.h>

/*
 * Out of descriptors or memory: what can be done until there are some again.
 *
 *	   accept fails          pause: who waits may get the place of
 *	        │                somebody who leaves; try again soon
 *	        ▼
 *	   nobody has left for   those who wait are told so: the spare
 *	   a second              descriptor is enough to accept and close
 *
 * A pause alone would keep those who wait hanging for as long as it lasts,
 * which nobody can tell from a dead server. To close on them at once would
 * turn away a crowd that half a second later has been served.
 */

struct shortage {
	struct uxs_timer timer; /* the owner's on_expiry: try again */
	/* private */
	struct uxs_loop *loop;
	int spare_fd; /* -1: lent, or not to be had */
	int64_t since_ns; /* or since somebody left; 0: there is none */
	int64_t told_ns; /* the last line in the log */
};

#define SHORTAGE_NONE           \
	{                       \
		.spare_fd = -1, \
	}

/* Takes the spare descriptor; where there is none it does without. */
void shortage_open(struct shortage *shortage, struct uxs_loop *loop);

/* It is there: the timer will fire. Returns true when the log should be told,
 * which is once a second while it lasts. */
bool shortage_pause(struct shortage *shortage);

/* A session has ended, and a descriptor may be free. Returns true when those
 * who paused should go on. */
bool shortage_left(struct shortage *shortage);

/* Is it there? From any thread. */
bool shortage_is_there(const struct shortage *shortage);

/* An accept succeeded. */
void shortage_over(struct shortage *shortage);

/* Has nobody left for so long that who waits should be told? */
bool shortage_is_long(const struct shortage *shortage);

/* Between these two there is one descriptor more. */
void shortage_lend(struct shortage *shortage);
void shortage_take_back(struct shortage *shortage);

/* May be called twice. */
void shortage_close(struct shortage *shortage);

#endif
