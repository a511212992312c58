/* SPDX-License-Identifier: ISC */
#ifndef UXS_REAPER_H
#define UXS_REAPER_H

struct msghdr;

/*
 * Closes descriptors in a thread of its own, for kernels that cannot refuse
 * passed ones (before Linux 6.16).
 *
 * close(2) of a TCP connection with unsent data and SO_LINGER waits for as
 * long as whoever set it up likes. A client can pass us such a one, and then
 * not only to close it waits, but to close a connection with one in its queue
 * as well. The loop must do neither.
 *
 * What waits to be closed is bounded by the limit of open descriptors, since
 * each of it is one.
 */
struct reaper;

/* Gives *reaper, with its thread. Returns 0 or a negative errno. */
int reaper_open(struct reaper **reaper);

/*
 * Close a connection, a listener or a socket of datagrams, with all that is
 * in its queue, soon and without waiting. Takes fd, which must be watched by
 * nobody any more. Where reaper is NULL it is closed here and now.
 */
void reaper_put(struct reaper *reaper, int fd);

/* Wait until nothing is left to close, 5 ms at most: then what was put is there
 * for others again. Where reaper is NULL it is there already. */
void reaper_settle(struct reaper *reaper);

/* Close all descriptors that came with a message. */
void reaper_put_passed(struct reaper *reaper, struct msghdr *message);

/*
 * Wait until all is closed, but not for long: a thread that is held up stays
 * behind until the process ends. *reaper becomes NULL; may be called twice.
 */
void reaper_close(struct reaper **reaper);

#endif
