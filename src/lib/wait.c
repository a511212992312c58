/* SPDX-License-Identifier: ISC */
/* The system calls in which a loop waits. */
#include "wait.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

#include <uxsrv/units.h>

#include "sysret.h"

/* Before Linux 5.11 waits are in milliseconds: round up, so that a timer is
 * never polled for in vain. */
static int
wait_ms(struct uxs_loop *loop, int64_t timeout_ns)
{
	int64_t ms = timeout_ns < 0 ?
	    -1 :
	    (timeout_ns + UXS_NS_PER_MS - 1) / UXS_NS_PER_MS;

	if (ms > INT32_MAX)
		ms = INT32_MAX;
	return sysret(epoll_wait(loop->epoll_fd, loop->batch, UXS_LOOP_BATCH,
	    (int)ms));
}

int
wait_for_events(struct uxs_loop *loop, int64_t timeout_ns)
{
	const struct timespec timeout = {
		.tv_sec = timeout_ns / UXS_NS_PER_S,
		.tv_nsec = timeout_ns % UXS_NS_PER_S,
	};
	int n;

	/* For ever, or not at all, is the same in both and older. */
	if (!loop->has_pwait2 || timeout_ns <= 0)
		return wait_ms(loop, timeout_ns);
	n = sysret(epoll_pwait2(loop->epoll_fd, loop->batch, UXS_LOOP_BATCH,
	    &timeout, NULL));
	if (n == -ENOSYS) {
		loop->has_pwait2 = false;
		return wait_ms(loop, timeout_ns);
	}
	return n;
}
