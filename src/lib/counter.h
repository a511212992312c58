/* SPDX-License-Identifier: ISC */
#ifndef UXS_COUNTER_H
#define UXS_COUNTER_H

#include <stdint.h>

#include <uxsrv/stats.h>

/*
 * A number of the statistics is written by one thread alone, the one whose
 * loop it belongs to, while any other may read it. So that nobody reads half a
 * number it is stored as a whole; that takes no more than a plain addition.
 */

static inline void
counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void
counter_set(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, n, __ATOMIC_RELAXED);
}

/* For other threads. */
static inline uint64_t
counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline void
counter_take(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter - n, __ATOMIC_RELAXED);
}

/* Add what somebody counts, as of now, to a sum of our own. */
void counters_sum(struct uxs_stats *sum, const struct uxs_stats *counted);

#endif
