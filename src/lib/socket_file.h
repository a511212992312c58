/* SPDX-License-Identifier: ISC */
#ifndef UXS_SOCKET_FILE_H
#define UXS_SOCKET_FILE_H

#include <sys/stat.h>

struct uxs_error;
struct uxs_listener_conf;
struct uxs_place;

/*
 * bind(2) an unbound socket at a place, with the mode and owner of conf, at no
 * moment more open than conf->mode. *made describes the new file.
 *
 * Returns 0, or a negative errno with *why, and the file is gone again;
 * -EADDRINUSE when something is at the place.
 */
int socket_file_make(int fd, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, struct stat *made,
    struct uxs_error *why);

/*
 * The same of a stream or seqpacket socket, which listens before it can be
 * found: made beside the place, then moved there, so that nobody is ever
 * refused by it. Its sockaddr, which ss(8) shows, is the name that it had at
 * first.
 */
int socket_file_publish(int fd, const struct uxs_place *place,
    const struct uxs_listener_conf *conf, int backlog, struct stat *made,
    struct uxs_error *why);

/* Give the socket file that is at the place this mode, if it is this inode and
 * has another one. Returns 0 or a negative errno, -ESTALE when it is not. */
int socket_file_set_mode(const struct uxs_place *place, dev_t dev, ino_t ino,
    mode_t mode);

#endif
