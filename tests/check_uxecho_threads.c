/* SPDX-License-Identifier: ISC */
/*
 * uxecho with several threads. The first promises are those that one thread
 * keeps: what is said here is that they hold for clients of all threads.
 * Clients come one after the other, so the first four are in four threads.
 */
#include "harness.h"
#include "lib/yield.h"
#include "suites.h"
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define CLIENTS 16

/* ---- the language of this file ---- */

static struct service service;

static void
start(const char *option, const char *value)
{
	const char *const arguments[] = { "--threads", "4", "stream:s",
		"seqpacket:q", "-q", option, value, NULL };

	service_start(&service, arguments);
}

static void
start_talking(const char *option, const char *value)
{
	const char *const arguments[] = { "--threads", "4", "stream:s",
		"seqpacket:q", option, value, NULL };

	service_start(&service, arguments);
}

static int
dial(int type)
{
	return client_connect(type == 0 ? UXS_STREAM : UXS_SEQPACKET,
	    harness_path(type == 0 ? "s" : "q"));
}

static void
dial_all(int type, int fds[CLIENTS])
{
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial(type);
}

static void
is_answered(int fd)
{
	SAYS(fd, "there?");
	HEARS(fd, "there?");
}

/* ---- data ---- */

#define BYTES \
	100000 /* more than the buffer of 64 KiB, less than the kernel's */

static void
bytes_of(unsigned char *data, int client)
{
	fill_random(data, BYTES, 100 + (unsigned)client);
}

START_TEST(clients_of_all_threads_get_their_own_bytes_back)
{
	unsigned char *data = malloc(BYTES);
	int fds[CLIENTS];

	start(NULL, NULL);
	dial_all(_i, fds);
	for (int i = 0; i < CLIENTS; i++) {
		bytes_of(data, i);
		client_says(fds[i], data, BYTES);
	}

	for (int i = 0; i < CLIENTS; i++) {
		bytes_of(data, i);
		client_hears(fds[i], data, BYTES);
		client_ends(fds[i]);
		client_hears_end(fds[i]);
	}

	close_all(fds, CLIENTS);
	free(data);
	service_stop_clean(&service);
}
END_TEST

/* As much as it takes, and nothing of it is read. */
static void
stuff(int fd)
{
	static const char data[4096];

	while (send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

START_TEST(who_never_reads_holds_up_nobody_in_any_thread)
{
	int fds[CLIENTS];

	start(NULL, NULL);
	dial_all(_i, fds);
	for (int i = 0; i < CLIENTS; i++)
		is_answered(fds[i]);

	stuff(fds[2]);
	for (int i = 0; i < CLIENTS; i++) {
		if (i != 2)
			is_answered(fds[i]);
	}

	close_all(fds, CLIENTS);
	service_stop_clean(&service);
}
END_TEST

/* ---- the ledger ---- */

#define CHILDREN 4
#define ROUNDS 200
#define PLACES "8"
#define N_PLACES 8

/* Is there a place for one more? Who is refused sees the end. */
static int
try_to_come(void)
{
	const int fd = dial(0);
	char byte;

	if (send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1)
		return fd;
	close(fd);
	return -1;
}

static void
come_and_go(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		const int fd = try_to_come();

		if (fd < 0)
			continue;
		client_ends(fd);
		client_hears_end(fd);
		close(fd);
	}
}

/* Four who come and go find a place each time: the one before them is free
 * when they have seen the end. Then there are as many as ever. */
START_TEST(places_are_exact_after_hundreds_came_and_went)
{
	pid_t children[CHILDREN];
	int fds[N_PLACES];

	start_talking("--max-conns-per-user", PLACES);
	for (int i = 0; i < CHILDREN; i++)
		children[i] = start_child(come_and_go, NULL);
	for (int i = 0; i < CHILDREN; i++)
		ck_assert_int_eq(wait_child(children[i]), 0);

	for (int i = 0; i < N_PLACES; i++) {
		fds[i] = try_to_come();
		ck_assert_int_ge(fds[i], 0);
	}
	ck_assert_int_eq(try_to_come(), -1);

	close_all(fds, N_PLACES);
	kill(service.pid, SIGTERM);
	service_logs(&service,
	    "stream: 0 open, 808 accepted, 1 refused (max_per_user 1); "
	    "received 808 messages, 808 bytes; sent 808, 808 bytes; "
	    "0 dropped");
	ck_assert_int_eq(service_stop(&service, 0), 0);
}
END_TEST

/* Twice as many as there are places, at once, from several processes. */
static void
come_and_stay(void *arg)
{
	const int *done = arg;
	int n = 0;
	char byte;

	for (int i = 0; i < N_PLACES; i++)
		n += try_to_come() >= 0;
	ck_assert_int_eq(write(done[3], &n, sizeof(n)), (int)sizeof(n));
	ck_assert_int_eq(read(done[0], &byte, 1), 0); /* until all have been */
}

START_TEST(a_race_for_the_places_fills_exactly_those)
{
	pid_t children[CHILDREN];
	int pipes[4], total = 0;

	start("--max-conns-per-user", PLACES);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(pipe(pipes + 2), 0);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0) {
			close(pipes[1]);
			come_and_stay(pipes);
			_exit(0);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int n;

		ck_assert_int_eq(read(pipes[2], &n, sizeof(n)), (int)sizeof(n));
		total += n;
	}
	ck_assert_int_eq(total, N_PLACES);
	close(pipes[1]);
	for (int i = 0; i < CHILDREN; i++)
		ck_assert_int_eq(wait_child(children[i]), 0);
	close(pipes[0]);
	close(pipes[2]);
	close(pipes[3]);
	service_stop_clean(&service);
}
END_TEST

/* ---- the end ---- */

START_TEST(drain_answers_in_all_threads_what_was_received)
{
	int fds[CLIENTS], status;

	/* Not for want of time: it ends when the last of them has ended. */
	start_talking("--drain", "1h");
	dial_all(_i, fds);
	for (int i = 0; i < CLIENTS; i++)
		is_answered(fds[i]);
	ck_assert_int_eq(kill(service.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(service.pid, &status, WUNTRACED), service.pid);
	for (int i = 0; i < CLIENTS; i++)
		SAYS(fds[i], "last");
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
	ck_assert_int_eq(kill(service.pid, SIGCONT), 0);

	for (int i = 0; i < CLIENTS; i++) {
		HEARS(fds[i], "last");
		client_hears_end(fds[i]);
	}

	service_logs(&service, "16 closed (eof 16)");
	close_all(fds, CLIENTS);
	ck_assert_int_eq(service_stop(&service, 0), 0);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* More than fits in both directions' send buffers, less than would make its
 * sender wait: when it is said, the server has replies that it cannot send. */
/* Packets: the send buffer of a stream grows for bulk data, and may take it
 * all. Of these it takes four, and the server keeps two; so with what waits at
 * the client's side there is room for all, and some have to be kept. */
#define PACKET (50 * 1024)
#define N_PACKETS 8

START_TEST(drain_time_ends_those_of_all_threads_who_do_not_read)
{
	char *data = calloc(1, PACKET);
	int fds[CLIENTS];

	start_talking("--drain", "1ms");
	dial_all(1, fds);
	for (int i = 0; i < CLIENTS * N_PACKETS; i++)
		client_says(fds[i % CLIENTS], data, PACKET);

	kill(service.pid, SIGTERM);

	service_logs(&service, "16 closed (drain 16)");
	ck_assert_int_eq(service_stop(&service, 0), 0);
	close_all(fds, CLIENTS);
	free(data);
}
END_TEST

START_TEST(new_rules_end_sessions_in_all_threads)
{
	int fds[CLIENTS];

	write_file("rules", "allow any\n", 0600);
	start_talking("--rules", harness_path("rules"));
	dial_all(_i, fds);
	for (int i = 0; i < CLIENTS; i++)
		is_answered(fds[i]);
	write_file("rules", "deny any\n", 0600);

	kill(service.pid, SIGHUP);

	for (int i = 0; i < CLIENTS; i++)
		client_hears_end(fds[i]);
	service_logs(&service, "1 rules, 16 sessions ended");
	close_all(fds, CLIENTS);
	service_stop_clean(&service);
}
END_TEST

/* ---- services ---- */

/* It keeps a list of members, which is nobody's but one thread's. */
START_TEST(service_for_one_thread_is_refused_in_several)
{
	const char *const arguments[] = { "uxecho", "-t", "2", "-s", "chat",
		"stream:s", _i == 0 ? NULL : "--check", NULL };
	struct output_of result;

	run_program(&result, arguments);

	ck_assert_int_eq(result.status, 64);
	ck_assert_str_eq(result.err,
	    "uxecho: --threads 2: --service chat runs in one thread only; "
	    "leave --threads out\n");
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- what it costs ---- */

#define N_TRACED 100
/* Turns that had begun before, or had not ended after. */
#define EDGES (2 * THREADS)
/* Each is alone with its client, so yielding is in vain: it is given up before
 * the count begins, or some tries later, and of 25 waits tried in two more. */
#define TRIES ((YIELD_LOST_MAX + 2) * THREADS)

START_TEST(a_message_costs_no_more_calls_than_with_one_thread)
{
	int fds[THREADS];
	struct trace trace;

#ifdef __SANITIZE_THREAD__
	skip("the thread sanitizer makes calls of its own");
	return;
#endif
	start(NULL, NULL);
	for (int i = 0; i < THREADS; i++) {
		fds[i] = dial(_i);
		is_answered(fds[i]);
	}
	if (trace_start(&trace, service.pid)) {
		struct cost cost;

		for (int i = 0; i < N_TRACED; i++)
			is_answered(fds[i % THREADS]);
		trace_stop(&trace);

		cost = read_trace();
		ck_assert_int_eq(cost.receives, N_TRACED);
		ck_assert_int_eq(cost.sends, N_TRACED);
		ck_assert_int_le(cost.waits, N_TRACED + EDGES + TRIES);
		ck_assert_int_ge(cost.yields, 1);
		ck_assert_int_eq(cost.others, 0);
	}
	close_all(fds, THREADS);
	service_stop_clean(&service);
}
END_TEST

/* ---- the suite ---- */

#define BOTH_TYPES 0, 2

Suite *
suite_uxecho_threads(void)
{
	Suite *suite = suite_create("uxecho threads");
	TCase *data = harness_case(suite, "data");
	TCase *ledger = harness_case(suite, "ledger");
	TCase *services = harness_case(suite, "services");
	TCase *end = harness_case(suite, "end");
	TCase *cost = harness_case(suite, "cost");

#define LOOP(tcase, test, range) tcase_add_loop_test(tcase, test, range)
	LOOP(data, clients_of_all_threads_get_their_own_bytes_back, BOTH_TYPES);
	LOOP(data, who_never_reads_holds_up_nobody_in_any_thread, BOTH_TYPES);
	tcase_add_test(ledger, places_are_exact_after_hundreds_came_and_went);
	tcase_add_test(ledger, a_race_for_the_places_fills_exactly_those);
	tcase_add_loop_test(services,
	    service_for_one_thread_is_refused_in_several, 0, 2);
	LOOP(end, drain_answers_in_all_threads_what_was_received, BOTH_TYPES);
	tcase_add_test(end,
	    drain_time_ends_those_of_all_threads_who_do_not_read);
	LOOP(end, new_rules_end_sessions_in_all_threads, BOTH_TYPES);
	LOOP(cost, a_message_costs_no_more_calls_than_with_one_thread,
	    BOTH_TYPES);
	return suite;
}
