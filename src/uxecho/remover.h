/* SPDX-License-Identifier: ISC */
#ifndef REMOVER_H
#define REMOVER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct uxs_address;
struct uxs_error;
struct uxs_server_conf;

/*
 * Who gave up root may not be able to remove what root has made. So a process
 * of root stays behind for that: it holds the directories open, knows each
 * file by its inode, can do nothing but remove just those, once, when it is
 * told to, and ends with us, however we end.
 */

struct remover_file {
	int dir_fd; /* O_PATH */
	char name[NAME_MAX + 1];
	dev_t dev;
	ino_t ino;
};

struct remover {
	/* private */
	int fd; /* to the process; -1 when there is none */
	pid_t pid; /* 0: it is not our child */
	size_t n;
	struct remover_file *files; /* owned; until the process has them */
};

#define REMOVER_NONE     \
	{                \
		.fd = -1 \
	}

/*
 * Start the process, for the sockets of conf, one more (NULL: none), and their
 * locks, and for another file (NULL: none). While we are root, all of them exist, and there are no
 * other threads. Nothing to do, no process. Returns 0, or a negative errno
 * with *why.
 */
int remover_start(struct remover *remover, const struct uxs_server_conf *conf,
    const struct uxs_address *other, const char *file, struct uxs_error *why);

/* After root was given up: is there anything that we cannot remove ourselves?
 * If not, the process is ended. */
bool remover_is_needed(struct remover *remover);

/* Have all removed, and end the process. Returns false when it could not. May
 * be called twice, and when there is none. */
bool remover_remove(struct remover *remover);

/* The descriptor to the process, for a successor; -1: there is none. Who adopts
 * it (-1: nothing to do) takes it; who leaves it ends nothing. */
int remover_fd(const struct remover *remover);
void remover_adopt(struct remover *remover, int fd);
void remover_leave(struct remover *remover);

/* End the process. May be called twice. */
void remover_stop(struct remover *remover);

#endif
