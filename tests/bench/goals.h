/* SPDX-License-Identifier: ISC */
#ifndef BENCH_GOALS_H
#define BENCH_GOALS_H

#include <stdbool.h>
#include <stddef.h>

#include "quartiles.h"
#include "results.h"

/* What uxecho has set itself, as a table, and whether it got there. */

enum against {
	AGAINST_YARDSTICK,
	AGAINST_BEST, /* the peer whose median is the best in this figure */
	AGAINST_NOTHING, /* the figure itself */
};

struct goal {
	const char *workload; /* name */
	enum metric metric;
	enum against against;
	bool is_floor; /* at least, and not at most */
	double limit;
};

extern const struct goal goals[];
extern const size_t n_goals;

enum verdict {
	VERDICT_MET,
	VERDICT_MISSED,
	VERDICT_UNKNOWN, /* not measured */
};

struct judgement {
	enum verdict verdict;
	struct quartiles figure; /* a ratio, unless against nothing */
	size_t peer; /* that it was held against */
};

/* The median decides. */
struct judgement goal_judge(const struct goal *goal,
    const struct results *results);

const char *verdict_name(enum verdict verdict);

#endif
