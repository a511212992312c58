/* SPDX-License-Identifier: ISC */
#ifndef INTERPOSED_H
#define INTERPOSED_H

#include <stddef.h>

/*
 * The tester is linked so that these calls of everything in it, the library
 * above all, come by here first (see "wrap" in the Makefile). What libc calls
 * within itself does not.
 */

/* How often malloc, calloc and realloc were called, and for how many bytes in
 * all. */
size_t n_allocations(void);
size_t n_allocated_bytes(void);

/* So many of the next calls fail with ENOMEM, as when the kernel has no memory
 * for a socket's buffer. */
void fail_sends(int n);
void fail_receives(int n);

#endif
