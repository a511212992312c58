/* SPDX-License-Identifier: ISC */
/* The command line of uxping: what is read, what is refused, what is told. */
#include <stdlib.h>
#include <string.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"
#include "uxping/options.h"

#define WORDS_MAX 16

/* Split a line at its blanks and read it. */
static int
read_line(const char *line, struct options *options, char why[OPTIONS_WHY_MAX])
{
	static char copy[512];
	static char *words[WORDS_MAX + 1];
	char *rest = copy;
	int n = 0;

	snprintf(copy, sizeof(copy), "uxping%s%s", line[0] != '\0' ? " " : "",
	    line);
	while (n < WORDS_MAX && (words[n] = strsep(&rest, " ")) != NULL)
		n++;
	return options_read(n, words, options, why);
}

static struct options
must_read(const char *line)
{
	struct options options;
	char why[OPTIONS_WHY_MAX] = "";

	ck_assert_msg(read_line(line, &options, why) == 0, "%s: %s", line, why);
	return options;
}

static const struct {
	const char *line, *why;
} refusals[] = {
	{ "", "no address given" },
	{ "-c", "option -c needs an argument" },
	{ "--count", "option --count needs an argument" },
	{ "-k x", "unknown option -k" },
	{ "-qk x", "unknown option -k" },
	{ "--nonsense x", "unknown option --nonsense" },
	{ "-c 0 x", "--count '0': out of range" },
	{ "-c -1 x", "--count '-1': out of range" },
	{ "-c 3x x", "--count '3x': not understood" },
	{ "-i -1 x", "--interval '-1': not understood" },
	{ "-i 1y x", "--interval '1y': not understood" },
	{ "-W 0 x", "--timeout '0': out of range" },
	{ "-w 0 x", "--deadline '0': out of range" },
	{ "-s 65M x", "--size '65M': out of range" },
	{ "-t pipe x", "--type 'pipe': not understood" },
	{ "-t stream -s 0 x", "--size 0: a stream has no empty messages" },
	{ "-B -R 0 x", "--rate '0': out of range" },
	{ "-B -R inf x", "--rate 'inf': not understood" },
	{ "-B -R 1e x", "--rate '1e': not understood" },
	{ "-B --color red x", "--color 'red': not understood" },
	{ "-B -I x", "--bench, --interactive and --stats cannot" },
	{ "-B --stats x", "--bench, --interactive and --stats cannot" },
	{ "--stats -c 3 x", "--count means nothing with --stats" },
	{ "--stats -t stream x", "--type means nothing with --stats" },
	{ "--stats --autobind x", "--autobind means nothing with --stats" },
	{ "--stats -j -v x", "--json and --verbose do not go together" },
	{ "--stats x y", "--stats reads from one address only" },
	{ "--stats", "no address given" },
	{ "-B -c 3 x", "--count means nothing with --bench" },
	{ "-B -q x", "--quiet means nothing with --bench" },
	{ "-I -j x", "--json means nothing with --interactive" },
	{ "-I -s 5 x", "--size means nothing with --interactive" },
	{ "-P 3 x", "--connections means nothing with a plain ping; add" },
	{ "-d 5 x", "--duration means nothing with a plain ping; add" },
	{ "--svg f x", "--svg means nothing with a plain ping; add" },
	{ "-q -v x", "--quiet and --verbose do not go together" },
	{ "-f -O x", "--flood and --outstanding do not go together" },
	{ "-f -A x", "--flood and --adaptive do not go together" },
	{ "-j -D x", "--json and --timestamps do not go together" },
	{ "-z -s 5 x", "--connect-only and --size do not go together" },
	{ "-z -C x", "--connect-only and --reconnect do not go together" },
	{ "-B --bulk -R 5 x", "--bulk and --rate do not go together" },
	{ "-B --bulk -C x", "--bulk and --reconnect do not go together" },
	{ "-B --compare x", "--compare needs two addresses" },
	{ "-I x y", "--interactive talks to one address only" },
	{ "-t seqpacket --autobind x", "--autobind is for datagrams only" },
};

START_TEST(nonsense_is_refused_with_its_name)
{
	struct options options;
	char why[OPTIONS_WHY_MAX] = "";
	int r;

	r = read_line(refusals[_i].line, &options, why);

	ck_assert_msg(r < 0, "'%s' was accepted", refusals[_i].line);
	ck_assert_msg(strstr(why, refusals[_i].why) == why, "'%s' said: %s",
	    refusals[_i].line, why);
}
END_TEST

START_TEST(defaults_are_those_of_the_manual)
{
	struct options options = must_read("x");

	ck_assert_int_eq(options.action, OPTIONS_PING);
	ck_assert_int_eq(options.type, OPTIONS_AUTO);
	ck_assert_uint_eq(options.size_bytes, 56);
	ck_assert_int_eq(options.count, 0);
	ck_assert_int_eq(options.interval_ns, UXS_NS_PER_S);
	ck_assert_int_eq(options.timeout_ns, UXS_NS_PER_S);
	ck_assert_int_eq(options.duration_ns, 10 * UXS_NS_PER_S);
	ck_assert_int_eq(options.n_connections, 1);
	ck_assert_int_eq(options.depth, 1);
}
END_TEST

START_TEST(bulk_writes_large_blocks_unless_told_otherwise)
{
	struct options bulk = must_read("-B --bulk x");
	struct options told = must_read("-B --bulk -s 100 x");

	ck_assert_uint_eq(bulk.size_bytes, 65536);
	ck_assert_uint_eq(told.size_bytes, 100);
}
END_TEST

START_TEST(letters_mean_what_they_mean_to_ping)
{
	struct options options =
	    must_read("-c 3 -i 0.2 -W 250ms -w 5 -s 1k -qA x y");

	ck_assert_int_eq(options.count, 3);
	ck_assert_int_eq(options.interval_ns, 200 * UXS_NS_PER_MS);
	ck_assert_int_eq(options.timeout_ns, 250 * UXS_NS_PER_MS);
	ck_assert_int_eq(options.deadline_ns, 5 * UXS_NS_PER_S);
	ck_assert_uint_eq(options.size_bytes, 1024);
	ck_assert(options.quiet && options.adaptive);
	ck_assert_uint_eq(options.n_targets, 2);
	ck_assert_str_eq(options.targets[0], "x");
	ck_assert_str_eq(options.targets[1], "y");
}
END_TEST

START_TEST(options_may_follow_the_address)
{
	struct options options = must_read("x -c 3");

	ck_assert_int_eq(options.count, 3);
	ck_assert_str_eq(options.targets[0], "x");
}
END_TEST

START_TEST(the_bench_has_its_options)
{
	struct options options = must_read(
	    "-B -P 64 -Q 8 -d 5s -R 2500.5 -C --verify --color never x");

	ck_assert_int_eq(options.action, OPTIONS_BENCH);
	ck_assert_int_eq(options.n_connections, 64);
	ck_assert_int_eq(options.depth, 8);
	ck_assert_int_eq(options.duration_ns, 5 * UXS_NS_PER_S);
	ck_assert_double_eq(options.rate, 2500.5);
	ck_assert(options.reconnect && options.verify);
	ck_assert_int_eq(options.color, OPTIONS_COLOR_OFF);
}
END_TEST

START_TEST(help_wins_over_what_is_missing)
{
	ck_assert_int_eq(must_read("-h").action, OPTIONS_HELP);
	ck_assert_int_eq(must_read("-c 3 --version").action, OPTIONS_VERSION);
}
END_TEST

START_TEST(every_row_of_the_table_is_in_the_help)
{
	char *help = NULL, expected[80];
	size_t size = 0;
	FILE *out = open_memstream(&help, &size);

	options_print_help(out);
	fclose(out);

	for (size_t i = 0; i < options_n; i++) {
		const struct options_row *row = &options_table[i];

		if (row->name == NULL)
			continue;
		snprintf(expected, sizeof(expected), "--%s%s%s", row->name,
		    row->argument != NULL ? " " : "",
		    row->argument != NULL ? row->argument : "");
		ck_assert_msg(strstr(help, expected) != NULL, "%s", expected);
		ck_assert_msg(strstr(help, row->help) != NULL, "%s", row->help);
	}
	free(help);
}
END_TEST

START_TEST(no_line_of_the_help_is_wider_than_a_terminal)
{
	char *help = NULL, *line, *rest;
	size_t size = 0;
	FILE *out = open_memstream(&help, &size);

	options_print_help(out);
	fclose(out);

	rest = help;
	while ((line = strsep(&rest, "\n")) != NULL)
		ck_assert_msg(strlen(line) < 80, "%s", line);
	free(help);
}
END_TEST

Suite *
suite_uxping_options(void)
{
	Suite *suite = suite_create("uxping_options");
	TCase *tcase = harness_case(suite, "reading");

	tcase_add_loop_test(tcase, nonsense_is_refused_with_its_name, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tcase, defaults_are_those_of_the_manual);
	tcase_add_test(tcase, bulk_writes_large_blocks_unless_told_otherwise);
	tcase_add_test(tcase, letters_mean_what_they_mean_to_ping);
	tcase_add_test(tcase, options_may_follow_the_address);
	tcase_add_test(tcase, the_bench_has_its_options);
	tcase_add_test(tcase, help_wins_over_what_is_missing);
	tcase = harness_case(suite, "telling");
	tcase_add_test(tcase, every_row_of_the_table_is_in_the_help);
	tcase_add_test(tcase, no_line_of_the_help_is_wider_than_a_terminal);
	return suite;
}
