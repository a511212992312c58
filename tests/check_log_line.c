/* SPDX-License-Identifier: ISC */
/* An event as a line: the forms by tables, and what no event can do to them. */
#include <uxecho/log_line.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flat_json.h"
#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* 2025-11-23T15:46:03.25Z */
static const struct log_entry sample = {
	.level = UXS_NOTICE,
	.event = UXS_EVENT_LIFE,
	.at = { .tv_sec = 1763912763, .tv_nsec = 250000000 },
	.pid = 4711,
	.text = "draining: no new clients",
};

/* ---- the forms ---- */

static const struct {
	enum log_format format;
	enum uxs_level level;
	enum uxs_event event;
	const char *expect;
} forms[] = {
	{ LOG_AS_TEXT, UXS_NOTICE, UXS_EVENT_LIFE,
	    "uxecho: draining: no new clients\n" },
	{ LOG_AS_JOURNAL, UXS_ERROR, UXS_EVENT_LIFE,
	    "<3>draining: no new clients\n" },
	{ LOG_AS_JOURNAL, UXS_WARNING, UXS_EVENT_LIFE,
	    "<4>draining: no new clients\n" },
	{ LOG_AS_JOURNAL, UXS_NOTICE, UXS_EVENT_LIFE,
	    "<5>draining: no new clients\n" },
	{ LOG_AS_JOURNAL, UXS_INFO, UXS_EVENT_SESSION,
	    "<6>draining: no new clients\n" },
	{ LOG_AS_JOURNAL, UXS_DEBUG, UXS_EVENT_DROPPED,
	    "<7>draining: no new clients\n" },
	{ LOG_AS_SYSLOG, UXS_NOTICE, UXS_EVENT_LIFE,
	    "<29>Nov 23 15:46:03 uxecho[4711]: draining: no new clients" },
	{ LOG_AS_SYSLOG, UXS_ERROR, UXS_EVENT_LIFE,
	    "<27>Nov 23 15:46:03 uxecho[4711]: draining: no new clients" },
	{ LOG_AS_JSON, UXS_NOTICE, UXS_EVENT_LIFE,
	    "{\"v\":1,\"time\":\"2025-11-23T15:46:03.250Z\","
	    "\"level\":\"notice\",\"event\":\"life\","
	    "\"message\":\"draining: no new clients\"}\n" },
	{ LOG_AS_JSON, UXS_WARNING, UXS_EVENT_REFUSED,
	    "{\"v\":1,\"time\":\"2025-11-23T15:46:03.250Z\","
	    "\"level\":\"warning\",\"event\":\"refused\","
	    "\"message\":\"draining: no new clients\"}\n" },
};

START_TEST(an_event_has_the_form_that_was_asked_for)
{
	struct log_entry entry = sample;
	char line[LOG_LINE_MAX];
	size_t n;

	setenv("TZ", "UTC0", 1); /* syslog wants local time */
	tzset();
	entry.level = forms[_i].level;
	entry.event = forms[_i].event;
	n = log_line_make(line, forms[_i].format, &entry);

	ck_assert_str_eq(line, forms[_i].expect);
	ck_assert_uint_eq(n, strlen(line));
}
END_TEST

START_TEST(every_event_and_level_has_a_name_of_its_own)
{
	for (int i = 0; i < UXS_N_EVENTS; i++) {
		ck_assert_ptr_nonnull(log_event_name((enum uxs_event)i));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(log_event_name((enum uxs_event)i),
			    log_event_name((enum uxs_event)k));
	}
	for (int i = UXS_ERROR + 1; i <= UXS_DEBUG; i++)
		ck_assert_str_ne(log_level_name((enum uxs_level)i),
		    log_level_name((enum uxs_level)(i - 1)));
}
END_TEST

/* ---- what no event can do ---- */

static void
is_one_printable_line(const char *line, size_t n, enum log_format format)
{
	const size_t n_printable = format == LOG_AS_SYSLOG ? n : n - 1;

	ck_assert_uint_lt(n, LOG_LINE_MAX);
	ck_assert_uint_eq(strlen(line), n);
	/* No assertion for each: one that passes is told to the parent, too. */
	for (size_t i = 0; i < n_printable; i++) {
		if (line[i] < ' ' || line[i] > '~')
			ck_abort_msg("byte %d at %zu", line[i], i);
	}
	if (format != LOG_AS_SYSLOG)
		ck_assert_int_eq(line[n - 1], '\n');
}

/* What the text of the event looks like on the line. */
static const char *
text_of(char *line, enum log_format format)
{
	static struct json_object object;

	line[strcspn(line, "\n")] = '\0';
	if (format == LOG_AS_JSON) {
		ck_assert_msg(json_parse(&object, line, strlen(line)),
		    "not JSON: %s", line);
		ck_assert_int_eq(object.n, 5);
		return json_text(&object, "message");
	}
	if (format == LOG_AS_JOURNAL)
		return strchr(line, '>') + 1;
	if (format == LOG_AS_SYSLOG)
		return strstr(line, "]: ") + 3;
	return strstr(line, ": ") + 2;
}

START_TEST(any_byte_leaves_a_line_one_printable_line)
{
	const enum log_format format = (enum log_format)_i;
	struct log_entry entry = sample;
	char text[] = "a?z", line[LOG_LINE_MAX];

	entry.text = text;
	for (int byte = 1; byte < 256; byte++) {
		size_t n;

		text[1] = (char)byte;
		n = log_line_make(line, format, &entry);

		is_one_printable_line(line, n, format);
		if (format == LOG_AS_JSON) /* and nothing is lost */
			ck_assert_str_eq(text_of(line, format), text);
	}
}
END_TEST

/* Random bytes, of which none is NUL; or as the library makes them: printable,
 * with backslashes, which double in JSON. */
static void
fill_text(char *text, size_t n, unsigned seed)
{
	fill_random(text, n, seed);
	for (size_t i = 0; i < n; i++) {
		if (seed % 2 == 0)
			text[i] = "\\03 \"x"[(unsigned char)text[i] % 6];
		else if (text[i] == '\0')
			text[i] = '0';
	}
	text[n] = '\0';
}

START_TEST(no_event_makes_a_line_longer_than_it_may_be)
{
	const enum log_format format = (enum log_format)_i;
	struct log_entry entry = sample;
	char text[1025], line[LOG_LINE_MAX + 1];
	size_t longest = 0;

	entry.text = text;
	for (unsigned seed = 0; seed < 2000; seed++) {
		size_t n;

		fill_text(text, seed % 1024, seed);
		line[LOG_LINE_MAX] = '#';
		n = log_line_make(line, format, &entry);

		is_one_printable_line(line, n, format);
		ck_assert_int_eq(line[LOG_LINE_MAX], '#');
		longest = n > longest ? n : longest;
		text_of(line, format);
	}
	ck_assert_uint_ge(longest, LOG_LINE_MAX - 8); /* and wastes none */
}
END_TEST

START_TEST(a_long_event_keeps_its_beginning_and_its_end)
{
	static const char end[] = " (18446744073709551615 more like this left "
				  "out)";
	const enum log_format format = (enum log_format)_i;
	struct log_entry entry = sample;
	char middle[600] = "", text[700], line[LOG_LINE_MAX];
	const char *seen;

	memset(middle, '\\', sizeof(middle) - 1);
	snprintf(text, sizeof(text), "beginning %s%s", middle, end);
	entry.text = text;
	log_line_make(line, format, &entry);

	seen = text_of(line, format);
	ck_assert_int_eq(strncmp(seen, "beginning \\", 11), 0);
	ck_assert_ptr_nonnull(strstr(seen, "\\...\\"));
	ck_assert_str_eq(seen + strlen(seen) - strlen(end), end);
}
END_TEST

/* ---- the reader that the other tests rely on ---- */

static const char *const no_json[] = { "", "{", "{}", "[1]", "{\"a\":1",
	"{\"a\":1}x", " {\"a\":1}", "{\"a\":01}", "{\"a\":}", "{a:1}",
	"{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u00g0\"}",
	"{\"a\":\"\\u0\"}", "{\"a\":\"b}", "{\"a\":\"\\\"}", "{\"a\":1,}",
	"{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}" };

START_TEST(the_reader_takes_no_other_json)
{
	static struct json_object object;

	ck_assert(!json_parse(&object, no_json[_i], strlen(no_json[_i])));
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_log_line(void)
{
	Suite *suite = suite_create("log line");
	TCase *form = harness_case(suite, "form");
	TCase *safety = harness_case(suite, "safety");
	TCase *reader = harness_case(suite, "reader");

	TABLE(form, an_event_has_the_form_that_was_asked_for, forms);
	tcase_add_test(form, every_event_and_level_has_a_name_of_its_own);

	tcase_add_loop_test(safety, any_byte_leaves_a_line_one_printable_line,
	    0, N_LOG_FORMATS);
	tcase_add_loop_test(safety, no_event_makes_a_line_longer_than_it_may_be,
	    0, N_LOG_FORMATS);
	tcase_add_loop_test(safety,
	    a_long_event_keeps_its_beginning_and_its_end, 0, N_LOG_FORMATS);

	TABLE(reader, the_reader_takes_no_other_json, no_json);
	return suite;
}
