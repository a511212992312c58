/* SPDX-License-Identifier: ISC */
#ifndef SUCCESSOR_H
#define SUCCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <uxsrv/handover.h>

struct uxs_activation;
struct uxs_error;

/*
 * The side of the process that takes the place of another one; see upgrade.h.
 * Until successor_take says so, all is the other one's: nothing is removed,
 * nothing is read, and a failure is told to him, who goes on.
 */

struct successor {
	struct uxs_handover handover; /* until successor_take */
	bool rereads; /* the rules changed while we started */
	/* private */
	int fd; /* -1: we start as usual, or have taken over */
	int pid_file_fd, remover_fd;
	bool has_seed;
	uint64_t seed;
};

#define SUCCESSOR_NONE                                        \
	{                                                     \
		.fd = -1, .pid_file_fd = -1, .remover_fd = -1 \
	}

/*
 * Read and remove the variable in the environment, and receive what is handed
 * over. Sockets that a service manager made go to activation, which is open.
 * Returns 0, also when there is nothing, or a negative errno with *why (kind
 * config).
 */
int successor_open(struct successor *successor,
    struct uxs_activation *activation, struct uxs_error *why);

/* Is all still the other one's? */
static inline bool
successor_waits(const struct successor *successor)
{
	return successor->fd >= 0;
}

/* Give away, once: the file with the process ID, the remover; -1: none. */
int successor_pid_file(struct successor *successor);
int successor_remover(struct successor *successor);

/* What --fault drew there; NULL where it did not. Borrowed. */
const uint64_t *successor_seed(const struct successor *successor);

/*
 * Say that we are ready, and wait for the other one to stop reading. Returns
 * 0: the sockets are ours, also when he was killed meanwhile; or a negative
 * errno with *why: he called it off.
 */
int successor_take(struct successor *successor, struct uxs_error *why);

/* Tell him why we do not get there. Returns false when he does not hear. */
bool successor_fail(struct successor *successor, const char *text);

/* May be called twice. */
void successor_close(struct successor *successor);

#endif
