/* SPDX-License-Identifier: ISC */
#ifndef EXEC_ENVIRONMENT_H
#define EXEC_ENVIRONMENT_H

#include <uxsrv/peer.h>

/*
 * What a program is told: our own environment, without what is for us alone or
 * looks like what follows, and the client. The names are those that the
 * programs of s6 and ucspi know; they find them by PROTO.
 *
 *	PROTO=IPC IPCREMOTEEUID=1000 IPCREMOTEEGID=1000 IPCREMOTEPATH=
 *	UXECHO_PEER_PID=4711 UXECHO_PEER_GROUPS=4,27
 *
 * What is not known is not set. No system calls.
 */

struct exec_environment {
	char **list; /* as of environ(7) */
	/* private */
	char *text; /* of those that are ours */
};

/* path is the name of the client's socket, "" without one. Borrows inherited.
 * Returns 0 or -ENOMEM. */
int exec_environment_make(struct exec_environment *environment,
    char *const inherited[], const struct uxs_peer *peer,
    const struct uxs_groups *groups, const char *path);

/* May be called twice. */
void exec_environment_free(struct exec_environment *environment);

#endif
