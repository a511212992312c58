/* SPDX-License-Identifier: ISC */
/* What --fault says, and says again; see fault.h. */
#include "fault.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

#define DELAY_MAX (3600 * UXS_NS_PER_S)
#define DECIMALS 6
#define PART_MAX 64 /* "corrupt=0.000001%" */

enum kind { IS_DELAY, IS_JITTER, IS_SEED, IS_RATE };

static const struct key {
	const char *name;
	enum kind kind;
	enum uxs_fault fault;
} keys[] = {
	{ "delay", IS_DELAY, UXS_FAULT_DELAY },
	{ "jitter", IS_JITTER, UXS_FAULT_DELAY },
	{ "drop", IS_RATE, UXS_FAULT_DROP },
	{ "corrupt", IS_RATE, UXS_FAULT_CORRUPT },
	{ "short", IS_RATE, UXS_FAULT_SHORT },
	{ "close", IS_RATE, UXS_FAULT_CLOSE },
	{ "stall", IS_RATE, UXS_FAULT_STALL },
	{ "reset", IS_RATE, UXS_FAULT_RESET },
	{ "seed", IS_SEED, UXS_N_FAULTS },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

/* ---- reading ---- */

/* "1%", "0.1%": the sign is asked for, since a bare 1 might be a half of all
 * people's 100%. */
static bool
parse_rate(const char *text, uint32_t *rate)
{
	uint32_t value = 0, unit = FAULT_ALWAYS / 100;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		if ((value = value * 10 + (uint32_t)(*text - '0')) > 100)
			return false;
	}
	value *= unit;
	if (*text == '.') {
		if (!isdigit((unsigned char)*++text))
			return false;
		for (; isdigit((unsigned char)*text); text++) {
			if ((unit /= 10) == 0)
				return false;
			value += unit * (uint32_t)(*text - '0');
		}
	}
	*rate = value;
	return strcmp(text, "%") == 0 && value <= FAULT_ALWAYS;
}

/* Returns what is wrong with the value, or NULL. */
static const char *
set(struct fault *f, const struct key *key, const char *value)
{
	int64_t seed;

	switch (key->kind) {
	case IS_DELAY:
	case IS_JITTER:
		if (uxs_duration_parse(value, 0, DELAY_MAX,
			key->kind == IS_DELAY ? &f->delay_ns : &f->jitter_ns) ==
		    0)
			return NULL;
		return "is a duration of up to an hour; write it like 250us, "
		       "10ms or 5s";
	case IS_SEED:
		if (uxs_count_parse(value, 0, INT64_MAX, &seed) < 0)
			return "is a number from 0 to 9223372036854775807";
		f->seed = (uint64_t)seed;
		f->has_seed = true;
		return NULL;
	case IS_RATE:
		if (parse_rate(value, &f->rates[key->fault]))
			return NULL;
		return "is a percentage from 0% to 100%, with up to six "
		       "decimals; write it like 1% or 0.1%";
	}
	return NULL;
}

static const struct key *
find_key(const char *part, size_t length)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strlen(keys[i].name) == length &&
		    memcmp(keys[i].name, part, length) == 0)
			return &keys[i];
	}
	return NULL;
}

static int
refuse(struct uxs_error *why, const char *part, const char *objection,
    const char *name)
{
	char shown[2 * PART_MAX];

	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
	    "--fault: '%s': %s%s%s",
	    uxs_escape(shown, sizeof(shown), part, strlen(part)), name,
	    name[0] != '\0' ? " " : "", objection);
}

static int
take_part(struct fault *f, const char *part, uint32_t *seen,
    struct uxs_error *why)
{
	const size_t n = strcspn(part, "=");
	const struct key *key = find_key(part, n);
	const char *objection;

	if (key == NULL)
		return refuse(why, part,
		    "not a fault; write delay=, jitter=, drop=, corrupt=, "
		    "short=, close=, stall=, reset= or seed=",
		    "");
	if (part[n] == '\0')
		return refuse(why, part,
		    "needs a value; write it behind a =", key->name);
	if ((*seen & 1U << (key - keys)) != 0)
		return refuse(why, part, "is given twice; leave one out",
		    key->name);
	*seen |= 1U << (key - keys);
	objection = set(f, key, part + n + 1);
	return objection == NULL ? 0 : refuse(why, part, objection, key->name);
}

int
fault_parse(struct fault *f, const char *spec, struct uxs_error *why)
{
	const uint32_t seed_alone = 1U << (N_KEYS - 1);
	uint32_t seen = 0;
	char part[PART_MAX];
	int r;

	*f = (struct fault){ .is_wanted = true };
	for (;;) {
		const size_t n = strcspn(spec, ",");

		snprintf(part, sizeof(part), "%.*s", (int)n, spec);
		if (n >= sizeof(part))
			return refuse(why, part, "is too long", "");
		if ((r = take_part(f, part, &seen, why)) < 0)
			return r;
		if (spec[n] == '\0')
			break;
		spec += n + 1;
	}
	return seen != seed_alone ?
	    0 :
	    refuse(why, part, "alone does nothing; add one such as drop=1%",
		"seed");
}

/* ---- writing ---- */

/* In as few decimals as say it. */
static void
print_rate(char text[UXS_UNITS_TEXT_MAX], uint32_t rate)
{
	size_t n = (size_t)snprintf(text, UXS_UNITS_TEXT_MAX,
	    "%" PRIu32 ".%06" PRIu32, rate / (FAULT_ALWAYS / 100),
	    rate % (FAULT_ALWAYS / 100));

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	strlcpy(text + n, "%", UXS_UNITS_TEXT_MAX - n);
}

/* false: it says nothing. */
static bool
print_value(const struct fault *f, const struct key *key,
    char text[UXS_UNITS_TEXT_MAX])
{
	const int64_t ns = key->kind == IS_DELAY ? f->delay_ns : f->jitter_ns;

	switch (key->kind) {
	case IS_DELAY:
	case IS_JITTER:
		uxs_duration_print(ns, text);
		return ns > 0;
	case IS_SEED:
		snprintf(text, UXS_UNITS_TEXT_MAX, "%" PRIu64, f->seed);
		return f->has_seed;
	case IS_RATE:
		print_rate(text, f->rates[key->fault]);
		return f->rates[key->fault] > 0;
	}
	return false;
}

char *
fault_print(const struct fault *f, char text[FAULT_TEXT_MAX])
{
	char value[UXS_UNITS_TEXT_MAX];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < N_KEYS && n < FAULT_TEXT_MAX; i++) {
		if (print_value(f, &keys[i], value))
			n += (size_t)snprintf(text + n, FAULT_TEXT_MAX - n,
			    "%s%s=%s", n > 0 ? "," : "", keys[i].name, value);
	}
	return text;
}
