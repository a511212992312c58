/* SPDX-License-Identifier: ISC */
/*
 * What a service manager hears: the test is the manager. First what the
 * library makes of the environment, then what uxecho tells and when.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/notify.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- the language of this file ---- */

/* As systemd gives it to its services: a path, or an abstract name. */
static const char *
manager_name(bool is_abstract)
{
	static char name[128];

	if (is_abstract)
		snprintf(name, sizeof(name), "@uxecho-check-%ld",
		    (long)getpid());
	else
		strlcpy(name, harness_path("manager"), sizeof(name));
	return name;
}

static int
manager_open(const char *name)
{
	const struct timeval patience = { .tv_sec = 20 };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_ge(fd, 0);
	if (name[0] == '@')
		ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &length,
				     name + 1, strlen(name + 1)),
		    0);
	else
		ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, name), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static const char *
manager_hears_any(int fd)
{
	static char text[1024];
	const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	ck_assert_msg(n >= 0, "the manager hears nothing: %s", strerror(errno));
	text[n] = '\0';
	return text;
}

/* The next message that begins so; figures in between may come or not. */
static const char *
manager_hears(int fd, const char *start)
{
	const char *text = manager_hears_any(fd);

	while (strncmp(text, "STATUS=serving: ", 16) == 0 &&
	    strncmp(start, "STATUS=", 7) != 0)
		text = manager_hears_any(fd);
	ck_assert_msg(strncmp(text, start, strlen(start)) == 0,
	    "the manager hears '%s' in place of '%s'", text, start);
	return text;
}

static void
manager_hears_nothing_more(int fd)
{
	char byte;

	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static const char *const paths[] = { "stream:s", NULL };

static void
service_started(struct service *service, int fd)
{
	service_start(service, paths);
	manager_hears(fd, "READY=1\n");
}

static struct output_of result;

/* ---- the environment ---- */

static const struct {
	const char *name, *value;
} malformed[] = {
	{ "NOTIFY_SOCKET", "" },
	{ "NOTIFY_SOCKET", "@" },
	{ "NOTIFY_SOCKET", "run/notify" },
	{ "NOTIFY_SOCKET", "vsock:2:1234" },
	{ "NOTIFY_SOCKET",
	    "/01234567890123456789012345678901234567890123456789"
	    "01234567890123456789012345678901234567890123456789"
	    "0123456789" },
	{ "WATCHDOG_USEC", "" },
	{ "WATCHDOG_USEC", "0" },
	{ "WATCHDOG_USEC", "-1" },
	{ "WATCHDOG_USEC", "5s" },
	{ "WATCHDOG_USEC", "99999999999999999999" },
	{ "WATCHDOG_PID", "me" },
	{ "WATCHDOG_PID", "0" },
};

static void
set_environment(int row)
{
	setenv("NOTIFY_SOCKET", harness_path("manager"), 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv(malformed[row].name, malformed[row].value, 1);
}

START_TEST(malformed_environment_is_named_and_removed)
{
	struct uxs_notify notify;
	struct uxs_error why;

	set_environment(_i);

	ck_assert_int_lt(uxs_notify_open(&notify, &why), 0);

	ck_assert_int_eq(uxs_error_exit_status(&why), 78);
	ck_assert_ptr_nonnull(strstr(why.text, malformed[_i].name));
	ck_assert(!uxs_notify_is_open(&notify));
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
}
END_TEST

START_TEST(without_a_manager_nothing_is_opened_or_said)
{
	struct uxs_notify notify;

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000000", 1);

	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);

	ck_assert(!uxs_notify_is_open(&notify));
	ck_assert_int_eq(notify.watchdog_ns, 0);
	ck_assert_int_eq(uxs_notify_send(&notify, "READY=1"), 0);
	uxs_notify_close(&notify);
	uxs_notify_close(&notify);
}
END_TEST

static int64_t
watchdog_for(long pid)
{
	struct uxs_notify notify;
	char text[32];
	int64_t watchdog_ns;

	snprintf(text, sizeof(text), "%ld", pid);
	setenv("NOTIFY_SOCKET", harness_path("manager"), 1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", text, 1);
	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	watchdog_ns = notify.watchdog_ns;
	uxs_notify_close(&notify);
	return watchdog_ns;
}

START_TEST(watchdog_of_another_process_is_not_ours)
{
	ck_assert_int_eq(watchdog_for((long)getpid()), INT64_C(3000000000));
	ck_assert_int_eq(watchdog_for((long)getpid() + 1), 0);
}
END_TEST

/* ---- sending ---- */

START_TEST(what_the_manager_has_no_room_for_is_kept_in_order)
{
	const int manager = manager_open(manager_name(false));
	struct uxs_loop loop = UXS_LOOP_CLOSED;
	struct uxs_notify notify;
	char text[32];
	int n = 0, r;

	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	uxs_notify_start(&notify, &loop);
	while ((r = uxs_notify_send(&notify, "STATUS=%d", n)) == 0)
		ck_assert_int_lt(n++, 100000);

	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_uint_eq(notify.n_kept, UXS_NOTIFY_KEPT);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "STATUS=%d", i);
		ck_assert_str_eq(manager_hears_any(manager), text);
		ck_assert_int_ge(uxs_loop_turn(&loop, 0), 0);
	}
	manager_hears_nothing_more(manager);
	ck_assert_uint_eq(notify.n_kept, 0);
	ck_assert_uint_eq(notify.room.events, 0);
	uxs_notify_close(&notify);
	uxs_loop_close(&loop);
	close(manager);
}
END_TEST

START_TEST(nothing_overtakes_what_is_kept)
{
	const int manager = manager_open(manager_name(false));
	struct uxs_loop loop = UXS_LOOP_CLOSED;
	struct uxs_notify notify;
	int n = 0;

	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	uxs_notify_start(&notify, &loop);
	while (notify.n_kept == 0) {
		ck_assert_int_eq(uxs_notify_send(&notify, "STATUS=before"), 0);
		n++;
	}
	ck_assert_str_eq(manager_hears_any(manager), "STATUS=before");

	ck_assert_int_eq(uxs_notify_send(&notify, "STATUS=last"), 0);

	for (int i = 1; i < n; i++) {
		ck_assert_int_ge(uxs_loop_turn(&loop, 0), 0);
		ck_assert_str_eq(manager_hears_any(manager), "STATUS=before");
	}
	ck_assert_int_ge(uxs_loop_turn(&loop, 0), 0);
	ck_assert_str_eq(manager_hears_any(manager), "STATUS=last");
	uxs_notify_close(&notify);
	uxs_loop_close(&loop);
	close(manager);
}
END_TEST

START_TEST(manager_that_starts_anew_is_found)
{
	const char *name = manager_name(false);
	int manager = manager_open(name);
	struct uxs_notify notify;

	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	ck_assert_int_eq(uxs_notify_send(&notify, "STATUS=1"), 0);
	close(manager);
	ck_assert_int_eq(unlink(name), 0);
	manager = manager_open(name);

	ck_assert_int_eq(uxs_notify_send(&notify, "STATUS=2"), 0);

	ck_assert_str_eq(manager_hears_any(manager), "STATUS=2");
	close(manager);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(uxs_notify_send(&notify, "STATUS=3"), -ENOENT);
	uxs_notify_close(&notify);
}
END_TEST

/* A loop that is stuck must be found out, so the sign comes from it. */
START_TEST(sign_of_life_comes_with_a_turn_of_the_loop)
{
	const int manager = manager_open(manager_name(false));
	struct uxs_loop loop = UXS_LOOP_CLOSED;
	struct uxs_notify notify;

	setenv("WATCHDOG_USEC", "2", 1);
	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	uxs_notify_start(&notify, &loop);
	manager_hears_nothing_more(manager);

	ck_assert_int_ge(uxs_loop_turn(&loop, -1), 0);
	ck_assert_str_eq(manager_hears_any(manager), "WATCHDOG=1");
	ck_assert_int_ge(uxs_loop_turn(&loop, -1), 0);
	ck_assert_str_eq(manager_hears_any(manager), "WATCHDOG=1");

	uxs_notify_stop(&notify);
	uxs_notify_stop(&notify);
	ck_assert_int_eq(uxs_loop_turn(&loop, 0), 0);
	manager_hears_nothing_more(manager);
	uxs_notify_close(&notify);
	uxs_loop_close(&loop);
	close(manager);
}
END_TEST

/* ---- uxecho ---- */

/* _i: is the manager's name abstract? */
START_TEST(ready_is_told_when_clients_can_connect)
{
	const int manager = manager_open(manager_name(_i == 1));
	struct service service;
	char expected[64];
	int client;

	service_start(&service, paths);
	snprintf(expected, sizeof(expected), "READY=1\nMAINPID=%ld",
	    (long)service.pid);

	ck_assert_str_eq(manager_hears(manager, "READY=1"), expected);

	client = client_connect(UXS_STREAM, "s");
	SAYS(client, "hello");
	HEARS(client, "hello");
	close(client);
	service_stop_clean(&service);
	manager_hears(manager, "STOPPING=1");
	close(manager);
}
END_TEST

START_TEST(reload_is_told_with_its_time_before_and_after)
{
	const char *const arguments[] = { "-f", "rules", "stream:s", NULL };
	const int manager = manager_open(manager_name(false));
	struct timespec before, after;
	struct service service;
	const char *text;
	long long us;

	write_file("rules", "allow root\n", 0600);
	service_start(&service, arguments);
	manager_hears(manager, "READY=1");
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	text = manager_hears(manager, "RELOADING=1\nMONOTONIC_USEC=");
	clock_gettime(CLOCK_MONOTONIC, &after);
	us = strtoll(strrchr(text, '=') + 1, NULL, 10);

	ck_assert_int_ge(us, before.tv_sec * 1000000LL + before.tv_nsec / 1000);
	ck_assert_int_le(us, after.tv_sec * 1000000LL + after.tv_nsec / 1000);
	ck_assert_ptr_nonnull(strstr(manager_hears(manager, "READY=1\n"),
	    "new rules"));
	write_file("rules", "no such rule\n", 0600);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	manager_hears(manager, "RELOADING=1");
	ck_assert_ptr_nonnull(strstr(manager_hears(manager, "READY=1\n"),
	    "old rules stay"));
	service_stop_clean(&service);
	close(manager);
}
END_TEST

START_TEST(watchdog_hears_a_sign_of_life_and_figures_when_they_change)
{
	const int manager = manager_open(manager_name(false));
	struct service service;
	int client;

	setenv("WATCHDOG_USEC", "20000", 1);
	service_started(&service, manager);
	manager_hears(manager, "WATCHDOG=1");
	manager_hears(manager, "WATCHDOG=1");
	manager_hears(manager, "WATCHDOG=1");

	client = client_connect(UXS_STREAM, "s");
	SAYS(client, "hello");
	HEARS(client, "hello");

	while (strcmp(manager_hears_any(manager),
		   "STATUS=serving: 1 clients, 1 accepted, 0 refused; "
		   "1 messages, 0 dropped") != 0)
		;
	manager_hears(manager, "WATCHDOG=1");
	close(client);
	service_stop_clean(&service);
	close(manager);
}
END_TEST

START_TEST(failure_to_start_tells_why)
{
	const char *const arguments[] = { "uxecho", "stream:no/such/dir",
		NULL };
	const int manager = manager_open(manager_name(false));
	const char *text;
	char expected[64];

	run_program(&result, arguments);

	ck_assert_int_eq(result.status, 73);
	snprintf(expected, sizeof(expected),
	    "STOPPING=1\nERRNO=%d\nEXIT_STATUS=73\nSTATUS=", ENOENT);
	text = manager_hears(manager, expected);
	ck_assert_ptr_nonnull(strstr(text, "no/such/dir"));
	manager_hears_nothing_more(manager);
	close(manager);
}
END_TEST

START_TEST(malformed_environment_ends_uxecho)
{
	const char *const arguments[] = { "uxecho", "stream:s", NULL };

	set_environment(_i);

	run_program(&result, arguments);

	ck_assert_int_eq(result.status, 78);
	ck_assert_ptr_nonnull(strstr(result.err, malformed[_i].name));
	ck_assert(!is_there("s"));
}
END_TEST

START_TEST(manager_that_does_not_listen_stops_nobody)
{
	struct service service;

	setenv("NOTIFY_SOCKET", harness_path("nobody"), 1);
	service_start(&service, paths);

	service_logs(&service, "cannot tell the service manager");

	service_stop_clean(&service);
}
END_TEST

START_TEST(manager_that_does_not_read_holds_up_nobody)
{
	const int manager = manager_open(manager_name(false));
	struct uxs_notify full;
	struct service service;
	int client;

	ck_assert_int_eq(uxs_notify_open(&full, NULL), 0);
	while (uxs_notify_send(&full, "STATUS=full") == 0)
		;
	setenv("NOTIFY_SOCKET", manager_name(false), 1);

	service_start(&service, paths);
	client = client_connect(UXS_STREAM, "s");
	SAYS(client, "hello");
	HEARS(client, "hello");

	while (strncmp(manager_hears_any(manager), "READY=1\n", 8) != 0)
		;
	close(client);
	service_stop_clean(&service);
	uxs_notify_close(&full);
	close(manager);
}
END_TEST

Suite *
suite_notify(void)
{
	Suite *suite = suite_create("notify");
	TCase *library = harness_case(suite, "library");
	TCase *daemon_case = harness_case(suite, "uxecho");

	tcase_add_loop_test(library, malformed_environment_is_named_and_removed,
	    0, N_OF(malformed));
	tcase_add_test(library, without_a_manager_nothing_is_opened_or_said);
	tcase_add_test(library, watchdog_of_another_process_is_not_ours);
	tcase_add_test(library,
	    what_the_manager_has_no_room_for_is_kept_in_order);
	tcase_add_test(library, nothing_overtakes_what_is_kept);
	tcase_add_test(library, manager_that_starts_anew_is_found);
	tcase_add_test(library, sign_of_life_comes_with_a_turn_of_the_loop);

	tcase_add_loop_test(daemon_case, ready_is_told_when_clients_can_connect,
	    0, 2);
	tcase_add_test(daemon_case,
	    reload_is_told_with_its_time_before_and_after);
	tcase_add_test(daemon_case,
	    watchdog_hears_a_sign_of_life_and_figures_when_they_change);
	tcase_add_test(daemon_case, failure_to_start_tells_why);
	tcase_add_loop_test(daemon_case, malformed_environment_ends_uxecho, 0,
	    N_OF(malformed));
	tcase_add_test(daemon_case, manager_that_does_not_listen_stops_nobody);
	tcase_add_test(daemon_case, manager_that_does_not_read_holds_up_nobody);
	return suite;
}
