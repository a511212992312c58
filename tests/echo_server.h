/* SPDX-License-Identifier: ISC */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <sys/types.h>

#include <uxsrv/address.h>

/*
 * A foreign server in a child, written apart from the library: good, bad or
 * slow, as a client under test needs it.
 */

enum echo_manner {
	ECHO_WELL,
	ECHO_SLOWLY, /* one millisecond for each message */
	ECHO_CORRUPT, /* the last byte of each read is another one */
	ECHO_CLOSE, /* accepts, reads once, closes */
	ECHO_SOME, /* every third message is not answered */
	ECHO_ONCE, /* answers once on each connection, then closes */
	ECHO_TWICE, /* every message comes back two times */
	ECHO_NEVER, /* reads, and says nothing */
	ECHO_GREET, /* says something first */
};

/* Serve at path; ready when this returns. Gives a pid for echo_stop. */
pid_t echo_start(enum uxs_type type, const char *path, enum echo_manner manner);

void echo_stop(pid_t pid);

#endif
