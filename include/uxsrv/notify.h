/* SPDX-License-Identifier: ISC */
#ifndef UXS_NOTIFY_H
#define UXS_NOTIFY_H

/*
 * Tell whoever started us that the service is ready: a newline on a
 * descriptor, as s6, dinit and OpenRC want it.
 */

/* Write a newline to fd, then close it. Returns 0 or a negative errno; fd is
 * closed in any case. A reader that is gone is an error, never a signal as
 * long as SIGPIPE is ignored. */
int uxs_notify_ready_fd(int fd);

#endif
