/* SPDX-License-Identifier: ISC */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdint.h>

/* What may be done with files: everything that the running kernel knows is
 * forbidden, but for what is allowed below a directory. */

/* The rights that are ever given. */
#define LANDLOCK_MAY_WRITE (UINT64_C(1) << 1)
#define LANDLOCK_MAY_READ (UINT64_C(1) << 2)
#define LANDLOCK_MAY_LIST (UINT64_C(1) << 3)
#define LANDLOCK_MAY_REMOVE (UINT64_C(1) << 5) /* not directories */
#define LANDLOCK_MAY_MAKE_FILE (UINT64_C(1) << 8)
#define LANDLOCK_MAY_MAKE_SOCKET (UINT64_C(1) << 9)
#define LANDLOCK_MAY_TRUNCATE (UINT64_C(1) << 14) /* as of ABI 3 */

/* The version of the interface, from 1, or a negative errno. */
int landlock_version(void);

/* Returns a descriptor, or a negative errno. */
int landlock_open(int abi);

/* In this directory and all below it. One that is not there, or that we may
 * not go to, could not be used anyway. Returns 0 or a negative errno. */
int landlock_allow(int fd, int abi, const char *directory, uint64_t rights);

/* For this thread and those that it starts; no_new_privs is set. Returns 0 or
 * a negative errno. */
int landlock_enter(int fd);

#endif
