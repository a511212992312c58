/* SPDX-License-Identifier: ISC */
/*
 * The server as somebody who writes a daemon sees it: services of their own,
 * in this very process. The clients are a child, because their blocking calls
 * would wait for a server that waits for them, and because a datagram from
 * the server's own pid is dropped as its own. When the child has ended, all
 * that it did is in the server's queues: turns that do not wait settle it.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define BIG (1024 * 1024)

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* What the services saw, in this process. */
static struct {
	char calls[64]; /* o: on_open, m: on_message, e: on_end */
	uint64_t n_open_seen; /* connections while a message was in hand */
} seen;

static struct uxs_server *server;
/* One more, since any text might name a pair. */
static struct uxs_address addresses[UXS_N_TYPES + 1];

/* ---- the language of this file ---- */

static void
note(char call)
{
	const size_t n = strlen(seen.calls);

	ck_assert_uint_lt(n, sizeof(seen.calls) - 1);
	seen.calls[n] = call;
}

static struct uxs_server_conf
conf_for(const struct uxs_service *service)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	for (int i = 0; i < UXS_N_TYPES; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s:%s",
		    uxs_type_name((enum uxs_type)i), paths[i]);
		ck_assert_int_eq(uxs_address_parse(text, &addresses[i], NULL),
		    1);
	}
	conf.addresses = addresses;
	conf.n_addresses = UXS_N_TYPES;
	conf.service = service;
	return conf;
}

static void
open_with(const struct uxs_server_conf *conf)
{
	struct uxs_error why = { .text = "" };

	if (uxs_server_open(&server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

static void
open_service(const struct uxs_service *service)
{
	const struct uxs_server_conf conf = conf_for(service);

	open_with(&conf);
}

static bool have_ended;

static void
on_clients_ended(struct uxs_watch *watch, uint32_t events)
{
	uxs_watch_stop(uxs_server_loop(server), watch);
	have_ended = true;
}

/* Turn by turn, since to run and to stop would cut off what is under way. */
static void
serve_until(pid_t clients)
{
	struct uxs_loop *loop = uxs_server_loop(server);
	struct uxs_watch end = { .on_ready = on_clients_ended };

	end.fd = (int)syscall(SYS_pidfd_open, clients, 0);
	ck_assert_int_ge(end.fd, 0);
	ck_assert_int_eq(uxs_watch_start(loop, &end, EPOLLIN), 0);
	while (!have_ended)
		ck_assert_int_ge(uxs_loop_turn(loop, -1), 0);
	close(end.fd);
	ck_assert_int_eq(wait_child(clients), 0);
	while (uxs_loop_turn(loop, 0) > 0)
		;
}

/* Serve while a child does what clients do; arg points to its type. */
static void
serve(void (*clients)(void *), const void *arg)
{
	serve_until(start_child(clients, (void *)(uintptr_t)arg));
}

/* As of the last look. */
static const struct uxs_stats *
stats(void)
{
	static struct uxs_stats now;

	uxs_server_stats(server, &now);
	return &now;
}

static const struct uxs_stats_of_type *
stats_of(enum uxs_type type)
{
	return &stats()->of[type];
}

static uint64_t
closed(enum uxs_close reason)
{
	return stats()->closed[reason];
}

static int
dial(const void *type)
{
	const enum uxs_type t = *(const enum uxs_type *)type;

	return client_connect(t, harness_path(paths[t]));
}

static const enum uxs_type types[UXS_N_TYPES] = { UXS_STREAM, UXS_SEQPACKET,
	UXS_DGRAM };
#define STREAM (&types[UXS_STREAM])
#define SEQPACKET (&types[UXS_SEQPACKET])
#define DGRAM (&types[UXS_DGRAM])

/* ---- services ---- */

/* Echo, and remember. */
static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const int r = uxs_client_reply(client, m->data, m->length);

	note('m');
	seen.n_open_seen = stats_of(client->type)->connections;
	return r < 0 ? r : 0;
}

static int
open_counter(struct uxs_client *client, void *arg)
{
	note('o');
	ck_assert_ptr_null(client->state);
	client->state = calloc(1, sizeof(int));
	return client->state == NULL ? -ENOMEM : 0;
}

static int
count(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	int *n = client->state;
	char digit;

	note('m');
	/* A datagram's client has no on_open, and ends with its message. */
	if (client->type == UXS_DGRAM) {
		ck_assert_ptr_null(n);
		client->state = &seen;
		return uxs_client_reply(client, "none", 4) < 0 ? -EIO : 0;
	}
	digit = (char)('0' + ++*n);
	return uxs_client_reply(client, &digit, 1) < 0 ? -EIO : 0;
}

static void
end_counter(struct uxs_client *client, void *arg)
{
	note('e');
	free(client->state);
}

static void
end_noted(struct uxs_client *client, void *arg)
{
	note('e');
}

static const struct uxs_service counting = {
	.on_open = open_counter,
	.on_message = count,
	.on_end = end_counter,
};
static const struct uxs_service echoing = {
	.on_message = echo,
	.on_end = end_noted,
};

static int
refuse_message(struct uxs_client *client, const struct uxs_message *m,
    void *arg)
{
	note('m');
	return uxs_client_refuse(client, "not you") < 0 ? -EIO : 0;
}

static int
refuse_client(struct uxs_client *client, void *arg)
{
	note('o');
	return uxs_client_refuse(client, "not you") < 0 ? -EIO : 0;
}

static int
fail_open(struct uxs_client *client, void *arg)
{
	note('o');
	return uxs_client_reply(client, "sorry", 5) < 0 ? -EIO : -EPROTO;
}

/* An error for whoever says "bad". */
static int
fail_bad(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	if (m->length == 3 && memcmp(m->data, "bad", 3) == 0)
		return -EBADMSG;
	return echo(client, m, arg);
}

static int
say_length(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	char text[32];
	const int n = snprintf(text, sizeof(text), "%zu bytes", m->length);

	return uxs_client_reply(client, text, (size_t)n) < 0 ? -EIO : 0;
}

/* Much more than was asked, in parts. */
static int
answer_big(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	unsigned char data[BIG];

	fill_random(data, sizeof(data), 7);
	for (size_t at = 0; at < BIG; at += BIG / 16) {
		if (uxs_client_reply(client, data + at, BIG / 16) < 0)
			return -EIO;
	}
	return 0;
}

static int
stop_server(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	uxs_server_stop(server);
	return 0;
}

static int
drain_server(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const int r = echo(client, m, arg);

	uxs_server_drain(server);
	uxs_server_drain(server);
	return r;
}

/* ---- a service is called ---- */

static void
talk_twice(void *type)
{
	const int fd = dial(type);

	SAYS(fd, "first");
	HEARS(fd, "1");
	SAYS(fd, "second");
	HEARS(fd, "2");
	close(fd);
}

START_TEST(service_is_called_open_messages_end)
{
	open_service(&counting);

	serve(talk_twice, &types[_i]);

	ck_assert_str_eq(seen.calls, "omme");
	uxs_server_close(&server);
}
END_TEST

static void
talk_in_turn(void *type)
{
	const int a = dial(type), b = dial(type);

	SAYS(a, "x");
	HEARS(a, "1");
	SAYS(b, "x");
	HEARS(b, "1");
	SAYS(a, "x");
	HEARS(a, "2");
	close(a);
	close(b);
}

START_TEST(state_belongs_to_one_client)
{
	open_service(&counting);

	serve(talk_in_turn, &types[_i]);

	ck_assert_uint_eq(stats_of(types[_i])->accepted, 2);
	uxs_server_close(&server);
}
END_TEST

static void
send_two_datagrams(void *type)
{
	const int fd = dial(type);

	SAYS(fd, "x");
	HEARS(fd, "none");
	SAYS(fd, "x");
	HEARS(fd, "none");
	close(fd);
}

START_TEST(datagram_has_neither_open_nor_end_nor_state)
{
	open_service(&counting);

	serve(send_two_datagrams, DGRAM);

	ck_assert_str_eq(seen.calls, "mm");
	uxs_server_close(&server);
}
END_TEST

static void
say_nothing(void *type)
{
	const int fd = dial(type);

	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	HEARS(fd, "0 bytes");
	SAYS(fd, "four");
	HEARS(fd, "4 bytes");
	close(fd);
}

START_TEST(empty_message_reaches_the_service)
{
	const struct uxs_service service = { .on_message = say_length };

	open_service(&service);

	serve(say_nothing, &types[_i]);

	ck_assert_uint_eq(stats_of(types[_i])->received_messages, 2);
	uxs_server_close(&server);
}
END_TEST

static void
ask_for_much(void *type)
{
	const int fd = dial(type);
	unsigned char *data = malloc(BIG);

	fill_random(data, BIG, 7);
	SAYS(fd, "?");
	client_hears(fd, data, BIG);
	free(data);
	close(fd);
}

START_TEST(reply_larger_than_all_buffers_arrives_whole)
{
	const struct uxs_service service = { .on_message = answer_big };

	open_service(&service);

	serve(ask_for_much, STREAM);

	ck_assert_uint_eq(stats_of(UXS_STREAM)->sent_bytes, BIG);
	uxs_server_close(&server);
}
END_TEST

/* ---- a service says no ---- */

static void
hear_refusal_of_message(void *type)
{
	const int fd = dial(type);
	char rest[1000] = "";

	SAYS(fd, "please");
	send(fd, rest, sizeof(rest), MSG_NOSIGNAL); /* or it has ended */
	HEARS(fd, "not you");
	client_hears_end(fd);
	close(fd);
}

START_TEST(refusal_of_a_message_is_its_text_and_a_clean_end)
{
	const struct uxs_service service = {
		.on_message = refuse_message,
		.on_end = end_noted,
	};

	open_service(&service);

	serve(hear_refusal_of_message, &types[_i]);

	ck_assert_str_eq(seen.calls, "me");
	ck_assert_uint_eq(closed(UXS_CLOSE_REFUSED), 1);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

static void
hear_not_you(void *type)
{
	const int fd = dial(type);

	HEARS(fd, "not you");
	client_hears_end(fd);
	close(fd);
}

START_TEST(refusal_at_open_is_its_text_and_a_clean_end)
{
	const struct uxs_service service = {
		.on_open = refuse_client,
		.on_message = echo,
		.on_end = end_noted,
	};

	open_service(&service);

	serve(hear_not_you, &types[_i]);

	ck_assert_str_eq(seen.calls, "oe");
	ck_assert_uint_eq(closed(UXS_CLOSE_REFUSED), 1);
	uxs_server_close(&server);
}
END_TEST

static void
hear_sorry(void *type)
{
	const int fd = dial(type);

	HEARS(fd, "sorry");
	client_hears_end(fd);
	close(fd);
}

START_TEST(error_at_open_still_sends_what_was_replied)
{
	const struct uxs_service service = {
		.on_open = fail_open,
		.on_message = echo,
		.on_end = end_noted,
	};

	open_service(&service);

	serve(hear_sorry, &types[_i]);

	ck_assert_str_eq(seen.calls, "oe");
	uxs_server_close(&server);
}
END_TEST

static void
be_bad_beside_a_good_one(void *type)
{
	const int good = dial(type), bad = dial(type);

	SAYS(good, "before");
	HEARS(good, "before");
	SAYS(bad, "bad");
	client_hears_end(bad);
	SAYS(good, "after");
	HEARS(good, "after");
	close(good);
	close(bad);
}

START_TEST(error_of_a_message_ends_only_that_client)
{
	const struct uxs_service service = { .on_message = fail_bad };

	open_service(&service);

	serve(be_bad_beside_a_good_one, &types[_i]);

	ck_assert_uint_eq(closed(UXS_CLOSE_ERROR), 1);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), 1);
	ck_assert_uint_eq(stats_of(types[_i])->dropped[UXS_DROP_ERROR], 1);
	uxs_server_close(&server);
}
END_TEST

static void
send_bad_datagram(void *type)
{
	const int fd = dial(type);

	SAYS(fd, "bad");
	SAYS(fd, "good");
	HEARS(fd, "good");
	close(fd);
}

START_TEST(error_of_a_datagram_is_counted_only)
{
	const struct uxs_service service = { .on_message = fail_bad };

	open_service(&service);

	serve(send_bad_datagram, DGRAM);

	ck_assert_uint_eq(stats_of(UXS_DGRAM)->dropped[UXS_DROP_ERROR], 1);
	ck_assert_uint_eq(stats_of(UXS_DGRAM)->sent_messages, 1);
	uxs_server_close(&server);
}
END_TEST

/* ---- counts ---- */

static void
say_five_bytes_thrice(void *type)
{
	const int fd = dial(type);

	for (int i = 0; i < 3; i++) {
		SAYS(fd, "12345");
		HEARS(fd, "12345");
	}
	close(fd);
}

START_TEST(numbers_are_those_of_what_happened)
{
	const bool is_dgram = types[_i] == UXS_DGRAM;
	const struct uxs_stats_of_type *of;

	open_service(&echoing);

	serve(say_five_bytes_thrice, &types[_i]);

	of = stats_of(types[_i]);
	ck_assert_uint_eq(of->accepted, is_dgram ? 0 : 1);
	ck_assert_uint_eq(of->received_messages, 3);
	ck_assert_uint_eq(of->received_bytes, 15);
	ck_assert_uint_eq(of->sent_messages, 3);
	ck_assert_uint_eq(of->sent_bytes, 15);
	ck_assert_uint_eq(seen.n_open_seen, is_dgram ? 0 : 1);
	ck_assert_uint_eq(of->connections, 0);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), is_dgram ? 0 : 1);
	uxs_server_close(&server);
}
END_TEST

static void
be_refused(void *type)
{
	const int fd = dial(type);

	client_hears_end(fd);
	close(fd);
}

START_TEST(client_that_rules_keep_out_is_counted_and_gone)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_server_conf conf = conf_for(&counting);

	ck_assert_int_eq(uxs_access_add(&access, UXS_DENY, "any",
			     &uxs_names_system, NULL),
	    0);
	conf.access = &access;
	open_with(&conf);

	serve(be_refused, &types[_i]);

	ck_assert_str_eq(seen.calls, "");
	ck_assert_uint_eq(stats_of(types[_i])->refused[UXS_REFUSAL_RULES], 1);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, 0);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
	uxs_access_fini(&access);
}
END_TEST

static void
send_too_long(void *type)
{
	char data[101] = "";
	const int fd = dial(type);

	client_says(fd, data, 100);
	client_hears(fd, data, 100);
	client_says(fd, data, 101);
	if (*(enum uxs_type *)type == UXS_DGRAM) {
		client_says(fd, data, 100);
		client_hears(fd, data, 100);
	} else
		client_hears_end(fd);
	close(fd);
}

START_TEST(message_too_long_is_counted_and_not_cut)
{
	struct uxs_server_conf conf = conf_for(&echoing);

	conf.max_message_bytes = 100;
	open_with(&conf);

	serve(send_too_long, &types[_i]);

	ck_assert_str_eq(seen.calls, types[_i] == UXS_DGRAM ? "mm" : "me");
	ck_assert_uint_eq(stats_of(types[_i])->dropped[UXS_DROP_TOO_LONG], 1);
	ck_assert_uint_eq(closed(UXS_CLOSE_TOO_LONG),
	    types[_i] == UXS_DGRAM ? 0 : 1);
	uxs_server_close(&server);
}
END_TEST

/* ---- time ---- */

START_TEST(silent_client_is_closed_at_the_idle_timeout)
{
	struct uxs_server_conf conf = conf_for(&echoing);

	conf.idle_timeout_ns = 20 * UXS_NS_PER_MS;
	open_with(&conf);

	serve(be_refused, &types[_i]);

	ck_assert_uint_eq(closed(UXS_CLOSE_IDLE), 1);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

/* Send and never read, until the server has had enough. */
static void
never_read(void *type)
{
	const int fd = dial(type);
	char data[4096] = "";

	while (send(fd, data, sizeof(data), MSG_NOSIGNAL) > 0)
		;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	close(fd);
}

START_TEST(client_that_does_not_read_is_closed_at_the_write_timeout)
{
	const struct uxs_service service = { .on_message = say_length };
	struct uxs_server_conf conf = conf_for(&service);

	conf.write_timeout_ns = 20 * UXS_NS_PER_MS;
	open_with(&conf);

	serve(never_read, &types[_i]);

	ck_assert_uint_eq(closed(UXS_CLOSE_WRITE_TIMEOUT), 1);
	ck_assert_uint_ge(stats_of(types[_i])->dropped[UXS_DROP_FULL], 1);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

/* ---- clients that leave ---- */

/* Clients of this same process: they and the server take turns. */
static void
take_turns(int n)
{
	while (n-- > 0)
		ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), 0), 0);
}

/* To close with a reply unread resets the connection. That is reported before
 * the seqpackets which were sent earlier; they are messages all the same. */
START_TEST(messages_of_a_client_that_did_not_read_are_received)
{
	int fd;

	open_service(&echoing);
	fd = dial(&types[_i]);
	SAYS(fd, "a");
	take_turns(5);
	ck_assert_uint_eq(stats_of(types[_i])->sent_messages, 1);
	SAYS(fd, "b");
	if (types[_i] == UXS_SEQPACKET)
		SAYS(fd, "c");
	close(fd);

	take_turns(10);

	ck_assert_uint_eq(stats_of(types[_i])->received_messages,
	    types[_i] == UXS_SEQPACKET ? 3 : 2);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	ck_assert_uint_eq(closed(UXS_CLOSE_GONE), 1);
	uxs_server_close(&server);
}
END_TEST

/* ---- limits ---- */

static void
exceed_two_places(void *type)
{
	const int a = dial(type), b = dial(type), c = dial(type);
	int d;

	client_hears_end(c);
	SAYS(a, "in");
	HEARS(a, "in");
	client_ends(b);
	client_hears_end(b);
	d = dial(type);
	SAYS(d, "in again");
	HEARS(d, "in again");
	close(a);
	close(b);
	close(c);
	close(d);
}

START_TEST(one_more_than_max_conns_is_refused_until_a_place_is_free)
{
	struct uxs_server_conf conf = conf_for(&echoing);

	conf.max_conns = 2;
	conf.max_conns_per_user = 100;
	open_with(&conf);

	serve(exceed_two_places, &types[_i]);

	ck_assert_uint_eq(stats_of(types[_i])->refused[UXS_REFUSAL_MAX_CONNS],
	    1);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, 3);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

static void
be_served(void *type)
{
	const int fd = dial(type);

	SAYS(fd, "me too");
	HEARS(fd, "me too");
	close(fd);
}

static void
exceed_places_of_one_user(void *type)
{
	const int a = dial(type), b = dial(type), c = dial(type);

	client_hears_end(c);
	as_user(OTHER_UID, OTHER_GID, be_served, type);
	SAYS(b, "still in");
	HEARS(b, "still in");
	close(a);
	close(b);
	close(c);
}

START_TEST(user_at_his_limit_does_not_keep_others_out)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_server_conf conf = conf_for(&echoing);

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(uxs_access_add(&access, UXS_ALLOW, "any",
			     &uxs_names_system, NULL),
	    0);
	conf.access = &access;
	conf.max_conns_per_user = 2;
	open_with(&conf);

	serve(exceed_places_of_one_user, &types[_i]);

	ck_assert_uint_eq(stats_of(types[_i])
			      ->refused[UXS_REFUSAL_MAX_PER_USER],
	    1);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, 3);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
	uxs_access_fini(&access);
}
END_TEST

/* Too much to keep for one user, though not for one connection. */
static void
ask_for_much_and_do_not_read(void *type)
{
	const int a = dial(type), b = dial(type);

	char byte;

	/* What fills both kernel buffers is not kept; the rest of a's is. */
	SAYS(a, "?");
	ck_assert_int_eq(recv(a, &byte, 1, 0), 1);
	SAYS(b, "?");
	while (recv(b, &byte, 1, 0) > 0)
		;
	close(a);
	close(b);
}

START_TEST(user_cannot_have_more_kept_than_his_ceiling)
{
	const struct uxs_service service = { .on_message = answer_big };
	struct uxs_server_conf conf = conf_for(&service);

	conf.max_bytes_per_user = BIG + BIG / 2;
	open_with(&conf);

	serve(ask_for_much_and_do_not_read, STREAM);

	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 1);
	ck_assert_uint_eq(stats_of(UXS_STREAM)->connections, 0);
	uxs_server_close(&server);
}
END_TEST

/* One after the other, and each goes while much is kept for it; then one
 * that reads. If anything stayed in the ledger, that one would be closed. The
 * account stays the same, for one more that is there all the time. */
static void
leave_much_unread(void *type)
{
	const int silent = dial(type);
	char byte;

	for (int i = 0; i < 10; i++) {
		const int fd = dial(type);

		SAYS(fd, "?");
		ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
		if (i % 2 == 0)
			client_ends(fd);
		close(fd);
	}
	ask_for_much(type);
	close(silent);
}

START_TEST(bytes_kept_are_zero_after_every_end)
{
	const struct uxs_service service = { .on_message = answer_big };
	struct uxs_server_conf conf = conf_for(&service);

	conf.max_bytes_per_user = BIG + BIG / 8;
	open_with(&conf);

	serve(leave_much_unread, STREAM);

	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 0);
	ck_assert_uint_eq(stats_of(UXS_STREAM)->connections, 0);
	uxs_server_close(&server);
}
END_TEST

/* More than a bucket holds that gets one token a second. */
static void
exceed_the_rate(void *type)
{
	const int a = dial(type), b = dial(type);

	client_hears_end(b);
	SAYS(a, "in");
	HEARS(a, "in");
	close(a);
	close(b);
}

START_TEST(who_comes_too_fast_is_refused_and_counted)
{
	struct uxs_server_conf conf = conf_for(&echoing);

	conf.max_rate = 1;
	open_with(&conf);

	serve(exceed_the_rate, &types[_i]);

	ck_assert_uint_eq(stats_of(types[_i])->refused[UXS_REFUSAL_RATE], 1);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, 1);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

static void
send_two_hear_one(void *type)
{
	const int fd = dial(type);
	char byte;

	SAYS(fd, "1");
	SAYS(fd, "2");
	HEARS(fd, "1");
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	close(fd);
}

START_TEST(datagrams_that_come_too_fast_are_refused_and_counted)
{
	struct uxs_server_conf conf = conf_for(&echoing);

	conf.max_rate = 1;
	open_with(&conf);

	serve(send_two_hear_one, DGRAM);

	ck_assert_uint_eq(stats_of(UXS_DGRAM)->refused[UXS_REFUSAL_RATE], 1);
	ck_assert_uint_eq(stats_of(UXS_DGRAM)->received_messages, 1);
	uxs_server_close(&server);
}
END_TEST

/* ---- descriptors ---- */

#define CROWD 12

static int barrier[2];

/* Many at once, each served and gone before the next is looked at. */
static void
come_as_a_crowd(void *type)
{
	int fds[CROWD];
	char go;

	ck_assert_int_eq(read(barrier[0], &go, 1), 1);
	for (int i = 0; i < CROWD; i++)
		fds[i] = dial(type);
	for (int i = 0; i < CROWD; i++) {
		SAYS(fds[i], "here");
		HEARS(fds[i], "here");
		close(fds[i]);
	}
}

/* Leave this process only so many more descriptors. */
static void
leave_descriptors(struct rlimit *before, int n)
{
	const int next = dup(STDERR_FILENO);
	struct rlimit limit;

	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);
	limit = *before;
	limit.rlim_cur = (rlim_t)(next + n);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static pid_t
start_crowd(const enum uxs_type *type)
{
	ck_assert_int_eq(pipe2(barrier, O_CLOEXEC), 0);
	return start_child(come_as_a_crowd, (void *)(uintptr_t)type);
}

static void
let_the_crowd_in(void)
{
	ck_assert_int_eq(write(barrier[1], "!", 1), 1);
	close(barrier[0]);
	close(barrier[1]);
}

START_TEST(out_of_descriptors_it_waits_for_those_that_end)
{
	struct uxs_server_conf conf = conf_for(&echoing);
	struct rlimit before;
	pid_t crowd;

	conf.max_conns = conf.max_conns_per_user = 1000;
	open_with(&conf);
	crowd = start_crowd(&types[_i]);
	let_the_crowd_in();
	leave_descriptors(&before, 4); /* and one is for the pidfd */

	serve_until(crowd);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_uint_ge(stats()->pauses, 1);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, CROWD);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

START_TEST(close_of_a_session_resumes_accepting_at_once)
{
	struct rlimit before;
	int first, second;

	open_service(&echoing);
	first = dial(&types[_i]);
	second = dial(&types[_i]);
	leave_descriptors(&before, 1);
	take_turns(2);
	ck_assert_uint_eq(stats_of(types[_i])->accepted, 1);
	ck_assert_uint_ge(stats()->pauses, 1);

	client_ends(first);
	take_turns(5); /* much shorter than the pause */

	ck_assert_uint_eq(stats_of(types[_i])->accepted, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(first);
	close(second);
	uxs_server_close(&server);
}
END_TEST

static struct rlimit plenty;

static void
on_plenty(struct uxs_timer *timer)
{
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &plenty), 0);
}

/* A spinning server would have paused thousands of times by then. */
START_TEST(out_of_descriptors_it_tries_again_by_itself_and_does_not_spin)
{
	struct uxs_timer timer = { .on_expiry = on_plenty };
	pid_t crowd;

	open_service(&echoing);
	crowd = start_crowd(STREAM);
	let_the_crowd_in();
	leave_descriptors(&plenty, 1); /* for the pidfd */
	uxs_timer_start(uxs_server_loop(server), &timer,
	    uxs_loop_now_ns(uxs_server_loop(server)) + 100 * UXS_NS_PER_MS);

	serve_until(crowd);

	ck_assert_uint_ge(stats()->pauses, 1);
	ck_assert_uint_le(stats()->pauses, 10);
	ck_assert_uint_eq(stats_of(UXS_STREAM)->accepted, CROWD);
	uxs_server_close(&server);
}
END_TEST

/* ---- life ---- */

static void
hear_the_last_answer(void *type)
{
	const int fd = dial(type);

	SAYS(fd, "last");
	HEARS(fd, "last");
	if (*(enum uxs_type *)type != UXS_DGRAM)
		client_hears_end(fd);
	close(fd);
}

START_TEST(drain_from_a_callback_answers_and_returns)
{
	const struct uxs_service service = { .on_message = drain_server };
	pid_t client;

	open_service(&service);
	client =
	    start_child(hear_the_last_answer, (void *)(uintptr_t)&types[_i]);

	ck_assert_int_eq(uxs_server_run(server), 0);

	ck_assert_int_eq(wait_child(client), 0);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 0);
	uxs_server_close(&server);
}
END_TEST

static void
say_and_hear_the_end(void *type)
{
	const int fd = dial(type);
	char byte;

	SAYS(fd, "stop");
	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

START_TEST(stop_from_a_callback_returns_and_ends_what_is_open)
{
	const struct uxs_service service = {
		.on_open = open_counter,
		.on_message = stop_server,
		.on_end = end_counter,
	};
	pid_t client;

	open_service(&service);
	client =
	    start_child(say_and_hear_the_end, (void *)(uintptr_t)&types[_i]);

	ck_assert_int_eq(uxs_server_run(server), 0);

	uxs_server_close(&server);
	ck_assert_str_eq(seen.calls, "oe");
	ck_assert_int_eq(wait_child(client), 0);
}
END_TEST

START_TEST(close_ends_sessions_that_are_open)
{
	int fd;

	open_service(&counting);
	fd = dial(&types[_i]);
	take_turns(2);
	ck_assert_uint_eq(stats_of(types[_i])->connections, 1);

	uxs_server_close(&server);

	ck_assert_str_eq(seen.calls, "oe");
	ck_assert_ptr_null(server);
	client_hears_end(fd);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(open_that_fails_at_the_last_address_leaves_nothing)
{
	struct uxs_server_conf conf = conf_for(&echoing);
	struct uxs_error why;

	ck_assert_int_eq(uxs_address_parse("dgram:missing/d",
			     &addresses[UXS_DGRAM], NULL),
	    1);

	ck_assert_int_lt(uxs_server_open(&server, &conf, &why), 0);

	ck_assert_ptr_null(server);
	ck_assert_int_eq(count_files(), 0);
	ck_assert_int_eq(why.failure, UXS_FAILURE_CREATE);
}
END_TEST

START_TEST(close_removes_every_file)
{
	open_service(&echoing);
	ck_assert_int_gt(count_files(), 0);

	uxs_server_close(&server);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* Loops: both kinds of connection, or all three types, or those with
 * messages. */
#define CONNECTIONS 0, 2
#define ALL_TYPES 0, 3
#define PACKETS 1, 3

static void
add_service_cases(Suite *suite)
{
	TCase *calls = harness_case(suite, "calls");
	TCase *refusals = harness_case(suite, "refusals");

#define LOOP(tcase, test, range) tcase_add_loop_test(tcase, test, range)
	LOOP(calls, service_is_called_open_messages_end, CONNECTIONS);
	LOOP(calls, state_belongs_to_one_client, CONNECTIONS);
	tcase_add_test(calls, datagram_has_neither_open_nor_end_nor_state);
	LOOP(calls, empty_message_reaches_the_service, PACKETS);
	tcase_add_test(calls, reply_larger_than_all_buffers_arrives_whole);

	LOOP(refusals, refusal_of_a_message_is_its_text_and_a_clean_end,
	    CONNECTIONS);
	LOOP(refusals, refusal_at_open_is_its_text_and_a_clean_end,
	    CONNECTIONS);
	LOOP(refusals, error_at_open_still_sends_what_was_replied, CONNECTIONS);
	LOOP(refusals, error_of_a_message_ends_only_that_client, CONNECTIONS);
	tcase_add_test(refusals, error_of_a_datagram_is_counted_only);
}

static void
add_limit_cases(Suite *suite)
{
	TCase *counts = harness_case(suite, "counts");
	TCase *time = harness_case(suite, "time");
	TCase *limits = harness_case(suite, "limits");
	TCase *descriptors = harness_case(suite, "descriptors");

	LOOP(counts, numbers_are_those_of_what_happened, ALL_TYPES);
	LOOP(counts, client_that_rules_keep_out_is_counted_and_gone,
	    CONNECTIONS);
	LOOP(counts, message_too_long_is_counted_and_not_cut, PACKETS);
	LOOP(counts, messages_of_a_client_that_did_not_read_are_received,
	    CONNECTIONS);
	LOOP(time, silent_client_is_closed_at_the_idle_timeout, CONNECTIONS);
	LOOP(time, client_that_does_not_read_is_closed_at_the_write_timeout,
	    CONNECTIONS);
	LOOP(limits, one_more_than_max_conns_is_refused_until_a_place_is_free,
	    CONNECTIONS);
	LOOP(limits, user_at_his_limit_does_not_keep_others_out, CONNECTIONS);
	tcase_add_test(limits, user_cannot_have_more_kept_than_his_ceiling);
	tcase_add_test(limits, bytes_kept_are_zero_after_every_end);
	LOOP(limits, who_comes_too_fast_is_refused_and_counted, CONNECTIONS);
	tcase_add_test(limits,
	    datagrams_that_come_too_fast_are_refused_and_counted);
	LOOP(descriptors, out_of_descriptors_it_waits_for_those_that_end,
	    CONNECTIONS);
	LOOP(descriptors, close_of_a_session_resumes_accepting_at_once,
	    CONNECTIONS);
	tcase_add_test(descriptors,
	    out_of_descriptors_it_tries_again_by_itself_and_does_not_spin);
}

Suite *
suite_server(void)
{
	Suite *suite = suite_create("server");
	TCase *life;

	add_service_cases(suite);
	add_limit_cases(suite);
	life = harness_case(suite, "life");
	LOOP(life, drain_from_a_callback_answers_and_returns, ALL_TYPES);
	LOOP(life, stop_from_a_callback_returns_and_ends_what_is_open,
	    CONNECTIONS);
	LOOP(life, close_ends_sessions_that_are_open, CONNECTIONS);
	tcase_add_test(life,
	    open_that_fails_at_the_last_address_leaves_nothing);
	tcase_add_test(life, close_removes_every_file);
	return suite;
}
