/* SPDX-License-Identifier: ISC */
#include "figures.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* Three digits: 1.23, 12.3, 123. */
static void
put_digits(double value, const char *unit, char text[FIGURES_TEXT_MAX])
{
	const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, FIGURES_TEXT_MAX, "%.*f%s", decimals, value, unit);
}

static char *
put_scaled(double value, const char *const units[], size_t n,
    char text[FIGURES_TEXT_MAX])
{
	size_t i = 0;

	while (i + 1 < n && value >= 999.5) {
		value /= 1000;
		i++;
	}
	put_digits(value, units[i], text);
	return text;
}

char *
figures_time(int64_t ns, char text[FIGURES_TEXT_MAX])
{
	static const char *const units[] = { " us", " ms", " s" };

	if (ns < 1000) {
		snprintf(text, FIGURES_TEXT_MAX, "%d ns", (int)ns);
		return text;
	}
	return put_scaled((double)ns / 1e3, units, 3, text);
}

char *
figures_round_time(int64_t ns, char text[FIGURES_TEXT_MAX])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t i = 0;

	while (i < 3 && ns >= 1000 && ns % 1000 == 0) {
		ns /= 1000;
		i++;
	}
	snprintf(text, FIGURES_TEXT_MAX, "%" PRId64 " %s", ns, units[i]);
	return text;
}

char *
figures_count(double n, char text[FIGURES_TEXT_MAX])
{
	static const char *const units[] = { "", " k", " M", " G" };

	if (n < 9999.5) {
		snprintf(text, FIGURES_TEXT_MAX, "%.*f", n < 99.95 ? 1 : 0, n);
		return text;
	}
	return put_scaled(n, units, 4, text);
}

char *
figures_bytes_per_s(double bytes_per_s, char text[FIGURES_TEXT_MAX])
{
	static const char *const units[] = { " B/s", " kB/s", " MB/s", " GB/s",
		" TB/s" };

	return put_scaled(bytes_per_s, units, 5, text);
}
