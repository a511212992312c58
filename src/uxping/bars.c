/* SPDX-License-Identifier: ISC */
#include "bars.h"

#include <inttypes.h>
#include <math.h>

#include "figures.h"
#include "histogram.h"

#define WIDTH 40 /* of the longest bar, in columns */

/* Rows that are narrower than this would show the histogram's own buckets. */
#define RATIO_MIN 1.02

/* Bounds of the rows: equal ratios from low to high. Returns how many. */
static int
lay_out(double low, double high, struct bars_row rows[BARS_ROWS_MAX])
{
	const double span = log(high / low);
	int n = (int)ceil(span / log(RATIO_MIN));

	if (n > BARS_ROWS_MAX - 1)
		n = BARS_ROWS_MAX - 1;
	if (n < 1)
		n = 1;
	for (int i = 0; i < n; i++) {
		rows[i].high_ns =
		    (int64_t)ceil(low * exp(span * (i + 1) / n) - 1e-6);
		rows[i].n = 0;
	}
	return n;
}

int
bars_sort(const struct histogram *h, struct bars_row rows[BARS_ROWS_MAX])
{
	struct histogram_bucket bucket;
	int64_t high_ns = h->max_ns;
	size_t position = 0;
	int n, i = 0;

	if (h->n == 0)
		return 0;
	histogram_percentile(h, 999000, &high_ns);
	n = lay_out((double)(h->min_ns > 0 ? h->min_ns : 1),
	    (double)(high_ns > 0 ? high_ns : 1), rows);
	rows[n] = (struct bars_row){ .high_ns = INT64_MAX };
	while (histogram_next(h, &position, &bucket)) {
		/* By its lower end: that of the first one may be below the
		 * minimum, that of the last is never above the maximum. */
		while (bucket.low_ns > rows[i].high_ns)
			i++;
		rows[i].n += bucket.n;
	}
	return rows[n].n > 0 ? n + 1 : n;
}

static void
print_bar(double columns, const struct bars_style *style, FILE *out)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊",
		"▉" };
	int parts = (int)lround(columns * 8);

	/* Something is never shown as nothing. */
	if (columns > 0 && parts == 0)
		parts = 1;
	if (!style->is_utf8) {
		for (parts = (parts + 7) / 8; parts > 0; parts--)
			putc('#', out);
		return;
	}
	for (; parts >= 8; parts -= 8)
		fputs("█", out);
	fputs(eighths[parts], out);
}

static int
bar_columns(double columns)
{
	const int parts = (int)lround(columns * 8);

	return (parts == 0 && columns > 0 ? 8 : parts + 7) / 8;
}

static void
print_row(const struct bars_row *row, int64_t last_ns, double columns,
    uint64_t total, const struct bars_style *style, FILE *out)
{
	char bound[FIGURES_TEXT_MAX];

	if (row->high_ns == INT64_MAX)
		fprintf(out, "  over %9s  ", figures_time(last_ns, bound));
	else
		fprintf(out, "  to   %9s  ", figures_time(row->high_ns, bound));
	if (style->has_color)
		fputs("\033[36m", out);
	print_bar(columns, style, out);
	if (style->has_color)
		fputs("\033[0m", out);
	fprintf(out, "%*s %10" PRIu64 " %5.1f%%\n",
	    WIDTH - bar_columns(columns), "", row->n,
	    100.0 * (double)row->n / (double)total);
}

void
bars_print(const struct histogram *h, const struct bars_style *style, FILE *out)
{
	struct bars_row rows[BARS_ROWS_MAX];
	const int n = bars_sort(h, rows);
	uint64_t largest = 1;

	for (int i = 0; i < n; i++) {
		if (rows[i].n > largest)
			largest = rows[i].n;
	}
	for (int i = 0; i < n; i++)
		print_row(&rows[i], i > 0 ? rows[i - 1].high_ns : 0,
		    WIDTH * (double)rows[i].n / (double)largest, h->n, style,
		    out);
}
