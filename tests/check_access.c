/* SPDX-License-Identifier: ISC */
#include <uxsrv/access.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/error.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- a small town ---- */

#define OWN 500
#define ALICE 1001
#define BOB 1002
#define AUDIO 2001
#define WHEEL 2002

static int
town_uid_of(const char *name, uid_t *uid)
{
	static const struct {
		const char *name;
		uid_t uid;
	} people[] = { { "alice", ALICE }, { "bob", BOB },
		{ "nobody", 65534 } };

	for (int i = 0; i < N_ROWS(people); i++) {
		if (strcmp(people[i].name, name) == 0) {
			*uid = people[i].uid;
			return 0;
		}
	}
	return -1;
}

static int
town_gid_of(const char *name, gid_t *gid)
{
	static const struct {
		const char *name;
		gid_t gid;
	} clubs[] = { { "audio", AUDIO }, { "wheel", WHEEL },
		{ "nogroup", 65534 } };

	for (int i = 0; i < N_ROWS(clubs); i++) {
		if (strcmp(clubs[i].name, name) == 0) {
			*gid = clubs[i].gid;
			return 0;
		}
	}
	return -1;
}

static const struct uxs_names town = { town_uid_of, town_gid_of };

/* Rules as words: "+WHO" allows, "-WHO" denies. */
static void
add_rules(struct uxs_access *access, const char *rules)
{
	char copy[256], *rest = copy, *rule;
	struct uxs_error why;

	snprintf(copy, sizeof(copy), "%s", rules);
	while ((rule = strsep(&rest, " ")) != NULL) {
		if (rule[0] != '\0')
			ck_assert_int_eq(uxs_access_add(access,
					     rule[0] == '+' ? UXS_ALLOW :
							      UXS_DENY,
					     rule + 1, &town, &why),
			    0);
	}
}

/* ---- decisions ---- */

#define NOBODY UXS_UID_NONE
#define NO_GID UXS_GID_NONE
#define IN UXS_ALLOW
#define OUT UXS_DENY

struct decision_row {
	const char *rules;
	uid_t uid;
	gid_t gid;
	int n_groups; /* -1: not known */
	gid_t groups[2];
	enum uxs_verdict expect;
};

/* clang-format off */
static const struct decision_row decision_rows[] = {
	/* No rule: ourselves and root. */
	{ "", OWN, 500, 0, { 0 }, IN },
	{ "", 0, 0, 0, { 0 }, IN },
	{ "", ALICE, 0, 0, { 0 }, OUT },
	{ "", NOBODY, NO_GID, -1, { 0 }, OUT },
	/* None that matches: the same. */
	{ "+user:alice", OWN, 500, 0, { 0 }, IN },
	{ "+user:alice", 0, 0, 0, { 0 }, IN },
	{ "+user:alice", BOB, 1, 0, { 0 }, OUT },
	{ "-user:alice", BOB, 1, 0, { 0 }, OUT },
	{ "-user:alice", OWN, 1, 0, { 0 }, IN },
	/* Each kind of rule. */
	{ "+any", ALICE, 1, 0, { 0 }, IN },
	{ "-any", OWN, 1, 0, { 0 }, OUT },
	{ "-any", 0, 0, 0, { 0 }, OUT },
	{ "-self", OWN, 1, 0, { 0 }, OUT },
	{ "-self", 0, 0, 0, { 0 }, IN },
	{ "-root", 0, 0, 0, { 0 }, OUT },
	{ "-root", OWN, 1, 0, { 0 }, IN },
	{ "+user:alice", ALICE, 1, 0, { 0 }, IN },
	{ "+user:1001", ALICE, 1, 0, { 0 }, IN },
	{ "+uid:1001", ALICE, 1, 0, { 0 }, IN },
	{ "+uid:1001", BOB, 1001, 0, { 0 }, OUT },
	{ "+group:audio", ALICE, AUDIO, 0, { 0 }, IN },
	{ "+group:2001", ALICE, AUDIO, 0, { 0 }, IN },
	{ "+gid:2001", ALICE, AUDIO, 0, { 0 }, IN },
	{ "+gid:2001", AUDIO, 1, 0, { 0 }, OUT },
	/* Ranges include both ends. */
	{ "+uid:1000-1002", 999, 1, 0, { 0 }, OUT },
	{ "+uid:1000-1002", 1000, 1, 0, { 0 }, IN },
	{ "+uid:1000-1002", 1002, 1, 0, { 0 }, IN },
	{ "+uid:1000-1002", 1003, 1, 0, { 0 }, OUT },
	{ "+uid:7-7", 7, 1, 0, { 0 }, IN },
	{ "+uid:0-4294967294", 4294967294, 1, 0, { 0 }, IN },
	{ "+gid:2000-2001", ALICE, 2000, 0, { 0 }, IN },
	{ "+gid:2000-2001", ALICE, 2002, 0, { 0 }, OUT },
	/* Supplementary groups. */
	{ "+group:audio", ALICE, 1, 1, { AUDIO }, IN },
	{ "+group:audio", ALICE, 1, 2, { 5, AUDIO }, IN },
	{ "+group:audio", ALICE, 1, 2, { 5, WHEEL }, OUT },
	{ "-group:audio +any", ALICE, 1, 1, { AUDIO }, OUT },
	{ "-group:audio +any", ALICE, AUDIO, 0, { 0 }, OUT },
	{ "-group:audio +any", ALICE, 1, 0, { 0 }, IN },
	{ "+gid:2000-2009", ALICE, 1, 1, { WHEEL }, IN },
	/* Groups that are not known: doubt keeps people out. */
	{ "+group:audio", ALICE, AUDIO, -1, { 0 }, IN },
	{ "+group:audio", ALICE, 1, -1, { 0 }, OUT },
	{ "-group:audio +any", ALICE, AUDIO, -1, { 0 }, OUT },
	{ "-group:audio +any", ALICE, 1, -1, { 0 }, OUT },
	{ "+user:alice -group:audio", ALICE, 1, -1, { 0 }, IN },
	/* Nobody's group is no group. */
	{ "+gid:0-4294967294", ALICE, NO_GID, 0, { 0 }, OUT },
	{ "+gid:0-4294967294", ALICE, NO_GID, 1, { 65534 }, OUT },
	{ "+gid:0-4294967294", ALICE, NO_GID, 2, { 65534, 7 }, IN },
	/* The unknown match "any", and nothing else. */
	{ "+any", NOBODY, NO_GID, -1, { 0 }, IN },
	{ "-any", NOBODY, NO_GID, -1, { 0 }, OUT },
	{ "+uid:0-4294967294", NOBODY, NO_GID, -1, { 0 }, OUT },
	{ "+gid:0-4294967294", NOBODY, NO_GID, -1, { 0 }, OUT },
	{ "+gid:0-4294967294", NOBODY, 1, 1, { AUDIO }, OUT },
	{ "+self +root", NOBODY, NO_GID, -1, { 0 }, OUT },
	{ "-uid:0-4294967294 +any", NOBODY, NO_GID, -1, { 0 }, IN },
	/* The first that matches decides. */
	{ "+user:alice -user:alice", ALICE, 1, 0, { 0 }, IN },
	{ "-user:alice +user:alice", ALICE, 1, 0, { 0 }, OUT },
	{ "-user:bob +uid:1000-1999", ALICE, 1, 0, { 0 }, IN },
	{ "-user:bob +uid:1000-1999", BOB, 1, 0, { 0 }, OUT },
	{ "+user:bob -group:audio +any", BOB, AUDIO, 0, { 0 }, IN },
	{ "-any +user:alice", ALICE, 1, 0, { 0 }, OUT },
	{ "-user:bob -group:wheel +group:audio", BOB, AUDIO, 0, { 0 }, OUT },
};
/* clang-format on */

static enum uxs_verdict
decide(const struct decision_row *row, bool with_list)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	const struct uxs_peer peer = {
		.uid = row->uid, .gid = row->gid, .pid = 4711
	};
	gid_t gids[2] = { row->groups[0], row->groups[1] };
	const struct uxs_groups groups = {
		.is_known = row->n_groups >= 0,
		.n = row->n_groups > 0 ? (size_t)row->n_groups : 0,
		.gids = gids,
	};
	enum uxs_verdict verdict;

	add_rules(&access, row->rules);
	verdict = uxs_access_decide(&access, &peer, with_list ? &groups : NULL);
	uxs_access_fini(&access);
	return verdict;
}

START_TEST(decides)
{
	const struct decision_row *row = &decision_rows[_i];

	ck_assert_msg(decide(row, true) == row->expect,
	    "rules '%s', uid %u, gid %u", row->rules, (unsigned)row->uid,
	    (unsigned)row->gid);
	if (row->n_groups < 0) /* no list at all is as good as an unknown one */
		ck_assert_int_eq(decide(row, false), row->expect);
}
END_TEST

START_TEST(names_the_rule_that_decided)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	struct uxs_peer peer = { .uid = BOB, .gid = 1 };
	const struct uxs_rule *rule;

	add_rules(&access, "+user:alice -user:bob +any");
	ck_assert_int_eq(uxs_access_explain(&access, &peer, NULL, &rule),
	    UXS_DENY);
	ck_assert_ptr_eq(rule, &access.rules[1]);

	access.n = 1; /* nothing matches him any more */
	ck_assert_int_eq(uxs_access_explain(&access, &peer, NULL, &rule),
	    UXS_DENY);
	ck_assert_ptr_null(rule);
	uxs_access_fini(&access);
}
END_TEST

START_TEST(a_thousand_rules_keep_their_order)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	struct uxs_peer peer = { .uid = 3999, .gid = 1 };
	char who[32];

	for (int uid = 3000; uid < 4000; uid++) {
		snprintf(who, sizeof(who), "uid:%d", uid);
		uxs_access_add(&access, uid % 2 ? UXS_ALLOW : UXS_DENY, who,
		    &town, NULL);
	}
	add_rules(&access, "-any");

	ck_assert_int_eq(uxs_access_decide(&access, &peer, NULL), UXS_ALLOW);
	peer.uid = 3998;
	ck_assert_int_eq(uxs_access_decide(&access, &peer, NULL), UXS_DENY);
	uxs_access_fini(&access);
}
END_TEST

/* ---- what is no rule ---- */

static const struct {
	const char *who;
	const char *says;
} bad_rows[] = {
	{ "", "write any" },
	{ "Any", "write any" },
	{ "any ", "write any" },
	{ " any", "write any" },
	{ "anyone", "write any" },
	{ "all", "write any" },
	{ "alice", "write any" },
	{ "1001", "write any" },
	{ "root:", "write any" },
	{ "User:alice", "write any" },
	{ "user", "write any" },
	{ "users:alice", "write any" },
	{ "user:", "no such user" },
	{ "user:carol", "no such user" },
	{ "user:alice ", "no such user" },
	{ "user: alice", "no such user" },
	{ "user:alice-bob", "no such user" },
	{ "user:-1", "no such user" },
	{ "user:1001-1002", "no such user" },
	{ "user:audio", "no such user" },
	{ "group:", "no such group" },
	{ "group:carol", "no such group" },
	{ "group:alice", "no such group" },
	{ "group:-1", "no such group" },
	{ "uid:", "is not a number" },
	{ "uid:alice", "is not a number" },
	{ "uid:-", "is not a number" },
	{ "uid:-1", "is not a number" },
	{ "uid:+1", "is not a number" },
	{ "uid: 1", "is not a number" },
	{ "uid:1 ", "is not a number" },
	{ "uid:0x10", "is not a number" },
	{ "uid:1.5", "is not a number" },
	{ "uid:1,2", "is not a number" },
	{ "uid:1-", "end of the range" },
	{ "uid:1-x", "end of the range" },
	{ "uid:1--2", "end of the range" },
	{ "uid:1-2-3", "end of the range" },
	{ "uid:1- 2", "end of the range" },
	{ "uid:5-4", "end of the range" },
	/* (uid_t)-1 is nobody, and larger ones would wrap. */
	{ "uid:4294967295", "is not a number" },
	{ "uid:4294967296", "is not a number" },
	{ "user:4294967295", "is not a number" },
	{ "group:4294967296", "is not a number" },
	{ "uid:0-4294967295", "end of the range" },
	{ "uid:18446744073709551616", "is not a number" },
	{ "uid:99999999999999999999999999", "is not a number" },
	{ "user:00000000000000000000000000001001", "is not a number" },
	{ "gid:", "is not a number" },
	{ "gid:audio", "is not a number" },
	{ "gid:4294967295", "is not a number" },
	{ "gid:2-1", "end of the range" },
	/* Everybody who is not mapped here is not a user. */
	{ "uid:65534", "not mapped" },
	{ "uid:65534-65534", "not mapped" },
	{ "user:65534", "not mapped" },
	{ "user:nobody", "not mapped" },
	{ "gid:65534", "not mapped" },
	{ "group:65534", "not mapped" },
	{ "group:nogroup", "not mapped" },
};

START_TEST(refuses_what_is_no_rule)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	struct uxs_error why = { .failure = UXS_FAILURE_NONE };

	int r =
	    uxs_access_add(&access, UXS_ALLOW, bad_rows[_i].who, &town, &why);

	ck_assert_int_lt(r, 0);
	ck_assert_uint_eq(access.n, 0);
	ck_assert_int_eq(why.failure, UXS_FAILURE_USAGE);
	ck_assert_ptr_nonnull(strstr(why.text, bad_rows[_i].says));
	ck_assert_ptr_nonnull(strstr(why.text, bad_rows[_i].who));
	uxs_access_fini(&access);
}
END_TEST

START_TEST(an_overflow_rule_that_is_insisted_on_matches_the_unmapped_only)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	struct uxs_peer unmapped = UXS_PEER_UNKNOWN;
	const struct uxs_peer missing = UXS_PEER_UNKNOWN;
	const struct uxs_peer alice = { .uid = ALICE, .gid = 1 };

	access.takes_overflow = true;
	unmapped.is_unmapped = true;
	ck_assert_int_eq(uxs_access_add(&access, UXS_ALLOW, "user:nobody",
			     &town, NULL),
	    0);

	ck_assert_int_eq(uxs_access_decide(&access, &unmapped, NULL),
	    UXS_ALLOW);
	ck_assert_int_eq(uxs_access_decide(&access, &missing, NULL), UXS_DENY);
	ck_assert_int_eq(uxs_access_decide(&access, &alice, NULL), UXS_DENY);
	ck_assert_int_lt(uxs_access_add(&access, UXS_ALLOW, "group:nogroup",
			     &town, NULL),
	    0);
	uxs_access_fini(&access);
}
END_TEST

START_TEST(quotes_a_bad_rule_in_one_printable_line)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	struct uxs_error why;

	uxs_access_add(&access, UXS_ALLOW, "a\nb\033c", &town, &why);

	for (const char *at = why.text; *at != '\0'; at++)
		ck_assert(isprint((unsigned char)*at));
	ck_assert_ptr_nonnull(strstr(why.text, "a\\nb\\033c"));
}
END_TEST

START_TEST(a_bad_rule_leaves_the_others)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	const struct uxs_peer peer = { .uid = ALICE, .gid = 1 };

	add_rules(&access, "+user:alice");
	ck_assert_int_lt(uxs_access_add(&access, UXS_DENY, "?", &town, NULL),
	    0);

	ck_assert_uint_eq(access.n, 1);
	ck_assert_int_eq(uxs_access_decide(&access, &peer, NULL), UXS_ALLOW);
	uxs_access_fini(&access);
}
END_TEST

/* ---- questions about the rules ---- */

static const struct {
	const char *rules;
	bool reads_groups, has_allow;
} question_rows[] = {
	{ "", false, false },
	{ "+any", false, true },
	{ "-any", false, false },
	{ "-user:alice +self", false, true },
	{ "-uid:1-9", false, false },
	{ "+group:audio", true, true },
	{ "-user:alice -gid:5", true, false },
};

START_TEST(knows_what_its_rules_ask)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);

	add_rules(&access, question_rows[_i].rules);

	ck_assert_int_eq(uxs_access_reads_groups(&access),
	    question_rows[_i].reads_groups);
	ck_assert_int_eq(uxs_access_has_allow(&access),
	    question_rows[_i].has_allow);
	uxs_access_fini(&access);
}
END_TEST

static const struct {
	const char *rule, *expect;
} print_rows[] = {
	{ "+any", "allow any" },
	{ "-any", "deny any" },
	{ "+self", "allow uid:500" },
	{ "-root", "deny uid:0" },
	{ "+user:alice", "allow uid:1001" },
	{ "-group:audio", "deny gid:2001" },
	{ "+uid:5-9", "allow uid:5-9" },
	{ "-gid:0-4294967294", "deny gid:0-4294967294" },
};

START_TEST(prints_a_rule_as_it_is_read)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);
	char text[UXS_RULE_TEXT_MAX];

	add_rules(&access, print_rows[_i].rule);
	uxs_rule_print(&access.rules[0], text);

	ck_assert_str_eq(text, print_rows[_i].expect);
	ck_assert_int_eq(uxs_access_add(&access, access.rules[0].verdict,
			     strchr(text, ' ') + 1, &town, NULL),
	    0);
	ck_assert_int_eq(access.rules[1].kind, access.rules[0].kind);
	if (access.rules[0].kind != UXS_RULE_ANY) {
		ck_assert_uint_eq(access.rules[1].first, access.rules[0].first);
		ck_assert_uint_eq(access.rules[1].last, access.rules[0].last);
	}
	uxs_access_fini(&access);
}
END_TEST

START_TEST(may_end_twice)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(OWN);

	add_rules(&access, "+any -any");
	uxs_access_fini(&access);
	uxs_access_fini(&access);

	ck_assert_uint_eq(access.n, 0);
}
END_TEST

START_TEST(the_system_knows_root)
{
	uid_t uid = 77;
	gid_t gid = 77;

	ck_assert_int_eq(uxs_names_system.uid_of("root", &uid), 0);
	ck_assert_int_eq(uxs_names_system.gid_of("root", &gid), 0);

	ck_assert_uint_eq(uid, 0);
	ck_assert_uint_eq(gid, 0);
	ck_assert_int_lt(uxs_names_system.uid_of("no such user", &uid), 0);
	ck_assert_int_lt(uxs_names_system.gid_of("no such group", &gid), 0);
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_access(void)
{
	Suite *suite = suite_create("access");
	TCase *deciding = harness_case(suite, "deciding");
	TCase *reading = harness_case(suite, "reading");
	TCase *asking = harness_case(suite, "asking");

	TABLE(deciding, decides, decision_rows);
	tcase_add_test(deciding, names_the_rule_that_decided);
	tcase_add_test(deciding, a_thousand_rules_keep_their_order);

	TABLE(reading, refuses_what_is_no_rule, bad_rows);
	tcase_add_test(deciding,
	    an_overflow_rule_that_is_insisted_on_matches_the_unmapped_only);
	tcase_add_test(reading, quotes_a_bad_rule_in_one_printable_line);
	tcase_add_test(reading, a_bad_rule_leaves_the_others);

	TABLE(asking, knows_what_its_rules_ask, question_rows);
	TABLE(asking, prints_a_rule_as_it_is_read, print_rows);
	tcase_add_test(asking, may_end_twice);
	tcase_add_test(asking, the_system_knows_root);
	return suite;
}
