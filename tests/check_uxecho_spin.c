/* SPDX-License-Identifier: ISC */
/* uxecho --spin: what it does is told by its system calls. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "suites.h"
#include "trace.h"

static const char *const stream[] = { "stream:s", NULL };

/* Longer than most clients here take, also under strace: while they go on
 * hardly a spin is in vain. */
static const char *const spinning[] = { "--spin", "100ms", "stream:s", NULL };

/* So long that only an event ends it. */
static const char *const stubborn[] = { "--spin", "1s", "stream:s", NULL };

/* As a user would have it. */
static const char *const useful[] = { "--spin", "200us", "stream:s", NULL };

#define N_ECHOES 100

static void
echo_often(int fd, int n)
{
	for (int i = 0; i < n; i++) {
		SAYS(fd, "ping");
		HEARS(fd, "ping");
	}
}

/* What has answered spins, if it does, and then sleeps. A process that spins
 * is never seen asleep, and one that strace(1) holds is seen as that. */
static void
await_sleep(pid_t pid)
{
	char path[64], state = '?';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	while (state != 'S') {
		ck_assert_ptr_nonnull(stat = fopen(path, "r"));
		ck_assert_int_eq(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
		fclose(stat);
	}
}

/* The cost of some echoes, and of falling asleep after. False where it cannot be told. */
static bool
trace_echoes(const char *const arguments[], struct cost *cost)
{
	struct service service;
	struct trace trace;
	bool is_told;
	int fd;

	service_start(&service, arguments);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	echo_often(fd, N_ECHOES); /* so it knows that it pays */
	is_told = trace_start(&trace, service.pid);
	if (is_told) {
		echo_often(fd, N_ECHOES);
		await_sleep(service.pid);
		trace_stop(&trace);
		*cost = read_trace();
		ck_assert_int_eq(cost->receives, N_ECHOES);
		ck_assert_int_eq(cost->sends, N_ECHOES);
	}
	close(fd);
	service_stop_clean(&service);
	return is_told;
}

static bool
has_two_processors(void)
{
	cpu_set_t allowed;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	if (CPU_COUNT(&allowed) > 1)
		return true;
	skip("needs two processors, since on one nothing spins");
	return false;
}

START_TEST(without_the_option_no_wait_is_spun)
{
	struct cost cost;

	if (!trace_echoes(stream, &cost))
		return;

	ck_assert_int_eq(cost.yields, 0);
	ck_assert_int_eq(cost.looks, 0);
}
END_TEST

/* On a busy machine each question may be there at the first look; but after
 * the last one none comes. */
START_TEST(with_it_waits_begin_with_looks_and_the_processor_is_given_away)
{
	struct cost cost;

	if (!has_two_processors() || !trace_echoes(spinning, &cost))
		return;

	ck_assert_int_gt(cost.yields, 0);
	ck_assert_int_ge(cost.looks, cost.yields);
}
END_TEST

static int
n_calls(void)
{
	const struct cost cost = read_trace();

	return cost.waits + cost.yields + cost.receives + cost.sends +
	    cost.others;
}

/* A client stays connected and says nothing. What time is, another server's
 * work tells. */
START_TEST(an_idle_server_makes_no_system_call)
{
	const char *const clock_arguments[] = { "stream:clock", NULL };
	struct service service, clock;
	struct trace trace;
	int fd, clock_fd, before = -1, after = 0;

	service_start(&clock, clock_arguments);
	service_start(&service, useful);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	clock_fd = client_connect(UXS_STREAM, harness_path("clock"));
	echo_often(fd, N_ECHOES);
	if (trace_start(&trace, service.pid)) {
		echo_often(fd, 1);
		for (int i = 0; i < 50 && after != before; i++) {
			before = after;
			echo_often(clock_fd, 1000);
			after = n_calls();
		}
		trace_stop(&trace);
		ck_assert_int_gt(after, 0);
		ck_assert_int_eq(after, before);
	}
	close(fd);
	close(clock_fd);
	service_stop_clean(&service);
	service_stop_clean(&clock);
}
END_TEST

static cpu_set_t all;

static void
allow_one(void)
{
	cpu_set_t one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void
allow_all(void)
{
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}

START_TEST(on_one_processor_no_wait_is_spun)
{
	struct cost cost;
	bool is_told;

	allow_one(); /* inherited by the server */
	is_told = trace_echoes(spinning, &cost);
	allow_all();
	if (!is_told)
		return;

	ck_assert_int_eq(cost.yields, 0);
	ck_assert_int_eq(cost.looks, 0);
}
END_TEST

START_TEST(on_one_processor_the_log_says_so)
{
	struct service service;

	allow_one();
	service_start(&service, spinning);
	allow_all();

	service_logs(&service, "one processor is allowed");
	service_stop_clean(&service);
}
END_TEST

START_TEST(the_plan_tells_how_long)
{
	const char *const argv[] = { "uxecho", "--check", "--spin", "200us",
		"stream:s", NULL };
	struct output_of result;

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out, "\nspin: 200us\n"));
}
END_TEST

START_TEST(the_figures_tell_what_was_spun)
{
	struct service service;
	int fd;

	if (!has_two_processors())
		return;
	service_start(&service, useful);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	echo_often(fd, 1);
	await_sleep(service.pid);

	service_counts(&service, "spinning: ");
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* SIGTERM in the middle of a spin of a second. */
START_TEST(a_server_that_spins_stops_when_told)
{
	struct service service;
	int fd;

	service_start(&service, stubborn);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	echo_often(fd, N_ECHOES);

	service_stop_clean(&service);

	client_hears_end(fd);
	close(fd);
}
END_TEST

Suite *
suite_uxecho_spin(void)
{
	Suite *suite = suite_create("uxecho_spin");
	TCase *calls = harness_case(suite, "calls");
	TCase *words = harness_case(suite, "words");

	tcase_add_test(calls, without_the_option_no_wait_is_spun);
	tcase_add_test(calls,
	    with_it_waits_begin_with_looks_and_the_processor_is_given_away);
	tcase_add_test(calls, an_idle_server_makes_no_system_call);
	tcase_add_test(calls, on_one_processor_no_wait_is_spun);
	tcase_add_test(words, on_one_processor_the_log_says_so);
	tcase_add_test(words, the_plan_tells_how_long);
	tcase_add_test(words, the_figures_tell_what_was_spun);
	tcase_add_test(words, a_server_that_spins_stops_when_told);
	return suite;
}
