/* SPDX-License-Identifier: ISC */
#ifndef UXPING_LOOPBACK_H
#define UXPING_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

struct uxs_error;

/*
 * tcp:HOST:PORT and udp:HOST:PORT, for comparison with AF_UNIX. HOST is an
 * address of this machine's loopback interface, 127.x.y.z or [::1], or
 * "localhost" for 127.0.0.1; anything else is refused.
 */

/* Does the text start with tcp: or udp:? */
bool loopback_is_meant(const char *text);

/* Fill *sa from the text. Returns 0, or a negative errno with *why. */
int loopback_parse(const char *text, struct sockaddr_storage *sa,
    socklen_t *length, struct uxs_error *why);

/*
 * Connect; waits at most a second for TCP, whose full accept queue drops what
 * comes. Returns a non-blocking descriptor or a negative errno (-EAGAIN: not
 * within that second).
 */
int loopback_connect(const struct sockaddr_storage *sa, socklen_t length,
    int socket_type);

#endif
