/* SPDX-License-Identifier: ISC */
/* uxping's table of options, its --help and its manual say the same. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "harness.h"
#include "suites.h"
#include "uxping/options.h"

static struct output_of help;

static void
read_help(void)
{
	const char *const argv[] = { "uxping", "--help", NULL };

	run_program(&help, argv);
	ck_assert_int_eq(help.status, 0);
}

/* "Fl c , Fl -count Ar" or "Fl -wait Ar": as mdoc writes the row. */
static void
print_entry(char *text, size_t size, const struct options_row *row)
{
	char letter[16] = "";

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "Fl %c , ", row->letter);
	snprintf(text, size, "%sFl -%s%s", letter, row->name,
	    row->argument != NULL ? " Ar " : "");
}

START_TEST(help_lists_the_option)
{
	const struct options_row *row = &options_table[_i];
	char name[64];

	if (row->name == NULL)
		return; /* a heading */
	read_help();

	snprintf(name, sizeof(name), "--%s%s%s", row->name,
	    row->argument != NULL ? " " : "",
	    row->argument != NULL ? row->argument : "");
	ck_assert_ptr_nonnull(strstr(help.out, name));
	ck_assert_ptr_nonnull(strstr(help.out, row->help));
}
END_TEST

START_TEST(manual_has_the_option)
{
	const struct options_row *row = &options_table[_i];
	char *manual, entry[128];

	if (row->name == NULL)
		return;
	manual = read_document("man/uxping.1");
	print_entry(entry, sizeof(entry), row);

	ck_assert_msg(strstr(manual, entry) != NULL, "no %s", entry);
	free(manual);
}
END_TEST

static bool
is_long_option(const char *name, size_t length)
{
	for (size_t i = 0; i < options_n; i++) {
		const char *known = options_table[i].name;

		if (known != NULL && strlen(known) == length &&
		    strncmp(known, name, length) == 0)
			return true;
	}
	return false;
}

START_TEST(manual_names_no_other_option)
{
	char *manual = read_document("man/uxping.1");
	int n = 0;

	for (char *at = manual; (at = strstr(at, "Fl -")) != NULL; n++) {
		size_t length;

		at += strlen("Fl -");
		length = strcspn(at, " \n");
		ck_assert_msg(is_long_option(at, length), "--%.*s", (int)length,
		    at);
	}

	ck_assert_int_ge(n, 30);
	free(manual);
}
END_TEST

START_TEST(manual_is_clean)
{
	static const char *const pages[] = { "man/uxping.1",
		"man/uxping_json.5" };
	struct output_of lint;
	char page[4096];
	const char *const argv[] = { "/bin/sh", "-c",
		"exec mandoc -Tlint -W warning \"$0\"", page, NULL };

	if (!has_tool("mandoc")) {
		skip("needs mandoc, to judge manuals");
		return;
	}
	snprintf(page, sizeof(page), "%s", top_path(pages[_i]));
	run_program(&lint, argv);

	ck_assert_str_eq(lint.out, "");
	ck_assert_int_eq(lint.status, 0);
}
END_TEST

/* Every reason word is in the table of the manual and told by --json. */
START_TEST(manual_explains_every_reason)
{
	static const char *const reasons[] = { "no-such-file", "permission",
		"not-a-socket", "stale", "backlog-full", "wrong-type", "denied",
		"timeout", "corrupt" };
	char *manual = read_document("man/uxping.1");
	char item[64];

	snprintf(item, sizeof(item), "%s", reasons[_i]);
	ck_assert_msg(strstr(manual, item) != NULL, "no %s", item);
	free(manual);
}
END_TEST

Suite *
suite_uxping_documents(void)
{
	Suite *suite = suite_create("uxping documents");
	TCase *options = harness_case(suite, "options");
	TCase *form = harness_case(suite, "form");

	tcase_add_loop_test(options, help_lists_the_option, 0, (int)options_n);
	tcase_add_loop_test(options, manual_has_the_option, 0, (int)options_n);
	tcase_add_test(options, manual_names_no_other_option);
	tcase_add_loop_test(form, manual_is_clean, 0, 2);
	tcase_add_loop_test(form, manual_explains_every_reason, 0, 9);
	return suite;
}
