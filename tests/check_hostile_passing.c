/* SPDX-License-Identifier: ISC */
/*
 * Clients that pass descriptors, and above all one that is slow to close: a
 * TCP connection over the loopback interface with data that nobody takes and
 * SO_LINGER, so that its last close(2) waits for as long as its owner chose.
 * Each test runs as this kernel is and as one before Linux 6.16 would be.
 */
#include "harness.h"
#include "hostile.h"
#include "suites.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <lib/passing.h>
#include <uxsrv/uxsrv.h>

/* Whoever waited for the close was held up for so long; a machine that is
 * merely busy is not. */
#define LINGER_S 8
#define HELD_UP_NS (LINGER_S * UXS_NS_PER_S / 2)

/* Loops over types and kernels. */
#define BOTH_KERNELS(n_types) 0, (n_types)*2
#define TYPE ((enum uxs_type)(_i / 2))
#define IS_OLD (_i % 2 == 1)

/* ---- the language of this file ---- */

static int sink = -1; /* takes TCP connections, and nothing from them */

/* After harness_setup and before harness_teardown. */
static void
open_sink(void)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	sink = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(sink, 0);
	ck_assert_int_eq(bind(sink, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(sink, 16), 0);
}

static void
close_sink(void)
{
	close(sink);
}

/* Whose last close waits for seconds. */
static int
slow_to_close(int seconds)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = seconds };
	static const char data[65536];
	struct sockaddr_in sa;
	socklen_t length = sizeof(sa);
	int fd;

	ck_assert_int_eq(getsockname(sink, (struct sockaddr *)&sa, &length), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, length), 0);
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)),
	    0);
	return fd;
}

/* Pass n descriptors, all the same, with one byte. Returns as sendmsg(2). */
static ssize_t
pass(int fd, int passed, size_t n)
{
	union passing_control control;
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};

	memset(&control, 0, sizeof(control));
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &passed,
		    sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void
close_quickly(int fd)
{
	const struct linger none = { .l_onoff = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

/* Hand it over: ours is closed, the server's is the last. Returns false where
 * this kernel refuses it. */
static bool
hand_over(int fd, int passed, bool is_old)
{
	if (pass(fd, passed, 1) == 1) {
		close(passed);
		return true;
	}
	ck_assert_int_eq(errno, EPERM);
	ck_assert(!is_old);
	close_quickly(passed);
	return false;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

static void
is_answered_in_time(int fd)
{
	const int64_t before = now_ns();

	for (int i = 0; i < 100; i++) {
		SAYS(fd, "still there?");
		HEARS(fd, "still there?");
	}
	ck_assert_int_lt(now_ns() - before, HELD_UP_NS);
}

/* ---- what it is about ---- */

/* The fact that all of this rests on; see uxsrv(7). */
START_TEST(plain_receive_waits_for_a_passed_descriptor)
{
	int64_t before;
	int pair[2];
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	ck_assert(hand_over(pair[0], slow_to_close(1), true));
	before = now_ns();

	ck_assert_int_eq(recv(pair[1], &byte, 1, 0), 1);

	ck_assert_int_ge(now_ns() - before, UXS_NS_PER_S * 9 / 10);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(listener_tells_whether_descriptors_are_refused)
{
	struct uxs_listener_conf conf = { .mode = 0600,
		.owner_uid = UXS_UID_NONE,
		.owner_gid = UXS_GID_NONE };
	struct uxs_listener listener;
	struct uxs_address address[UXS_ADDRESS_MAX];
	int fd;

	ck_assert_int_eq(uxs_address_parse("stream:s", address, NULL), 1);
	conf.address = address;
	passing_pretend_old_kernel(IS_OLD);
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
	ck_assert_int_eq(uxs_listener_listen(&listener, 1, NULL), 0);
	fd = client_connect(UXS_STREAM, harness_path("s"));

	if (listener.refuses_descriptors)
		ck_assert_int_eq(pass(fd, STDERR_FILENO, 1), -1);
	else
		ck_assert_int_eq(pass(fd, STDERR_FILENO, 1), 1);

	if (IS_OLD)
		ck_assert(!listener.refuses_descriptors);
	close(fd);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- nobody waits ---- */

START_TEST(slow_descriptor_holds_up_nobody)
{
	struct hostile_server server;
	int hostile, honest;
	bool is_passed;

	hostile_start(&server, IS_OLD, NULL);
	honest = hostile_dial(UXS_STREAM);
	is_answered_in_time(honest);
	hostile = hostile_dial(TYPE);

	is_passed = hand_over(hostile, slow_to_close(LINGER_S), IS_OLD);

	is_answered_in_time(honest);
	if (is_passed)
		HEARS(hostile, "x");
	SAYS(hostile, "y");
	HEARS(hostile, "y");
	close(hostile);
	is_answered_in_time(honest);
	close(honest);
	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[TYPE].connections, 0);
}
END_TEST

static void
deny_others(struct uxs_server_conf *conf)
{
	conf->access = &hostile_access;
	conf->mode = 0666;
}

static void
time_out_soon(struct uxs_server_conf *conf)
{
	conf->write_timeout_ns = 50 * UXS_NS_PER_MS;
}

/* Enough that the server does not read any more: what is sent after it waits
 * in the queue for ever. */
#define STUFFING ((size_t)400 * 1024)

static void
hangs_up(int fd)
{
	struct pollfd hung_up = { .fd = fd };

	ck_assert_int_eq(poll(&hung_up, 1, LINGER_S * 1000), 1);
}

START_TEST(closing_a_connection_with_a_slow_one_in_it_holds_up_nobody)
{
	static const char data[STUFFING];
	struct hostile_server server;
	int hostile, honest;

	hostile_start(&server, IS_OLD, time_out_soon);
	honest = hostile_dial(UXS_STREAM);
	hostile = hostile_dial(UXS_STREAM);
	client_says(hostile, data, sizeof(data));

	hand_over(hostile, slow_to_close(LINGER_S), IS_OLD);

	hangs_up(hostile);
	is_answered_in_time(honest);
	close(hostile);
	close(honest);
	hostile_stop(&server);
}
END_TEST

struct attack {
	enum uxs_type type;
	bool is_old;
	int slow;
};

static void
pass_and_be_refused(void *arg)
{
	const struct attack *attack = arg;
	const int fd = hostile_dial(attack->type);

	if (pass(fd, attack->slow, 1) < 0)
		ck_assert(errno == EPERM && !attack->is_old);
}

START_TEST(refusing_a_connection_with_a_slow_one_in_it_holds_up_nobody)
{
	struct attack attack = { .type = TYPE, .is_old = IS_OLD };
	struct hostile_server server;
	int honest;

	SKIP_UNLESS_ROOT();
	hostile_start(&server, IS_OLD, deny_others);
	honest = hostile_dial(UXS_STREAM);
	is_answered_in_time(honest);
	attack.slow = slow_to_close(LINGER_S);
	hostile_pause(&server); /* so that it is there before the accept */

	as_user(OTHER_UID, OTHER_GID, pass_and_be_refused, &attack);
	if (IS_OLD)
		close(attack.slow); /* the server's is the last */
	else
		close_quickly(attack.slow);
	hostile_resume(&server);
	is_answered_in_time(honest);
	close(honest);
	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[TYPE].refused[UXS_REFUSAL_RULES], 1);
}
END_TEST

START_TEST(slow_descriptors_do_not_hold_up_the_stop)
{
	struct hostile_server server;
	int64_t before;
	int fds[4];

	hostile_start(&server, IS_OLD, NULL);
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			hostile_pause(&server);
		fds[i] = hostile_dial(TYPE);
		hand_over(fds[i], slow_to_close(LINGER_S), IS_OLD);
	}
	ck_assert_int_eq(kill(server.service.pid, SIGTERM), 0);
	ck_assert_int_eq(kill(server.service.pid, SIGINT), 0);
	before = now_ns();
	hostile_resume(&server);

	hostile_stop(&server);

	ck_assert_int_lt(now_ns() - before, HELD_UP_NS);
	close_all(fds, 4);
}
END_TEST

/* Of a connection that nobody has accepted, or in a datagram. */
START_TEST(slow_descriptor_in_a_queue_does_not_hold_up_the_close)
{
	struct uxs_server *server;
	int64_t before;
	int fd;

	hostile_open(&server, IS_OLD, NULL);
	fd = hostile_dial(TYPE);
	hand_over(fd, slow_to_close(LINGER_S), IS_OLD);
	before = now_ns();

	uxs_server_close(&server);

	ck_assert_int_lt(now_ns() - before, HELD_UP_NS);
	close(fd);
	passing_pretend_old_kernel(false);
}
END_TEST

/* ---- nothing stays ---- */

static void
pass_many(enum uxs_type type, int fd)
{
	for (int i = 0; i < 20; i++) {
		if (pass(fd, STDERR_FILENO, PASSED_MAX) == 1)
			HEARS(fd, "x");
		else
			ck_assert_int_eq(errno, EPERM);
	}
}

START_TEST(as_many_as_fit_into_a_message_do_not_stay)
{
	struct hostile_server server;
	int fd, before;

	hostile_start(&server, IS_OLD, NULL);
	fd = hostile_dial(TYPE);
	SAYS(fd, "in");
	HEARS(fd, "in");
	before = count_descriptors_of(server.service.pid);

	pass_many(TYPE, fd);

	service_settles(&server.service, UXS_STREAM, harness_path("s"), before);
	close(fd);
	hostile_stop(&server);
}
END_TEST

/* ---- what does not fit ---- */

/* Only so many more in the server. Returns how it was before. */
static struct rlimit
leave_descriptors(pid_t pid, int n)
{
	struct rlimit before, limit;

	ck_assert_int_eq(prlimit(pid, RLIMIT_NOFILE, NULL, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)(count_descriptors_of(pid) + n);
	ck_assert_int_eq(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
	return before;
}

START_TEST(descriptors_that_do_not_arrive_end_the_connection)
{
	struct hostile_server server;
	const struct uxs_stats *stats = &server.stats;
	struct rlimit limit;
	int hostile, honest, before;

	hostile_start(&server, true, NULL);
	honest = hostile_dial(UXS_STREAM);
	is_answered_in_time(honest);
	before = count_descriptors_of(server.service.pid);
	hostile = hostile_dial((enum uxs_type)_i);
	SAYS(hostile, "in");
	HEARS(hostile, "in");
	limit = leave_descriptors(server.service.pid, 5);

	ck_assert_int_eq(pass(hostile, STDERR_FILENO, 50), 1);

	if ((enum uxs_type)_i == UXS_DGRAM) {
		SAYS(hostile, "next"); /* and no answer to the one before */
		HEARS(hostile, "next");
	} else {
		client_hears_end(hostile);
	}
	is_answered_in_time(honest);
	ck_assert_int_eq(prlimit(server.service.pid, RLIMIT_NOFILE, &limit,
			     NULL),
	    0);
	service_settles(&server.service, UXS_STREAM, harness_path("s"), before);
	close(hostile);
	close(honest);
	hostile_stop(&server);
	ck_assert_uint_eq(stats->closed[UXS_CLOSE_LOST_DESCRIPTORS] +
		stats->of[_i].dropped[UXS_DROP_LOST_DESCRIPTORS],
	    1);
}
END_TEST

/* ---- and where connections do not fit either ---- */

#define N_WAITING 40

/* Is it served, or told that it is not? Nobody may hear nothing. */
static bool
is_served(int fd)
{
	char byte;
	ssize_t n;

	if (send(fd, "?", 1, MSG_NOSIGNAL) < 0)
		return false;
	n = recv(fd, &byte, 1, 0);
	ck_assert(n >= 0 || errno == ECONNRESET);
	return n == 1;
}

/* They are accepted with the one spare descriptor, which has to be there again
 * for the next one although another thread closes it. */
START_TEST(who_waits_for_a_descriptor_in_vain_is_told)
{
	struct hostile_server server;
	struct rlimit limit;
	int fds[N_WAITING], honest, before, n_served = 0;

	hostile_start(&server, IS_OLD, NULL);
	honest = hostile_dial(TYPE);
	SAYS(honest, "in");
	HEARS(honest, "in");
	before = count_descriptors_of(server.service.pid);
	limit = leave_descriptors(server.service.pid, 0);

	for (int i = 0; i < N_WAITING; i++)
		fds[i] = hostile_dial(TYPE);

	for (int i = 0; i < N_WAITING; i++)
		n_served += is_served(fds[i]);
	SAYS(honest, "in");
	HEARS(honest, "in");
	ck_assert_int_eq(prlimit(server.service.pid, RLIMIT_NOFILE, &limit,
			     NULL),
	    0);
	ck_assert_int_lt(n_served, N_WAITING / 2);
	close_all(fds, N_WAITING);
	service_settles(&server.service, UXS_STREAM, harness_path("s"), before);
	close(honest);
	hostile_stop(&server);
	ck_assert_uint_eq(server.stats.of[TYPE]
			      .refused[UXS_REFUSAL_DESCRIPTORS],
	    (unsigned)(N_WAITING - n_served));
}
END_TEST

Suite *
suite_hostile_passing(void)
{
	Suite *suite = suite_create("hostile passing");
	TCase *facts = harness_case(suite, "facts");
	TCase *slow = harness_case(suite, "slow");
	TCase *many = harness_case(suite, "many");

	tcase_add_checked_fixture(facts, open_sink, close_sink);
	tcase_add_checked_fixture(slow, open_sink, close_sink);
#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)
	tcase_add_test(facts, plain_receive_waits_for_a_passed_descriptor);
	LOOP(facts, listener_tells_whether_descriptors_are_refused,
	    BOTH_KERNELS(1));
	LOOP(slow, slow_descriptor_holds_up_nobody, BOTH_KERNELS(3));
	LOOP(slow, closing_a_connection_with_a_slow_one_in_it_holds_up_nobody,
	    BOTH_KERNELS(1));
	LOOP(slow, refusing_a_connection_with_a_slow_one_in_it_holds_up_nobody,
	    BOTH_KERNELS(2));
	LOOP(slow, slow_descriptors_do_not_hold_up_the_stop, BOTH_KERNELS(2));
	LOOP(slow, slow_descriptor_in_a_queue_does_not_hold_up_the_close,
	    BOTH_KERNELS(3));
	LOOP(many, as_many_as_fit_into_a_message_do_not_stay, BOTH_KERNELS(3));
	LOOP(many, descriptors_that_do_not_arrive_end_the_connection, 0, 3);
	LOOP(many, who_waits_for_a_descriptor_in_vain_is_told, BOTH_KERNELS(2));
	return suite;
}
