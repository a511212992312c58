/* SPDX-License-Identifier: ISC */
/*
 * Who is it? The server lets in uid 1500 and nobody else, and clients try to
 * pass for it, or come in ways in which it is easily mistaken (promise 3).
 */
#include "harness.h"
#include "hostile.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- the language of this file ---- */

static struct uxs_access only_other;

static void
let_in_only_other(struct uxs_server_conf *conf)
{
	only_other = (struct uxs_access)UXS_ACCESS_EMPTY(0);
	uxs_access_add(&only_other, UXS_ALLOW, "uid:1500", &uxs_names_system,
	    NULL);
	uxs_access_add(&only_other, UXS_DENY, "any", &uxs_names_system, NULL);
	conf->access = &only_other;
	conf->mode = 0666;
}

static void
become(uid_t uid)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(uid, uid, uid), 0);
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
}

static void
is_served(int fd)
{
	SAYS(fd, "may I?");
	HEARS(fd, "may I?");
}

/* Nothing was sent, so it is a clean end. */
static void
is_refused(int fd)
{
	client_hears_end(fd);
}

/* ---- connections: each row in a child that is root at first ---- */

static void
come_as_other(enum uxs_type type)
{
	become(OTHER_UID);
	is_served(hostile_dial(type));
}

static void
come_as_third(enum uxs_type type)
{
	become(THIRD_UID);
	is_refused(hostile_dial(type));
}

static void
come_as_root(enum uxs_type type)
{
	is_refused(hostile_dial(type));
}

/* It is the effective user that counts. */
static void
come_as_root_with_the_effective_uid_of_other(enum uxs_type type)
{
	ck_assert_int_eq(seteuid(OTHER_UID), 0);
	is_served(hostile_dial(type));
}

/* What it was at connect stays. */
static void
become_other_after_connect(enum uxs_type type)
{
	const int fd = hostile_dial(type);

	become(OTHER_UID);
	is_refused(fd);
}

static void
become_third_after_connect(enum uxs_type type)
{
	int fd;

	ck_assert_int_eq(seteuid(OTHER_UID), 0);
	fd = hostile_dial(type);
	ck_assert_int_eq(seteuid(0), 0);
	become(THIRD_UID);
	is_served(fd);
}

static int inherited;

static void
use_inherited(void *served)
{
	if (*(bool *)served)
		is_served(inherited);
	else
		is_refused(inherited);
}

/* Whoever has the connection now, it is his who made it. */
static void
give_it_to_third(enum uxs_type type)
{
	bool served = true;

	ck_assert_int_eq(seteuid(OTHER_UID), 0);
	inherited = hostile_dial(type);
	ck_assert_int_eq(seteuid(0), 0);
	as_user(THIRD_UID, THIRD_UID, use_inherited, &served);
}

static void
get_it_from_third(enum uxs_type type)
{
	bool served = false;

	ck_assert_int_eq(seteuid(THIRD_UID), 0);
	inherited = hostile_dial(type);
	ck_assert_int_eq(seteuid(0), 0);
	as_user(OTHER_UID, OTHER_UID, use_inherited, &served);
}

/* Root of a name space of its own is outside who it was. */
static void
come_as_root_of_a_user_namespace(enum uxs_type type)
{
	become(THIRD_UID);
	if (unshare(CLONE_NEWUSER) < 0)
		skip("user name spaces are not allowed here");
	is_refused(hostile_dial(type));
}

static void
come_from_a_user_namespace(enum uxs_type type)
{
	become(OTHER_UID);
	if (unshare(CLONE_NEWUSER) < 0)
		skip("user name spaces are not allowed here");
	is_served(hostile_dial(type));
}

static void
be_other(void *type)
{
	come_as_other(*(enum uxs_type *)type);
}

static void
come_from_a_pid_namespace(enum uxs_type type)
{
	if (unshare(CLONE_NEWPID) < 0)
		skip("pid name spaces are not allowed here");
	ck_assert_int_eq(wait_child(start_child(be_other, &type)), 0);
}

static void (*const ways[])(enum uxs_type type) = {
	come_as_other,
	come_as_third,
	come_as_root,
	come_as_root_with_the_effective_uid_of_other,
	become_other_after_connect,
	become_third_after_connect,
	give_it_to_third,
	get_it_from_third,
	come_as_root_of_a_user_namespace,
	come_from_a_user_namespace,
	come_from_a_pid_namespace,
};

#define N_WAYS N_OF(ways)

struct attempt {
	void (*way)(enum uxs_type type);
	enum uxs_type type;
};

static void
attempt(void *arg)
{
	const struct attempt *attempt = arg;

	attempt->way(attempt->type);
}

START_TEST(who_called_connect_is_who_it_is)
{
	struct attempt a = { ways[_i % N_WAYS], (enum uxs_type)(_i / N_WAYS) };
	struct hostile_server server;

	SKIP_UNLESS_ROOT();
	hostile_start(&server, false, let_in_only_other);

	ck_assert_int_eq(wait_child(start_child(attempt, &a)), 0);

	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[a.type].accepted +
		server.stats.of[a.type].refused[UXS_REFUSAL_RULES],
	    1);
	ck_assert_uint_eq(server.stats.of[a.type].connections, 0);
}
END_TEST

/* ---- dead before accept ---- */

static void
speak_and_die(void *type)
{
	SAYS(hostile_dial(*(enum uxs_type *)type), "last words");
}

START_TEST(who_died_before_the_accept_is_who_he_was)
{
	enum uxs_type type = (enum uxs_type)_i;
	struct hostile_server server;

	SKIP_UNLESS_ROOT();
	hostile_start(&server, false, let_in_only_other);
	hostile_pause(&server);

	as_user(OTHER_UID, OTHER_UID, speak_and_die, &type);
	as_user(THIRD_UID, THIRD_UID, speak_and_die, &type);

	hostile_resume(&server);
	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[type].accepted, 1);
	ck_assert_uint_eq(server.stats.of[type].received_messages, 1);
	ck_assert_uint_eq(server.stats.of[type].refused[UXS_REFUSAL_RULES], 1);
}
END_TEST

/* ---- a server that does not know its clients ---- */

static void
live_in_a_user_namespace(struct uxs_server_conf *conf)
{
	int fd;

	let_in_only_other(conf);
	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "0 0 1", 5), 5);
	close(fd);
	/* The overflow uid, and all there are: neither is who is unknown. */
	uxs_access_fini(&only_other);
	only_other = (struct uxs_access)UXS_ACCESS_EMPTY(0);
	uxs_access_add(&only_other, UXS_ALLOW, "uid:1-4294967294",
	    &uxs_names_system, NULL);
}

static void
be_refused(void *type)
{
	is_refused(hostile_dial(*(enum uxs_type *)type));
}

static void
try_a_user_namespace(void *unused)
{
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(1);
}

START_TEST(who_is_not_mapped_is_nobody_and_stays_out)
{
	enum uxs_type type = (enum uxs_type)_i;
	struct hostile_server server;

	SKIP_UNLESS_ROOT();
	if (wait_child(start_child(try_a_user_namespace, NULL)) != 0) {
		skip("user name spaces are not allowed here");
		return;
	}
	hostile_start(&server, false, live_in_a_user_namespace);

	as_user(OTHER_UID, OTHER_UID, be_refused, &type);

	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[type].refused[UXS_REFUSAL_RULES], 1);
}
END_TEST

/* ---- credentials that come with a message ---- */

/* Say that we are somebody else. Returns as sendmsg(2). */
static ssize_t
claim(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = { .bytes = "" };
	const struct ucred ucred = { pid, uid, gid };
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	const struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_CREDENTIALS;
	control.header.cmsg_len = CMSG_LEN(sizeof(ucred));
	memcpy(CMSG_DATA(&control.header), &ucred, sizeof(ucred));
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void
forge(void *type)
{
	const int fd = hostile_dial(*(enum uxs_type *)type);

	ck_assert_int_eq(claim(fd, getpid(), OTHER_UID, THIRD_UID), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(claim(fd, getpid(), THIRD_UID, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(claim(fd, 1, THIRD_UID, THIRD_UID), -1);
	ck_assert_int_eq(errno, EPERM);
	close(fd);
}

/* The kernel keeps them from it; the server has nothing to do. */
START_TEST(credentials_cannot_be_forged)
{
	enum uxs_type type = (enum uxs_type)_i;
	struct hostile_server server;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	hostile_start(&server, false, let_in_only_other);
	hostile_pause(&server); /* or the connection would be closed first */

	as_user(THIRD_UID, THIRD_UID, forge, &type);

	hostile_resume(&server);
	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[type].received_messages, 0);
}
END_TEST

static void
say_without_credentials(void *arg)
{
	const int fd = hostile_dial(UXS_DGRAM);

	SAYS(fd, "me"); /* none given: the kernel adds them */
	close(fd);
}

START_TEST(datagram_without_credentials_is_its_senders_all_the_same)
{
	struct hostile_server server;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	hostile_start(&server, false, let_in_only_other);

	as_user(OTHER_UID, OTHER_UID, say_without_credentials, NULL);
	as_user(THIRD_UID, THIRD_UID, say_without_credentials, NULL);
	say_without_credentials(NULL); /* root: only uid 1500 is let in */

	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[UXS_DGRAM].received_messages, 1);
	ck_assert_uint_eq(server.stats.of[UXS_DGRAM].refused[UXS_REFUSAL_RULES],
	    2);
}
END_TEST

Suite *
suite_hostile_peers(void)
{
	Suite *suite = suite_create("hostile peers");
	TCase *connections = harness_case(suite, "connections");
	TCase *messages = harness_case(suite, "messages");

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)
	LOOP(connections, who_called_connect_is_who_it_is, 0, 2 * N_WAYS);
	LOOP(connections, who_died_before_the_accept_is_who_he_was, 0, 2);
	LOOP(connections, who_is_not_mapped_is_nobody_and_stays_out, 0, 2);
	LOOP(messages, credentials_cannot_be_forged, 0, 3);
	tcase_add_test(messages,
	    datagram_without_credentials_is_its_senders_all_the_same);
	return suite;
}
