/* SPDX-License-Identifier: ISC */
#ifndef UXPING_OPTIONS_H
#define UXPING_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <uxsrv/framing.h>

/*
 * What the user asked for, as plain values: durations in nanoseconds, sizes in
 * bytes, text borrowed from argv. Nothing here has been looked at outside.
 *
 *	struct options options;
 *	char why[OPTIONS_WHY_MAX];
 *
 *	if (options_read(argc, argv, &options, why) < 0)
 *		errx(2, "%s", why);
 *
 * One table, options_table, feeds parsing, --help and the shell completions.
 */

enum options_action {
	OPTIONS_PING,
	OPTIONS_BENCH, /* -B */
	OPTIONS_INTERACTIVE, /* -I */
	OPTIONS_STATS, /* --stats */
	OPTIONS_HELP, /* -h: options_print_help, exit 0 */
	OPTIONS_VERSION, /* -V */
};

enum options_type { /* -t */
	OPTIONS_AUTO,
	OPTIONS_STREAM,
	OPTIONS_SEQPACKET,
	OPTIONS_DGRAM,
};

enum options_color { OPTIONS_COLOR_AUTO, OPTIONS_COLOR_ON, OPTIONS_COLOR_OFF };

/* A payload from this size up carries sequence number and time stamp. */
#define OPTIONS_SIZE_DEFAULT 56
/* One write of --bulk: smaller ones would measure system calls. */
#define OPTIONS_SIZE_BULK ((size_t)64 * 1024)
#define OPTIONS_SIZE_MAX ((size_t)64 * 1024 * 1024)
/* From here on the last byte of a message is its newline. */
#define OPTIONS_SIZE_LINE 17

struct options {
	enum options_action action;

	/* whom */
	char *const *targets; /* as written, n_targets of them */
	size_t n_targets;
	enum options_type type;
	const char *expect_user; /* NULL: anybody; a name or a number */
	int64_t wait_ns; /* 0: do not wait for the server to appear */
	bool autobind;

	/* what is sent; SIZE serves ping and bench */
	size_t size_bytes;
	enum uxs_framing framing; /* of streams */
	bool reconnect; /* -C, also in the bench */
	bool connect_only;

	/* ping */
	int64_t count; /* 0: until interrupted */
	int64_t interval_ns; /* 0: as fast as replies come, 100/s at least */
	int64_t timeout_ns; /* for one reply, and in a full accept queue */
	int64_t deadline_ns; /* 0: none */
	bool quiet;
	bool verbose;
	bool timestamps;
	bool outstanding; /* -O */
	bool adaptive; /* -A */
	bool flood; /* -f */

	/* bench */
	int64_t duration_ns; /* of the measured part, without the warm-up */
	int64_t warmup_ns;
	int64_t n_connections; /* 1.. */
	int64_t depth; /* messages under way on each connection, 1.. */
	double rate; /* messages a second over all; 0: closed loop */
	bool bulk;
	bool verify;
	bool compare;
	bool histogram;

	/* how it is told */
	bool json;
	const char *csv_path; /* NULL: none */
	const char *svg_path;
	enum options_color color;
};

/* Where an option means something: a mask of 1 << enum options_action. */
#define OPTIONS_IN_PING (1U << OPTIONS_PING)
#define OPTIONS_IN_BENCH (1U << OPTIONS_BENCH)
#define OPTIONS_IN_INTERACTIVE (1U << OPTIONS_INTERACTIVE)
#define OPTIONS_IN_STATS (1U << OPTIONS_STATS)
/* Where something is sent. */
#define OPTIONS_IN_TALK \
	(OPTIONS_IN_PING | OPTIONS_IN_BENCH | OPTIONS_IN_INTERACTIVE)
#define OPTIONS_IN_ALL (OPTIONS_IN_TALK | OPTIONS_IN_STATS)

enum options_kind {
	OPTIONS_KIND_HEADING, /* no option: a line of --help */
	OPTIONS_KIND_ACTION, /* min is the enum options_action */
	OPTIONS_KIND_FLAG,
	OPTIONS_KIND_DURATION,
	OPTIONS_KIND_SIZE,
	OPTIONS_KIND_COUNT,
	OPTIONS_KIND_RATE,
	OPTIONS_KIND_TEXT,
	OPTIONS_KIND_TYPE,
	OPTIONS_KIND_FRAMING,
	OPTIONS_KIND_COLOR,
};

/* One line of the table. letter is 0 where there is only the long name; name
 * is NULL for a heading; argument is NULL where the option takes none. */
struct options_row {
	int letter;
	const char *name;
	const char *argument;
	const char *help;
	/* private: how to read the argument, and where to put it */
	unsigned modes;
	enum options_kind kind;
	size_t offset;
	int64_t min, max;
};

extern const struct options_row options_table[];
extern const size_t options_n;

#define OPTIONS_WHY_MAX 512

/*
 * Read the command line and refuse what makes no sense together. targets
 * points into argv afterwards.
 *
 * Returns 0, or -1 and one printable line, without a newline, in why.
 */
int options_read(int argc, char *argv[], struct options *options,
    char why[OPTIONS_WHY_MAX]);

/*
 * Is this combination sensible? The part of options_read that judges. given
 * has bit i set when row i of the table was on the command line. Returns 0, or
 * -1 with why.
 */
int options_check(const struct options *options, uint64_t given,
    char why[OPTIONS_WHY_MAX]);

/* The options' part of --help comes from the table. */
void options_print_help(FILE *out);

/* May colours and other terminal sequences go to this stream? Honours --color
 * and NO_COLOR. */
bool options_wants_color(const struct options *options, FILE *out);

#endif
