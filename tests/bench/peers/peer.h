/* SPDX-License-Identifier: ISC */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>

/*
 * What the peers of the benchmark have in common: "NAME TYPE PATH" serves an
 * echo there until it is killed, and "NAME -V" tells what it is made with. They
 * are what a reader of each library's manual would write, no more: no access
 * rules, no limits, no clean-up.
 */

/* Where libraries do not say otherwise: page-aligned, since a receive into
 * page+16 costs up to twice as much, and of the size that measured best. */
#define PEER_BUFFER_BYTES (256 * 1024)

/* Make the socket that the arguments name, in place of a file that is there,
 * and listen on it unless it is for datagrams. Does not return without one. */
int peer_listen(int argc, char *argv[], const char *version);

/* argv[2] of such arguments, for a library that binds for itself. */
const char *peer_path(int argc, char *argv[], const char *version);

/* Take what waits on a blocking socket that is ready, and send it back, all of
 * it. False: the client is gone. */
bool peer_echo(int fd);

#endif
