/* SPDX-License-Identifier: ISC */
/*
 * What goes wrong on purpose: each fate of a message does what it says, and
 * nothing besides. Datagrams of this process would be our own to the server;
 * they are in check_uxecho_fault.c.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "lib/fated.h"

#define BIT(fault) (1U << UXS_FAULT_##fault)

/* ---- a server whose messages have fates ---- */

static struct uxs_server *server;
static struct uxs_address address[UXS_ADDRESS_MAX];

/* By the number of a message, from 1 on; what is behind them is as usual. */
#define FATES_MAX 8
static struct uxs_fate planned[FATES_MAX + 1];
static unsigned n_seen, n_ended; /* what the service was told */
static size_t n_bytes_seen;

static void
of_message(struct uxs_fate *fate, uint64_t connection, uint64_t message,
    void *arg)
{
	if (message <= FATES_MAX)
		*fate = planned[message];
}

static const struct uxs_fates fates = {
	.of_message = of_message,
	.has_resets = true,
};

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	n_seen++;
	n_bytes_seen += m->length;
	return uxs_client_reply(client, m->data, m->length);
}

static void
on_end(struct uxs_client *client, void *arg)
{
	n_ended++;
}

static const struct uxs_service service = {
	.on_message = on_message,
	.on_end = on_end,
	.is_mirror = true,
};

static struct uxs_server_conf
conf_of(enum uxs_type type)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	char text[32];

	snprintf(text, sizeof(text), "%s:s", uxs_type_name(type));
	ck_assert_int_eq(uxs_address_parse(text, address, NULL), 1);
	n_seen = n_ended = 0;
	n_bytes_seen = 0;
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.service = &service;
	conf.fates = &fates;
	return conf;
}

static void
open_conf(const struct uxs_server_conf *conf)
{
	ck_assert_int_eq(uxs_server_open(&server, conf, NULL), 0);
}

static void
open_server(enum uxs_type type)
{
	const struct uxs_server_conf conf = conf_of(type);

	open_conf(&conf);
}

static void
plan(unsigned message, uint32_t faults)
{
	planned[message] = (struct uxs_fate){
		.faults = faults,
		.delay_ns = 20 * UXS_NS_PER_MS,
		.corrupt_at = 1,
		.corrupt_mask = 0x20,
		.short_at = 1,
	};
}

static void
turn(int64_t timeout_ns)
{
	ck_assert_int_ge(uxs_loop_turn(uxs_server_loop(server), timeout_ns), 0);
}

static uint64_t
n_done(enum uxs_type type, enum uxs_fault fault)
{
	struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return stats.of[type].faults[fault];
}

static uint64_t
n_of_all(enum uxs_type type)
{
	uint64_t n = 0;

	for (int i = 0; i < UXS_N_FAULTS; i++)
		n += n_done(type, (enum uxs_fault)i);
	return n;
}

static struct uxs_stats_of_type
figures(enum uxs_type type)
{
	struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return stats.of[type];
}

static uint64_t
n_closed(enum uxs_close reason)
{
	struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return stats.closed[reason];
}

static void
turn_until_closed(void)
{
	while (n_ended == 0)
		turn(-1);
}

/* Is there something to read, of a client that has waited? */
static bool
hears_something(int fd)
{
	struct pollfd now = { .fd = fd, .events = POLLIN };

	return poll(&now, 1, 0) == 1;
}

static void
turn_until_heard(int fd)
{
	while (!hears_something(fd))
		turn(-1);
}

static void
hears(int fd, const char *text)
{
	turn_until_heard(fd);
	HEARS(fd, text);
}

/* A stream has no ends between them. */
static void
hears_both(int fd, enum uxs_type type)
{
	if (type == UXS_STREAM) {
		HEARS(fd, "onetwo");
		return;
	}
	HEARS(fd, "one");
	HEARS(fd, "two");
}

static void
hears_reset(int fd)
{
	char byte;

	ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
}

static const enum uxs_type kinds[] = { UXS_STREAM, UXS_SEQPACKET };
#define N_KINDS 2

/* ---- answers ---- */

START_TEST(a_dropped_answer_is_missing_alone)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(2, BIT(DROP));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	hears(fd, "one");
	SAYS(fd, "two");
	while (n_seen < 2)
		turn(-1);
	SAYS(fd, "three");

	hears(fd, "three");
	ck_assert_uint_eq(n_done(type, UXS_FAULT_DROP), 1);
	ck_assert_uint_eq(n_of_all(type), 1);
	ck_assert_uint_eq(figures(type).sent_messages, 2);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_corrupt_answer_has_one_byte_changed)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(1, BIT(CORRUPT));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "word");

	hears(fd, "wOrd");
	SAYS(fd, "word");
	hears(fd, "word");
	ck_assert_uint_eq(n_done(type, UXS_FAULT_CORRUPT), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* A stream's answer is whole, but a client that reads as it comes sees two
 * parts; the clock of the loop is what parts them. */
START_TEST(a_short_answer_comes_in_two_parts)
{
	char data[16];
	int fd;

	plan(1, BIT(SHORT));
	open_server(UXS_STREAM);
	fd = client_connect(UXS_STREAM, "s");
	SAYS(fd, "word");
	turn_until_heard(fd);

	ck_assert_int_eq(recv(fd, data, sizeof(data), 0), 2);
	hears(fd, "rd");
	SAYS(fd, "more");
	hears(fd, "more");
	ck_assert_uint_eq(n_done(UXS_STREAM, UXS_FAULT_SHORT), 1);
	ck_assert_uint_eq(figures(UXS_STREAM).sent_messages, 2);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_short_packet_is_cut)
{
	const enum uxs_type type = UXS_SEQPACKET;
	char data[16];
	int fd;

	plan(1, BIT(SHORT));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "word");
	turn_until_heard(fd);

	ck_assert_int_eq(recv(fd, data, sizeof(data), 0), 2);
	SAYS(fd, "more");
	hears(fd, "more");
	ck_assert_uint_eq(n_done(type, UXS_FAULT_SHORT), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* Nothing in them could be changed, or cut. */
START_TEST(what_cannot_be_spoilt_is_not_counted)
{
	const enum uxs_type type = UXS_SEQPACKET;
	int fd;

	plan(1, BIT(SHORT) | BIT(CORRUPT));
	plan(2, BIT(SHORT));
	open_server(type);
	fd = client_connect(type, "s");
	client_says(fd, "", 0);
	SAYS(fd, "x");
	turn_until_heard(fd);
	client_hears(fd, "", 0);

	hears(fd, "x");
	ck_assert_uint_eq(n_of_all(type), 0);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* ---- time ---- */

static int64_t
since(int64_t start_ns)
{
	return uxs_loop_read_clock() - start_ns;
}

START_TEST(a_delayed_answer_is_late_and_keeps_its_place)
{
	const enum uxs_type type = kinds[_i];
	const int64_t start_ns = uxs_loop_read_clock();
	int fd;

	plan(1, BIT(DELAY));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	while (n_seen < 1)
		turn(-1);
	SAYS(fd, "two");
	while (n_seen < 2)
		turn(-1);
	ck_assert(!hears_something(fd) ||
	    since(start_ns) >= planned[1].delay_ns);

	turn_until_heard(fd);
	ck_assert_int_ge(since(start_ns), planned[1].delay_ns);
	hears_both(fd, type);
	ck_assert_uint_eq(n_done(type, UXS_FAULT_DELAY), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_drain_waits_for_delayed_answers)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(1, BIT(DELAY));
	plan(2, BIT(DELAY));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	while (n_seen < 1)
		turn(-1);
	SAYS(fd, "two");

	uxs_server_drain(server);
	ck_assert_int_eq(uxs_server_run(server), 0);
	hears_both(fd, type);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* It is the server who keeps the client waiting. */
START_TEST(who_waits_for_a_delayed_answer_is_not_idle)
{
	struct uxs_server_conf conf = conf_of(UXS_STREAM);
	int fd;

	plan(1, BIT(DELAY));
	conf.idle_timeout_ns = planned[1].delay_ns / 5;
	open_conf(&conf);
	fd = client_connect(UXS_STREAM, "s");
	SAYS(fd, "one");

	hears(fd, "one");
	turn_until_closed();
	ck_assert_uint_eq(n_closed(UXS_CLOSE_IDLE), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

static void
all_are_late(struct uxs_fate *fate, uint64_t connection, uint64_t message,
    void *arg)
{
	fate->faults = BIT(DELAY);
	fate->delay_ns = *(const int64_t *)arg;
}

/* More than the kernel keeps for a client that does not read. */
#define FLOOD (512 * 1024)

/* Sends while it is taken, and turns until it is quiet. */
static size_t
flood(int fd, size_t size)
{
	static const char data[4096];
	size_t n = 0;
	ssize_t r = 1;

	while (n < FLOOD && r > 0) {
		r = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		n += r > 0 ? (size_t)r : 0;
		turn(0);
	}
	return n;
}

START_TEST(delayed_answers_take_no_more_than_the_buffer)
{
	const int64_t hour_ns = 3600 * UXS_NS_PER_S;
	const struct uxs_fates late = { .of_message = all_are_late,
		.arg = (void *)&hour_ns };
	const enum uxs_type type = kinds[_i];
	struct uxs_server_conf conf = conf_of(type);
	struct uxs_account_figures user;
	int fd;

	conf.fates = &late;
	conf.buffer_bytes = 32 * 1024;
	conf.drain_ns = 1;
	open_conf(&conf);
	fd = client_connect(type, "s");
	while (n_seen == 0) {
		SAYS(fd, "x");
		turn(-1);
	}

	ck_assert_uint_lt(flood(fd, 1000), FLOOD);
	ck_assert_uint_gt(n_bytes_seen, conf.buffer_bytes / 2);
	ck_assert_uint_le(n_bytes_seen, conf.buffer_bytes + 1000);
	ck_assert_uint_eq(uxs_server_users(server, &user, 1), 1);
	ck_assert_uint_ge(user.n_bytes, n_bytes_seen);

	/* And nobody is told at the end what was never sent. */
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* One byte takes as much as what is noted of it. */
START_TEST(small_delayed_answers_are_bounded_as_well)
{
	const int64_t hour_ns = 3600 * UXS_NS_PER_S;
	const struct uxs_fates late = { .of_message = all_are_late,
		.arg = (void *)&hour_ns };
	struct uxs_server_conf conf = conf_of(UXS_SEQPACKET);
	int fd;

	conf.fates = &late;
	conf.buffer_bytes = 4096;
	open_conf(&conf);
	fd = client_connect(UXS_SEQPACKET, "s");

	flood(fd, 1);
	ck_assert_uint_gt(n_seen, 10);
	ck_assert_uint_le(n_seen * delayed_cost(1),
	    conf.buffer_bytes + delayed_cost(1));
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* ---- ends ---- */

START_TEST(a_closed_connection_ends_in_order)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(2, BIT(CLOSE));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	hears(fd, "one");
	SAYS(fd, "two");
	turn_until_closed();

	client_hears_end(fd);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_uint_eq(n_closed(UXS_CLOSE_FAULT), 1);
	ck_assert_uint_eq(n_done(type, UXS_FAULT_CLOSE), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_reset_is_one_for_the_client)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(2, BIT(RESET));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	hears(fd, "one");
	SAYS(fd, "two");
	turn_until_closed();

	hears_reset(fd);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_uint_eq(n_closed(UXS_CLOSE_FAULT), 1);
	ck_assert_uint_eq(n_done(type, UXS_FAULT_RESET), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* It waits for what is on its way; a stream says it behind the bytes. */
START_TEST(a_reset_comes_behind_delayed_answers)
{
	int fd;

	plan(1, BIT(DELAY));
	plan(2, BIT(RESET));
	open_server(UXS_STREAM);
	fd = client_connect(UXS_STREAM, "s");
	SAYS(fd, "one");
	while (n_seen < 1)
		turn(-1);
	SAYS(fd, "two");
	turn_until_closed();

	HEARS(fd, "one");
	hears_reset(fd);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_has_sent_all_is_reset_as_well)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(1, BIT(RESET));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	client_ends(fd);
	turn_until_closed();

	hears_reset(fd);
	ck_assert_uint_eq(n_done(type, UXS_FAULT_RESET), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(without_a_message_there_is_no_reset)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(1, BIT(RESET));
	open_server(type);
	fd = client_connect(type, "s");
	client_ends(fd);
	turn_until_closed();

	client_hears_end(fd);
	ck_assert_uint_eq(n_of_all(type), 0);
	ck_assert_uint_eq(n_closed(UXS_CLOSE_EOF), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(nobody_is_left_to_see_a_reset)
{
	const enum uxs_type type = kinds[_i];
	int fd;

	plan(1, BIT(RESET));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	close(fd);
	turn_until_closed();

	ck_assert_uint_eq(n_of_all(type), 0);
	uxs_server_close(&server);
}
END_TEST

/* All in one write: what is before it is answered, and it alone is not. */
static const char *const cuts[] = { "one\ntwo\nthree\nfour\n", "one\ntwo\n",
	"three\nfour\n", "\n\n\n\n" };

START_TEST(a_reset_finds_its_message_among_lines)
{
	struct uxs_server_conf conf = conf_of(UXS_STREAM);
	int fd;

	plan(3, BIT(RESET));
	conf.framing = UXS_FRAMING_LINE;
	open_conf(&conf);
	fd = client_connect(UXS_STREAM, "s");
	SAYS(fd, cuts[_i]);
	if (_i == 1)
		SAYS(fd, "th");
	else if (_i == 2)
		SAYS(fd, "th\n");
	turn_until_closed();

	if (_i == 2)
		HEARS(fd, "three\nfour\n");
	else
		client_hears(fd, cuts[_i], _i == 3 ? 2 : strlen("one\ntwo\n"));
	hears_reset(fd);
	ck_assert_uint_eq(n_seen, 2);
	ck_assert_uint_eq(n_done(UXS_STREAM, UXS_FAULT_RESET), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_stalled_connection_stays_open_and_silent)
{
	const enum uxs_type type = kinds[_i];
	int fd, other;

	plan(2, BIT(STALL));
	open_server(type);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	hears(fd, "one");
	SAYS(fd, "two");
	while (n_done(type, UXS_FAULT_STALL) == 0)
		turn(-1);
	SAYS(fd, "three");
	client_ends(fd);
	other = client_connect(type, "s");
	SAYS(other, "there?");
	hears(other, "there?");

	ck_assert(!hears_something(fd));
	ck_assert_uint_eq(n_seen, 2);
	ck_assert_uint_eq(n_ended, 0);
	close(fd);
	turn_until_closed();
	ck_assert_uint_eq(n_closed(UXS_CLOSE_GONE), 1);
	close(other);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_drain_ends_stalled_connections)
{
	const enum uxs_type type = kinds[_i];
	struct uxs_server_conf conf = conf_of(type);
	int fd;

	plan(1, BIT(STALL));
	conf.drain_ns = 3600 * UXS_NS_PER_S;
	open_conf(&conf);
	fd = client_connect(type, "s");
	SAYS(fd, "one");
	while (n_done(type, UXS_FAULT_STALL) == 0)
		turn(-1);

	uxs_server_drain(server);
	ck_assert_int_eq(uxs_server_run(server), 0);
	ck_assert_uint_eq(n_closed(UXS_CLOSE_FAULT), 1);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

/* ---- what is the same with fates and without ---- */

/* Reads that are large and in a row would be passed on unseen otherwise. */
START_TEST(nothing_is_passed_on_unseen)
{
	char data[1024 * 1024], *back = malloc(sizeof(data));
	size_t n_sent = 0, n_heard = 0;
	int fd;

	ck_assert_ptr_nonnull(back);
	open_server(UXS_STREAM);
	fill_random(data, sizeof(data), 7);
	fd = client_connect(UXS_STREAM, "s");
	while (n_heard < sizeof(data)) {
		ssize_t r = send(fd, data + n_sent, sizeof(data) - n_sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		n_sent += r > 0 ? (size_t)r : 0;
		turn(0);
		r = recv(fd, back, sizeof(data), MSG_DONTWAIT);
		if (r > 0) {
			ck_assert_mem_eq(back, data + n_heard, (size_t)r);
			n_heard += (size_t)r;
		}
	}

	ck_assert_uint_eq(n_bytes_seen, sizeof(data));
	free(back);
	close(fd);
	uxs_server_close(&server);
}
END_TEST

static int
on_connection(struct uxs_client *client, int fd, void *arg)
{
	return 0;
}

START_TEST(who_takes_connections_over_has_no_messages)
{
	const struct uxs_service taker = { .on_connection = on_connection };
	struct uxs_server_conf conf = conf_of(UXS_STREAM);
	struct uxs_error why;

	conf.service = &taker;

	ck_assert_int_lt(uxs_server_conf_check(&conf, &why), 0);
	ck_assert_int_eq(uxs_error_exit_status(&why), 64);
	ck_assert_ptr_nonnull(strstr(why.text, "fates"));
}
END_TEST

/* ---- the parts ---- */

START_TEST(a_changed_byte_is_never_the_same_nor_a_newline)
{
	for (int byte = 0; byte < 256; byte++) {
		struct fated fated = { .is_in_hand = true };
		char data[] = { 'a', (char)byte, 'c' };

		if (byte == '\n')
			continue; /* not within a line */
		fated.fate.corrupt_at = 4;
		fated.fate.corrupt_mask = (uint8_t)_i;
		fated_corrupt(&fated, data, sizeof(data), true);

		ck_assert_int_ne(data[1], (char)byte);
		ck_assert_int_ne(data[1], '\n');
		ck_assert_int_eq(data[0], 'a');
		ck_assert_int_eq(data[2], 'c');
	}
}
END_TEST

START_TEST(a_cut_leaves_something_of_both)
{
	struct fated fated = { .is_in_hand = true };

	for (size_t length = 2; length < 10; length++) {
		for (uint64_t at = 0; at < 20; at++) {
			fated.fate.short_at = at;
			ck_assert_uint_ge(fated_cut(&fated, length), 1);
			ck_assert_uint_lt(fated_cut(&fated, length), length);
		}
	}
}
END_TEST

START_TEST(what_waits_keeps_its_order)
{
	struct delays delays;
	struct delayed *first = delayed_new(1), *second = delayed_new(2);

	delays_init(&delays);
	delays_put(&delays, first, 100);
	delays_put(&delays, second, 50);
	ck_assert_uint_eq(delays.bytes, delayed_cost(1) + delayed_cost(2));

	ck_assert_ptr_null(delays_take(&delays, 99));
	ck_assert_ptr_eq(delays_take(&delays, 100), first);
	ck_assert_ptr_eq(delays_take(&delays, 100), second);
	ck_assert_ptr_null(delays_take(&delays, INT64_MAX));
	ck_assert_uint_eq(delays.bytes, 0);
	free(first);
	free(second);
}
END_TEST

Suite *
suite_fate(void)
{
	Suite *suite = suite_create("fate");
	TCase *answers = harness_case(suite, "answers");
	TCase *time = harness_case(suite, "time");
	TCase *ends = harness_case(suite, "ends");
	TCase *others = harness_case(suite, "others");
	TCase *parts = harness_case(suite, "parts");

#define BOTH(tcase, test) tcase_add_loop_test(tcase, test, 0, N_KINDS)
	BOTH(answers, a_dropped_answer_is_missing_alone);
	BOTH(answers, a_corrupt_answer_has_one_byte_changed);
	tcase_add_test(answers, a_short_answer_comes_in_two_parts);
	tcase_add_test(answers, a_short_packet_is_cut);
	tcase_add_test(answers, what_cannot_be_spoilt_is_not_counted);

	BOTH(time, a_delayed_answer_is_late_and_keeps_its_place);
	BOTH(time, a_drain_waits_for_delayed_answers);
	tcase_add_test(time, who_waits_for_a_delayed_answer_is_not_idle);
	BOTH(time, delayed_answers_take_no_more_than_the_buffer);
	tcase_add_test(time, small_delayed_answers_are_bounded_as_well);

	BOTH(ends, a_closed_connection_ends_in_order);
	BOTH(ends, a_reset_is_one_for_the_client);
	tcase_add_test(ends, a_reset_comes_behind_delayed_answers);
	BOTH(ends, who_has_sent_all_is_reset_as_well);
	BOTH(ends, without_a_message_there_is_no_reset);
	BOTH(ends, nobody_is_left_to_see_a_reset);
	tcase_add_loop_test(ends, a_reset_finds_its_message_among_lines, 0,
	    sizeof(cuts) / sizeof(cuts[0]));
	BOTH(ends, a_stalled_connection_stays_open_and_silent);
	BOTH(ends, a_drain_ends_stalled_connections);

	tcase_add_test(others, nothing_is_passed_on_unseen);
	tcase_add_test(others, who_takes_connections_over_has_no_messages);

	tcase_add_loop_test(parts,
	    a_changed_byte_is_never_the_same_nor_a_newline, 1, 256);
	tcase_add_test(parts, a_cut_leaves_something_of_both);
	tcase_add_test(parts, what_waits_keeps_its_order);
#undef BOTH
	return suite;
}
