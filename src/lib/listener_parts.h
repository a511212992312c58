/* SPDX-License-Identifier: ISC */
#ifndef UXS_LISTENER_PARTS_H
#define UXS_LISTENER_PARTS_H

struct uxs_error;
struct uxs_listener;

/*
 * The steps of opening a listener at a path, in their order; its place is open
 * and its address set. Each returns 0 or a negative errno with *why, and what
 * was made until then is uxs_listener_close's.
 */

/* -EADDRINUSE: somebody holds it, who serves or is about to. */
int listener_take_lock(struct uxs_listener *listener, struct uxs_error *why);

/* Under the lock: nothing, or nothing but a dead socket, is there after. */
int listener_remove_dead(struct uxs_listener *listener, struct uxs_error *why);

/* Unbound, with all options that are set before that. */
int listener_make_socket(struct uxs_listener *listener, struct uxs_error *why);

#endif
