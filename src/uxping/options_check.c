/* SPDX-License-Identifier: ISC */
/*
 * Which options make sense together. Nothing is accepted and then ignored: who
 * writes an option means something by it. Pure.
 */
#include "options.h"

#include <stdarg.h>
#include <string.h>

static int refuse(char why[OPTIONS_WHY_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(char why[OPTIONS_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, OPTIONS_WHY_MAX, format, args);
	va_end(args);
	return -1;
}

static const char *
mode_name(enum options_action action)
{
	switch (action) {
	case OPTIONS_BENCH:
		return "--bench";
	case OPTIONS_INTERACTIVE:
		return "--interactive";
	case OPTIONS_STATS:
		return "--stats";
	case OPTIONS_PING:
	case OPTIONS_HELP:
	case OPTIONS_VERSION:
		break;
	}
	return "a plain ping";
}

static int
check_modes(const struct options *options, uint64_t given,
    char why[OPTIONS_WHY_MAX])
{
	for (size_t i = 0; i < options_n; i++) {
		const struct options_row *row = &options_table[i];

		if ((given & UINT64_C(1) << i) == 0 ||
		    (row->modes & 1U << options->action) != 0)
			continue;
		return refuse(why, "--%s means nothing with %s%s", row->name,
		    mode_name(options->action),
		    row->modes == OPTIONS_IN_BENCH ? "; add --bench" : "");
	}
	return 0;
}

static bool
is_given(uint64_t given, const char *name)
{
	for (size_t i = 0; i < options_n; i++) {
		if (options_table[i].name != NULL &&
		    strcmp(options_table[i].name, name) == 0)
			return (given & UINT64_C(1) << i) != 0;
	}
	return false;
}

/* Pairs of which the second would have no effect, or contradict the first. */
static const struct {
	const char *one, *other, *because;
} pairs[] = {
	{ "quiet", "verbose", "choose one" },
	{ "quiet", "outstanding", "no lines are printed" },
	{ "quiet", "timestamps", "no lines are printed" },
	{ "flood", "outstanding", "no lines are printed" },
	{ "flood", "timestamps", "no lines are printed" },
	{ "flood", "verbose", "no lines are printed" },
	{ "flood", "adaptive", "a flood is adaptive already" },
	{ "json", "outstanding", "JSON has timeout events" },
	{ "json", "timestamps", "JSON always has the time" },
	{ "json", "verbose", "JSON always has everything" },
	{ "connect-only", "size", "nothing is sent" },
	{ "connect-only", "framing", "nothing is sent" },
	{ "bulk", "framing", "bulk is bytes, not messages" },
	{ "connect-only", "outstanding", "nothing is sent" },
	{ "connect-only", "reconnect", "every ping connects already" },
	{ "bulk", "rate", "bulk is as fast as it goes" },
	{ "bulk", "depth", "bulk keeps the stream full" },
	{ "bulk", "reconnect", "bulk keeps one stream full" },
	{ "bulk", "histogram", "bulk measures no single messages" },
};

static int
check_pairs(uint64_t given, char why[OPTIONS_WHY_MAX])
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (is_given(given, pairs[i].one) &&
		    is_given(given, pairs[i].other))
			return refuse(why,
			    "--%s and --%s do not go together: %s",
			    pairs[i].one, pairs[i].other, pairs[i].because);
	}
	return 0;
}

static int
check_targets(const struct options *options, char why[OPTIONS_WHY_MAX])
{
	if (options->n_targets == 0)
		return refuse(why, "no address given; see uxping --help");
	if (options->action == OPTIONS_INTERACTIVE && options->n_targets > 1)
		return refuse(why, "--interactive talks to one address only");
	if (options->action == OPTIONS_STATS && options->n_targets > 1)
		return refuse(why, "--stats reads from one address only");
	if (options->compare && options->n_targets < 2)
		return refuse(why, "--compare needs two addresses or more");
	if (options->autobind && options->type != OPTIONS_AUTO &&
	    options->type != OPTIONS_DGRAM)
		return refuse(why, "--autobind is for datagrams only");
	return 0;
}

static int
check_framing(const struct options *options, char why[OPTIONS_WHY_MAX])
{
	if (options->framing == UXS_FRAMING_NONE)
		return 0;
	if (options->type == OPTIONS_SEQPACKET ||
	    options->type == OPTIONS_DGRAM)
		return refuse(why, "--framing is for streams only");
	if (options->framing == UXS_FRAMING_LINE &&
	    options->action != OPTIONS_INTERACTIVE &&
	    options->size_bytes < OPTIONS_SIZE_LINE)
		return refuse(why,
		    "--size %zu: with --framing line the last byte is the "
		    "newline; use %d or more",
		    options->size_bytes, OPTIONS_SIZE_LINE);
	return 0;
}

int
options_check(const struct options *options, uint64_t given,
    char why[OPTIONS_WHY_MAX])
{
	if (check_modes(options, given, why) < 0 ||
	    check_pairs(given, why) < 0 || check_targets(options, why) < 0 ||
	    check_framing(options, why) < 0)
		return -1;
	if (options->size_bytes == 0 && options->type == OPTIONS_STREAM)
		return refuse(why,
		    "--size 0: a stream has no empty messages; use 1 or more");
	return 0;
}
