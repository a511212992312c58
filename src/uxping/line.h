/* SPDX-License-Identifier: ISC */
#ifndef UXPING_LINE_H
#define UXPING_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct load;
struct options;

/*
 * Where connections wait for their server, first come, first served.
 *
 * The room: an AF_UNIX datagram server has one queue, of 11 messages as a
 * rule, for all its clients. If each of them waited for EPOLLOUT by itself,
 * every message that the server takes would wake them all. Here one of them,
 * the sentinel, waits for all.
 *
 * The door: where an accept queue is full the kernel does not tell when there
 * is place again, so connections are tried again every now and then. Those
 * that broke come back through here too, which keeps a server that closes
 * everything at once from being called in a tight loop.
 */

/* Having tried since then, with this result of target_connect: may the server
 * make room, or come up, while there is time? */
bool line_is_worth_waiting(const struct options *options, int result,
    int64_t since_ns);

/* Does this load's target have one queue for all? */
bool line_has_room(const struct load *load);

void line_join_room(struct connection *c);
void line_join_door(struct connection *c);

/* Out of whichever line it is in, if any. */
void line_leave(struct connection *c);

/* The sentinel may send: let everybody in for whom there is room. */
void line_admit(struct load *load);

/* Try those at the door, each once. */
void line_knock(struct load *load);

#endif
