/* SPDX-License-Identifier: ISC */
/*
 * New rules for a server that has sessions open. Server and clients are this
 * one process: whom a connection belongs to is decided by the effective ids
 * at the moment of connect(2), so one process can be several users in turn.
 */
#include "harness.h"
#include "suites.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define BAND 1600
#define CLIENTS 8

static const char *const paths[] = { "s", "q" };
static const enum uxs_type types[] = { UXS_STREAM, UXS_SEQPACKET };

static struct uxs_server *server;
static struct uxs_address addresses[3];
static struct uxs_access first, second, *rules;
static int n_ended;

/* ---- the language of this file ---- */

/* "+WHO" allows, "-WHO" denies. */
static void
fill_access(struct uxs_access *access, const char *text)
{
	char copy[256], *rest = copy, *rule;

	*access = (struct uxs_access)UXS_ACCESS_EMPTY(geteuid());
	snprintf(copy, sizeof(copy), "%s", text);
	while ((rule = strsep(&rest, " ")) != NULL)
		ck_assert_int_eq(uxs_access_add(access,
				     rule[0] == '+' ? UXS_ALLOW : UXS_DENY,
				     rule + 1, &uxs_names_system, NULL),
		    0);
}

static void
rules_become(const char *text)
{
	struct uxs_access *former = rules;

	rules = rules == &first ? &second : &first;
	uxs_access_fini(rules);
	fill_access(rules, text);
	ck_assert_int_eq(uxs_server_set_access(server, rules, NULL), 0);
	uxs_access_fini(former); /* nobody needs them any more */
}

static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static void
count_end(struct uxs_client *client, void *arg)
{
	n_ended++;
}

static const struct uxs_service echoing = {
	.on_message = echo,
	.on_end = count_end,
};

static void
open_server(const struct uxs_service *service)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_error why;

	ck_assert_int_eq(uxs_address_parse("stream:s", &addresses[0], &why), 1);
	ck_assert_int_eq(uxs_address_parse("seqpacket:q", &addresses[1], &why),
	    1);
	rules = &first;
	fill_access(rules, "+any");
	conf.addresses = addresses;
	conf.n_addresses = 2;
	conf.service = service;
	conf.access = rules;
	if (uxs_server_open(&server, &conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

static void
close_server(void)
{
	uxs_server_close(&server);
	uxs_access_fini(&first);
	uxs_access_fini(&second);
}

static void
take_turns(void)
{
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;
}

/* Somebody who has connected; group 0 is no supplementary group. */
static int
client_of(int type, uid_t uid, gid_t group)
{
	int fd;

	ck_assert_int_eq(setgroups(group != 0, &group), 0);
	ck_assert_int_eq(setegid(OTHER_GID), 0);
	ck_assert_int_eq(seteuid(uid), 0);
	fd = client_connect(types[type], harness_path(paths[type]));
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setegid(0), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	take_turns();
	return fd;
}

static void
is_served(int fd)
{
	SAYS(fd, "still?");
	take_turns();
	HEARS(fd, "still?");
}

static void
has_been_ended(int fd)
{
	client_hears_end(fd);
	close(fd);
}

static struct uxs_stats
stats(void)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now;
}

static uint64_t
ended_by_rules(void)
{
	return stats().closed[UXS_CLOSE_RULES];
}

/* ---- who stays, who goes ---- */

START_TEST(who_is_not_allowed_any_more_is_ended_and_others_go_on)
{
	int alice, bob, late;

	SKIP_UNLESS_ROOT();
	open_server(&echoing);
	alice = client_of(_i, OTHER_UID, 0);
	bob = client_of(_i, THIRD_UID, 0);
	is_served(alice);
	is_served(bob);

	rules_become("-uid:1500 +any");

	has_been_ended(alice);
	is_served(bob);
	ck_assert_uint_eq(ended_by_rules(), 1);
	ck_assert_uint_eq(stats().of[types[_i]].connections, 1);
	late = client_of(_i, OTHER_UID, 0);
	has_been_ended(late);
	close(bob);
	close_server();
}
END_TEST

START_TEST(groups_are_those_at_connect)
{
	int fd;

	SKIP_UNLESS_ROOT();
	open_server(&echoing);
	fd = client_of(_i, OTHER_UID, BAND);

	rules_become("+gid:1600");
	is_served(fd);
	rules_become("-gid:1600 +any");

	has_been_ended(fd);
	ck_assert_uint_eq(ended_by_rules(), 1);
	close_server();
}
END_TEST

START_TEST(without_rules_our_own_uid_stays)
{
	int own, other;

	SKIP_UNLESS_ROOT();
	open_server(&echoing);
	own = client_of(_i, 0, 0);
	other = client_of(_i, OTHER_UID, 0);

	ck_assert_int_eq(uxs_server_set_access(server, NULL, NULL), 0);

	is_served(own);
	has_been_ended(other);
	close(own);
	close_server();
}
END_TEST

START_TEST(place_of_who_is_ended_is_free)
{
	int fds[CLIENTS];

	SKIP_UNLESS_ROOT();
	open_server(&echoing);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLIENTS; i++)
			fds[i] = client_of(_i, OTHER_UID, 0);
		rules_become("-uid:1500 +any");
		for (int i = 0; i < CLIENTS; i++)
			has_been_ended(fds[i]);
		ck_assert_int_eq(n_ended, (round + 1) * CLIENTS);
		rules_become("+any");
	}
	close_server();
}
END_TEST

/* ---- from within ---- */

/* All others are ended inside the end of the first, by other rules; those by
 * which it ended are gone then. */
static void
end_all(struct uxs_client *client, void *arg)
{
	if (++n_ended == 1)
		rules_become("-any");
}

START_TEST(sessions_may_end_others_while_they_are_judged)
{
	const struct uxs_service service = {
		.on_message = echo,
		.on_end = end_all,
	};
	int fds[CLIENTS];

	SKIP_UNLESS_ROOT();
	open_server(&service);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_of(_i, OTHER_UID + (uid_t)i, 0);

	fill_access(&second, "-uid:1503 +any");
	rules = &second;
	ck_assert_int_eq(uxs_server_set_access(server, rules, NULL), 0);

	for (int i = 0; i < CLIENTS; i++)
		has_been_ended(fds[i]);
	ck_assert_uint_eq(ended_by_rules(), CLIENTS);
	close_server();
}
END_TEST

static int
deny_all(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	rules_become("-any");
	ck_assert_int_eq(uxs_client_reply(client, "?", 1), UXS_REPLY_DROPPED);
	return -1;
}

START_TEST(session_in_hand_may_be_among_those_that_end)
{
	const struct uxs_service service = {
		.on_message = deny_all,
		.on_end = count_end,
	};
	int fd;

	SKIP_UNLESS_ROOT();
	open_server(&service);
	fd = client_of(_i, OTHER_UID, 0);

	SAYS(fd, "me");
	take_turns();

	has_been_ended(fd);
	ck_assert_int_eq(n_ended, 1);
	ck_assert_uint_eq(ended_by_rules(), 1);
	close_server();
}
END_TEST

/* ---- what is not taken ---- */

START_TEST(rules_that_do_not_fit_an_address_change_nothing)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_access closed = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_error why;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "stream:@check-%ld", (long)getpid());
	ck_assert_int_eq(uxs_address_parse(name, &addresses[0], &why), 1);
	rules = &first;
	fill_access(rules, "+any");
	conf.addresses = addresses;
	conf.n_addresses = 1;
	conf.service = &echoing;
	conf.access = rules;
	ck_assert_int_eq(uxs_server_open(&server, &conf, &why), 0);
	fd = client_connect(UXS_STREAM, strchr(name, '@'));
	take_turns();

	ck_assert_int_lt(uxs_server_set_access(server, &closed, &why), 0);

	ck_assert_ptr_nonnull(strstr(why.text, "abstract name"));
	is_served(fd);
	close(fd);
	close_server();
}
END_TEST

Suite *
suite_server_rules(void)
{
	Suite *suite = suite_create("server rules");
	TCase *judging = harness_case(suite, "judging");

#define ADD_BOTH(test) tcase_add_loop_test(judging, test, 0, 2)
	ADD_BOTH(who_is_not_allowed_any_more_is_ended_and_others_go_on);
	ADD_BOTH(groups_are_those_at_connect);
	ADD_BOTH(without_rules_our_own_uid_stays);
	ADD_BOTH(place_of_who_is_ended_is_free);
	ADD_BOTH(sessions_may_end_others_while_they_are_judged);
	ADD_BOTH(session_in_hand_may_be_among_those_that_end);
	tcase_add_test(judging,
	    rules_that_do_not_fit_an_address_change_nothing);
	return suite;
}
