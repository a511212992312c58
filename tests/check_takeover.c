/* SPDX-License-Identifier: ISC */
/*
 * Connections that the service takes over, and those that it ends.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

static struct uxs_server *server;
static struct uxs_address addresses[2 * UXS_ADDRESS_MAX];

/* What the service was told, and of whom. */
static struct {
	char calls[32]; /* c: on_connection, d: drain, n: now, e: on_end */
	struct uxs_client *client;
	int fd;
} seen;

static void
note(char call)
{
	const size_t n = strlen(seen.calls);

	ck_assert_uint_lt(n, sizeof(seen.calls) - 1);
	seen.calls[n] = call;
	seen.calls[n + 1] = '\0';
}

static int
take(struct uxs_client *client, int fd, void *arg)
{
	note('c');
	seen.client = client;
	seen.fd = fd;
	return 0;
}

static int
take_and_end(struct uxs_client *client, int fd, void *arg)
{
	note('c');
	ck_assert_int_eq(write(fd, "bye", 3), 3);
	uxs_client_close(client);
	return 0;
}

static int
take_not(struct uxs_client *client, int fd, void *arg)
{
	note('c');
	return -EIO;
}

static void
on_stop(struct uxs_client *client, enum uxs_stop how, void *arg)
{
	note(how == UXS_STOP_DRAIN ? 'd' : 'n');
}

static void
on_stop_end(struct uxs_client *client, enum uxs_stop how, void *arg)
{
	on_stop(client, how, arg);
	uxs_client_close(client);
}

static void
on_end(struct uxs_client *client, void *arg)
{
	note('e');
}

static const struct uxs_service taking = {
	.on_connection = take,
	.on_stop = on_stop,
	.on_end = on_end,
};

static const struct uxs_service ending = {
	.on_connection = take_and_end,
	.on_stop = on_stop,
	.on_end = on_end,
};

static const struct uxs_service failing = {
	.on_connection = take_not,
	.on_stop = on_stop,
	.on_end = on_end,
};

static const struct uxs_service obeying = {
	.on_connection = take,
	.on_stop = on_stop_end,
	.on_end = on_end,
};

static int
open_at(const char *text, const struct uxs_service *service, size_t n_threads,
    struct uxs_error *why)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	ck_assert_int_eq(uxs_address_parse(text, addresses, NULL), 1);
	conf.addresses = addresses;
	conf.n_addresses = 1;
	conf.service = service;
	conf.max_conns = 2;
	conf.max_conns_per_user = 1;
	conf.n_threads = n_threads;
	return uxs_server_open(&server, &conf, why);
}

static void
serve(const struct uxs_service *service)
{
	struct uxs_error why;

	if (open_at("stream:s", service, 1, &why) < 0)
		ck_abort_msg("%s", why.text);
	ck_assert_int_ge(uxs_server_fd(server), 0);
}

/* Somebody whom the server has looked at. */
static int
dial(void)
{
	const int fd = client_connect(UXS_STREAM, harness_path("s"));

	ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);
	return fd;
}

static struct uxs_stats
stats(void)
{
	struct uxs_stats s;

	uxs_server_stats(server, &s);
	return s;
}

START_TEST(connection_is_the_services_until_it_lets_go)
{
	struct uxs_stats now;
	int fd, second;

	serve(&taking);
	fd = dial();
	ck_assert_str_eq(seen.calls, "c");
	ck_assert_int_eq(fcntl(seen.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(seen.fd, F_GETFD), FD_CLOEXEC);
	SAYS(fd, "in");
	HEARS(seen.fd, "in");
	SAYS(seen.fd, "out");
	HEARS(fd, "out");

	/* Its place is taken, whatever the client does. */
	ck_assert_uint_eq(stats().of[UXS_STREAM].connections, 1);
	client_ends(fd);
	second = dial();
	client_hears_end(second);
	close(second);
	uxs_client_close(seen.client);

	client_hears_end(fd);
	ck_assert_str_eq(seen.calls, "ce");
	now = stats();
	ck_assert_uint_eq(now.of[UXS_STREAM].connections, 0);
	ck_assert_uint_eq(now.closed[UXS_CLOSE_DONE], 1);
	ck_assert_uint_eq(now.of[UXS_STREAM].refused[UXS_REFUSAL_MAX_PER_USER],
	    1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(end_is_for_everybody_who_has_the_socket)
{
	int fd, other;

	serve(&taking);
	fd = dial();
	other = fcntl(seen.fd, F_DUPFD_CLOEXEC, 0);

	uxs_client_close(seen.client);

	client_hears_end(fd);
	client_hears_end(other);
	ck_assert_int_lt(send(other, "x", 1, MSG_NOSIGNAL), 0);
	close(other);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(service_may_let_go_at_once)
{
	int fd;

	serve(&ending);
	fd = dial();

	HEARS(fd, "bye");
	client_hears_end(fd);
	ck_assert_str_eq(seen.calls, "ce");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(connection_that_cannot_be_served_is_counted)
{
	int fd;

	serve(&failing);
	fd = dial();

	client_hears_end(fd);
	ck_assert_str_eq(seen.calls, "ce");
	ck_assert_uint_eq(stats().closed[UXS_CLOSE_ERROR], 1);
	ck_assert_uint_eq(stats().of[UXS_STREAM].connections, 0);
	close(fd);
	/* Nor is its place taken. */
	fd = dial();
	ck_assert_str_eq(seen.calls, "cece");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(drain_ends_the_input_behind_what_came)
{
	int fd;

	serve(&taking);
	fd = dial();
	SAYS(fd, "last");

	uxs_server_drain(server);

	ck_assert_str_eq(seen.calls, "cd");
	HEARS(seen.fd, "last");
	client_hears_end(seen.fd);
	ck_assert_int_lt(send(fd, "x", 1, MSG_NOSIGNAL), 0);
	SAYS(seen.fd, "answer");
	uxs_client_close(seen.client);
	while (uxs_server_turn(server) == UXS_TURN_SERVING)
		;
	HEARS(fd, "answer");
	client_hears_end(fd);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(drain_is_over_with_the_last_one)
{
	int fd;

	serve(&obeying);
	fd = dial();

	uxs_server_drain(server);

	while (uxs_server_turn(server) == UXS_TURN_SERVING)
		;
	ck_assert_str_eq(seen.calls, "cde");
	client_hears_end(fd);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(close_of_the_server_ends_those_who_are_left)
{
	int fd;

	serve(&taking);
	fd = dial();

	uxs_server_close(&server);

	ck_assert_str_eq(seen.calls, "cne");
	client_hears_end(fd);
	close(fd);
}
END_TEST

START_TEST(who_is_not_allowed_any_more_is_shut_out)
{
	struct uxs_access nobody = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_error why;
	int fd;

	ck_assert_int_eq(uxs_access_add(&nobody, UXS_DENY, "any",
			     &uxs_names_system, &why),
	    0);
	serve(&taking);
	fd = dial();

	ck_assert_int_eq(uxs_server_set_access(server, &nobody, &why), 0);
	/* Told once. */
	ck_assert_int_eq(uxs_server_set_access(server, &nobody, &why), 0);
	uxs_server_drain(server);

	client_hears_end(fd);
	ck_assert_str_eq(seen.calls, "cn");
	ck_assert_uint_eq(stats().of[UXS_STREAM].connections, 1);
	uxs_client_close(seen.client);
	ck_assert_uint_eq(stats().of[UXS_STREAM].connections, 0);
	ck_assert_uint_eq(stats().closed[UXS_CLOSE_RULES], 1);
	close(fd);
	uxs_server_close(&server);
	uxs_access_fini(&nobody);
}
END_TEST

START_TEST(datagrams_and_threads_are_refused)
{
	struct uxs_error why;

	ck_assert_int_eq(open_at("dgram:d", &taking, 1, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "a datagram socket has none"));

	ck_assert_int_eq(open_at("stream:s", &taking, 2, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text,
	    "2 threads: this service cannot run in several threads"));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- sessions ---- */

static int
answer_and_close(struct uxs_client *client, const struct uxs_message *m,
    void *arg)
{
	const int r = uxs_client_reply(client, m->data, m->length);

	note('m');
	uxs_client_close(client);
	return r;
}

static const struct uxs_service once = {
	.on_message = answer_and_close,
	.on_end = on_end,
};

START_TEST(session_that_is_closed_gets_its_answer_and_a_clean_end)
{
	int fd;

	serve(&once);
	fd = dial();
	SAYS(fd, "one");
	ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);
	HEARS(fd, "one");

	for (int i = 0; i < 100 && strcmp(seen.calls, "me") != 0; i++)
		ck_assert_int_eq(uxs_server_turn(server), UXS_TURN_SERVING);

	client_hears_end(fd);
	ck_assert_str_eq(seen.calls, "me");
	ck_assert_uint_eq(stats().closed[UXS_CLOSE_DONE], 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

Suite *
suite_takeover(void)
{
	Suite *suite = suite_create("takeover");
	TCase *taken = harness_case(suite, "taken over");
	TCase *ended = harness_case(suite, "ended");

	tcase_add_test(taken, connection_is_the_services_until_it_lets_go);
	tcase_add_test(taken, end_is_for_everybody_who_has_the_socket);
	tcase_add_test(taken, service_may_let_go_at_once);
	tcase_add_test(taken, connection_that_cannot_be_served_is_counted);
	tcase_add_test(taken, drain_ends_the_input_behind_what_came);
	tcase_add_test(taken, drain_is_over_with_the_last_one);
	tcase_add_test(taken, close_of_the_server_ends_those_who_are_left);
	tcase_add_test(taken, who_is_not_allowed_any_more_is_shut_out);
	tcase_add_test(taken, datagrams_and_threads_are_refused);
	tcase_add_test(ended,
	    session_that_is_closed_gets_its_answer_and_a_clean_end);
	return suite;
}
