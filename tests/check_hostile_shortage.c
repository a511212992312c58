/* SPDX-License-Identifier: ISC */
/*
 * More clients than there are descriptors for: the service pauses and does not
 * spin, tells those who wait in vain, says little about it, and is back as
 * soon as there is one again.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"

/* All that the service may open; some of it is its own. */
#define LIMIT 32
#define N_CLIENTS 200

#define CONNECTIONS 0, 2
#define TYPE ((enum uxs_type)_i)

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* ---- the language of this file ---- */

static int
dial(enum uxs_type type)
{
	return client_connect(type, harness_path(paths[type]));
}

static void
is_answered(int fd)
{
	SAYS(fd, "still there?");
	HEARS(fd, "still there?");
}

static struct rlimit
limit_descriptors(pid_t pid, rlim_t n)
{
	struct rlimit before, limit;

	ck_assert_int_eq(prlimit(pid, RLIMIT_NOFILE, NULL, &before), 0);
	limit = before;
	limit.rlim_cur = n;
	ck_assert_int_eq(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
	return before;
}

static void
give_back(pid_t pid, const struct rlimit *before)
{
	ck_assert_int_eq(prlimit(pid, RLIMIT_NOFILE, before, NULL), 0);
}

/* Its own limits let everybody in; the descriptors do not. */
static void
start_short(struct service *service)
{
	static const char *const arguments[] = { "stream:s", "seqpacket:q",
		"dgram:d", "-c", "1000", "-C", "1000", NULL };

	service_start(service, arguments);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What it has open while it has no client. It has closed the descriptor that
 * it was to tell when it answers. */
static int
count_own(const struct service *service)
{
	const int fd = dial(UXS_DGRAM);

	is_answered(fd);
	close(fd);
	return count_descriptors_of(service->pid);
}

static void
dial_all(int fds[N_CLIENTS], enum uxs_type type)
{
	for (int i = 0; i < N_CLIENTS; i++)
		fds[i] = dial(type);
}

/* ---- nobody is lost ---- */

/* Each leaves when it has been served, so there is always a next one. */
START_TEST(crowd_is_served_although_it_does_not_fit)
{
	struct service service;
	int fds[N_CLIENTS], before;

	start_short(&service);
	before = count_own(&service);
	limit_descriptors(service.pid, LIMIT);

	dial_all(fds, TYPE);
	for (int i = 0; i < N_CLIENTS; i++) {
		is_answered(fds[i]);
		close(fds[i]);
	}

	service_counts(&service, "200 accepted, 0 refused");
	service_settles(&service, TYPE, harness_path(paths[TYPE]), before);
	service_stop_clean(&service);
}
END_TEST

/* ---- nobody hangs ---- */

/* Is it served (1), or told that it is not (0)? It must be one of them. */
static int
is_in(int fd)
{
	char byte;
	ssize_t n;

	if (send(fd, "?", 1, MSG_NOSIGNAL) < 0)
		return 0;
	n = recv(fd, &byte, 1, 0);
	ck_assert(n >= 0 || errno == ECONNRESET);
	return n == 1;
}

/* Who is in stays in; everybody else hears the end, not nothing. */
START_TEST(who_waits_in_vain_is_told)
{
	struct service service;
	int fds[N_CLIENTS], n_in = 0, before;

	start_short(&service);
	before = count_own(&service);
	limit_descriptors(service.pid, LIMIT);
	dial_all(fds, TYPE);

	for (int i = 0; i < N_CLIENTS; i++)
		n_in += is_in(fds[i]);

	ck_assert_int_ge(n_in, 1);
	ck_assert_int_lt(n_in, LIMIT);
	is_answered(fds[0]);
	close_all(fds, N_CLIENTS);
	service_settles(&service, TYPE, harness_path(paths[TYPE]), before);
	service_counts(&service, "refused (descriptors ");
	service_stop_clean(&service);
}
END_TEST

/* Of uid 1500, whose return address has to be looked at. */
static void
ask_once(void *arg)
{
	const int fd = dial(UXS_DGRAM);

	SAYS(fd, "?");
	close(fd);
}

static void
be_answered(void *arg)
{
	const int fd = dial(UXS_DGRAM);

	is_answered(fd);
	close(fd);
}

START_TEST(datagrams_without_a_descriptor_are_dropped_and_counted)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	struct service service;
	struct rlimit before;
	int own;

	SKIP_UNLESS_ROOT();
	service_start(&service, arguments);
	own = dial(UXS_DGRAM);
	is_answered(own);
	ck_assert_int_eq(chmod(".", 0777), 0);
	before = limit_descriptors(service.pid, 4);

	as_user(OTHER_UID, OTHER_GID, ask_once, NULL);

	is_answered(own); /* root's path needs no look, and no descriptor */
	service_counts(&service, "1 dropped (descriptors 1)");
	give_back(service.pid, &before);
	as_user(OTHER_UID, OTHER_GID, be_answered, NULL);
	close(own);
	service_stop_clean(&service);
}
END_TEST

/* ---- little is said ---- */

static int
count_lines(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* In a bit over a second there are 20 tries. */
START_TEST(log_has_at_most_one_line_a_second)
{
	struct service service;
	char log[OUTPUT_MAX] = "";
	int fds[N_CLIENTS], n;
	int64_t started, passed_ms;

	start_short(&service);
	limit_descriptors(service.pid, LIMIT);
	started = now_ms();
	dial_all(fds, UXS_STREAM);
	client_hears_end(fds[N_CLIENTS - 1]);
	close_all(fds, N_CLIENTS);
	ck_assert_int_eq(kill(service.pid, SIGINT), 0);
	passed_ms = now_ms() - started;

	for (size_t used = 0; used < sizeof(log) - 1; used += (size_t)n) {
		n = (int)read(service.stderr_fd, log + used,
		    sizeof(log) - 1 - used);
		if (n <= 0)
			break;
	}

	n = count_lines(log, "accepting is paused");
	ck_assert_int_ge(n, 1);
	ck_assert_int_le(n, 2 + passed_ms / 1000);
	service_stop_clean(&service);
}
END_TEST

/* ---- it comes back ---- */

/* Nobody leaves: only the next try can find out. */
START_TEST(service_is_back_within_100_ms)
{
	struct service service;
	struct rlimit before;
	int in, waiting;
	struct pollfd answered = { .events = POLLIN };

	start_short(&service);
	in = dial(TYPE);
	is_answered(in);
	before = limit_descriptors(service.pid, 1);
	waiting = dial(TYPE);
	SAYS(waiting, "now?");
	is_answered(in);
	is_answered(in); /* it has tried to accept in between */

	give_back(service.pid, &before);

	answered.fd = waiting;
	ck_assert_int_eq(poll(&answered, 1, 100), 1);
	HEARS(waiting, "now?");
	close(in);
	close(waiting);
	service_stop_clean(&service);
}
END_TEST

/* ---- it does not spin ---- */

/* A pause of 50 ms is a wait, an accept and what goes with it; a spin would be
 * tens of thousands a second. The clients keep coming back. */
#define CALLS_PER_TRY 20
#define TRIES_PER_S 25

START_TEST(exhausted_service_hardly_does_anything)
{
	struct service service;
	struct trace trace;
	int fds[N_CLIENTS];
	int64_t started;

	start_short(&service);
	limit_descriptors(service.pid, LIMIT);
	dial_all(fds, UXS_STREAM);
	is_answered(fds[0]);
	if (trace_start(&trace, service.pid)) {
		struct cost cost;
		int64_t passed_ms;

		started = now_ms();
		client_hears_end(fds[N_CLIENTS - 1]); /* after a second */
		passed_ms = now_ms() - started + 100;
		trace_stop(&trace);

		cost = read_trace();
		/* What each refusal costs comes on top. */
		ck_assert_int_le(cost.waits + cost.receives + cost.sends +
			cost.others,
		    CALLS_PER_TRY * TRIES_PER_S * passed_ms / 1000 +
			CALLS_PER_TRY * N_CLIENTS);
	}
	close_all(fds, N_CLIENTS);
	service_stop_clean(&service);
}
END_TEST

Suite *
suite_hostile_shortage(void)
{
	Suite *suite = suite_create("hostile shortage");
	TCase *crowd = harness_case(suite, "crowd");
	TCase *cost = harness_case(suite, "cost");

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)
	LOOP(crowd, crowd_is_served_although_it_does_not_fit, CONNECTIONS);
	LOOP(crowd, who_waits_in_vain_is_told, CONNECTIONS);
	tcase_add_test(crowd,
	    datagrams_without_a_descriptor_are_dropped_and_counted);
	LOOP(crowd, service_is_back_within_100_ms, CONNECTIONS);
	tcase_add_test(cost, log_has_at_most_one_line_a_second);
	tcase_add_test(cost, exhausted_service_hardly_does_anything);
	return suite;
}
