/* SPDX-License-Identifier: ISC */
/* The words for what is counted, which are label values of the statistics, and
 * how it is added up. */
#include <uxsrv/stats.h>

#include <stddef.h>

#include "counter.h"

/* Nothing but numbers of one kind, so adding up need not know their names. */
#define N_COUNTERS (sizeof(struct uxs_stats) / sizeof(uint64_t))

const char *
uxs_refusal_name(enum uxs_refusal refusal)
{
	static const char *const names[UXS_N_REFUSALS] = {
		[UXS_REFUSAL_RULES] = "rules",
		[UXS_REFUSAL_MAX_CONNS] = "max_conns",
		[UXS_REFUSAL_MAX_PER_USER] = "max_per_user",
		[UXS_REFUSAL_RATE] = "rate",
		[UXS_REFUSAL_DESCRIPTORS] = "descriptors",
	};

	return names[refusal];
}

const char *
uxs_drop_name(enum uxs_drop drop)
{
	static const char *const names[UXS_N_DROPS] = {
		[UXS_DROP_NO_RETURN_ADDRESS] = "no_return_address",
		[UXS_DROP_NOT_SENDERS] = "not_senders",
		[UXS_DROP_FULL] = "full",
		[UXS_DROP_GONE] = "gone",
		[UXS_DROP_TOO_LONG] = "too_long",
		[UXS_DROP_MALFORMED] = "malformed",
		[UXS_DROP_SELF] = "self",
		[UXS_DROP_LOST_DESCRIPTORS] = "lost_descriptors",
		[UXS_DROP_DESCRIPTORS] = "descriptors",
		[UXS_DROP_FOREIGN] = "foreign",
		[UXS_DROP_ERROR] = "error",
	};

	return names[drop];
}

const char *
uxs_close_name(enum uxs_close close)
{
	static const char *const names[UXS_N_CLOSES] = {
		[UXS_CLOSE_EOF] = "eof",
		[UXS_CLOSE_GONE] = "gone",
		[UXS_CLOSE_REFUSED] = "refused",
		[UXS_CLOSE_DONE] = "done",
		[UXS_CLOSE_IDLE] = "idle_timeout",
		[UXS_CLOSE_WRITE_TIMEOUT] = "write_timeout",
		[UXS_CLOSE_TOO_LONG] = "too_long",
		[UXS_CLOSE_MALFORMED] = "malformed",
		[UXS_CLOSE_LOST_DESCRIPTORS] = "lost_descriptors",
		[UXS_CLOSE_MEMORY] = "memory",
		[UXS_CLOSE_ERROR] = "error",
		[UXS_CLOSE_RULES] = "rules",
		[UXS_CLOSE_DRAIN] = "drain",
		[UXS_CLOSE_FAULT] = "fault",
	};

	return names[close];
}

void
counters_sum(struct uxs_stats *sum, const struct uxs_stats *counted)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)counted;

	for (size_t i = 0; i < N_COUNTERS; i++)
		to[i] += counter_read(&from[i]);
}
