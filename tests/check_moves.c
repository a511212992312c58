/* SPDX-License-Identifier: ISC */
/*
 * Connections that go from one loop to another, all the time: nobody may lose
 * by it. The server runs in this process, and a timer of its first loop does
 * what the crew would do now and then; its clients are a child.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "lib/crew_width.h"
#include "lib/server_parts.h"

#define THREADS 3
#define CLIENTS 24
#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct uxs_address addresses[UXS_ADDRESS_MAX]; /* the first is used */
static struct uxs_server *server;

/* ---- the service ---- */

/* Each client's is plain memory: two threads that had it at once would be
 * seen by the thread sanitizer, and by wrong numbers. */
struct visitor {
	uint32_t n_messages;
};

static struct {
	int n_open, n_end;
} seen;

static int
welcome(struct uxs_client *client, void *arg)
{
	__atomic_add_fetch(&seen.n_open, 1, __ATOMIC_RELAXED);
	client->state = calloc(1, sizeof(struct visitor));
	return client->state == NULL ? -ENOMEM : 0;
}

static uint64_t
n_moves(void)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now.moves;
}

/* "?" is answered with the moves so far, "n" with the messages so far, and all
 * else with itself. */
static int
serve_client(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	struct visitor *visitor = client->state;
	const uint64_t moves = n_moves();

	visitor->n_messages++;
	if (m->length == 1 && memcmp(m->data, "?", 1) == 0)
		return uxs_client_reply(client, &moves, sizeof(moves));
	if (m->length == 1 && memcmp(m->data, "n", 1) == 0)
		return uxs_client_reply(client, &visitor->n_messages,
		    sizeof(visitor->n_messages));
	return uxs_client_reply(client, m->data, m->length);
}

static void
part(struct uxs_client *client, void *arg)
{
	__atomic_add_fetch(&seen.n_end, 1, __ATOMIC_RELAXED);
	free(client->state);
}

static const struct uxs_service service = {
	.on_open = welcome,
	.on_message = serve_client,
	.on_end = part,
	.is_concurrent = true,
};

/* ---- the mover ---- */

static struct mover {
	struct uxs_timer timer;
	int n_rounds;
	void (*each_round)(void); /* behind the moves of each; NULL: nothing */
} mover;

/* Half of everybody's to the next, and every third time all of them. */
static void
move_around(void)
{
	struct crew *crew = &server->crew;

	for (size_t i = 0; i < crew->n; i++) {
		const struct worker_move move = {
			.to = &crew->workers[(i + 1) % crew->n],
			.is_half = mover.n_rounds % 3 != 0,
		};

		worker_move(&crew->workers[i], &move);
	}
}

static void
on_round(struct uxs_timer *timer)
{
	struct uxs_loop *loop = uxs_server_loop(server);

	mover.n_rounds++;
	move_around();
	if (mover.each_round != NULL)
		mover.each_round();
	uxs_timer_start(loop, timer, uxs_loop_now_ns(loop) + UXS_NS_PER_MS / 5);
}

/* ---- the language of this file ---- */

static struct uxs_server_conf
conf_at(const char *at)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	ck_assert_int_eq(uxs_address_parse(at, addresses, NULL), 1);
	conf.addresses = addresses;
	conf.n_addresses = 1;
	conf.service = &service;
	conf.n_threads = THREADS;
	conf.handle_signals = true;
	return conf;
}

static void
open_and_move(const struct uxs_server_conf *conf)
{
	struct uxs_error why = { .text = "" };

	if (uxs_server_open(&server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
	ck_assert_int_eq(uxs_server_start(server, NULL), 0);
	mover.timer.on_expiry = on_round;
	uxs_timer_start(uxs_server_loop(server), &mover.timer, 1);
}

/* Serve while a child does what clients do and ends that; nobody is lost. */
static void
serve(void (*clients)(void *))
{
	const pid_t pid = start_child(clients, NULL);
	struct uxs_stats now;

	ck_assert_int_eq(uxs_server_run(server), 0);
	ck_assert_int_eq(wait_child(pid), 0);
	uxs_server_stats(server, &now);
	ck_assert_uint_eq(now.of[addresses[0].type].connections, 0);
	ck_assert_uint_eq(now.of[addresses[0].type].accepted,
	    (uint64_t)seen.n_open);
	ck_assert_int_eq(seen.n_end, seen.n_open);
}

static int
dial(void)
{
	return client_connect(addresses[0].type, "s");
}

static void
dial_all(int fds[CLIENTS])
{
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
}

static uint64_t
ask_moves(int fd)
{
	uint64_t n;

	SAYS(fd, "?");
	ck_assert_int_eq(recv(fd, &n, sizeof(n), MSG_WAITALL), sizeof(n));
	return n;
}

/* ---- messages ---- */

/* A round of each: sent by all before any answer is read, so that some are
 * under way wherever the session is. */
static void
exchange(const int fds[CLIENTS], unsigned round)
{
	static const size_t lengths[] = { 1, 64, 3000, 30000 };
	const size_t length = lengths[round % N_OF(lengths)];
	char data[30000];

	for (int i = 0; i < CLIENTS; i++) {
		fill_random(data, length, round * CLIENTS + (unsigned)i);
		data[0] = 'x';
		client_says(fds[i], data, length);
	}
	for (int i = 0; i < CLIENTS; i++) {
		fill_random(data, length, round * CLIENTS + (unsigned)i);
		data[0] = 'x';
		client_hears(fds[i], data, length);
	}
}

static void
talk_until_moved_often(void *arg)
{
	unsigned n = 0;
	uint32_t n_heard;
	int fds[CLIENTS];

	dial_all(fds);
	do
		exchange(fds, n++);
	while (n < 100 || ask_moves(fds[0]) < 1000);
	if (addresses[0].type == UXS_SEQPACKET) { /* a message is a message */
		SAYS(fds[1], "n");
		client_hears(fds[1], &(uint32_t){ n + 1 }, sizeof(n_heard));
	}
	kill(getppid(), SIGTERM);
	for (int i = 0; i < CLIENTS; i++)
		client_hears_end(fds[i]);
	close_all(fds, CLIENTS);
}

static const char *const ats[] = { "stream:s", "seqpacket:s" };

START_TEST(messages_are_answered_wherever_their_session_goes)
{
	const struct uxs_server_conf conf = conf_at(ats[_i]);

	open_and_move(&conf);

	serve(talk_until_moved_often);

	ck_assert_int_eq(seen.n_open, CLIENTS);
	uxs_server_close(&server);
}
END_TEST

/* ---- the end, while they move ---- */

#define LAST_ROUND 40

/* Ask and hear until the end, which may come as an error where the server has
 * not read all; never as silence. */
static void
talk_until_the_end(void *arg)
{
	int fds[CLIENTS], n_open = CLIENTS;
	char byte;

	dial_all(fds);
	while (n_open > 0) {
		for (int i = 0; i < CLIENTS; i++) {
			if (fds[i] < 0)
				continue;
			send(fds[i], "x", 1, MSG_NOSIGNAL);
			errno = 0;
			if (recv(fds[i], &byte, 1, 0) == 1)
				continue;
			ck_assert_int_ne(errno, EAGAIN);
			close(fds[i]);
			fds[i] = -1;
			n_open--;
		}
	}
	kill(getppid(), SIGTERM);
}

static void
allow_nobody(void)
{
	static struct uxs_access nobody = UXS_ACCESS_EMPTY(0);

	if (mover.n_rounds != LAST_ROUND)
		return;
	ck_assert_int_eq(uxs_access_add(&nobody, UXS_DENY, "any",
			     &uxs_names_system, NULL),
	    0);
	ck_assert_int_eq(uxs_server_set_access(server, &nobody, NULL), 0);
}

static void
drain(void)
{
	if (mover.n_rounds == LAST_ROUND)
		uxs_server_drain(server);
}

static void
stop(void)
{
	if (mover.n_rounds == LAST_ROUND)
		uxs_server_stop(server);
}

static void (*const ends[])(void) = { allow_nobody, drain, stop };
static const enum uxs_close reasons[] = { UXS_CLOSE_RULES, UXS_CLOSE_EOF,
	UXS_CLOSE_DRAIN };

START_TEST(nobody_misses_the_end_on_his_way)
{
	const struct uxs_server_conf conf = conf_at(ats[_i % 2]);
	const int which = _i / 2 % N_OF(ends);
	struct uxs_stats now;

	mover.each_round = ends[which];
	signal(SIGTERM, SIG_IGN); /* it may come late */
	open_and_move(&conf);

	serve(talk_until_the_end);

	uxs_server_stats(server, &now);
	ck_assert_uint_eq(now.closed[reasons[which]], (uint64_t)seen.n_open);
	ck_assert_uint_gt(now.moves, 0);
	uxs_server_close(&server);
}
END_TEST

/* ---- who goes, and what goes along: loops that are turned by hand ---- */

static struct worker *
loop_of(int i)
{
	return &server->crew.workers[i];
}

static int
n_at(int i)
{
	const struct session *session;
	int n = 0;

	LIST_FOREACH (session, &loop_of(i)->sessions.sessions, next)
		n++;
	return n;
}

static struct session *
first_at(int i)
{
	return LIST_FIRST(&loop_of(i)->sessions.sessions);
}

static void
turn(int i)
{
	ck_assert_int_ge(uxs_loop_turn(&loop_of(i)->loop, 0), 0);
}

static void
turn_until_still(int i)
{
	while (uxs_loop_turn(&loop_of(i)->loop, 0) > 0)
		;
}

static void
open_by_hand(const struct uxs_server_conf *conf)
{
	struct uxs_error why = { .text = "" };

	if (uxs_server_open(&server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(worker_listen(loop_of(i)), 0);
}

static int
dial_by_hand(void)
{
	const int fd = dial();

	turn_until_still(0);
	return fd;
}

static void
move_by_hand(int from, int to, bool is_half)
{
	const struct worker_move move = { loop_of(to), is_half };

	worker_move(loop_of(from), &move);
	turn_until_still(to);
}

START_TEST(all_go_or_half_of_them)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[CLIENTS];

	open_by_hand(&conf);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial_by_hand();
	ck_assert_int_eq(n_at(0), CLIENTS);

	move_by_hand(0, 1, true);
	ck_assert_int_eq(n_at(0), CLIENTS / 2);
	ck_assert_int_eq(n_at(1), CLIENTS / 2);
	ck_assert_uint_eq(worker_load(loop_of(0)), CLIENTS / 2);
	ck_assert_uint_eq(worker_load(loop_of(1)), CLIENTS / 2);

	move_by_hand(0, 2, false);
	ck_assert_int_eq(n_at(0), 0);
	ck_assert_int_eq(n_at(2), CLIENTS / 2);
	ck_assert_uint_eq(n_moves(), CLIENTS);
	ck_assert(!crew_is_idle(&server->crew));

	close_all(fds, CLIENTS);
	for (int i = 0; i < THREADS; i++)
		turn_until_still(i);
	ck_assert(crew_is_idle(&server->crew));
	for (int i = 0; i < THREADS; i++)
		ck_assert_uint_eq(worker_load(loop_of(i)), 0);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_is_on_his_way_is_not_gone)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fd;

	open_by_hand(&conf);
	fd = dial_by_hand();

	worker_move(loop_of(0), &(struct worker_move){ loop_of(1), false });

	ck_assert_int_eq(n_at(0) + n_at(1), 0);
	ck_assert_uint_eq(worker_load(loop_of(0)), 0);
	ck_assert_uint_eq(worker_load(loop_of(1)), 1);
	ck_assert(!crew_is_idle(&server->crew));
	uxs_server_close(&server); /* which ends him there */
	client_hears_end(fd);
	close(fd);
}
END_TEST

START_TEST(who_was_silent_for_a_second_stays)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[2];

	open_by_hand(&conf);
	fds[0] = dial_by_hand();
	fds[1] = dial_by_hand();
	first_at(0)->active_ns -= UXS_NS_PER_S;

	move_by_hand(0, 1, false);

	ck_assert_int_eq(n_at(0), 1);
	ck_assert_int_eq(n_at(1), 1);
	close_all(fds, 2);
	uxs_server_close(&server);
}
END_TEST

/* What waits in the sockets is none of the loop's: it is told again. */
START_TEST(what_was_not_received_is_received_there)
{
	const struct uxs_server_conf conf = conf_at(ats[_i]);
	int fd;

	open_by_hand(&conf);
	fd = dial_by_hand();
	SAYS(fd, "hello");
	client_ends(fd);

	move_by_hand(0, 1, false);

	HEARS(fd, "hello");
	client_hears_end(fd);
	ck_assert_int_eq(n_at(1), 0);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(half_a_message_goes_along)
{
	struct uxs_server_conf conf = conf_at("stream:s");
	int fd;

	conf.framing = UXS_FRAMING_LINE;
	open_by_hand(&conf);
	fd = dial_by_hand();
	SAYS(fd, "begun here, ");
	turn(0);

	move_by_hand(0, 1, false);
	SAYS(fd, "ended there\n");
	turn_until_still(1);

	HEARS(fd, "begun here, ended there\n");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_does_not_read_stays_until_he_has_read)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	char data[4096] = "";
	size_t n = 0;
	int fd;

	open_by_hand(&conf);
	fd = dial_by_hand();
	while (output_bytes(&first_at(0)->output) == 0) {
		ck_assert_int_gt(send(fd, data, sizeof(data), 0), 0);
		n += sizeof(data);
		turn(0);
	}

	move_by_hand(0, 1, false);
	ck_assert_int_eq(n_at(0), 1);

	while (n > 0) {
		const ssize_t r = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		n -= r > 0 ? (size_t)r : 0;
		turn(0);
	}
	move_by_hand(0, 1, false);
	ck_assert_int_eq(n_at(1), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(his_time_goes_on)
{
	struct uxs_server_conf conf = conf_at("stream:s");
	struct uxs_stats now;
	int64_t began_ns;
	int fd;

	conf.idle_timeout_ns = 20 * UXS_NS_PER_MS;
	open_by_hand(&conf);
	fd = dial_by_hand();
	began_ns = first_at(0)->active_ns;
	move_by_hand(0, 1, false);

	while (n_at(1) > 0)
		uxs_loop_turn(&loop_of(1)->loop, -1);

	ck_assert_int_ge(uxs_loop_now_ns(&loop_of(1)->loop) - began_ns,
	    conf.idle_timeout_ns);
	uxs_server_stats(server, &now);
	ck_assert_uint_eq(now.closed[UXS_CLOSE_IDLE], 1);
	client_hears_end(fd);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_drains_keeps_all)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[2];

	open_by_hand(&conf);
	fds[0] = dial_by_hand();
	fds[1] = dial_by_hand();
	move_by_hand(0, 1, true);

	worker_drain(loop_of(0));
	move_by_hand(0, 1, false);
	ck_assert_int_eq(n_at(0), 1);

	move_by_hand(1, 0, false); /* drained on arrival */
	turn_until_still(0);
	ck_assert_int_eq(n_at(0) + n_at(1), 0);
	client_hears_end(fds[0]);
	client_hears_end(fds[1]);
	close_all(fds, 2);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_cannot_be_watched_there_is_closed_and_counted)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	struct uxs_stats now;
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd, kept;

	open_by_hand(&conf);
	fd = dial_by_hand();
	worker_move(loop_of(0), &(struct worker_move){ loop_of(1), false });
	/* epoll(7) takes no plain file: as where the kernel has no memory. */
	kept = dup(loop_of(1)->loop.epoll_fd);
	dup2(nothing, loop_of(1)->loop.epoll_fd);

	worker_judge(loop_of(1), (const struct uxs_access *const[]){ NULL });

	dup2(kept, loop_of(1)->loop.epoll_fd);
	uxs_server_stats(server, &now);
	ck_assert_uint_eq(now.closed[UXS_CLOSE_ERROR], 1);
	ck_assert_uint_eq(now.of[UXS_STREAM].connections, 0);
	ck_assert(crew_is_idle(&server->crew));
	client_hears_end(fd);
	close(kept);
	close(nothing);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* ---- how many loops are in use, window by window ---- */

/* The next is over now: loop i has got n[i] thousand messages a second in it,
 * and was busy for a part of it. */
static void
window_passes(const int n[THREADS])
{
	struct crew *crew = &server->crew;
	struct worker *first = loop_of(0);

	for (int i = 0; i < THREADS; i++) {
		struct uxs_stats *stats = &loop_of(i)->stats;

		stats->of[UXS_STREAM].received_messages += (uint64_t)n[i] *
		    (WIDTH_WINDOW_NS / 1000000);
		stats->turns.spent_ns += n[i] > 0 ? WIDTH_WINDOW_NS / 2 : 0;
	}
	crew->window_ns = uxs_loop_read_clock() - WIDTH_WINDOW_NS;
	uxs_timer_start_lazily(&first->loop, &crew->window, 1);
	turn(0);
	for (int i = 0; i < THREADS; i++)
		turn_until_still(i);
}

static size_t
n_in_use(void)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now.loops;
}

static void
open_wide(const struct uxs_server_conf *conf, int fds[CLIENTS])
{
	open_by_hand(conf);
	ck_assert_uint_eq(n_in_use(), 1); /* others have not started */
	crew_width_start(&server->crew);
	ck_assert_uint_eq(n_in_use(), THREADS);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial_by_hand();
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(n_at(i), CLIENTS / THREADS);
}

static void
close_wide(int fds[CLIENTS])
{
	close_all(fds, CLIENTS);
	uxs_server_close(&server);
}

START_TEST(fewer_loops_are_in_use_where_that_does)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[CLIENTS], newcomer;

	open_wide(&conf, fds);
	window_passes((int[]){ 10, 10, 10 });
	ck_assert_uint_eq(n_in_use(), THREADS);

	window_passes((int[]){ 10, 10, 10 });
	ck_assert_uint_eq(n_in_use(), 2);
	ck_assert_int_eq(n_at(0), 2 * CLIENTS / THREADS);
	ck_assert_int_eq(n_at(2), 0);

	window_passes((int[]){ 20, 10, 0 });
	window_passes((int[]){ 20, 10, 0 }); /* as many: kept */
	window_passes((int[]){ 20, 10, 0 });
	ck_assert_uint_eq(n_in_use(), 1);
	ck_assert_int_eq(n_at(0), CLIENTS);
	window_passes((int[]){ 30, 0, 0 });
	window_passes((int[]){ 30, 0, 0 });
	ck_assert_uint_eq(n_in_use(), 1);

	newcomer = dial_by_hand();
	ck_assert_int_eq(n_at(0), CLIENTS + 1);
	close(newcomer);
	close_wide(fds);
}
END_TEST

START_TEST(all_are_in_use_again_where_fewer_do_not)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[CLIENTS];

	open_wide(&conf, fds);
	window_passes((int[]){ 10, 10, 10 });
	window_passes((int[]){ 10, 10, 10 });
	ck_assert_uint_eq(n_in_use(), 2);

	window_passes((int[]){ 10, 10, 0 });
	window_passes((int[]){ 10, 10, 0 });

	ck_assert_uint_eq(n_in_use(), THREADS);
	ck_assert_int_eq(n_at(0), CLIENTS / THREADS);
	ck_assert_int_eq(n_at(1), CLIENTS / THREADS);
	ck_assert_int_eq(n_at(2), CLIENTS / THREADS);
	close_wide(fds);
}
END_TEST

START_TEST(who_was_silent_is_fetched_when_he_speaks)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	struct session *session;
	int fds[CLIENTS];

	open_wide(&conf, fds);
	LIST_FOREACH (session, &loop_of(2)->sessions.sessions, next)
		session->active_ns -= UXS_NS_PER_S;
	window_passes((int[]){ 10, 10, 1 });
	window_passes((int[]){ 10, 10, 1 });
	ck_assert_uint_eq(n_in_use(), 2);
	ck_assert_int_eq(n_at(2), CLIENTS / THREADS);

	LIST_FOREACH (session, &loop_of(2)->sessions.sessions, next)
		session->active_ns += UXS_NS_PER_S;
	window_passes((int[]){ 10, 10, 1 });
	ck_assert_int_eq(n_at(2), CLIENTS / THREADS); /* few messages */
	window_passes((int[]){ 10, 10, 5 });
	ck_assert_int_eq(n_at(2), 0);
	close_wide(fds);
}
END_TEST

START_TEST(who_drains_tries_nothing)
{
	const struct uxs_server_conf conf = conf_at("stream:s");
	int fds[CLIENTS];

	open_wide(&conf, fds);
	if (_i == 0)
		crew_drain(&server->crew);
	else
		crew_leave(&server->crew);

	ck_assert(!uxs_timer_is_started(&server->crew.window));
	ck_assert_uint_eq(n_in_use(), THREADS);
	ck_assert_uint_eq(n_moves(), 0);
	close_wide(fds);
}
END_TEST

Suite *
suite_moves(void)
{
	Suite *suite = suite_create("moves");
	TCase *busy = harness_case(suite, "busy");
	TCase *by_hand = harness_case(suite, "by hand");
	TCase *width = harness_case(suite, "width");

	tcase_add_loop_test(busy,
	    messages_are_answered_wherever_their_session_goes, 0, N_OF(ats));
	tcase_add_loop_test(busy, nobody_misses_the_end_on_his_way, 0,
	    4 * N_OF(ats) * N_OF(ends));
	tcase_add_test(by_hand, all_go_or_half_of_them);
	tcase_add_test(by_hand, who_is_on_his_way_is_not_gone);
	tcase_add_test(by_hand, who_was_silent_for_a_second_stays);
	tcase_add_loop_test(by_hand, what_was_not_received_is_received_there, 0,
	    N_OF(ats));
	tcase_add_test(by_hand, half_a_message_goes_along);
	tcase_add_test(by_hand, who_does_not_read_stays_until_he_has_read);
	tcase_add_test(by_hand, his_time_goes_on);
	tcase_add_test(by_hand, who_drains_keeps_all);
	tcase_add_test(by_hand,
	    who_cannot_be_watched_there_is_closed_and_counted);
	tcase_add_test(width, fewer_loops_are_in_use_where_that_does);
	tcase_add_test(width, all_are_in_use_again_where_fewer_do_not);
	tcase_add_test(width, who_was_silent_is_fetched_when_he_speaks);
	tcase_add_loop_test(width, who_drains_tries_nothing, 0, 2);
	return suite;
}
