/* SPDX-License-Identifier: ISC */
#ifndef UXS_SOCKET_OPTIONS_H
#define UXS_SOCKET_OPTIONS_H

struct uxs_listener;

/*
 * What the kernel is to do for a listener's socket. Before bind, since a
 * datagram may arrive with bind and a connection with listen, and accepted
 * sockets inherit what was set when they connected. Fills in
 * refuses_descriptors. Returns 0 or a negative errno.
 */
int socket_options_set(struct uxs_listener *listener);

/* On a socket that others may have served on: only if the kernel refused
 * descriptors all along, none of them can be in the queue. */
int socket_options_set_again(struct uxs_listener *listener);

#endif
