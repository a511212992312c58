/* SPDX-License-Identifier: ISC */
/*
 * The pages of section 3 say what the headers say: a page for each header,
 * with the same prototypes in its synopsis, naming every constant; and the
 * program in its EXAMPLES prints what the page says.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "declarations.h"
#include "documents.h"
#include "harness.h"
#include "suites.h"

/* ---- the headers, by number ---- */

#define HEADERS_MAX 64
#define ALL "include/uxsrv/uxsrv.h" /* uxsrv(7) is its page */

static char headers[HEADERS_MAX][300];
static int n_headers;

static void
add_header(const char *header, void *arg)
{
	if (strcmp(header, ALL) == 0 || n_headers == HEADERS_MAX)
		return;
	strlcpy(headers[n_headers++], header, sizeof(headers[0]));
}

/* Before any test runs, so that nothing can be asserted here. */
static int
count_headers(void)
{
	n_headers = 0;
	each_header(add_header, NULL);
	return n_headers;
}

/* "include/uxsrv/loop.h" has "man/uxsrv_loop.3". */
static const char *
page_of(int header)
{
	static char path[400];
	const char *name = strrchr(headers[header], '/') + 1;

	snprintf(path, sizeof(path), "man/uxsrv_%.*s.3",
	    (int)(strlen(name) - strlen(".h")), name);
	return path;
}

static char *
read_page(int header)
{
	if (access(top_path(page_of(header)), R_OK) < 0)
		ck_abort_msg("%s has no manual page %s", headers[header],
		    page_of(header));
	return read_document(page_of(header));
}

START_TEST(headers_were_found)
{
	ck_assert_int_gt(n_headers, 15);
	ck_assert_int_lt(n_headers, HEADERS_MAX);
}
END_TEST

/* ---- the synopsis ---- */

/* The words of a macro's line, quotes taken off: "int *fd" of .Fa "int *fd". */
static const char *
argument(const char *line)
{
	static char text[512];
	size_t n;

	strlcpy(text, line + strlen(".Xx "), sizeof(text));
	n = strlen(text);
	if (text[0] == '"' && n > 1 && text[n - 1] == '"') {
		text[n - 1] = '\0';
		memmove(text, text + 1, n - 1);
	}
	return text;
}

static bool
is_macro(const char *line, const char *macro)
{
	return strncmp(line, macro, 3) == 0 && line[3] == ' ';
}

static void
end_prototype(struct declarations *list, char *text)
{
	ck_assert_int_lt(list->n, DECLARATIONS_MAX);
	strlcat(text, ")", sizeof(list->at[0].text));
	strlcpy(list->at[list->n++].text, text, sizeof(list->at[0].text));
}

/* From .Ft, .Fo, .Fa and .Fc, one prototype; from .Vt, an object. */
static void
read_synopsis(struct declarations *list, char *page)
{
	char *rest = cut_between(page, "\n.Sh SYNOPSIS", "\n.Sh ");
	const size_t size = sizeof(list->at[0].text);
	char text[512] = "";
	bool is_first = true;

	list->n = 0;
	for (char *line; (line = next_line(&rest)) != NULL;) {
		if (is_macro(line, ".Ft")) {
			strlcpy(text, argument(line), size);
			if (text[strlen(text) - 1] != '*')
				strlcat(text, " ", size);
		} else if (is_macro(line, ".Fo")) {
			strlcat(text, argument(line), size);
			strlcat(text, "(", size);
			is_first = true;
		} else if (is_macro(line, ".Fa")) {
			strlcat(text, is_first ? "" : ", ", size);
			strlcat(text, argument(line), size);
			is_first = false;
		} else if (strcmp(line, ".Fc") == 0) {
			end_prototype(list, text);
		} else if (is_macro(line, ".Vt")) {
			line[strlen(line) - strlen(" ;")] = '\0';
			strlcpy(list->at[list->n++].text, argument(line), size);
		}
	}
}

static void
assert_within(const struct declarations *part, const char *part_name,
    const struct declarations *whole, const char *whole_name)
{
	for (int i = 0; i < part->n; i++) {
		bool is_there_too = false;

		for (int j = 0; j < whole->n && !is_there_too; j++)
			is_there_too =
			    strcmp(part->at[i].text, whole->at[j].text) == 0;
		ck_assert_msg(is_there_too, "%s has \"%s\", and %s has not",
		    part_name, part->at[i].text, whole_name);
	}
}

START_TEST(synopsis_is_what_the_header_declares)
{
	struct declarations declared, described;
	char *page = read_page(_i);

	declared.n = 0;
	read_declarations(&declared, headers[_i]);
	read_synopsis(&described, page);

	assert_within(&declared, headers[_i], &described, page_of(_i));
	assert_within(&described, page_of(_i), &declared, headers[_i]);
	free(page);
}
END_TEST

/* For apropos(1), and for man(1) to find a function. */
START_TEST(page_is_named_for_every_function)
{
	char *page = read_page(_i);
	const char *names = cut_between(page, "\n.Sh NAME", "\n.Sh ");
	struct declarations declared;
	char line[128];

	declared.n = 0;
	read_declarations(&declared, headers[_i]);

	for (int i = 0; i < declared.n; i++) {
		const size_t n = (size_t)snprintf(line, sizeof(line), ".Nm %s",
		    declared.at[i].name);
		const char *at = strstr(names, line);

		ck_assert_msg(at != NULL && strchr(" \n", at[n]) != NULL,
		    "%s: NAME has no %s", page_of(_i), declared.at[i].name);
	}
	free(page);
}
END_TEST

/* ---- the types ---- */

/* A display of the page: a struct or enum, up to its private part. */
static void
check_type(char *display, const char *header, int number)
{
	char *private = strstr(display, "\t...\n");

	if (private != NULL)
		*private = '\0';
	if (strchr(display, '{') == NULL)
		return;
	ck_assert_msg(strstr(header, display) != NULL,
	    "%s shows what %s has not, or not so:\n%s", page_of(number),
	    headers[number], display);
}

START_TEST(types_are_shown_as_the_header_has_them)
{
	char *header = read_document(headers[_i]);
	char *page = read_page(_i);
	char *rest = cut_between(page, "\n.Sh DESCRIPTION", "\n.Sh ");
	char display[8192] = "";

	for (char *line; (line = next_line(&rest)) != NULL;) {
		if (strncmp(line, ".Bd -literal", 12) == 0) {
			display[0] = '\0';
		} else if (strcmp(line, ".Ed") == 0) {
			check_type(display, header, _i);
		} else {
			unescape(line);
			strlcat(display, line, sizeof(display));
			strlcat(display, "\n", sizeof(display));
		}
	}
	free(page);
	free(header);
}
END_TEST

/* ---- the constants ---- */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool
has_word(const char *text, const char *word, size_t length)
{
	for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
		if ((at == text || !is_word(at[-1])) && !is_word(at[length]))
			return true;
	}
	return false;
}

/* Those of one header: what is no guard, and no part of how another one is
 * made. */
static bool
is_constant(const char *word)
{
	const size_t n = strlen(word);

	return strncmp(word, "UXS_", 4) == 0 &&
	    strcmp(word + n - 2, "_H") != 0 &&
	    (n < 7 || strcmp(word + n - 7, "_VALUES") != 0) &&
	    strcmp(word, "UXS_SET_MEMBER") != 0 &&
	    strcmp(word, "UXS_INITIAL") != 0;
}

START_TEST(page_names_every_constant)
{
	char *header = read_document(headers[_i]);
	char *page = read_page(_i);

	for (const char *at = header; *at != '\0';) {
		char word[64];
		size_t n = 0;

		while (is_word(at[n]))
			n++;
		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		ck_assert_msg(n == 0 || !is_constant(word) ||
			has_word(page, word, n),
		    "%s does not name %s", page_of(_i), word);
		at += n > 0 ? n : 1;
	}
	free(page);
	free(header);
}
END_TEST

/* ---- the program ---- */

/* Take the next literal display off *rest, as it is shown to the reader. */
static void
next_display(char **rest, const char *file)
{
	FILE *out = fopen(file, "w");
	bool is_inside = false;

	ck_assert_ptr_nonnull(out);
	for (char *line; (line = next_line(rest)) != NULL;) {
		if (strncmp(line, ".Bd -literal", 12) == 0) {
			is_inside = true;
		} else if (strcmp(line, ".Ed") == 0) {
			fclose(out);
			return;
		} else if (is_inside) {
			unescape(line);
			fprintf(out, "%s\n", line);
		}
	}
	ck_abort_msg("no literal display left for %s", file);
}

static const char *
run_script(const char *script, const char *page)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", script,
		program("libuxsrv.a"), NULL };

	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%s: EXAMPLES ends with %d: %s%s",
	    page, result.status, result.out, result.err);
	return result.out;
}

/* CFLAGS as the library was made with: it may be a sanitizer's. */
#define COMPILE                                                             \
	"flags=$(${PKG_CONFIG:-pkg-config} --cflags libbsd-overlay)\n"      \
	"libs=$(${PKG_CONFIG:-pkg-config} --libs libbsd-overlay)\n"         \
	"${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -pedantic -Werror " \
	"-pthread -I\"$UXECHO_TOP/include\" $flags ${CFLAGS:-} -o example " \
	"example.c ${LDFLAGS:-} \"$0\" $libs"

START_TEST(example_prints_what_the_page_says)
{
	char *page = read_page(_i);
	char *rest = cut_between(page, "\n.Sh EXAMPLES", "\n.Sh ");

	next_display(&rest, "example.c");
	next_display(&rest, "expected");
	run_script(COMPILE, page_of(_i));

	assert_file_says("expected", run_script("./example", page_of(_i)));
	free(page);
}
END_TEST

Suite *
suite_library_manuals(void)
{
	Suite *suite = suite_create("library_manuals");
	TCase *form = harness_case(suite, "form");
	TCase *examples = harness_case(suite, "examples");
	const int n = count_headers();

#define EACH(tcase, test) tcase_add_loop_test(tcase, test, 0, n)
	tcase_add_test(form, headers_were_found);
	EACH(form, synopsis_is_what_the_header_declares);
	EACH(form, page_is_named_for_every_function);
	EACH(form, types_are_shown_as_the_header_has_them);
	EACH(form, page_names_every_constant);
	EACH(examples, example_prints_what_the_page_says);
#undef EACH
	return suite;
}
