/* SPDX-License-Identifier: ISC */
#include <uxsrv/ledger.h>

#include <stdlib.h>

#include <uxsrv/peer.h>

#include "harness.h"
#include "suites.h"

static void
enter_many(struct uxs_ledger *ledger, uid_t uid, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(uxs_ledger_enter(ledger, uid), UXS_ADMITTED);
}

START_TEST(counts_in_all_and_by_user)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, 1, 3);
	enter_many(&ledger, 2, 2);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 5);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 1), 3);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 2), 2);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 3), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(one_user_cannot_take_all)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, 1, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1),
	    UXS_REFUSED_MAX_PER_USER);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 2), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(all_users_cannot_take_more_than_there_is)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, 1, 4);
	enter_many(&ledger, 2, 4);
	enter_many(&ledger, 3, 2);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1), UXS_REFUSED_MAX_CONNS);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 4), UXS_REFUSED_MAX_CONNS);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_has_too_many_is_told_so_in_a_full_house)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, 1, 5);
	enter_many(&ledger, 2, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1),
	    UXS_REFUSED_MAX_PER_USER);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(a_refusal_enters_nothing)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 2, 1);
	enter_many(&ledger, 1, 1);
	uxs_ledger_enter(&ledger, 1);
	enter_many(&ledger, 2, 1);
	uxs_ledger_enter(&ledger, 3);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 2);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 1), 1);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 3), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_leaves_makes_room)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 2);
	enter_many(&ledger, 1, 2);
	uxs_ledger_leave(&ledger, 1);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1), UXS_ADMITTED);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1),
	    UXS_REFUSED_MAX_PER_USER);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_was_never_here_cannot_leave)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, 1, 1);
	uxs_ledger_leave(&ledger, 2);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 1);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(nobody_gets_into_a_house_without_room)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 0, 0);

	ck_assert_int_ne(uxs_ledger_enter(&ledger, 1), UXS_ADMITTED);
	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	ck_assert(RB_EMPTY(&ledger.accounts));
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(the_unknown_share_one_account)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 10, 5);
	enter_many(&ledger, UXS_UID_NONE, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, UXS_UID_NONE),
	    UXS_REFUSED_MAX_PER_USER);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 0), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(an_account_lives_as_long_as_its_connections)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 1000, 1);
	for (uid_t uid = 0; uid < 500; uid++)
		enter_many(&ledger, uid, 1);
	for (uid_t uid = 500; uid-- > 0;) {
		uxs_ledger_enter(&ledger, uid); /* a refusal leaves nothing */
		uxs_ledger_leave(&ledger, uid);
	}

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	ck_assert(RB_EMPTY(&ledger.accounts));
}
END_TEST

START_TEST(ends_with_connections_left)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger, 1000, 2);
	for (uid_t uid = 0; uid < 100; uid++)
		enter_many(&ledger, uid, 2);
	uxs_ledger_fini(&ledger);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	ck_assert(RB_EMPTY(&ledger.accounts));
}
END_TEST

/* ---- against a simple model ---- */

#define N_USERS 8
#define MODEL_MAX 20
#define MODEL_MAX_PER_USER 6

struct model {
	int n_of[N_USERS], n;
};

static int
model_enter(struct model *model, int user)
{
	if (model->n_of[user] == MODEL_MAX_PER_USER)
		return UXS_REFUSED_MAX_PER_USER;
	if (model->n == MODEL_MAX)
		return UXS_REFUSED_MAX_CONNS;
	model->n_of[user]++;
	model->n++;
	return UXS_ADMITTED;
}

START_TEST(agrees_with_a_simple_model)
{
	struct model model = { 0 };
	struct uxs_ledger ledger;
	unsigned char dice[2];

	uxs_ledger_init(&ledger, MODEL_MAX, MODEL_MAX_PER_USER);
	for (unsigned i = 0; i < 20000; i++) {
		fill_random(dice, sizeof(dice), i);
		const int user = dice[0] % N_USERS;

		if (dice[1] % 5 < 3) {
			ck_assert_int_eq(uxs_ledger_enter(&ledger, (uid_t)user),
			    model_enter(&model, user));
		} else if (model.n_of[user] > 0) {
			uxs_ledger_leave(&ledger, (uid_t)user);
			model.n_of[user]--;
			model.n--;
		}
		ck_assert_uint_eq(uxs_ledger_conns(&ledger), (size_t)model.n);
		ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, (uid_t)user),
		    (size_t)model.n_of[user]);
	}
	uxs_ledger_fini(&ledger);
}
END_TEST

Suite *
suite_ledger(void)
{
	Suite *suite = suite_create("ledger");
	TCase *limits = harness_case(suite, "limits");
	TCase *accounts = harness_case(suite, "accounts");

	tcase_add_test(limits, counts_in_all_and_by_user);
	tcase_add_test(limits, one_user_cannot_take_all);
	tcase_add_test(limits, all_users_cannot_take_more_than_there_is);
	tcase_add_test(limits, who_has_too_many_is_told_so_in_a_full_house);
	tcase_add_test(limits, a_refusal_enters_nothing);
	tcase_add_test(limits, who_leaves_makes_room);
	tcase_add_test(limits, who_was_never_here_cannot_leave);
	tcase_add_test(limits, nobody_gets_into_a_house_without_room);

	tcase_add_test(accounts, the_unknown_share_one_account);
	tcase_add_test(accounts, an_account_lives_as_long_as_its_connections);
	tcase_add_test(accounts, ends_with_connections_left);
	tcase_add_test(accounts, agrees_with_a_simple_model);
	return suite;
}
