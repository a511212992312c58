/* SPDX-License-Identifier: ISC */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <sys/types.h>

#include <uxsrv/server.h>
#include <uxsrv/stats.h>

#include "harness.h"

/*
 * An echo server in a child, at "s", "q" and "d" in the test's directory: the
 * library itself, so that tests can have it be on another kernel and can read
 * its figures.
 */
struct hostile_server {
	struct service service; /* for service_settles; has no log */
	int stats_fd;
	struct uxs_stats stats; /* after hostile_stop */
};

/* Denies OTHER_UID and allows everybody else. */
extern struct uxs_access hostile_access;

/* The same in this process: nobody is served, but clients can come. change
 * may be NULL. */
void hostile_open(struct uxs_server **server, bool is_old_kernel,
    void (*change)(struct uxs_server_conf *conf));

void hostile_start(struct hostile_server *server, bool is_old_kernel,
    void (*change)(struct uxs_server_conf *conf));

/* SIGTERM; it must exit 0, and then its figures are in server->stats. */
void hostile_stop(struct hostile_server *server);

/* Between these nothing is accepted or received. */
void hostile_pause(const struct hostile_server *server);
void hostile_resume(const struct hostile_server *server);

int hostile_dial(enum uxs_type type);

#endif
