/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOOPBACK_NAME_H
#define UXS_LOOPBACK_NAME_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * HOST:PORT of the loopback interface as text. Pure, and nothing is looked up:
 * a name such as "localhost" can mean either family, or another host.
 */

/* "[::1]:65535" and "127.255.255.254:65535", with room. */
#define LOOPBACK_NAME_MAX 64

/* Read a name, and write it as the kernel would. Returns what is wrong with
 * it, or NULL. */
const char *loopback_name_read(const char *name,
    char canonical[LOOPBACK_NAME_MAX]);

/* Is the port left for the kernel to choose? Of a name that was read. */
bool loopback_name_is_open(const char *name);

/* Could the address have such a name? */
bool loopback_name_is_of(const struct sockaddr_storage *sa);

/* Is this what was wanted: the same, or the same host where the port was left
 * open? Both were read. */
bool loopback_name_is_for(const char *wanted, const char *name);

void loopback_name_print(const struct sockaddr_storage *sa,
    char name[LOOPBACK_NAME_MAX]);

#endif
