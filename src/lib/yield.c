/* SPDX-License-Identifier: ISC */
/* How many waits are slept before the next one is tried; see yield.h. */
#include "yield.h"

void
yield_init(struct uxs_yield *yield)
{
	*yield = (struct uxs_yield){ .is_on = true };
}

bool
yield_pays(struct uxs_yield *yield)
{
	if (yield->n_to_sleep == 0)
		return true;
	yield->n_to_sleep--;
	return false;
}

static void
count_dear(struct uxs_yield *yield)
{
	yield->penalty = 4 * yield->penalty + 1;
	if (yield->penalty > YIELD_PENALTY_MAX)
		yield->penalty = YIELD_PENALTY_MAX;
	yield->n_to_sleep = yield->penalty;
}

void
yield_learn(struct uxs_yield *yield, int n_ready, int64_t spent_ns)
{
	const int64_t n_worth = n_ready > 0 ? n_ready : 1;

	if (spent_ns > n_worth * YIELD_WORTH_NS) {
		count_dear(yield);
		return;
	}
	yield->penalty -= yield->penalty > 0;
	if (n_ready > 0)
		yield->n_lost = 0;
	else if (yield->n_lost < YIELD_LOST_MAX)
		yield->n_lost++;
	if (yield->n_lost == YIELD_LOST_MAX)
		yield->n_to_sleep = YIELD_PROBE;
}
