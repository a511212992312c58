/* SPDX-License-Identifier: ISC */
/*
 * The chat of the real binary: what one client says all others hear, once,
 * whatever socket they have, and whatever one of them does.
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "uxecho/services/services.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* ---- the language of this file ---- */

static void
start(struct service *service, const char *option, const char *value)
{
	const char *const arguments[] = { "--service", "chat", "--allow", "any",
		"stream:s", "seqpacket:q", "dgram:d", option, value, NULL };

	service_start(service, arguments);
}

/* HOST:PORT of those that have no path. */
static char names[UXS_N_ALL_TYPES][LOOPBACK_NAME_ROOM];

static void
start_everywhere(struct service *service)
{
	const char *const arguments[] = { "--service", "chat", "--allow", "any",
		"stream:s", "seqpacket:q", "dgram:d", "tcp:127.0.0.1:0",
		"udp:127.0.0.1:0", NULL };

	service_start(service, arguments);
	loopback_served(service, "tcp", names[UXS_TCP]);
	loopback_served(service, "udp", names[UXS_UDP]);
}

/* What a client of this type must hear now; streams may hear more behind it. */
static void
hears(int fd, const char *text)
{
	const size_t length = strlen(text);
	char heard[512];
	int type = 0;
	socklen_t size = sizeof(type);
	ssize_t n;

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size), 0);
	n = recv(fd, heard, type == SOCK_STREAM ? length : sizeof(heard), 0);
	ck_assert_msg(n == (ssize_t)length && memcmp(heard, text, length) == 0,
	    "heard '%.*s', not '%s'", n > 0 ? (int)n : 0, heard, text);
}

static void
hears_of_join(int fd, int number, enum uxs_type type)
{
	struct uxs_peer peer = UXS_PEER_UNKNOWN;
	char line[UXS_PEER_TEXT_MAX + 64], who[UXS_PEER_TEXT_MAX];

	if (!uxs_type_is_loopback(type)) {
		peer.uid = geteuid();
		peer.gid = getegid();
		peer.pid = getpid();
	}
	snprintf(line, sizeof(line), "* %d joined: %s (%s)\n", number,
	    uxs_peer_print(&peer, who), uxs_type_name(type));
	hears(fd, line);
}

static void
hears_of_leave(int fd, int number)
{
	char line[64];

	snprintf(line, sizeof(line), "* %d left\n", number);
	hears(fd, line);
}

static bool
hears_nothing(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 &&
	    errno == EAGAIN;
}

/* A datagram client joins by saying something. */
static int
join(enum uxs_type type)
{
	const int fd = uxs_type_is_loopback(type) ?
	    loopback_connect_to(uxs_type_socket(type), names[type]) :
	    client_connect(type, harness_path(paths[type]));

	if (uxs_type_is_datagram(type))
		SAYS(fd, "hello");
	return fd;
}

/* Clients number 1 to 3, of each type one; all that is said of that is heard. */
static void
join_all_types(int fds[UXS_N_TYPES])
{
	for (int type = 0; type < UXS_N_TYPES; type++) {
		fds[type] = join((enum uxs_type)type);
		for (int k = 0; k < type; k++) {
			hears_of_join(fds[k], type + 1, (enum uxs_type)type);
			if (type == UXS_DGRAM)
				hears(fds[k], "hello");
		}
	}
}

/* ---- what is said ---- */

START_TEST(message_goes_to_every_other_client_as_it_is)
{
	struct service service;
	int fds[UXS_N_TYPES];

	start(&service, NULL, NULL);
	join_all_types(fds);

	SAYS(fds[_i], "a\nb");

	for (int k = 0; k < UXS_N_TYPES; k++) {
		if (k != _i)
			hears(fds[k], "a\nb");
	}
	SAYS(fds[(_i + 1) % UXS_N_TYPES], "c"); /* what came before is there */
	hears(fds[_i], "c");
	close_all(fds, UXS_N_TYPES);
	service_stop_clean(&service);
}
END_TEST

START_TEST(who_leaves_is_told_of)
{
	struct service service;
	int fds[UXS_N_TYPES];

	start(&service, NULL, NULL);
	join_all_types(fds);

	close(fds[UXS_SEQPACKET]);
	hears_of_leave(fds[UXS_STREAM], 2);
	hears_of_leave(fds[UXS_DGRAM], 2);
	close(fds[UXS_STREAM]);
	hears_of_leave(fds[UXS_DGRAM], 1);

	close(fds[UXS_DGRAM]);
	service_stop_clean(&service);
}
END_TEST

/* Nothing tells of its end but a reply that does not arrive. */
START_TEST(datagram_client_leaves_when_it_cannot_be_reached)
{
	struct service service;
	int fds[UXS_N_TYPES];

	start(&service, NULL, NULL);
	join_all_types(fds);

	close(fds[UXS_DGRAM]);
	SAYS(fds[UXS_STREAM], "anybody?");

	hears(fds[UXS_SEQPACKET], "anybody?");
	hears_of_leave(fds[UXS_SEQPACKET], 3);
	hears_of_leave(fds[UXS_STREAM], 3);
	service_counts(&service, "closed (gone 1)");
	close(fds[UXS_STREAM]);
	close(fds[UXS_SEQPACKET]);
	service_stop_clean(&service);
}
END_TEST

START_TEST(datagram_client_leaves_when_it_is_silent_for_too_long)
{
	struct pollfd ready = { .events = POLLIN };
	struct service service;
	int silent, told;

	start(&service, "--idle-timeout", "300ms");
	told = ready.fd = join(UXS_DGRAM);
	silent = join(UXS_DGRAM);
	hears_of_join(told, 2, UXS_DGRAM);
	hears(told, "hello");

	/* Who goes on talking stays, also when nobody listens any more. */
	do {
		ready.revents = 0;
		SAYS(told, "still here");
	} while (poll(&ready, 1, 10) == 0);
	hears_of_leave(told, 2);

	service_counts(&service, "idle_timeout");
	close(silent);
	close(told);
	service_stop_clean(&service);
}
END_TEST

START_TEST(lines_are_told_as_lines)
{
	static const struct {
		const char *framing, *says, *message, *joined, *left;
	} rows[] = {
		{ "line", "hello\n", "hello\n", "* 2 joined: ", "* 1 left\n" },
		{ "netstring", "5:hello,", "5:hello,",
		    ":* 2 joined: ", "9:* 1 left\n," },
	};
	struct service service;
	char line[256];
	int one, other;
	ssize_t n;

	start(&service, "--framing", rows[_i].framing);
	one = join(UXS_STREAM);
	other = join(UXS_STREAM);
	n = recv(one, line, sizeof(line) - 1, 0);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_ptr_nonnull(strstr(line, rows[_i].joined));
	ck_assert_ptr_null(strstr(line, "\n\n"));

	SAYS(one, rows[_i].says);
	hears(other, rows[_i].message);
	close(one);

	hears(other, rows[_i].left);
	close(other);
	service_stop_clean(&service);
}
END_TEST

/* ---- many, and one who is stopped ---- */

#define N_CLIENTS 100
#define STOPPED 0 /* a stream */
#define LEAVER 98 /* by TCP */
#define N_ROUNDS 120
#define MESSAGE_BYTES 3800

static enum uxs_type
type_of(int i)
{
	return (enum uxs_type)(i % UXS_N_ALL_TYPES);
}

static void
fill_message(char message[MESSAGE_BYTES], int round)
{
	fill_random(message, MESSAGE_BYTES, (unsigned)round + 1);
}

static void
others_join(int fds[N_CLIENTS])
{
	for (int i = 0; i < N_CLIENTS; i++) {
		fds[i] = join(type_of(i));
		for (int k = 0; k < i; k++) {
			if (k == STOPPED)
				continue;
			hears_of_join(fds[k], i + 1, type_of(i));
			if (uxs_type_is_datagram(type_of(i)))
				hears(fds[k], "hello");
		}
	}
}

/* What it was told of before it was told no more: whole messages. */
static void
hears_a_prefix_and_what_was_missed(int fd, int speaker)
{
	const size_t size = (size_t)2 << 20;
	char *heard = calloc(1, size); /* ends with a NUL */
	size_t used = 0;
	char *at, message[MESSAGE_BYTES];
	unsigned long missed = 0;
	int n_heard = 0;

	ck_assert_ptr_nonnull(heard);
	SAYS(speaker, "at last");
	while (memmem(heard, used, "at last", 7) == NULL) {
		const ssize_t n = recv(fd, heard + used, size - 1 - used, 0);

		ck_assert_int_gt(n, 0);
		used += (size_t)n;
		if (memmem(heard, used, "at last", 7) == NULL)
			SAYS(speaker, "at last");
	}
	for (int round = 0; round < N_ROUNDS; round++) {
		fill_message(message, round);
		n_heard += memmem(heard, used, message, sizeof(message)) !=
		    NULL;
	}
	at = memmem(heard, used, " messages were missed here\n", 27);
	ck_assert_ptr_nonnull(at);
	while (at > heard && at[-1] != ' ')
		at--;
	ck_assert_int_eq(sscanf(at, "%lu messages", &missed), 1);
	ck_assert_int_gt(n_heard, 0);
	/* And perhaps some of the "at last". */
	ck_assert_uint_ge(missed, (unsigned long)(N_ROUNDS - n_heard));
	free(heard);
}

START_TEST(hundred_clients_hear_all_once_while_one_is_stopped)
{
	struct service service;
	int fds[N_CLIENTS];
	static char message[MESSAGE_BYTES], heard[MESSAGE_BYTES + 1];

	start_everywhere(&service);
	others_join(fds);

	for (int round = 0; round < N_ROUNDS; round++) {
		const int from = 1 + round % (N_CLIENTS - 1);

		fill_message(message, round);
		client_says(fds[from], message, sizeof(message));
		for (int k = 1; k < N_CLIENTS; k++) {
			if (k != from)
				client_hears(fds[k], message, sizeof(message));
		}
	}

	for (int k = 1; k < N_CLIENTS; k++) {
		if (!hears_nothing(fds[k]))
			ck_abort_msg("client %d hears more (%zd bytes)", k,
			    recv(fds[k], heard, sizeof(heard), 0));
	}
	hears_a_prefix_and_what_was_missed(fds[STOPPED], fds[1]);
	close(fds[LEAVER]);
	hears_of_leave(fds[1], LEAVER + 1);
	close_all(fds, LEAVER);
	close_all(fds + LEAVER + 1, N_CLIENTS - LEAVER - 1);
	service_stop_clean(&service);
}
END_TEST

/* ---- who is ended while he is told something ---- */

static struct uxs_address address[2]; /* any text might name a pair */

static struct uxs_server *
open_chat(void)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_server *server;

	ck_assert_int_eq(uxs_address_parse("stream:s", address, NULL), 1);
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.service = &service_chat;
	conf.max_bytes_per_user = 1000;
	ck_assert_int_eq(uxs_server_open(&server, &conf, NULL), 0);
	return server;
}

static void
take_turns(struct uxs_server *server)
{
	while (uxs_loop_turn(uxs_server_loop(server), 0) > 0)
		;
}

/* No memory for one who does not read: that comes up in the middle of telling
 * all, and the others are still told, once, and of that. */
START_TEST(member_may_end_while_all_are_told)
{
	struct uxs_server *server = open_chat();
	static const char message[32 * 1024];
	char heard[sizeof(message)];
	struct uxs_stats stats;
	int fds[3];

	for (int i = 0; i < N_OF(fds); i++) {
		fds[i] = client_connect(UXS_STREAM, harness_path("s"));
		take_turns(server);
	}
	hears_of_join(fds[0], 2, UXS_STREAM);
	hears_of_join(fds[0], 3, UXS_STREAM);

	do {
		client_says(fds[0], message, sizeof(message));
		take_turns(server);
		ck_assert_int_eq(recv(fds[2], heard, sizeof(heard),
				     MSG_WAITALL),
		    sizeof(heard));
		ck_assert_mem_eq(heard, message, sizeof(message));
		uxs_server_stats(server, &stats);
	} while (stats.closed[UXS_CLOSE_MEMORY] == 0);

	hears_of_leave(fds[0], 2);
	hears_of_leave(fds[2], 2);
	close_all(fds, N_OF(fds));
	take_turns(server);
	uxs_server_close(&server);
}
END_TEST

/* ---- who may not ---- */

/* An unnamed sender, and one whose name will be anybody's. */
static void
say_from(bool has_name)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t length;

	ck_assert_int_ge(fd, 0);
	if (has_name)
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa,
				     sizeof(sa.sun_family)),
		    0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length,
			     harness_path("d")),
	    0);
	ck_assert_int_eq(sendto(fd, "boo", 3, 0, (struct sockaddr *)&sa,
			     length),
	    3);
	close(fd);
}

static void
say_from_abstract_name(void *arg)
{
	say_from(true);
}

START_TEST(who_cannot_be_answered_later_is_not_let_in)
{
	struct service service;
	int fd;

	SKIP_UNLESS_ROOT();
	start(&service, NULL, NULL);
	fd = join(UXS_STREAM);

	say_from(false);
	service_counts(&service, "no_return_address 1");
	as_user(OTHER_UID, OTHER_GID, say_from_abstract_name, NULL);
	service_counts(&service, "not_senders 1");

	ck_assert(hears_nothing(fd));
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Joins, and then has its name lead to a socket that is not its own. */
static void
join_and_swap(void *arg)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_eq(setresgid(OTHER_GID, OTHER_GID, OTHER_GID), 0);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, OTHER_UID), 0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length,
			     harness_path("own")),
	    0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length,
			     harness_path("d")),
	    0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, length), 0);
	SAYS(fd, "hello");
	hears(fd, "welcome");
	ck_assert_int_eq(unlink(harness_path("own")), 0);
	ck_assert_int_eq(symlink(harness_path("victim"), harness_path("own")),
	    0);
	close(fd);
}

START_TEST(chat_is_no_messenger_to_the_socket_of_somebody_else)
{
	struct service service;
	char line[256];
	pid_t other;
	int fd, victim;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	victim = bound_socket(UXS_DGRAM, "victim");
	ck_assert_int_eq(chmod("victim", 0600), 0);
	start(&service, NULL, NULL);
	fd = join(UXS_STREAM);
	other = start_child(join_and_swap, NULL);
	ck_assert_int_gt(recv(fd, line, sizeof(line), 0), 0);
	SAYS(fd, "welcome");
	ck_assert_int_eq(wait_child(other), 0);

	SAYS(fd, "a secret");

	service_counts(&service, "not_senders 1");
	service_counts(&service, "closed (gone 1)");
	ck_assert(hears_nothing(victim));
	close(fd);
	close(victim);
	service_stop_clean(&service);
}
END_TEST

/* A return address takes a place as a connection does. */
START_TEST(senders_are_limited_as_connections_are)
{
	struct service service;
	int fds[3];

	start(&service, "--max-conns-per-user", "2");
	fds[0] = join(UXS_DGRAM);
	fds[1] = join(UXS_DGRAM);
	hears_of_join(fds[0], 2, UXS_DGRAM);
	hears(fds[0], "hello");

	fds[2] = join(UXS_DGRAM);

	service_counts(&service, "max_per_user 1");
	ck_assert(hears_nothing(fds[0]));
	close(fds[0]); /* its place is free when that is found out */
	SAYS(fds[1], "anybody?");
	hears_of_leave(fds[1], 1);
	SAYS(fds[2], "now");
	hears_of_join(fds[1], 3, UXS_DGRAM);
	hears(fds[1], "now");
	close(fds[1]);
	close(fds[2]);
	service_stop_clean(&service);
}
END_TEST

START_TEST(new_rules_end_datagram_clients_too)
{
	const char *const arguments[] = { "--service", "chat", "--rules",
		harness_path("rules"), "stream:s", "dgram:d", NULL };
	struct service service;
	int fd;

	write_file("rules", "allow any\n", 0600);
	service_start(&service, arguments);
	fd = join(UXS_DGRAM);
	service_counts(&service, "dgram: 1 open");

	write_file("rules", "deny any\n", 0600);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	service_logs(&service, "rules were read again");

	service_counts(&service, "closed (rules 1)");
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Half of it is for one user. */
START_TEST(full_chat_lets_nobody_in)
{
	enum { N = 500 };
	struct service service;
	int fds[N + 1];

	start(&service, NULL, NULL);
	for (int i = 0; i < N; i++)
		fds[i] = join(UXS_STREAM);

	fds[N] = join(UXS_STREAM);

	HEARS(fds[N], "* the chat is full\n");
	client_hears_end(fds[N]);
	close_all(fds, N + 1);
	service_stop_clean(&service);
}
END_TEST

Suite *
suite_uxecho_chat(void)
{
	Suite *suite = suite_create("uxecho chat");
	TCase *talk = harness_case(suite, "talk");
	TCase *crowd = harness_case(suite, "crowd");
	TCase *doors = harness_case(suite, "doors");

	tcase_add_loop_test(talk, message_goes_to_every_other_client_as_it_is,
	    0, UXS_N_TYPES);
	tcase_add_test(talk, who_leaves_is_told_of);
	tcase_add_test(talk, datagram_client_leaves_when_it_cannot_be_reached);
	tcase_add_test(talk,
	    datagram_client_leaves_when_it_is_silent_for_too_long);
	tcase_add_loop_test(talk, lines_are_told_as_lines, 0, 2);
	tcase_add_test(crowd,
	    hundred_clients_hear_all_once_while_one_is_stopped);
	tcase_add_test(crowd, member_may_end_while_all_are_told);
	tcase_add_test(doors, who_cannot_be_answered_later_is_not_let_in);
	tcase_add_test(doors,
	    chat_is_no_messenger_to_the_socket_of_somebody_else);
	tcase_add_test(doors, senders_are_limited_as_connections_are);
	tcase_add_test(doors, new_rules_end_datagram_clients_too);
	tcase_add_test(doors, full_chat_lets_nobody_in);
	return suite;
}
