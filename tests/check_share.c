/* SPDX-License-Identifier: ISC */
/* Shares of a send buffer, by numbers alone. */
#include "harness.h"
#include "suites.h"

#include <string.h>

#include <lib/share.h>

#define BUFFER 1200000
#define WHOLE (BUFFER / 8)
#define QUEUE 11
#define LENGTH 4096 /* a share is more than one queue of them, but not two */

static struct shares shares;

static void
setup(void)
{
	shares_init(&shares, BUFFER, QUEUE);
}

static struct share_client
client_number(unsigned n)
{
	return (struct share_client){ .dev = 1, .ino = 100 + n };
}

/* Messages that uid is allowed, of n tries, from so many clients in turn. */
static unsigned
takes(uid_t uid, unsigned n_clients, unsigned n, size_t length)
{
	unsigned n_taken = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct share_client client = client_number(i % n_clients);

		n_taken += shares_take(&shares, uid, &client, length);
	}
	return n_taken;
}

START_TEST(half_the_buffer_is_not_crowded_and_more_is)
{
	shares_saw(&shares, BUFFER / 2);
	ck_assert(!shares.is_crowded);

	shares_saw(&shares, BUFFER / 2 + 1);
	ck_assert(shares.is_crowded);

	shares_saw(&shares, 0);
	ck_assert(!shares.is_crowded);
}
END_TEST

START_TEST(there_is_no_need_to_look_before_half_can_be_outstanding)
{
	size_t added = 0;

	shares_saw(&shares, BUFFER / 4);
	ck_assert(!shares_must_look(&shares));
	while (added + share_charge(100) <= BUFFER / 4) {
		shares_add(&shares, 100);
		added += share_charge(100);
		ck_assert(!shares_must_look(&shares));
	}
	shares_add(&shares, 100);

	ck_assert(shares_must_look(&shares));
	shares_saw(&shares, BUFFER / 4);
	ck_assert(!shares_must_look(&shares));
}
END_TEST

/* Lengths, and what Linux 6.18 charged for them. */
static const size_t charges[][2] = { { 1, 768 }, { 100, 768 }, { 400, 1280 },
	{ 4096, 8448 }, { 1600, 2304 }, { 6400, 8448 }, { 25600, 28928 },
	{ 102400, 135424 } };

START_TEST(nothing_is_charged_less_than_the_kernel_does)
{
	ck_assert_uint_ge(share_charge(charges[_i][0]), charges[_i][1]);
}
END_TEST

START_TEST(user_of_many_clients_gets_a_share_and_no_more)
{
	shares_saw(&shares, BUFFER / 2 + 1);

	ck_assert_uint_eq(takes(1, 1000, 1000, LENGTH),
	    WHOLE / share_charge(LENGTH));
}
END_TEST

START_TEST(one_user_does_not_use_up_anothers_share)
{
	shares_saw(&shares, BUFFER / 2 + 1);
	takes(1, 1000, 1000, LENGTH);

	ck_assert_uint_eq(takes(2, 1000, 1000, LENGTH),
	    WHOLE / share_charge(LENGTH));
	ck_assert_uint_eq(takes(1, 1000, 1000, LENGTH), 0);
}
END_TEST

START_TEST(user_whose_queues_are_small_needs_no_share)
{
	const unsigned n = WHOLE / (unsigned)(QUEUE * share_charge(1));

	ck_assert_uint_ge(n, SHARE_CLIENTS_MAX);
	shares_saw(&shares, BUFFER / 2 + 1);

	ck_assert_uint_eq(takes(1, SHARE_CLIENTS_MAX, 100000, 1), 100000);
	ck_assert_uint_eq(takes(2, 1, 100000, LENGTH), 100000);
	ck_assert_uint_lt(takes(3, SHARE_CLIENTS_MAX + 1, 100000, 1), 1000);
	ck_assert_uint_lt(takes(4, 2, 100000, LENGTH), 1000);
}
END_TEST

/* Many sockets at the same name, one after the other, have many queues. */
START_TEST(client_is_known_by_its_file_and_abstract_ones_by_name)
{
	struct share_client client = { .length = 5, .name = "\0name" };

	shares_saw(&shares, BUFFER / 2 + 1);
	for (int i = 0; i < 100; i++) {
		ck_assert(shares_take(&shares, 1, &client, LENGTH));
		ck_assert(shares_take(&shares, 2, &client, LENGTH));
	}
	client.name[4]++;
	ck_assert(!shares_take(&shares, 1, &client, LENGTH));
	client.dev = client.ino = 1;
	client.name[4]--;
	ck_assert(!shares_take(&shares, 2, &client, LENGTH));
}
END_TEST

START_TEST(shares_are_new_when_as_much_was_read_as_was_added)
{
	shares_saw(&shares, BUFFER / 2 + 1000);
	takes(1, 1000, 1000, LENGTH);

	shares_saw(&shares, BUFFER / 2 + 1001);
	ck_assert_uint_eq(takes(1, 1000, 1, LENGTH), 0);
	shares_saw(&shares, BUFFER / 2 + 1000);
	ck_assert_uint_eq(takes(1, 1000, 1, LENGTH), 1);
}
END_TEST

START_TEST(who_spent_his_share_and_does_not_read_holds_up_nobody)
{
	shares_saw(&shares, BUFFER / 2 + 1000);
	takes(1, 1000, 1000, LENGTH);

	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(takes(2, 1000, 10, LENGTH), 10);
		shares_saw(&shares, BUFFER / 2 + 1000 + WHOLE * 9 / 10);
	}

	ck_assert_uint_eq(takes(1, 1000, 1, LENGTH), 0);
}
END_TEST

/* Otherwise a user could add a share, let the buffer come back, and so on. */
START_TEST(what_counts_is_the_least_that_was_outstanding)
{
	shares_saw(&shares, BUFFER / 2 + 50000);
	shares_saw(&shares, BUFFER / 2 + 1000);
	takes(1, 1000, 1000, LENGTH);

	shares_saw(&shares, BUFFER / 2 + 50000);

	ck_assert_uint_eq(takes(1, 1000, 1, LENGTH), 0);
}
END_TEST

START_TEST(more_users_than_the_table_holds_are_still_limited)
{
	const unsigned each = WHOLE / (unsigned)share_charge(LENGTH);

	shares_saw(&shares, BUFFER / 2 + 1);
	takes(1, 1000, 1000, LENGTH);
	for (uid_t uid = 2; uid < 10 * SHARES_MAX; uid++)
		ck_assert_uint_le(takes(uid, 1000, 2, LENGTH), each);

	/* Who had the least gave way. */
	ck_assert_uint_eq(takes(1, 1000, 1, LENGTH), 0);
}
END_TEST

Suite *
suite_share(void)
{
	Suite *suite = suite_create("share");
	TCase *look = harness_case(suite, "look");
	TCase *take = harness_case(suite, "take");

	tcase_add_checked_fixture(look, setup, NULL);
	tcase_add_test(look, half_the_buffer_is_not_crowded_and_more_is);
	tcase_add_test(look,
	    there_is_no_need_to_look_before_half_can_be_outstanding);
	tcase_add_loop_test(look, nothing_is_charged_less_than_the_kernel_does,
	    0, (int)(sizeof(charges) / sizeof(charges[0])));

	tcase_add_checked_fixture(take, setup, NULL);
	tcase_add_test(take, user_of_many_clients_gets_a_share_and_no_more);
	tcase_add_test(take, one_user_does_not_use_up_anothers_share);
	tcase_add_test(take, user_whose_queues_are_small_needs_no_share);
	tcase_add_test(take,
	    client_is_known_by_its_file_and_abstract_ones_by_name);
	tcase_add_test(take, shares_are_new_when_as_much_was_read_as_was_added);
	tcase_add_test(take,
	    who_spent_his_share_and_does_not_read_holds_up_nobody);
	tcase_add_test(take, what_counts_is_the_least_that_was_outstanding);
	tcase_add_test(take, more_users_than_the_table_holds_are_still_limited);
	return suite;
}
