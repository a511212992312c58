/* SPDX-License-Identifier: ISC */
/*
 * The real binary and its file of rules: read at start, read again on SIGHUP,
 * asked with --check. Clients are other users, so most of it needs root.
 */
#include "harness.h"
#include "suites.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TAKEN "rules were read again: "
#define KEPT "the old rules stay: "

/* ---- the language of this file ---- */

static const char *const with_rules[] = { "-f", "rules", "-m", "0666",
	"stream:s", "seqpacket:q", "dgram:d", NULL };

static void
start_with_rules(struct service *service, const char *rules)
{
	write_file("rules", rules, 0644);
	service_start(service, with_rules);
}

/* In one step, as the manual advises. */
static void
rules_become(struct service *service, const char *rules, const char *logged)
{
	write_file("rules.new", rules, 0644);
	ck_assert_int_eq(rename("rules.new", "rules"), 0);
	ck_assert_int_eq(kill(service->pid, SIGHUP), 0);
	service_logs(service, logged);
}

static const char *const paths[] = { "s", "q" };

/* Whom a connection belongs to is decided by the effective ids at connect. */
static int
client_of(int type, uid_t uid)
{
	int fd;

	ck_assert_int_eq(seteuid(uid), 0);
	fd = client_connect((enum uxs_type)type, harness_path(paths[type]));
	ck_assert_int_eq(seteuid(0), 0);
	return fd;
}

static void
is_served(int fd)
{
	SAYS(fd, "served?");
	HEARS(fd, "served?");
}

static void
is_turned_away(int type, uid_t uid)
{
	const int fd = client_of(type, uid);

	client_hears_end(fd);
	close(fd);
}

/* In a child that is another user, since a datagram tells who sends it. */
static void
exchange_datagram(void *arg)
{
	const int fd = client_connect(UXS_DGRAM, harness_path("d"));

	is_served(fd);
	close(fd);
}

static void
send_datagram(void *arg)
{
	const int fd = client_connect(UXS_DGRAM, harness_path("d"));

	SAYS(fd, "in vain");
	close(fd);
}

/* ---- at start ---- */

START_TEST(file_stands_where_its_option_stands)
{
	const char *const before[] = { "-d", "uid:1500", "-f", "rules", "-m",
		"0666", "stream:s", NULL };
	const char *const behind[] = { "-f", "rules", "-d", "uid:1500", "-m",
		"0666", "stream:s", NULL };
	struct service service;
	int fd;

	SKIP_UNLESS_ROOT();
	write_file("rules", "allow uid:1500-1501\n", 0644);

	service_start(&service, before);
	is_turned_away(UXS_STREAM, OTHER_UID);
	service_stop_clean(&service);

	service_start(&service, behind);
	fd = client_of(UXS_STREAM, OTHER_UID);
	is_served(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

static const struct {
	const char *text; /* NULL: no file */
	mode_t mode;
	const char *says;
} bad_starts[] = {
	{ NULL, 0, "uxecho: rules file rules: No such file" },
	{ "allow any\nallow all\n", 0644, "uxecho: rules:2: rule 'all': " },
	{ "allow user:no-such\n", 0644,
	    "uxecho: rules:1: rule 'user:no-such'" },
	{ "x\033[2J\n", 0644, "uxecho: rules:1: 'x\\033[2J': write" },
	{ "allow any\n", 0666, "uxecho: rules file rules: may be written" },
};

START_TEST(bad_file_at_start_is_78_and_one_line)
{
	struct output_of result;
	const char *const serving[] = { "uxecho", "-f", "rules", "s", NULL };
	const char *const checking[] = { "uxecho", "-n", "-f", "rules", "s",
		NULL };
	const char *const *const argvs[] = { serving, checking };

	if (bad_starts[_i].text != NULL)
		write_file("rules", bad_starts[_i].text, bad_starts[_i].mode);

	for (int i = 0; i < 2; i++) {
		run_program(&result, argvs[i]);
		ck_assert_int_eq(result.status, 78);
		ck_assert_msg(strncmp(result.err, bad_starts[_i].says,
				  strlen(bad_starts[_i].says)) == 0,
		    "says: %s", result.err);
		ck_assert_ptr_eq(strchr(result.err, '\n'),
		    result.err + strlen(result.err) - 1);
	}
	ck_assert(!is_there("s"));
}
END_TEST

START_TEST(abstract_name_may_have_its_rule_in_a_file)
{
	char name[64];
	const char *const arguments[] = { "-f", "rules", name, NULL };
	struct service service;
	int fd;

	snprintf(name, sizeof(name), "stream:@check-%ld", (long)getpid());
	write_file("rules", "allow any\n", 0644);

	service_start(&service, arguments);

	fd = client_connect(UXS_STREAM, strchr(name, '@'));
	is_served(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* ---- SIGHUP ---- */

START_TEST(new_rules_decide_and_sessions_are_judged_again)
{
	struct service service;
	int alice, bob;

	SKIP_UNLESS_ROOT();
	start_with_rules(&service, "allow any\n");
	alice = client_of(_i, OTHER_UID);
	bob = client_of(_i, THIRD_UID);
	is_served(alice);
	is_served(bob);

	rules_become(&service, "deny uid:1500\nallow any\n",
	    TAKEN "2 rules, 1 sessions ended");

	client_hears_end(alice);
	is_served(bob);
	is_turned_away(_i, OTHER_UID);
	service_counts(&service, "1 closed (rules 1)");
	close(alice);
	close(bob);
	service_stop_clean(&service);
}
END_TEST

START_TEST(datagrams_are_judged_by_the_new_rules)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0); /* clients bind names here */
	start_with_rules(&service, "allow uid:1500\n");
	as_user(OTHER_UID, OTHER_GID, exchange_datagram, NULL);

	rules_become(&service, "allow uid:1501\n", TAKEN "1 rules, 0");

	as_user(OTHER_UID, OTHER_GID, send_datagram, NULL);
	as_user(THIRD_UID, OTHER_GID, exchange_datagram, NULL);
	service_counts(&service, "1 refused (rules 1); received 2 messages");
	service_stop_clean(&service);
}
END_TEST

START_TEST(bad_file_keeps_the_old_rules)
{
	struct service service;
	int alice;

	SKIP_UNLESS_ROOT();
	start_with_rules(&service, "allow uid:1500\n");
	alice = client_of(_i, OTHER_UID);

	rules_become(&service, "allow uid:1501\nalow any\n",
	    KEPT "rules:2: 'alow any': write");

	is_served(alice);
	is_turned_away(_i, THIRD_UID);
	close(alice);
	alice = client_of(_i, OTHER_UID);
	is_served(alice);
	close(alice);
	service_stop_clean(&service);
}
END_TEST

START_TEST(file_that_became_unsafe_or_is_gone_keeps_the_old_rules)
{
	struct service service;
	int fd;

	SKIP_UNLESS_ROOT();
	start_with_rules(&service, "allow uid:1500\n");

	ck_assert_int_eq(chmod("rules", 0646), 0);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	service_logs(&service, KEPT "rules file rules: may be written");
	ck_assert_int_eq(unlink("rules"), 0);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	service_logs(&service, KEPT "rules file rules: No such file");

	fd = client_of(UXS_STREAM, OTHER_UID);
	is_served(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

START_TEST(rules_of_the_command_line_stay)
{
	const char *const arguments[] = { "-d", "uid:1500", "-f", "rules", "-a",
		"uid:1501", "-m", "0666", "stream:s", NULL };
	struct service service;
	int fd;

	SKIP_UNLESS_ROOT();
	write_file("rules", "deny any\n", 0644);
	service_start(&service, arguments);
	is_turned_away(UXS_STREAM, THIRD_UID);

	rules_become(&service, "allow uid:1500\n", TAKEN "3 rules");

	is_turned_away(UXS_STREAM, OTHER_UID);
	fd = client_of(UXS_STREAM, THIRD_UID);
	is_served(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

START_TEST(rules_can_change_many_times)
{
	struct service service;
	int n_before, fd;

	SKIP_UNLESS_ROOT();
	start_with_rules(&service, "");
	rules_become(&service, "allow any\n", TAKEN);
	n_before = count_descriptors_of(service.pid);

	for (int i = 0; i < 20; i++) {
		fd = client_of(UXS_STREAM, OTHER_UID);
		is_served(fd);
		rules_become(&service, i % 2 ? "deny any\n" : "",
		    i % 2 ? TAKEN "1 rules" : TAKEN "0 rules");
		client_hears_end(fd);
		close(fd);
		rules_become(&service, "allow any\n", TAKEN "1 rules, 0");
	}

	ck_assert_int_eq(count_descriptors_of(service.pid), n_before);
	service_stop_clean(&service);
}
END_TEST

START_TEST(warns_when_the_file_mode_keeps_new_friends_out)
{
	const char *const arguments[] = { "-f", "rules", "stream:s", NULL };
	struct service service;

	write_file("rules", "# nobody yet\n", 0644);
	service_start(&service, arguments);
	ck_assert_uint_eq(mode_of("s"), 0600);

	rules_become(&service, "allow any\n",
	    "at start no rule allowed anybody, so the socket files");

	ck_assert_uint_eq(mode_of("s"), 0600);
	service_stop_clean(&service);
}
END_TEST

/* ---- --check --as ---- */

static const struct {
	const char *user, *says;
} judgements[] = {
	/* A deny of a group is a datagram's too, whose groups are not told. */
	{ "daemon",
	    "as daemon: uid 1, gid 1, groups 1\n"
	    "  connection: denied by rule 3: deny gid:1 (rules:2)\n"
	    "  datagram: denied by rule 3: deny gid:1 (rules:2)\n" },
	{ "root",
	    "as root: uid 0, gid 0, groups 0\n"
	    "  connection: allowed by default, no rule matches\n"
	    "  datagram: denied by rule 3: deny gid:1 (rules:2)\n" },
	{ "0",
	    "as 0: uid 0, gid 0, groups 0\n"
	    "  connection: allowed by default, no rule matches\n" },
	{ "4000100",
	    "as 4000100: uid 4000100, groups unknown\n"
	    "  connection: allowed by rule 1: allow uid:4000100 (command line)\n"
	    "  datagram: allowed by rule 1: allow uid:4000100 (command line)\n" },
	{ "4000101",
	    "  connection: denied by rule 2: deny uid:4000101 (rules:1)\n" },
	/* Doubt keeps people out: nobody knows the groups of this one. */
	{ "4000102", "  connection: denied by rule 3: deny gid:1 (rules:2)\n" },
	{ "65534",
	    "as 65534: unknown\n"
	    "  connection: denied by default, no rule matches\n"
	    "  datagram: denied by default, no rule matches\n" },
};

static void
check_as(struct output_of *result, const char *user)
{
	const char *const argv[] = { "uxecho", "-a", "uid:4000100", "--check",
		"-f", "rules", "--as", user, "stream:s", NULL };

	write_file("rules", "deny uid:4000101\ndeny gid:1\n", 0644);
	run_program(result, argv);
}

START_TEST(check_tells_what_the_rules_decide_for_a_user)
{
	struct output_of result;

	SKIP_UNLESS_ROOT();
	check_as(&result, judgements[_i].user);

	ck_assert_int_eq(result.status, 0);
	ck_assert_msg(strstr(result.out, judgements[_i].says) != NULL,
	    "says: %s", result.out);
}
END_TEST

START_TEST(check_of_nobody_is_64)
{
	struct output_of result;

	check_as(&result, "no-such\nuser");

	ck_assert_int_eq(result.status, 64);
	ck_assert_str_eq(result.err,
	    "uxecho: --as 'no-such\\nuser': there is no such user\n");
}
END_TEST

/* In a mount namespace of its own, with users and groups of its own. */
static bool
replace_file(const char *name, const char *in_place_of, const char *text)
{
	write_file(name, text, 0644);
	return mount(name, in_place_of, NULL, MS_BIND, NULL) == 0;
}

START_TEST(check_knows_supplementary_groups)
{
	struct output_of result;
	const char *const argv[] = { "uxecho", "--check", "-a", "group:band",
		"--as", "alice", "stream:s", NULL };

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !replace_file("passwd", "/etc/passwd",
		"root:x:0:0::/:/bin/sh\nalice:x:1500:1500::/:/bin/sh\n") ||
	    !replace_file("group", "/etc/group", "band:x:1600:alice\n")) {
		skip("needs a mount namespace, for another /etc/passwd");
		return;
	}

	run_program(&result, argv);

	ck_assert_msg(strstr(result.out,
			  "as alice: uid 1500, gid 1500, groups 1500 1600\n"
			  "  connection: allowed by rule 1: allow gid:1600 "
			  "(command line)\n"
			  "  datagram: denied by default, no rule "
			  "matches\n") != NULL,
	    "says: %s%s", result.out, result.err);
}
END_TEST

Suite *
suite_uxecho_rules(void)
{
	Suite *suite = suite_create("uxecho rules");
	TCase *start = harness_case(suite, "start");
	TCase *again = harness_case(suite, "again");
	TCase *as = harness_case(suite, "as");

	tcase_add_test(start, file_stands_where_its_option_stands);
	tcase_add_loop_test(start, bad_file_at_start_is_78_and_one_line, 0,
	    N_OF(bad_starts));
	tcase_add_test(start, abstract_name_may_have_its_rule_in_a_file);

	tcase_add_loop_test(again,
	    new_rules_decide_and_sessions_are_judged_again, 0, 2);
	tcase_add_test(again, datagrams_are_judged_by_the_new_rules);
	tcase_add_loop_test(again, bad_file_keeps_the_old_rules, 0, 2);
	tcase_add_test(again,
	    file_that_became_unsafe_or_is_gone_keeps_the_old_rules);
	tcase_add_test(again, rules_of_the_command_line_stay);
	tcase_add_test(again, rules_can_change_many_times);
	tcase_add_test(again, warns_when_the_file_mode_keeps_new_friends_out);

	tcase_add_loop_test(as, check_tells_what_the_rules_decide_for_a_user, 0,
	    N_OF(judgements));
	tcase_add_test(as, check_of_nobody_is_64);
	tcase_add_test(as, check_knows_supplementary_groups);
	return suite;
}
