/* SPDX-License-Identifier: ISC */
/*
 * TCP over the loopback interface, beside sockets of the Unix domain: what is
 * the same, and what cannot be.
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* More than a receive buffer takes. */
#define BULK ((size_t)1024 * 1024)

/* ---- the language of this file ---- */

static const char *
served(const struct service *process, char text[LOOPBACK_NAME_ROOM])
{
	return loopback_served(process, "tcp", text);
}

static int
dial(const char *name)
{
	return loopback_connect_to(SOCK_STREAM, name);
}

#define START(process, ...)      \
	service_start((process), \
	    (const char *const[]){ "--allow", "any", __VA_ARGS__, NULL })

static void
hears_word(int fd, const char *word)
{
	SAYS(fd, word);
	HEARS(fd, word);
}

/* ---- it echoes ---- */

static const char *const anywhere[] = { "127.0.0.1:0", "127.0.0.2:0",
	"[::1]:0" };

START_TEST(echoes_beside_the_unix_domain_until_the_end)
{
	struct service process;
	char address[160], name[128];
	char data[BULK];
	int tcp, stream;

	if (anywhere[_i][0] == '[' && !loopback_has_ipv6())
		return;
	snprintf(address, sizeof(address), "tcp:%s", anywhere[_i]);
	START(&process, "s", address);
	tcp = dial(served(&process, name));
	stream = client_connect(UXS_STREAM, harness_path("s"));
	fill_random(data, sizeof(data), 7);

	hears_word(stream, "by path");
	for (size_t done = 0; done < sizeof(data); done += 65536) {
		client_says(tcp, data + done, 65536);
		client_hears(tcp, data + done, 65536);
	}
	SAYS(tcp, "the last");
	client_ends(tcp);

	HEARS(tcp, "the last");
	client_hears_end(tcp);
	service_counts(&process, "tcp: 0 open, 1 accepted, 0 refused");
	close(tcp);
	close(stream);
	service_stop_clean(&process);
}
END_TEST

/* An urgent byte is one of the stream. */
START_TEST(urgent_byte_is_echoed)
{
	struct service process;
	char name[128];
	int fd;

	START(&process, "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));

	ck_assert_int_eq(send(fd, "urgent!", 7, MSG_OOB), 7);

	HEARS(fd, "urgent!");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* Both families of one port are two addresses. */
START_TEST(ipv6_leaves_the_port_of_ipv4_alone)
{
	struct service process;
	char name[128], other[160];
	int fd;

	if (!loopback_has_ipv6())
		return;
	START(&process, "tcp:[::1]:0");
	served(&process, name);
	snprintf(other, sizeof(other), "127.0.0.1%s", strrchr(name, ':'));

	fd = loopback_bind(SOCK_STREAM, other);

	ck_assert_int_ge(fd, 0);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(framing_is_that_of_streams)
{
	struct service process;
	char name[128];
	int fd;

	START(&process, "-F", "line", "-s", "upper", "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "one\ntwo");
	client_ends(fd);

	HEARS(fd, "ONE\nTWO\n");
	client_hears_end(fd);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

static int
option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
	return value;
}

/* Set once, and not for each connection. */
START_TEST(accepted_socket_has_inherited_what_matters)
{
	struct uxs_address address[UXS_ADDRESS_MAX];
	const struct uxs_listener_conf conf = { .address = address };
	struct uxs_listener listener;
	struct uxs_error why;
	char device[16] = "";
	socklen_t length = sizeof(device);
	int client, fd;

	ck_assert_int_eq(uxs_address_parse("tcp:127.0.0.1:0", address, &why),
	    1);
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, &why), 0);
	ck_assert_int_eq(uxs_listener_listen(&listener, 4, &why), 0);
	client = dial(listener.address->name);

	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_OK);

	ck_assert_int_ne(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(option_of(fd, SOL_SOCKET, SO_OOBINLINE), 0);
	ck_assert_int_eq(option_of(listener.fd, SOL_SOCKET, SO_REUSEPORT), 0);
	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length);
	ck_assert_str_eq(device, "lo");
	close(fd);
	close(client);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- whose port it is ---- */

START_TEST(port_zero_is_one_that_the_kernel_chose)
{
	struct service process;
	char first[128], second[128];

	START(&process, "tcp:127.0.0.1:0", "tcp:127.0.0.1:0");
	served(&process, first);
	served(&process, second);

	ck_assert_str_ne(first, "127.0.0.1:0");
	ck_assert_str_ne(first, second);
	close(dial(first));
	close(dial(second));
	service_stop_clean(&process);
}
END_TEST

/* Closed by the server first, a connection stays in TIME_WAIT at its port. */
START_TEST(restart_does_not_wait_for_old_connections)
{
	struct service process;
	char name[128], address[160];
	int fd;

	START(&process, "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));
	hears_word(fd, "before");
	service_stop_clean(&process);
	client_hears_end(fd);
	close(fd);
	snprintf(address, sizeof(address), "tcp:%s", name);

	START(&process, address);

	fd = dial(name);
	hears_word(fd, "after");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

static const char *const ways[] = { "--quiet", "--check" };

/* One that was written by somebody else, and reuses addresses as we do. */
START_TEST(port_of_a_live_server_is_left_alone)
{
	const int server = loopback_bind(SOCK_STREAM, "127.0.0.1:0");
	const int on = 1;
	struct output_of result;
	char address[160], says[256];
	int client;

	ck_assert_int_ge(server, 0);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(server, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	ck_assert_int_eq(listen(server, 4), 0);
	snprintf(address, sizeof(address), "tcp:127.0.0.1:%u",
	    loopback_port(server));

	run_program(&result,
	    (const char *const[]){
		"uxecho", "-a", "any", ways[_i], "stream:s", address, NULL });

	ck_assert_int_eq(result.status, EX_UNAVAILABLE);
	snprintf(says, sizeof(says),
	    "uxecho: %s: a live server holds this address; stop it, or choose "
	    "another one\n",
	    address);
	ck_assert_str_eq(result.err, says);
	ck_assert_int_eq(count_files(), 0);
	client = dial(address + strlen("tcp:"));
	close(client);
	close(server);
}
END_TEST

/* Until somebody listens, two may have bound it. */
START_TEST(second_to_listen_is_told_that_the_first_is_live)
{
	struct uxs_address address[UXS_ADDRESS_MAX], same[UXS_ADDRESS_MAX];
	const struct uxs_listener_conf conf = { .address = address };
	const struct uxs_listener_conf again = { .address = same };
	struct uxs_listener first, second;
	struct uxs_error why;

	uxs_address_parse("tcp:127.0.0.1:0", address, &why);
	ck_assert_int_eq(uxs_listener_open(&first, &conf, &why), 0);
	same[0] = *first.address;
	ck_assert_int_eq(uxs_listener_open(&second, &again, &why), 0);
	ck_assert_int_eq(uxs_listener_listen(&first, 4, &why), 0);

	ck_assert_int_eq(uxs_listener_listen(&second, 4, &why), -EADDRINUSE);

	ck_assert_int_eq(why.failure, UXS_FAILURE_LIVE);
	uxs_listener_close(&second);
	close(dial(first.address->name));
	uxs_listener_close(&first);
}
END_TEST

/* A successor asks for the port by its number; for another one it is not. */
START_TEST(port_is_handed_over_with_who_waits)
{
	struct uxs_address address[UXS_ADDRESS_MAX], other[UXS_ADDRESS_MAX];
	struct uxs_address same;
	struct uxs_listener_conf conf = { .address = address };
	struct uxs_listener before, after;
	struct uxs_handed handed;
	struct uxs_error why;
	int client, fd;

	uxs_address_parse("tcp:127.0.0.1:0", address, &why);
	ck_assert_int_eq(uxs_listener_open(&before, &conf, &why), 0);
	ck_assert_int_eq(uxs_listener_listen(&before, 4, &why), 0);
	same = *before.address;
	uxs_address_parse("tcp:127.0.0.2:7", other, &why);
	client = dial(same.name);
	ck_assert_int_eq(uxs_listener_hand_out(&before, &handed), 0);
	uxs_listener_leave(&before);

	conf.address = other;
	ck_assert_int_eq(uxs_listener_take_over(&after, &conf, &handed, &why),
	    -EINVAL);
	conf.address = &same;
	ck_assert_int_eq(uxs_listener_take_over(&after, &conf, &handed, &why),
	    0);
	ck_assert_int_eq(uxs_listener_own(&after, 4), 0);

	ck_assert(after.refuses_descriptors);
	ck_assert_int_eq(uxs_listener_accept(&after, &fd), UXS_ACCEPT_OK);
	close(fd);
	close(client);
	close(handed.fd);
	uxs_listener_close(&after);
}
END_TEST

static void
bind_low_port(void *arg)
{
	struct output_of *result = arg;

	run_program(result,
	    (const char *const[]){
		"uxecho", "-n", "-a", "any", "tcp:127.0.0.1:1", NULL });
	ck_assert_int_eq(result->status, EX_NOPERM);
	ck_assert_ptr_nonnull(strstr(result->err,
	    "tcp:127.0.0.1:1: cannot bind to the address: Permission denied"));
}

START_TEST(port_of_root_needs_root)
{
	struct output_of result;
	char text[16] = "";
	FILE *first =
	    fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");

	SKIP_UNLESS_ROOT();
	if (first == NULL || fgets(text, sizeof(text), first) == NULL ||
	    atoi(text) <= 1)
		skip("here everybody may bind every port");
	else
		as_user(OTHER_UID, OTHER_GID, bind_low_port, &result);
	if (first != NULL)
		fclose(first);
}
END_TEST

/* ---- who may ---- */

static const struct {
	const char *rules[5];
	bool is_served;
} rules[] = {
	{ { NULL }, false },
	{ { "-a", "any" }, true },
	{ { "-a", "self" }, false },
	{ { "-a", "root" }, false },
	{ { "-a", "uid:0-4294967294" }, false },
	{ { "-a", "gid:0-4294967294" }, false },
	{ { "-d", "any" }, false },
	{ { "-d", "any", "-a", "any" }, false },
	{ { "-a", "any", "-d", "any" }, true },
	{ { "-d", "uid:0-4294967294", "-a", "any" }, true },
	{ { "-d", "gid:0-4294967294", "-a", "any" }, true },
};

START_TEST(only_a_rule_for_any_lets_anybody_in)
{
	const char *arguments[8] = { "uxecho", "--check" };
	struct output_of result;
	int n = 2;

	for (int i = 0; i < 5 && rules[_i].rules[i] != NULL; i++)
		arguments[n++] = rules[_i].rules[i];
	arguments[n] = "tcp:127.0.0.1:0";

	run_program(&result, arguments);

	ck_assert_int_eq(result.status, rules[_i].is_served ? 0 : EX_USAGE);
	if (!rules[_i].is_served)
		ck_assert_str_eq(result.err,
		    "uxecho: tcp:127.0.0.1:0: nobody can tell who connects "
		    "over the loopback interface, so that only --allow any "
		    "lets anybody in; give it, or use a socket file\n");
}
END_TEST

/* Rules that are read again may shut it, and open it again. */
START_TEST(rules_that_are_read_again_keep_out_who_is_unknown)
{
	struct service process;
	char name[128];
	int before, after;

	write_file("rules", "allow any\n", 0600);
	service_start(&process,
	    (const char *const[]){ "-f", "rules", "tcp:127.0.0.1:0", NULL });
	before = dial(served(&process, name));
	hears_word(before, "hello");

	write_file("rules", "allow self\n", 0600);
	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);

	client_hears_end(before);
	service_logs(&process, "1 sessions ended");
	after = dial(name);
	client_hears_end(after);
	service_counts(&process, "1 refused (rules 1)");
	close(before);
	close(after);
	service_stop_clean(&process);
}
END_TEST

START_TEST(whoami_does_not_know_who_it_is)
{
	static const char nobody[] =
	    "type=tcp uid=unknown gid=unknown groups=unknown pid=unknown "
	    "mapped=unknown user=unknown label=";
	struct service process;
	char name[128], answer[4096] = "";
	int fd;

	START(&process, "-s", "whoami", "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "?");

	ck_assert_int_gt(recv(fd, answer, sizeof(answer) - 1, 0), 0);
	answer[strlen(nobody)] = '\0'; /* some kernels have labels */
	ck_assert_str_eq(answer, nobody);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(all_who_are_unknown_are_one_user)
{
	struct service process;
	char first[128], second[128];
	int one, two, path;

	START(&process, "-C", "1", "tcp:127.0.0.1:0", "tcp:127.0.0.2:0", "s");
	one = dial(served(&process, first));
	hears_word(one, "in");

	two = dial(served(&process, second));

	client_hears_end(two);
	service_counts(&process, "1 refused (max_per_user 1)");
	path = client_connect(UXS_STREAM, harness_path("s"));
	hears_word(path, "another user");
	close(one);
	close(two);
	close(path);
	service_stop_clean(&process);
}
END_TEST

/* ---- the stop ---- */

/* With answers that it has not read, and one more word on the way. */
START_TEST(drain_answers_all_and_resets_nobody)
{
	struct service process;
	char data[50000];
	char name[128];
	int fds[20];

	fill_random(data, sizeof(data), 3);
	START(&process, "-b", "4M", "tcp:127.0.0.1:0");
	served(&process, name);
	/* Some of them may not even be accepted yet. */
	for (int i = 0; i < N_OF(fds); i++) {
		fds[i] = dial(name);
		client_says(fds[i], data, sizeof(data));
	}

	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);

	for (int i = 0; i < N_OF(fds); i++) {
		client_hears(fds[i], data, sizeof(data));
		client_hears_end(fds[i]);
		close(fds[i]);
	}
	ck_assert_int_eq(wait_child(process.pid), 0);
	close(process.stderr_fd);
}
END_TEST

/* A close with unread input is a reset, but not where the end was sent. */
START_TEST(client_that_talks_on_still_hears_the_end)
{
	struct service process;
	char name[128];
	int fd;

	START(&process, "-M", "10", "-F", "line", "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "good\nmuch too long for a line\n");

	HEARS(fd, "good\n");
	client_hears_end(fd);
	service_counts(&process, "closed (too_long 1)");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(nobody_is_served_after_the_drain_began)
{
	struct service process;
	char name[128];
	int fd;

	START(&process, "tcp:127.0.0.1:0");
	fd = dial(served(&process, name));
	hears_word(fd, "here");

	service_stop_clean(&process);

	client_hears_end(fd);
	close(fd);
	ck_assert_int_eq(loopback_try(SOCK_STREAM, name), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

/* ---- figures ---- */

START_TEST(queue_tells_who_waits)
{
	struct uxs_address address[UXS_ADDRESS_MAX];
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	const struct uxs_service service = { .on_open = NULL };
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_server *server;
	struct uxs_queue queues[4];
	struct uxs_error why;
	int fds[3];

	uxs_address_parse("tcp:127.0.0.1:0", address, &why);
	uxs_access_add(&access, UXS_ALLOW, "any", &uxs_names_system, &why);
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.access = &access;
	conf.service = &service;
	conf.is_measured = true;
	conf.backlog = 7;
	ck_assert_int_eq(uxs_server_open(&server, &conf, &why), 0);
	for (int i = 0; i < N_OF(fds); i++)
		fds[i] = dial(uxs_server_address(server, 0)->name);

	ck_assert_uint_eq(uxs_server_queues(server, queues, N_OF(queues)), 1);

	ck_assert_uint_eq(queues[0].waiting, N_OF(fds));
	ck_assert_uint_eq(queues[0].limit, 7);
	ck_assert_ptr_eq(queues[0].address, uxs_server_address(server, 0));
	ck_assert_ptr_null(uxs_server_address(server, 1));
	close_all(fds, N_OF(fds));
	uxs_server_close(&server);
	uxs_access_fini(&access);
}
END_TEST

Suite *
suite_uxecho_loopback(void)
{
	Suite *suite = suite_create("uxecho loopback");
	TCase *data = harness_case(suite, "data");
	TCase *port = harness_case(suite, "port");
	TCase *who = harness_case(suite, "who");
	TCase *stop = harness_case(suite, "stop");

	tcase_add_loop_test(data, echoes_beside_the_unix_domain_until_the_end,
	    0, N_OF(anywhere));
	tcase_add_test(data, urgent_byte_is_echoed);
	tcase_add_test(data, ipv6_leaves_the_port_of_ipv4_alone);
	tcase_add_test(data, framing_is_that_of_streams);
	tcase_add_test(data, accepted_socket_has_inherited_what_matters);
	tcase_add_test(data, queue_tells_who_waits);
	tcase_add_test(port, port_zero_is_one_that_the_kernel_chose);
	tcase_add_test(port, restart_does_not_wait_for_old_connections);
	tcase_add_loop_test(port, port_of_a_live_server_is_left_alone, 0,
	    N_OF(ways));
	tcase_add_test(port, second_to_listen_is_told_that_the_first_is_live);
	tcase_add_test(port, port_is_handed_over_with_who_waits);
	tcase_add_test(port, port_of_root_needs_root);
	tcase_add_loop_test(who, only_a_rule_for_any_lets_anybody_in, 0,
	    N_OF(rules));
	tcase_add_test(who, rules_that_are_read_again_keep_out_who_is_unknown);
	tcase_add_test(who, whoami_does_not_know_who_it_is);
	tcase_add_test(who, all_who_are_unknown_are_one_user);
	tcase_add_test(stop, drain_answers_all_and_resets_nobody);
	tcase_add_test(stop, client_that_talks_on_still_hears_the_end);
	tcase_add_test(stop, nobody_is_served_after_the_drain_began);
	return suite;
}
