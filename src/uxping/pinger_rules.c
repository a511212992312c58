/* SPDX-License-Identifier: ISC */
/*
 * What the options demand of a pinger at this point of its life. Pure.
 */
#include "pinger_rules.h"

#include <errno.h>

#include <uxsrv/units.h>

#include "options.h"
#include "pinger.h"

/* ping(8): a flood sends "as fast as they come back or one hundred times per
 * second, whichever is more". */
#define FLOOD_INTERVAL_NS (10 * UXS_NS_PER_MS)

bool
pinger_is_one_shot(const struct pinger *pinger)
{
	return pinger->options->reconnect || pinger->options->connect_only;
}

/* With a deadline, count is how many answers to wait for, as in ping(8). */
bool
pinger_may_send(const struct pinger *pinger)
{
	const struct options *options = pinger->options;

	return options->count == 0 || options->deadline_ns != 0 ||
	    pinger->summary.sent < (uint64_t)options->count;
}

bool
pinger_is_complete(const struct pinger *pinger)
{
	const struct options *options = pinger->options;

	if (options->count == 0)
		return false;
	if (options->deadline_ns != 0)
		return pinger->summary.received >= (uint64_t)options->count;
	return !pinger_may_send(pinger) && pinger->window.n_waiting == 0;
}

int64_t
pinger_interval_ns(const struct pinger *pinger)
{
	const int64_t interval = pinger->options->interval_ns;

	if (interval == 0)
		return FLOOD_INTERVAL_NS;
	/* -f with -i keeps to -i; without, it is a flood. */
	return pinger->options->flood && interval == UXS_NS_PER_S ?
	    FLOOD_INTERVAL_NS :
	    interval;
}

bool
pinger_sends_on_answer(const struct pinger *pinger)
{
	return pinger->options->adaptive || pinger->options->flood ||
	    pinger->options->interval_ns == 0;
}

static bool
is_worth_waiting_for(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED ||
	    r == -EACCES || r == TARGET_BUSY;
}

/* Until when a connect that failed like this is tried again. */
int64_t
pinger_give_up_ns(const struct pinger *pinger, int r)
{
	const struct options *options = pinger->options;
	int64_t patience_ns = 0;

	if (r == TARGET_BUSY)
		patience_ns = options->timeout_ns;
	if (!pinger->has_started && is_worth_waiting_for(r) &&
	    options->wait_ns > patience_ns)
		patience_ns = options->wait_ns;
	return pinger->connect_start_ns + patience_ns;
}

int
pinger_status(const struct pinger *pinger)
{
	const struct summary *summary = &pinger->summary;
	const struct options *options = pinger->options;

	if (pinger->status != 0)
		return pinger->status;
	if (summary->received == 0 || summary->corrupted > 0)
		return 1;
	if (options->deadline_ns != 0 &&
	    summary->received < (uint64_t)options->count)
		return 1;
	return 0;
}
