/* SPDX-License-Identifier: ISC */
#ifndef UXS_INET_H
#define UXS_INET_H

#include <stdint.h>

#include <uxsrv/listener.h>

struct uxs_error;

/*
 * What is different about a listener of the loopback interface: no file, no
 * lock, no credentials. What is not different is in listener.c.
 *
 * All options are set before bind, and TCP hands them on to what is accepted,
 * so a connection costs no call more than one of the Unix domain. Where the
 * datagrams of UDP may come from is in loopback_source.h.
 */

/* For uxs_listener_open. */
int inet_open(struct uxs_listener *listener, struct uxs_error *why);

/* Where the port was left to the kernel, the listener's address becomes one of
 * its own, with the port that it has got. Returns 0 or a negative errno. */
int inet_learn_port(struct uxs_listener *listener);

/*
 * What is a socket that somebody else made? Returns what is wrong with it, or
 * NULL and its address.
 */
const char *inet_identify(int fd, struct uxs_address *address);

/* Set up one that somebody else has bound. Returns 0 or a negative errno. */
int inet_adopt(struct uxs_listener *listener);

/* What is wrong with a socket that was handed over as being that, or NULL. */
const char *inet_object_to(int fd, const struct uxs_address *wanted);

/* Why it cannot listen; r is the negative errno. Returns r. */
int inet_explain_listen(const struct uxs_listener *listener, int r,
    struct uxs_error *why);

/* Nothing new comes to this socket any more, and what is there already stays.
 * (To shut down a TCP listener would reset those who wait.) */
void inet_drain(int fd);

/*
 * Before a connection is closed: say that this is the end, behind all that was
 * sent. A close with input that nobody has read is a reset otherwise, and the
 * client's answers can be lost with it.
 */
void inet_finish(int fd);

/* How many wait to be accepted, and how many may; 0 or a negative errno. */
int inet_backlog(int fd, uint32_t *waiting, uint32_t *max);

/* An address of its own, if it has one. */
void inet_close(struct uxs_listener *listener);

#endif
