/* SPDX-License-Identifier: ISC */
/*
 * uxping when things go wrong: each reason word is provoked, with its exit
 * status and the heart of its sentence.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "foreign.h"
#include "harness.h"
#include "strict_json.h"
#include "suites.h"

static struct output_of result;

#define UXPING(...)          \
	run_program(&result, \
	    (const char *const[]){ "uxping", __VA_ARGS__, NULL })

/* The last run failed with this status, and said this on standard error. */
static void
must_fail(int status, const char *said)
{
	ck_assert_msg(strstr(result.err, said) != NULL, "'%s' is not in: %s%s",
	    said, result.out, result.err);
	ck_assert_int_eq(result.status, status);
}

/* ---- nobody to talk to ---- */

START_TEST(a_missing_component_is_named)
{
	UXPING("-c", "1", "nodir/s");

	must_fail(1, "uxping: nodir/s: no-such-file: nodir does not exist");
	ck_assert_str_eq(result.out, "");
}
END_TEST

START_TEST(a_file_is_not_a_socket)
{
	write_file("s", "text", 0644);

	UXPING("-c", "1", "s");

	must_fail(1, "not-a-socket: it is a regular file");
	assert_file_says("s", "text");
}
END_TEST

START_TEST(a_stale_socket_is_called_stale_and_stays)
{
	leave_stale_socket((enum uxs_type)_i, "s");

	UXPING("-c", "1", "s");

	must_fail(1, "stale: nobody is behind the socket file");
	ck_assert(is_there("s"));
}
END_TEST

START_TEST(a_socket_that_does_not_listen_is_not_called_stale)
{
	int fd = bound_socket(UXS_STREAM, "s");

	UXPING("-c", "1", "s");

	must_fail(1, "not-listening: somebody holds the socket");
	close(fd);
}
END_TEST

START_TEST(a_full_backlog_is_waited_for_and_then_told)
{
	int clients[CLIENTS_MAX], n;
	int fd = bound_socket(UXS_STREAM, "s");

	ck_assert_int_eq(listen(fd, 1), 0);
	fill_backlog(UXS_STREAM, "s", clients, &n);

	UXPING("-c", "1", "-W", "20ms", "s");

	must_fail(1, "backlog-full: ");
	close_all(clients, n);
	close(fd);
}
END_TEST

static const struct {
	enum uxs_type is;
	const char *asked, *said;
} wrong_types[] = {
	{ UXS_STREAM, "dgram:s", "it is a stream socket and not a datagram" },
	{ UXS_STREAM, "seqpacket:s", "it is a stream socket and not a seq" },
	{ UXS_DGRAM, "stream:s", "it is a datagram socket and not a stream" },
	{ UXS_SEQPACKET, "stream:s", "it is a seqpacket socket and not a st" },
	{ UXS_SEQPACKET, "dgram:s", "write seqpacket:s" },
};

START_TEST(the_wrong_type_is_told_with_the_right_one)
{
	pid_t server = foreign_start(FOREIGN_ECHO, wrong_types[_i].is, "s");

	UXPING("-c", "1", wrong_types[_i].asked);

	must_fail(1, "wrong-type: ");
	must_fail(1, wrong_types[_i].said);
	foreign_kill(server);
}
END_TEST

START_TEST(diagnosing_leaves_the_accept_queue_alone)
{
	int fd = bound_socket(UXS_SEQPACKET, "s");

	ck_assert_int_eq(listen(fd, 8), 0);
	UXPING("-c", "1", "dgram:s");
	UXPING("-c", "1", "stream:s");

	must_fail(1, "wrong-type: ");
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	close(fd);
}
END_TEST

/* ---- nobody who lets us ---- */

static void
ping_and_read(void *arg)
{
	const char *const *words = arg;

	UXPING("-c", "1", words[0]);
	for (int i = 1; words[i] != NULL; i++)
		must_fail(1, words[i]);
}

START_TEST(a_directory_that_refuses_is_named_with_its_mode)
{
	pid_t server;
	const char *words[] = { "closed/in/s",
		"permission: the directory closed may not be searched by "
		"uid=1500 gid=1500",
		"its mode is 0700, its owner uid=0(root) gid=0; chmod o+x",
		NULL };

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("closed", 0700), 0);
	ck_assert_int_eq(mkdir("closed/in", 0755), 0);
	server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "closed/in/s");

	as_user(OTHER_UID, OTHER_GID, ping_and_read, words);

	foreign_kill(server);
}
END_TEST

START_TEST(a_socket_file_that_refuses_is_told_with_what_is_needed)
{
	pid_t server;
	const char *words[] = { "s",
		("permission: the socket file may not be written to by "
		 "uid=1500 gid=1500"),
		"its mode is 0602", "gid=1500; chmod g+w", NULL };

	SKIP_UNLESS_ROOT();
	server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");
	ck_assert_int_eq(chown("s", 0, OTHER_GID), 0);
	ck_assert_int_eq(chmod("s", 0602), 0);

	as_user(OTHER_UID, OTHER_GID, ping_and_read, words);

	foreign_kill(server);
}
END_TEST

/* user::rwx user:1501:rwx group::--- mask::rwx other::---, as the kernel keeps
 * it: version 2, then tag, permissions and id of each entry, little-endian. */
static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255,
	2, 0, 7, 0, 0xdd, 5, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255, 16, 0, 7, 0,
	255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

START_TEST(an_access_control_list_is_mentioned)
{
	pid_t server;
	const char *words[] = { "s", "it has an access control list", NULL };

	SKIP_UNLESS_ROOT();
	server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");
	if (setxattr("s", "system.posix_acl_access", acl, sizeof(acl), 0) < 0)
		skip("this file system has no access control lists");
	else
		as_user(OTHER_UID, OTHER_GID, ping_and_read, words);

	foreign_kill(server);
}
END_TEST

START_TEST(an_unexpected_owner_is_refused_before_anything_is_sent)
{
	pid_t server = foreign_start(FOREIGN_ECHO, (enum uxs_type)_i, "s");

	UXPING("-c", "1", "-e", "1501", "s");

	must_fail(1, "wrong-user: uid=1501 was expected");
	ck_assert_str_eq(result.out, "");
	foreign_kill(server);
}
END_TEST

START_TEST(the_expected_owner_is_pinged)
{
	pid_t server = foreign_start(FOREIGN_ECHO, (enum uxs_type)_i, "s");
	char us[16];

	snprintf(us, sizeof(us), "%u", (unsigned)geteuid());
	UXPING("-c", "1", "-e", us, "s");

	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(a_file_swapped_in_by_somebody_else_is_refused)
{
	SKIP_UNLESS_ROOT();
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	/* root listens, but the file is another's, who can replace it. */
	ck_assert_int_eq(chown("s", OTHER_UID, OTHER_GID), 0);
	UXPING("-c", "1", "-e", "root", "s");

	must_fail(1, "wrong-user: ");
	foreign_kill(server);
}
END_TEST

/* ---- somebody, but ---- */

/* Whoever says something may be slow, on a busy machine. */
static const struct {
	enum foreign_manner manner;
	const char *said;
	const char *patience;
} manners[] = {
	{ FOREIGN_SILENT, "timeout: connected, but nothing came back within",
	    "100ms" },
	{ FOREIGN_CLOSES, "denied: connected, and closed by the server",
	    "10s" },
	{ FOREIGN_HALF, "corrupt: the server answers, but not what it was",
	    "1s" },
	{ FOREIGN_FLIPS, "corrupt: the server answers, but not what it was",
	    "10s" },
	{ FOREIGN_GREETS, "corrupt: the server answers, but not what it was",
	    "10s" },
	{ FOREIGN_OTHER_LETTERS, "byte #0 came back as 0x78", "10s" },
};

START_TEST(a_server_that_does_not_echo_is_told_apart)
{
	pid_t server = foreign_start(manners[_i].manner, UXS_STREAM, "s");

	UXPING("-c", "1", "-W", manners[_i].patience, "s");

	must_fail(1, manners[_i].said);
	foreign_kill(server);
}
END_TEST

START_TEST(a_closing_seqpacket_server_denies_too)
{
	pid_t server = foreign_start(FOREIGN_CLOSES, UXS_SEQPACKET, "s");

	UXPING("-c", "1", "s");

	must_fail(1, "denied: ");
	foreign_kill(server);
}
END_TEST

START_TEST(duplicates_are_counted_apart)
{
	pid_t server = foreign_start(FOREIGN_TWICE, (enum uxs_type)_i, "s");

	UXPING("-c", "3", "-i", "20ms", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "(DUP!)"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "3 sent, 3 received, 0 corrupted, +2 dup"));
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(late_answers_are_counted_apart_and_do_not_help)
{
	pid_t server = foreign_start(FOREIGN_LATE, UXS_STREAM, "s");

	UXPING("-c", "3", "-i", "40ms", "-W", "10ms", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "(late)"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "3 sent, 0 received, 0 corrupted, +2 late, 100% loss"));
	must_fail(1, "timeout: answers came, but none within 10ms");
	foreign_kill(server);
}
END_TEST

START_TEST(outstanding_pings_are_told_with_O)
{
	pid_t server = foreign_start(FOREIGN_SILENT, UXS_STREAM, "s");

	UXPING("-O", "-c", "2", "-i", "10ms", "-W", "20ms", "s");

	ck_assert_ptr_nonnull(strstr(result.out,
	    "no answer yet from s: seq=1\n"));
	foreign_kill(server);
}
END_TEST

START_TEST(the_deadline_ends_it)
{
	pid_t server = foreign_start(FOREIGN_SILENT, UXS_STREAM, "s");

	UXPING("-w", "50ms", "-i", "10ms", "s");

	must_fail(1, "timeout: ");
	foreign_kill(server);
}
END_TEST

START_TEST(fewer_answers_than_count_within_the_deadline_are_too_few)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	UXPING("-c", "1000", "-w", "50ms", "-i", "20ms", "s");

	ck_assert_int_eq(result.status, 1);
	foreign_kill(server);
}
END_TEST

START_TEST(a_message_no_kernel_carries_is_refused)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s");

	UXPING("-c", "1", "-s", "64M", "s");

	must_fail(2, "too-long: ");
	foreign_kill(server);
}
END_TEST

/* ---- could not run ---- */

static const struct {
	const char *word, *value, *address, *said;
} usages[] = {
	{ "-c", "x", "s", "--count 'x': not understood" },
	{ "-e", "no-such-user", "s", "there is no such user" },
	{ "-c", "1", "tcp:192.0.2.1:7", "only loopback addresses" },
	{ "-c", "1", "udp:localhost:0", "a port from 1 to 65535" },
	{ "-c", "1", "tcp:[::2]:7", "only loopback addresses" },
	{ "-t", "dgram", "stream:s", "another type than the address" },
	{ "-t", "dgram", "tcp:[::1]:7", "for Unix sockets only" },
	{ "-e", "0", "udp:[::1]:7", "nobody attests" },
	{ "-s", "0", "stream:s", "no empty messages" },
	{ "-c", "1", "steam:s", "unknown type" },
	{ "-c", "1", "dir/", "names a directory" },
};

START_TEST(nonsense_exits_with_2_and_one_line)
{
	UXPING(usages[_i].word, usages[_i].value, usages[_i].address);

	must_fail(2, usages[_i].said);
	ck_assert_ptr_eq(strchr(result.err, '\n'),
	    result.err + strlen(result.err) - 1);
	ck_assert_str_eq(result.out, "");
}
END_TEST

/* ---- programs read it too ---- */

static const char *const json_addresses[] = { "s", "missing", "stale", "silent",
	"flips" };

START_TEST(json_has_a_start_or_a_reason_and_always_an_end)
{
	pid_t s = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");
	pid_t silent = foreign_start(FOREIGN_SILENT, UXS_STREAM, "silent");
	pid_t flips = foreign_start(FOREIGN_FLIPS, UXS_STREAM, "flips");
	const char *end;

	leave_stale_socket(UXS_STREAM, "stale");
	UXPING("-j", "-c", "1", "-W", "50ms", json_addresses[_i]);

	ck_assert(are_strict_json_lines(result.out));
	ck_assert((strstr(result.out, "\"event\":\"start\"") != NULL) ==
	    (_i == 0 || _i > 2));
	ck_assert((strstr(result.out, "\"reason\":null}") != NULL) ==
	    (_i == 0));
	end = strstr(result.out, "{\"v\":1,\"event\":\"end\"");
	ck_assert_ptr_nonnull(end);
	ck_assert_ptr_eq(strchr(end, '\n'),
	    result.out + strlen(result.out) - 1);
	ck_assert_str_eq(result.err, "");
	foreign_kill(s);
	foreign_kill(silent);
	foreign_kill(flips);
}
END_TEST

/* ---- servers come and go ---- */

START_TEST(wait_gives_up_when_nobody_comes)
{
	UXPING("--wait", "50ms", "-c", "1", "s");

	must_fail(1, "no-such-file: ");
}
END_TEST

START_TEST(a_server_that_restarts_costs_pings_and_not_the_series)
{
	pid_t server = foreign_start(FOREIGN_ONCE, UXS_STREAM, "s");

	/* Every connection ends after an answer: each ping but the first has
	 * to notice and to connect again. */
	UXPING("-v", "-c", "4", "-i", "20ms", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "4 sent, 4 received"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "s: the server closed the connection"));
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

Suite *
suite_uxping_trouble(void)
{
	Suite *suite = suite_create("uxping_trouble");
	TCase *tcase = harness_case(suite, "nobody");

	tcase_add_test(tcase, a_missing_component_is_named);
	tcase_add_test(tcase, a_file_is_not_a_socket);
	tcase_add_loop_test(tcase, a_stale_socket_is_called_stale_and_stays, 0,
	    UXS_N_TYPES);
	tcase_add_test(tcase,
	    a_socket_that_does_not_listen_is_not_called_stale);
	tcase_add_test(tcase, a_full_backlog_is_waited_for_and_then_told);
	tcase_add_loop_test(tcase, the_wrong_type_is_told_with_the_right_one, 0,
	    sizeof(wrong_types) / sizeof(wrong_types[0]));
	tcase_add_test(tcase, diagnosing_leaves_the_accept_queue_alone);
	tcase = harness_case(suite, "permission");
	tcase_add_test(tcase, a_directory_that_refuses_is_named_with_its_mode);
	tcase_add_test(tcase,
	    a_socket_file_that_refuses_is_told_with_what_is_needed);
	tcase_add_test(tcase, an_access_control_list_is_mentioned);
	tcase_add_loop_test(tcase,
	    an_unexpected_owner_is_refused_before_anything_is_sent, 0,
	    UXS_N_TYPES);
	tcase_add_loop_test(tcase, the_expected_owner_is_pinged, 0,
	    UXS_N_TYPES);
	tcase_add_test(tcase, a_file_swapped_in_by_somebody_else_is_refused);
	tcase = harness_case(suite, "conversation");
	tcase_add_loop_test(tcase, a_server_that_does_not_echo_is_told_apart, 0,
	    sizeof(manners) / sizeof(manners[0]));
	tcase_add_test(tcase, a_closing_seqpacket_server_denies_too);
	tcase_add_loop_test(tcase, duplicates_are_counted_apart, 0,
	    UXS_N_TYPES);
	tcase_add_test(tcase, late_answers_are_counted_apart_and_do_not_help);
	tcase_add_test(tcase, outstanding_pings_are_told_with_O);
	tcase_add_test(tcase, the_deadline_ends_it);
	tcase_add_test(tcase,
	    fewer_answers_than_count_within_the_deadline_are_too_few);
	tcase_add_test(tcase, a_message_no_kernel_carries_is_refused);
	tcase_add_loop_test(tcase, nonsense_exits_with_2_and_one_line, 0,
	    sizeof(usages) / sizeof(usages[0]));
	tcase_add_loop_test(tcase,
	    json_has_a_start_or_a_reason_and_always_an_end, 0,
	    sizeof(json_addresses) / sizeof(json_addresses[0]));
	tcase = harness_case(suite, "restart");
	tcase_add_test(tcase, wait_gives_up_when_nobody_comes);
	tcase_add_test(tcase,
	    a_server_that_restarts_costs_pings_and_not_the_series);
	return suite;
}
