/* SPDX-License-Identifier: ISC */
#include "goals.h"

#include <math.h>
#include <string.h>

#include "subjects.h"
#include "workloads.h"

#define CPU(workload, limit)                                          \
	{                                                             \
		workload, METRIC_CPU, AGAINST_YARDSTICK, false, limit \
	}
#define BULK(workload)                                            \
	{ workload, METRIC_CPU_BULK, AGAINST_BEST, false, 0.70 }, \
	{                                                         \
		workload, METRIC_BYTES, AGAINST_BEST, true, 0.95  \
	}

const struct goal goals[] = {
	CPU("stream-16", 1.05),
	CPU("stream-256", 1.05),
	CPU("stream-1000", 1.05),
	CPU("stream-10000", 1.05),
	CPU("seqpacket-16", 1.05),
	CPU("seqpacket-256", 1.05),
	CPU("seqpacket-1000", 1.05),
	CPU("seqpacket-10000", 1.05),
	CPU("stream-16-t2", 1.15),
	CPU("stream-256-t2", 1.15),
	CPU("stream-1000-t2", 1.15),
	CPU("stream-10000-t2", 1.15),
	CPU("seqpacket-16-t2", 1.15),
	CPU("seqpacket-256-t2", 1.15),
	CPU("seqpacket-1000-t2", 1.15),
	CPU("seqpacket-10000-t2", 1.15),
	{ "latency", METRIC_P50, AGAINST_YARDSTICK, false, 1.10 },
	{ "spin", METRIC_P50, AGAINST_BEST, false, 0.40 },
	{ "spin-one-core", METRIC_RATE, AGAINST_YARDSTICK, true, 0.95 },
	BULK("bulk-64k-1"),
	BULK("bulk-64k-4"),
	BULK("bulk-1M-1"),
	BULK("bulk-1M-4"),
	CPU("dgram-16", 1.10),
	CPU("dgram-256", 1.10),
	CPU("dgram-16-foreign", 1.6),
	CPU("dgram-256-foreign", 1.6),
	{ "reconnect", METRIC_RATE, AGAINST_YARDSTICK, true, 0.95 },
	{ "memory-10000", METRIC_MEMORY, AGAINST_NOTHING, false, 256 },
	{ "memory-10000", METRIC_RSS, AGAINST_NOTHING, false, 5e6 },
	{ "idle", METRIC_IDLE, AGAINST_NOTHING, false, 0 },
	{ "start", METRIC_START, AGAINST_NOTHING, false, 2.5e6 },
};
const size_t n_goals = sizeof(goals) / sizeof(goals[0]);

/* The peer that uxecho has to be held against; n_subjects: there is none. */
static size_t
find_best(const struct goal *goal, size_t workload, size_t self,
    const struct results *results)
{
	size_t best = n_subjects;
	double best_value = NAN;

	for (size_t i = 0; i < n_subjects; i++) {
		const struct quartiles q =
		    results_quartiles(results, workload, i, goal->metric);

		if (i == self || q.n == 0)
			continue;
		if (best == n_subjects ||
		    (goal->is_floor ? q.median > best_value :
				      q.median < best_value)) {
			best = i;
			best_value = q.median;
		}
	}
	return best;
}

static enum verdict
decide(const struct goal *goal, const struct quartiles *figure)
{
	bool is_met;

	if (figure->n == 0)
		return VERDICT_UNKNOWN;
	is_met = goal->is_floor ? figure->median >= goal->limit :
				  figure->median <= goal->limit;
	return is_met ? VERDICT_MET : VERDICT_MISSED;
}

struct judgement
goal_judge(const struct goal *goal, const struct results *results)
{
	const size_t workload = (size_t)workload_find(goal->workload);
	const size_t self = (size_t)subject_find("uxecho", strlen("uxecho"));
	struct judgement j = { .figure = { .median = NAN }, .peer = self };

	switch (goal->against) {
	case AGAINST_NOTHING:
		j.figure =
		    results_quartiles(results, workload, self, goal->metric);
		break;
	case AGAINST_YARDSTICK:
		j.peer = workload_yardstick(&workloads[workload]);
		break;
	case AGAINST_BEST:
		j.peer = find_best(goal, workload, self, results);
		break;
	}
	if (goal->against != AGAINST_NOTHING && j.peer < n_subjects)
		j.figure = results_ratio(results, workload, self, j.peer,
		    goal->metric);
	j.verdict = decide(goal, &j.figure);
	return j;
}

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_MET:
		return "met";
	case VERDICT_MISSED:
		return "**missed**";
	case VERDICT_UNKNOWN:
		break;
	}
	return "not measured";
}
