/* SPDX-License-Identifier: ISC */
/*
 * Bytes to messages and back. A row is a whole input and what it means; each
 * is given whole, cut in two at every place, and byte by byte.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/framing.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define MAX 10

/* ---- what an input means, as text: "[hello][]malformed" ---- */

#define MEANING_MAX 512

struct reader {
	struct uxs_deframer deframer;
	bool has_failed;
	size_t length; /* of text */
	char text[MEANING_MAX];
	bool is_open; /* a message has begun, in text too */
};

static void
put(struct reader *r, const char *bytes, size_t length)
{
	ck_assert_uint_lt(r->length + length, MEANING_MAX);
	memcpy(r->text + r->length, bytes, length);
	r->length += length;
	r->text[r->length] = '\0';
}

static void
put_piece(struct reader *r, const char *bytes, size_t length, bool is_last)
{
	if (!r->is_open && (length > 0 || is_last)) {
		put(r, "[", 1);
		r->is_open = true;
	}
	put(r, bytes, length);
	if (is_last) {
		put(r, "]", 1);
		r->is_open = false;
	}
}

static void
put_failure(struct reader *r, enum uxs_frame outcome)
{
	const char *word = outcome == UXS_FRAME_TOO_LONG ? "too_long" :
							   "malformed";

	r->has_failed = true;
	/* How much of a message came before depends on the cuts. */
	if (r->is_open) {
		while (r->text[r->length - 1] != '[')
			r->length--;
		r->length--;
	}
	put(r, word, strlen(word));
}

static void
feed(struct reader *r, const char *data, size_t length)
{
	size_t at = 0;

	while (at < length && !r->has_failed) {
		struct uxs_frame_piece piece;
		const enum uxs_frame outcome = uxs_deframer_next(&r->deframer,
		    data + at, length - at, &piece);

		ck_assert_uint_le(piece.n_taken, length - at);
		if (outcome == UXS_FRAME_NONE)
			ck_assert_uint_eq(piece.n_taken, length - at);
		at += piece.n_taken;
		if (outcome == UXS_FRAME_NONE || outcome == UXS_FRAME_WHOLE)
			put_piece(r, piece.data, piece.length,
			    outcome == UXS_FRAME_WHOLE);
		else
			put_failure(r, outcome);
	}
}

static void
end(struct reader *r)
{
	const enum uxs_frame outcome = uxs_deframer_end(&r->deframer);

	if (r->has_failed)
		return;
	if (outcome == UXS_FRAME_WHOLE)
		put_piece(r, "", 0, true);
	else if (outcome != UXS_FRAME_NONE)
		put_failure(r, outcome);
}

static struct reader *
new_reader(enum uxs_framing framing, size_t max)
{
	struct reader *r = calloc(1, sizeof(*r));

	ck_assert_ptr_nonnull(r);
	uxs_deframer_init(&r->deframer, framing, max);
	return r;
}

struct row {
	enum uxs_framing framing;
	const char *input;
	size_t length;
	const char *meaning; /* without, and behind a '|' with the end */
};

#define LINE(input, meaning)                                        \
	{                                                           \
		UXS_FRAMING_LINE, input, sizeof(input) - 1, meaning \
	}
#define NET(input, meaning)                                              \
	{                                                                \
		UXS_FRAMING_NETSTRING, input, sizeof(input) - 1, meaning \
	}
#define U32(input, meaning)                                        \
	{                                                          \
		UXS_FRAMING_U32, input, sizeof(input) - 1, meaning \
	}

static const struct row rows[] = {
	LINE("", "|"),
	LINE("\n", "[]|"),
	LINE("a\n", "[a]|"),
	LINE("one\ntwo\n\nthree\n", "[one][two][][three]|"),
	LINE("one\r\n", "[one\r]|"),
	LINE("last", "[last|]"),
	LINE("one\nlast", "[one][last|]"),
	LINE("0123456789\n", "[0123456789]|"),
	LINE("0123456789", "[0123456789|]"),
	LINE("01234567890\n", "too_long|"),
	LINE("ok\n01234567890", "[ok]too_long|"),
	NET("", "|"),
	NET("0:,", "[]|"),
	NET("5:hello,", "[hello]|"),
	NET("5:a,:1b,0:,1:x,", "[a,:1b][][x]|"),
	NET("10:0123456789,", "[0123456789]|"),
	NET("11:0123456789a,", "too_long|"),
	NET("99999999999999999999999999:", "too_long|"),
	NET("18446744073709551617:a,", "too_long|"),
	NET("1:a,05:hello,", "[a]malformed|"),
	NET("00:,", "malformed|"),
	NET(":,", "malformed|"),
	NET("-1:,", "malformed|"),
	NET("+1:a,", "malformed|"),
	NET(" 1:a,", "malformed|"),
	NET("1 :a,", "malformed|"),
	NET("1:ab", "malformed|"),
	NET("1:a;", "malformed|"),
	NET("0:;", "malformed|"),
	NET("1:a,\n", "[a]malformed|"),
	NET("hello", "malformed|"),
	NET("5", "|malformed"),
	NET("5:", "|malformed"),
	NET("1:a,5:hel", "[a][hel|malformed"),
	NET("1:a,5:hello", "[a][hello|malformed"),
	U32("", "|"),
	U32("\0\0\0\0", "[]|"),
	U32("\0\0\0\5hello", "[hello]|"),
	U32("\0\0\0\1a\0\0\0\0\0\0\0\2bc", "[a][][bc]|"),
	U32("\0\0\0\12"
	    "0123456789",
	    "[0123456789]|"),
	U32("\0\0\0\13"
	    "0123456789a",
	    "too_long|"),
	U32("\0\0\1\0", "too_long|"),
	U32("\1\0\0\5hello", "too_long|"),
	U32("\377\377\377\377", "too_long|"),
	U32("\0", "|malformed"),
	U32("\0\0\0\5", "|malformed"),
	U32("\0\0\0\1a\0\0\0\5hel", "[a][hel|malformed"),
};

/* The part before the '|', and all of it without the '|' and without what an
 * end in the middle takes back. */
static void
check_meaning(const struct row *row, struct reader *r)
{
	const size_t n = strcspn(row->meaning, "|");
	const char *then = row->meaning + n + 1;
	char expected[MEANING_MAX];

	ck_assert_msg(r->length == n && memcmp(r->text, row->meaning, n) == 0,
	    "%s is no %.*s", r->text, (int)n, row->meaning);
	snprintf(expected, sizeof(expected), "%.*s", (int)n, row->meaning);
	if (strcmp(then, "malformed") == 0 && r->is_open)
		*strrchr(expected, '[') = '\0';
	strlcat(expected, then, sizeof(expected));
	end(r);
	r->text[r->length] = '\0';
	ck_assert_str_eq(r->text, expected);
}

START_TEST(input_means_the_same_at_every_cut)
{
	const struct row *row = &rows[_i];

	for (size_t cut = 0; cut <= row->length; cut++) {
		struct reader *r = new_reader(row->framing, MAX);

		feed(r, row->input, cut);
		feed(r, row->input + cut, row->length - cut);
		check_meaning(row, r);
		free(r);
	}
}
END_TEST

START_TEST(input_means_the_same_byte_by_byte)
{
	const struct row *row = &rows[_i];
	struct reader *r = new_reader(row->framing, MAX);

	for (size_t i = 0; i < row->length; i++)
		feed(r, row->input + i, 1);

	check_meaning(row, r);
	free(r);
}
END_TEST

/* ---- one call ---- */

START_TEST(whole_message_is_given_where_it_stands)
{
	static const char *const inputs[UXS_N_FRAMINGS] = { "hello", "hello\nx",
		"5:hello,x", "\0\0\0\5hellox" };
	static const size_t lengths[UXS_N_FRAMINGS] = { 5, 7, 9, 10 };
	static const size_t at[UXS_N_FRAMINGS] = { 0, 0, 2, 4 };
	static const size_t taken[UXS_N_FRAMINGS] = { 5, 6, 8, 9 };
	struct uxs_deframer d;
	struct uxs_frame_piece piece;

	uxs_deframer_init(&d, (enum uxs_framing)_i, MAX);

	ck_assert_int_eq(uxs_deframer_next(&d, inputs[_i], lengths[_i], &piece),
	    UXS_FRAME_WHOLE);

	ck_assert_ptr_eq(piece.data, inputs[_i] + at[_i]);
	ck_assert_uint_eq(piece.length, 5);
	ck_assert_uint_eq(piece.n_taken, taken[_i]);
	ck_assert(!uxs_deframer_is_amid(&d));
}
END_TEST

START_TEST(there_is_something_to_remember_only_within_a_message)
{
	static const char inputs[UXS_N_FRAMINGS][8] = { "", "ab\n", "2:ab,",
		"\0\0\0\2ab" };
	static const int lengths[UXS_N_FRAMINGS] = { 0, 3, 5, 6 };
	struct uxs_deframer d;
	struct uxs_frame_piece piece;

	uxs_deframer_init(&d, (enum uxs_framing)_i, MAX);

	for (int i = 0; i < lengths[_i]; i++) {
		ck_assert_int_eq(uxs_deframer_is_amid(&d), i > 0);
		uxs_deframer_next(&d, inputs[_i] + i, 1, &piece);
	}

	ck_assert(!uxs_deframer_is_amid(&d));
}
END_TEST

START_TEST(failure_is_final)
{
	struct uxs_deframer d;
	struct uxs_frame_piece piece;

	uxs_deframer_init(&d, UXS_FRAMING_NETSTRING, MAX);
	uxs_deframer_next(&d, "x", 1, &piece);

	ck_assert_int_eq(uxs_deframer_next(&d, "1:a,", 4, &piece),
	    UXS_FRAME_MALFORMED);
	ck_assert_int_eq(uxs_deframer_end(&d), UXS_FRAME_MALFORMED);

	uxs_deframer_init(&d, UXS_FRAMING_LINE, 1);
	uxs_deframer_next(&d, "ab", 2, &piece);
	ck_assert_int_eq(uxs_deframer_next(&d, "\na\n", 3, &piece),
	    UXS_FRAME_TOO_LONG);
	ck_assert_int_eq(uxs_deframer_end(&d), UXS_FRAME_TOO_LONG);
}
END_TEST

/* A length of all bits is no reason to overflow, whatever the limit. */
START_TEST(limit_may_be_all_there_is)
{
	struct uxs_deframer d;
	struct uxs_frame_piece piece;

	uxs_deframer_init(&d, UXS_FRAMING_NETSTRING, SIZE_MAX);
	ck_assert_int_eq(uxs_deframer_next(&d, "18446744073709551615:a", 22,
			     &piece),
	    UXS_FRAME_NONE);
	ck_assert_uint_eq(piece.length, 1);

	uxs_deframer_init(&d, UXS_FRAMING_NETSTRING, SIZE_MAX);
	ck_assert_int_eq(uxs_deframer_next(&d, "18446744073709551616:a", 22,
			     &piece),
	    UXS_FRAME_TOO_LONG);
}
END_TEST

/* ---- there and back ---- */

#define N_MESSAGES 200
#define LONGEST 300

START_TEST(framed_messages_come_out_again_however_they_are_cut)
{
	char stream[N_MESSAGES * (LONGEST + UXS_FRAME_HEAD_MAX + 1)];
	char data[LONGEST + N_MESSAGES];
	const enum uxs_framing framing = (enum uxs_framing)_i;
	struct uxs_deframer d;
	size_t length = 0, at = 0, got = 0;
	int n = 0;

	fill_random(data, sizeof(data), 7);
	for (char *c = data; c < data + sizeof(data); c++)
		*c = *c == '\n' ? 'n' : *c;
	for (int i = 0; i < N_MESSAGES; i++) {
		const size_t size = (size_t)(i * 13 % (LONGEST + 1));
		struct uxs_frame_ends ends;

		ck_assert_int_eq(uxs_frame_ends_fill(&ends, framing, size), 0);
		memcpy(stream + length, ends.head, ends.n_head);
		length += ends.n_head;
		memcpy(stream + length, data + i, size);
		length += size;
		memcpy(stream + length, ends.tail, ends.n_tail);
		length += ends.n_tail;
	}
	uxs_deframer_init(&d, framing, LONGEST);

	for (unsigned cut = 1; at < length; cut = cut * 7 % 97 + 1) {
		const size_t size = cut < length - at ? cut : length - at;

		for (size_t done = 0; done < size;) {
			struct uxs_frame_piece piece;
			const enum uxs_frame r = uxs_deframer_next(&d,
			    stream + at + done, size - done, &piece);

			ck_assert_mem_eq(piece.data, data + n + got,
			    piece.length);
			got += piece.length;
			done += piece.n_taken;
			if (r == UXS_FRAME_NONE)
				continue;
			ck_assert_int_eq(r, UXS_FRAME_WHOLE);
			ck_assert_uint_eq(got,
			    (size_t)(n * 13 % (LONGEST + 1)));
			got = 0;
			n++;
		}
		at += size;
	}

	ck_assert_int_eq(n, N_MESSAGES);
	ck_assert_int_eq(uxs_deframer_end(&d), UXS_FRAME_NONE);
}
END_TEST

START_TEST(ends_are_as_the_framing_says)
{
	static const struct {
		enum uxs_framing framing;
		size_t length;
		const char *head;
		size_t n_head;
		const char *tail;
	} ends[] = {
		{ UXS_FRAMING_NONE, 5, "", 0, "" },
		{ UXS_FRAMING_LINE, 5, "", 0, "\n" },
		{ UXS_FRAMING_NETSTRING, 0, "0:", 2, "," },
		{ UXS_FRAMING_NETSTRING, 12345, "12345:", 6, "," },
		{ UXS_FRAMING_NETSTRING, SIZE_MAX, "18446744073709551615:", 21,
		    "," },
		{ UXS_FRAMING_U32, 0, "\0\0\0\0", 4, "" },
		{ UXS_FRAMING_U32, 0x01020304, "\1\2\3\4", 4, "" },
		{ UXS_FRAMING_U32, UINT32_MAX, "\377\377\377\377", 4, "" },
	};

	for (int i = 0; i < N_OF(ends); i++) {
		struct uxs_frame_ends made;

		ck_assert_int_eq(uxs_frame_ends_fill(&made, ends[i].framing,
				     ends[i].length),
		    0);
		ck_assert_uint_eq(made.n_head, ends[i].n_head);
		if (made.n_head > 0)
			ck_assert_mem_eq(made.head, ends[i].head, made.n_head);
		ck_assert_uint_eq(made.n_tail, strlen(ends[i].tail));
		if (made.n_tail > 0)
			ck_assert_mem_eq(made.tail, ends[i].tail, made.n_tail);
	}
}
END_TEST

START_TEST(length_that_cannot_be_expressed_is_refused)
{
	struct uxs_frame_ends ends;

	ck_assert_int_eq(uxs_frame_ends_fill(&ends, UXS_FRAMING_U32,
			     (size_t)UINT32_MAX + 1),
	    -EMSGSIZE);
}
END_TEST

/* ---- names ---- */

START_TEST(name_is_understood)
{
	const enum uxs_framing framing = (enum uxs_framing)_i;
	enum uxs_framing found = UXS_N_FRAMINGS;

	ck_assert_int_eq(uxs_framing_parse(uxs_framing_name(framing), &found),
	    0);

	ck_assert_int_eq((int)found, (int)framing);
}
END_TEST

START_TEST(other_words_are_no_names)
{
	static const char *const words[] = { "", "lines", "LINE", "u31",
		"line " };
	enum uxs_framing found;

	for (int i = 0; i < N_OF(words); i++)
		ck_assert_int_eq(uxs_framing_parse(words[i], &found), -EINVAL);
}
END_TEST

Suite *
suite_framing(void)
{
	Suite *suite = suite_create("framing");
	TCase *table = harness_case(suite, "table");
	TCase *calls = harness_case(suite, "calls");

	tcase_add_loop_test(table, input_means_the_same_at_every_cut, 0,
	    N_OF(rows));
	tcase_add_loop_test(table, input_means_the_same_byte_by_byte, 0,
	    N_OF(rows));
	tcase_add_loop_test(calls, whole_message_is_given_where_it_stands, 0,
	    UXS_N_FRAMINGS);
	tcase_add_loop_test(calls,
	    there_is_something_to_remember_only_within_a_message, 1,
	    UXS_N_FRAMINGS);
	tcase_add_test(calls, failure_is_final);
	tcase_add_test(calls, limit_may_be_all_there_is);
	tcase_add_loop_test(calls,
	    framed_messages_come_out_again_however_they_are_cut, 1,
	    UXS_N_FRAMINGS);
	tcase_add_test(calls, ends_are_as_the_framing_says);
	tcase_add_test(calls, length_that_cannot_be_expressed_is_refused);
	tcase_add_loop_test(calls, name_is_understood, 0, UXS_N_FRAMINGS);
	tcase_add_test(calls, other_words_are_no_names);
	return suite;
}
