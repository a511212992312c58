/* SPDX-License-Identifier: ISC */
/*
 * SIGTERM in the middle of something: what was sent before is answered, then
 * comes a clean end of file (promise 7). What is easier is in "uxecho life".
 */
#include "harness.h"
#include "suites.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of those types that have connections. */
#define TYPE ((enum uxs_type)_i)
#define LOOP_CONNECTED(tcase, test) \
	tcase_add_loop_test(tcase, test, UXS_STREAM, UXS_SEQPACKET + 1)

static const char *const typed[] = { "stream:s", "seqpacket:s" };

static void
start(struct service *service, enum uxs_type type)
{
	const char *const arguments[] = { "--backlog", "4", "--drain", "1m",
		typed[type], NULL };

	service_start(service, arguments);
}

static int
dial(enum uxs_type type)
{
	return client_connect(type, harness_path("s"));
}

static void
ended_clean(struct service *service)
{
	ck_assert_int_eq(wait_child(service->pid), 0);
	close(service->stderr_fd);
	ck_assert(!is_there("s") && !is_there("s.lock"));
}

/* More than the buffers of one way hold, and less than those of both: all of
 * it is sent, and the service is in the middle of answering. */
#define BULK (size_t)(400 * 1024)
#define PACKET ((size_t)8192)
#define PACKETS (20 * PACKET)

static void
say_bulk(int fd, enum uxs_type type, const char *data)
{
	if (type == UXS_STREAM)
		client_says(fd, data, BULK);
	for (size_t at = 0; type != UXS_STREAM && at < PACKETS; at += PACKET)
		client_says(fd, data + at, PACKET);
}

static void
hear_bulk(int fd, enum uxs_type type, const char *data)
{
	if (type == UXS_STREAM)
		client_hears(fd, data, BULK);
	for (size_t at = 0; type != UXS_STREAM && at < PACKETS; at += PACKET)
		client_hears(fd, data + at, PACKET);
}

START_TEST(reply_that_is_half_written_is_finished)
{
	char data[BULK];
	struct service service;
	int fd;

	fill_random(data, sizeof(data), 73);
	start(&service, TYPE);
	fd = dial(TYPE);
	say_bulk(fd, TYPE, data);

	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
	service_logs(&service, "draining");

	hear_bulk(fd, TYPE, data);
	client_hears_end(fd);
	close(fd);
	ended_clean(&service);
}
END_TEST

START_TEST(who_waits_in_a_full_backlog_is_answered)
{
	struct service service;
	int clients[CLIENTS_MAX], n, status;

	start(&service, TYPE);
	ck_assert_int_eq(kill(service.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(service.pid, &status, WUNTRACED), service.pid);
	fill_backlog(TYPE, harness_path("s"), clients, &n);
	ck_assert_int_eq(n, 5);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(fcntl(clients[i], F_SETFL, 0), 0);
		SAYS(clients[i], "in time?");
	}
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);

	ck_assert_int_eq(kill(service.pid, SIGCONT), 0);

	for (int i = 0; i < n; i++) {
		HEARS(clients[i], "in time?");
		client_hears_end(clients[i]);
	}
	close_all(clients, n);
	ended_clean(&service);
}
END_TEST

/* What looks for leaks at the end of such a build stops the process with
 * ptrace(2), and does not get on with it while signals rain down. */
#ifdef __SANITIZE_ADDRESS__
#define LOOKS_FOR_LEAKS true
#else
#define LOOKS_FOR_LEAKS false
#endif

/* All that it takes without ending or being another, as fast as they can be
 * sent; until it has ended. */
static void
storm(void *arg)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGPIPE, SIGCONT };
	const pid_t *pid = arg;

	for (;;) {
		for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]);
		     i++)
			kill(*pid, signals[i]);
	}
}

#define N_IN_STORM 200

START_TEST(stop_in_a_storm_of_signals_loses_nothing)
{
	static const char *const arguments[] = { "-qq", "stream:s", NULL };
	struct service service;
	int fd;
	pid_t pid;

	service_start(&service, arguments);
	pid = start_child(storm, &service.pid);
	fd = dial(UXS_STREAM);
	for (int i = 0; i < N_IN_STORM; i++) {
		SAYS(fd, "still there?");
		HEARS(fd, "still there?");
	}
	SAYS(fd, "the last word");

	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);

	HEARS(fd, "the last word");
	client_hears_end(fd);
	close(fd);
	if (!LOOKS_FOR_LEAKS)
		ended_clean(&service);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
	if (LOOKS_FOR_LEAKS)
		ended_clean(&service);
}
END_TEST

Suite *
suite_uxecho_stop(void)
{
	Suite *suite = suite_create("uxecho stop");
	TCase *amid = harness_case(suite, "amid");

	LOOP_CONNECTED(amid, reply_that_is_half_written_is_finished);
	LOOP_CONNECTED(amid, who_waits_in_a_full_backlog_is_answered);
	tcase_add_test(amid, stop_in_a_storm_of_signals_loses_nothing);
	return suite;
}
