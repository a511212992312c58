/* SPDX-License-Identifier: ISC */
/*
 * Memory: a session when the kernel has none for it, and how little it takes
 * of ours. The server is in this process, its client a child.
 */
#include "harness.h"
#include "interposed.h"
#include "suites.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define BUFFER_BYTES 65536

#define LENGTH 777

static struct uxs_server *server;
static struct uxs_address address[2];
static size_t n_shown;
static int go[2]; /* the server tells the client */

/* ---- the server ---- */

static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const int r = uxs_client_reply(client, m->data, m->length);

	n_shown += m->length;
	return r < 0 ? r : 0;
}

static const struct uxs_service service = { .on_message = echo };

static void
open_service(const char *text, const struct uxs_service *which,
    int64_t idle_timeout_ns)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_error why = { .text = "" };

	ck_assert_int_eq(uxs_address_parse(text, address, NULL), 1);
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.service = which;
	conf.buffer_bytes = BUFFER_BYTES;
	conf.idle_timeout_ns = idle_timeout_ns;
	if (uxs_server_open(&server, &conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

static void
open_with(int64_t idle_timeout_ns)
{
	open_service("stream:s", &service, idle_timeout_ns);
}

static uint64_t
n_connections(void)
{
	struct uxs_stats now;

	uxs_server_stats(server, &now);
	return now.of[UXS_STREAM].connections;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

static void
turn(int64_t timeout_ns)
{
	/* An assertion that holds allocates, too. */
	if (uxs_loop_turn(uxs_server_loop(server), timeout_ns) < 0)
		ck_abort_msg("the loop has failed");
}

/* How often does the loop wake up in a fifth of a second? */
static int
count_turns(void)
{
	const int64_t end_ns = now_ns() + UXS_NS_PER_S / 5;
	int n;

	for (n = 0; now_ns() < end_ns; n++)
		turn(end_ns - now_ns());
	return n;
}

/* Four pauses, and a few turns for what comes and goes meanwhile. */
#define TURNS_MAX 10

/* ---- clients ---- */

static pid_t
start_client(void (*client)(void *))
{
	ck_assert_int_eq(pipe(go), 0);
	return start_child(client, NULL);
}

static void
wait_for_go(void)
{
	char c;

	close(go[1]);
	ck_assert_int_eq(read(go[0], &c, 1), 1);
}

static void
let_go(void)
{
	ck_assert_int_eq(write(go[1], "", 1), 1);
	close(go[0]);
	close(go[1]);
}

static void
end_client(pid_t client)
{
	let_go();
	while (n_connections() > 0)
		turn(-1);
	ck_assert_int_eq(wait_child(client), 0);
}

static void
says_and_hears(void *arg)
{
	char said[LENGTH];
	const int fd = client_connect(UXS_STREAM, "s");

	fill_random(said, sizeof(said), 1);
	client_says(fd, said, LENGTH);
	wait_for_go();
	client_hears(fd, said, LENGTH);
	close(fd);
}

static void
says_and_goes(void *arg)
{
	const int fd = client_connect(UXS_STREAM, "s");

	SAYS(fd, "x");
	wait_for_go();
	close(fd);
}

/* ---- what the server does ---- */

START_TEST(a_reply_that_takes_too_much_memory_waits_and_is_not_lost)
{
	pid_t client;

	open_with(_i * UXS_NS_PER_S * 60);
	client = start_client(says_and_hears);
	fail_sends(1000000);
	while (n_shown == 0)
		turn(-1);

	ck_assert_int_le(count_turns(), TURNS_MAX);
	fail_sends(0);
	end_client(client);
	ck_assert_uint_eq(n_shown, LENGTH);
	uxs_server_close(&server);
}
END_TEST

START_TEST(input_that_cannot_be_received_waits_and_is_not_lost)
{
	pid_t client;

	open_with(_i * UXS_NS_PER_S * 60);
	client = start_client(says_and_hears);
	fail_receives(1000000);
	while (n_connections() == 0)
		turn(-1);

	ck_assert_int_le(count_turns(), TURNS_MAX);
	fail_receives(0);
	end_client(client);
	ck_assert_uint_eq(n_shown, LENGTH);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_has_gone_meanwhile_does_not_make_it_spin)
{
	pid_t client;

	open_with(_i * UXS_NS_PER_S * 60);
	client = start_client(says_and_goes);
	fail_receives(1000000);
	while (n_connections() == 0)
		turn(-1);
	let_go();
	ck_assert_int_eq(wait_child(client), 0);

	ck_assert_int_le(count_turns(), TURNS_MAX);
	fail_receives(0);
	while (n_connections() > 0)
		turn(-1);
	uxs_server_close(&server);
}
END_TEST

START_TEST(who_is_idle_meanwhile_is_closed)
{
	pid_t client;

	open_with(UXS_NS_PER_S / 10);
	client = start_client(says_and_goes);
	fail_receives(1000000);
	while (n_connections() == 0)
		turn(-1);

	while (n_connections() > 0)
		turn(-1);

	let_go();
	ck_assert_int_eq(wait_child(client), 0);
	uxs_server_close(&server);
}
END_TEST

/* ---- what it takes of ours ---- */

#define N_WARM 20
#define N_STEADY 500
#define N_IDLE 100

/* Of one connection, our own; the header that malloc puts in front counted. */
#define SESSION_BYTES_MAX 256
#define MALLOC_HEADER_BYTES 16

static struct {
	int n;
	size_t at_start, at_end; /* allocations, in all */
} steady;

static int
echo_and_count(struct uxs_client *client, const struct uxs_message *m,
    void *arg)
{
	steady.n++;
	if (steady.n == N_WARM)
		steady.at_start = n_allocations();
	if (steady.n == N_WARM + N_STEADY)
		steady.at_end = n_allocations();
	return uxs_client_reply(client, m->data, m->length) < 0 ? -EIO : 0;
}

static const struct uxs_service counting_service = {
	.on_message = echo_and_count,
};

static const char *const texts[UXS_N_TYPES] = { "stream:s", "seqpacket:s",
	"dgram:s" };

static void
says_and_hears_often(void *arg)
{
	const int fd = client_connect(*(enum uxs_type *)arg, "s");

	for (int i = 0; i < N_WARM + N_STEADY; i++) {
		SAYS(fd, "a message");
		HEARS(fd, "a message");
	}
	close(fd);
}

START_TEST(messages_allocate_nothing)
{
	enum uxs_type type = (enum uxs_type)_i;
	pid_t client;

	open_service(texts[_i], &counting_service, 60 * UXS_NS_PER_S);
	client = start_child(says_and_hears_often, &type);
	while (steady.n < N_WARM + N_STEADY || n_connections() > 0)
		turn(-1);

	ck_assert_int_eq(wait_child(client), 0);
	ck_assert_uint_eq(steady.at_end, steady.at_start);
	uxs_server_close(&server);
}
END_TEST

static void
are_many(void *arg)
{
	int fds[N_IDLE];

	for (int i = 0; i < N_IDLE; i++)
		fds[i] = client_connect(UXS_STREAM, "s");
	wait_for_go();
	for (int i = 0; i < N_IDLE; i++)
		close(fds[i]);
}

START_TEST(an_idle_connection_takes_one_small_block)
{
	size_t before, bytes_before, n, bytes;
	pid_t client;

	open_with(60 * UXS_NS_PER_S);
	client = start_client(are_many);
	before = n_allocations();
	bytes_before = n_allocated_bytes();
	while (n_connections() < N_IDLE)
		turn(-1);
	n = n_allocations() - before;
	bytes = n_allocated_bytes() - bytes_before;

	/* And the account of the user, for all of them. */
	ck_assert_uint_le(n, N_IDLE + 1);
	ck_assert_uint_le(bytes / N_IDLE + MALLOC_HEADER_BYTES,
	    SESSION_BYTES_MAX);
	end_client(client);
	uxs_server_close(&server);
}
END_TEST

Suite *
suite_server_memory(void)
{
	Suite *suite = suite_create("server_memory");
	TCase *tcase = harness_case(suite, "the kernel has none");

	/* Without an idle timeout, and with one that is far away. */
	tcase_add_loop_test(tcase,
	    a_reply_that_takes_too_much_memory_waits_and_is_not_lost, 0, 2);
	tcase_add_loop_test(tcase,
	    input_that_cannot_be_received_waits_and_is_not_lost, 0, 2);
	tcase_add_loop_test(tcase, who_has_gone_meanwhile_does_not_make_it_spin,
	    0, 2);
	tcase_add_test(tcase, who_is_idle_meanwhile_is_closed);

	tcase = harness_case(suite, "what it takes of ours");
	tcase_add_loop_test(tcase, messages_allocate_nothing, 0, UXS_N_TYPES);
	tcase_add_test(tcase, an_idle_connection_takes_one_small_block);
	return suite;
}
