/* SPDX-License-Identifier: ISC */
/*
 * Framed streams through a real socket. Server and client are this one
 * process, so that it is known what each read of the server brings: what is
 * said between two rounds of turns.
 */
#include "harness.h"
#include "suites.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define KIB ((size_t)1024)

static struct uxs_server *server;
static struct uxs_address addresses[3]; /* any text might name a pair */

/* What the service saw. */
static struct {
	int n_messages;
	char text[1024]; /* "[hello][]" */
	size_t length;
} seen;

/* ---- the language of this file ---- */

static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	seen.n_messages++;
	if (seen.length + m->length + 2 < sizeof(seen.text)) {
		seen.text[seen.length++] = '[';
		memcpy(seen.text + seen.length, m->data, m->length);
		seen.length += m->length;
		seen.text[seen.length++] = ']';
		seen.text[seen.length] = '\0';
	}
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static const struct uxs_service echoing = { .on_message = echo };

static struct uxs_server_conf
conf_for(enum uxs_framing framing)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	ck_assert_int_eq(uxs_address_parse("stream:s", addresses, NULL), 1);
	conf.addresses = addresses;
	conf.n_addresses = 1;
	conf.service = &echoing;
	conf.framing = framing;
	return conf;
}

static void
open_with(const struct uxs_server_conf *conf)
{
	struct uxs_error why = { .text = "" };

	memset(&seen, 0, sizeof(seen));
	if (uxs_server_open(&server, conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

static void
open_server(enum uxs_framing framing)
{
	const struct uxs_server_conf conf = conf_for(framing);

	open_with(&conf);
}

static void
take_turns(void)
{
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;
}

static int
dial(void)
{
	const int fd = client_connect(UXS_STREAM, harness_path("s"));

	take_turns();
	return fd;
}

static void
says(int fd, const char *bytes, size_t length)
{
	if (length > 0)
		client_says(fd, bytes, length);
	take_turns();
}

/* What the server has no room for yet comes when some of it was read. */
static void
hear_in_turns(int fd, const char *data, size_t length)
{
	for (size_t at = 0; at < length;) {
		char heard[4 * KIB];
		ssize_t n;

		take_turns();
		n = recv(fd, heard, sizeof(heard), 0);
		ck_assert_int_gt(n, 0);
		ck_assert_uint_le(at + (size_t)n, length);
		ck_assert_mem_eq(heard, data + at, (size_t)n);
		at += (size_t)n;
	}
}

static const struct uxs_stats_of_type *
stats(void)
{
	static struct uxs_stats now;

	uxs_server_stats(server, &now);
	return &now.of[UXS_STREAM];
}

static uint64_t
closed(enum uxs_close reason)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now.closed[reason];
}

static void
close_server(void)
{
	take_turns();
	uxs_server_close(&server);
}

/* ---- what comes back ---- */

struct row {
	enum uxs_framing framing;
	const char *says;
	size_t length;
	const char *messages;
};

#define ROW(framing, says, messages)                                    \
	{                                                               \
		UXS_FRAMING_##framing, says, sizeof(says) - 1, messages \
	}

static const struct row rows[] = {
	ROW(LINE, "one\n\nthree\n", "[one][][three]"),
	ROW(LINE, "\n\n\n", "[][][]"),
	ROW(NETSTRING, "3:one,0:,5:a,:1b,", "[one][][a,:1b]"),
	ROW(U32, "\0\0\0\3one\0\0\0\0\0\0\0\1x", "[one][][x]"),
};

START_TEST(frames_come_back_however_they_are_cut)
{
	const struct row *row = &rows[_i];

	for (size_t cut = 0; cut <= row->length; cut++) {
		int fd;

		open_server(row->framing);
		fd = dial();

		says(fd, row->says, cut);
		says(fd, row->says + cut, row->length - cut);

		client_hears(fd, row->says, row->length);
		ck_assert_str_eq(seen.text, row->messages);
		ck_assert_uint_eq(stats()->received_messages, 3);
		ck_assert_uint_eq(stats()->sent_messages, 3);
		ck_assert_uint_eq(stats()->received_bytes, row->length);
		ck_assert_uint_eq(stats()->sent_bytes, row->length);
		close(fd);
		close_server();
	}
}
END_TEST

START_TEST(frames_come_back_byte_by_byte)
{
	const struct row *row = &rows[_i];
	int fd;

	open_server(row->framing);
	fd = dial();

	for (size_t i = 0; i < row->length; i++)
		says(fd, row->says + i, 1);

	client_hears(fd, row->says, row->length);
	ck_assert_str_eq(seen.text, row->messages);
	close(fd);
	close_server();
}
END_TEST

START_TEST(longest_message_comes_back)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_NETSTRING);
	const size_t length = 100 * KIB;
	char *data = malloc(length + 16);
	int fd;

	strcpy(data, "102400:");
	fill_random(data + 7, length, 3);
	data[7 + length] = ',';
	conf.max_message_bytes = length;
	open_with(&conf);
	fd = dial();

	for (size_t at = 0; at < length + 8; at += 10 * KIB)
		says(fd, data + at,
		    length + 8 - at < 10 * KIB ? length + 8 - at : 10 * KIB);

	client_hears(fd, data, length + 8);
	close(fd);
	free(data);
	close_server();
}
END_TEST

/* More than a turn's worth, more than a read, and more than may be kept. */
START_TEST(many_frames_at_once_all_come_back_in_order)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_LINE);
	char *data = malloc(150 * KIB);
	size_t length = 0;
	int fd;

	for (int i = 0; length < 149 * KIB; i++)
		length += (size_t)sprintf(data + length, "%d\n", i);
	conf.buffer_bytes = 8 * KIB;
	open_with(&conf);
	fd = dial();

	client_says(fd, data, length);
	client_ends(fd);
	hear_in_turns(fd, data, length);

	take_turns();
	client_hears_end(fd);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), 1);
	close(fd);
	free(data);
	close_server();
}
END_TEST

/* Bytes that are passed on unseen would not be missed; the limit would. */
START_TEST(bulk_of_frames_is_looked_at_for_a_mirror_too)
{
	static const struct uxs_service mirror = {
		.on_message = echo,
		.is_mirror = true,
	};
	const size_t length = 64 * KIB;
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_NETSTRING);
	char *data = malloc(length + 16);
	int fd;

	strcpy(data, "65536:");
	fill_random(data + 6, length, 4);
	data[6 + length] = ',';
	conf.service = &mirror;
	conf.buffer_bytes = 256 * KIB;
	signal(SIGPIPE, SIG_IGN);
	open_with(&conf);
	fd = dial();

	for (int i = 0; i < 20; i++) {
		says(fd, data, length + 7);
		client_hears(fd, data, length + 7);
	}
	data[6 + length] = ';';
	says(fd, data, length + 7);

	client_hears_end(fd);
	ck_assert_uint_eq(stats()->received_messages, 20);
	ck_assert_uint_eq(closed(UXS_CLOSE_MALFORMED), 1);
	close(fd);
	free(data);
	close_server();
}
END_TEST

/* ---- the end of a stream ---- */

START_TEST(last_line_needs_no_newline)
{
	int fd;

	open_server(UXS_FRAMING_LINE);
	fd = dial();

	says(fd, "one\nla", 6);
	says(fd, "st", 2);
	client_ends(fd);
	take_turns();

	HEARS(fd, "one\nlast\n");
	client_hears_end(fd);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), 1);
	close(fd);
	close_server();
}
END_TEST

static const struct row cut_short[] = {
	ROW(NETSTRING, "3:one,3:tw", "[one]"),
	ROW(NETSTRING, "3:one,3:two", "[one]"),
	ROW(NETSTRING, "3:one,3", "[one]"),
	ROW(U32, "\0\0\0\3one\0\0", "[one]"),
	ROW(U32, "\0\0\0\3one\0\0\0\3tw", "[one]"),
};

START_TEST(message_without_its_end_is_malformed)
{
	const struct row *row = &cut_short[_i];
	int fd;

	open_server(row->framing);
	fd = dial();

	says(fd, row->says, row->length);
	client_ends(fd);
	take_turns();

	client_hears(fd, row->says, row->framing == UXS_FRAMING_U32 ? 7 : 6);
	client_hears_end(fd);
	ck_assert_str_eq(seen.text, row->messages);
	ck_assert_uint_eq(stats()->dropped[UXS_DROP_MALFORMED], 1);
	ck_assert_uint_eq(closed(UXS_CLOSE_MALFORMED), 1);
	close(fd);
	close_server();
}
END_TEST

/* A stop may cut a line in two: its first half is no line. */
START_TEST(line_that_a_stop_cuts_is_not_handed_over)
{
	int fd;

	open_server(UXS_FRAMING_LINE);
	fd = dial();
	says(fd, "one\ndelete /tmp", 15);

	uxs_server_drain(server);
	take_turns();

	HEARS(fd, "one\n");
	client_hears_end(fd);
	ck_assert_str_eq(seen.text, "[one]");
	ck_assert_uint_eq(stats()->dropped[UXS_DROP_MALFORMED], 1);
	ck_assert_uint_eq(closed(UXS_CLOSE_EOF), 1);
	close(fd);
	close_server();
}
END_TEST

START_TEST(last_line_that_came_before_a_stop_is_handed_over)
{
	int fd;

	open_server(UXS_FRAMING_LINE);
	fd = dial();
	client_says(fd, "last", 4);
	client_ends(fd);

	uxs_server_drain(server);
	take_turns();

	HEARS(fd, "last\n");
	client_hears_end(fd);
	close(fd);
	close_server();
}
END_TEST

START_TEST(stop_answers_all_that_was_received)
{
	enum { N = 1000 };
	char data[2 * N];
	int fd;

	for (int i = 0; i < N; i++)
		data[2 * i] = 'a', data[2 * i + 1] = '\n';
	open_server(UXS_FRAMING_LINE);
	fd = dial();
	client_says(fd, data, sizeof(data));

	uxs_server_drain(server);
	take_turns();

	client_hears(fd, data, sizeof(data));
	client_hears_end(fd);
	close(fd);
	close_server();
}
END_TEST

/* ---- what is no message ---- */

static const struct {
	enum uxs_framing framing;
	const char *says;
	size_t length;
	size_t answered; /* bytes at the start that come back */
	enum uxs_drop drop;
	enum uxs_close close;
} bad[] = {
#define BAD(framing, says, answered, word)                               \
	{                                                                \
		UXS_FRAMING_##framing, says, sizeof(says) - 1, answered, \
		    UXS_DROP_##word, UXS_CLOSE_##word                    \
	}
	BAD(LINE, "ok\n01234567890\nok\n", 3, TOO_LONG),
	BAD(LINE, "ok\n01234567890123", 3, TOO_LONG),
	BAD(NETSTRING, "2:ok,11:01234567890,2:ok,", 5, TOO_LONG),
	BAD(NETSTRING, "2:ok,99999999999999999999999", 5, TOO_LONG),
	BAD(NETSTRING, "2:ok,02:ok,2:ok,", 5, MALFORMED),
	BAD(NETSTRING, "2:ok;2:ok,", 0, MALFORMED),
	BAD(NETSTRING, "GET / HTTP/1.1\r\n", 0, MALFORMED),
	BAD(U32, "\0\0\0\2ok\0\0\0\13", 6, TOO_LONG),
	BAD(U32, "\0\0\0\2ok\377\377\377\377x", 6, TOO_LONG),
};

START_TEST(what_is_no_message_ends_the_connection_behind_the_answers)
{
	struct uxs_server_conf conf = conf_for(bad[_i].framing);

	conf.max_message_bytes = 10;
	for (size_t cut = 0; cut <= bad[_i].length; cut++) {
		int fd;

		open_with(&conf);
		fd = dial();

		says(fd, bad[_i].says, cut);
		/* What comes behind the bad byte may find nobody there. */
		send(fd, bad[_i].says + cut, bad[_i].length - cut,
		    MSG_NOSIGNAL);
		take_turns();

		client_hears(fd, bad[_i].says, bad[_i].answered);
		client_hears_end(fd);
		ck_assert_uint_eq(stats()->dropped[bad[_i].drop], 1);
		ck_assert_uint_eq(closed(bad[_i].close), 1);
		ck_assert_uint_eq(stats()->connections, 0);
		close(fd);
		close_server();
	}
}
END_TEST

/* ---- the others ---- */

START_TEST(many_frames_of_one_do_not_hold_up_another)
{
	enum { N = 5000 };
	static char data[N];
	int busy, other, n_before;

	memset(data, '\n', N);
	open_server(UXS_FRAMING_LINE);
	busy = dial();
	other = dial();
	client_says(busy, data, N);
	SAYS(other, "still there?\n");

	while (strstr(seen.text, "[still there?]") == NULL)
		ck_assert_int_gt(uxs_loop_turn(uxs_server_loop(server), 0), 0);
	n_before = seen.n_messages;

	ck_assert_int_le(n_before, 2 * 64 + 1);
	hear_in_turns(busy, data, N);
	close(busy);
	close(other);
	close_server();
}
END_TEST

#define ANSWER (10 * KIB)

static int
answer_at_length(struct uxs_client *client, const struct uxs_message *m,
    void *arg)
{
	static const char answer[ANSWER];

	seen.n_messages++;
	return uxs_client_reply(client, answer, sizeof(answer)) < 0 ? -1 : 0;
}

static const struct uxs_service lengthy = { .on_message = answer_at_length };

/* One byte of input can be worth any number of bytes of output. */
START_TEST(answers_have_room_before_the_next_message_is_looked_at)
{
	enum { N = 1000 };
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_LINE);
	static char data[N];
	size_t heard = 0, most;
	char buffer[64 * KIB];
	int fd;

	memset(data, '\n', N);
	conf.service = &lengthy;
	open_with(&conf);
	fd = dial();

	says(fd, data, N);

	/* What the kernel holds, about 208k, the buffer, and one more. */
	most = (300 * KIB + conf.buffer_bytes) / ANSWER + 1;
	ck_assert_int_le(seen.n_messages, (int)most);
	client_ends(fd);
	while (heard < N * (ANSWER + 1)) {
		ssize_t n;

		take_turns();
		n = recv(fd, buffer, sizeof(buffer), 0);
		ck_assert_int_gt(n, 0);
		heard += (size_t)n;
	}
	take_turns();
	client_hears_end(fd);
	ck_assert_int_eq(seen.n_messages, N);
	close(fd);
	close_server();
}
END_TEST

/* The limit of the user, on what is kept of messages that are not whole. */
START_TEST(part_of_a_message_counts_for_its_user)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_U32);
	static char whole[4 + 6001] = "\0\0\x17\x71";
	const size_t part = sizeof(whole) - 1;
	int first, second, third;

	conf.max_bytes_per_user = 10000;
	open_with(&conf);
	first = dial();
	second = dial();
	third = dial();

	says(first, whole, part);
	says(second, whole, part / 2);
	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 0);
	says(second, whole + part / 2, part / 2);

	client_hears_end(second);
	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 1);
	says(third, whole, part / 2); /* what the second had */
	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 1);
	says(first, "", 1); /* whole: nothing is kept any more */
	client_hears(first, whole, sizeof(whole));
	says(third, whole + part / 2, part / 2);
	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 1);
	close(third); /* and a part that is given up counts no more */
	take_turns();
	says(first, whole, part);
	ck_assert_uint_eq(closed(UXS_CLOSE_MEMORY), 1);
	close(first);
	close(second);
	close_server();
}
END_TEST

/* The announced length is no reason to take memory. */
START_TEST(announced_length_takes_no_memory)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_U32);
	int fds[100];

	conf.max_message_bytes = 64 * KIB * KIB;
	conf.max_bytes_per_user = 100;
	open_with(&conf);

	for (int i = 0; i < N_OF(fds); i++) {
		fds[i] = dial();
		says(fds[i], "\3\0\0\0x", 5);
	}

	ck_assert_uint_eq(stats()->connections, N_OF(fds));
	close_all(fds, N_OF(fds));
	close_server();
}
END_TEST

/* ---- services ---- */

static int
end_at_second(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	if (++seen.n_messages == 2)
		return -1;
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static int
refuse_second(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	if (++seen.n_messages == 2)
		return uxs_client_refuse(client, "no") < 0 ? -1 : 0;
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static const struct {
	struct uxs_service service;
	const char *hears;
} enders[] = {
	{ { .on_message = end_at_second }, "3:one," },
	{ { .on_message = refuse_second }, "3:one,2:no," },
};

START_TEST(service_that_ends_a_session_is_given_no_more_of_it)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_NETSTRING);
	int fd;

	conf.service = &enders[_i].service;
	open_with(&conf);
	fd = dial();

	SAYS(fd, "3:one,3:two,5:three,4:fo");
	take_turns();

	HEARS(fd, enders[_i].hears);
	client_hears_end(fd);
	ck_assert_int_eq(seen.n_messages, 2);
	close(fd);
	close_server();
}
END_TEST

static struct uxs_access nobody;

/* New rules end the session while its message is in hand; the message stays
 * readable. */
static int
shut_out(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	seen.n_messages++;
	ck_assert_int_eq(uxs_server_set_access(server, &nobody, NULL), 0);
	ck_assert_uint_eq(m->length, 5);
	ck_assert_mem_eq(m->data, "hello", 5);
	return 0;
}

static const struct uxs_service shutting = { .on_message = shut_out };

START_TEST(session_may_end_while_its_message_is_in_hand)
{
	static const char *const parts[][2] = {
		{ "5:hello,", "" },
		{ "5:hel", "lo," },
		{ "5:hel", "lo,5:again,5:ag" },
	};
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_NETSTRING);
	int fd;

	nobody = (struct uxs_access)UXS_ACCESS_EMPTY(geteuid());
	ck_assert_int_eq(uxs_access_add(&nobody, UXS_DENY, "any",
			     &uxs_names_system, NULL),
	    0);
	conf.service = &shutting;
	open_with(&conf);
	fd = dial();

	says(fd, parts[_i][0], strlen(parts[_i][0]));
	says(fd, parts[_i][1], strlen(parts[_i][1]));

	ck_assert_int_eq(seen.n_messages, 1);
	ck_assert_uint_eq(closed(UXS_CLOSE_RULES), 1);
	close(fd);
	close_server();
	uxs_access_fini(&nobody);
}
END_TEST

static int
note_framing(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	seen.n_messages++;
	ck_assert_int_eq((int)client->framing,
	    client->type == UXS_STREAM ? (int)UXS_FRAMING_LINE :
					 (int)UXS_FRAMING_NONE);
	return uxs_client_reply(client, m->data, m->length) < 0 ? -1 : 0;
}

static const struct uxs_service noting = { .on_message = note_framing };

START_TEST(other_types_have_messages_of_their_own)
{
	struct uxs_server_conf conf = conf_for(UXS_FRAMING_LINE);
	int stream, packet;

	ck_assert_int_eq(uxs_address_parse("seqpacket:q", &addresses[1], NULL),
	    1);
	conf.n_addresses = 2;
	conf.service = &noting;
	open_with(&conf);
	stream = dial();
	packet = client_connect(UXS_SEQPACKET, harness_path("q"));

	SAYS(stream, "one\ntwo\n");
	SAYS(packet, "one\ntwo");
	take_turns();

	HEARS(stream, "one\ntwo\n");
	HEARS(packet, "one\ntwo");
	ck_assert_int_eq(seen.n_messages, 3);
	close(stream);
	close(packet);
	close_server();
}
END_TEST

Suite *
suite_server_framing(void)
{
	Suite *suite = suite_create("server framing");
	TCase *data = harness_case(suite, "data");
	TCase *ends = harness_case(suite, "ends");
	TCase *others = harness_case(suite, "others");
	TCase *services = harness_case(suite, "services");

	tcase_add_loop_test(data, frames_come_back_however_they_are_cut, 0,
	    N_OF(rows));
	tcase_add_loop_test(data, frames_come_back_byte_by_byte, 0, N_OF(rows));
	tcase_add_test(data, longest_message_comes_back);
	tcase_add_test(data, many_frames_at_once_all_come_back_in_order);
	tcase_add_test(data, bulk_of_frames_is_looked_at_for_a_mirror_too);
	tcase_add_test(ends, last_line_needs_no_newline);
	tcase_add_loop_test(ends, message_without_its_end_is_malformed, 0,
	    N_OF(cut_short));
	tcase_add_test(ends, line_that_a_stop_cuts_is_not_handed_over);
	tcase_add_test(ends, last_line_that_came_before_a_stop_is_handed_over);
	tcase_add_test(ends, stop_answers_all_that_was_received);
	tcase_add_loop_test(ends,
	    what_is_no_message_ends_the_connection_behind_the_answers, 0,
	    N_OF(bad));
	tcase_add_test(others, many_frames_of_one_do_not_hold_up_another);
	tcase_add_test(others,
	    answers_have_room_before_the_next_message_is_looked_at);
	tcase_add_test(others, part_of_a_message_counts_for_its_user);
	tcase_add_test(others, announced_length_takes_no_memory);
	tcase_add_loop_test(services,
	    service_that_ends_a_session_is_given_no_more_of_it, 0,
	    N_OF(enders));
	tcase_add_loop_test(services,
	    session_may_end_while_its_message_is_in_hand, 0, 3);
	tcase_add_test(services, other_types_have_messages_of_their_own);
	return suite;
}
