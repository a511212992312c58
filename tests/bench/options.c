/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/units.h>

#include "quartiles.h"
#include "subjects.h"
#include "workloads.h"

const char bench_usage[] =
    "usage: bench [options]\n"
    "  -r ROUNDS     rounds (default 10)\n"
    "  -d DURATION   of a measurement (default 1s)\n"
    "  -w WORKLOADS  only these, such as 'stream-*,latency'\n"
    "  -s SUBJECTS   only these servers, such as 'epoll,uxecho'\n"
    "  -o FOLDER     where RESULTS.md and results.svg go (default .)\n"
    "  -b FOLDER     where the programs were built (default build)\n"
    "  -p FOLDER     sources of the peers (default tests/bench/peers)\n"
    "  -l            list workloads and servers\n"
    "  -h            this text\n";

#define PATTERN_MAX 128

bool
bench_is_chosen(const char *patterns, const char *name)
{
	char pattern[PATTERN_MAX];

	while (patterns != NULL && *patterns != '\0') {
		const size_t n = strcspn(patterns, ",");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)n, patterns);
		if (fnmatch(pattern, name, 0) == 0)
			return true;
		patterns += n + (patterns[n] == ',');
	}
	return patterns == NULL;
}

/* A pattern that is nobody's is a slip. */
static int
check_patterns(const struct bench_options *options, char *why)
{
	size_t n = 0;

	for (size_t i = 0; i < n_workloads; i++)
		n += bench_is_chosen(options->workloads, workloads[i].name);
	if (n == 0)
		snprintf(why, OPTIONS_WHY_MAX,
		    "-w %s: no such workload; -l lists them",
		    options->workloads);
	for (size_t i = 0; i < n_subjects && n > 0; i++) {
		if (bench_is_chosen(options->subjects, subjects[i].name))
			return 0;
	}
	if (n > 0)
		snprintf(why, OPTIONS_WHY_MAX,
		    "-s %s: no such server; -l lists them", options->subjects);
	return -1;
}

static int
read_option(int letter, const char *value, struct bench_options *options,
    char *why)
{
	int64_t n;

	switch (letter) {
	case 'r':
		if (uxs_count_parse(value, 1, ROUNDS_MAX, &n) == 0) {
			options->n_rounds = (size_t)n;
			return 0;
		}
		snprintf(why, OPTIONS_WHY_MAX, "-r %s: not 1 to %d", value,
		    ROUNDS_MAX);
		return -1;
	case 'd':
		if (uxs_duration_parse(value, UXS_NS_PER_MS, 60 * UXS_NS_PER_S,
			&options->duration_ns) == 0)
			return 0;
		snprintf(why, OPTIONS_WHY_MAX, "-d %s: not 1ms to 1m", value);
		return -1;
	case 'w':
		options->workloads = value;
		break;
	case 's':
		options->subjects = value;
		break;
	case 'o':
		options->output = value;
		break;
	case 'b':
		options->build = value;
		break;
	case 'p':
		options->sources = value;
		break;
	case 'l':
		options->is_list = true;
		break;
	default:
		why[0] = '\0';
		return -1;
	}
	return 0;
}

int
bench_options_read(int argc, char *argv[], struct bench_options *options,
    char why[OPTIONS_WHY_MAX])
{
	int letter;

	*options = (struct bench_options){
		.build = "build",
		.sources = "tests/bench/peers",
		.output = ".",
		.n_rounds = 10,
		.duration_ns = UXS_NS_PER_S,
	};
	optind = 0; /* glibc: from the start, whoever was here before */
	while ((letter = getopt(argc, argv, "r:d:w:s:o:b:p:lh")) != -1) {
		if (letter == '?') {
			snprintf(why, OPTIONS_WHY_MAX, "see bench -h");
			return -1;
		}
		if (read_option(letter, optarg, options, why) < 0)
			return -1;
	}
	if (optind < argc) {
		snprintf(why, OPTIONS_WHY_MAX, "%s: not expected",
		    argv[optind]);
		return -1;
	}
	return check_patterns(options, why);
}
