/* SPDX-License-Identifier: ISC */
#ifndef UXPING_FACTS_TYPE_H
#define UXPING_FACTS_TYPE_H

#include <sys/stat.h>

/*
 * Of which type is a socket that somebody holds, asked of the kernel's lists
 * and not of the socket. Both return an enum uxs_type or FACTS_TYPE_UNKNOWN.
 */

/* By its file, through sock_diag(7). */
int facts_type_of_file(const struct stat *st);

/* By its name as it was given to bind(2), in /proc/net/unix: an absolute path,
 * or '@' and an abstract name. (A relative path could be anybody's.) */
int facts_type_of_name(const char *name);

#endif
