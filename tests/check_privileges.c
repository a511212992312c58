/* SPDX-License-Identifier: ISC */
/*
 * uxecho --user: what the kernel says of it afterwards, and that it still
 * keeps its promises about the files that root made for it.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static const char *const as_other[] = { "--user", "1500:1500", "s", NULL };

/* ---- the language of this file ---- */

/* "Uid:\t1500\t1500..." of /proc/PID/status, what stands behind the name. */
static void
read_status(pid_t pid, const char *name, char value[256])
{
	char path[64], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL) {
		const size_t n = strlen(name);

		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		strlcpy(value, line + n + 1 + strspn(line + n + 1, "\t "), 256);
	}
	fclose(file);
}

static void
status_is(pid_t pid, const char *name, const char *expected)
{
	char value[256];

	read_status(pid, name, value);
	while (value[0] != '\0' && value[strlen(value) - 1] == ' ')
		value[strlen(value) - 1] = '\0';
	ck_assert_msg(strcmp(value, expected) == 0, "%s: '%s' is not '%s'",
	    name, value, expected);
}

/* Of its children, which all have names. */
static bool
is_remover(long pid)
{
	char path[64], name[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	ck_assert_int_ge(read(fd, name, sizeof(name) - 1), 0);
	close(fd);
	return strcmp(name, "uxecho-remover\n") == 0;
}

static int
count_removers_of(pid_t pid)
{
	char path[64], text[256] = "", *at = text;
	int fd, n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
	    (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	while (*at >= '0' && *at <= '9') {
		n += is_remover(strtol(at, &at, 10));
		at += *at == ' ';
	}
	return n;
}

static void
is_answered(enum uxs_type type, const char *path)
{
	const int fd = client_connect(type, path);

	SAYS(fd, "hello");
	HEARS(fd, "hello");
	close(fd);
}

static void
both_answer(void *arg)
{
	/* In the test's directory only root makes files. */
	const int fd = client_try(UXS_STREAM, "s");

	ck_assert_int_ge(fd, 0);
	SAYS(fd, "hello");
	HEARS(fd, "hello");
	close(fd);
}

/* ---- what it is ---- */

START_TEST(nothing_of_root_is_left)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff",
		"CapBnd", "CapAmb" };
	struct service service;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);

	status_is(service.pid, "Uid", "1500\t1500\t1500\t1500");
	status_is(service.pid, "Gid", "1500\t1500\t1500\t1500");
	status_is(service.pid, "Groups", "1500");
	status_is(service.pid, "NoNewPrivs", "1");
	for (int i = 0; i < N_OF(sets); i++)
		status_is(service.pid, sets[i], "0000000000000000");
	is_answered(UXS_STREAM, "s");
	umask(0); /* it is not root that writes to our own socket */
	is_answered(UXS_DGRAM, "s.dgram");
	service_stop_clean(&service);
}
END_TEST

static int
compare_gids(const void *a, const void *b)
{
	const gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return (x > y) - (x < y);
}

START_TEST(groups_are_those_of_a_login)
{
	const char *const arguments[] = { "--user", "daemon", "s", NULL };
	const struct passwd *entry = getpwnam("daemon");
	struct service service;
	gid_t gids[64];
	int n = N_OF(gids);
	char expected[512] = "";

	SKIP_UNLESS_ROOT();
	if (entry == NULL) {
		skip("needs a user daemon");
		return;
	}
	ck_assert_int_gt(getgrouplist("daemon", entry->pw_gid, gids, &n), 0);
	qsort(gids, (size_t)n, sizeof(gids[0]), compare_gids);
	for (int i = 0; i < n; i++)
		snprintf(expected + strlen(expected),
		    sizeof(expected) - strlen(expected), "%s%u",
		    i > 0 ? " " : "", (unsigned)gids[i]);

	service_start(&service, arguments);

	status_is(service.pid, "Groups", expected);
	service_stop_clean(&service);
}
END_TEST

START_TEST(clients_see_the_user_as_the_listener)
{
	struct service service;
	struct ucred listener;
	socklen_t length = sizeof(listener);
	int fd;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);
	fd = client_connect(UXS_STREAM, "s");

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener,
			     &length),
	    0);
	ck_assert_uint_eq(listener.uid, OTHER_UID);
	ck_assert_uint_eq(listener.gid, OTHER_GID);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Its own user is in, by the rules and by the file; others are not. */
START_TEST(own_user_is_the_one_it_became)
{
	struct service service;
	struct stat st;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);

	ck_assert_int_eq(lstat("s", &st), 0);
	ck_assert_uint_eq(st.st_uid, OTHER_UID);
	ck_assert_uint_eq(st.st_gid, OTHER_GID);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	as_user(OTHER_UID, OTHER_GID, both_answer, NULL);
	service_stop_clean(&service);
}
END_TEST

/* ---- its files ---- */

/* One step that root does at the end, once root is gone. */
START_TEST(clean_stop_leaves_nothing_behind)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);
	ck_assert_int_eq(count_files(), 4);
	ck_assert_int_eq(count_removers_of(service.pid), 1);

	service_stop_clean(&service);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(two_signals_leave_nothing_behind)
{
	struct service service;
	int fd;
	static const char much[1 << 20];

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);
	fd = client_connect(UXS_STREAM, "s");
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (send(fd, much, sizeof(much), MSG_NOSIGNAL) > 0)
		;
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
	service_logs(&service, "draining");

	service_stop_clean(&service);

	ck_assert_int_eq(count_files(), 0);
	close(fd);
}
END_TEST

START_TEST(file_of_somebody_else_is_left_alone)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);
	ck_assert_int_eq(unlink("s"), 0);
	write_file("s", "precious", 0600);

	service_stop_clean(&service);

	assert_file_says("s", "precious");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* The process that removes them must not keep the sockets open. */
START_TEST(killed_one_is_dead_and_recovered)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	service_start(&service, as_other);
	ck_assert_int_eq(service_stop(&service, SIGKILL), 128 + SIGKILL);

	ck_assert_int_eq(client_try(UXS_STREAM, "s"), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	service_start(&service, as_other);
	is_answered(UXS_STREAM, "s");
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* What it can remove itself needs no process of root. */
START_TEST(no_process_of_root_stays_without_need)
{
	const char *const arguments[] = { "--user", "1500:1500", "dir/s",
		NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("dir", 0770), 0);
	ck_assert_int_eq(chown("dir", 0, OTHER_GID), 0);
	ck_assert_int_eq(chmod("dir", 0770), 0);
	service_start(&service, arguments);

	ck_assert_int_eq(count_removers_of(service.pid), 0);

	service_stop_clean(&service);
	ck_assert_int_eq(rmdir("dir"), 0);
}
END_TEST

/* ---- what does not go ---- */

static struct output_of result;

static void
run_as_other(void *arg)
{
	const char *const argv[] = { "uxecho", "--user", arg, "dir/s", NULL };

	run_program(&result, argv);
	ck_assert_int_eq(result.status, 77);
	ck_assert_ptr_nonnull(strstr(result.err, "only root"));
}

START_TEST(only_root_becomes_somebody_else)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("dir", 0777), 0);
	ck_assert_int_eq(chown("dir", OTHER_UID, OTHER_GID), 0);

	as_user(OTHER_UID, OTHER_GID, run_as_other, (char[]){ "daemon" });
	as_user(OTHER_UID, OTHER_GID, run_as_other, (char[]){ "1500:1501" });
}
END_TEST

START_TEST(who_is_that_user_already_goes_on)
{
	const char *const arguments[] = { "--user", "1500:1500", "dir/s",
		NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(chown("dir", OTHER_UID, OTHER_GID), 0);

	service_start_as(&service, OTHER_UID, OTHER_GID, arguments);

	status_is(service.pid, "NoNewPrivs", "1");
	ck_assert_int_eq(count_removers_of(service.pid), 0);
	service_stop_clean(&service);
	ck_assert_int_eq(rmdir("dir"), 0);
}
END_TEST

START_TEST(rules_that_cannot_be_read_again_are_told_at_start)
{
	const char *const arguments[] = { "--user", "1500:1500", "-f", "rules",
		"s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	write_file("rules", "allow any\n", 0600);
	service_start(&service, arguments);

	service_logs(&service, "SIGHUP will not be able to read the rules");
	is_answered(UXS_STREAM, "s");
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	service_logs(&service, "the old rules stay");
	is_answered(UXS_STREAM, "s");
	service_stop_clean(&service);
}
END_TEST

START_TEST(rules_are_read_again_as_the_user)
{
	const char *const arguments[] = { "--user", "1500:1500", "-f", "rules",
		"s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	write_file("rules", "allow self\n", 0644);
	service_start(&service, arguments);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);

	service_logs(&service, "rules were read again: 1 rules");

	as_user(OTHER_UID, OTHER_GID, both_answer, NULL);
	service_stop_clean(&service);
}
END_TEST

START_TEST(check_shows_whom_it_becomes)
{
	const char *const argv[] = { "uxecho", "--check", "--user", "1500:1501",
		"s", NULL };

	SKIP_UNLESS_ROOT();
	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out, "uid 1500, gid 1501\n"));
	ck_assert_ptr_nonnull(strstr(result.out, "allow uid:1500 and uid:0"));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

Suite *
suite_privileges(void)
{
	Suite *suite = suite_create("privileges");
	TCase *identity = harness_case(suite, "identity");
	TCase *files = harness_case(suite, "files");
	TCase *limits = harness_case(suite, "limits");

	tcase_add_test(identity, nothing_of_root_is_left);
	tcase_add_test(identity, groups_are_those_of_a_login);
	tcase_add_test(identity, clients_see_the_user_as_the_listener);
	tcase_add_test(identity, own_user_is_the_one_it_became);

	tcase_add_test(files, clean_stop_leaves_nothing_behind);
	tcase_add_test(files, two_signals_leave_nothing_behind);
	tcase_add_test(files, file_of_somebody_else_is_left_alone);
	tcase_add_test(files, killed_one_is_dead_and_recovered);
	tcase_add_test(files, no_process_of_root_stays_without_need);

	tcase_add_test(limits, only_root_becomes_somebody_else);
	tcase_add_test(limits, who_is_that_user_already_goes_on);
	tcase_add_test(limits,
	    rules_that_cannot_be_read_again_are_told_at_start);
	tcase_add_test(limits, rules_are_read_again_as_the_user);
	tcase_add_test(limits, check_shows_whom_it_becomes);
	return suite;
}
