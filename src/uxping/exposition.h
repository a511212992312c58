/* SPDX-License-Identifier: ISC */
#ifndef UXPING_EXPOSITION_H
#define UXPING_EXPOSITION_H

#include <stddef.h>

/*
 * Figures as OpenMetrics 1.0 text, read as strictly as that is written: what
 * is not of the form is refused, with its line. Pure. Time stamps and
 * exemplars, which figures of now have no use for, are refused too.
 *
 *	struct exposition e;
 *	struct exposition_trouble trouble;
 *
 *	if (exposition_parse(&e, text, length, &trouble) < 0)
 *		... trouble.line, trouble.what ...
 *	exposition_fini(&e);
 */

enum exposition_type {
	EXPOSITION_UNKNOWN,
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER,
	EXPOSITION_INFO,
	EXPOSITION_HISTOGRAM,
	N_EXPOSITION_TYPES
};

struct exposition_label {
	const char *name, *value; /* NUL-terminated, without escapes */
};

struct exposition_sample {
	const char *name; /* with its suffix */
	size_t first_label, n_labels; /* among all labels */
	const char *text; /* of the value, as written */
	double value;
};

struct exposition_family {
	const char *name;
	enum exposition_type type;
	const char *unit, *help; /* NULL: not told */
	size_t first_sample, n_samples; /* among all samples */
};

/* All text in it points into the text that was read. */
struct exposition {
	struct exposition_family *families;
	struct exposition_sample *samples;
	struct exposition_label *labels;
	size_t n_families, n_samples, n_labels;
};

struct exposition_trouble {
	size_t line; /* from 1; 0: of no line */
	const char *what; /* a clause */
};

/*
 * Read text, of length bytes, which is written to, and borrowed until fini.
 * Returns 0, or a negative errno (-EBADMSG, -ENOMEM) with *trouble; then there
 * is nothing to be freed.
 */
int exposition_parse(struct exposition *exposition, char *text, size_t length,
    struct exposition_trouble *trouble);

/* May be called twice. */
void exposition_fini(struct exposition *exposition);

/* The value of that label of a sample; NULL: it has none. */
const char *exposition_label(const struct exposition *exposition,
    const struct exposition_sample *sample, const char *name);

#endif
