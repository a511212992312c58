/* SPDX-License-Identifier: ISC */
/*
 * The services of the real binary, over each type of socket and each framing.
 */
#include "harness.h"
#include "suites.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "uxecho/services/users.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define LINE_MAX_BYTES 4096

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* ---- the language of this file ---- */

static void
start(struct service *process, const char *name, const char *framing)
{
	const char *const arguments[] = { "--service", name, "--framing",
		framing, "--allow", "any", "stream:s", "seqpacket:q", "dgram:d",
		NULL };

	service_start(process, arguments);
}

static int
dial(enum uxs_type type)
{
	return client_connect(type, harness_path(paths[type]));
}

/* Say one message and hear one; returns its length. */
static size_t
ask(enum uxs_type type, const char *message, char answer[LINE_MAX_BYTES])
{
	const int fd = dial(type);
	ssize_t n;

	SAYS(fd, message);
	n = recv(fd, answer, LINE_MAX_BYTES - 1, 0);
	ck_assert_int_gt(n, 0);
	answer[n] = '\0';
	close(fd);
	return (size_t)n;
}

/* ---- upper ---- */

/* Of streams without framing, and of messages. */
START_TEST(upper_raises_ascii_letters_and_nothing_else)
{
	struct service process;
	char all[256], raised[256];
	int fd;

	for (int i = 0; i < 256; i++) {
		all[i] = (char)i;
		raised[i] = (char)(i >= 'a' && i <= 'z' ? i - 'a' + 'A' : i);
	}
	start(&process, "upper", "none");
	fd = dial((enum uxs_type)_i);

	client_says(fd, all, sizeof(all));

	client_hears(fd, raised, sizeof(raised));
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(upper_keeps_an_empty_message)
{
	struct service process;
	int fd;

	start(&process, "upper", "none");
	fd = dial((enum uxs_type)_i);

	SAYS(fd, "");
	SAYS(fd, "then");

	HEARS(fd, "");
	HEARS(fd, "THEN");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(upper_raises_long_messages)
{
	struct service process;
	const size_t length = 50000;
	char *low = malloc(length), *high = malloc(length);
	int fd;

	memset(low, 'x', length);
	memset(high, 'X', length);
	start(&process, "upper", "none");
	fd = dial((enum uxs_type)_i);

	client_says(fd, low, length);

	client_hears(fd, high, length);
	close(fd);
	free(low);
	free(high);
	service_stop_clean(&process);
}
END_TEST

static const struct {
	const char *framing, *says;
	size_t n_says;
	const char *hears;
	size_t n_hears;
} framed[] = {
#define FRAMED(framing, says, hears)                                      \
	{                                                                 \
		framing, says, sizeof(says) - 1, hears, sizeof(hears) - 1 \
	}
	FRAMED("line", "one\n\ntwo\nlast", "ONE\n\nTWO\nLAST\n"),
	FRAMED("netstring", "3:one,0:,5:a\nb,c,", "3:ONE,0:,5:A\nB,C,"),
	FRAMED("u32", "\0\0\0\3one\0\0\0\0", "\0\0\0\3ONE\0\0\0\0"),
};

START_TEST(framed_message_is_answered_in_the_same_framing)
{
	struct service process;
	int fd;

	start(&process, "upper", framed[_i].framing);
	fd = dial(UXS_STREAM);

	client_says(fd, framed[_i].says, framed[_i].n_says);
	client_ends(fd);

	client_hears(fd, framed[_i].hears, framed[_i].n_hears);
	client_hears_end(fd);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(bad_frame_is_counted_by_its_reason)
{
	struct service process;
	int fd;

	start(&process, "echo", "netstring");
	fd = dial(UXS_STREAM);

	SAYS(fd, "2:ok,GET /");

	HEARS(fd, "2:ok,");
	client_hears_end(fd);
	service_counts(&process, "1 dropped (malformed 1)");
	service_counts(&process, "closed (malformed 1)");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- discard ---- */

START_TEST(discard_takes_all_and_answers_nothing)
{
	struct service process;
	static const char data[300000];
	int fd;

	start(&process, "discard", "none");
	fd = dial((enum uxs_type)_i);

	if (_i == UXS_STREAM)
		client_says(fd, data, sizeof(data));
	else
		client_says(fd, data, 1000);
	client_ends(fd);

	client_hears_end(fd);
	service_counts(&process,
	    _i == UXS_STREAM ? "300000 bytes; sent 0, 0 bytes" :
			       "1000 bytes; sent 0, 0 bytes");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- whoami ---- */

static void
print_groups(char *text, size_t size)
{
	gid_t gids[128];
	const int n = getgroups(N_OF(gids), gids);

	snprintf(text, size, "%s", n == 0 ? "none" : "");
	for (int i = 0; i < n; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%u",
		    i == 0 ? "" : ",", (unsigned)gids[i]);
}

static void
label_of_self(char *label, size_t size)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	if (uxs_peer_label(fds[0], label, size) <= 0)
		snprintf(label, size, "unknown");
	close(fds[0]);
	close(fds[1]);
}

static void
expect_self(enum uxs_type type, const char *user, char text[LINE_MAX_BYTES])
{
	char groups[1500] = "unknown", label[1024] = "unknown";

	/* A datagram tells neither. */
	if (type != UXS_DGRAM) {
		print_groups(groups, sizeof(groups));
		label_of_self(label, sizeof(label));
	}
	snprintf(text, LINE_MAX_BYTES,
	    "type=%s uid=%u gid=%u groups=%s pid=%ld mapped=yes user=%s "
	    "label=%s\n",
	    uxs_type_name(type), (unsigned)geteuid(), (unsigned)getegid(),
	    groups, (long)getpid(), user, label);
}

static const char *
own_name(void)
{
	static struct users users;
	const char *name;

	if (users.n == 0)
		users_read(&users, "/etc/passwd");
	name = users_name(&users, geteuid());
	return name != NULL ? name : "unknown";
}

START_TEST(whoami_tells_what_the_kernel_attests)
{
	const enum uxs_type type = (enum uxs_type)_i;
	struct service process;
	char answer[LINE_MAX_BYTES], expected[LINE_MAX_BYTES];

	start(&process, "whoami", "none");

	ask(type, "?", answer);

	expect_self(type, own_name(), expected);
	ck_assert_str_eq(answer, expected);
	service_stop_clean(&process);
}
END_TEST

static void
ask_as_stranger(void *arg)
{
	const enum uxs_type *type = arg;
	char answer[LINE_MAX_BYTES], expected[LINE_MAX_BYTES];

	ask(*type, "?", answer);

	/* Nobody has that number. */
	expect_self(*type, "unknown", expected);
	ck_assert_str_eq(answer, expected);
}

START_TEST(whoami_tells_users_apart)
{
	enum uxs_type type = (enum uxs_type)_i;
	struct service process;

	SKIP_UNLESS_ROOT();
	if (getpwuid(OTHER_UID) != NULL) {
		skip("needs a uid that has no name");
		return;
	}
	ck_assert_int_eq(chmod(".", 01777), 0);
	start(&process, "whoami", "none");

	as_user(OTHER_UID, OTHER_GID, ask_as_stranger, &type);

	service_stop_clean(&process);
}
END_TEST

static void
ask_with_groups(void *arg)
{
	static const gid_t gids[] = { 1700, 1701, 1702 };
	char answer[LINE_MAX_BYTES];

	ck_assert_int_eq(setgroups(N_OF(gids), gids), 0);
	ask(UXS_STREAM, "?", answer);
	ck_assert_ptr_nonnull(strstr(answer, " groups=1700,1701,1702 "));
}

START_TEST(whoami_lists_supplementary_groups)
{
	struct service process;

	SKIP_UNLESS_ROOT();
	start(&process, "whoami", "none");

	ck_assert_int_eq(wait_child(start_child(ask_with_groups, NULL)), 0);

	service_stop_clean(&process);
}
END_TEST

/* One newline behind each, by the framing or by the service. */
START_TEST(whoami_is_one_line_for_each_line)
{
	struct service process;
	char one[LINE_MAX_BYTES], both[2 * LINE_MAX_BYTES];
	int fd;

	start(&process, "whoami", "line");
	expect_self(UXS_STREAM, own_name(), one);
	snprintf(both, sizeof(both), "%s%s", one, one);
	fd = dial(UXS_STREAM);

	SAYS(fd, "\nwho?\n");
	client_ends(fd);

	HEARS(fd, both);
	client_hears_end(fd);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- whoami across name spaces ---- */

static void
write_map(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

/* Outside of the server's name spaces; told when it serves. */
static void
ask_from_outside(void *arg)
{
	const int *go = arg;
	char byte, answer[LINE_MAX_BYTES];

	ck_assert_int_eq(setresgid(OTHER_GID, OTHER_GID, OTHER_GID), 0);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, OTHER_UID), 0);
	ck_assert_int_eq(read(go[0], &byte, 1), 1);
	ask(UXS_STREAM, "?", answer);
	switch (byte) {
	case 'u':
		ck_assert_ptr_nonnull(strstr(answer, " uid=unknown "));
		ck_assert_ptr_nonnull(strstr(answer, " gid=unknown "));
		ck_assert_ptr_nonnull(strstr(answer, " mapped=no "));
		ck_assert_ptr_nonnull(strstr(answer, " user=unknown "));
		break;
	case 'p':
		ck_assert_ptr_nonnull(strstr(answer, " uid=1500 "));
		ck_assert_ptr_nonnull(strstr(answer, " pid=unknown "));
		ck_assert_ptr_nonnull(strstr(answer, " mapped=yes "));
		break;
	default:
		break;
	}
}

static void
serve_client_outside(const char *what, bool (*enter)(void))
{
	struct service process;
	int go[2];
	pid_t client;

	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	client = start_child(ask_from_outside, go);
	close(go[0]);
	if (!enter()) {
		close(go[1]);
		wait_child(client); /* it hears no word, and fails */
		return;
	}
	start(&process, "whoami", "none");
	ck_assert_int_eq(write(go[1], what, 1), 1);
	close(go[1]);
	ck_assert_int_eq(wait_child(client), 0);
	service_stop_clean(&process);
}

static bool
enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER) < 0) {
		skip("user name spaces are not allowed here");
		return false;
	}
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 0 1");
	write_map("/proc/self/gid_map", "0 0 1");
	return true;
}

static bool
enter_pid_namespace(void)
{
	if (unshare(CLONE_NEWPID) < 0) {
		skip("pid name spaces are not allowed here");
		return false;
	}
	return true;
}

/* In a child, since there is no way back. */
static void
serve_client_of_other_users(void *arg)
{
	serve_client_outside("u", enter_user_namespace);
}

static void
serve_client_of_other_processes(void *arg)
{
	serve_client_outside("p", enter_pid_namespace);
}

START_TEST(whoami_says_who_is_not_mapped_here)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(wait_child(start_child(serve_client_of_other_users,
			     NULL)),
	    0);
}
END_TEST

START_TEST(whoami_says_whose_process_is_not_seen_here)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(wait_child(start_child(serve_client_of_other_processes,
			     NULL)),
	    0);
}
END_TEST

/* ---- names of users ---- */

START_TEST(names_of_users_are_those_of_the_file)
{
	struct users users = { .n = 0 };

	write_file("passwd",
	    "late:x:70:70::/:/bin/sh\n"
	    "root:x:0:0:root:/root:/bin/sh\n"
	    "# a comment\n"
	    "\n"
	    "toor:x:0:0:again:/root:/bin/sh\n"
	    "broken line\n"
	    "early:x:5:5::/:/bin/sh\n",
	    0600);

	users_read(&users, "passwd");

	ck_assert_str_eq(users_name(&users, 0), "root");
	ck_assert_str_eq(users_name(&users, 5), "early");
	ck_assert_str_eq(users_name(&users, 70), "late");
	ck_assert_ptr_null(users_name(&users, 1));
	ck_assert_ptr_null(users_name(&users, 71));
	ck_assert_ptr_null(users_name(&users, (uid_t)-1));
	users_fini(&users);
	users_fini(&users);
}
END_TEST

START_TEST(without_the_file_there_are_no_names)
{
	struct users users = { .n = 0 };

	users_read(&users, "nowhere");

	ck_assert_ptr_null(users_name(&users, 0));
	users_fini(&users);
}
END_TEST

Suite *
suite_uxecho_services(void)
{
	Suite *suite = suite_create("uxecho services");
	TCase *bytes = harness_case(suite, "bytes");
	TCase *whoami = harness_case(suite, "whoami");
	TCase *users = harness_case(suite, "users");

	tcase_add_loop_test(bytes, upper_raises_ascii_letters_and_nothing_else,
	    0, UXS_N_TYPES);
	tcase_add_loop_test(bytes, upper_keeps_an_empty_message, UXS_SEQPACKET,
	    UXS_N_TYPES);
	tcase_add_loop_test(bytes, upper_raises_long_messages, 0, UXS_N_TYPES);
	tcase_add_loop_test(bytes,
	    framed_message_is_answered_in_the_same_framing, 0, N_OF(framed));
	tcase_add_test(bytes, bad_frame_is_counted_by_its_reason);
	tcase_add_loop_test(bytes, discard_takes_all_and_answers_nothing, 0,
	    UXS_DGRAM);
	tcase_add_loop_test(whoami, whoami_tells_what_the_kernel_attests, 0,
	    UXS_N_TYPES);
	tcase_add_loop_test(whoami, whoami_tells_users_apart, 0, UXS_N_TYPES);
	tcase_add_test(whoami, whoami_lists_supplementary_groups);
	tcase_add_test(whoami, whoami_is_one_line_for_each_line);
	tcase_add_test(whoami, whoami_says_who_is_not_mapped_here);
	tcase_add_test(whoami, whoami_says_whose_process_is_not_seen_here);
	tcase_add_test(users, names_of_users_are_those_of_the_file);
	tcase_add_test(users, without_the_file_there_are_no_names);
	return suite;
}
