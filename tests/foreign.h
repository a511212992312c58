/* SPDX-License-Identifier: ISC */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <sys/types.h>

#include <uxsrv/address.h>

/*
 * Servers that are not uxecho, good and bad, each in a child process. They
 * accept and answer from the moment foreign_start returns, since their socket
 * is made before the fork.
 */

enum foreign_manner {
	FOREIGN_ECHO,
	FOREIGN_SILENT, /* reads and says nothing */
	FOREIGN_DEAF, /* accepts nobody */
	FOREIGN_CLOSES, /* at once */
	FOREIGN_ONCE, /* answers one message, then closes */
	FOREIGN_HALF, /* answers the first half, then closes */
	FOREIGN_FLIPS, /* a bit of the 21st byte */
	FOREIGN_TWICE, /* answers everything twice */
	FOREIGN_GREETS, /* says "220 hello" and nothing else */
	FOREIGN_OTHER_LETTERS, /* answers as many bytes, all of them 'x' */
	FOREIGN_DRIPS, /* byte by byte: the next when the last was read */
	FOREIGN_LATE, /* answers a message when the next one comes */
};

pid_t foreign_start(enum foreign_manner manner, enum uxs_type type,
    const char *path);

/* The same as another user, who cannot do more than that user can. */
pid_t foreign_start_as(uid_t uid, enum foreign_manner manner,
    enum uxs_type type, const char *path);

/* SIGKILL; the socket file stays. */
void foreign_kill(pid_t pid);

#endif
