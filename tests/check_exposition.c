/* SPDX-License-Identifier: ISC */
/* What is OpenMetrics, and what is not; one row, one text. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uxping/exposition.h"

static struct exposition e;
static struct exposition_trouble trouble;
static char copy[4096];

static int
parse(const char *text)
{
	strlcpy(copy, text, sizeof(copy));
	return exposition_parse(&e, copy, strlen(text), &trouble);
}

#define END "# EOF\n"
#define C "# TYPE a counter\n"
#define H "# TYPE h histogram\n"
#define INF "h_bucket{le=\"+Inf\"} "

static const char *const good[] = {
	END,
	"# TYPE a gauge\n" END,
	"# TYPE a gauge\na 1\n" END,
	"# TYPE a gauge\na -1.5e-3\n" END,
	"# TYPE a gauge\na +Inf\n" END,
	"# TYPE a gauge\na NaN\n" END,
	"# TYPE a unknown\na 1\n" END,
	"# HELP a what \\\\ it\\n is\na 1\n" END,
	"# TYPE a:b gauge\na:b{} 1\n" END,
	"# UNIT a_seconds seconds\n# TYPE a_seconds gauge\na_seconds 1\n" END,
	C "a_total 0\na_created 1.5\n" END,
	C "a_total{x=\"1\"} 0\na_total{x=\"2\"} 0\n" END,
	C "a_total{x=\"\",y=\" {}=,\\\"\\\\\\n\"} 7\n" END,
	"# TYPE a info\na_info{v=\"1\"} 1\n" END,
	H "h_bucket{le=\"0.1\"} 1\n" INF "3\nh_count 3\nh_sum 4.5\n" END,
};

START_TEST(text_of_the_form_is_read)
{
	const int r = parse(good[_i]);

	ck_assert_msg(r == 0, "row %d, line %zu: %s", _i, trouble.line,
	    trouble.what);
	exposition_fini(&e);
	exposition_fini(&e);
}
END_TEST

static const struct {
	const char *text;
	size_t line;
	const char *what;
} bad[] = {
	{ "", 1, "no # EOF" },
	{ "# EOF", 1, "no # EOF" },
	{ "# EOF\r\n", 1, "without a name" },
	{ END "\n", 1, "behind the end" },
	{ END END, 1, "behind the end" },
	{ "\n" END, 1, "empty line" },
	{ "#EOF\n", 1, "no blank behind #" },
	{ "# TYPE a\n" END, 1, "without a name" },
	{ "# TYPE a gouge\n" END, 1, "not a type" },
	{ "# TYPE 1a gauge\n" END, 1, "not a name" },
	{ "# KIND a gauge\n" END, 1, "neither" },
	{ "# comment that is free\n" END, 1, "neither" },
	{ C C END, 2, "two types" },
	{ "# UNIT a_s s\n# UNIT a_s s\n" END, 2, "two units" },
	{ "# HELP a s\n# HELP a s\n" END, 2, "two helps" },
	{ "# HELP a \\t\n" END, 1, "escape" },
	{ "# UNIT a seconds\n" END, 1, "does not end the name" },
	{ "# UNIT aseconds seconds\n" END, 1, "does not end the name" },
	{ "# UNIT seconds seconds\n" END, 1, "does not end the name" },
	{ C "a_total 1\n# HELP a s\n" END, 3, "after its samples" },
	{ C "# TYPE b gauge\n# HELP a s\n" END, 3, "two pieces" },
	{ "a 1\n" END, 1, "of no family" },
	{ C "a 1\n" END, 2, "of no family" },
	{ C "b_total 1\n" END, 2, "of no family" },
	{ "# TYPE a gauge\na_total 1\n" END, 2, "of no family" },
	{ C "# TYPE b gauge\na_total 1\n" END, 3, "of no family" },
	{ C "a_total\n" END, 2, "not a number" },
	{ C "a_total \n" END, 2, "not a number" },
	{ C "a_total  1\n" END, 2, "not a number" },
	{ C "a_total 1 \n" END, 2, "not a number" },
	{ C "a_total 1 1234\n" END, 2, "not a number" },
	{ C "a_total 1 # {x=\"1\"} 1\n" END, 2, "not a number" },
	{ C "a_total 0x10\n" END, 2, "not a number" },
	{ C "a_total inf\n" END, 2, "not a number" },
	{ C "a_total 1e\n" END, 2, "not a number" },
	{ C "a_total -1\n" END, 2, "below 0" },
	{ C "a_total NaN\n" END, 2, "below 0" },
	{ C "a_total 1\na_total 1\n" END, 3, "already" },
	{ C "a_total{x=\"1\",y=\"2\"} 1\na_total{y=\"2\",x=\"1\"} 1\n" END, 3,
	    "already" },
	{ C "a_total{x} 1\n" END, 2, "quoted value" },
	{ C "a_total{x=1} 1\n" END, 2, "quoted value" },
	{ C "a_total{x=\"1} 1\n" END, 2, "quoted value" },
	{ C "a_total{x=\"1\\\"} 1\n" END, 2, "quoted value" },
	{ C "a_total{x=\"\\t\"} 1\n" END, 2, "not of the form" },
	{ C "a_total{x=\"1\",x=\"2\"} 1\n" END, 2, "twice" },
	{ C "a_total{1x=\"1\"} 1\n" END, 2, "not of the form" },
	{ C "a_total{x:y=\"1\"} 1\n" END, 2, "not of the form" },
	{ C "a_total{x=\"1\"y=\"2\"} 1\n" END, 2, "comma" },
	{ C "a_total{x=\"1\",} 1\n" END, 2, "quoted value" },
	{ C "a_total{x=\"1\"}1\n" END, 2, "no blank" },
	{ "# TYPE a info\na_info 2\n" END, 2, "not 1" },
	{ H "h_bucket 1\n" END, 0, "do not grow" },
	{ H "h_bucket{le=\"1\"} 1\n" END, 0, "without an end" },
	{ H "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\n" INF "1\n" END, 0,
	    "do not grow" },
	{ H "h_bucket{le=\"1\"} 2\n" INF "1\n" END, 0, "do not grow" },
	{ H INF "1\nh_count 2\n" END, 0, "last bucket" },
};

START_TEST(text_that_is_not_is_refused_with_its_line)
{
	ck_assert_msg(parse(bad[_i].text) == -EBADMSG, "row %d was read", _i);

	ck_assert_msg(strstr(trouble.what, bad[_i].what) != NULL, "row %d: %s",
	    _i, trouble.what);
	ck_assert_uint_eq(trouble.line, bad[_i].line);
	ck_assert_ptr_null(e.families);
}
END_TEST

START_TEST(what_is_read_is_what_was_written)
{
	ck_assert_int_eq(
	    parse("# TYPE a_bytes counter\n"
		  "# UNIT a_bytes bytes\n"
		  "# HELP a_bytes Some.\n"
		  "a_bytes_total{x=\"1\",y=\"\\\"\\n\"} 7.50\n" END),
	    0);

	ck_assert_uint_eq(e.n_families, 1);
	ck_assert_str_eq(e.families[0].name, "a_bytes");
	ck_assert_int_eq(e.families[0].type, EXPOSITION_COUNTER);
	ck_assert_str_eq(e.families[0].unit, "bytes");
	ck_assert_str_eq(e.families[0].help, "Some.");
	ck_assert_uint_eq(e.families[0].n_samples, 1);
	ck_assert_str_eq(e.samples[0].name, "a_bytes_total");
	ck_assert_str_eq(e.samples[0].text, "7.50");
	ck_assert_double_eq(e.samples[0].value, 7.5);
	ck_assert_str_eq(exposition_label(&e, &e.samples[0], "x"), "1");
	ck_assert_str_eq(exposition_label(&e, &e.samples[0], "y"), "\"\n");
	ck_assert_ptr_null(exposition_label(&e, &e.samples[0], "z"));
	exposition_fini(&e);
}
END_TEST

START_TEST(nul_byte_is_refused)
{
	char text[] = "# TYPE a gauge\na \0001\n" END;

	ck_assert_int_eq(exposition_parse(&e, text, sizeof(text) - 1, &trouble),
	    -EBADMSG);

	ck_assert_str_eq(trouble.what, "a NUL byte");
	ck_assert_uint_eq(trouble.line, 2);
}
END_TEST

/* More of everything than fits at first. */
START_TEST(many_are_read)
{
	char text[65536];
	size_t n = 0;

	for (int f = 0; f < 40; f++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "# TYPE f%d gauge\n", f);
		for (int s = 0; s < 20; s++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "f%d{x=\"%d\"} %d\n", f, s, s);
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, END);

	ck_assert_int_eq(exposition_parse(&e, text, n, &trouble), 0);

	ck_assert_uint_eq(e.n_families, 40);
	ck_assert_uint_eq(e.n_samples, 800);
	ck_assert_str_eq(e.samples[799].name, "f39");
	ck_assert_str_eq(exposition_label(&e, &e.samples[799], "x"), "19");
	ck_assert_uint_eq(e.families[39].first_sample, 780);
	exposition_fini(&e);
}
END_TEST

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

Suite *
suite_exposition(void)
{
	Suite *suite = suite_create("exposition");
	TCase *form = harness_case(suite, "form");
	TCase *contents = harness_case(suite, "contents");

	tcase_add_loop_test(form, text_of_the_form_is_read, 0, N_OF(good));
	tcase_add_loop_test(form, text_that_is_not_is_refused_with_its_line, 0,
	    N_OF(bad));
	tcase_add_test(form, nul_byte_is_refused);
	tcase_add_test(contents, what_is_read_is_what_was_written);
	tcase_add_test(contents, many_are_read);
	return suite;
}
