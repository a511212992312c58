/* SPDX-License-Identifier: ISC */
#ifndef UXS_SYSRET_H
#define UXS_SYSRET_H

#include <errno.h>

/* The house's convention from libc's: -1 becomes -errno, the rest passes. */
static inline int
sysret(int rc)
{
	return rc < 0 ? -errno : rc;
}

#endif
