/* SPDX-License-Identifier: ISC */
#ifndef UXS_LISTENER_CHECK_H
#define UXS_LISTENER_CHECK_H

struct uxs_error;
struct uxs_listener_conf;
struct uxs_place;

/* Could strangers replace the socket? Returns 0, having warned where it is
 * doubtful, or a negative errno with *why. */
int listener_check_directory(const struct uxs_listener_conf *conf,
    const struct uxs_place *place, struct uxs_error *why);

#endif
