/* SPDX-License-Identifier: ISC */
/*
 * libuxsrv as others see it: what the headers declare, what the list of its
 * symbols says, and what the library shows are the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "declarations.h"
#include "documents.h"
#include "harness.h"
#include "suites.h"

#define MAP "src/lib/libuxsrv.map"

static void
add_header(const char *header, void *arg)
{
	read_declarations(arg, header);
}

/* Those that are symbols; the others are code of whoever includes them. */
static void
declared_symbols(struct declarations *list)
{
	int n = 0;

	list->n = 0;
	each_header(add_header, list);
	for (int i = 0; i < list->n; i++) {
		if (!list->at[i].is_inline)
			list->at[n++] = list->at[i];
	}
	list->n = n;
}

static void
add_name(struct declarations *list, const char *name, size_t length)
{
	struct declaration *new = &list->at[list->n++];

	ck_assert_int_le(list->n, DECLARATIONS_MAX);
	snprintf(new->name, sizeof(new->name), "%.*s", (int)length, name);
}

static void
listed_symbols(struct declarations *list)
{
	char *map = read_document(MAP);

	list->n = 0;
	for (char *rest = map, *line; (line = next_line(&rest)) != NULL;) {
		if (strncmp(line, "\t\tuxs_", 6) == 0)
			add_name(list, line + 2, strcspn(line + 2, ";"));
	}
	free(map);
}

/* What nm(1) says of a library that was built: "0000 T name@@VERSION". */
static void
shown_symbols(struct declarations *list, const char *library, const char *how)
{
	struct output_of result;
	const char *const argv[] = { "/usr/bin/env", "nm", how,
		"--defined-only", program(library), NULL };

	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "nm: %s", result.err);
	list->n = 0;
	for (char *rest = result.out, *line; (line = next_line(&rest));) {
		const char *kind = strchr(line, ' ');

		if (kind == NULL || kind[1] == 'A' || kind[1] == 'U')
			continue;
		add_name(list, kind + 3, strcspn(kind + 3, "@"));
	}
}

static void
assert_within(const struct declarations *part, const char *part_is,
    const struct declarations *whole, const char *whole_is)
{
	for (int i = 0; i < part->n; i++)
		ck_assert_msg(declares(whole, part->at[i].name),
		    "%s: %s, and not %s", part->at[i].name, part_is, whole_is);
	ck_assert_int_gt(part->n, 50);
}

START_TEST(list_of_symbols_is_what_the_headers_declare)
{
	struct declarations declared, other;

	declared_symbols(&declared);
	listed_symbols(&other);

	assert_within(&declared, "declared in include/uxsrv", &other,
	    "listed in " MAP);
	assert_within(&other, "listed in " MAP, &declared,
	    "declared in include/uxsrv");
}
END_TEST

/* The sanitizers add symbols of their own. */
static bool
is_sanitized(void)
{
	const char *flags = getenv("CFLAGS");

	return flags != NULL && strstr(flags, "-fsanitize") != NULL;
}

static void
check_library(const char *library, const char *how)
{
	struct declarations declared, other;

	declared_symbols(&declared);
	shown_symbols(&other, library, how);

	assert_within(&declared, "declared in include/uxsrv", &other,
	    "shown by the library");
	if (is_sanitized())
		return;
	assert_within(&other, "shown by the library", &declared,
	    "declared in include/uxsrv");
}

START_TEST(shared_library_shows_what_the_headers_declare)
{
	check_library("libuxsrv.so", "-D");
}
END_TEST

START_TEST(static_library_shows_what_the_headers_declare)
{
	check_library("libuxsrv.a", "-g");
}
END_TEST

/* What the loader reads: the name to look for, and what else is needed. */
START_TEST(shared_library_names_itself_and_what_it_needs)
{
	struct output_of result;
	const char *const argv[] = { "/usr/bin/env", "readelf", "-dW",
		program("libuxsrv.so"), NULL };

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out, "soname: [libuxsrv.so.0]"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "Shared library: [libbsd.so.0]"));
}
END_TEST

static void
check_is_c(const char *header, void *arg)
{
	char *text = read_document(header);
	struct declarations *own = arg;

	own->n = 0;
	read_declarations(own, header);
	ck_assert_msg(own->n == 0 ||
		(strstr(text, "\n__BEGIN_DECLS\n") != NULL &&
		    strstr(text, "\n__END_DECLS\n") != NULL),
	    "%s does not say that its functions are C", header);
	free(text);
}

/* Or a program in C++ would look for others. */
START_TEST(headers_say_that_their_functions_are_c)
{
	struct declarations own;

	ck_assert_int_gt(each_header(check_is_c, &own), 10);
}
END_TEST

Suite *
suite_library(void)
{
	Suite *suite = suite_create("library");
	TCase *symbols = harness_case(suite, "symbols");

	tcase_add_test(symbols, list_of_symbols_is_what_the_headers_declare);
	tcase_add_test(symbols, shared_library_shows_what_the_headers_declare);
	tcase_add_test(symbols, static_library_shows_what_the_headers_declare);
	tcase_add_test(symbols, headers_say_that_their_functions_are_c);
	tcase_add_test(symbols, shared_library_names_itself_and_what_it_needs);
	return suite;
}
