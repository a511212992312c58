/* SPDX-License-Identifier: ISC */
#include <uxsrv/ledger.h>

#include <pthread.h>
#include <stdlib.h>

#include <uxsrv/peer.h>
#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"

/* A time like any other. */
#define NOW (INT64_C(7777) * UXS_NS_PER_S)

static void
init(struct uxs_ledger *ledger, size_t max_conns, size_t max_conns_per_user)
{
	uxs_ledger_init(ledger,
	    &(struct uxs_limits){
		.max_conns = max_conns,
		.max_conns_per_user = max_conns_per_user,
	    });
}

static void
enter_many(struct uxs_ledger *ledger, uid_t uid, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(uxs_ledger_enter(ledger, uid, NOW),
		    UXS_ADMITTED);
}

START_TEST(counts_in_all_and_by_user)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 3);
	enter_many(&ledger, 2, 2);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 5);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 1), 3);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 2), 2);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 3), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(list_has_those_with_connections_by_uid)
{
	struct uxs_account_figures list[3] = { { .uid = 77 } };
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	ck_assert_uint_eq(uxs_ledger_list(&ledger, list, 3), 0);
	enter_many(&ledger, UXS_UID_NONE, 1);
	enter_many(&ledger, 30, 2);
	enter_many(&ledger, 4, 3);
	enter_many(&ledger, 5, 1);
	uxs_ledger_leave(&ledger, 5);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 30, 100), UXS_ADMITTED);

	ck_assert_uint_eq(uxs_ledger_list(&ledger, list, 3), 3);

	ck_assert_uint_eq(list[0].uid, 4);
	ck_assert_uint_eq(list[0].n_conns, 3);
	ck_assert_uint_eq(list[0].n_bytes, 0);
	ck_assert_uint_eq(list[1].uid, 30);
	ck_assert_uint_eq(list[1].n_conns, 2);
	ck_assert_uint_eq(list[1].n_bytes, 100);
	ck_assert_uint_eq(list[2].uid, UXS_UID_NONE);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(list_is_cut_at_its_room_and_says_so)
{
	struct uxs_account_figures list[2] = { { .uid = 0 }, { .uid = 77 } };
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 1);
	enter_many(&ledger, 2, 1);

	ck_assert_uint_eq(uxs_ledger_list(&ledger, list, 1), 2);

	ck_assert_uint_eq(list[0].uid, 1);
	ck_assert_uint_eq(list[1].uid, 77);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(one_user_cannot_take_all)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW),
	    UXS_REFUSED_MAX_PER_USER);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 2, NOW), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(all_users_cannot_take_more_than_there_is)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 4);
	enter_many(&ledger, 2, 4);
	enter_many(&ledger, 3, 2);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW),
	    UXS_REFUSED_MAX_CONNS);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 4, NOW),
	    UXS_REFUSED_MAX_CONNS);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_has_too_many_is_told_so_in_a_full_house)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 5);
	enter_many(&ledger, 2, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW),
	    UXS_REFUSED_MAX_PER_USER);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(a_refusal_enters_nothing)
{
	struct uxs_ledger ledger;

	init(&ledger, 2, 1);
	enter_many(&ledger, 1, 1);
	uxs_ledger_enter(&ledger, 1, NOW);
	enter_many(&ledger, 2, 1);
	uxs_ledger_enter(&ledger, 3, NOW);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 2);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 1), 1);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 3), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_leaves_makes_room)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 2);
	enter_many(&ledger, 1, 2);
	uxs_ledger_leave(&ledger, 1);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW), UXS_ADMITTED);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW),
	    UXS_REFUSED_MAX_PER_USER);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_was_never_here_cannot_leave)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, 1, 1);
	uxs_ledger_leave(&ledger, 2);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 1);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(nobody_gets_into_a_house_without_room)
{
	struct uxs_ledger ledger;

	init(&ledger, 0, 0);

	ck_assert_int_ne(uxs_ledger_enter(&ledger, 1, NOW), UXS_ADMITTED);
	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	ck_assert(RB_EMPTY(&ledger.accounts));
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(the_unknown_share_one_account)
{
	struct uxs_ledger ledger;

	init(&ledger, 10, 5);
	enter_many(&ledger, UXS_UID_NONE, 5);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, UXS_UID_NONE, NOW),
	    UXS_REFUSED_MAX_PER_USER);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 0, NOW), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(an_account_lives_as_long_as_its_connections)
{
	struct uxs_ledger ledger;

	init(&ledger, 1000, 1);
	for (uid_t uid = 0; uid < 500; uid++)
		enter_many(&ledger, uid, 1);
	for (uid_t uid = 500; uid-- > 0;) {
		uxs_ledger_enter(&ledger, uid,
		    NOW); /* a refusal leaves nothing */
		uxs_ledger_leave(&ledger, uid);
	}

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	ck_assert(RB_EMPTY(&ledger.accounts));
}
END_TEST

START_TEST(ends_with_connections_left)
{
	struct uxs_ledger ledger;

	init(&ledger, 1000, 2);
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

	init(&ledger, MODEL_MAX, MODEL_MAX_PER_USER);
	for (unsigned i = 0; i < 20000; i++) {
		fill_random(dice, sizeof(dice), i);
		const int user = dice[0] % N_USERS;

		if (dice[1] % 5 < 3) {
			ck_assert_int_eq(uxs_ledger_enter(&ledger, (uid_t)user,
					     NOW),
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

/* ---- rate ---- */

#define MS UXS_NS_PER_MS

static void
init_rate(struct uxs_ledger *ledger, size_t max_rate)
{
	uxs_ledger_init(ledger,
	    &(struct uxs_limits){
		.max_conns = 100000,
		.max_conns_per_user = 100000,
		.max_rate = max_rate,
	    });
}

/* So many messages, or connections that leave again, at once: how many of
 * them got in? */
static int
messages_in(struct uxs_ledger *ledger, uid_t uid, int n, int64_t now_ns)
{
	int n_in = 0;

	while (n-- > 0) {
		const int r = uxs_ledger_message(ledger, uid, now_ns);

		ck_assert(r == UXS_ADMITTED || r == UXS_REFUSED_RATE);
		n_in += r == UXS_ADMITTED;
	}
	return n_in;
}

static int
visits_in(struct uxs_ledger *ledger, uid_t uid, int n, int64_t now_ns)
{
	int n_in = 0;

	while (n-- > 0) {
		const int r = uxs_ledger_enter(ledger, uid, now_ns);

		ck_assert(r == UXS_ADMITTED || r == UXS_REFUSED_RATE);
		if (r == UXS_ADMITTED)
			uxs_ledger_leave(ledger, uid);
		n_in += r == UXS_ADMITTED;
	}
	return n_in;
}

typedef int many_in(struct uxs_ledger *ledger, uid_t uid, int n,
    int64_t now_ns);
static many_in *const ways_in[] = { messages_in, visits_in };
#define WAYS_IN 0, 2

static const struct {
	int rate, wait_ms, expect; /* after a burst that took all */
} waits[] = {
	{ 1, 0, 0 },
	{ 1, 999, 0 },
	{ 1, 1000, 1 },
	{ 1, 5000, 1 },
	{ 3, 0, 0 },
	{ 3, 333, 0 },
	{ 3, 334, 1 },
	{ 3, 667, 2 },
	{ 3, 3600000, 3 },
	{ 10, 99, 0 },
	{ 10, 100, 1 },
	{ 10, 1000, 10 },
	{ 7, 1000, 7 },
	{ 1000, 1, 1 },
	{ 1000, 500, 500 },
	{ 10000, 1, 10 },
};

START_TEST(a_full_bucket_holds_one_second_and_fills_in_one)
{
	const int n = waits[_i].rate;
	struct uxs_ledger ledger;

	for (size_t k = 0; k < 2; k++) {
		init_rate(&ledger, (size_t)n);
		ck_assert_int_eq(ways_in[k](&ledger, 1, 2 * n, NOW), n);

		ck_assert_int_eq(ways_in[k](&ledger, 1, 2 * n,
				     NOW + waits[_i].wait_ms * MS),
		    waits[_i].expect);
		uxs_ledger_fini(&ledger);
	}
}
END_TEST

START_TEST(connections_and_messages_share_a_bucket)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 4);
	ck_assert_int_eq(messages_in(&ledger, 1, 3, NOW), 3);

	ck_assert_int_eq(visits_in(&ledger, 1, 3, NOW), 1);
	ck_assert_int_eq(messages_in(&ledger, 1, 3, NOW), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(each_user_has_a_bucket_of_his_own)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 5);
	ck_assert_int_eq(ways_in[_i](&ledger, 1, 100, NOW), 5);

	ck_assert_int_eq(ways_in[_i](&ledger, 2, 5, NOW), 5);
	uxs_ledger_fini(&ledger);
}
END_TEST

/* Who hammers gets his rate, neither more nor nothing. */
START_TEST(hammering_does_not_put_off_the_next_token)
{
	struct uxs_ledger ledger;
	int n_in = 0;

	init_rate(&ledger, 10);
	for (int ms = 0; ms < 10000; ms++)
		n_in += ways_in[_i](&ledger, 1, 3, NOW + ms * MS);

	ck_assert_int_eq(n_in, 10 + 99);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(to_leave_and_come_back_fills_no_bucket)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 2);
	ck_assert_int_eq(visits_in(&ledger, 1, 2, NOW), 2);
	ck_assert_int_eq(visits_in(&ledger, 2, 1, NOW + MS), 1);

	ck_assert_int_eq(visits_in(&ledger, 1, 1, NOW + MS), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(refusals_of_other_kinds_cost_no_token)
{
	struct uxs_ledger ledger;

	uxs_ledger_init(&ledger,
	    &(struct uxs_limits){
		.max_conns = 3,
		.max_conns_per_user = 1,
		.max_rate = 2,
	    });
	enter_many(&ledger, 1, 1);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW),
		    UXS_REFUSED_MAX_PER_USER);
	uxs_ledger_leave(&ledger, 1);

	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(refusal_for_the_rate_enters_nothing)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 1);
	enter_many(&ledger, 1, 1);
	ck_assert_int_eq(uxs_ledger_enter(&ledger, 1, NOW), UXS_REFUSED_RATE);

	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 1);
	ck_assert_uint_eq(uxs_ledger_conns_of(&ledger, 1), 1);
	uxs_ledger_leave(&ledger, 1);
	ck_assert_uint_eq(uxs_ledger_conns(&ledger), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(buckets_of_those_who_left_are_dropped_when_full)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 10);
	for (uid_t uid = 0; uid < 1000; uid++)
		ways_in[_i](&ledger, uid, 10, NOW);
	ck_assert_uint_eq(ledger.n_absent, 1000);

	ways_in[_i](&ledger, 5000, 1, NOW + UXS_NS_PER_S);

	ck_assert_uint_eq(ledger.n_absent, 1);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(buckets_of_those_who_left_are_limited_in_number)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 10);
	for (uid_t uid = 0; uid < 3 * UXS_ABSENT_MAX; uid++)
		ways_in[_i](&ledger, uid, 10, NOW);

	ck_assert_uint_le(ledger.n_absent, UXS_ABSENT_MAX);
	/* It is the longest silent who was forgotten. */
	ck_assert_int_eq(ways_in[_i](&ledger, 3 * UXS_ABSENT_MAX - 1, 1, NOW),
	    0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(without_a_rate_nothing_is_remembered)
{
	struct uxs_ledger ledger;

	init_rate(&ledger, 0);

	ck_assert_int_eq(ways_in[_i](&ledger, 1, 100000, NOW), 100000);
	ck_assert(RB_EMPTY(&ledger.accounts));
	uxs_ledger_fini(&ledger);
}
END_TEST

/* ---- memory ---- */

static void
init_bytes(struct uxs_ledger *ledger, size_t max)
{
	uxs_ledger_init(ledger,
	    &(struct uxs_limits){
		.max_conns = 100,
		.max_conns_per_user = 100,
		.max_bytes_per_user = max,
	    });
	enter_many(ledger, 1, 2);
	enter_many(ledger, 2, 1);
}

START_TEST(bytes_are_counted_by_user)
{
	struct uxs_ledger ledger;

	init_bytes(&ledger, 1000);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, 600), UXS_ADMITTED);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 2, 1000), UXS_ADMITTED);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, 400), UXS_ADMITTED);
	uxs_ledger_release(&ledger, 1, 100);

	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 1), 900);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 2), 1000);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 3), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(bytes_over_the_ceiling_are_refused_and_not_counted)
{
	struct uxs_ledger ledger;

	init_bytes(&ledger, 1000);
	uxs_ledger_hold(&ledger, 1, 600);

	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, 401),
	    UXS_REFUSED_MAX_BYTES);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, SIZE_MAX),
	    UXS_REFUSED_MAX_BYTES);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 1), 600);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, 400), UXS_ADMITTED);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(bytes_released_can_be_held_again)
{
	struct uxs_ledger ledger;

	init_bytes(&ledger, 1000);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, 1000),
		    UXS_ADMITTED);
		uxs_ledger_release(&ledger, 1, 1000);
	}

	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 1), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(without_a_ceiling_all_bytes_are_counted)
{
	struct uxs_ledger ledger;

	init_bytes(&ledger, 0);

	ck_assert_int_eq(uxs_ledger_hold(&ledger, 1, SIZE_MAX / 2),
	    UXS_ADMITTED);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 1), SIZE_MAX / 2);
	uxs_ledger_fini(&ledger);
}
END_TEST

START_TEST(who_is_not_there_holds_nothing)
{
	struct uxs_ledger ledger;

	init_bytes(&ledger, 1000);
	ck_assert_int_eq(uxs_ledger_hold(&ledger, 9, 1), UXS_REFUSED_MAX_BYTES);
	uxs_ledger_release(&ledger, 9, 1);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&ledger, 9), 0);
	uxs_ledger_fini(&ledger);
}
END_TEST

/* ---- several threads ---- */

#define THREADS 4
#define ROUNDS 100000
#define PLACES 3 /* fewer than there are threads, so that they fight */

static struct {
	struct uxs_ledger ledger;
	pthread_barrier_t start;
	int n_inside, n_most; /* of uid 1, as the threads know it */
} shared;

/* The threads' own count, which cannot be wrong. Leaving it is said before
 * leaving the ledger, so that it is never above what the ledger knows. */
static void *
come_and_go(void *arg)
{
	pthread_barrier_wait(&shared.start);
	for (int i = 0; i < ROUNDS; i++) {
		int n;

		if (uxs_ledger_enter(&shared.ledger, 1, NOW) != UXS_ADMITTED)
			continue;
		n = __atomic_add_fetch(&shared.n_inside, 1, __ATOMIC_SEQ_CST);
		if (n > PLACES)
			__atomic_store_n(&shared.n_most, n, __ATOMIC_SEQ_CST);
		if (uxs_ledger_hold(&shared.ledger, 1, 10) == UXS_ADMITTED)
			uxs_ledger_release(&shared.ledger, 1, 10);
		__atomic_sub_fetch(&shared.n_inside, 1, __ATOMIC_SEQ_CST);
		uxs_ledger_leave(&shared.ledger, 1);
	}
	return NULL;
}

START_TEST(threads_never_have_more_than_the_limit_and_end_with_none)
{
	pthread_t threads[THREADS];

	init(&shared.ledger, 10, PLACES);
	uxs_ledger_share(&shared.ledger);
	pthread_barrier_init(&shared.start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go,
				     NULL),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	ck_assert_int_eq(shared.n_most, 0);
	ck_assert_uint_eq(uxs_ledger_conns(&shared.ledger), 0);
	ck_assert_uint_eq(uxs_ledger_conns_of(&shared.ledger, 1), 0);
	ck_assert_uint_eq(uxs_ledger_bytes_of(&shared.ledger, 1), 0);
	enter_many(&shared.ledger, 1, PLACES);
	pthread_barrier_destroy(&shared.start);
	uxs_ledger_fini(&shared.ledger);
}
END_TEST

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)

Suite *
suite_ledger(void)
{
	TCase *rate, *memory, *threads;
	Suite *suite = suite_create("ledger");
	TCase *limits = harness_case(suite, "limits");
	TCase *accounts = harness_case(suite, "accounts");

	tcase_add_test(limits, counts_in_all_and_by_user);
	tcase_add_test(limits, list_has_those_with_connections_by_uid);
	tcase_add_test(limits, list_is_cut_at_its_room_and_says_so);
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

	rate = harness_case(suite, "rate");
	LOOP(rate, a_full_bucket_holds_one_second_and_fills_in_one, 0,
	    (int)(sizeof(waits) / sizeof(waits[0])));
	tcase_add_test(rate, connections_and_messages_share_a_bucket);
	LOOP(rate, each_user_has_a_bucket_of_his_own, WAYS_IN);
	LOOP(rate, hammering_does_not_put_off_the_next_token, WAYS_IN);
	tcase_add_test(rate, to_leave_and_come_back_fills_no_bucket);
	tcase_add_test(rate, refusals_of_other_kinds_cost_no_token);
	tcase_add_test(rate, refusal_for_the_rate_enters_nothing);
	LOOP(rate, buckets_of_those_who_left_are_dropped_when_full, WAYS_IN);
	LOOP(rate, buckets_of_those_who_left_are_limited_in_number, WAYS_IN);
	LOOP(rate, without_a_rate_nothing_is_remembered, WAYS_IN);

	memory = harness_case(suite, "memory");
	tcase_add_test(memory, bytes_are_counted_by_user);
	tcase_add_test(memory,
	    bytes_over_the_ceiling_are_refused_and_not_counted);
	tcase_add_test(memory, bytes_released_can_be_held_again);
	tcase_add_test(memory, without_a_ceiling_all_bytes_are_counted);
	tcase_add_test(memory, who_is_not_there_holds_nothing);

	threads = harness_case(suite, "threads");
	tcase_add_test(threads,
	    threads_never_have_more_than_the_limit_and_end_with_none);
	return suite;
}
