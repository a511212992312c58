/* SPDX-License-Identifier: ISC */
/*
 * The loop inside of another one: its descriptor polls readable when there is
 * something to do, and not otherwise.
 */
#include <uxsrv/loop.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/notify.h>
#include <uxsrv/server.h>
#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"

static struct uxs_loop loop; /* open in every test */
static int n_calls; /* of any callback */

/* Long enough for a busy machine, short enough to end a hang. */
#define PATIENCE_MS 20000

static void
open_loop(void)
{
	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	n_calls = 0;
}

static void
close_loop(void)
{
	uxs_loop_close(&loop);
}

/* Is it readable within so many milliseconds? */
static bool
polls_within(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static bool
is_readable(void)
{
	return polls_within(uxs_loop_fd(&loop), 0);
}

static void
await_and_turn(void)
{
	ck_assert(polls_within(uxs_loop_fd(&loop), PATIENCE_MS));
	ck_assert_int_ge(uxs_loop_turn(&loop, 0), 0);
}

static void
count_expiry(struct uxs_timer *timer)
{
	n_calls++;
}

static void
count_turn_end(struct uxs_deferred *deferred)
{
	n_calls++;
}

static int64_t
in_ns(int64_t ns)
{
	return uxs_loop_read_clock() + ns;
}

#define LONG_NS (3600 * UXS_NS_PER_S)

START_TEST(nothing_to_do_is_not_readable)
{
	struct uxs_timer later = { .on_expiry = count_expiry };

	uxs_timer_start(&loop, &later, in_ns(LONG_NS));

	ck_assert(!is_readable());
	uxs_loop_turn(&loop, 0);
	ck_assert(!is_readable());
}
END_TEST

START_TEST(the_same_descriptor_each_time)
{
	const int fd = uxs_loop_fd(&loop);

	const int n = count_descriptors();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uxs_loop_fd(&loop), fd);
	ck_assert_int_eq(count_descriptors(), n);
}
END_TEST

static void
take_event(struct uxs_watch *watch, uint32_t events)
{
	uint64_t n;

	ck_assert_int_eq(read(watch->fd, &n, sizeof(n)), sizeof(n));
	n_calls++;
}

START_TEST(a_ready_watch_is_readable_until_it_was_called)
{
	struct uxs_watch watch = { .on_ready = take_event };

	watch.fd = eventfd(1, EFD_CLOEXEC);
	ck_assert_int_eq(uxs_watch_start(&loop, &watch, EPOLLIN), 0);
	ck_assert(is_readable());
	uxs_loop_turn(&loop, 0);

	ck_assert_int_eq(n_calls, 1);
	ck_assert(!is_readable());
	uxs_watch_stop(&loop, &watch);
	close(watch.fd);
}
END_TEST

/* One that runs when the descriptor is asked for, and one that is started
 * when somebody waits for it already. */
START_TEST(a_timer_makes_it_readable_once)
{
	const bool is_asked_before = _i == 1;
	struct uxs_timer timer = { .on_expiry = count_expiry };

	if (is_asked_before)
		uxs_loop_fd(&loop);
	uxs_timer_start(&loop, &timer, in_ns(UXS_NS_PER_MS));
	await_and_turn();

	ck_assert_int_eq(n_calls, 1);
	ck_assert(!is_readable());
}
END_TEST

START_TEST(an_earlier_timer_moves_the_alarm)
{
	struct uxs_timer later = { .on_expiry = count_expiry };
	struct uxs_timer sooner = { .on_expiry = count_expiry };

	uxs_timer_start(&loop, &later, in_ns(LONG_NS));
	uxs_loop_fd(&loop);
	uxs_timer_start(&loop, &sooner, in_ns(UXS_NS_PER_MS));
	await_and_turn();

	ck_assert_int_eq(n_calls, 1);
	ck_assert(!is_readable());
	ck_assert(uxs_timer_is_started(&later));
}
END_TEST

static void
start_again(struct uxs_timer *timer)
{
	if (++n_calls < 3)
		uxs_timer_start(&loop, timer, in_ns(UXS_NS_PER_US));
}

START_TEST(a_timer_started_in_a_turn_comes_too)
{
	struct uxs_timer timer = { .on_expiry = start_again };

	uxs_timer_start(&loop, &timer, in_ns(UXS_NS_PER_US));
	while (n_calls < 3)
		await_and_turn();

	ck_assert(!is_readable());
}
END_TEST

START_TEST(a_stopped_timer_wakes_nobody_twice)
{
	struct uxs_timer timer = { .on_expiry = count_expiry };

	uxs_loop_fd(&loop);
	uxs_timer_start(&loop, &timer, in_ns(UXS_NS_PER_MS));
	uxs_timer_stop(&loop, &timer);
	polls_within(uxs_loop_fd(&loop), 2);
	uxs_loop_turn(&loop, 0);

	ck_assert_int_eq(n_calls, 0);
	ck_assert(!is_readable());
}
END_TEST

START_TEST(what_was_deferred_outside_of_a_turn_is_called)
{
	struct uxs_deferred deferred = { .on_turn_end = count_turn_end };

	uxs_loop_fd(&loop);
	uxs_loop_defer(&loop, &deferred);
	await_and_turn();

	ck_assert_int_eq(n_calls, 1);
	ck_assert(!is_readable());
}
END_TEST

START_TEST(a_stop_makes_it_readable)
{
	ck_assert(!is_readable());
	uxs_loop_stop(&loop);

	ck_assert(is_readable());
	ck_assert(uxs_loop_is_stopped(&loop));
}
END_TEST

/* Or a timer would count from a turn that may be long ago. */
START_TEST(outside_of_a_turn_the_clock_goes_on)
{
	const int64_t before = uxs_loop_now_ns(&loop);

	while (uxs_loop_read_clock() == before)
		;

	ck_assert_int_gt(uxs_loop_now_ns(&loop), before);
}
END_TEST

/* ---- a server in there ---- */

static int
answer(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static const struct uxs_service echo = { .on_message = answer };
static struct uxs_address pair[UXS_ADDRESS_MAX];

static struct uxs_notify *manager; /* NULL: none */

static struct uxs_server *
open_server(int64_t drain_ns)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_server *server;
	struct uxs_error why;

	conf.addresses = pair;
	conf.n_addresses = (size_t)uxs_address_parse("s", pair, &why);
	conf.service = &echo;
	conf.drain_ns = drain_ns;
	conf.notify = manager;
	ck_assert_int_eq(uxs_server_open(&server, &conf, &why), 0);
	ck_assert_int_ge(uxs_server_fd(server), 0);
	return server;
}

/* Turns, each after a wait, until it says that it is done. */
static void
serve_to_the_end(struct uxs_server *server)
{
	int r;

	do {
		ck_assert(polls_within(uxs_server_fd(server), PATIENCE_MS));
		r = uxs_server_turn(server);
		ck_assert_int_ge(r, 0);
	} while (r == UXS_TURN_SERVING);
	ck_assert_int_eq(r, UXS_TURN_DONE);
}

static void
talk(void *arg)
{
	int stream = client_connect(UXS_STREAM, "s");
	int dgram = client_connect(UXS_DGRAM, "s.dgram");

	SAYS(stream, "one");
	HEARS(stream, "one");
	SAYS(dgram, "two");
	HEARS(dgram, "two");
	client_ends(stream);
	client_hears_end(stream);
}

static struct uxs_stats_of_type
stats_of(const struct uxs_server *server, enum uxs_type type)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now.of[type];
}

START_TEST(a_server_answers_and_waits_again)
{
	struct uxs_server *server = open_server(0);
	pid_t clients = start_child(talk, NULL);

	while (stats_of(server, UXS_DGRAM).sent_messages == 0 ||
	    stats_of(server, UXS_STREAM).connections != 0) {
		ck_assert(polls_within(uxs_server_fd(server), PATIENCE_MS));
		ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);
	}

	ck_assert_int_eq(wait_child(clients), 0);
	ck_assert(!polls_within(uxs_server_fd(server), 0));
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_server_drained_from_outside_is_done)
{
	struct uxs_server *server = open_server(LONG_NS);

	ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);
	uxs_server_drain(server);
	serve_to_the_end(server);

	uxs_server_close(&server);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* It says nothing and does not go: the drain time, and that alone, ends it. */
START_TEST(a_drain_that_takes_too_long_is_over_in_time)
{
	struct uxs_server *server = open_server(UXS_NS_PER_MS);
	int idle = client_connect(UXS_STREAM, "s");

	while (stats_of(server, UXS_STREAM).connections == 0)
		ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);
	uxs_server_drain(server);
	serve_to_the_end(server);

	ck_assert_uint_eq(stats_of(server, UXS_STREAM).connections, 0);
	uxs_server_close(&server);
	close(idle);
}
END_TEST

START_TEST(a_server_stopped_from_outside_is_done)
{
	struct uxs_server *server = open_server(LONG_NS);

	uxs_server_stop(server);
	serve_to_the_end(server);

	ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_DONE);
	uxs_server_close(&server);
}
END_TEST

/* Asking again for the descriptor is no second start. */
START_TEST(the_service_manager_is_told_once)
{
	const int fd = bound_socket(UXS_DGRAM, "manager");
	struct uxs_notify notify = UXS_NOTIFY_CLOSED;
	struct uxs_server *server;
	char text[64] = "";

	setenv("NOTIFY_SOCKET", harness_path("manager"), 1);
	ck_assert_int_eq(uxs_notify_open(&notify, NULL), 0);
	manager = &notify;
	server = open_server(LONG_NS);
	uxs_server_fd(server);

	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(strncmp(text, "READY=1\n", 8), 0);
	ck_assert_int_lt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	uxs_server_close(&server);
	uxs_notify_close(&notify);
	close(fd);
}
END_TEST

Suite *
suite_foreign_loop(void)
{
	Suite *suite = suite_create("foreign_loop");
	TCase *alone = harness_case(suite, "loop");
	TCase *server = harness_case(suite, "server");

	tcase_add_checked_fixture(alone, open_loop, close_loop);
	tcase_add_test(alone, nothing_to_do_is_not_readable);
	tcase_add_test(alone, the_same_descriptor_each_time);
	tcase_add_test(alone, a_ready_watch_is_readable_until_it_was_called);
	tcase_add_loop_test(alone, a_timer_makes_it_readable_once, 0, 2);
	tcase_add_test(alone, an_earlier_timer_moves_the_alarm);
	tcase_add_test(alone, a_timer_started_in_a_turn_comes_too);
	tcase_add_test(alone, a_stopped_timer_wakes_nobody_twice);
	tcase_add_test(alone, what_was_deferred_outside_of_a_turn_is_called);
	tcase_add_test(alone, a_stop_makes_it_readable);
	tcase_add_test(alone, outside_of_a_turn_the_clock_goes_on);

	tcase_add_test(server, a_server_answers_and_waits_again);
	tcase_add_test(server, a_server_drained_from_outside_is_done);
	tcase_add_test(server, a_drain_that_takes_too_long_is_over_in_time);
	tcase_add_test(server, a_server_stopped_from_outside_is_done);
	tcase_add_test(server, the_service_manager_is_told_once);
	return suite;
}
