/* SPDX-License-Identifier: ISC */
#include "markdown.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "goals.h"
#include "subjects.h"

static const char how[] =
    "Written by `make bench`; do not edit. To repeat it, on a machine that does\n"
    "nothing else, as root (or the clients of another user are left out):\n"
    "\n"
    "    make deps bench-deps bench\n"
    "\n"
    "`make bench-quick` is a minute's look, and `make bench BENCH_ARGS='-w\n"
    "stream-16 -s epoll,uxecho,libev'` measures a part; both write below `build`.\n"
    "Node and Go take part where they are installed.\n"
    "\n"
    "Every measurement has a server of its own, with all of uxecho's defaults\n"
    "on (for 10,000 connections one user is allowed 12,000 of them), and\n"
    "`uxping -B` for a client: a closed loop in which each connection has one\n"
    "message under way. Within a round the servers take turns, and each round\n"
    "begins with another one. A ratio is that of two servers in the same\n"
    "round, to the first one in the table unless it says otherwise; what is\n"
    "shown is the median of the rounds, and in parentheses the quartiles.\n"
    "Processor time is the server's, user and system, of all its threads and\n"
    "children, as the scheduler counts it, between the moments at which\n"
    "uxping began and ended to measure. \"Busy\" is how many processors that\n"
    "was: where it is well below 100% the server waited for its client, and\n"
    "part of what a message costs is falling asleep and waking up. RSS is the\n"
    "server's, shared pages included, and of its children what is theirs\n"
    "alone.\n";

/* ---- pieces ---- */

/* Text from elsewhere must not end a cell or begin a tag. */
static void
put_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("|<>`*_\\", *text) != NULL)
			putc('\\', out);
		putc(*text >= 0x20 && *text < 0x7f ? *text : '?', out);
	}
}

char *
ratio_print(const struct quartiles *ratio, int digits,
    char text[RATIO_TEXT_MAX])
{
	if (ratio->n == 0)
		snprintf(text, RATIO_TEXT_MAX, "-");
	else
		snprintf(text, RATIO_TEXT_MAX, "%.*f (%.*f to %.*f)", digits,
		    ratio->median, digits, ratio->low, digits, ratio->high);
	return text;
}

static void
put_quartiles(FILE *out, enum metric metric, const struct quartiles *q)
{
	char low[METRIC_TEXT_MAX], median[METRIC_TEXT_MAX],
	    high[METRIC_TEXT_MAX];

	fprintf(out, "%s (%s to %s)", metric_print(metric, q->median, median),
	    metric_print(metric, q->low, low),
	    metric_print(metric, q->high, high));
}

/* ---- the goals ---- */

static void
put_limit(FILE *out, const struct goal *goal)
{
	char text[METRIC_TEXT_MAX];

	fputs(goal->is_floor ? "at least " : "at most ", out);
	if (goal->against == AGAINST_NOTHING)
		fputs(metric_print(goal->metric, goal->limit, text), out);
	else
		fprintf(out, "%.2f", goal->limit);
}

static void
put_goal(FILE *out, const struct goal *goal, const struct results *results)
{
	const struct judgement j = goal_judge(goal, results);
	const int workload = workload_find(goal->workload);
	char text[RATIO_TEXT_MAX];

	fprintf(out, "| %s | %s | ", workloads[workload].title,
	    metrics[goal->metric].title);
	put_limit(out, goal);
	fputs(" | ", out);
	if (j.verdict == VERDICT_UNKNOWN)
		fputs("-", out);
	else if (goal->against == AGAINST_NOTHING)
		put_quartiles(out, goal->metric, &j.figure);
	else
		fputs(ratio_print(&j.figure, 3, text), out);
	fprintf(out, " | %s | %s",
	    j.peer < n_subjects && goal->against != AGAINST_NOTHING ?
		subjects[j.peer].title :
		"-",
	    verdict_name(j.verdict));
	if (j.verdict != VERDICT_UNKNOWN && j.figure.n < results->n_rounds)
		fprintf(out, ", in %zu of %zu rounds", j.figure.n,
		    results->n_rounds);
	fputs(" |\n", out);
}

static void
put_goals(FILE *out, const struct head *head, const struct results *results)
{
	fputs("\n## Goals\n\n", out);
	if (head->n_rounds < 10 || head->duration_ns < 1000000000)
		fputs("Goals are about ten rounds of a second each at least: "
		      "this is a first look.\n\n",
		    out);
	fputs("| workload | figure | goal | uxecho | held against | |\n"
	      "|---|---|---|---|---|---|\n",
	    out);
	for (size_t i = 0; i < n_goals; i++)
		put_goal(out, &goals[i], results);
}

/* ---- a workload ---- */

static bool
was_measured(const struct results *results, size_t workload, size_t subject)
{
	const int *metric = workload_metrics(workloads[workload].kind);

	return results_quartiles(results, workload, subject,
		   (enum metric) * metric)
		   .n > 0;
}

static bool
was_tried(const struct results *results, size_t workload)
{
	for (size_t i = 0; i < n_subjects; i++) {
		if (was_measured(results, workload, i) ||
		    results_reason(results, workload, i)[0] != '\0')
			return true;
	}
	return false;
}

static void
put_cell(FILE *out, const struct results *results, size_t workload,
    size_t subject, enum metric metric)
{
	const size_t base = workload_yardstick(&workloads[workload]);
	const struct quartiles q =
	    results_quartiles(results, workload, subject, metric);
	const struct quartiles ratio =
	    results_ratio(results, workload, subject, base, metric);
	char value[METRIC_TEXT_MAX], text[RATIO_TEXT_MAX];

	fprintf(out, " %s |", metric_print(metric, q.median, value));
	if (metrics[metric].has_ratio)
		fprintf(out, " %s |",
		    subject == base && ratio.n > 0 ?
			"1" :
			ratio_print(&ratio, 2, text));
}

static void
put_row(FILE *out, const struct results *results, size_t workload,
    size_t subject)
{
	const struct workload *w = &workloads[workload];

	fprintf(out, "| %s |", subjects[subject].title);
	for (const int *m = workload_metrics(w->kind); *m >= 0; m++)
		put_cell(out, results, workload, subject, (enum metric) * m);
	putc('\n', out);
}

static void
put_columns(FILE *out, enum kind kind)
{
	int n = 1;

	fputs("| server |", out);
	for (const int *m = workload_metrics(kind); *m >= 0; m++) {
		fprintf(out, " %s |", metrics[*m].title);
		n++;
		if (!metrics[*m].has_ratio)
			continue;
		fputs(" ratio |", out);
		n++;
	}
	fputs("\n|---|", out);
	while (--n > 0)
		fputs("---:|", out);
	putc('\n', out);
}

static const char *
placement_name(enum placement placement)
{
	switch (placement) {
	case PLACE_APART:
		return "server and client on a processor each";
	case PLACE_TOGETHER:
		return "server and client on the same processor";
	case PLACE_FREE:
		return "server and client on any processor";
	case PLACE_SPIN:
		break;
	}
	return "client on one processor, uxecho on any, the others on another "
	       "one";
}

/* Fewest first; the yardstick stays where it is. */
static size_t
sort_subjects(const struct results *results, size_t workload, size_t *order)
{
	const int metric = *workload_metrics(workloads[workload].kind);
	const size_t base = workload_yardstick(&workloads[workload]);
	size_t n = 0;

	order[n++] = base;
	for (size_t i = 0; i < n_subjects; i++) {
		const double value =
		    results_quartiles(results, workload, i, (enum metric)metric)
			.median;
		size_t place = n;

		if (i == base || !workload_has(&workloads[workload], i) ||
		    !isfinite(value))
			continue;
		for (; place > 1 &&
		     results_quartiles(results, workload, order[place - 1],
			 (enum metric)metric)
			     .median > value;
		     place--)
			order[place] = order[place - 1];
		order[place] = i;
		n++;
	}
	return n;
}

/* Those that are not here at all were listed above. */
static void
put_missing(FILE *out, const struct head *head, const struct results *results,
    size_t workload)
{
	for (size_t i = 0; i < n_subjects; i++) {
		const char *reason = results_reason(results, workload, i);

		if (reason[0] == '\0' || head->versions[i][0] == '\0')
			continue;
		fprintf(out, "\n%s %s: ", subjects[i].title,
		    was_measured(results, workload, i) ?
			"failed in some rounds" :
			"was not measured");
		put_text(out, reason);
		fputs(".\n", out);
	}
}

static void
put_workload(FILE *out, const struct head *head, const struct results *results,
    size_t workload)
{
	const struct workload *w = &workloads[workload];
	size_t order[64], n;

	fprintf(out, "\n## %s\n\n`-w %s`: %s.\n\n", w->title, w->name,
	    placement_name(w->placement));
	put_columns(out, w->kind);
	n = sort_subjects(results, workload, order);
	for (size_t i = 0; i < n; i++)
		put_row(out, results, workload, order[i]);
	put_missing(out, head, results, workload);
}

/* ---- all of it ---- */

static void
put_head(FILE *out, const struct head *head)
{
	fputs("# What uxecho costs, beside others\n\n", out);
	fputs(how, out);
	fputs("\n| | |\n|---|---|\n| machine | ", out);
	put_text(out, head->machine);
	fprintf(out, ", %d processors |\n| kernel | ", head->n_processors);
	put_text(out, head->kernel);
	fprintf(out, " |\n| date | %s |\n| rounds | %zu of %.3g s each |\n",
	    head->date, head->n_rounds, (double)head->duration_ns / 1e9);
	for (size_t i = 0; i < n_subjects; i++) {
		fprintf(out, "| %s | ", subjects[i].title);
		put_text(out,
		    head->versions[i][0] != '\0' ? head->versions[i] :
						   "not here");
		fputs(" |\n", out);
	}
}

int
markdown_write(FILE *out, const struct head *head,
    const struct results *results)
{
	put_head(out, head);
	put_goals(out, head, results);
	for (size_t i = 0; i < n_workloads; i++) {
		if (was_tried(results, i))
			put_workload(out, head, results, i);
	}
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
