/* SPDX-License-Identifier: ISC */
/* Figures in columns for people, and as an object for programs. */
#include "scrape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "exposition.h"
#include "json.h"
#include "target.h"

#define LABELS_MAX 512

struct table {
	const struct exposition *e;
	FILE *out; /* NULL: only find out how wide it is */
	bool is_verbose;
	int name_width, labels_width, value_width;
	size_t n_left_out;
};

/* ---- a line ---- */

/* "type=stream reason=rules". Returns text. */
static char *
print_labels(const struct exposition *e, const struct exposition_sample *s,
    char text[LABELS_MAX])
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->n_labels && n + 16 < LABELS_MAX; i++) {
		const struct exposition_label *label =
		    &e->labels[s->first_label + i];
		char shown[LABELS_MAX / 2];

		n += (size_t)snprintf(text + n, LABELS_MAX - n, "%s%s=%s",
		    i > 0 ? " " : "", label->name,
		    uxs_escape(shown, sizeof(shown), label->value,
			strlen(label->value)));
	}
	return text;
}

static void
widen(int *width, const char *text)
{
	const size_t n = strlen(text);

	if (*width < (int)n)
		*width = (int)n;
}

static void
put_line(struct table *t, const char *name, const char *labels,
    const char *value)
{
	if (t->out == NULL) {
		widen(&t->name_width, name);
		widen(&t->labels_width, labels);
		widen(&t->value_width, value);
		return;
	}
	fprintf(t->out, "%-*s  %-*s  %*s\n", t->name_width, name,
	    t->labels_width, labels, t->value_width, value);
}

/* ---- histograms ---- */

/* Two digits are enough to see what is slow. */
static char *
print_time(double s, char text[32])
{
	if (s < 1e-3)
		snprintf(text, 32, "%.3g us", s * 1e6);
	else if (s < 1)
		snprintf(text, 32, "%.3g ms", s * 1e3);
	else
		snprintf(text, 32, "%.3g s", s);
	return text;
}

static const struct exposition_sample *
find_suffix(const struct exposition *e, const struct exposition_family *f,
    const char *suffix)
{
	const size_t n = strlen(f->name);

	for (size_t i = 0; i < f->n_samples; i++) {
		const struct exposition_sample *s =
		    &e->samples[f->first_sample + i];

		if (strcmp(s->name + n, suffix) == 0)
			return s;
	}
	return NULL;
}

/* The bound that so many of count keep. */
static const char *
find_quantile(const struct exposition *e, const struct exposition_family *f,
    double wanted)
{
	for (size_t i = 0; i < f->n_samples; i++) {
		const struct exposition_sample *s =
		    &e->samples[f->first_sample + i];
		const char *le = exposition_label(e, s, "le");

		if (le != NULL && s->value >= wanted)
			return le;
	}
	return "+Inf";
}

static void
put_bound(struct table *t, const struct exposition_family *f, double count,
    int percent)
{
	const char *le = find_quantile(t->e, f, count * percent / 100);
	char label[64], value[32];

	snprintf(label, sizeof(label), "%d%% within", percent);
	put_line(t, f->name, label,
	    strcmp(le, "+Inf") == 0 ? "more" :
				      print_time(strtod(le, NULL), value));
}

static void
put_histogram(struct table *t, const struct exposition_family *f)
{
	const struct exposition_sample *count = find_suffix(t->e, f, "_count");
	const struct exposition_sample *sum = find_suffix(t->e, f, "_sum");
	char value[32];

	if (count == NULL || sum == NULL)
		return;
	put_line(t, f->name, "in all", count->text);
	if (count->value <= 0)
		return;
	put_line(t, f->name, "mean",
	    print_time(sum->value / count->value, value));
	put_bound(t, f, count->value, 50);
	put_bound(t, f, count->value, 99);
	put_bound(t, f, count->value, 100);
}

/* ---- the table ---- */

static bool
is_dull(const struct table *t, const struct exposition_family *f,
    const struct exposition_sample *s)
{
	return !t->is_verbose && f->type == EXPOSITION_COUNTER &&
	    f->n_samples > 1 && s->value == 0;
}

static void
put_samples(struct table *t, const struct exposition_family *f)
{
	char labels[LABELS_MAX];

	for (size_t i = 0; i < f->n_samples; i++) {
		const struct exposition_sample *s =
		    &t->e->samples[f->first_sample + i];

		if (is_dull(t, f, s))
			t->n_left_out++;
		else
			put_line(t, s->name, print_labels(t->e, s, labels),
			    s->text);
	}
}

static void
put_families(struct table *t)
{
	t->n_left_out = 0;
	for (size_t i = 0; i < t->e->n_families; i++) {
		const struct exposition_family *f = &t->e->families[i];

		if (f->type == EXPOSITION_HISTOGRAM)
			put_histogram(t, f);
		else
			put_samples(t, f);
	}
}

void
scrape_print_table(const struct exposition *e, bool is_verbose, FILE *out)
{
	struct table t = { .e = e, .is_verbose = is_verbose };

	put_families(&t);
	t.out = out;
	put_families(&t);
	if (t.n_left_out > 0)
		fprintf(out, "%zu counters are 0; --verbose shows them\n",
		    t.n_left_out);
}

/* ---- JSON ---- */

static void
put_value(struct json *json, const struct exposition_sample *s)
{
	/* Above 2^63 there is no integer; a fraction keeps six digits. */
	if (s->value == floor(s->value) && fabs(s->value) < 0x1p63)
		json_integer(json, "value", (int64_t)s->value);
	else
		json_number(json, "value", s->value);
}

static void
put_object(struct json *json, const struct exposition *e,
    const struct exposition_sample *s)
{
	json_object_open(json, NULL);
	json_string(json, "name", s->name);
	json_object_open(json, "labels");
	for (size_t i = 0; i < s->n_labels; i++) {
		const struct exposition_label *label =
		    &e->labels[s->first_label + i];

		json_string(json, label->name, label->value);
	}
	json_object_close(json);
	put_value(json, s);
	json_object_close(json);
}

void
scrape_print_json(const struct exposition *e, const struct target *target,
    FILE *out)
{
	struct timespec now;
	struct json json;

	clock_gettime(CLOCK_REALTIME, &now);
	json_begin(&json, out, "stats");
	json_integer(&json, "time_ns", now.tv_sec * UXS_NS_PER_S + now.tv_nsec);
	target_print_json(target, &json);
	json_array_open(&json, "samples");
	for (size_t i = 0; i < e->n_samples; i++)
		put_object(&json, e, &e->samples[i]);
	json_array_close(&json);
	json_end(&json);
}
