/* SPDX-License-Identifier: ISC */
#include <uxsrv/log.h>

#include <ctype.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"

#define S UXS_NS_PER_S

/* ---- escaping ---- */

/* What one byte must look like, told apart from how it is done. */
static const char *
expected_escape(unsigned char byte)
{
	static char text[8];

	if (byte == '\n' || byte == '\t' || byte == '\r')
		snprintf(text, sizeof(text), "\\%c",
		    byte == '\n'     ? 'n' :
			byte == '\t' ? 't' :
				       'r');
	else if (byte < ' ' || byte > '~' || byte == '\\')
		snprintf(text, sizeof(text), "\\%03o", byte);
	else
		snprintf(text, sizeof(text), "%c", byte);
	return text;
}

START_TEST(every_byte_is_printable_afterwards)
{
	const unsigned char byte = (unsigned char)_i;
	char text[16];

	uxs_escape(text, sizeof(text), &byte, 1);

	ck_assert_str_eq(text, expected_escape(byte));
}
END_TEST

START_TEST(a_digit_behind_an_escape_stays_a_digit)
{
	char text[16];

	uxs_escape(text, sizeof(text),
	    "\0001\x1b"
	    "7",
	    4);

	ck_assert_str_eq(text, "\\0001\\0337");
}
END_TEST

START_TEST(no_bytes_are_the_empty_text)
{
	char text[8] = "before";

	uxs_escape(text, sizeof(text), NULL, 0);

	ck_assert_str_eq(text, "");
}
END_TEST

/* Is text either all of whole, or the beginning of it and "..."? */
static bool
is_whole_or_cut(const char *text, const char *whole)
{
	const size_t n = strlen(text);

	return strcmp(text, whole) == 0 ||
	    (n >= 3 && strcmp(text + n - 3, "...") == 0 &&
		strncmp(text, whole, n - 3) == 0);
}

START_TEST(a_text_too_long_is_cut_and_says_so)
{
	const size_t size = (size_t)_i;
	unsigned char bytes[40];
	char whole[4 * sizeof(bytes) + 8], text[64];

	for (unsigned seed = 0; seed < 200; seed++) {
		const size_t n = seed % (sizeof(bytes) + 1);

		fill_random(bytes, n, seed);
		memset(text, '#', sizeof(text));
		uxs_escape(whole, sizeof(whole), bytes, n);
		uxs_escape(text, size, bytes, n);

		ck_assert_uint_lt(strlen(text), size);
		ck_assert_int_eq(text[size], '#');
		ck_assert_msg(is_whole_or_cut(text, whole),
		    "size %zu: '%s' of '%s'", size, text, whole);
	}
}
END_TEST

START_TEST(an_escape_is_never_cut_in_two)
{
	char text[16];

	for (size_t size = 8; size <= sizeof(text); size++) {
		uxs_escape(text, size, "\1\1\1\1\1\1\1\1", 8);
		ck_assert_uint_eq((strlen(text) - 3) % 4, 0);
	}
}
END_TEST

START_TEST(a_text_that_fits_is_not_cut)
{
	char text[12];

	uxs_escape(text, sizeof(text), "12345678", 8);

	ck_assert_str_eq(text, "12345678");
}
END_TEST

/* ---- the limiter ---- */

static int
take(struct uxs_log_limit *limit, int64_t now_ns, int n)
{
	int n_taken = 0;

	for (int i = 0; i < n; i++)
		n_taken += uxs_log_limit_take(limit, now_ns);
	return n_taken;
}

START_TEST(a_burst_passes_and_no_more)
{
	struct uxs_log_limit limit = { 0 };

	ck_assert_int_eq(take(&limit, 1000 * S, 100), UXS_LOG_BURST);

	ck_assert_uint_eq(limit.n_left_out, 100 - UXS_LOG_BURST);
}
END_TEST

START_TEST(after_a_burst_one_line_a_second)
{
	struct uxs_log_limit limit = { 0 };

	take(&limit, 1000 * S, 100);

	ck_assert_int_eq(take(&limit, 1001 * S - 1, 5), 0);
	ck_assert_int_eq(take(&limit, 1001 * S, 5), 1);
	ck_assert_int_eq(take(&limit, 1002 * S, 5), 1);
	ck_assert_int_eq(take(&limit, 1005 * S, 5), 3);
}
END_TEST

START_TEST(silence_gives_the_burst_back_and_no_more)
{
	struct uxs_log_limit limit = { 0 };

	take(&limit, 1000 * S, 100);

	ck_assert_int_eq(take(&limit, 9000 * S, 100), UXS_LOG_BURST);
}
END_TEST

START_TEST(a_line_a_second_always_passes)
{
	struct uxs_log_limit limit = { 0 };

	for (int64_t i = 1; i <= 1000; i++)
		ck_assert_int_eq(take(&limit, i * S, 1), 1);
}
END_TEST

/* ---- lines ---- */

struct written {
	int n;
	enum uxs_level level;
	enum uxs_event event;
	char line[4 * UXS_LOG_LINE_MAX];
};

static void
remember(void *arg, enum uxs_level level, enum uxs_event event,
    const char *line)
{
	struct written *written = arg;

	written->n++;
	written->level = level;
	written->event = event;
	ck_assert_uint_lt(strlen(line), sizeof(written->line));
	strcpy(written->line, line);
}

static struct uxs_log
log_into(struct written *written)
{
	*written = (struct written){ 0 };
	return (struct uxs_log){
		.write = remember,
		.arg = written,
		.max_level = UXS_INFO,
	};
}

static void
flood(struct uxs_log *log, enum uxs_event event, int n)
{
	for (int i = 0; i < n; i++)
		uxs_log_print(log, UXS_INFO, event, 1000 * S, "line");
}

START_TEST(a_line_comes_as_it_was_written)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	uxs_log_print(&log, UXS_WARNING, UXS_EVENT_REFUSED, S, "%s %d", "no",
	    7);

	ck_assert_int_eq(written.n, 1);
	ck_assert_int_eq(written.level, UXS_WARNING);
	ck_assert_int_eq(written.event, UXS_EVENT_REFUSED);
	ck_assert_str_eq(written.line, "no 7");
}
END_TEST

START_TEST(nobody_who_listens_is_no_trouble)
{
	struct uxs_log deaf = { .max_level = UXS_DEBUG };

	uxs_log_print(NULL, UXS_ERROR, UXS_EVENT_LIFE, S, "line");
	uxs_log_print(&deaf, UXS_ERROR, UXS_EVENT_LIFE, S, "line");
}
END_TEST

START_TEST(lines_above_the_level_are_neither_written_nor_counted)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	for (int i = 0; i < 100; i++)
		uxs_log_print(&log, UXS_DEBUG, UXS_EVENT_SESSION, S, "line");
	ck_assert_int_eq(written.n, 0);
	uxs_log_print(&log, UXS_INFO, UXS_EVENT_SESSION, S, "line");

	ck_assert_int_eq(written.n, 1);
	ck_assert_str_eq(written.line, "line");
}
END_TEST

START_TEST(a_flood_of_one_kind_does_not_hide_another)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	flood(&log, UXS_EVENT_REFUSED, 1000);
	ck_assert_int_eq(written.n, UXS_LOG_BURST);
	flood(&log, UXS_EVENT_SESSION, 1);

	ck_assert_int_eq(written.n, UXS_LOG_BURST + 1);
}
END_TEST

START_TEST(events_of_life_are_never_left_out)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	flood(&log, UXS_EVENT_LIFE, 1000);

	ck_assert_int_eq(written.n, 1000);
}
END_TEST

START_TEST(the_next_line_says_how_many_were_left_out)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	flood(&log, UXS_EVENT_DROPPED, UXS_LOG_BURST + 7);
	uxs_log_print(&log, UXS_INFO, UXS_EVENT_DROPPED, 1001 * S, "next");

	ck_assert_str_eq(written.line, "next (7 more like this left out)");
}
END_TEST

START_TEST(what_was_said_once_is_not_said_again)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	flood(&log, UXS_EVENT_DROPPED, UXS_LOG_BURST + 7);
	uxs_log_print(&log, UXS_INFO, UXS_EVENT_DROPPED, 1001 * S, "next");
	uxs_log_print(&log, UXS_INFO, UXS_EVENT_DROPPED, 1002 * S, "then");

	ck_assert_str_eq(written.line, "then");
}
END_TEST

/* A message of so many bytes, printed when seven others were left out. */
static void
print_long(struct uxs_log *log, int n_bytes)
{
	char *message = malloc((size_t)n_bytes + 1);

	ck_assert_ptr_nonnull(message);
	memset(message, 'x', (size_t)n_bytes);
	message[n_bytes] = '\0';
	uxs_log_print(log, UXS_INFO, UXS_EVENT_DROPPED, 1001 * S, "%s",
	    message);
	free(message);
}

static const int lengths[] = { 0, 1, 470, 477, 478, 479, 480, 490, 505, 507,
	508, 509, 510, 511, 512, 513, 1024, 100000 };

#define N_LENGTHS ((int)(sizeof(lengths) / sizeof(lengths[0])))

START_TEST(a_line_is_never_longer_than_it_may_be)
{
	const int n_bytes = lengths[_i];
	struct written written;
	struct uxs_log log = log_into(&written);

	print_long(&log, n_bytes);

	if (n_bytes < UXS_LOG_LINE_MAX) {
		ck_assert_uint_eq(strlen(written.line), (size_t)n_bytes);
	} else {
		ck_assert_uint_eq(strlen(written.line), UXS_LOG_LINE_MAX - 1);
		ck_assert_str_eq(written.line + UXS_LOG_LINE_MAX - 4, "...");
	}
}
END_TEST

START_TEST(a_long_line_still_says_how_many_were_left_out)
{
	struct written written;
	struct uxs_log log = log_into(&written);

	flood(&log, UXS_EVENT_DROPPED, UXS_LOG_BURST + 7);
	print_long(&log, lengths[_i]);

	ck_assert_uint_lt(strlen(written.line), UXS_LOG_LINE_MAX);
	ck_assert_ptr_nonnull(strstr(written.line,
	    " (7 more like this left out)"));
}
END_TEST

/* ---- several threads ---- */

#define THREADS 4
#define LINES 500

/* Counts without care, as it may: it is called for one line at a time. */
struct careless {
	int n, n_inside;
	unsigned long n_left_out;
};

static void
count_carelessly(void *arg, enum uxs_level level, enum uxs_event event,
    const char *line)
{
	struct careless *c = arg;
	unsigned long more;

	ck_assert_int_eq(c->n_inside++, 0);
	sched_yield();
	c->n++;
	if (sscanf(line, "%*s (%lu more like this left out)", &more) == 1)
		c->n_left_out += more;
	c->n_inside--;
}

static enum uxs_event event_of_threads;

static void *
print_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		uxs_log_print(arg, UXS_INFO, event_of_threads, 1000 * S,
		    "line");
	return NULL;
}

static void
print_from_threads(struct uxs_log *log)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, print_lines,
				     log),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(threads_print_one_line_at_a_time)
{
	struct careless c = { .n = 0 };
	struct uxs_log log = {
		.write = count_carelessly,
		.arg = &c,
		.max_level = UXS_INFO,
	};

	event_of_threads = UXS_EVENT_LIFE;
	print_from_threads(&log);

	ck_assert_int_eq(c.n, THREADS * LINES);
}
END_TEST

START_TEST(threads_share_a_limit_and_every_line_is_accounted_for)
{
	struct careless c = { .n = 0 };
	struct uxs_log log = {
		.write = count_carelessly,
		.arg = &c,
		.max_level = UXS_INFO,
	};

	event_of_threads = UXS_EVENT_SESSION;
	print_from_threads(&log);
	ck_assert_int_eq(c.n, UXS_LOG_BURST);
	uxs_log_print(&log, UXS_INFO, UXS_EVENT_SESSION, 1001 * S, "line");

	ck_assert_uint_eq(c.n_left_out, THREADS * LINES - UXS_LOG_BURST);
}
END_TEST

Suite *
suite_log(void)
{
	Suite *suite = suite_create("log");
	TCase *escaping = harness_case(suite, "escaping");
	TCase *limit = harness_case(suite, "limit");
	TCase *lines = harness_case(suite, "lines");
	TCase *threads = harness_case(suite, "threads");

	tcase_add_loop_test(escaping, every_byte_is_printable_afterwards, 0,
	    256);
	tcase_add_test(escaping, a_digit_behind_an_escape_stays_a_digit);
	tcase_add_test(escaping, no_bytes_are_the_empty_text);
	tcase_add_loop_test(escaping, a_text_too_long_is_cut_and_says_so, 8,
	    60);
	tcase_add_test(escaping, an_escape_is_never_cut_in_two);
	tcase_add_test(escaping, a_text_that_fits_is_not_cut);

	tcase_add_test(threads, threads_print_one_line_at_a_time);
	tcase_add_test(threads,
	    threads_share_a_limit_and_every_line_is_accounted_for);

	tcase_add_test(limit, a_burst_passes_and_no_more);
	tcase_add_test(limit, after_a_burst_one_line_a_second);
	tcase_add_test(limit, silence_gives_the_burst_back_and_no_more);
	tcase_add_test(limit, a_line_a_second_always_passes);

	tcase_add_test(lines, a_line_comes_as_it_was_written);
	tcase_add_test(lines, nobody_who_listens_is_no_trouble);
	tcase_add_test(lines,
	    lines_above_the_level_are_neither_written_nor_counted);
	tcase_add_test(lines, a_flood_of_one_kind_does_not_hide_another);
	tcase_add_test(lines, events_of_life_are_never_left_out);
	tcase_add_test(lines, the_next_line_says_how_many_were_left_out);
	tcase_add_test(lines, what_was_said_once_is_not_said_again);
	tcase_add_loop_test(lines, a_line_is_never_longer_than_it_may_be, 0,
	    N_LENGTHS);
	tcase_add_loop_test(lines,
	    a_long_line_still_says_how_many_were_left_out, 0, N_LENGTHS);
	return suite;
}
