/* SPDX-License-Identifier: ISC */
/*
 * The percentile curve. Across runs the share of messages, on a scale on which
 * 90, 99 and 99.9% are equally far apart; upwards runs the time, on a
 * logarithmic one.
 */
#include "svg.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "figures.h"
#include "histogram.h"

#define WIDTH 860
#define HEIGHT 480 /* without the legend */
#define LEGEND_LINE 20
#define LEFT 84.0
#define RIGHT 830.0
#define TOP 92.0
#define BOTTOM 410.0

/* Points that are nearer to each other than this, in pixels, are left out. */
#define NEAR 0.7

struct plot {
	FILE *out;
	double nines; /* the right end: 3 is 99.9% */
	double low_ns, high_ns;
	size_t n; /* series */
};

/* Text grey enough on white and on black; series in colours of about equal
 * weight, a lighter set for the dark. */
static const char head[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
    "role=\"img\">\n"
    "<style>\n"
    "svg { font-family: system-ui, sans-serif; font-size: 13px; }\n"
    ".back { fill: #fff; } text { fill: #333; } .title { font-size: 18px; "
    "font-weight: 600; fill: #111; }\n"
    ".grid { stroke: #ddd; } .axis { stroke: #777; } .grid, .axis { "
    "stroke-width: 1; fill: none; }\n"
    ".curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; "
    "stroke: currentColor; }\n"
    ".dot { fill: currentColor; } .mark { font-weight: 600; }\n"
    ".s0 { color: #1565c0; } .s1 { color: #c62828; } .s2 { color: #2e7d32; } "
    ".s3 { color: #7b1fa2; }\n"
    ".s4 { color: #b26a00; } .s5 { color: #00838f; } .s6 { color: #6d4c41; } "
    ".s7 { color: #ad1457; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    ".back { fill: #14171a; } text { fill: #c9d1d9; } .title { fill: #f0f3f6; "
    "}\n"
    ".grid { stroke: #30363d; } .axis { stroke: #8b949e; }\n"
    ".s0 { color: #64b5f6; } .s1 { color: #ef7d7d; } .s2 { color: #81c784; } "
    ".s3 { color: #ce93d8; }\n"
    ".s4 { color: #ffb74d; } .s5 { color: #4dd0e1; } .s6 { color: #bcaaa4; } "
    ".s7 { color: #f48fb1; }\n"
    "}\n"
    "</style>\n"
    "<rect class=\"back\" width=\"100%%\" height=\"100%%\"/>\n";

static void
put_text(FILE *out, const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else /* what is not printable ASCII may be no XML either */
			putc(*s >= 0x20 && *s < 0x7f ? *s : '?', out);
	}
}

static void
put_label(FILE *out, double x, double y, const char *attributes,
    const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	put_text(out, text);
	fputs("</text>\n", out);
}

/* ---- where things are ---- */

static double
x_of(const struct plot *plot, double nines)
{
	return LEFT + (RIGHT - LEFT) * nines / plot->nines;
}

static double
y_of(const struct plot *plot, double ns)
{
	const double span = log(plot->high_ns / plot->low_ns);

	return BOTTOM - (BOTTOM - TOP) * log(ns / plot->low_ns) / span;
}

/* 1, 2 or 5 times a power of ten, at or below ns (above: at or above). */
static double
round_bound(double ns, bool is_above)
{
	static const double steps[] = { 1, 2, 5, 10 };
	const double decade = pow(10, floor(log10(ns)));
	double bound = decade;

	for (int i = 0; i < 4; i++) {
		if (is_above && steps[i] * decade >= ns * (1 - 1e-9))
			return steps[i] * decade;
		if (!is_above && steps[i] * decade <= ns * (1 + 1e-9))
			bound = steps[i] * decade;
	}
	return is_above ? 10 * decade : bound;
}

static void
lay_out(struct plot *plot, const struct svg_series *series, size_t n)
{
	double low = 0, high = 0, most = 0;

	for (size_t i = 0; i < n; i++) {
		const struct histogram *h = series[i].histogram;

		if (h->n == 0)
			continue;
		if (low == 0 || (double)h->min_ns < low)
			low = fmax((double)h->min_ns, 1);
		high = fmax(high, (double)h->max_ns);
		most = fmax(most, (double)h->n);
	}
	plot->low_ns = round_bound(low > 0 ? low : 1000, false);
	plot->high_ns = round_bound(high > 0 ? high : 10000, true);
	/* A flat curve needs some height to lie in. */
	if (plot->high_ns < 2 * plot->low_ns)
		plot->high_ns = round_bound(2 * plot->low_ns, true);
	plot->nines = fmin(fmax(log10(fmax(most, 1)), 1), 7);
}

/* ---- the frame ---- */

static void
put_time_axis(const struct plot *plot)
{
	static const double steps[] = { 1, 2, 5 };
	/* Over many decades only the powers of ten. */
	const int per_decade = plot->high_ns / plot->low_ns > 2e4 ? 1 : 3;
	char text[FIGURES_TEXT_MAX];

	for (int decade = 0; pow(10, decade) <= plot->high_ns; decade++) {
		for (int i = 0; i < per_decade; i++) {
			const double ns = pow(10, decade) * steps[i];
			const double y = y_of(plot, ns);

			if (ns < plot->low_ns * 0.999 ||
			    ns > plot->high_ns * 1.001)
				continue;
			fprintf(plot->out,
			    "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n",
			    LEFT, y, RIGHT);
			put_label(plot->out, LEFT - 8, y + 4.5,
			    "text-anchor=\"end\"",
			    figures_round_time((int64_t)ns, text));
		}
	}
}

static void
put_share_axis(const struct plot *plot)
{
	static const struct {
		const char *name;
		double above; /* the share that is slower */
	} ticks[] = {
		{ "0%", 1 },
		{ "50%", 0.5 },
		{ "90%", 0.1 },
		{ "99%", 0.01 },
		{ "99.9%", 0.001 },
		{ "99.99%", 0.0001 },
		{ "99.999%", 0.00001 },
		{ "99.9999%", 0.000001 },
	};

	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		const double nines = -log10(ticks[i].above);
		const double x = x_of(plot, nines);

		if (nines > plot->nines + 1e-9)
			break;
		fprintf(plot->out,
		    "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>\n", x, TOP,
		    BOTTOM);
		put_label(plot->out, x, BOTTOM + 20, "text-anchor=\"middle\"",
		    ticks[i].name);
	}
}

static void
put_frame(const struct plot *plot, const char *title, const char *subtitle)
{
	FILE *out = plot->out;

	const int legend = plot->n > 1 ? LEGEND_LINE * (int)plot->n : 0;

	fprintf(out, head, WIDTH, HEIGHT + legend);
	fputs("<title>", out);
	put_text(out, title);
	fputs("</title>\n", out);
	put_label(out, LEFT, 32, "class=\"title\"", title);
	put_label(out, LEFT, 53, "", subtitle);
	put_time_axis(plot);
	put_share_axis(plot);
	fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n",
	    LEFT, TOP, BOTTOM, RIGHT);
	put_label(out, (LEFT + RIGHT) / 2, HEIGHT - 22,
	    "text-anchor=\"middle\"",
	    "share of the messages that took at most this long");
	fprintf(out,
	    "<text transform=\"translate(20 %.1f) rotate(-90)\" "
	    "text-anchor=\"middle\">latency (log scale)</text>\n",
	    (TOP + BOTTOM) / 2);
}

/* ---- the curves ---- */

static void
put_curve(const struct plot *plot, const struct histogram *h, size_t color)
{
	struct histogram_bucket bucket;
	uint64_t below = 0;
	size_t position = 0;
	double last_x = -1;

	fprintf(plot->out, "<path class=\"curve s%zu\" d=\"M", color);
	while (histogram_next(h, &position, &bucket)) {
		/* From a share of 0 on, so the first time is at the left; the
		 * last one is where all but one message are below. */
		const double above = (double)(h->n - below) / (double)h->n;
		const double x = x_of(plot, fmin(-log10(above), plot->nines));
		const double ns =
		    fmin(fmax((double)bucket.low_ns, (double)h->min_ns),
			(double)h->max_ns);

		below += bucket.n;
		if (x - last_x < NEAR && below < h->n)
			continue;
		fprintf(plot->out, "%s%.1f %.1f", last_x < 0 ? "" : "L", x,
		    y_of(plot, fmax(ns, plot->low_ns)));
		last_x = x;
	}
	fprintf(plot->out, "L%.1f %.1f\"/>\n",
	    x_of(plot, fmin(log10((double)h->n), plot->nines)),
	    y_of(plot, (double)h->max_ns));
}

/* The percentiles that people ask for, with their times. */
static void
put_marks(const struct plot *plot, const struct histogram *h)
{
	static const uint32_t ppms[] = { 500000, 900000, 990000, 999000 };
	char text[FIGURES_TEXT_MAX];
	int64_t ns;

	for (size_t i = 0; i < sizeof(ppms) / sizeof(ppms[0]); i++) {
		const double above = 1 - (double)ppms[i] / HISTOGRAM_PPM;
		const double x = x_of(plot, -log10(above));
		double y;

		if (!histogram_percentile(h, ppms[i], &ns))
			break;
		y = y_of(plot, (double)ns);
		fprintf(plot->out,
		    "<circle class=\"dot s0\" cx=\"%.1f\" cy=\"%.1f\" "
		    "r=\"4\"/>\n",
		    x, y);
		/* The curve only rises: below and to the right is free, unless
		 * the axis is there. */
		put_label(plot->out, x + 5, y + 20 < BOTTOM ? y + 20 : y - 9,
		    "class=\"mark\"", figures_time(ns, text));
	}
}

static void
put_legend(const struct plot *plot, const struct svg_series *series, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const double y = HEIGHT - 4 + LEGEND_LINE * (double)i;

		fprintf(plot->out,
		    "<path class=\"curve s%zu\" d=\"M%.1f %.1fh22\"/>\n", i,
		    LEFT, y);
		put_label(plot->out, LEFT + 30, y + 4.5, "", series[i].name);
	}
}

int
svg_write(FILE *out, const char *title, const char *subtitle,
    const struct svg_series *series, size_t n)
{
	struct plot plot = { .out = out };

	if (n > SVG_SERIES_MAX)
		n = SVG_SERIES_MAX;
	plot.n = n;
	lay_out(&plot, series, n);
	put_frame(&plot, title, subtitle);
	for (size_t i = 0; i < n; i++) {
		if (series[i].histogram->n > 0)
			put_curve(&plot, series[i].histogram, i);
	}
	if (n == 1)
		put_marks(&plot, series[0].histogram);
	else
		put_legend(&plot, series, n);
	fputs("</svg>\n", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
