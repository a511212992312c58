/* SPDX-License-Identifier: ISC */
/*
 * UDP over the loopback interface: datagrams as those of the Unix domain, but
 * from nobody knows whom.
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "lib/loopback_source.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* The longest that IPv4 carries: 65535, less the two headers. */
#define LONGEST ((size_t)65507)

/* ---- the language of this file ---- */

static const char *
served(const struct service *process, char text[LOOPBACK_NAME_ROOM])
{
	return loopback_served(process, "udp", text);
}

static int
dial(const char *name)
{
	return loopback_connect_to(SOCK_DGRAM, name);
}

#define START(process, ...)      \
	service_start((process), \
	    (const char *const[]){ "--allow", "any", __VA_ARGS__, NULL })

/* One that is answered, and nothing came before it. */
static void
hears_only(int fd, const char *word)
{
	char heard[4096];
	ssize_t n;

	SAYS(fd, word);
	n = recv(fd, heard, sizeof(heard), 0);
	ck_assert_msg(n == (ssize_t)strlen(word) &&
		memcmp(heard, word, (size_t)n) == 0,
	    "heard '%.*s', not '%s'", n > 0 ? (int)n : 0, heard, word);
}

/* An answer comes from a turn; the second one from a turn that began after
 * all that was sent before was there. */
static void
takes_turns(int dgram)
{
	hears_only(dgram, "one turn");
	hears_only(dgram, "another one");
}

static void
pause_service(const struct service *process)
{
	int status;

	ck_assert_int_eq(kill(process->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(process->pid, &status, WUNTRACED),
	    process->pid);
}

/* ---- it echoes ---- */

static const struct {
	const char *name, *threads;
} anywhere[] = {
	{ "127.0.0.1:0", "1" },
	{ "127.0.0.2:0", "1" },
	{ "[::1]:0", "1" },
	{ "127.0.0.1:0", "2" },
};

START_TEST(echoes_whole_datagrams_beside_the_unix_domain)
{
	char data[LONGEST], heard[LONGEST + 1];
	struct service process;
	char address[160], name[LOOPBACK_NAME_ROOM];
	int udp, dgram;

	if (anywhere[_i].name[0] == '[' && !loopback_has_ipv6())
		return;
	snprintf(address, sizeof(address), "udp:%s", anywhere[_i].name);
	START(&process, "-t", anywhere[_i].threads, "dgram:d", address);
	udp = dial(served(&process, name));
	dgram = client_connect(UXS_DGRAM, harness_path("d"));
	fill_random(data, sizeof(data), 7);

	hears_only(dgram, "by path");
	hears_only(udp, "one");
	hears_only(udp, ""); /* is a message as well */
	client_says(udp, data, sizeof(data));
	ck_assert_int_eq(recv(udp, heard, sizeof(heard), 0), sizeof(data));
	ck_assert_mem_eq(heard, data, sizeof(data));

	service_counts(&process,
	    "udp: 0 open, 0 accepted, 0 refused; received 3 messages, "
	    "65510 bytes; sent 3, 65510 bytes; 0 dropped");
	close(udp);
	close(dgram);
	service_stop_clean(&process);
}
END_TEST

/* Each has its own, and they come in batches. */
START_TEST(every_client_hears_its_own_in_order)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM], word[32];
	int fds[8];

	START(&process, "udp:127.0.0.1:0");
	served(&process, name);
	for (int i = 0; i < N_OF(fds); i++)
		fds[i] = dial(name);
	pause_service(&process);
	for (int n = 0; n < 64; n++) {
		snprintf(word, sizeof(word), "%d of %d", n / 8, n % 8);
		SAYS(fds[n % 8], word);
	}

	ck_assert_int_eq(kill(process.pid, SIGCONT), 0);

	for (int n = 0; n < 64; n++) {
		snprintf(word, sizeof(word), "%d of %d", n / 8, n % 8);
		HEARS(fds[n % 8], word);
	}
	close_all(fds, N_OF(fds));
	service_stop_clean(&process);
}
END_TEST

START_TEST(message_that_is_too_long_is_counted_and_not_cut)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM], says[160];
	int fd;

	START(&process, "-v", "-v", "-M", "10", "udp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "eleven byte");
	hears_only(fd, "ten bytes.");

	snprintf(says, sizeof(says),
	    "udp: dropped (too_long): uid=unknown gid=unknown pid=unknown "
	    "from 127.0.0.1:%u",
	    loopback_port(fd));
	service_logs(&process, says);
	service_counts(&process, "1 dropped (too_long 1)");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* What waits to be read is the receiver's own, and not our send buffer's. */
START_TEST(client_that_does_not_read_is_nobody_else_s_trouble)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	static const char much[8000];
	int deaf, other;

	START(&process, "udp:127.0.0.1:0");
	deaf = dial(served(&process, name));
	other = dial(name);

	for (int i = 0; i < 500; i++)
		client_says(deaf, much, sizeof(much));

	hears_only(other, "still there?");
	close(deaf);
	close(other);
	service_stop_clean(&process);
}
END_TEST

/* The answer finds nobody, which the kernel says to nobody who asks. */
START_TEST(client_that_has_gone_is_nobody_else_s_trouble)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int gone, other;

	START(&process, "udp:127.0.0.1:0");
	gone = dial(served(&process, name));
	other = dial(name);
	pause_service(&process);
	for (int i = 0; i < 20; i++)
		SAYS(gone, "hello");
	close(gone);
	ck_assert_int_eq(kill(process.pid, SIGCONT), 0);

	for (int i = 0; i < 20; i++)
		hears_only(other, "still there?");

	service_counts(&process, "0 dropped");
	close(other);
	service_stop_clean(&process);
}
END_TEST

START_TEST(service_is_the_one_that_was_asked_for)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int fd;

	START(&process, "-s", "upper", "udp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "quiet");

	HEARS(fd, "QUIET");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(whoami_does_not_know_who_it_is)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int fd;

	START(&process, "-s", "whoami", "udp:127.0.0.1:0");
	fd = dial(served(&process, name));

	SAYS(fd, "?");

	HEARS(fd,
	    "type=udp uid=unknown gid=unknown groups=unknown pid=unknown "
	    "mapped=unknown user=unknown label=unknown\n");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(chat_is_joined_by_saying_something)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int stream, udp;

	START(&process, "-s", "chat", "-i", "300ms", "stream:s",
	    "udp:127.0.0.1:0");
	stream = client_connect(UXS_STREAM, harness_path("s"));
	udp = dial(served(&process, name));

	SAYS(udp, "hello");
	HEARS(stream,
	    "* 2 joined: uid=unknown gid=unknown pid=unknown (udp)\nhello");
	SAYS(stream, "welcome");

	HEARS(udp, "welcome");
	service_counts(&process, "udp: 1 open, 1 accepted");
	close(udp);
	close(stream);
	service_stop_clean(&process);
}
END_TEST

START_TEST(program_of_one_s_own_cannot_be_given_datagrams)
{
	struct output_of result;

	run_program(&result,
	    (const char *const[]){ "uxecho", "-n", "-a", "any", "-s", "exec",
		"udp:127.0.0.1:0", "--", "cat", NULL });

	ck_assert_int_eq(result.status, EX_USAGE);
	ck_assert_ptr_nonnull(strstr(result.err, "a datagram socket has none"));
}
END_TEST

START_TEST(all_families_are_measured_on_one_screen)
{
	static const char *const rows[] = { "s (stream)", "d (dgram)", " (tcp)",
		" (udp)" };
	struct service process;
	struct output_of result;
	char tcp[LOOPBACK_NAME_ROOM], udp[LOOPBACK_NAME_ROOM];
	char tcp_address[160], udp_address[160];

	START(&process, "stream:s", "dgram:d", "tcp:127.0.0.1:0",
	    "udp:127.0.0.1:0");
	snprintf(tcp_address, sizeof(tcp_address), "tcp:%s",
	    loopback_served(&process, "tcp", tcp));
	snprintf(udp_address, sizeof(udp_address), "udp:%s",
	    served(&process, udp));

	run_program(&result,
	    (const char *const[]){ "uxping", "-B", "-d", "1s", "--compare",
		"stream:s", "dgram:d", tcp_address, udp_address, NULL });

	ck_assert_msg(result.status == 0, "%s", result.err);
	for (int i = 0; i < N_OF(rows); i++)
		ck_assert_msg(strstr(result.out, rows[i]) != NULL,
		    "no %s in: %s", rows[i], result.out);
	service_stop_clean(&process);
}
END_TEST

/* ---- whose port it is ---- */

START_TEST(ipv6_leaves_the_port_of_ipv4_alone)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM], other[160];
	int fd;

	if (!loopback_has_ipv6())
		return;
	START(&process, "udp:[::1]:0");
	served(&process, name);
	snprintf(other, sizeof(other), "127.0.0.1%s", strrchr(name, ':'));

	fd = loopback_bind(SOCK_DGRAM, other);

	ck_assert_int_ge(fd, 0);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* TCP and UDP have ports of their own. */
START_TEST(port_of_tcp_is_another_one)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	char address[160];
	const int tcp = loopback_bind(SOCK_STREAM, "127.0.0.1:0");
	int fd;

	ck_assert_int_ge(tcp, 0);
	ck_assert_int_eq(listen(tcp, 1), 0);
	snprintf(address, sizeof(address), "udp:127.0.0.1:%u",
	    loopback_port(tcp));

	START(&process, address);

	fd = dial(served(&process, name));
	hears_only(fd, "hello");
	close(fd);
	close(tcp);
	service_stop_clean(&process);
}
END_TEST

static const char *const ways[] = { "--quiet", "--check" };

/* One that would share it: half of what is sent would be lost to us. */
START_TEST(port_of_a_live_server_is_left_alone)
{
	const int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = { .sin_family = AF_INET };
	const int on = 1;
	struct output_of result;
	char address[160], says[256];

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(server, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(server, (struct sockaddr *)&in, sizeof(in)), 0);
	snprintf(address, sizeof(address), "udp:127.0.0.1:%u",
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
	close(server);
}
END_TEST

static const int sharing[] = { SO_REUSEADDR, SO_REUSEPORT };

/* Of the same user, since the kernel lets no other share a port anyway. */
START_TEST(nobody_shares_the_port)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage sa;
	socklen_t length;
	const int on = 1;

	START(&process, "udp:127.0.0.1:0");
	uxs_sockaddr_from_loopback(&sa, &length, served(&process, name));
	setsockopt(fd, SOL_SOCKET, sharing[_i], &on, sizeof(on));

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), -1);

	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* A successor asks for the port by its number; for another one it is not. */
START_TEST(port_is_handed_over_with_what_waits)
{
	static const char *const others[] = { "tcp:127.0.0.1:7",
		"udp:127.0.0.2:7" };
	struct uxs_address address[UXS_ADDRESS_MAX], other[UXS_ADDRESS_MAX];
	struct uxs_address same;
	struct uxs_listener_conf conf = { .address = address };
	struct uxs_listener before, after;
	struct uxs_handed handed;
	struct uxs_error why;
	char heard[16];
	int client;

	uxs_address_parse("udp:127.0.0.1:0", address, &why);
	ck_assert_int_eq(uxs_listener_open(&before, &conf, &why), 0);
	same = *before.address;
	client = dial(same.name);
	SAYS(client, "waits");
	ck_assert_int_eq(uxs_listener_hand_out(&before, &handed), 0);
	uxs_listener_leave(&before);

	conf.address = other;
	for (int i = 0; i < N_OF(others); i++) {
		uxs_address_parse(others[i], other, &why);
		ck_assert_int_eq(uxs_listener_take_over(&after, &conf, &handed,
				     &why),
		    -EINVAL);
	}
	conf.address = &same;
	ck_assert_int_eq(uxs_listener_take_over(&after, &conf, &handed, &why),
	    0);
	ck_assert_int_eq(uxs_listener_own(&after, 4), 0);

	ck_assert(after.refuses_descriptors);
	ck_assert_int_eq(recv(after.fd, heard, sizeof(heard), 0), 5);
	close(client);
	close(handed.fd);
	uxs_listener_close(&after);
}
END_TEST

/* ---- who may ---- */

START_TEST(only_a_rule_for_any_lets_anybody_in)
{
	static const char *const rules[] = { "self", "any" };
	struct output_of result;

	run_program(&result,
	    (const char *const[]){ "uxecho", "--check", "-a", rules[_i],
		"udp:127.0.0.1:0", NULL });

	ck_assert_int_eq(result.status, _i == 1 ? 0 : EX_USAGE);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(result.err, "only --allow any"));
	else
		ck_assert_ptr_nonnull(strstr(result.out,
		    "serve udp:127.0.0.1:0\n"));
}
END_TEST

START_TEST(rules_that_are_read_again_keep_out_who_is_unknown)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int fd, dgram;

	write_file("rules", "allow any\n", 0600);
	service_start(&process,
	    (const char *const[]){
		"-f", "rules", "udp:127.0.0.1:0", "dgram:d", NULL });
	dgram = client_connect(UXS_DGRAM, harness_path("d"));
	fd = dial(served(&process, name));
	hears_only(fd, "hello");

	write_file("rules", "allow self\n", 0600);
	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	service_logs(&process, "rules");
	SAYS(fd, "let me in");
	takes_turns(dgram);
	service_counts(&process, "1 refused (rules 1)");
	write_file("rules", "allow any\n", 0600);
	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	service_logs(&process, "rules");

	hears_only(fd, "again");
	close(fd);
	close(dgram);
	service_stop_clean(&process);
}
END_TEST

START_TEST(all_who_are_unknown_have_one_rate)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	int one, other, dgram;

	START(&process, "-r", "2", "udp:127.0.0.1:0", "dgram:d");
	one = dial(served(&process, name));
	other = dial(name);

	for (int i = 0; i < 100; i++)
		SAYS(one, "much");
	for (int i = 0; i < 100; i++)
		SAYS(other, "much");

	dgram = client_connect(UXS_DGRAM, harness_path("d"));
	takes_turns(dgram); /* it is another user */
	service_counts(&process, "refused (rate ");
	close(one);
	close(other);
	close(dgram);
	service_stop_clean(&process);
}
END_TEST

/* ---- where it comes from ---- */

static const char *const own_names[] = { "127.0.0.1:7", "[::1]:7" };

static const struct {
	const char *from;
	enum uxs_drop objection;
} sources[] = {
	{ "127.0.0.1:7", UXS_DROP_SELF },
	{ "[::1]:7", UXS_DROP_SELF },
	{ "127.0.0.1:8", UXS_N_DROPS },
	{ "127.0.0.2:7", UXS_N_DROPS },
	{ "127.255.255.254:1", UXS_N_DROPS },
	{ "[::1]:8", UXS_N_DROPS },
};

START_TEST(source_is_of_loopback_and_not_our_own)
{
	struct loopback_sources s = { .n = 0 };
	struct sockaddr_storage from;
	socklen_t length;

	for (int i = 0; i < N_OF(own_names); i++)
		ck_assert_int_eq(loopback_sources_add(&s, own_names[i]), 0);
	uxs_sockaddr_from_loopback(&from, &length, sources[_i].from);

	ck_assert_int_eq(loopback_source_object_to(&s, &from, length),
	    sources[_i].objection);
	loopback_sources_fini(&s);
	loopback_sources_fini(&s);
}
END_TEST

static const uint32_t foreign_v4[] = { INADDR_ANY, 0x0a000001, 0x7effffff,
	0x7f000000, 0x7fffffff, 0x80000000, INADDR_NONE };

START_TEST(other_addresses_of_this_machine_are_foreign)
{
	const struct loopback_sources none = { .n = 0 };
	union {
		struct sockaddr_storage any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} from = { .in = { .sin_family = AF_INET, .sin_port = 7 } };

	from.in.sin_addr.s_addr = htonl(foreign_v4[_i]);
	ck_assert_int_eq(loopback_source_object_to(&none, &from.any,
			     sizeof(from.in)),
	    UXS_DROP_FOREIGN);

	from.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	from.in6.sin6_addr.s6_addr[15] = (uint8_t)(2 + _i);
	ck_assert_int_eq(loopback_source_object_to(&none, &from.any,
			     sizeof(from.in6)),
	    UXS_DROP_FOREIGN);
}
END_TEST

/* A machine with one address besides those of loopback. */
static bool
enter_own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo" }, alias = { .ifr_name = "lo:1" };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool has_both;
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	in.sin_addr.s_addr = htonl(0xc0000207); /* 192.0.2.7 */
	memcpy(&alias.ifr_addr, &in, sizeof(in));
	has_both = ioctl(fd, SIOCSIFFLAGS, &lo) == 0 &&
	    ioctl(fd, SIOCSIFADDR, &alias) == 0;
	close(fd);
	return has_both;
}

/* The network is that of this test's process, which ends with it. */
START_TEST(datagram_from_elsewhere_is_not_answered)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM];
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_storage to;
	socklen_t length;
	int foreign, honest;

	if (!enter_own_network()) {
		skip("cannot make a network of one's own here");
		return;
	}
	START(&process, "udp:127.0.0.1:0");
	honest = dial(served(&process, name));
	foreign = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	in.sin_addr.s_addr = htonl(0xc0000207);
	ck_assert_int_eq(bind(foreign, (struct sockaddr *)&in, sizeof(in)), 0);
	uxs_sockaddr_from_loopback(&to, &length, name);

	ck_assert_int_eq(sendto(foreign, "hello", 5, 0, (struct sockaddr *)&to,
			     length),
	    5);

	hears_only(honest, "from here");
	service_counts(&process, "1 dropped (foreign 1)");
	ck_assert_int_eq(recv(foreign, name, sizeof(name), MSG_DONTWAIT), -1);
	close(foreign);
	close(honest);
	service_stop_clean(&process);
}
END_TEST

/* ---- the stop ---- */

START_TEST(drain_answers_what_has_arrived)
{
	struct service process;
	char name[LOOPBACK_NAME_ROOM], word[32];
	int fd;

	START(&process, "udp:127.0.0.1:0");
	fd = dial(served(&process, name));
	pause_service(&process);
	for (int i = 0; i < 50; i++) {
		snprintf(word, sizeof(word), "word %d", i);
		SAYS(fd, word);
	}
	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);

	ck_assert_int_eq(kill(process.pid, SIGCONT), 0);

	for (int i = 0; i < 50; i++) {
		snprintf(word, sizeof(word), "word %d", i);
		HEARS(fd, word);
	}
	ck_assert_int_eq(wait_child(process.pid), 0);
	SAYS(fd, "nobody");
	ck_assert_int_eq(recv(fd, word, sizeof(word), 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(process.stderr_fd);
	close(fd);
}
END_TEST

/* Otherwise who talks on could hold it up, and be lost without a trace. */
START_TEST(drained_socket_keeps_what_it_has_and_takes_no_more)
{
	struct uxs_address address[UXS_ADDRESS_MAX];
	const struct uxs_listener_conf conf = { .address = address };
	struct uxs_listener listener;
	char heard[16];
	int fd;

	uxs_address_parse("udp:127.0.0.1:0", address, NULL);
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
	fd = dial(listener.address->name);
	SAYS(fd, "before");

	uxs_listener_drain(&listener);

	SAYS(fd, "after it");
	ck_assert_int_eq(recv(listener.fd, heard, sizeof(heard), 0), 6);
	ck_assert_int_eq(recv(listener.fd, heard, sizeof(heard), 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	uxs_listener_close(&listener);
}
END_TEST

Suite *
suite_uxecho_udp(void)
{
	Suite *suite = suite_create("uxecho udp");
	TCase *data = harness_case(suite, "data");
	TCase *services = harness_case(suite, "services");
	TCase *port = harness_case(suite, "port");
	TCase *who = harness_case(suite, "who");
	TCase *source = harness_case(suite, "source");
	TCase *stop = harness_case(suite, "stop");

	tcase_add_loop_test(data, echoes_whole_datagrams_beside_the_unix_domain,
	    0, N_OF(anywhere));
	tcase_add_test(data, every_client_hears_its_own_in_order);
	tcase_add_test(data, message_that_is_too_long_is_counted_and_not_cut);
	tcase_add_test(data,
	    client_that_does_not_read_is_nobody_else_s_trouble);
	tcase_add_test(data, client_that_has_gone_is_nobody_else_s_trouble);
	tcase_add_test(services, service_is_the_one_that_was_asked_for);
	tcase_add_test(services, whoami_does_not_know_who_it_is);
	tcase_add_test(services, chat_is_joined_by_saying_something);
	tcase_add_test(services,
	    program_of_one_s_own_cannot_be_given_datagrams);
	tcase_add_test(services, all_families_are_measured_on_one_screen);
	tcase_add_test(port, ipv6_leaves_the_port_of_ipv4_alone);
	tcase_add_test(port, port_of_tcp_is_another_one);
	tcase_add_loop_test(port, port_of_a_live_server_is_left_alone, 0,
	    N_OF(ways));
	tcase_add_loop_test(port, nobody_shares_the_port, 0, N_OF(sharing));
	tcase_add_test(port, port_is_handed_over_with_what_waits);
	tcase_add_loop_test(who, only_a_rule_for_any_lets_anybody_in, 0, 2);
	tcase_add_test(who, rules_that_are_read_again_keep_out_who_is_unknown);
	tcase_add_test(who, all_who_are_unknown_have_one_rate);
	tcase_add_loop_test(source, source_is_of_loopback_and_not_our_own, 0,
	    N_OF(sources));
	tcase_add_loop_test(source, other_addresses_of_this_machine_are_foreign,
	    0, N_OF(foreign_v4));
	tcase_add_test(source, datagram_from_elsewhere_is_not_answered);
	tcase_add_test(stop, drain_answers_what_has_arrived);
	tcase_add_test(stop,
	    drained_socket_keeps_what_it_has_and_takes_no_more);
	return suite;
}
