/* SPDX-License-Identifier: ISC */
/* What the bench sends, and when. */
#include <check.h>
#include <string.h>

#include "uxping/pacer.h"
#include "uxping/payload.h"

Suite *suite_payload(void);

/* ---- payload ---- */

START_TEST(payload_carries_as_much_of_the_sequence_number_as_fits)
{
	const uint64_t sequence = UINT64_C(0x00deadbeefcafe);
	struct payload payload;
	uint64_t read = 0;
	int bits;

	ck_assert_int_eq(payload_init(&payload, (size_t)_i, UXS_FRAMING_NONE),
	    0);
	bits = payload_sequence_bits(&payload);
	ck_assert_int_eq(bits, _i < 8 ? 7 * _i : 56);

	payload_stamp(&payload, sequence);

	ck_assert_int_eq(payload_read(&payload, payload.bytes, (size_t)_i,
			     &read),
	    _i > 0);
	ck_assert_uint_eq(read, sequence & ((UINT64_C(1) << bits) - 1));
	payload_fini(&payload);
}
END_TEST

START_TEST(payload_knows_its_own_bytes_and_no_others)
{
	struct payload payload;
	unsigned char reply[100];

	ck_assert_int_eq(payload_init(&payload, 100, UXS_FRAMING_NONE), 0);
	payload_stamp(&payload, 7);
	memcpy(reply, payload.bytes, 100);
	payload_stamp(&payload, 8);

	ck_assert(payload_matches(&payload, 7, 0, reply, 100));
	ck_assert(payload_matches(&payload, 7, 40, reply + 40, 60));
	ck_assert(!payload_matches(&payload, 7, 40, reply + 41, 59));
	ck_assert(!payload_matches(&payload, 8, 0, reply, 100));
	ck_assert(!payload_matches(&payload, 7, 1, reply, 100));
	for (int i = 0; i < 100; i++) {
		reply[i] ^= 4;
		ck_assert(!payload_matches(&payload, 7, 0, reply, 100));
		reply[i] ^= 4;
	}
	payload_fini(&payload);
}
END_TEST

START_TEST(payload_pattern_differs_from_itself_moved_along)
{
	int n_same = 0;

	for (size_t i = 0; i < 4096; i++)
		n_same += payload_pattern(i) == payload_pattern(i + (1U << _i));

	/* A 64th would be the same by chance. */
	ck_assert_int_lt(n_same, 4096 / 8);
}
END_TEST

/* ---- pacer ---- */

START_TEST(an_open_loop_is_due_at_the_same_times_however_late_it_is_asked)
{
	struct pacer pacer;
	int64_t intended_ns;
	int n_wrong = 0;

	pacer_start(&pacer, 3, 1000);

	ck_assert(pacer_take(&pacer, 1000, &intended_ns));
	ck_assert_int_eq(intended_ns, 1000);
	ck_assert(!pacer_take(&pacer, 333334332, &intended_ns));
	for (int64_t i = 1; i <= 3000000; i++)
		n_wrong += !pacer_take(&pacer, INT64_MAX, &intended_ns) ||
		    intended_ns != 1000 + i * 1000000000 / 3;
	ck_assert_int_eq(n_wrong, 0);
}
END_TEST

START_TEST(a_closed_loop_is_always_due_and_means_now)
{
	struct pacer pacer;
	int64_t intended_ns;

	pacer_start(&pacer, 0, 1000);

	ck_assert(pacer_take(&pacer, 1000, &intended_ns));
	ck_assert(pacer_take(&pacer, 1001, &intended_ns));
	ck_assert_int_eq(intended_ns, 1001);
}
END_TEST

Suite *
suite_payload(void)
{
	Suite *suite = suite_create("payload");
	TCase *bytes = tcase_create("bytes");
	TCase *pace = tcase_create("pace");

	tcase_add_loop_test(bytes,
	    payload_carries_as_much_of_the_sequence_number_as_fits, 0, 20);
	tcase_add_test(bytes, payload_knows_its_own_bytes_and_no_others);
	tcase_add_loop_test(bytes,
	    payload_pattern_differs_from_itself_moved_along, 0, 20);
	suite_add_tcase(suite, bytes);

	tcase_add_test(pace,
	    an_open_loop_is_due_at_the_same_times_however_late_it_is_asked);
	tcase_add_test(pace, a_closed_loop_is_always_due_and_means_now);
	suite_add_tcase(suite, pace);
	return suite;
}
