/* SPDX-License-Identifier: ISC */
/*
 * Line by line, each torn at its blanks, in place. What a line may say depends
 * on the family that the lines before have begun: a family is one piece, its
 * description comes first, and its samples are named after it.
 */
#include "exposition.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct exposition *e;
	const char *wrong; /* NULL: nothing yet */
};

static const char no_memory[] = "no memory";

static const char *const type_names[N_EXPOSITION_TYPES] = {
	[EXPOSITION_UNKNOWN] = "unknown",
	[EXPOSITION_GAUGE] = "gauge",
	[EXPOSITION_COUNTER] = "counter",
	[EXPOSITION_INFO] = "info",
	[EXPOSITION_HISTOGRAM] = "histogram",
};

/* The array, with room for one more than n. Returns NULL, and says so, where
 * there is no memory; the array is as before then. */
static void *
grow(struct parser *p, void *array, size_t n, size_t size)
{
	void *larger = array;

	/* In powers of two, from 16 on. */
	if (n == 0 || (n >= 16 && (n & (n - 1)) == 0))
		larger = reallocarray(array, n == 0 ? 16 : 2 * n, size);
	if (larger == NULL)
		p->wrong = no_memory;
	return larger;
}

static bool
refuse(struct parser *p, const char *what)
{
	p->wrong = what;
	return false;
}

/* ---- words ---- */

static bool
is_name(const char *text, bool may_have_colon)
{
	if (!isalpha((unsigned char)text[0]) && text[0] != '_' &&
	    !(may_have_colon && text[0] == ':'))
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && *text != '_' &&
		    !(may_have_colon && *text == ':'))
			return false;
	}
	return true;
}

/* Cut the line at its first blank; NULL: there is none. */
static char *
cut(char *line)
{
	char *blank = strchr(line, ' ');

	if (blank == NULL)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

/* A number as it may stand there; strtod(3) takes more. */
static bool
read_number(const char *text, double *value)
{
	const char *digits = text + (text[0] == '+' || text[0] == '-');
	char *end;

	if (strcmp(digits, "Inf") == 0 || strcmp(text, "NaN") == 0) {
		*value = strtod(text, NULL);
		return true;
	}
	if (digits[0] == '\0' ||
	    strspn(digits, "0123456789.eE+-") != strlen(digits))
		return false;
	*value = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*value);
}

/* ---- descriptions ---- */

static struct exposition_family *
last_family(struct parser *p)
{
	return p->e->n_families == 0 ? NULL :
				       &p->e->families[p->e->n_families - 1];
}

static struct exposition_family *
begin_family(struct parser *p, const char *name)
{
	struct exposition *e = p->e;
	struct exposition_family *f;

	for (size_t i = 0; i < e->n_families; i++) {
		if (strcmp(e->families[i].name, name) == 0) {
			refuse(p, "a family comes in two pieces");
			return NULL;
		}
	}
	if (!is_name(name, true)) {
		refuse(p, "not a name of a family");
		return NULL;
	}
	f = grow(p, e->families, e->n_families, sizeof(*f));
	if (f == NULL)
		return NULL;
	e->families = f;
	f += e->n_families++;
	*f = (struct exposition_family){
		.name = name,
		.first_sample = e->n_samples,
	};
	return f;
}

/* The family that this line describes: the last one, or a new one. */
static struct exposition_family *
described_family(struct parser *p, const char *name)
{
	struct exposition_family *f = last_family(p);

	if (f == NULL || strcmp(f->name, name) != 0)
		return begin_family(p, name);
	if (f->n_samples > 0) {
		refuse(p, "a description comes after its samples");
		return NULL;
	}
	return f;
}

static bool
set_type(struct parser *p, struct exposition_family *f, const char *word)
{
	if (f->type != EXPOSITION_UNKNOWN)
		return refuse(p, "a family has two types");
	for (int i = 0; i < N_EXPOSITION_TYPES; i++) {
		if (strcmp(word, type_names[i]) == 0) {
			f->type = (enum exposition_type)i;
			return true;
		}
	}
	return refuse(p, "not a type that is known here");
}

static bool
set_unit(struct parser *p, struct exposition_family *f, const char *unit)
{
	const size_t n = strlen(f->name), u = strlen(unit);

	if (f->unit != NULL)
		return refuse(p, "a family has two units");
	if (u == 0 || n < u + 2 || f->name[n - u - 1] != '_' ||
	    strcmp(f->name + n - u, unit) != 0)
		return refuse(p, "the unit does not end the name");
	f->unit = unit;
	return true;
}

static bool
unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '\\') {
			text++;
			if (*text != '\\' && *text != '"' && *text != 'n')
				return false;
			*to++ = *text == 'n' ? '\n' : *text;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return true;
}

/* After "# ". */
static bool
take_description(struct parser *p, char *line)
{
	char *name = cut(line), *rest = name != NULL ? cut(name) : NULL;
	struct exposition_family *f;

	if (rest == NULL)
		return refuse(p, "a description without a name or a value");
	if ((f = described_family(p, name)) == NULL)
		return false;
	if (strcmp(line, "TYPE") == 0)
		return set_type(p, f, rest);
	if (strcmp(line, "UNIT") == 0)
		return set_unit(p, f, rest);
	if (strcmp(line, "HELP") != 0)
		return refuse(p, "neither TYPE, UNIT, HELP nor EOF");
	if (f->help != NULL)
		return refuse(p, "a family has two helps");
	f->help = rest;
	return unescape(rest) || refuse(p, "an escape that there is not");
}

/* ---- samples ---- */

/* Past the quote that ends the value which begins here; NULL: none does. */
static char *
end_of_value(char *at)
{
	for (; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			return at;
	}
	return NULL;
}

static bool
is_given(const struct parser *p, const struct exposition_sample *s,
    const char *name)
{
	for (size_t i = 0; i < s->n_labels; i++) {
		if (strcmp(p->e->labels[s->first_label + i].name, name) == 0)
			return true;
	}
	return false;
}

/* 'name="value"'. Returns what follows. */
static char *
take_label(struct parser *p, struct exposition_sample *s, char *at)
{
	struct exposition_label *label;
	char *equals = strchr(at, '='), *end;

	if (equals == NULL || equals[1] != '"' ||
	    (end = end_of_value(equals + 2)) == NULL) {
		refuse(p, "a label without a quoted value");
		return NULL;
	}
	*equals = *end = '\0';
	if (!is_name(at, false) || is_given(p, s, at) ||
	    !unescape(equals + 2)) {
		refuse(p, "a label that is not of the form, or twice there");
		return NULL;
	}
	label = grow(p, p->e->labels, p->e->n_labels, sizeof(*label));
	if (label == NULL)
		return NULL;
	p->e->labels = label;
	label[p->e->n_labels++] = (struct exposition_label){
		.name = at,
		.value = equals + 2,
	};
	s->n_labels++;
	return end + 1;
}

/* After the opening brace. Returns what follows the closing one. */
static char *
take_labels(struct parser *p, struct exposition_sample *s, char *at)
{
	if (*at == '}')
		return at + 1;
	while ((at = take_label(p, s, at)) != NULL) {
		if (*at == '}')
			return at + 1;
		if (*at++ != ',') {
			refuse(p, "labels without a comma between them");
			return NULL;
		}
	}
	return NULL;
}

static bool
is_any_of(const char *word, const char *const words[])
{
	for (; *words != NULL; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/* May a sample of that family end so? */
static bool
fits(const struct exposition_family *f, const char *name)
{
	static const char *const suffixes[N_EXPOSITION_TYPES][4] = {
		[EXPOSITION_UNKNOWN] = { "" },
		[EXPOSITION_GAUGE] = { "" },
		[EXPOSITION_COUNTER] = { "_total", "_created" },
		[EXPOSITION_INFO] = { "_info" },
		[EXPOSITION_HISTOGRAM] = { "_bucket", "_count", "_sum" },
	};
	const size_t n = strlen(f->name);

	return strncmp(name, f->name, n) == 0 &&
	    is_any_of(name + n, suffixes[f->type]);
}

static bool
judge_value(struct parser *p, const struct exposition_family *f,
    const struct exposition_sample *s)
{
	if (f->type == EXPOSITION_INFO && s->value != 1)
		return refuse(p, "an info that is not 1");
	if ((f->type == EXPOSITION_COUNTER ||
		f->type == EXPOSITION_HISTOGRAM) &&
	    !(s->value >= 0))
		return refuse(p, "a count below 0");
	return true;
}

static bool
has_same_labels(const struct exposition *e, const struct exposition_sample *a,
    const struct exposition_sample *b)
{
	if (a->n_labels != b->n_labels)
		return false;
	for (size_t i = 0; i < a->n_labels; i++) {
		const struct exposition_label *label =
		    &e->labels[a->first_label + i];
		const char *value = exposition_label(e, b, label->name);

		if (value == NULL || strcmp(value, label->value) != 0)
			return false;
	}
	return true;
}

/* Is it among those before it in its family? */
static bool
is_twice(const struct exposition *e, const struct exposition_family *f,
    const struct exposition_sample *s)
{
	for (size_t i = f->first_sample; i + 1 < e->n_samples; i++) {
		if (strcmp(e->samples[i].name, s->name) == 0 &&
		    has_same_labels(e, &e->samples[i], s))
			return true;
	}
	return false;
}

static bool
take_sample(struct parser *p, char *line)
{
	struct exposition *e = p->e;
	struct exposition_family *f = last_family(p);
	struct exposition_sample *s =
	    grow(p, e->samples, e->n_samples, sizeof(*s));
	char *at = line + strcspn(line, "{ ");
	const char first = *at;

	if (s == NULL)
		return false;
	e->samples = s;
	s += e->n_samples++;
	*s = (struct exposition_sample){
		.name = line,
		.first_label = e->n_labels,
	};
	if (first != '\0')
		*at++ = '\0';
	if (first == '{' && (at = take_labels(p, s, at)) == NULL)
		return false;
	if (first == '{' && *at++ != ' ')
		return refuse(p, "no blank behind the labels");
	if (f == NULL || !fits(f, line))
		return refuse(p, "a sample of no family, or of another one");
	s->text = at;
	if (!read_number(at, &s->value))
		return refuse(p, "not a number, or something behind it");
	f->n_samples++;
	if (is_twice(e, f, s))
		return refuse(p, "a sample that was there already");
	return judge_value(p, f, s);
}

/* ---- histograms ---- */

/* Buckets grow, in bound and in count, and the last is of all. */
static const char *
judge_histogram(const struct exposition *e, const struct exposition_family *f)
{
	double bound = -INFINITY, n = 0, next;

	for (size_t i = 0; i < f->n_samples; i++) {
		const struct exposition_sample *s =
		    &e->samples[f->first_sample + i];
		const char *le = exposition_label(e, s, "le");

		if (strcmp(s->name + strlen(f->name), "_count") == 0 &&
		    s->value != n)
			return "a histogram whose count is not its last bucket";
		if (strcmp(s->name + strlen(f->name), "_bucket") != 0)
			continue;
		if (le == NULL || !read_number(le, &next) || next <= bound ||
		    s->value < n)
			return "a histogram whose buckets do not grow";
		bound = next;
		n = s->value;
	}
	return isinf(bound) && bound > 0 ? NULL : "a histogram without an end";
}

/* ---- all ---- */

static bool
take_line(struct parser *p, char *line)
{
	if (line[0] == '\0')
		return refuse(p, "an empty line");
	if (line[0] != '#')
		return take_sample(p, line);
	if (line[1] != ' ')
		return refuse(p, "no blank behind #");
	return take_description(p, line + 2);
}

static bool
take_lines(struct parser *p, char *text, size_t length, size_t *line)
{
	for (char *end; (end = memchr(text, '\n', length)) != NULL;) {
		*end = '\0';
		++*line;
		length -= (size_t)(end + 1 - text);
		if (strlen(text) != (size_t)(end - text))
			return refuse(p, "a NUL byte");
		if (strcmp(text, "# EOF") == 0)
			return length == 0 ||
			    refuse(p, "something behind the end");
		if (!take_line(p, text))
			return false;
		text = end + 1;
	}
	++*line;
	return refuse(p, "no # EOF: it is not complete");
}

static bool
judge_families(struct parser *p)
{
	const struct exposition *e = p->e;

	for (size_t i = 0; i < e->n_families; i++) {
		const struct exposition_family *f = &e->families[i];

		if (f->type == EXPOSITION_HISTOGRAM && f->n_samples > 0)
			p->wrong = judge_histogram(e, f);
		if (p->wrong != NULL)
			return false;
	}
	return true;
}

int
exposition_parse(struct exposition *e, char *text, size_t length,
    struct exposition_trouble *trouble)
{
	struct parser p = { .e = e };

	*e = (struct exposition){ .n_families = 0 };
	*trouble = (struct exposition_trouble){ .line = 0 };
	if (take_lines(&p, text, length, &trouble->line)) {
		trouble->line = 0;
		if (judge_families(&p))
			return 0;
	}
	trouble->what = p.wrong;
	exposition_fini(e);
	return p.wrong == no_memory ? -ENOMEM : -EBADMSG;
}

void
exposition_fini(struct exposition *e)
{
	free(e->families);
	free(e->samples);
	free(e->labels);
	*e = (struct exposition){ .n_families = 0 };
}

const char *
exposition_label(const struct exposition *e,
    const struct exposition_sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->n_labels; i++) {
		const struct exposition_label *label =
		    &e->labels[sample->first_label + i];

		if (strcmp(label->name, name) == 0)
			return label->value;
	}
	return NULL;
}
