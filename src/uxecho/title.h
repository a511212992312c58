/* SPDX-License-Identifier: ISC */
#ifndef TITLE_H
#define TITLE_H

#include <stdint.h>

#include <uxsrv/address.h>
#include <uxsrv/loop.h>
#include <uxsrv/server.h>
#include <uxsrv/stats.h>

/*
 * What ps(1) shows: "uxecho: stream:/run/uxecho.sock: 3 clients, 120
 * messages/s", a second old at the most while anything happens. An idle daemon
 * is not woken up for it.
 */

#define TITLE_MAX 256

struct title {
	/* private */
	struct uxs_server *server; /* NULL: not started */
	char where[TITLE_MAX / 2];
	struct uxs_timer timer;
	int64_t looked_ns;
	uint64_t n_messages; /* then */
	char shown[TITLE_MAX];
};

/* Before anything points into arguments or environment, which are moved: the
 * title is written where they were. */
void title_prepare(int argc, char *argv[], char *environment[]);

/* Show it from now on, in the loop of the server, which serves that address,
 * perhaps among others. */
void title_start(struct title *title, struct uxs_server *server,
    const struct uxs_address *address);

/* Before the server is closed. May be called twice, and before start. */
void title_stop(struct title *title);

/* The words, for stats of which the messages came in so many nanoseconds.
 * Returns text. */
char *title_print(char text[TITLE_MAX], const char *where, uint64_t n_clients,
    uint64_t n_messages, int64_t in_ns);

#endif
