/* SPDX-License-Identifier: ISC */
/*
 * What a server can tell of itself beside its counters: who is there, who
 * waits at its sockets, and how long its turns take.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "lib/backlog.h"

static struct uxs_server *server;
static struct uxs_address addresses[UXS_N_TYPES + 1];

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	return uxs_client_reply(client, m->data, m->length);
}

static const struct uxs_service service = { .on_message = on_message };

static void
open_server(bool is_measured)
{
	static const char *const texts[] = { "stream:s", "dgram:d",
		"seqpacket:q" };
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	for (int i = 0; i < UXS_N_TYPES; i++)
		ck_assert_int_eq(uxs_address_parse(texts[i], &addresses[i],
				     NULL),
		    1);
	conf.addresses = addresses;
	conf.n_addresses = UXS_N_TYPES;
	conf.service = &service;
	conf.is_measured = is_measured;
	conf.backlog = 7;
	ck_assert_int_eq(uxs_server_open(&server, &conf, NULL), 0);
}

static void
turn(void)
{
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;
}

static const struct uxs_turn_stats *
turns(void)
{
	static struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return &stats.turns;
}

static uint64_t
count_turns(void)
{
	uint64_t n = 0;

	for (int i = 0; i <= UXS_N_TURN_BOUNDS; i++)
		n += turns()->n[i];
	return n;
}

/* ---- queues ---- */

/* Says so where the kernel does not tell. */
static bool
can_ask(void)
{
	uint32_t waiting, max;
	const int fd = bound_socket(UXS_STREAM, "probe");
	const int diag_fd = backlog_open();
	const int r = backlog_read(diag_fd, fd, &waiting, &max);

	close(fd);
	if (diag_fd >= 0)
		close(diag_fd);
	if (r < 0)
		skip("needs sock_diag(7) with unix_diag");
	return r == 0;
}

START_TEST(queue_is_as_long_as_clients_wait)
{
	struct uxs_queue queues[4];
	int clients[3];

	if (!can_ask())
		return;
	open_server(true);
	for (int i = 0; i < 3; i++)
		clients[i] = client_connect(UXS_SEQPACKET, "q");

	ck_assert_uint_eq(uxs_server_queues(server, queues, 4), 2);
	ck_assert_ptr_eq(queues[0].address, &addresses[0]);
	ck_assert_uint_eq(queues[0].waiting, 0);
	ck_assert_ptr_eq(queues[1].address, &addresses[2]);
	ck_assert_uint_eq(queues[1].waiting, 3);
	ck_assert_uint_eq(queues[1].limit, 7);

	turn();
	ck_assert_uint_eq(uxs_server_queues(server, queues, 4), 2);
	ck_assert_uint_eq(queues[1].waiting, 0);
	ck_assert_uint_eq(uxs_server_queues(server, queues, 1), 1);
	close_all(clients, 3);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_does_not_measure_has_no_queues)
{
	struct uxs_queue queues[4];

	open_server(false);

	ck_assert_uint_eq(uxs_server_queues(server, queues, 4), 0);
	uxs_server_close(&server);
}
END_TEST

START_TEST(what_is_no_socket_of_the_unix_domain_has_no_queue)
{
	uint32_t waiting, max;
	const int diag_fd = backlog_open();

	ck_assert_int_eq(backlog_read(-1, STDIN_FILENO, &waiting, &max),
	    -EBADF);
	if (diag_fd >= 0) {
		ck_assert_int_lt(backlog_read(diag_fd, diag_fd, &waiting, &max),
		    0);
		close(diag_fd);
	}
}
END_TEST

/* ---- users ---- */

START_TEST(users_are_those_with_connections)
{
	struct uxs_account_figures users[2];
	int clients[3];

	open_server(false);
	ck_assert_uint_eq(uxs_server_users(server, users, 2), 0);
	for (int i = 0; i < 3; i++)
		clients[i] = client_connect(UXS_STREAM, "s");
	turn();

	ck_assert_uint_eq(uxs_server_users(server, users, 2), 1);
	ck_assert_uint_eq(users[0].uid, geteuid());
	ck_assert_uint_eq(users[0].n_conns, 3);
	ck_assert_uint_eq(users[0].n_bytes, 0);
	close_all(clients, 3);
	turn();
	ck_assert_uint_eq(uxs_server_users(server, users, 2), 0);
	uxs_server_close(&server);
}
END_TEST

/* ---- turns ---- */

START_TEST(every_turn_is_timed)
{
	const struct uxs_turn_stats *now;

	open_server(true);
	ck_assert_uint_eq(count_turns(), 0);

	for (int i = 0; i < 5; i++)
		uxs_loop_turn(uxs_server_loop(server), 0);

	now = turns();
	ck_assert_uint_eq(count_turns(), 5);
	ck_assert_uint_gt(now->spent_ns, 0);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_does_not_measure_times_no_turn)
{
	open_server(false);

	turn();

	ck_assert_uint_eq(count_turns(), 0);
	ck_assert_uint_eq(turns()->spent_ns, 0);
	uxs_server_close(&server);
}
END_TEST

/* A turn that takes as long as this counts where it belongs. */
static int64_t busy_for_ns;

static void
be_busy(struct uxs_deferred *deferred)
{
	const int64_t until_ns = uxs_loop_read_clock() + busy_for_ns;

	while (uxs_loop_read_clock() < until_ns)
		;
}

START_TEST(turn_counts_at_the_bound_that_it_keeps)
{
	struct uxs_deferred deferred = { .on_turn_end = be_busy };
	struct uxs_turn_stats stats = { .spent_ns = 0 };
	struct uxs_loop loop;
	uint64_t n_longer = 0;

	ck_assert_int_eq(uxs_loop_open(&loop), 0);
	uxs_loop_measure(&loop, &stats);
	busy_for_ns = uxs_turn_bound_ns(_i);
	uxs_loop_defer(&loop, &deferred);
	uxs_loop_turn(&loop, 0);

	for (int i = 0; i <= _i; i++)
		ck_assert_uint_eq(stats.n[i], 0);
	for (int i = _i + 1; i <= UXS_N_TURN_BOUNDS; i++)
		n_longer += stats.n[i];
	ck_assert_uint_eq(n_longer, 1);
	ck_assert_uint_ge(stats.spent_ns, (uint64_t)busy_for_ns);
	uxs_loop_close(&loop);
}
END_TEST

START_TEST(bounds_grow)
{
	ck_assert_int_eq(uxs_turn_bound_ns(0), 10 * UXS_NS_PER_US);
	for (int i = 1; i < UXS_N_TURN_BOUNDS; i++)
		ck_assert_int_gt(uxs_turn_bound_ns(i),
		    uxs_turn_bound_ns(i - 1));
	ck_assert_int_eq(uxs_turn_bound_ns(UXS_N_TURN_BOUNDS - 1),
	    UXS_NS_PER_S);
}
END_TEST

Suite *
suite_server_figures(void)
{
	Suite *suite = suite_create("server figures");
	TCase *queues = harness_case(suite, "queues");
	TCase *users = harness_case(suite, "users");
	TCase *time = harness_case(suite, "turns");

	tcase_add_test(queues, queue_is_as_long_as_clients_wait);
	tcase_add_test(queues, who_does_not_measure_has_no_queues);
	tcase_add_test(queues,
	    what_is_no_socket_of_the_unix_domain_has_no_queue);
	tcase_add_test(users, users_are_those_with_connections);
	tcase_add_test(time, every_turn_is_timed);
	tcase_add_test(time, who_does_not_measure_times_no_turn);
	tcase_add_loop_test(time, turn_counts_at_the_bound_that_it_keeps, 0,
	    UXS_N_TURN_BOUNDS - 1);
	tcase_add_test(time, bounds_grow);
	return suite;
}
