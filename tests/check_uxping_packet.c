/* SPDX-License-Identifier: ISC */
/* Pings as bytes, and what an answer is the answer to. */
#include <string.h>

#include "harness.h"
#include "suites.h"
#include "uxping/packet.h"
#include "uxping/window.h"

#define SIZE 56
#define SENT INT64_C(123456789012345)

START_TEST(a_ping_is_its_own_echo_at_every_size)
{
	unsigned char bytes[300];
	struct packet_difference difference;
	const size_t size = (size_t)_i;

	packet_fill(bytes, size, 7, SENT);

	ck_assert(!packet_differs(bytes, size, size, 7, SENT, &difference));
}
END_TEST

START_TEST(every_single_byte_is_compared)
{
	unsigned char bytes[SIZE];
	struct packet_difference difference;
	const size_t at = (size_t)_i;

	packet_fill(bytes, SIZE, 7, SENT);
	bytes[at] ^= 0x01;

	ck_assert(packet_differs(bytes, SIZE, SIZE, 7, SENT, &difference));
	ck_assert_uint_eq(difference.offset, at);
	ck_assert_uint_eq(difference.was, bytes[at]);
	ck_assert_uint_eq(difference.should_be, bytes[at] ^ 0x01);
}
END_TEST

START_TEST(the_head_tells_number_and_time)
{
	unsigned char bytes[SIZE];
	uint64_t seq, stamp;

	packet_fill(bytes, SIZE, UINT64_C(0xabcdef012345), SENT);

	ck_assert(packet_read_head(bytes, SIZE, &seq, &stamp));
	ck_assert_uint_eq(seq, UINT64_C(0xabcdef012345));
	ck_assert_uint_eq(stamp, packet_stamp(SENT));
}
END_TEST

START_TEST(a_ping_is_one_line)
{
	unsigned char bytes[300];

	for (uint64_t seq = 1; seq < 300; seq++) {
		packet_fill(bytes, sizeof(bytes), seq, SENT);
		ck_assert_ptr_eq(memchr(bytes, '\n', sizeof(bytes)),
		    bytes + sizeof(bytes) - 1);
	}
}
END_TEST

/* ---- the window ---- */

static struct window window;
static unsigned char answer_bytes[SIZE];

static struct window_answer
judge(size_t size, uint64_t seq)
{
	packet_fill(answer_bytes, size, seq, window_sent_ns(&window, seq));
	return window_judge(&window, size, answer_bytes, size);
}

static void
send_pings(int n)
{
	memset(&window, 0, sizeof(window));
	for (int i = 1; i <= n; i++)
		ck_assert_uint_eq(window_send(&window, 1000 * i), (uint64_t)i);
}

START_TEST(an_answer_in_time_is_good)
{
	struct window_answer answer;

	send_pings(3);

	answer = judge(SIZE, 2);

	ck_assert_int_eq(answer.verdict, WINDOW_GOOD);
	ck_assert_uint_eq(answer.seq, 2);
	window_take(&window, &answer);
	ck_assert_uint_eq(window.n_waiting, 2);
}
END_TEST

START_TEST(a_second_answer_is_a_duplicate)
{
	struct window_answer answer;

	send_pings(3);
	answer = judge(SIZE, 2);
	window_take(&window, &answer);

	answer = judge(SIZE, 2);

	ck_assert_int_eq(answer.verdict, WINDOW_DUPLICATE);
	window_take(&window, &answer);
	ck_assert_uint_eq(window.n_waiting, 2);
}
END_TEST

START_TEST(an_answer_after_the_timeout_is_late_once)
{
	struct window_answer answer;
	uint64_t seq;

	send_pings(3);
	ck_assert(window_expire(&window, 1999, &seq));
	ck_assert_uint_eq(seq, 1);
	ck_assert(!window_expire(&window, 1999, &seq));

	answer = judge(SIZE, 1);
	ck_assert_int_eq(answer.verdict, WINDOW_LATE);
	window_take(&window, &answer);

	ck_assert_int_eq(judge(SIZE, 1).verdict, WINDOW_DUPLICATE);
	ck_assert_uint_eq(window.n_waiting, 2);
}
END_TEST

START_TEST(a_wrong_byte_is_laid_to_the_ping_it_names)
{
	struct window_answer answer;

	send_pings(3);
	packet_fill(answer_bytes, SIZE, 2, window_sent_ns(&window, 2));
	answer_bytes[40] ^= 0x10;

	answer = window_judge(&window, SIZE, answer_bytes, SIZE);

	ck_assert_int_eq(answer.verdict, WINDOW_CORRUPT);
	ck_assert_uint_eq(answer.seq, 2);
	ck_assert_uint_eq(answer.difference.offset, 40);
}
END_TEST

START_TEST(an_answer_with_a_wrong_time_is_no_echo)
{
	struct window_answer answer;

	send_pings(3);
	packet_fill(answer_bytes, SIZE, 2, window_sent_ns(&window, 2) + 1);

	answer = window_judge(&window, SIZE, answer_bytes, SIZE);

	ck_assert_int_eq(answer.verdict, WINDOW_CORRUPT);
	ck_assert_uint_eq(answer.seq, 1); /* the oldest that waits */
}
END_TEST

START_TEST(a_shorter_or_longer_answer_is_corrupt)
{
	send_pings(1);
	packet_fill(answer_bytes, SIZE, 1, window_sent_ns(&window, 1));

	ck_assert_int_eq(window_judge(&window, SIZE, answer_bytes, SIZE - 1)
			     .verdict,
	    WINDOW_CORRUPT);
	ck_assert_int_eq(window_judge(&window, SIZE, answer_bytes, SIZE + 1)
			     .verdict,
	    WINDOW_CORRUPT);
	ck_assert_int_eq(window_judge(&window, SIZE, "ERR\n", 4).verdict,
	    WINDOW_CORRUPT);
}
END_TEST

START_TEST(an_answer_to_nothing_is_a_stray)
{
	memset(&window, 0, sizeof(window));

	ck_assert_int_eq(window_judge(&window, SIZE, "220 hello\n", 10).verdict,
	    WINDOW_STRAY);
}
END_TEST

START_TEST(short_pings_are_matched_in_order)
{
	struct window_answer answer;

	send_pings(3);

	for (uint64_t seq = 1; seq <= 3; seq++) {
		answer = judge((size_t)_i, seq);
		ck_assert_int_eq(answer.verdict, WINDOW_GOOD);
		ck_assert_uint_eq(answer.seq, seq);
		window_take(&window, &answer);
	}
}
END_TEST

START_TEST(one_lost_short_ping_does_not_make_the_rest_late)
{
	struct window_answer answer;
	uint64_t seq;

	send_pings(3);
	ck_assert(window_expire(&window, 1000, &seq));

	answer = window_judge(&window, 0, "", 0);

	ck_assert_int_eq(answer.verdict, WINDOW_GOOD);
	ck_assert_uint_eq(answer.seq, 2);
}
END_TEST

START_TEST(what_falls_out_of_the_window_is_not_waited_for)
{
	uint64_t seq;

	send_pings(WINDOW_SLOTS + 10);

	ck_assert_uint_eq(window.n_waiting, WINDOW_SLOTS);
	ck_assert(window_oldest(&window, &seq));
	ck_assert_uint_eq(seq, 11);
}
END_TEST

Suite *
suite_uxping_packet(void)
{
	Suite *suite = suite_create("uxping_packet");
	TCase *tcase = harness_case(suite, "bytes");

	tcase_add_loop_test(tcase, a_ping_is_its_own_echo_at_every_size, 0,
	    300);
	tcase_add_loop_test(tcase, every_single_byte_is_compared, 0, SIZE);
	tcase_add_test(tcase, the_head_tells_number_and_time);
	tcase_add_test(tcase, a_ping_is_one_line);
	tcase = harness_case(suite, "window");
	tcase_add_test(tcase, an_answer_in_time_is_good);
	tcase_add_test(tcase, a_second_answer_is_a_duplicate);
	tcase_add_test(tcase, an_answer_after_the_timeout_is_late_once);
	tcase_add_test(tcase, a_wrong_byte_is_laid_to_the_ping_it_names);
	tcase_add_test(tcase, an_answer_with_a_wrong_time_is_no_echo);
	tcase_add_test(tcase, a_shorter_or_longer_answer_is_corrupt);
	tcase_add_test(tcase, an_answer_to_nothing_is_a_stray);
	tcase_add_loop_test(tcase, short_pings_are_matched_in_order, 0, 16);
	tcase_add_test(tcase, one_lost_short_ping_does_not_make_the_rest_late);
	tcase_add_test(tcase, what_falls_out_of_the_window_is_not_waited_for);
	return suite;
}
