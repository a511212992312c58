/* SPDX-License-Identifier: ISC */
/*
 * A server with several loops, as somebody who writes a daemon sees it. It
 * runs in this process, and its clients are a child, which asks for the end.
 */
#include "harness.h"
#include "suites.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define THREADS 4
#define CLIENTS 64

static struct uxs_address addresses[UXS_ADDRESS_MAX]; /* the first is used */
static struct uxs_server *server;

/* ---- services ---- */

/* Answers with the thread that it was called in. */
static int
say_where(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	char text[32];
	const int n = snprintf(text, sizeof(text), "%08ld", (long)gettid());

	if (m->length == strlen("drain") && memcmp(m->data, "drain", 5) == 0)
		uxs_server_drain(server);
	if (m->length == strlen("stop") && memcmp(m->data, "stop", 4) == 0)
		uxs_server_stop(server);
	return uxs_client_reply(client, text, (size_t)n) < 0 ? -EIO : 0;
}

/* Answers whether rules can be set from there. */
static int
set_rules(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const char *text =
	    uxs_server_set_access(server, NULL, NULL) < 0 ? "no" : "ok";

	return uxs_client_reply(client, text, 2) < 0 ? -EIO : 0;
}

static struct {
	int n_open, n_end;
} seen;

static int
count_open(struct uxs_client *client, void *arg)
{
	__atomic_add_fetch(&seen.n_open, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void
count_end(struct uxs_client *client, void *arg)
{
	__atomic_add_fetch(&seen.n_end, 1, __ATOMIC_SEQ_CST);
}

static const struct uxs_service whereabouts = {
	.on_open = count_open,
	.on_message = say_where,
	.on_end = count_end,
	.is_concurrent = true,
};

/* ---- the language of this file ---- */

static struct uxs_server_conf
conf_for(const struct uxs_service *service, const char *at)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	ck_assert_int_eq(uxs_address_parse(at, addresses, NULL), 1);
	conf.addresses = addresses;
	conf.n_addresses = 1;
	conf.service = service;
	conf.n_threads = THREADS;
	conf.handle_signals = true;
	return conf;
}

static void
open_with(const struct uxs_server_conf *conf)
{
	struct uxs_error why = { .text = "" };

	if (uxs_server_open(&server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

/* Serve while a child does what clients do and ends that. */
static void
serve(void (*clients)(void *), void *arg)
{
	const pid_t pid = start_child(clients, arg);

	ck_assert_int_eq(uxs_server_run(server), 0);
	ck_assert_int_eq(wait_child(pid), 0);
	ck_assert_int_eq(seen.n_end, seen.n_open);
}

static struct uxs_stats
stats(void)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now;
}

static int
dial(void)
{
	return client_connect(addresses[0].type, "s");
}

/* The thread that answers. */
static long
ask(int fd)
{
	char text[9] = "";

	SAYS(fd, "where");
	ck_assert_int_eq(recv(fd, text, 8, MSG_WAITALL), 8);
	return strtol(text, NULL, 10);
}

/* Of this process, by their names: there may be others. */
static int
count_loops(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(tasks);
	while ((entry = readdir(tasks)) != NULL) {
		char path[300], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
		    entry->d_name);
		if ((file = fopen(path, "r")) == NULL)
			continue;
		if (fgets(name, sizeof(name), file) != NULL)
			n += strstr(name, ":loop-") != NULL;
		fclose(file);
	}
	closedir(tasks);
	return n;
}

/* Who has been joined may still be listed for a moment. */
static void
no_loop_is_left(void)
{
	while (count_loops() > 0)
		sched_yield();
}

/* ---- who goes where ---- */

struct crowd {
	long threads[THREADS];
	int n_threads, n_of[THREADS];
};

static void
note_thread(struct crowd *crowd, long thread)
{
	int i = 0;

	while (i < crowd->n_threads && crowd->threads[i] != thread)
		i++;
	ck_assert_int_lt(i, THREADS);
	if (i == crowd->n_threads)
		crowd->threads[crowd->n_threads++] = thread;
	crowd->n_of[i]++;
}

static void
come_and_see_who_serves(void *arg)
{
	struct crowd crowd = { .n_threads = 0 };
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
	for (int i = 0; i < CLIENTS; i++) {
		const long thread = ask(fds[i]);

		note_thread(&crowd, thread);
		ck_assert_int_eq(ask(fds[i]), thread);
	}
	ck_assert_int_eq(crowd.n_threads, THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(crowd.n_of[i], CLIENTS / THREADS);
	kill(getppid(), SIGTERM);
	for (int i = 0; i < CLIENTS; i++)
		client_hears_end(fds[i]);
	close_all(fds, CLIENTS);
}

static const char *const ats[] = { "stream:s", "seqpacket:s" };

START_TEST(connections_are_spread_evenly_and_stay_where_they_are)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, ats[_i]);

	open_with(&conf);

	serve(come_and_see_who_serves, NULL);

	ck_assert_int_eq(seen.n_open, CLIENTS);
	ck_assert_uint_eq(stats().of[addresses[0].type].accepted, CLIENTS);
	uxs_server_close(&server);
}
END_TEST

static void
send_datagrams(void *arg)
{
	const int a = dial(), b = dial();
	const long thread = ask(a);

	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(ask(a), thread);
		ck_assert_int_eq(ask(b), thread);
	}
	ck_assert_int_eq(thread, (long)getppid());
	kill(getppid(), SIGTERM);
	close(a);
	close(b);
}

START_TEST(datagrams_are_all_answered_by_the_first_thread)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, "dgram:s");

	open_with(&conf);

	serve(send_datagrams, NULL);

	uxs_server_close(&server);
}
END_TEST

/* ---- what any thread may ask for ---- */

static void
ask_for_it_in_one_thread(void *arg)
{
	const char *wish = arg;
	const int which = wish[0] - '0';
	int fds[THREADS];

	for (int i = 0; i < THREADS; i++)
		fds[i] = dial();
	for (int i = 0; i < THREADS; i++)
		ask(fds[i]);
	SAYS(fds[which], wish + 1);
	for (int i = 0; i < THREADS; i++) {
		char text[32];

		while (recv(fds[i], text, sizeof(text), 0) > 0)
			;
	}
	close_all(fds, THREADS);
}

static char wishes[][8] = { "0drain", "1drain", "3drain", "0stop", "1stop",
	"3stop" };

START_TEST(a_service_can_end_the_server_from_any_thread)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");

	open_with(&conf);

	serve(ask_for_it_in_one_thread, wishes[_i]);

	ck_assert_int_eq(seen.n_open, THREADS);
	ck_assert_uint_eq(stats().of[UXS_STREAM].connections, 0);
	uxs_server_close(&server);
}
END_TEST

static void
set_rules_everywhere(void *arg)
{
	int fds[THREADS];
	int n_refused = 0;

	for (int i = 0; i < THREADS; i++)
		fds[i] = dial();
	for (int i = 0; i < THREADS; i++) {
		char text[2];

		SAYS(fds[i], "rules");
		ck_assert_int_eq(recv(fds[i], text, 2, MSG_WAITALL), 2);
		n_refused += memcmp(text, "no", 2) == 0;
	}
	ck_assert_int_eq(n_refused, THREADS - 1);
	kill(getppid(), SIGTERM);
	close_all(fds, THREADS);
}

START_TEST(rules_can_be_set_in_the_first_thread_alone)
{
	const struct uxs_service service = {
		.on_message = set_rules,
		.is_concurrent = true,
	};
	const struct uxs_server_conf conf = conf_for(&service, "stream:s");

	open_with(&conf);

	serve(set_rules_everywhere, NULL);

	uxs_server_close(&server);
}
END_TEST

/* ---- life ---- */

START_TEST(threads_start_when_told_and_end_with_the_server)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");

	open_with(&conf);
	ck_assert_int_eq(count_loops(), 0);
	ck_assert_int_eq(uxs_server_start(server, NULL), 0);
	ck_assert_int_eq(count_loops(), THREADS - 1);
	ck_assert_int_eq(uxs_server_start(server, NULL), 0);
	ck_assert_int_eq(count_loops(), THREADS - 1);

	uxs_server_close(&server);

	no_loop_is_left();
}
END_TEST

START_TEST(one_thread_is_the_callers)
{
	struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");

	conf.n_threads = (size_t)_i; /* 0 is 1 */
	open_with(&conf);
	ck_assert_int_eq(uxs_server_start(server, NULL), 0);

	ck_assert_int_eq(count_loops(), 0);
	uxs_server_close(&server);
}
END_TEST

START_TEST(threads_that_cannot_start_leave_none_and_say_why)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");
	struct uxs_error why = { .text = "" };

	open_with(&conf);
	allow_descriptors(_i);

	ck_assert_int_eq(uxs_server_start(server, &why), -EMFILE);

	allow_descriptors(-1);
	ck_assert_int_eq(why.failure, UXS_FAILURE_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why.text, "thread"));
	no_loop_is_left();
	ck_assert_int_eq(uxs_server_start(server, &why), 0);
	ck_assert_int_eq(count_loops(), THREADS - 1);
	uxs_server_close(&server);
}
END_TEST

/* Those who were handed over, or still wait, when nobody runs any more. */
START_TEST(close_without_a_run_ends_everybody)
{
	const struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");
	int fds[CLIENTS];

	open_with(&conf);
	ck_assert_int_eq(uxs_server_start(server, NULL), 0);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;

	uxs_server_close(&server);

	ck_assert_int_ge(seen.n_open, CLIENTS / THREADS);
	ck_assert_int_eq(seen.n_end, seen.n_open);
	for (int i = 0; i < CLIENTS; i++) {
		char byte;

		ck_assert_int_le(recv(fds[i], &byte, 1, 0), 0);
	}
	close_all(fds, CLIENTS);
}
END_TEST

/* ---- what is not served so ---- */

START_TEST(service_for_one_thread_is_not_run_in_several)
{
	struct uxs_service service = whereabouts;
	struct uxs_server_conf conf = conf_for(&service, "stream:s");
	struct uxs_error why;

	service.is_concurrent = false;

	ck_assert_int_eq(uxs_server_conf_check(&conf, &why), -EINVAL);
	ck_assert_int_eq(why.failure, UXS_FAILURE_USAGE);
	ck_assert_ptr_nonnull(strstr(why.text, "threads"));
	conf.n_threads = 1;
	ck_assert_int_eq(uxs_server_conf_check(&conf, &why), 0);
}
END_TEST

START_TEST(more_threads_than_the_most_are_refused)
{
	struct uxs_server_conf conf = conf_for(&whereabouts, "stream:s");
	struct uxs_error why;

	conf.n_threads = UXS_THREADS_MAX;
	ck_assert_int_eq(uxs_server_conf_check(&conf, &why), 0);
	conf.n_threads++;

	ck_assert_int_eq(uxs_server_conf_check(&conf, &why), -EINVAL);
	ck_assert_int_eq(why.failure, UXS_FAILURE_USAGE);
}
END_TEST

static void *
do_nothing(void *arg)
{
	return arg;
}

/* The thread sanitizer starts a thread of its own with the first of a process,
 * and it has the name that that one was to have: let it be none of a loop. */
static void
start_a_thread(void)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

Suite *
suite_threads(void)
{
	Suite *suite = suite_create("threads");
	TCase *spread = harness_case(suite, "spread");
	TCase *wishes_of = harness_case(suite, "wishes");
	TCase *life = harness_case(suite, "life");
	TCase *usage = harness_case(suite, "usage");

	tcase_add_checked_fixture(life, start_a_thread, NULL);
	tcase_add_loop_test(spread,
	    connections_are_spread_evenly_and_stay_where_they_are, 0, 2);
	tcase_add_test(spread, datagrams_are_all_answered_by_the_first_thread);
	tcase_add_loop_test(wishes_of,
	    a_service_can_end_the_server_from_any_thread, 0,
	    (int)(sizeof(wishes) / sizeof(wishes[0])));
	tcase_add_test(wishes_of, rules_can_be_set_in_the_first_thread_alone);
	tcase_add_test(life, threads_start_when_told_and_end_with_the_server);
	tcase_add_loop_test(life, one_thread_is_the_callers, 0, 2);
	tcase_add_loop_test(life,
	    threads_that_cannot_start_leave_none_and_say_why, 0, THREADS);
	tcase_add_test(life, close_without_a_run_ends_everybody);
	tcase_add_test(usage, service_for_one_thread_is_not_run_in_several);
	tcase_add_test(usage, more_threads_than_the_most_are_refused);
	return suite;
}
