/* SPDX-License-Identifier: ISC */
#ifndef UXS_WAIT_H
#define UXS_WAIT_H

#include <uxsrv/loop.h>

/*
 * Fill the batch of the loop with what is ready, after at most timeout_ns (0:
 * only look; negative: for ever). Returns how many, or a negative errno.
 */
int wait_for_events(struct uxs_loop *loop, int64_t timeout_ns);

/* For one of several loops: from now on, where it pays, let others use the
 * processor once before sleeping; or do so no more. Spinning goes before it. */
void wait_beside_others(struct uxs_loop *loop, bool is_beside);

#endif
