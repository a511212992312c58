/* SPDX-License-Identifier: ISC */
/*
 * Durations, sizes and counts between text and numbers. Pure. Fractions of a
 * duration are computed in integers, digit by digit, so that "0.1" is exactly
 * 100 ms and the locale cannot change what a dot means.
 */
#include <uxsrv/units.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Largest first, for printing. */
static const struct {
	const char *name;
	int64_t ns;
} duration_units[] = {
	{ "h", 3600 * UXS_NS_PER_S },
	{ "m", 60 * UXS_NS_PER_S },
	{ "s", UXS_NS_PER_S },
	{ "ms", UXS_NS_PER_MS },
	{ "us", UXS_NS_PER_US },
	{ "ns", 1 },
};

#define N_DURATION_UNITS (sizeof(duration_units) / sizeof(duration_units[0]))

static int64_t
unit_of(const char *name)
{
	if (name[0] == '\0')
		return UXS_NS_PER_S;
	for (size_t i = 0; i < N_DURATION_UNITS; i++) {
		if (strcmp(name, duration_units[i].name) == 0)
			return duration_units[i].ns;
	}
	return -1;
}

/* Add digits * unit / 10^n for the digits behind the dot. */
static int64_t
fraction_ns(const char *digits, size_t n, int64_t unit_ns)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n && unit_ns >= 10; i++) {
		unit_ns /= 10;
		sum += (digits[i] - '0') * unit_ns;
	}
	return sum;
}

int
uxs_duration_parse(const char *text, int64_t min_ns, int64_t max_ns,
    int64_t *value_ns)
{
	const size_t n_whole = strspn(text, "0123456789");
	const char *rest = text + n_whole;
	const char *fraction = rest[0] == '.' ? rest + 1 : rest;
	const size_t n_fraction =
	    rest[0] == '.' ? strspn(fraction, "0123456789") : 0;
	const int64_t unit_ns = unit_of(fraction + n_fraction);
	int64_t whole, value;

	if (unit_ns < 0 || n_whole + n_fraction == 0)
		return -EINVAL;
	errno = 0;
	whole = n_whole > 0 ? strtoll(text, NULL, 10) : 0;
	if (errno != 0 || __builtin_mul_overflow(whole, unit_ns, &value) ||
	    __builtin_add_overflow(value,
		fraction_ns(fraction, n_fraction, unit_ns), &value))
		return -ERANGE;
	if (value < min_ns || value > max_ns)
		return -ERANGE;
	*value_ns = value;
	return 0;
}

/* The power of 1024 that a letter stands for, or -1. */
static int
power_of(const char *unit)
{
	static const char letters[] = "kmgt";
	const char *at;

	if (unit[0] == '\0')
		return 0;
	at = strchr(letters, tolower((unsigned char)unit[0]));
	return at != NULL && unit[1] == '\0' ? (int)(at - letters) + 1 : -1;
}

/* Not expand_number(3): that of libbsd 0.11 takes "0x10", "010" and "1kk". */
int
uxs_size_parse(const char *text, size_t min_bytes, size_t max_bytes,
    size_t *value_bytes)
{
	const size_t n_digits = strspn(text, "0123456789");
	const int power = power_of(text + n_digits);
	size_t value;

	if (n_digits == 0 || power < 0)
		return -EINVAL;
	errno = 0;
	value = strtoul(text, NULL, 10);
	if (errno != 0 ||
	    __builtin_mul_overflow(value, (size_t)1 << (10 * power), &value))
		return -ERANGE;
	if (value < min_bytes || value > max_bytes)
		return -ERANGE;
	*value_bytes = value;
	return 0;
}

/* Not strtonum(3) alone: it takes blanks and a plus sign, and that of libbsd
 * 0.11 leaves errno the same for too large and for no number at all. */
int
uxs_count_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	const char *objection;
	long long number;

	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return -EINVAL;
	number = strtonum(text, min, max, &objection);
	if (objection != NULL)
		return -ERANGE;
	*value = number;
	return 0;
}

char *
uxs_duration_print(int64_t value_ns, char text[UXS_UNITS_TEXT_MAX])
{
	size_t i = 0;

	if (value_ns == 0)
		return strcpy(text, "0");
	while (value_ns % duration_units[i].ns != 0)
		i++;
	snprintf(text, UXS_UNITS_TEXT_MAX, "%" PRId64 "%s",
	    value_ns / duration_units[i].ns, duration_units[i].name);
	return text;
}

char *
uxs_size_print(size_t value_bytes, char text[UXS_UNITS_TEXT_MAX])
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	size_t i = 0;

	while (value_bytes != 0 && value_bytes % 1024 == 0 && i < 4) {
		value_bytes /= 1024;
		i++;
	}
	snprintf(text, UXS_UNITS_TEXT_MAX, "%zu%s", value_bytes, units[i]);
	return text;
}
