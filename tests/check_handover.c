/* SPDX-License-Identifier: ISC */
/*
 * Sockets and locks on their way from one server to the next. Both are in this
 * process: what one has must not depend on the other one's descriptors, and
 * the kernel tells neither of them apart.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include <lib/passing.h>

#define N_SOCKETS 3

static struct uxs_address addresses[UXS_ADDRESS_MAX * N_SOCKETS];
static struct uxs_server *old, *next;
static struct uxs_handover handover;
static struct uxs_error why;

/* ---- the language of this file ---- */

static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	return uxs_client_reply(client, m->data, m->length);
}

static const struct uxs_service service = {
	.on_message = echo,
	.is_concurrent = true,
};

static struct uxs_server_conf
conf_of(size_t n)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	static const char *const texts[N_SOCKETS] = { "stream:s", "seqpacket:q",
		"dgram:d" };

	for (size_t i = 0; i < N_SOCKETS; i++)
		ck_assert_int_eq(uxs_address_parse(texts[i], &addresses[i],
				     NULL),
		    1);
	conf.addresses = addresses;
	conf.n_addresses = n;
	conf.service = &service;
	return conf;
}

static void
open_server(struct uxs_server **server, const struct uxs_server_conf *conf)
{
	if (uxs_server_open(server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

/* Through a socket, as between two processes. */
static void
hand_over(struct uxs_server *from)
{
	struct uxs_handover sent;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	ck_assert_int_eq(uxs_server_hand_out(from, &sent, &why), 0);
	ck_assert_int_eq(uxs_handover_send(pair[0], &sent), 0);
	uxs_handover_close(&sent);
	if (uxs_handover_receive(pair[1], &handover, &why) < 0)
		ck_abort_msg("%s", why.text);
	close_all(pair, 2);
}

/* Both are open, the old one serves. */
static void
open_both(void)
{
	struct uxs_server_conf conf = conf_of(N_SOCKETS);

	open_server(&old, &conf);
	hand_over(old);
	conf.handover = &handover;
	open_server(&next, &conf);
	uxs_handover_close(&handover);
}

static const bool all_taken[N_SOCKETS] = { true, true, true };

/* The next one serves. */
static void
change(void)
{
	ck_assert_int_eq(uxs_server_leave(old, all_taken), 0);
	ck_assert_int_ge(uxs_server_fd(next), 0);
}

static void
turn(struct uxs_server *server)
{
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;
}

static void
is_answered_by(struct uxs_server *server, int fd)
{
	SAYS(fd, "who?");
	turn(server);
	HEARS(fd, "who?");
}

static void
serves(struct uxs_server *server)
{
	int fd = client_connect(UXS_STREAM, "s");

	is_answered_by(server, fd);
	close(fd);
	fd = client_connect(UXS_SEQPACKET, "q");
	is_answered_by(server, fd);
	close(fd);
	turn(server);
}

/* ---- the change ---- */

START_TEST(who_waits_in_the_queue_is_served_by_the_next_one)
{
	int early, meanwhile;

	open_both();
	early = client_connect(UXS_STREAM, "s");
	change();
	meanwhile = client_connect(UXS_STREAM, "s");
	uxs_server_close(&old);

	is_answered_by(next, early);
	is_answered_by(next, meanwhile);

	close(early);
	close(meanwhile);
	uxs_server_close(&next);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(datagrams_in_the_queue_are_the_next_ones)
{
	const char *const text[] = { "1", "2", "3" };
	struct uxs_stats stats;
	int fd;

	open_both();
	fd = client_connect(UXS_DGRAM, "d");
	for (int i = 0; i < 3; i++)
		SAYS(fd, text[i]);
	change();
	uxs_server_close(&old);

	turn(next);

	/* Not answered: a datagram of our own pid is one to itself. */
	uxs_server_stats(next, &stats);
	ck_assert_uint_eq(stats.of[UXS_DGRAM].received_messages, 3);
	close(fd);
	uxs_server_close(&next);
}
END_TEST

START_TEST(sessions_go_on_with_the_one_that_leaves)
{
	int fd;

	open_both();
	fd = client_connect(UXS_STREAM, "s");
	is_answered_by(old, fd);
	change();

	is_answered_by(old, fd);
	serves(next);

	ck_assert(!uxs_loop_is_stopped(uxs_server_loop(old)));
	close(fd);
	turn(old);
	ck_assert(uxs_loop_is_stopped(uxs_server_loop(old)));
	uxs_server_close(&old);
	uxs_server_close(&next);
}
END_TEST

START_TEST(who_leaves_can_still_be_drained)
{
	int fd;

	open_both();
	fd = client_connect(UXS_STREAM, "s");
	is_answered_by(old, fd);
	change();

	uxs_server_drain(old);
	turn(old);

	client_hears_end(fd);
	close(fd);
	serves(next);
	uxs_server_close(&old);
	uxs_server_close(&next);
}
END_TEST

START_TEST(sessions_are_drained_after_the_drain_time)
{
	struct uxs_server_conf conf = conf_of(1);
	const bool is_taken[] = { true };
	int fd;

	conf.drain_ns = 1;
	open_server(&old, &conf);
	fd = client_connect(UXS_STREAM, "s");
	is_answered_by(old, fd);
	ck_assert_int_eq(uxs_server_leave(old, is_taken), 0);

	ck_assert_int_eq(uxs_server_run(old), 0);

	client_hears_end(fd);
	close(fd);
	uxs_server_close(&old);
	/* Nobody took it: as after a crash. */
	leave_stale_socket(UXS_STREAM, "other");
	ck_assert_int_eq(unlink("s") + unlink("s.lock") + unlink("other"), 0);
}
END_TEST

/* Two clients, so that one of them is served by the other thread. */
START_TEST(who_leaves_ends_with_the_last_session_of_any_thread)
{
	struct uxs_server_conf conf = conf_of(1);
	const bool is_taken[] = { true };
	int fds[2];

	conf.n_threads = 2;
	conf.drain_ns = INT64_MAX / 2; /* not by time */
	open_server(&old, &conf);
	ck_assert_int_eq(uxs_server_start(old, &why), 0);
	for (int i = 0; i < 2; i++) {
		fds[i] = client_connect(UXS_STREAM, "s");
		is_answered_by(old, fds[i]);
	}
	ck_assert_int_eq(uxs_server_leave(old, is_taken), 0);
	close(fds[0]);
	turn(old); /* the first thread's has gone before the other's */
	close(fds[1]);

	ck_assert_int_eq(uxs_server_run(old), 0);

	uxs_server_close(&old);
	ck_assert_int_eq(unlink("s") + unlink("s.lock"), 0);
}
END_TEST

START_TEST(nothing_is_left_twice_or_while_draining)
{
	open_both();
	change();
	ck_assert_int_eq(uxs_server_leave(old, all_taken), -EALREADY);
	uxs_server_drain(next);
	ck_assert_int_eq(uxs_server_leave(next, all_taken), -EALREADY);
	uxs_server_close(&old);
	uxs_server_close(&next);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(what_is_not_taken_is_drained_and_removed)
{
	const bool is_taken[N_SOCKETS] = { true, false, true };
	struct uxs_server_conf conf = conf_of(N_SOCKETS);
	int fd;

	open_server(&old, &conf);
	fd = client_connect(UXS_SEQPACKET, "q");
	ck_assert_int_eq(uxs_server_leave(old, is_taken), 0);

	is_answered_by(old, fd);
	ck_assert_int_lt(client_try(UXS_SEQPACKET, "q"), 0);
	close(fd);
	turn(old);
	uxs_server_close(&old);

	ck_assert(!is_there("q"));
	ck_assert(!is_there("q.lock"));
	ck_assert(is_there("s"));
	ck_assert(is_there("s.lock"));
}
END_TEST

/* ---- whose it is ---- */

START_TEST(lock_is_held_at_every_moment)
{
	struct uxs_server_conf conf = conf_of(N_SOCKETS);
	struct uxs_server *third;

	open_both();
	ck_assert_int_eq(uxs_server_open(&third, &conf, &why), -EADDRINUSE);
	change();
	ck_assert_int_eq(uxs_server_open(&third, &conf, &why), -EADDRINUSE);
	uxs_server_close(&old);
	ck_assert_int_eq(uxs_server_open(&third, &conf, &why), -EADDRINUSE);
	uxs_server_close(&next);
	ck_assert_int_eq(uxs_server_open(&third, &conf, &why), 0);
	uxs_server_close(&third);
}
END_TEST

START_TEST(lock_names_the_one_that_serves)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	open_both();
	write_file("s.lock", "1\n", 0600);

	change();

	assert_file_says("s.lock", pid);
	uxs_server_close(&old);
	uxs_server_close(&next);
}
END_TEST

/* Where the kernel cannot refuse passed descriptors, connections that wait are
 * emptied before a listener is closed; but not these. */
#define IS_OLD (_i == 1)

START_TEST(who_fails_on_the_way_leaves_all_as_it_was)
{
	passing_pretend_old_kernel(IS_OLD);
	open_both();

	uxs_server_close(&next);

	ck_assert_int_eq(count_files(), 2 * N_SOCKETS);
	serves(old);
	uxs_server_close(&old);
	ck_assert_int_eq(count_files(), 0);
	passing_pretend_old_kernel(false);
}
END_TEST

START_TEST(who_is_drained_on_the_way_leaves_all_as_it_was)
{
	passing_pretend_old_kernel(IS_OLD);
	open_both();

	uxs_server_drain(next);
	uxs_server_close(&next);

	serves(old);
	uxs_server_close(&old);
	passing_pretend_old_kernel(false);
}
END_TEST

START_TEST(mode_is_changed_when_it_is_ours)
{
	struct uxs_server_conf conf = conf_of(N_SOCKETS);

	open_server(&old, &conf);
	hand_over(old);
	conf.handover = &handover;
	conf.mode = 0660;
	open_server(&next, &conf);
	uxs_handover_close(&handover);
	ck_assert_uint_eq(mode_of("s"), 0600);

	change();

	ck_assert_uint_eq(mode_of("s"), 0660);
	ck_assert_uint_eq(mode_of("d"), 0660);
	uxs_server_close(&old);
	uxs_server_close(&next);
}
END_TEST

START_TEST(file_that_was_replaced_is_left_alone)
{
	open_both();
	ck_assert_int_eq(unlink("s"), 0);
	leave_stale_socket(UXS_STREAM, "s");

	change();
	uxs_server_close(&old);
	uxs_server_close(&next);

	ck_assert(is_there("s"));
	ck_assert_uint_eq(mode_of("s"), 0777);
}
END_TEST

START_TEST(abstract_name_goes_along)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_server_conf conf = conf_of(1);
	struct uxs_address name[UXS_ADDRESS_MAX];
	const bool is_taken[] = { true };
	char text[64];

	snprintf(text, sizeof(text), "stream:@uxs-handover-%ld",
	    (long)getpid());
	ck_assert_int_eq(uxs_address_parse(text, name, NULL), 1);
	ck_assert_int_eq(uxs_access_add(&access, UXS_ALLOW, "any", NULL, NULL),
	    0);
	conf.addresses = name;
	conf.access = &access;
	open_server(&old, &conf);
	hand_over(old);
	conf.handover = &handover;
	open_server(&next, &conf);

	ck_assert(handover.sockets[0].is_taken);

	uxs_handover_close(&handover);
	ck_assert_int_eq(uxs_server_leave(old, is_taken), 0);
	uxs_server_close(&old);
	uxs_server_close(&next);
	uxs_access_fini(&access);
}
END_TEST

START_TEST(other_addresses_are_opened_anew)
{
	struct uxs_server_conf conf = conf_of(1);

	open_server(&old, &conf);
	hand_over(old);
	conf = conf_of(N_SOCKETS);
	conf.handover = &handover;

	open_server(&next, &conf);

	ck_assert_uint_eq(handover.n, 1);
	ck_assert(handover.sockets[0].is_taken);
	uxs_handover_close(&handover);
	uxs_server_close(&next);
	ck_assert(is_there("s"));
	ck_assert(!is_there("q"));
	uxs_server_close(&old);
}
END_TEST

/* ---- what is believed ---- */

static void
is_refused(struct uxs_handed *handed, const char *words)
{
	const struct uxs_listener_conf conf = {
		.address = &addresses[0],
		.owner_uid = UXS_UID_NONE,
		.owner_gid = UXS_GID_NONE,
	};
	struct uxs_listener listener;

	ck_assert_int_lt(uxs_listener_take_over(&listener, &conf, handed, &why),
	    0);
	ck_assert_msg(strstr(why.text, words) != NULL, "%s", why.text);
	ck_assert_int_eq(uxs_error_exit_status(&why), 78);
}

START_TEST(socket_that_is_not_the_right_one_is_refused)
{
	const struct uxs_server_conf conf = conf_of(N_SOCKETS);
	struct uxs_handed handed;
	int pair[2];

	open_server(&old, &conf);
	hand_over(old);
	handed = handover.sockets[0];

	handed.fd = handover.sockets[1].fd;
	is_refused(&handed, "is of another type");
	handed.fd = STDIN_FILENO;
	is_refused(&handed, "is not a socket");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	handed.fd = pair[0];
	is_refused(&handed, "is connected");
	close_all(pair, 2);

	uxs_handover_close(&handover);
	serves(old);
	uxs_server_close(&old);
}
END_TEST

START_TEST(lock_that_is_not_the_right_one_is_refused)
{
	const struct uxs_server_conf conf = conf_of(N_SOCKETS);
	struct uxs_handed handed;
	int again;

	open_server(&old, &conf);
	hand_over(old);
	handed = handover.sockets[0];

	handed.lock_fd = -1;
	is_refused(&handed, "comes without its lock");
	handed.lock_fd = handover.sockets[1].lock_fd;
	is_refused(&handed, "s.lock is not the lock");
	/* The right file, but opened anew: it does not hold the lock. */
	again = open("s.lock", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(again, 0);
	handed.lock_fd = again;
	is_refused(&handed, "s.lock is not the lock");
	close(again);

	uxs_handover_close(&handover);
	uxs_server_close(&old);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(inherited_ones_are_inherited_again)
{
	struct uxs_activation activation = UXS_ACTIVATION_NONE;
	struct uxs_inherited inherited = { .name = "front" };
	struct uxs_server_conf conf = conf_of(N_SOCKETS);
	struct uxs_activation first = { .n = 1, .sockets = &inherited };

	inherited.fd = bound_socket(UXS_STREAM, "s");
	inherited.address = addresses[0];
	ck_assert_int_eq(listen(inherited.fd, 1), 0);
	conf.n_addresses = 0;
	conf.activation = &first;
	open_server(&old, &conf);

	hand_over(old);
	ck_assert_int_eq(uxs_handover_activate(&handover, &activation, &why),
	    0);

	ck_assert_uint_eq(activation.n, 1);
	ck_assert_str_eq(activation.sockets[0].name, "front");
	ck_assert(uxs_address_equals(&activation.sockets[0].address,
	    &addresses[0]));
	ck_assert_int_eq(handover.sockets[0].fd, -1);
	uxs_handover_close(&handover);
	uxs_activation_close(&activation);
	uxs_server_close(&old);
	close(inherited.fd);
}
END_TEST

/* ---- the messages ---- */

/* No first message, and no second one, that is not as ours. */
static const struct {
	const char *first, *second;
	size_t first_length, second_length;
} junk[] = {
	{ "", NULL, 0, 0 },
	{ "x", NULL, 1, 0 },
	{ "12345678", NULL, 8, 0 },
	{ "1sxu\0\0\0\0", NULL, 8, 0 },
	{ "1sxu\xff\xff\xff\xff", NULL, 8, 0 },
	{ "1sxu\1\0\0\0", "1sxu", 8, 4 },
	{ "1sxu\1\0\0\0", "1sxu\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 8,
	    24 },
};

START_TEST(junk_is_refused)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	client_says(pair[0], junk[_i].first, junk[_i].first_length);
	if (junk[_i].second != NULL)
		client_says(pair[0], junk[_i].second, junk[_i].second_length);
	close(pair[0]);

	ck_assert_int_lt(uxs_handover_receive(pair[1], &handover, &why), 0);

	ck_assert_int_eq(uxs_error_exit_status(&why), 78);
	ck_assert_uint_eq(handover.n, 0);
	close(pair[1]);
}
END_TEST

/* Whatever is cut off, no descriptor is left; the fixture counts them. */
START_TEST(every_bit_of_a_record_is_looked_at)
{
	const struct uxs_server_conf conf = conf_of(1);
	struct uxs_handover sent;
	char record[512];
	ssize_t n;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	open_server(&old, &conf);
	ck_assert_int_eq(uxs_server_hand_out(old, &sent, &why), 0);
	ck_assert_int_eq(uxs_handover_send(pair[0], &sent), 0);
	uxs_handover_close(&sent);
	ck_assert_int_eq(recv(pair[1], record, sizeof(record), 0), 8);
	client_says(pair[0], record, 8);
	n = recv(pair[1], record, sizeof(record), 0); /* without descriptors */
	ck_assert_int_gt(n, 8);
	client_says(pair[0], record, (size_t)n);

	ck_assert_int_lt(uxs_handover_receive(pair[1], &handover, &why), 0);

	close_all(pair, 2);
	uxs_server_close(&old);
}
END_TEST

START_TEST(nobody_at_the_other_end_is_an_error)
{
	const struct uxs_server_conf conf = conf_of(N_SOCKETS);
	struct uxs_handover sent;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	close(pair[1]);
	open_server(&old, &conf);
	ck_assert_int_eq(uxs_server_hand_out(old, &sent, &why), 0);

	ck_assert_int_eq(uxs_handover_send(pair[0], &sent), -EPIPE);

	uxs_handover_close(&sent);
	close(pair[0]);
	uxs_server_close(&old);
}
END_TEST

Suite *
suite_handover(void)
{
	Suite *suite = suite_create("handover");
	TCase *changes = harness_case(suite, "change");
	TCase *owner = harness_case(suite, "owner");
	TCase *trust = harness_case(suite, "trust");
	TCase *messages = harness_case(suite, "messages");

	tcase_add_test(changes,
	    who_waits_in_the_queue_is_served_by_the_next_one);
	tcase_add_test(changes, datagrams_in_the_queue_are_the_next_ones);
	tcase_add_test(changes, sessions_go_on_with_the_one_that_leaves);
	tcase_add_test(changes, who_leaves_can_still_be_drained);
	tcase_add_test(changes, sessions_are_drained_after_the_drain_time);
	tcase_add_test(changes,
	    who_leaves_ends_with_the_last_session_of_any_thread);
	tcase_add_test(changes, nothing_is_left_twice_or_while_draining);
	tcase_add_test(changes, what_is_not_taken_is_drained_and_removed);

	tcase_add_test(owner, lock_is_held_at_every_moment);
	tcase_add_test(owner, lock_names_the_one_that_serves);
	tcase_add_loop_test(owner, who_fails_on_the_way_leaves_all_as_it_was, 0,
	    2);
	tcase_add_loop_test(owner,
	    who_is_drained_on_the_way_leaves_all_as_it_was, 0, 2);
	tcase_add_test(owner, mode_is_changed_when_it_is_ours);
	tcase_add_test(owner, file_that_was_replaced_is_left_alone);
	tcase_add_test(owner, abstract_name_goes_along);
	tcase_add_test(owner, other_addresses_are_opened_anew);

	tcase_add_test(trust, socket_that_is_not_the_right_one_is_refused);
	tcase_add_test(trust, lock_that_is_not_the_right_one_is_refused);
	tcase_add_test(trust, inherited_ones_are_inherited_again);

	tcase_add_loop_test(messages, junk_is_refused, 0,
	    (int)(sizeof(junk) / sizeof(junk[0])));
	tcase_add_test(messages, every_bit_of_a_record_is_looked_at);
	tcase_add_test(messages, nobody_at_the_other_end_is_an_error);
	return suite;
}
