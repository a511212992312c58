/* SPDX-License-Identifier: ISC */
/* The figures, in words. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t
sum(const uint64_t *counts, int n)
{
	uint64_t total = 0;

	for (int i = 0; i < n; i++)
		total += counts[i];
	return total;
}

/* " (rules 3, max_conns 1)": the reasons that occurred. */
static void
print_reasons(char *text, size_t size, const uint64_t *counts, int n,
    const char *(*name)(int))
{
	const char *before = " (";
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < n && used < size; i++) {
		if (counts[i] == 0)
			continue;
		used += (size_t)snprintf(text + used, size - used,
		    "%s%s %" PRIu64, before, name(i), counts[i]);
		before = ", ";
	}
	if (used > 0 && used < size)
		snprintf(text + used, size - used, ")");
}

static const char *
refusal_name(int i)
{
	return uxs_refusal_name((enum uxs_refusal)i);
}

static const char *
drop_name(int i)
{
	return uxs_drop_name((enum uxs_drop)i);
}

static const char *
close_name(int i)
{
	return uxs_close_name((enum uxs_close)i);
}

static void
report_type(struct uxs_log *log, enum uxs_type type,
    const struct uxs_stats_of_type *of, int64_t now_ns)
{
	const uint64_t refused = sum(of->refused, UXS_N_REFUSALS);
	const uint64_t dropped = sum(of->dropped, UXS_N_DROPS);
	char refusals[160], drops[160];

	if (of->accepted + of->received_messages + refused + dropped == 0)
		return;
	print_reasons(refusals, sizeof(refusals), of->refused, UXS_N_REFUSALS,
	    refusal_name);
	print_reasons(drops, sizeof(drops), of->dropped, UXS_N_DROPS,
	    drop_name);
	uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
	    "%s: %" PRIu64 " open, %" PRIu64 " accepted, %" PRIu64
	    " refused%s; received %" PRIu64 " messages, %" PRIu64
	    " bytes; sent %" PRIu64 ", %" PRIu64 " bytes; %" PRIu64
	    " dropped%s",
	    uxs_type_name(type), of->connections, of->accepted, refused,
	    refusals, of->received_messages, of->received_bytes,
	    of->sent_messages, of->sent_bytes, dropped, drops);
}

void
report_stats(struct uxs_log *log, const struct uxs_stats *stats, int64_t now_ns)
{
	char closed[256];

	for (int type = 0; type < UXS_N_ALL_TYPES; type++)
		report_type(log, (enum uxs_type)type, &stats->of[type], now_ns);
	print_reasons(closed, sizeof(closed), stats->closed, UXS_N_CLOSES,
	    close_name);
	if (closed[0] != '\0')
		uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
		    "%" PRIu64 " closed%s", sum(stats->closed, UXS_N_CLOSES),
		    closed);
	if (stats->spin.won + stats->spin.lost > 0)
		uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
		    "spinning: %" PRIu64 " won, %" PRIu64 " lost, %" PRIu64
		    " ns spent",
		    stats->spin.won, stats->spin.lost, stats->spin.spent_ns);
	if (stats->moves > 0)
		uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
		    "%" PRIu64 " loops in use, %" PRIu64
		    " moves of connections between loops",
		    stats->loops, stats->moves);
	if (stats->pauses > 0)
		uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
		    "accepting was paused %" PRIu64 " times", stats->pauses);
	if (stats->rebinds > 0)
		uxs_log_print(log, UXS_NOTICE, UXS_EVENT_LIFE, now_ns,
		    "socket files were made anew %" PRIu64 " times",
		    stats->rebinds);
}
