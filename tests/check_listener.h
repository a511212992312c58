/* SPDX-License-Identifier: ISC */
#ifndef CHECK_LISTENER_H
#define CHECK_LISTENER_H

#include <uxsrv/error.h>
#include <uxsrv/listener.h>

#include "harness.h"

/* The words that both halves of the listener's tests are written in. */

/* The usual: mode 0600, owner left, directory checked. The address is written
 * with its type, as in "stream:sock". */
struct uxs_listener_conf conf_for(const char *address);

/* The same for a path. */
struct uxs_listener_conf conf_of(enum uxs_type type, const char *path);

/* Fails the test where it cannot open; serve lets clients in, too. */
void open_listener(struct uxs_listener *listener, const char *address);
void serve(struct uxs_listener *listener, const char *address);

/* Must be refused so; *why says in which words. */
void refused(const struct uxs_listener_conf *conf, int expect,
    enum uxs_failure failure, struct uxs_error *why);

/* The second half: from the first client to the end, and many at once. */
void add_serving_cases(Suite *suite);

#endif
