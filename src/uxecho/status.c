/* SPDX-License-Identifier: ISC */
/* Our state, in the words of sd_notify(3). */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <uxsrv/units.h>

static uint64_t
sum(const uint64_t *counts, int n)
{
	uint64_t total = 0;

	for (int i = 0; i < n; i++)
		total += counts[i];
	return total;
}

char *
status_print(char text[UXS_NOTIFY_TEXT_MAX], const struct uxs_stats *stats)
{
	uint64_t clients = 0, accepted = 0, refused = 0, dropped = 0;
	uint64_t messages = 0;

	for (int type = 0; type < UXS_N_ALL_TYPES; type++) {
		const struct uxs_stats_of_type *of = &stats->of[type];

		clients += of->connections;
		accepted += of->accepted;
		messages += of->received_messages;
		refused += sum(of->refused, UXS_N_REFUSALS);
		dropped += sum(of->dropped, UXS_N_DROPS);
	}
	snprintf(text, UXS_NOTIFY_TEXT_MAX,
	    "serving: %" PRIu64 " clients, %" PRIu64 " accepted, %" PRIu64
	    " refused; %" PRIu64 " messages, %" PRIu64 " dropped",
	    clients, accepted, refused, messages, dropped);
	return text;
}

void
status_figures(struct status *s, const struct uxs_stats *stats)
{
	char text[UXS_NOTIFY_TEXT_MAX];

	if (!uxs_notify_is_open(&s->notify) ||
	    strcmp(status_print(text, stats), s->told) == 0)
		return;
	if (uxs_notify_send(&s->notify, "STATUS=%s", text) == 0)
		strlcpy(s->told, text, sizeof(s->told));
}

/* By the time in it, the manager tells this reload from one before it. */
void
status_reloading(struct status *s)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	uxs_notify_send(&s->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    now.tv_sec * INT64_C(1000000) + now.tv_nsec / UXS_NS_PER_US);
}

void
status_reloaded(struct status *s, bool is_taken)
{
	s->told[0] = '\0';
	uxs_notify_send(&s->notify, "READY=1\nSTATUS=%s",
	    is_taken ? "serving by new rules" :
		       "the old rules stay; the log says why");
}

void
status_failed(struct status *s, int code, int exit_status, const char *text)
{
	uxs_notify_send(&s->notify,
	    "STOPPING=1\nERRNO=%d\nEXIT_STATUS=%d\nSTATUS=%s", code,
	    exit_status, text);
}
