/* SPDX-License-Identifier: ISC */
/* uxecho without a supervisor: --daemon and --pidfile. */
#include "harness.h"
#include "suites.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct output_of result;

/* ---- the language of this file ---- */

/* What goes into the background comes back to us when its parent has ended. */
static void
adopt_orphans(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

static pid_t
read_pid(const char *path)
{
	char text[32] = "";
	FILE *file = fopen(path, "re");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}

static pid_t
start_daemon(const char *const argv[])
{
	adopt_orphans();
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%d: %s", result.status, result.err);
	return read_pid("pid");
}

static void
stop_daemon(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);
}

static void
it_failed(int status, const char *words)
{
	ck_assert_msg(result.status == status, "%d instead of %d: %s",
	    result.status, status, result.err);
	ck_assert_msg(strstr(result.err, words) != NULL, "no \"%s\" in: %s",
	    words, result.err);
	ck_assert_ptr_eq(strchr(result.err, '\n'),
	    result.err + strlen(result.err) - 1);
}

static void
is_answered(int fd)
{
	SAYS(fd, "hello");
	HEARS(fd, "hello");
}

static const char *const in_background[] = { "uxecho", "-q", "-D", "-p", "pid",
	"s", NULL };

/* ---- the background ---- */

START_TEST(parent_ends_when_clients_can_connect)
{
	const pid_t pid = start_daemon(in_background);
	const int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);

	close(fd);
	stop_daemon(pid);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

static const char *
link_of(pid_t pid, const char *name)
{
	static char target[PATH_MAX];
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	n = readlink(path, target, sizeof(target) - 1);
	ck_assert_int_ge(n, 0);
	target[n] = '\0';
	return target;
}

START_TEST(it_lets_go_of_where_it_was_started)
{
	const pid_t pid = start_daemon(in_background);

	ck_assert_int_eq(getsid(pid), pid);
	ck_assert_str_eq(link_of(pid, "cwd"), "/");
	ck_assert_str_eq(link_of(pid, "fd/0"), "/dev/null");
	ck_assert_str_eq(link_of(pid, "fd/1"), "/dev/null");
	ck_assert_str_eq(link_of(pid, "fd/2"), "/dev/null");
	stop_daemon(pid);
}
END_TEST

START_TEST(failure_is_told_by_line_and_status)
{
	const char *const nowhere[] = { "uxecho", "-D", "stream:no/dir/s",
		NULL };
	const char *const bad_rules[] = { "uxecho", "-D", "-f", "none", "s",
		NULL };

	run_program(&result, nowhere);
	it_failed(73, "no does not exist");
	run_program(&result, bad_rules);
	it_failed(78, "none");
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(relative_rules_are_read_again)
{
	const char *const argv[] = { "uxecho", "-q", "-D", "-p", "pid", "-f",
		"./rules", "s", NULL };
	pid_t pid;
	int fd;

	write_file("rules", "allow any\n", 0644);
	pid = start_daemon(argv);
	fd = client_connect(UXS_STREAM, "s");
	is_answered(fd);
	write_file("rules", "deny any\n", 0644);

	ck_assert_int_eq(kill(pid, SIGHUP), 0);

	client_hears_end(fd);
	close(fd);
	stop_daemon(pid);
}
END_TEST

START_TEST(standard_error_stays_for_those_who_log_there)
{
	const char *const argv[] = { "/bin/sh", "-c",
		"exec \"$0\" -D -l text -p pid s 2>log", program("uxecho"),
		NULL };
	const pid_t pid = start_daemon(argv);
	char log[4096] = "";
	FILE *file;

	stop_daemon(pid);

	file = fopen("log", "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(log, 1, sizeof(log) - 1, file), 0);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(log, "uxecho: stopped\n"));
}
END_TEST

START_TEST(background_and_user_go_together)
{
	const char *const argv[] = { "uxecho", "-q", "-D", "-p", "pid", "-u",
		"1500:1500", "s", NULL };
	pid_t pid;
	struct stat st;
	char path[64];

	SKIP_UNLESS_ROOT();
	pid = start_daemon(argv);
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	ck_assert_int_eq(stat(path, &st), 0);

	stop_daemon(pid);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- the file ---- */

START_TEST(pidfile_is_there_while_it_serves)
{
	const char *const arguments[] = { "-p", "pid", "s", NULL };
	struct service service;

	service_start(&service, arguments);

	ck_assert_int_eq(read_pid("pid"), service.pid);
	ck_assert_uint_eq(mode_of("pid"), 0600);
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(second_one_is_told_who_holds_the_pidfile)
{
	const char *const arguments[] = { "-p", "pid", "s", NULL };
	const char *const argv[] = { "uxecho", "-p", "pid", "other", NULL };
	const char *const daemon_argv[] = { "uxecho", "-D", "-p", "pid",
		"other", NULL };
	struct service service;
	char holder[64];

	service_start(&service, arguments);
	snprintf(holder, sizeof(holder), "pid: process %ld holds",
	    (long)service.pid);

	run_program(&result, argv);
	it_failed(69, holder);
	run_program(&result, daemon_argv);
	it_failed(69, holder);

	ck_assert_int_eq(read_pid("pid"), service.pid);
	ck_assert(!is_there("other"));
	service_stop_clean(&service);
}
END_TEST

START_TEST(pidfile_of_a_killed_one_is_taken_over)
{
	const char *const arguments[] = { "-p", "pid", "s", NULL };
	struct service service;

	service_start(&service, arguments);
	service_stop(&service, SIGKILL);
	ck_assert(is_there("pid"));

	service_start(&service, arguments);

	ck_assert_int_eq(read_pid("pid"), service.pid);
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(failed_start_leaves_no_pidfile)
{
	const char *const argv[] = { "uxecho", "-p", "pid", "stream:no/s",
		NULL };

	run_program(&result, argv);

	it_failed(73, "does not exist");
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(pidfile_that_cannot_be_is_refused)
{
	const char *const nowhere[] = { "uxecho", "-p", "no/pid", "s", NULL };
	const char *const open_to_all[] = { "uxecho", "-p", "open/pid", "s",
		NULL };

	ck_assert_int_eq(mkdir("open", 0777), 0);
	ck_assert_int_eq(chmod("open", 0777), 0);

	run_program(&result, nowhere);
	it_failed(73, "no/pid");
	run_program(&result, open_to_all);
	it_failed(77, "others could replace");
	ck_assert(!is_there("open/pid"));
	ck_assert(!is_there("s"));
}
END_TEST

/* The kernel lets no file grow, as if the disk were full. Until it is told
 * otherwise: check writes to a file what has become of this test. */
static void
limit_files(bool is_limited)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = is_limited ? 0 : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(pidfile_that_cannot_be_written_ends_the_start)
{
	const char *const argv[] = { "uxecho", "-p", "pid", "@uxecho-none",
		"-a", "any", NULL };

	limit_files(true);
	run_program(&result, argv);
	limit_files(false);

	it_failed(73, "pid: cannot write");
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

Suite *
suite_background(void)
{
	Suite *suite = suite_create("background");
	TCase *background = harness_case(suite, "background");
	TCase *pidfile = harness_case(suite, "pidfile");

	tcase_add_test(background, parent_ends_when_clients_can_connect);
	tcase_add_test(background, it_lets_go_of_where_it_was_started);
	tcase_add_test(background, failure_is_told_by_line_and_status);
	tcase_add_test(background, relative_rules_are_read_again);
	tcase_add_test(background,
	    standard_error_stays_for_those_who_log_there);
	tcase_add_test(background, background_and_user_go_together);

	tcase_add_test(pidfile, pidfile_is_there_while_it_serves);
	tcase_add_test(pidfile, second_one_is_told_who_holds_the_pidfile);
	tcase_add_test(pidfile, pidfile_of_a_killed_one_is_taken_over);
	tcase_add_test(pidfile, failed_start_leaves_no_pidfile);
	tcase_add_test(pidfile, pidfile_that_cannot_be_is_refused);
	tcase_add_test(pidfile, pidfile_that_cannot_be_written_ends_the_start);
	return suite;
}
