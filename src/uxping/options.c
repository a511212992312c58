/* SPDX-License-Identifier: ISC */
/*
 * The command line: one table, and a walk over it. Every row says where its
 * value goes and within which bounds, so that there is nothing to forget when
 * an option is added. Whether options make sense together is options_check's.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/log.h>
#include <uxsrv/units.h>

#define DURATION_MAX (INT64_C(366) * 24 * 3600 * UXS_NS_PER_S)

#define HEADING(text)                                                 \
	{                                                             \
		0, NULL, NULL, text, 0, OPTIONS_KIND_HEADING, 0, 0, 0 \
	}
#define ACTION(letter, name, action, help)                                     \
	{                                                                      \
		letter, name, NULL, help, OPTIONS_IN_ALL, OPTIONS_KIND_ACTION, \
		    0, action, 0                                               \
	}
#define FLAG(letter, name, modes, field, help)                      \
	{                                                           \
		letter, name, NULL, help, modes, OPTIONS_KIND_FLAG, \
		    offsetof(struct options, field), 0, 0           \
	}
#define VALUE(letter, name, arg, modes, kind, field, min, max, help) \
	{                                                            \
		letter, name, arg, help, modes, OPTIONS_KIND_##kind, \
		    offsetof(struct options, field), min, max        \
	}

#define PING OPTIONS_IN_PING
#define BENCH OPTIONS_IN_BENCH
#define STATS OPTIONS_IN_STATS
#define TALK OPTIONS_IN_TALK
#define ALL OPTIONS_IN_ALL

/* clang-format off */
const struct options_row options_table[] = {
	HEADING("Whom:"),
	VALUE('t', "type", "TYPE", TALK, TYPE, type, 0, 0,
	    "auto, stream, seqpacket or dgram (PATH.dgram)"),
	VALUE('e', "expect-user", "USER", ALL, TEXT, expect_user, 0, 0,
	    "fail unless this user owns the listener"),
	VALUE(0, "wait", "D", ALL, DURATION, wait_ns, 1, DURATION_MAX,
	    "retry this long until the server is there"),
	FLAG(0, "autobind", TALK, autobind,
	    "datagrams: an abstract return address"),

	HEADING("What is sent:"),
	VALUE('s', "size", "SIZE", PING | BENCH, SIZE, size_bytes, 0,
	    (int64_t)OPTIONS_SIZE_MAX, "bytes in a message (56; with --bulk 64k)"),
	VALUE('F', "framing", "NAME", ALL, FRAMING, framing, 0, 0,
	    "none, line, netstring or u32 (none)"),
	FLAG('C', "reconnect", PING | BENCH, reconnect,
	    "a new connection for each message"),
	FLAG('z', "connect-only", PING, connect_only,
	    "connect and send nothing; for any server"),
	VALUE('W', "timeout", "D", PING | BENCH | STATS, DURATION, timeout_ns,
	    1, DURATION_MAX, "how long to wait for a reply (default 1s)"),

	HEADING("Ping:"),
	VALUE('c', "count", "N", PING, COUNT, count, 1, INT64_MAX,
	    "stop after N pings"),
	VALUE('i', "interval", "D", PING, DURATION, interval_ns, 0,
	    DURATION_MAX, "time between pings (default 1s; 0: on each reply)"),
	VALUE('w', "deadline", "D", PING, DURATION, deadline_ns, 1,
	    DURATION_MAX, "stop after this time, or when N replies came"),
	FLAG('A', "adaptive", PING, adaptive,
	    "the next ping as soon as the last is answered"),
	FLAG('f', "flood", PING, flood,
	    "fast, a dot for each ping, wiped by its reply"),
	FLAG('D', "timestamps", PING, timestamps,
	    "print the time of day before each line"),
	FLAG('O', "outstanding", PING, outstanding,
	    "say so when the last ping is not answered yet"),
	FLAG('q', "quiet", PING, quiet, "first line and summary only"),
	FLAG('v', "verbose", PING | STATS, verbose,
	    "lost pings, reconnections; counters that are 0"),

	HEADING("Interactive:"),
	ACTION('I', "interactive", OPTIONS_INTERACTIVE,
	    "send lines of standard input, print answers"),

	HEADING("Benchmark:"),
	ACTION('B', "bench", OPTIONS_BENCH,
	    "load instead of single pings"),
	VALUE('d', "duration", "D", BENCH, DURATION, duration_ns,
	    UXS_NS_PER_MS, DURATION_MAX, "how long to measure (default 10s)"),
	VALUE(0, "warmup", "D", BENCH, DURATION, warmup_ns, 0, DURATION_MAX,
	    "load before that, not measured (default 0)"),
	VALUE('P', "connections", "N", BENCH, COUNT, n_connections, 1, 65536,
	    "connections at once (default 1)"),
	VALUE('Q', "depth", "N", BENCH, COUNT, depth, 1, 65536,
	    "messages under way on each (default 1)"),
	VALUE('R', "rate", "N", BENCH, RATE, rate, 0, 0,
	    "messages a second over all: open loop"),
	FLAG(0, "bulk", BENCH, bulk, "saturate streams and count bytes"),
	FLAG(0, "verify", BENCH, verify, "compare every byte of every echo"),
	FLAG(0, "compare", BENCH, compare,
	    "several addresses in turn, one table"),
	FLAG(0, "histogram", BENCH, histogram,
	    "print how the times are distributed"),
	VALUE(0, "csv", "FILE", BENCH, TEXT, csv_path, 0, 0,
	    "write the histogram as comma-separated values"),
	VALUE(0, "svg", "FILE", BENCH, TEXT, svg_path, 0, 0,
	    "draw the histogram"),
	VALUE(0, "color", "WHEN", BENCH, COLOR, color, 0, 0,
	    "auto, always or never"),

	HEADING("Statistics:"),
	ACTION(0, "stats", OPTIONS_STATS,
	    "print what uxecho --stats ADDRESS tells"),

	HEADING("General:"),
	FLAG('j', "json", PING | BENCH | STATS, json, "one JSON object a line"),
	ACTION('h', "help", OPTIONS_HELP, "print this"),
	ACTION('V', "version", OPTIONS_VERSION, "print the version"),
};
/* clang-format on */

#define N_ROWS (sizeof(options_table) / sizeof(options_table[0]))
const size_t options_n = N_ROWS;

_Static_assert(N_ROWS <= 64, "options_check keeps a bit for each row");

/* 0 is a size that can be asked for. */
#define SIZE_NOT_GIVEN ((size_t)-1)

#define OPTIONS_DEFAULTS                                                      \
	{                                                                     \
		.size_bytes = SIZE_NOT_GIVEN, .interval_ns = UXS_NS_PER_S,    \
		.timeout_ns = UXS_NS_PER_S, .duration_ns = 10 * UXS_NS_PER_S, \
		.n_connections = 1, .depth = 1,                               \
	}

/* Rows without a letter are told to getopt_long by a number above all
 * letters. */
#define CODE_OF_ROW(i) (256 + (int)(i))

static void
make_getopt_tables(char letters[2 * N_ROWS + 2],
    struct option longs[N_ROWS + 1])
{
	size_t n_longs = 0;
	char *to = letters;

	*to++ = ':'; /* a missing argument is reported apart */
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct options_row *row = &options_table[i];

		if (row->name == NULL)
			continue;
		if (row->letter != 0)
			*to++ = (char)row->letter;
		if (row->letter != 0 && row->argument != NULL)
			*to++ = ':';
		longs[n_longs++] = (struct option){
			.name = row->name,
			.has_arg = row->argument != NULL,
			.val = CODE_OF_ROW(i),
		};
	}
	*to = '\0';
	longs[n_longs] = (struct option){ 0 };
}

/* Returns the row's number; every code that getopt_long returns has one. */
static size_t
row_of_code(int code)
{
	size_t i = 0;

	if (code >= 256)
		return (size_t)(code - 256);
	while (options_table[i].letter != code)
		i++;
	return i;
}

static int
parse_word(const char *text, const char *const words[], size_t n, int *value)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*value = (int)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
parse_rate(const char *text, double *value)
{
	char *end;
	double rate;

	/* strtod(3) would take blanks, signs, "inf" and "nan". */
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	rate = strtod(text, &end);
	if (end == text || *end != '\0')
		return -EINVAL;
	if (!isfinite(rate) || rate <= 0 || rate > 1e9)
		return -ERANGE;
	*value = rate;
	return 0;
}

static int
take_value(const struct options_row *row, const char *text,
    struct options *options)
{
	static const char *const types[] = { "auto", "stream", "seqpacket",
		"dgram" };
	static const char *const colors[] = { "auto", "always", "never" };
	void *at = (char *)options + row->offset;
	int word = 0, r = 0;

	switch (row->kind) {
	case OPTIONS_KIND_HEADING:
		break;
	case OPTIONS_KIND_ACTION:
		if (options->action != OPTIONS_PING &&
		    options->action != (enum options_action)row->min)
			return -EBUSY;
		options->action = (enum options_action)row->min;
		break;
	case OPTIONS_KIND_FLAG:
		*(bool *)at = true;
		break;
	case OPTIONS_KIND_DURATION:
		return uxs_duration_parse(text, row->min, row->max, at);
	case OPTIONS_KIND_SIZE:
		return uxs_size_parse(text, (size_t)row->min, (size_t)row->max,
		    at);
	case OPTIONS_KIND_COUNT:
		return uxs_count_parse(text, row->min, row->max, at);
	case OPTIONS_KIND_RATE:
		return parse_rate(text, at);
	case OPTIONS_KIND_TEXT:
		*(const char **)at = text;
		return text[0] == '\0' ? -EINVAL : 0;
	case OPTIONS_KIND_TYPE:
		r = parse_word(text, types, 4, &word);
		options->type = (enum options_type)word;
		break;
	case OPTIONS_KIND_FRAMING:
		return uxs_framing_parse(text, at);
	case OPTIONS_KIND_COLOR:
		r = parse_word(text, colors, 3, &word);
		options->color = (enum options_color)word;
		break;
	}
	return r;
}

static int
refuse_value(const struct options_row *row, const char *text, int code,
    char why[OPTIONS_WHY_MAX])
{
	char shown[128];

	if (code == -EBUSY)
		snprintf(why, OPTIONS_WHY_MAX,
		    "--bench, --interactive and --stats cannot be used "
		    "together");
	else
		snprintf(why, OPTIONS_WHY_MAX, "--%s '%s': %s (%s)", row->name,
		    uxs_escape(shown, sizeof(shown), text, strlen(text)),
		    code == -ERANGE ? "out of range" : "not understood",
		    row->help);
	return -1;
}

static int
refuse_unknown(int code, char *argv[], char why[OPTIONS_WHY_MAX])
{
	const char *word = argv[optind - 1];
	char shown[128], letter[] = "-?";

	/* In a cluster of letters optind may not have moved on yet. */
	if (optopt != 0 && optopt < 256) {
		letter[1] = (char)optopt;
		word = letter;
	}
	uxs_escape(shown, sizeof(shown), word, strlen(word));
	if (code == ':')
		snprintf(why, OPTIONS_WHY_MAX,
		    "option %s needs an argument; see uxping --help", shown);
	else
		snprintf(why, OPTIONS_WHY_MAX,
		    "unknown option %s; see uxping --help", shown);
	return -1;
}

int
options_read(int argc, char *argv[], struct options *options,
    char why[OPTIONS_WHY_MAX])
{
	struct option longs[N_ROWS + 1];
	char letters[2 * N_ROWS + 2];
	uint64_t given = 0;
	int code, r;

	*options = (struct options)OPTIONS_DEFAULTS;
	make_getopt_tables(letters, longs);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse_unknown(code, argv, why);
		const size_t i = row_of_code(code);

		r = take_value(&options_table[i], optarg, options);
		if (r < 0)
			return refuse_value(&options_table[i], optarg, r, why);
		given |= UINT64_C(1) << i;
		if (options->action >= OPTIONS_HELP)
			return 0;
	}
	if (options->size_bytes == SIZE_NOT_GIVEN)
		options->size_bytes = options->bulk ? OPTIONS_SIZE_BULK :
						      OPTIONS_SIZE_DEFAULT;
	options->targets = argv + optind;
	options->n_targets = (size_t)(argc - optind);
	return options_check(options, given, why);
}

/* ---- help ---- */

#define HELP_COLUMN 30

static void
print_row(FILE *out, const struct options_row *row)
{
	char left[64];

	if (row->name == NULL) {
		fprintf(out, "\n%s\n", row->help);
		return;
	}
	if (row->letter != 0)
		snprintf(left, sizeof(left), "  -%c, --%s%s%s", row->letter,
		    row->name, row->argument != NULL ? " " : "",
		    row->argument != NULL ? row->argument : "");
	else
		snprintf(left, sizeof(left), "      --%s%s%s", row->name,
		    row->argument != NULL ? " " : "",
		    row->argument != NULL ? row->argument : "");
	fprintf(out, "%-*s %s\n", HELP_COLUMN - 1, left, row->help);
}

void
options_print_help(FILE *out)
{
	fputs("usage: uxping [options] ADDRESS...\n"
	      "\n"
	      "Is that Unix socket alive, how fast, and if not, why not?\n"
	      "\n"
	      "ADDRESS is [stream:|seqpacket:|dgram:]PATH, or @NAME in place "
	      "of PATH for an\n"
	      "abstract name, or tcp:127.0.0.1:PORT, udp:[::1]:PORT "
	      "(loopback only).\n"
	      "A duration D is 250us, 10ms, 5s, 2m; a bare number is "
	      "seconds.\n",
	    out);
	for (size_t i = 0; i < N_ROWS; i++)
		print_row(out, &options_table[i]);
	fputs("\nExit status: 0 answered, 1 no or too few or wrong answers, 2 "
	      "could not run.\n",
	    out);
}

bool
options_wants_color(const struct options *options, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (options->color != OPTIONS_COLOR_AUTO)
		return options->color == OPTIONS_COLOR_ON;
	if (no_color != NULL && no_color[0] != '\0')
		return false;
	return isatty(fileno(out)) && term != NULL && strcmp(term, "dumb") != 0;
}
