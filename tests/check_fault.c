/* SPDX-License-Identifier: ISC */
/* --fault: what it takes, what it says no to, and the plan that comes of it. */
#include "harness.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/units.h>

#include "uxecho/fault.h"

#define MS UXS_NS_PER_MS
#define BIT(fault) (1U << UXS_FAULT_##fault)

/* ---- the words ---- */

/* What is read is written again as it reads best. */
static const struct {
	const char *spec, *printed;
} good[] = {
	{ "delay=5ms,jitter=1ms,drop=1%,corrupt=0.1%,short=10%,close=1%,"
	  "stall=1%,reset=1%,seed=42",
	    "delay=5ms,jitter=1ms,drop=1%,corrupt=0.1%,short=10%,close=1%,"
	    "stall=1%,reset=1%,seed=42" },
	{ "seed=42,drop=1%", "drop=1%,seed=42" },
	{ "drop=100%", "drop=100%" },
	{ "drop=99.999999%", "drop=99.999999%" },
	{ "drop=0.000001%", "drop=0.000001%" },
	{ "drop=1.50%", "drop=1.5%" },
	{ "drop=007%", "drop=7%" },
	{ "drop=0%", "" },
	{ "jitter=250us", "jitter=250us" },
	{ "delay=0.2", "delay=200ms" },
	{ "delay=1h", "delay=1h" },
	{ "reset=5%,seed=0", "reset=5%,seed=0" },
	{ "close=5%,seed=9223372036854775807",
	    "close=5%,seed=9223372036854775807" },
};

START_TEST(a_list_is_read_and_written)
{
	struct fault fault;
	struct uxs_error why;
	char text[FAULT_TEXT_MAX];

	ck_assert_int_eq(fault_parse(&fault, good[_i].spec, &why), 0);

	ck_assert(fault.is_wanted);
	ck_assert_str_eq(fault_print(&fault, text), good[_i].printed);
}
END_TEST

/* The key, and what to do about it, are in the line. */
static const struct {
	const char *spec, *key, *cure;
} bad[] = {
	{ "", "''", "write delay=, jitter=, drop=" },
	{ "dorp=1%", "'dorp=1%'", "write delay=, jitter=, drop=" },
	{ "drop=1%,", "''", "write delay=" },
	{ ",drop=1%", "''", "write delay=" },
	{ "DROP=1%", "'DROP=1%'", "write delay=" },
	{ "drop", "'drop': drop needs a value", "behind a =" },
	{ "drop=", "drop is a percentage", "write it like 1% or 0.1%" },
	{ "drop=1", "drop is a percentage", "write it like 1% or 0.1%" },
	{ "drop=%", "drop is", "1%" },
	{ "drop=101%", "drop is", "from 0% to 100%" },
	{ "drop=100.000001%", "drop is", "from 0% to 100%" },
	{ "drop=4294967297%", "drop is", "from 0% to 100%" },
	{ "drop=-1%", "drop is", "from 0% to 100%" },
	{ "drop= 1%", "drop is", "from 0% to 100%" },
	{ "drop=1.%", "drop is", "1%" },
	{ "drop=.5%", "drop is", "1%" },
	{ "drop=0.0000001%", "drop is", "up to six decimals" },
	{ "drop=1%%", "drop is", "1%" },
	{ "drop=1%,drop=2%", "'drop=2%': drop is given twice", "leave one" },
	{ "seed=1,drop=1%,seed=1", "seed is given twice", "leave one" },
	{ "delay=fast", "delay is a duration", "10ms" },
	{ "delay=2h", "delay is a duration of up to an hour", "10ms" },
	{ "jitter=-1ms", "jitter is a duration", "10ms" },
	{ "drop=1%,seed=x", "seed is a number", "from 0 to" },
	{ "drop=1%,seed=-1", "seed is a number", "from 0 to" },
	{ "drop=1%,seed=9223372036854775808", "seed is a number", "from 0" },
	{ "seed=42", "seed alone does nothing", "add one such as drop=1%" },
	{ "drop=000000000000000000000000000000000000000000000000000000000000"
	  "0000000001%",
	    "drop=0", "is too long" },
};

START_TEST(what_is_wrong_is_named_with_the_cure)
{
	struct fault fault;
	struct uxs_error why;
	const int r = fault_parse(&fault, bad[_i].spec, &why);

	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(uxs_error_exit_status(&why), 64);
	ck_assert_ptr_eq(strstr(why.text, "--fault: "), why.text);
	ck_assert_msg(strstr(why.text, bad[_i].key) != NULL, "%s", why.text);
	ck_assert_msg(strstr(why.text, bad[_i].cure) != NULL, "%s", why.text);
	ck_assert_ptr_null(strchr(why.text, '\n'));
}
END_TEST

/* ---- the plan ---- */

static struct fault
fault_of(const char *spec)
{
	struct fault fault;

	ck_assert_int_eq(fault_parse(&fault, spec, NULL), 0);
	return fault;
}

static struct uxs_fate
fate_of(const struct fault *fault, uint64_t connection, uint64_t message)
{
	const struct uxs_fates fates = fault_fates(fault);
	struct uxs_fate fate = { .faults = 0 };

	fates.of_message(&fate, connection, message, fates.arg);
	return fate;
}

#define N_MESSAGES 10000

/* How many of so many messages of a connection meet with it? */
static int
count(const struct fault *fault, uint64_t connection, uint32_t bit)
{
	int n = 0;

	for (uint64_t m = 1; m <= N_MESSAGES; m++)
		n += (fate_of(fault, connection, m).faults & bit) != 0;
	return n;
}

#define ALL_OF_IT                                                        \
	"delay=5ms,jitter=5ms,drop=10%,corrupt=10%,short=10%,close=10%," \
	"stall=10%,reset=10%,seed="

static int
count_differences(const char *spec, uint64_t connection, const char *other_spec,
    uint64_t other_connection)
{
	const struct fault one = fault_of(spec), other = fault_of(other_spec);
	int n = 0;

	for (uint64_t m = 1; m <= N_MESSAGES; m++) {
		const struct uxs_fate a = fate_of(&one, connection, m);
		const struct uxs_fate b = fate_of(&other, other_connection, m);

		n += a.faults != b.faults || a.delay_ns != b.delay_ns ||
		    a.corrupt_at != b.corrupt_at ||
		    a.corrupt_mask != b.corrupt_mask ||
		    a.short_at != b.short_at;
	}
	return n;
}

START_TEST(the_same_seed_is_the_same_plan)
{
	ck_assert_int_eq(count_differences(ALL_OF_IT "42", 3, ALL_OF_IT "42",
			     3),
	    0);
}
END_TEST

/* All but those few messages that meet with the same end, or a drop. */
START_TEST(another_seed_or_connection_is_another_plan)
{
	ck_assert_int_gt(count_differences(ALL_OF_IT "42", 3, ALL_OF_IT "43",
			     3),
	    N_MESSAGES * 9 / 10);
	ck_assert_int_gt(count_differences(ALL_OF_IT "42", 3, ALL_OF_IT "42",
			     4),
	    N_MESSAGES * 9 / 10);
}
END_TEST

/* Of the plan of a seed nothing may change: that seed was written down. */
START_TEST(a_seed_is_the_same_plan_in_every_version)
{
	const struct fault fault = fault_of("drop=20%,corrupt=20%,short=20%,"
					    "close=5%,reset=5%,seed=42");
	char plan[128] = "";

	for (uint64_t m = 1; m <= 24; m++) {
		const struct uxs_fate fate = fate_of(&fault, 1, m);
		const size_t n = strlen(plan);

		snprintf(plan + n, sizeof(plan) - n, "%02x ",
		    (unsigned)fate.faults);
	}

	ck_assert_str_eq(plan,
	    "00 04 10 10 00 08 08 40 04 00 02 00 02 02 02 00 08 00 02 02 00 08 "
	    "00 00 ");
}
END_TEST

/* Chance makes a hundred more or less of a thousand, which is what three
 * times its deviation comes to; from a fixed seed it is the same each time. */
static const struct {
	const char *spec;
	uint32_t bit;
	int least, most;
} shares[] = {
	{ "drop=10%,seed=1", BIT(DROP), 900, 1100 },
	{ "corrupt=10%,seed=2", BIT(CORRUPT), 900, 1100 },
	{ "short=10%,seed=3", BIT(SHORT), 900, 1100 },
	{ "close=10%,seed=4", BIT(CLOSE), 900, 1100 },
	{ "stall=10%,seed=5", BIT(STALL), 900, 1100 },
	{ "reset=10%,seed=6", BIT(RESET), 900, 1100 },
	{ "drop=0.1%,seed=7", BIT(DROP), 1, 25 },
	{ "drop=100%,seed=8", BIT(DROP), N_MESSAGES, N_MESSAGES },
	{ "drop=0%,seed=9", BIT(DROP), 0, 0 },
	{ "delay=1ms,seed=10", BIT(DELAY), N_MESSAGES, N_MESSAGES },
	{ "reset=100%,close=100%,drop=100%,seed=11", BIT(RESET), N_MESSAGES,
	    N_MESSAGES },
	{ "reset=100%,close=100%,drop=100%,seed=11", BIT(CLOSE) | BIT(DROP), 0,
	    0 },
	{ "close=100%,stall=100%,seed=12", BIT(STALL), 0, 0 },
	{ "drop=100%,corrupt=100%,delay=1ms,seed=13", BIT(CORRUPT) | BIT(DELAY),
	    0, 0 },
	/* Half of all jitter alone would be less than nothing. */
	{ "jitter=1ms,seed=14", BIT(DELAY), 4800, 5200 },
};

START_TEST(a_rate_is_the_share_of_messages)
{
	const struct fault fault = fault_of(shares[_i].spec);
	const int n = count(&fault, 1, shares[_i].bit);

	ck_assert_int_ge(n, shares[_i].least);
	ck_assert_int_le(n, shares[_i].most);
}
END_TEST

START_TEST(a_delay_is_within_its_jitter)
{
	const struct fault fault = fault_of("delay=5ms,jitter=2ms,seed=1");
	int64_t least = INT64_MAX, most = 0;

	for (uint64_t m = 1; m <= N_MESSAGES; m++) {
		const int64_t delay_ns = fate_of(&fault, 1, m).delay_ns;

		least = delay_ns < least ? delay_ns : least;
		most = delay_ns > most ? delay_ns : most;
	}

	ck_assert_int_ge(least, 3 * MS);
	ck_assert_int_lt(least, 3 * MS + MS / 100);
	ck_assert_int_le(most, 7 * MS);
	ck_assert_int_gt(most, 7 * MS - MS / 100);
}
END_TEST

START_TEST(another_rate_leaves_the_other_kinds_where_they_were)
{
	const struct fault one = fault_of("corrupt=10%,seed=5");
	const struct fault both = fault_of("corrupt=10%,short=50%,seed=5");

	for (uint64_t m = 1; m <= N_MESSAGES; m++) {
		const struct uxs_fate a = fate_of(&one, 1, m);
		const struct uxs_fate b = fate_of(&both, 1, m);

		ck_assert_uint_eq(a.faults & BIT(CORRUPT),
		    b.faults & BIT(CORRUPT));
		ck_assert_uint_eq(a.corrupt_at, b.corrupt_at);
		ck_assert_int_ne(a.corrupt_mask, 0);
	}
}
END_TEST

START_TEST(a_datagram_meets_with_no_end)
{
	const struct fault fault =
	    fault_of("reset=100%,close=100%,stall=100%,drop=10%,seed=1");

	ck_assert_int_eq(count(&fault, 0, BIT(RESET) | BIT(CLOSE) | BIT(STALL)),
	    0);
	ck_assert_int_gt(count(&fault, 0, BIT(DROP)), 900);
}
END_TEST

START_TEST(resets_are_announced)
{
	const struct fault none = fault_of("drop=1%"),
			   some = fault_of("reset=0.000001%");

	ck_assert(!fault_fates(&none).has_resets);
	ck_assert(fault_fates(&some).has_resets);
}
END_TEST

START_TEST(a_seed_is_drawn_where_there_is_none)
{
	struct fault given = fault_of("drop=1%,seed=7");
	struct fault one = fault_of("drop=1%"), other = fault_of("drop=1%");
	struct uxs_error why;

	ck_assert_int_eq(fault_choose_seed(&given, NULL, &why), 0);
	ck_assert_int_eq(fault_choose_seed(&one, NULL, &why), 0);
	ck_assert_int_eq(fault_choose_seed(&other, NULL, &why), 0);

	ck_assert_uint_eq(given.seed, 7);
	ck_assert(one.has_seed);
	ck_assert_uint_ne(one.seed, other.seed);
}
END_TEST

START_TEST(what_was_drawn_before_us_is_drawn_again_unless_one_is_given)
{
	const uint64_t drawn = 4711;
	struct fault given = fault_of("drop=1%,seed=7");
	struct fault none = fault_of("drop=1%");
	struct uxs_error why;

	ck_assert_int_eq(fault_choose_seed(&given, &drawn, &why), 0);
	ck_assert_int_eq(fault_choose_seed(&none, &drawn, &why), 0);

	ck_assert_uint_eq(given.seed, 7);
	ck_assert(!given.is_drawn);
	ck_assert_uint_eq(none.seed, drawn);
	ck_assert(none.is_drawn);
}
END_TEST

Suite *
suite_fault(void)
{
	Suite *suite = suite_create("fault");
	TCase *words = harness_case(suite, "words");
	TCase *plan = harness_case(suite, "plan");

	tcase_add_loop_test(words, a_list_is_read_and_written, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(words, what_is_wrong_is_named_with_the_cure, 0,
	    sizeof(bad) / sizeof(bad[0]));

	tcase_add_test(plan, the_same_seed_is_the_same_plan);
	tcase_add_test(plan, another_seed_or_connection_is_another_plan);
	tcase_add_test(plan, a_seed_is_the_same_plan_in_every_version);
	tcase_add_loop_test(plan, a_rate_is_the_share_of_messages, 0,
	    sizeof(shares) / sizeof(shares[0]));
	tcase_add_test(plan, a_delay_is_within_its_jitter);
	tcase_add_test(plan,
	    another_rate_leaves_the_other_kinds_where_they_were);
	tcase_add_test(plan, a_datagram_meets_with_no_end);
	tcase_add_test(plan, resets_are_announced);
	tcase_add_test(plan, a_seed_is_drawn_where_there_is_none);
	tcase_add_test(plan,
	    what_was_drawn_before_us_is_drawn_again_unless_one_is_given);
	return suite;
}
