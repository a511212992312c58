/* SPDX-License-Identifier: ISC */
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "workloads.h"

#define WIDTH 860.0
#define LEFT 200.0
#define RIGHT 760.0 /* beyond it stand the figures */
#define TOP 96.0
#define ROW 27.0
#define BELOW 62.0 /* the axis and its name */

#define ROWS_MAX 64

struct row {
	const char *title;
	bool is_ours;
	struct quartiles ratio;
};

struct plot {
	FILE *out;
	struct row rows[ROWS_MAX];
	size_t n;
	double low, high; /* ends of the scale */
	double bottom; /* of the rows */
};

static const char style[] =
    "<style>\n"
    "svg { font-family: system-ui, sans-serif; font-size: 13px; }\n"
    ".back { fill: #fff; } text { fill: #333; }\n"
    ".title { font-size: 18px; font-weight: 600; fill: #111; }\n"
    ".grid { stroke: #ddd; } .one { stroke: #777; stroke-dasharray: 4 3; }\n"
    ".peer { color: #78838c; } .ours { color: #1565c0; }\n"
    "text.ours { fill: #1565c0; font-weight: 600; }\n"
    ".whisker { stroke: currentColor; stroke-width: 3; opacity: .55; }\n"
    ".dot { fill: currentColor; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    ".back { fill: #14171a; } text { fill: #c9d1d9; } .title { fill: #f0f3f6; "
    "}\n"
    ".grid { stroke: #30363d; } .one { stroke: #8b949e; }\n"
    ".peer { color: #97a1ab; } .ours { color: #64b5f6; }\n"
    "text.ours { fill: #64b5f6; }\n"
    "}\n"
    "</style>\n";

/* ---- what is drawn ---- */

static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->ratio.median > y->ratio.median) -
	    (x->ratio.median < y->ratio.median);
}

static void
collect(struct plot *plot, const struct results *results, size_t workload)
{
	const size_t base = workload_yardstick(&workloads[workload]);

	for (size_t i = 0; i < n_subjects && plot->n < ROWS_MAX; i++) {
		const struct row row = {
			.title = subjects[i].title,
			.is_ours = strcmp(subjects[i].name, "uxecho") == 0,
			.ratio = results_ratio(results, workload, i, base,
			    METRIC_CPU),
		};

		if (row.ratio.n > 0 && row.ratio.low > 0)
			plot->rows[plot->n++] = row;
	}
	qsort(plot->rows, plot->n, sizeof(plot->rows[0]), compare_rows);
}

static void
lay_out(struct plot *plot)
{
	plot->low = 0.8;
	plot->high = 2;
	for (size_t i = 0; i < plot->n; i++) {
		plot->low = fmin(plot->low, plot->rows[i].ratio.low);
		plot->high = fmax(plot->high, plot->rows[i].ratio.high * 1.05);
	}
	plot->bottom = TOP + ROW * (double)plot->n;
}

static double
x_of(const struct plot *plot, double ratio)
{
	return LEFT +
	    (RIGHT - LEFT) * log(ratio / plot->low) /
	    log(plot->high / plot->low);
}

/* ---- drawing ---- */

/* All text is our own tables' or the machine's: nothing but ASCII. */
static void
put_text(FILE *out, double x, double y, const char *attributes,
    const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	for (; *text != '\0'; text++) {
		if (strchr("&<>\"", *text) != NULL)
			fprintf(out, "&#%d;", *text);
		else
			putc(*text >= 0x20 && *text < 0x7f ? *text : '?', out);
	}
	fputs("</text>\n", out);
}

static void
put_axis(const struct plot *plot)
{
	static const double ticks[] = { 0.5, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30,
		50, 100 };
	char text[16];

	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		const double x = x_of(plot, ticks[i]);

		if (ticks[i] < plot->low || ticks[i] > plot->high)
			continue;
		fprintf(plot->out,
		    "<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/>\n",
		    ticks[i] == 1 ? "one" : "grid", x, TOP - 8, plot->bottom);
		snprintf(text, sizeof(text), "%g", ticks[i]);
		put_text(plot->out, x, plot->bottom + 18,
		    "text-anchor=\"middle\"", text);
	}
	put_text(plot->out, (LEFT + RIGHT) / 2, plot->bottom + 42,
	    "text-anchor=\"middle\"",
	    "processor time of the server per message, bare epoll loop = 1 "
	    "(log scale)");
}

static void
put_row(const struct plot *plot, size_t i)
{
	const struct row *row = &plot->rows[i];
	const double y = TOP + ROW * ((double)i + 0.5);
	const char *class = row->is_ours ? "ours" : "peer";
	char attributes[64], text[16];

	snprintf(attributes, sizeof(attributes),
	    "text-anchor=\"end\" class=\"%s\"", class);
	put_text(plot->out, LEFT - 14, y + 4.5, attributes, row->title);
	fprintf(plot->out,
	    "<g class=\"%s\"><path class=\"whisker\" d=\"M%.1f %.1fH%.1f\"/>"
	    "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/></g>\n",
	    class, x_of(plot, row->ratio.low), y, x_of(plot, row->ratio.high),
	    x_of(plot, row->ratio.median), y);
	snprintf(attributes, sizeof(attributes), "class=\"%s\"", class);
	snprintf(text, sizeof(text),
	    row->ratio.median < 9.995 ? "%.2f" : "%.1f", row->ratio.median);
	put_text(plot->out, RIGHT + 22, y + 4.5, attributes, text);
}

static void
put_title(const struct plot *plot, const struct head *head, size_t workload)
{
	char text[3 * HEAD_TEXT_MAX];

	snprintf(text, sizeof(text), "What a message costs the server: %s",
	    workloads[workload].title);
	put_text(plot->out, 24, 34, "class=\"title\"", text);
	snprintf(text, sizeof(text),
	    "%s, %s, %.10s; median and quartiles of %zu rounds of %.3g s",
	    head->machine, head->kernel, head->date, head->n_rounds,
	    (double)head->duration_ns / 1e9);
	put_text(plot->out, 24, 57, "", text);
}

int
picture_write(FILE *out, const struct head *head, const struct results *results,
    size_t workload)
{
	struct plot plot = { .out = out };

	collect(&plot, results, workload);
	if (plot.n == 0)
		return 1;
	lay_out(&plot);
	fprintf(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n"
	    "<title>What a message costs each server</title>\n",
	    WIDTH, plot.bottom + BELOW);
	fputs(style, out);
	fputs("<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n", out);
	put_title(&plot, head, workload);
	put_axis(&plot);
	for (size_t i = 0; i < plot.n; i++)
		put_row(&plot, i);
	fputs("</svg>\n", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
