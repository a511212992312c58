/* SPDX-License-Identifier: ISC */
/* A score of how often yielding was worth it, and probes where it says no. */
#include "yield.h"

void
yield_init(struct uxs_yield *yield)
{
	*yield = (struct uxs_yield){
		.is_on = true,
		.score = YIELD_SCORE_PAYS, /* nothing is known: try */
		.probe_after = YIELD_PROBE_MIN,
		.until_probe = YIELD_PROBE_MIN,
	};
}

bool
yield_pays(struct uxs_yield *yield)
{
	if (yield->score >= YIELD_SCORE_PAYS)
		return true;
	if (--yield->until_probe > 0)
		return false;
	if (yield->probe_after < YIELD_PROBE_MAX)
		yield->probe_after *= 2;
	yield->until_probe = yield->probe_after;
	return true;
}

static void
count_won(struct uxs_yield *yield)
{
	/* A probe: so it pays again. */
	if (yield->score < YIELD_SCORE_PAYS)
		yield->score = YIELD_SCORE_PAYS;
	yield->score += 2;
	if (yield->score < YIELD_SCORE_MAX)
		return;
	yield->score = YIELD_SCORE_MAX;
	yield->probe_after = yield->until_probe = YIELD_PROBE_MIN;
}

void
yield_learn(struct uxs_yield *yield, int n_ready, int64_t spent_ns)
{
	const int64_t n_worth = n_ready > 0 ? n_ready : 1;

	if (spent_ns > n_worth * YIELD_WORTH_NS)
		yield->score = 0;
	else if (n_ready > 0)
		count_won(yield);
	else if (yield->score > 0)
		yield->score--;
}
