/* SPDX-License-Identifier: ISC */
/* A seed that nobody has chosen; see fault.h. */
#include "fault.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <uxsrv/error.h>

int
fault_choose_seed(struct fault *f, const uint64_t *drawn, struct uxs_error *why)
{
	uint32_t seed; /* short enough to be typed again */

	if (f->has_seed)
		return 0;
	if (drawn == NULL &&
	    getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot draw a seed for --fault: %s", strerror(errno));
	f->seed = drawn != NULL ? *drawn : seed;
	f->has_seed = f->is_drawn = true;
	return 0;
}
