/* SPDX-License-Identifier: ISC */
/* A score of how often waiting was short, and probes where it says no. */
#include "spin.h"

void
spin_init(struct uxs_spin *spin, int64_t limit_ns)
{
	*spin = (struct uxs_spin){
		.limit_ns = limit_ns,
		.score = SPIN_SCORE_PAYS, /* nothing is known: try */
		.probe_after = SPIN_PROBE_MIN,
		.until_probe = SPIN_PROBE_MIN,
	};
}

bool
spin_pays(struct uxs_spin *spin)
{
	if (spin->score >= SPIN_SCORE_PAYS)
		return true;
	if (spin->until_probe > 0)
		return false;
	if (spin->probe_after < SPIN_PROBE_MAX)
		spin->probe_after *= 2;
	spin->until_probe = spin->probe_after;
	return true;
}

enum spin_end
spin_judge(const struct uxs_spin *spin, int n_ready, int64_t spent_ns)
{
	/* A busy processor, once given away, may not come back for
	 * milliseconds; one who sleeps would have been woken at once. */
	if (spent_ns > spin->limit_ns)
		return SPIN_LOST;
	if (n_ready > 0)
		return SPIN_WON;
	return spent_ns == spin->limit_ns ? SPIN_LOST : SPIN_CUT;
}

enum spin_end
spin_judge_sleep(const struct uxs_spin *spin, int64_t slept_ns)
{
	if (slept_ns <= spin->limit_ns)
		return SPIN_SLEPT_SHORT;
	return slept_ns - spin->limit_ns <= SPIN_WAKE_NS ? SPIN_SLEPT_NEAR :
							   SPIN_SLEPT_LONG;
}

static void
count_short(struct uxs_spin *spin)
{
	if (spin->score < SPIN_SCORE_MAX)
		spin->score++;
	if (spin->score == SPIN_SCORE_MAX)
		spin->probe_after = spin->until_probe = SPIN_PROBE_MIN;
}

static void
count_long(struct uxs_spin *spin)
{
	spin->score = spin->score > 2 ? spin->score - 2 : 0;
}

void
spin_learn(struct uxs_spin *spin, enum spin_end end)
{
	switch (end) {
	case SPIN_WON:
		/* A probe: so sleeps only looked long. */
		if (spin->score < SPIN_SCORE_PAYS)
			spin->score = SPIN_SCORE_PAYS;
		count_short(spin);
		break;
	case SPIN_NEEDLESS:
	case SPIN_SLEPT_SHORT:
		count_short(spin);
		break;
	case SPIN_SLEPT_NEAR:
		spin->until_probe--;
		count_long(spin);
		break;
	case SPIN_LOST:
	case SPIN_SLEPT_LONG:
		count_long(spin);
		break;
	case SPIN_CUT:
		break;
	}
}
