/* SPDX-License-Identifier: ISC */
#ifndef UXS_BACKLOG_H
#define UXS_BACKLOG_H

#include <stdint.h>

/*
 * How many wait to be accepted. Of sockets of the Unix domain the kernel tells
 * that over sock_diag(7) alone, the way that ss(8) takes: neither FIONREAD (it
 * is EINVAL on a listener), nor SO_MEMINFO (who waits is charged to the one who
 * connects), nor /proc/net/unix has it.
 */

/* A descriptor to ask by, or a negative errno: the kernel has no unix_diag, or
 * this process may make no socket of AF_NETLINK. */
int backlog_open(void);

/*
 * Ask about a listening socket. The kernel answers within the call, so nothing
 * waits; it looks through the table of sockets of this network namespace.
 * *max is what may wait, as of listen(2). Returns 0 or a negative errno.
 */
int backlog_read(int diag_fd, int fd, uint32_t *waiting, uint32_t *max);

#endif
