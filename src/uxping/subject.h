/* SPDX-License-Identifier: ISC */
#ifndef UXPING_SUBJECT_H
#define UXPING_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose.h"
#include "report.h"
#include "tally.h"
#include "target.h"

struct load;
struct subject_watcher;
struct options;

/*
 * One target under test and what all runs against it came to.
 *
 *	if (subject_open(&s, text, options) < 0) ...	exit 2
 *	subject_run(&s, duration_ns, on_start, on_interval, arg);
 *	... s.total, s.report ...
 *	subject_close(&s);
 */

struct subject {
	const struct options *options; /* borrowed */
	struct target target;
	char *name; /* "ADDRESS (TYPE)", once the type is known */
	struct tally total; /* of all runs */
	struct tally last; /* of the last run */
	bool has_diagnosis;
	struct diagnosis diagnosis; /* of the first trouble in any run */
	bool was_interrupted;
	const struct subject_watcher *watcher; /* while it runs */
	int64_t elapsed_ns; /* for the watcher's own use */
	int status; /* exit status so far */
	struct report report; /* of total */
};

/* Returns 0, or -1 when it was said on stderr what is wrong with the text. */
int subject_open(struct subject *s, const char *text,
    const struct options *options);

/* What to do meanwhile; either may be NULL. */
struct subject_watcher {
	/* Connected: the type is known. */
	void (*on_start)(struct subject *s, void *arg);
	void (*on_interval)(struct subject *s, const struct tally *second,
	    void *arg);
	void *arg;
};

/*
 * Put options' load on the target for duration_ns, after options->warmup_ns.
 * The target's trouble is counted and kept in s->diagnosis, s->status is 1
 * then; what is our own trouble is said on stderr, s->status is 2 then.
 */
void subject_run(struct subject *s, int64_t duration_ns,
    const struct subject_watcher *watcher);

/* The name, or what is known of it. */
const char *subject_name(const struct subject *s);

/* May be called twice. */
void subject_close(struct subject *s);

#endif
