/* SPDX-License-Identifier: ISC */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>

#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/server.h>

struct uxs_error;
struct uxs_handover;

/*
 * --stats: a second socket that answers with the figures of the first.
 *
 * It is a server of its own in the loop of the one that it tells about: under
 * the same rules, but with few places that are only its own. So those who read
 * figures cannot take a client's place, and when clients have taken all of
 * theirs, the figures still can be read.
 *
 * Who connects and says nothing is answered when he ends his sending
 * direction, or after STATS_SILENCE; who speaks must speak HTTP, within
 * STATS_PATIENCE.
 */

#define STATS_SILENCE_NS (200 * UXS_NS_PER_MS)
#define STATS_PATIENCE_NS (5 * UXS_NS_PER_S)

/* Readers at once; one user may have half of the places. */
#define STATS_READERS_MAX 64

/* All that it opens: readers, its listener, directory and lock, and what a
 * loop takes. */
#define STATS_DESCRIPTORS (STATS_READERS_MAX + 16)

struct stats {
	/* private */
	struct uxs_server *server; /* NULL: closed */
	struct uxs_server *subject; /* whose figures; set by stats_start */
	struct uxs_service service;
	struct uxs_server_conf conf; /* of the subject, resolved */
	struct uxs_log log, *parent;
	struct uxs_watch watch;
	int64_t started_ms;
	bool has_left; /* a successor has the socket */
};

/*
 * Make the socket, as the server of *conf makes its own: with its rules, its
 * log, its mode and owner. on_bound as in uxs_server_conf, here with arg.
 * Borrows all of that, and the address, until close. Returns 0, or a negative
 * errno with *why.
 */
int stats_open(struct stats *stats, const struct uxs_server_conf *conf,
    const struct uxs_address *address,
    int (*on_bound)(void *arg, struct uxs_error *why), void *arg,
    struct uxs_error *why);

/* Would it be opened? As uxs_server_conf_check. */
int stats_check(const struct uxs_server_conf *conf,
    const struct uxs_address *address, struct uxs_error *why);

/* Answer, with the figures of this server and in its loop. Returns 0 or a
 * negative errno. May be called on a closed one. */
int stats_start(struct stats *stats, struct uxs_server *subject);

/* For a successor: as uxs_server_hand_out, nothing where it is closed; and as
 * uxs_server_leave, then readers who are there are answered still. */
int stats_hand_out(const struct stats *stats, struct uxs_handover *handover,
    struct uxs_error *why);
void stats_leave(struct stats *stats, const bool *is_taken);

/* To be called before the subject is closed; then nobody is answered. */
void stats_stop(struct stats *stats);

/* May be called twice. */
void stats_close(struct stats *stats);

#endif
