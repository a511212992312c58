/* SPDX-License-Identifier: ISC */
/*
 * The documents say what the programs do. The table of options is held
 * against --help and the manual, defaults and exit codes against the library.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "documents.h"
#include "harness.h"
#include "suites.h"
#include "uxecho/options.h"

/* ---- options ---- */

static struct option_text
option_at(int n)
{
	struct option_text text;

	ck_assert(options_text((size_t)n, &text));
	return text;
}

static int
count_options(void)
{
	struct option_text text;
	size_t n = 0;

	while (options_text(n, &text))
		n++;
	return (int)n;
}

static void
help_text(struct output_of *result)
{
	const char *const argv[] = { "uxecho", "--help", NULL };

	run_program(result, argv);
	ck_assert_int_eq(result->status, 0);
}

/* "  -a, --allow WHO" or "      --check", as --help begins its line. */
static void
print_help_entry(char *line, size_t size, const struct option_text *o)
{
	char letter[] = "    ";

	if (o->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(line, size, "\n  %s--%s%s%s ", letter, o->name,
	    o->argument != NULL ? " " : "",
	    o->argument != NULL ? o->argument : "");
}

/* ".It Fl a , Fl -allow Ar WHO", as the manual begins its entry. */
static void
print_manual_entry(char *line, size_t size, const struct option_text *o)
{
	char letter[] = "Fl x , ";

	if (o->letter != 0)
		snprintf(letter, sizeof(letter), "Fl %c , ", o->letter);
	snprintf(line, size, "\n.It %sFl -%s%s%s\n",
	    o->letter != 0 ? letter : "", o->name,
	    o->argument != NULL ? " Ar " : "",
	    o->argument != NULL ? o->argument : "");
}

START_TEST(help_lists_the_option)
{
	const struct option_text o = option_at(_i);
	struct output_of result;
	char entry[128];

	help_text(&result);

	print_help_entry(entry, sizeof(entry), &o);
	ck_assert_msg(strstr(result.out, entry) != NULL,
	    "--help has no line \"%s\"", entry + 1);
	ck_assert_ptr_nonnull(strstr(result.out, o.help));
}
END_TEST

START_TEST(help_lists_nothing_else)
{
	struct output_of result;
	int n = 0;

	help_text(&result);

	for (char *rest = result.out, *line; (line = next_line(&rest)) != NULL;)
		n += strncmp(line, "  -", 3) == 0 ||
		    strncmp(line, "      --", 8) == 0;
	ck_assert_int_eq(n, count_options());
}
END_TEST

START_TEST(manual_has_the_option)
{
	const struct option_text o = option_at(_i);
	char entry[128];
	char *manual = read_document("man/uxecho.8");

	print_manual_entry(entry, sizeof(entry), &o);

	ck_assert_msg(strstr(manual, entry) != NULL,
	    "uxecho(8) has no entry \"%.*s\"", (int)strlen(entry) - 2,
	    entry + 1);
	free(manual);
}
END_TEST

static bool
is_option(const char *flag, size_t length)
{
	for (int i = 0; i < count_options(); i++) {
		const struct option_text o = option_at(i);

		if (flag[0] == '-' && strlen(o.name) == length - 1 &&
		    strncmp(o.name, flag + 1, length - 1) == 0)
			return true;
		if (length == 1 && o.letter == flag[0])
			return true;
	}
	return false;
}

/* Wherever the manual speaks of an option, not only in its list. */
START_TEST(manual_names_no_other_option)
{
	char *manual = read_document("man/uxecho.8");
	int n = 0;

	for (char *at = manual; (at = strstr(at, "Fl ")) != NULL; n++) {
		const char *flag = at += strlen("Fl ");
		const size_t length = strcspn(flag, " \n");

		ck_assert_msg(is_option(flag, length),
		    "uxecho(8) names \"-%.*s\", which is no option",
		    (int)length, flag);
	}
	ck_assert_int_ge(n, count_options());
	free(manual);
}
END_TEST

/* Of "--name" in other text, such as examples and README. */
static void
check_long_names(const char *name)
{
	char *text = read_document(name);

	for (char *rest = text, *line; (line = next_line(&rest)) != NULL;) {
		char *at = strstr(line, "uxecho ");

		if (strncmp(line, "$ ", 2) != 0 || at == NULL)
			continue;
		while ((at = strstr(at, " --")) != NULL) {
			const size_t n = strcspn(at += 2, " =&");

			if (n == 1) /* a program follows, with its own */
				break;
			ck_assert_msg(is_option(at, n), "%s: %s: no option",
			    name, line);
		}
	}
	free(text);
}

START_TEST(examples_name_no_other_option)
{
	check_long_names("README.md");
	check_long_names("man/uxecho.8");
}
END_TEST

/* ---- defaults ---- */

struct default_row {
	const char *option;
	enum { AS_SIZE, AS_DURATION, AS_COUNT } as;
	int64_t value;
};

static const struct uxs_server_conf defaults = UXS_SERVER_DEFAULTS;

static const char *
print_default(const struct default_row *row, char text[UXS_UNITS_TEXT_MAX])
{
	switch (row->as) {
	case AS_SIZE:
		return uxs_size_print((size_t)row->value, text);
	case AS_DURATION:
		return row->value == 0 ? "none" :
					 uxs_duration_print(row->value, text);
	case AS_COUNT:
		snprintf(text, UXS_UNITS_TEXT_MAX, "%lld",
		    (long long)row->value);
		return text;
	}
	return NULL;
}

#define N_DEFAULTS 7

static struct default_row
default_at(int n)
{
	const struct default_row rows[N_DEFAULTS] = {
		{ "buffer", AS_SIZE, (int64_t)defaults.buffer_bytes },
		{ "max-message", AS_SIZE, (int64_t)defaults.max_message_bytes },
		{ "idle-timeout", AS_DURATION, defaults.idle_timeout_ns },
		{ "write-timeout", AS_DURATION, defaults.write_timeout_ns },
		{ "drain", AS_DURATION, defaults.drain_ns },
		{ "backlog", AS_COUNT, defaults.backlog },
		{ "threads", AS_COUNT, (int64_t)defaults.n_threads },
	};

	return rows[n];
}

static struct option_text
option_named(const char *name)
{
	for (int i = 0; i < count_options(); i++) {
		if (strcmp(option_at(i).name, name) == 0)
			return option_at(i);
	}
	ck_abort_msg("no option --%s", name);
	return option_at(0);
}

/* The manual's entry of one option, its lines joined by blanks. */
static char *
manual_item(char *manual, const char *name)
{
	const struct option_text o = option_named(name);
	char entry[128];
	char *item, *end;

	print_manual_entry(entry, sizeof(entry), &o);
	item = strstr(manual, entry);
	ck_assert_ptr_nonnull(item);
	item += strlen(entry);
	if ((end = strstr(item, "\n.It ")) == NULL)
		end = strstr(item, "\n.El");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	for (char *at = item; (at = strchr(at, '\n')) != NULL;)
		*at = ' ';
	return item;
}

/* The value must end where it ends: "64k" is no prefix of what is said. */
static bool
says_default(const char *item, const char *value)
{
	static const char words[] = "The default is ";
	const char *at = strstr(item, words);

	if (at == NULL)
		return false;
	at += strlen(words);
	return strncmp(at, value, strlen(value)) == 0 &&
	    strchr(".;,", at[strlen(value)]) != NULL;
}

START_TEST(help_quotes_the_default)
{
	const struct default_row row = default_at(_i);
	const struct option_text o = option_named(row.option);
	char text[UXS_UNITS_TEXT_MAX], quoted[UXS_UNITS_TEXT_MAX + 2];

	snprintf(quoted, sizeof(quoted), "(%s)", print_default(&row, text));

	ck_assert_msg(strstr(o.help, quoted) != NULL, "--%s: \"%s\" is not %s",
	    row.option, o.help, quoted);
}
END_TEST

START_TEST(manual_quotes_the_default)
{
	const struct default_row row = default_at(_i);
	char text[UXS_UNITS_TEXT_MAX];
	char *manual = read_document("man/uxecho.8");
	const char *item = manual_item(manual, row.option);

	ck_assert_msg(says_default(item, print_default(&row, text)),
	    "--%s: uxecho(8) does not say that the default is %s", row.option,
	    print_default(&row, text));
	free(manual);
}
END_TEST

START_TEST(default_modes_are_as_documented)
{
	struct uxs_rule rule = { .verdict = UXS_ALLOW };
	const struct uxs_access access = { .n = 1, .rules = &rule };
	struct uxs_server_conf closed = defaults, open = defaults;
	char help[64], said[64];
	char *manual = read_document("man/uxecho.8");

	open.access = &access;
	uxs_server_conf_resolve(&closed);
	uxs_server_conf_resolve(&open);

	snprintf(help, sizeof(help), "(%04o; %04o with -a)",
	    (unsigned)closed.mode, (unsigned)open.mode);
	snprintf(said, sizeof(said), "The default is %04o, or %04o ",
	    (unsigned)closed.mode, (unsigned)open.mode);
	ck_assert_ptr_nonnull(strstr(option_named("mode").help, help));
	ck_assert_ptr_nonnull(strstr(manual_item(manual, "mode"), said));
	free(manual);
}
END_TEST

START_TEST(half_of_the_connections_are_for_one_user)
{
	struct uxs_server_conf conf = defaults;
	char *manual = read_document("man/uxecho.8");

	conf.max_conns = 200;
	uxs_server_conf_resolve(&conf);

	ck_assert_uint_eq(conf.max_conns_per_user, 100);
	ck_assert_ptr_nonnull(strstr(option_named("max-conns-per-user").help,
	    "(half of them)"));
	ck_assert_ptr_nonnull(strstr(manual_item(manual, "max-conns-per-user"),
	    "The default is half of .Fl -max-conns ."));
	free(manual);
}
END_TEST

/* ---- exit codes ---- */

static bool
is_exit_code(int code)
{
	if (code == 0)
		return true;
	for (int failure = UXS_FAILURE_NONE; failure <= UXS_FAILURE_CONFIG;
	     failure++) {
		const struct uxs_error why = { .failure =
						   (enum uxs_failure)failure };

		if (uxs_error_exit_status(&why) == code)
			return true;
	}
	return false;
}

START_TEST(manual_has_every_exit_code)
{
	char *manual = read_document("man/uxecho.8");
	const char *list = cut_between(manual, "\n.Sh EXIT STATUS", "\n.Sh ");
	char entry[32];

	for (int code = 0; code < 128; code++) {
		snprintf(entry, sizeof(entry), "\n.It %d\n", code);
		ck_assert_msg((strstr(list, entry) != NULL) ==
			is_exit_code(code),
		    "exit status %d: uxecho(8) and the library disagree", code);
	}
	free(manual);
}
END_TEST

/* ---- the form of the manuals ---- */

static void
check_manual(const char *name)
{
	struct output_of result;
	char file[4096];
	const char *const argv[] = { "/usr/bin/env", "mandoc", "-Tlint", "-W",
		"warning", file, NULL };

	strlcpy(file, top_path(name), sizeof(file));
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%s: %s%s", name, result.out,
	    result.err);
}

START_TEST(manuals_are_clean)
{
	DIR *list = opendir(top_path("man"));
	struct dirent *entry;
	char name[300];
	int n = 0;

	ck_assert_ptr_nonnull(list);
	if (!has_tool("mandoc")) {
		closedir(list);
		skip("needs mandoc, to check the manual pages");
		return;
	}
	while ((entry = readdir(list)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot == NULL || !isdigit((unsigned char)dot[1]))
			continue;
		snprintf(name, sizeof(name), "man/%s", entry->d_name);
		check_manual(name);
		n++;
	}
	closedir(list);
	ck_assert_int_ge(n, 2);
}
END_TEST

START_TEST(uxsrv_manual_names_every_header)
{
	DIR *list = opendir(top_path("include/uxsrv"));
	char *manual = read_document("man/uxsrv.7");
	struct dirent *entry;
	char line[300];

	ck_assert_ptr_nonnull(list);
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(line, sizeof(line), "In uxsrv/%s\n", entry->d_name);
		ck_assert_msg(strstr(manual, line) != NULL,
		    "uxsrv(7) does not name %s", entry->d_name);
	}
	closedir(list);
	free(manual);
}
END_TEST

START_TEST(uxsrv_manual_names_no_other_header)
{
	char *manual = read_document("man/uxsrv.7");
	char path[300];

	for (char *at = manual; (at = strstr(at, "In uxsrv/")) != NULL;) {
		const size_t n = strcspn(at += strlen("In "), " \n");

		snprintf(path, sizeof(path), "include/%.*s", (int)n, at);
		ck_assert_msg(access(top_path(path), R_OK) == 0,
		    "uxsrv(7) names %s, which is not there", path);
	}
	free(manual);
}
END_TEST

static bool
is_tree_path(const char *name)
{
	static const char *const tops[] = { "src", "include", "tests", "man",
		".ci", "LICENSE" };

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		const size_t n = strlen(tops[i]);

		if (strncmp(name, tops[i], n) == 0 &&
		    (name[n] == '\0' || name[n] == '/'))
			return true;
	}
	return false;
}

/* In `code` and in (links). */
START_TEST(readme_names_only_files_that_are_there)
{
	char *readme = read_document("README.md");
	int n = 0;

	for (char *at = readme; (at = strpbrk(at, "`(")) != NULL;) {
		char name[256];

		at++;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "`)\n"),
		    at);
		if (!is_tree_path(name))
			continue;
		n++;
		ck_assert_msg(access(top_path(name), F_OK) == 0,
		    "README.md names %s, which is not there", name);
	}
	ck_assert_int_gt(n, 10);
	free(readme);
}
END_TEST

START_TEST(readme_stays_short)
{
	char *readme = read_document("README.md");
	int n = 0;

	for (const char *at = readme; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	ck_assert_int_lt(n, 200);
	free(readme);
}
END_TEST

START_TEST(readme_has_the_two_commands)
{
	char *readme = read_document("README.md");

	ck_assert_ptr_nonnull(strstr(readme, "\n    make deps demo\n"));
	ck_assert_ptr_nonnull(strstr(readme, "\n    make deps check\n"));
	free(readme);
}
END_TEST

Suite *
suite_documents(void)
{
	Suite *suite = suite_create("documents");
	TCase *options = harness_case(suite, "options");
	TCase *values = harness_case(suite, "values");
	TCase *form = harness_case(suite, "form");
	const int n = count_options();

	tcase_add_loop_test(options, help_lists_the_option, 0, n);
	tcase_add_test(options, help_lists_nothing_else);
	tcase_add_loop_test(options, manual_has_the_option, 0, n);
	tcase_add_test(options, manual_names_no_other_option);
	tcase_add_test(options, examples_name_no_other_option);

	tcase_add_loop_test(values, help_quotes_the_default, 0, N_DEFAULTS);
	tcase_add_loop_test(values, manual_quotes_the_default, 0, N_DEFAULTS);
	tcase_add_test(values, default_modes_are_as_documented);
	tcase_add_test(values, half_of_the_connections_are_for_one_user);
	tcase_add_test(values, manual_has_every_exit_code);

	tcase_add_test(form, manuals_are_clean);
	tcase_add_test(form, uxsrv_manual_names_every_header);
	tcase_add_test(form, uxsrv_manual_names_no_other_header);
	tcase_add_test(form, readme_names_only_files_that_are_there);
	tcase_add_test(form, readme_stays_short);
	tcase_add_test(form, readme_has_the_two_commands);
	return suite;
}
