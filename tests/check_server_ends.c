/* SPDX-License-Identifier: ISC */
/*
 * When a client says no more: at its end of file, and while it is silent, the
 * service may still answer.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

static struct uxs_server *server;
static char calls[32]; /* m: on_message, f: on_eof, i: on_idle, e: on_end */
static size_t n_bytes;

static void
note(char call)
{
	const size_t n = strlen(calls);

	ck_assert_uint_lt(n, sizeof(calls) - 1);
	calls[n] = call;
	calls[n + 1] = '\0';
}

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	if (strchr(calls, 'm') == NULL)
		note('m');
	n_bytes += m->length;
	return 0;
}

static int
answer_at_eof(struct uxs_client *client, void *arg)
{
	note('f');
	return uxs_client_reply(client, "all", 3);
}

static int
refuse_at_eof(struct uxs_client *client, void *arg)
{
	note('f');
	return uxs_client_refuse(client, "no");
}

static int
fail_at_eof(struct uxs_client *client, void *arg)
{
	note('f');
	return -EIO;
}

static int
ask_when_idle(struct uxs_client *client, void *arg)
{
	note('i');
	return strlen(calls) < 3 ? uxs_client_reply(client, "?", 1) : -1;
}

static int
refuse_when_idle(struct uxs_client *client, void *arg)
{
	note('i');
	return uxs_client_refuse(client, "well, then");
}

static void
on_end(struct uxs_client *client, void *arg)
{
	note('e');
}

static struct uxs_service service;
static struct uxs_address address[UXS_ADDRESS_MAX];
static const enum uxs_type kinds[] = { UXS_STREAM, UXS_SEQPACKET };

static void
open_server(enum uxs_type type, int64_t idle_timeout_ns)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	char text[32];

	snprintf(text, sizeof(text), "%s:s", uxs_type_name(type));
	ck_assert_int_eq(uxs_address_parse(text, address, NULL), 1);
	calls[0] = '\0';
	n_bytes = 0;
	service.on_message = on_message;
	service.on_end = on_end;
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.service = &service;
	conf.idle_timeout_ns = idle_timeout_ns;
	ck_assert_int_eq(uxs_server_open(&server, &conf, NULL), 0);
}

static void
turn_until_closed(void)
{
	while (strchr(calls, 'e') == NULL)
		ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), -1), 0);
}

static uint64_t
closed(enum uxs_close reason)
{
	struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return stats.closed[reason];
}

START_TEST(service_answers_at_the_end_of_file)
{
	int fd;

	service = (struct uxs_service){ .on_eof = answer_at_eof };
	open_server(kinds[_i], 0);
	fd = client_connect(kinds[_i], "s");
	SAYS(fd, "one");
	SAYS(fd, "two");
	client_ends(fd);
	turn_until_closed();

	HEARS(fd, "all");
	client_hears_end(fd);
	ck_assert_str_eq(calls, "mfe");
	ck_assert_uint_eq(n_bytes, 6);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(refusal_at_the_end_of_file_is_its_text_and_a_clean_end)
{
	int fd;

	service = (struct uxs_service){ .on_eof = refuse_at_eof };
	open_server(kinds[_i], 0);
	fd = client_connect(kinds[_i], "s");
	client_ends(fd);
	turn_until_closed();

	HEARS(fd, "no");
	client_hears_end(fd);
	ck_assert_str_eq(calls, "fe");
	ck_assert_uint_eq(closed(UXS_CLOSE_REFUSED), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(error_at_the_end_of_file_is_counted)
{
	int fd;

	service = (struct uxs_service){ .on_eof = fail_at_eof };
	open_server(kinds[_i], 0);
	fd = client_connect(kinds[_i], "s");
	client_ends(fd);
	turn_until_closed();

	client_hears_end(fd);
	ck_assert_uint_eq(closed(UXS_CLOSE_ERROR), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_was_ended_before_has_no_end_of_file)
{
	int fd;

	service = (struct uxs_service){
		.on_idle = refuse_when_idle,
		.on_eof = answer_at_eof,
	};
	open_server(kinds[_i], UXS_NS_PER_MS);
	fd = client_connect(kinds[_i], "s");
	turn_until_closed();

	HEARS(fd, "well, then");
	client_hears_end(fd);
	ck_assert_str_eq(calls, "ie");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(drain_is_an_end_of_file_too)
{
	int fd;

	service = (struct uxs_service){ .on_eof = answer_at_eof };
	open_server(kinds[_i], 0);
	fd = client_connect(kinds[_i], "s");
	ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), -1), 0);
	uxs_server_drain(server);
	turn_until_closed();

	HEARS(fd, "all");
	client_hears_end(fd);
	ck_assert_str_eq(calls, "fe");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* Asked once, and once more, and then given up. */
START_TEST(silent_client_is_asked_until_the_service_gives_up)
{
	int fd;

	service = (struct uxs_service){
		.on_idle = ask_when_idle,
		.on_eof = answer_at_eof,
	};
	open_server(kinds[_i], 5 * UXS_NS_PER_MS);
	fd = client_connect(kinds[_i], "s");
	turn_until_closed();

	if (kinds[_i] == UXS_STREAM) {
		HEARS(fd, "??");
	} else {
		HEARS(fd, "?");
		HEARS(fd, "?");
	}
	client_hears_end(fd);
	ck_assert_str_eq(calls, "iiie");
	ck_assert_uint_eq(closed(UXS_CLOSE_IDLE), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* Its time runs from when it was asked: nothing is due in that turn. */
START_TEST(time_of_a_silent_client_runs_anew)
{
	int fd;

	service = (struct uxs_service){ .on_idle = ask_when_idle };
	open_server(kinds[_i], UXS_NS_PER_MS);
	fd = client_connect(kinds[_i], "s");
	ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), -1), 0);
	while (calls[0] == '\0')
		ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), -1), 0);

	ck_assert_str_eq(calls, "i");
	turn_until_closed();
	ck_assert_str_eq(calls, "iiie");
	close(fd);
	uxs_server_close(&server);
}
END_TEST

Suite *
suite_server_ends(void)
{
	Suite *suite = suite_create("server ends");
	TCase *eof = harness_case(suite, "end of file");
	TCase *idle = harness_case(suite, "silence");

#define LOOP(tcase, test) tcase_add_loop_test(tcase, test, 0, 2)
	LOOP(eof, service_answers_at_the_end_of_file);
	LOOP(eof, refusal_at_the_end_of_file_is_its_text_and_a_clean_end);
	LOOP(eof, error_at_the_end_of_file_is_counted);
	LOOP(eof, who_was_ended_before_has_no_end_of_file);
	LOOP(eof, drain_is_an_end_of_file_too);
	LOOP(idle, silent_client_is_asked_until_the_service_gives_up);
	LOOP(idle, time_of_a_silent_client_runs_anew);
	return suite;
}
