/* SPDX-License-Identifier: ISC */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <stdbool.h>

#include "harness.h"

/* Clients and servers of the loopback interface, for tests. A NAME is
 * HOST:PORT, as in addresses. */

#define LOOPBACK_NAME_ROOM 128

/* NAME as the next "serving TYPE:NAME" of the log has it. Returns text. */
const char *loopback_served(const struct service *process, const char *type,
    char text[LOOPBACK_NAME_ROOM]);

/* A blocking socket of this type (SOCK_STREAM, SOCK_DGRAM) that is bound, or
 * connected, there, with a limit of some seconds on every receive and send.
 * Returns -1 with errno where that does not work. */
int loopback_bind(int type, const char *name);
int loopback_try(int type, const char *name);

/* It has to work. */
int loopback_connect_to(int type, const char *name);

/* The port of a socket. */
unsigned loopback_port(int fd);

/* Skips loudly where there is none. */
bool loopback_has_ipv6(void);

#endif
