/* SPDX-License-Identifier: ISC */
#include "subject.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "options.h"

int
subject_open(struct subject *s, const char *text, const struct options *options)
{
	struct uxs_error why;

	memset(s, 0, sizeof(*s));
	s->options = options;
	s->target = (struct target)TARGET_CLOSED;
	tally_init(&s->total);
	tally_init(&s->last);
	if (target_open(&s->target, text, options, &why) < 0) {
		warnx("%s", why.text);
		return -1;
	}
	s->report = (struct report){
		.label = s->target.label,
		.options = options,
		.tally = &s->total,
	};
	return 0;
}

void
subject_close(struct subject *s)
{
	target_close(&s->target);
	free(s->name);
	s->name = NULL;
}

const char *
subject_name(const struct subject *s)
{
	return s->name != NULL ? s->name : s->target.label;
}

static void
on_interval(const struct load *load, const struct tally *second, void *arg)
{
	struct subject *s = arg;

	s->watcher->on_interval(s, second, s->watcher->arg);
}

static void
keep_diagnosis(struct subject *s, const struct load *load)
{
	if (!load->has_diagnosis || s->has_diagnosis)
		return;
	s->has_diagnosis = true;
	s->diagnosis = load->diagnosis;
	s->report.diagnosis = &s->diagnosis;
}

/* What the target's type, known by now, does not allow. */
static bool
is_possible(const struct subject *s)
{
	if (target_keeps_messages(&s->target) && s->options->bulk) {
		warnx("%s: --bulk saturates streams, and this is %s",
		    s->target.label, target_type_name(&s->target));
		return false;
	}
	if (!target_keeps_messages(&s->target) && s->options->size_bytes == 0) {
		warnx("%s: --size 0: a stream has no empty messages; use 1 or "
		      "more",
		    s->target.label);
		return false;
	}
	return true;
}

static void
warn_own(const struct subject *s, int code)
{
	if (code == -EMFILE)
		warnx("%" PRId64 " connections are more than the descriptor "
		      "limit allows; raise it with ulimit -n",
		    s->options->n_connections);
	else
		warnc(-code, "%s: cannot run the load", s->target.label);
}

static void
run(struct subject *s, struct load *load, int64_t duration_ns,
    const struct subject_watcher *watcher)
{
	int r;

	s->report.type = target_type_name(&s->target);
	if (s->name == NULL &&
	    asprintf(&s->name, "%s (%s)", s->target.label, s->report.type) < 0)
		s->name = NULL;
	if (!is_possible(s)) {
		s->status = 2;
		return;
	}
	if (watcher->on_start != NULL)
		watcher->on_start(s, watcher->arg);
	if (watcher->on_interval != NULL)
		load->on_interval = on_interval;
	s->watcher = watcher;
	load->arg = s;
	if ((r = load_run(load, s->options->warmup_ns, duration_ns)) < 0) {
		warn_own(s, r);
		s->status = 2;
	}
	s->was_interrupted = s->report.was_interrupted = load->was_interrupted;
}

void
subject_run(struct subject *s, int64_t duration_ns,
    const struct subject_watcher *watcher)
{
	struct load *load = malloc(sizeof(*load));
	int r;

	if (load == NULL) {
		warn("%s", s->target.label);
		s->status = 2;
		return;
	}
	if ((r = load_open(load, &s->target, s->options)) == 0)
		run(s, load, duration_ns, watcher);
	else if (!load->has_diagnosis) {
		warn_own(s, r);
		s->status = 2;
	} else
		tally_merge(&load->total, &load->second);
	keep_diagnosis(s, load);
	s->last = load->total;
	tally_merge(&s->total, &s->last);
	if (s->status == 0 && !tally_is_good(&s->last))
		s->status = 1;
	load_close(load);
	free(load);
}
