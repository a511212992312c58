/* SPDX-License-Identifier: ISC */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

/* Make of the process that we were started as one that can serve: standard
 * descriptors, limits, signals that must not end it. Before anything else is
 * opened. */
void process_prepare(void);

/* Close all descriptors above the standard ones but these n, which it sorts. A
 * process that stays beside us must not have the sockets, above all: while a
 * copy of one is open, connects succeed. */
void process_keep(int *fds, size_t n);

/* Put /dev/null in place of the descriptors first to last. Returns false where
 * it cannot be opened. */
bool process_forget(int first, int last);

/* The soft limit of descriptors as it was before. */
rlim_t process_soft_descriptors(void);

/* Put it back, for a program that is to take the place of this one. What is
 * open stays so. */
void process_lower_descriptors(void);

#endif
