/* SPDX-License-Identifier: ISC */
/* What a pinger's answers came to, and why there were none or wrong ones. */
#include "pinger_rules.h"

#include <stdio.h>

#include <uxsrv/units.h>

#include "diagnose.h"
#include "options.h"
#include "ping_report.h"
#include "pinger.h"
#include "pinger_io.h"

void
pinger_count(struct pinger *pinger, const struct window_answer *answer,
    int64_t rtt_ns)
{
	struct summary *summary = &pinger->summary;

	switch (answer->verdict) {
	case WINDOW_GOOD:
		summary->received++;
		summary_record(summary, rtt_ns);
		break;
	case WINDOW_CORRUPT:
		summary->received++;
		summary->corrupted++;
		break;
	case WINDOW_STRAY:
		summary->corrupted++;
		break;
	case WINDOW_LATE:
		summary->late++;
		break;
	case WINDOW_DUPLICATE:
		summary->duplicates++;
		break;
	}
}

void
pinger_note_corruption(struct pinger *pinger,
    const struct window_answer *answer)
{
	char what[128];

	if (pinger->has_diagnosis)
		return;
	if (answer->length != pinger->options->size_bytes)
		snprintf(what, sizeof(what),
		    "%zu bytes came back where %zu were sent", answer->length,
		    pinger->options->size_bytes);
	else if (answer->has_difference)
		snprintf(what, sizeof(what),
		    "byte #%zu came back as 0x%02x and was sent as 0x%02x",
		    answer->difference.offset, answer->difference.was,
		    answer->difference.should_be);
	else
		snprintf(what, sizeof(what),
		    "something came that answers nothing");
	diagnose_corrupt(&pinger->diagnosis, &pinger->target, what);
	pinger->has_diagnosis = true;
}

/* How long an answer was waited for: the time-out, or less when we were
 * stopped before. In milliseconds, since it is for people. */
static int64_t
patience_ns(const struct pinger *pinger)
{
	const int64_t ran_ns = pinger_io_now_ns() - pinger->summary.start_ns;
	const int64_t timeout_ns = pinger->options->timeout_ns;

	if (ran_ns >= timeout_ns)
		return timeout_ns;
	return ran_ns - ran_ns % UXS_NS_PER_MS;
}

/* Nothing at all was answered: that needs a reason too. */
static void
diagnose_silence(struct pinger *pinger)
{
	const int64_t timeout_ns = patience_ns(pinger);
	char what[80];

	if (pinger->summary.late > 0) {
		diagnose_late(&pinger->diagnosis, &pinger->target, timeout_ns);
		return;
	}
	if (pinger->in_have == 0) {
		diagnose_timeout(&pinger->diagnosis, &pinger->target,
		    timeout_ns);
		return;
	}
	snprintf(what, sizeof(what), "%zu bytes came back where %zu were sent",
	    pinger->in_have, pinger->options->size_bytes);
	diagnose_corrupt(&pinger->diagnosis, &pinger->target, what);
}

/* The last word, where it has not been spoken yet. */
void
pinger_tell_reason(struct pinger *pinger)
{
	if (!pinger->has_diagnosis && pinger->summary.sent > 0 &&
	    pinger->summary.received == 0) {
		diagnose_silence(pinger);
		pinger->has_diagnosis = true;
	}
	if (pinger->has_diagnosis && !pinger->is_told)
		ping_report_error(pinger, 0);
	pinger->is_told = true;
}
