/* SPDX-License-Identifier: ISC */
/*
 * Bulk data, relayed without being looked at. The server is in this process,
 * with a service that counts what it was shown: so it can be told whether
 * bytes went by without it. The clients are a child.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#define MI ((size_t)1024 * 1024)
#define PIECE ((size_t)256 * 1024)
#define SMALL 1000

static struct uxs_server *server;
static struct uxs_address address[2];
static size_t n_shown; /* bytes that the service saw */
static int n_small_shown; /* messages, of SMALL bytes */
static int64_t write_timeout_ns = 30 * UXS_NS_PER_S;

/* ---- the server ---- */

static int
mirror(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const int r = uxs_client_reply(client, m->data, m->length);

	n_shown += m->length;
	n_small_shown += m->length == SMALL;
	return r < 0 ? r : 0;
}

static const struct uxs_service mirror_service = {
	.on_message = mirror,
	.is_mirror = true,
};
static const struct uxs_service looking_service = { .on_message = mirror };

/* For so many streams of one user. */
static void
open_for(size_t n_streams, const struct uxs_service *service,
    size_t buffer_bytes)
{
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_error why = { .text = "" };

	ck_assert_int_eq(uxs_address_parse("stream:s", address, NULL), 1);
	conf.addresses = address;
	conf.n_addresses = 1;
	conf.service = service;
	conf.buffer_bytes = buffer_bytes;
	/* Of all that one user has; a byte more ends a connection. */
	conf.max_bytes_per_user = n_streams * buffer_bytes;
	conf.write_timeout_ns = write_timeout_ns;
	if (uxs_server_open(&server, &conf, &why) < 0)
		ck_abort_msg("cannot open: %s", why.text);
}

static void
open_with(const struct uxs_service *service, size_t buffer_bytes)
{
	open_for(1, service, buffer_bytes);
}

static bool have_ended;

static void
on_clients_ended(struct uxs_watch *watch, uint32_t events)
{
	uxs_watch_stop(uxs_server_loop(server), watch);
	have_ended = true;
}

/* As of the last look. */
static const struct uxs_stats *
stats(void)
{
	static struct uxs_stats now;

	uxs_server_stats(server, &now);
	return &now;
}

static void
serve(void (*clients)(void *))
{
	struct uxs_loop *loop = uxs_server_loop(server);
	struct uxs_watch end = { .on_ready = on_clients_ended };
	const pid_t pid = start_child(clients, NULL);

	have_ended = false;
	end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	ck_assert_int_ge(end.fd, 0);
	ck_assert_int_eq(uxs_watch_start(loop, &end, EPOLLIN), 0);
	while (!have_ended)
		ck_assert_int_ge(uxs_loop_turn(loop, -1), 0);
	close(end.fd);
	ck_assert_int_eq(wait_child(pid), 0);
	/* Some may be pausing, for want of memory, and go after that. */
	while (stats()->of[UXS_STREAM].connections > 0)
		ck_assert_int_ge(uxs_loop_turn(loop, -1), 0);
}

/* ---- clients ---- */

/* What a client sends is a pattern that it knows at every position. */
#define PERIOD 65521

struct stream {
	int fd;
	unsigned seed;
	char pattern[PERIOD + PIECE];
	char got[PIECE];
	size_t sent, received;
};

static struct stream *
stream_open(unsigned seed)
{
	struct stream *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->fd = client_connect(UXS_STREAM, "s");
	s->seed = seed;
	fill_random(s->pattern, PERIOD, seed);
	memcpy(s->pattern + PERIOD, s->pattern, PERIOD);
	memcpy(s->pattern + 2 * (size_t)PERIOD, s->pattern, PERIOD);
	memcpy(s->pattern + 3 * (size_t)PERIOD, s->pattern, PERIOD);
	memcpy(s->pattern + 4 * (size_t)PERIOD, s->pattern,
	    PIECE - 3 * (size_t)PERIOD);
	return s;
}

static void
stream_close(struct stream *s)
{
	close(s->fd);
	free(s);
}

/* Send a piece up to total; returns whether anything went. */
static bool
stream_sends(struct stream *s, size_t piece, size_t total)
{
	const size_t left = total - s->sent;
	const ssize_t n = send(s->fd, s->pattern + s->sent % PERIOD,
	    left < piece ? left : piece, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		s->sent += (size_t)n;
	else
		ck_assert_int_eq(errno, EAGAIN);
	return n > 0;
}

/* Receive what is there; it must be what comes next. */
static bool
stream_hears(struct stream *s)
{
	const ssize_t n = recv(s->fd, s->got, sizeof(s->got), MSG_DONTWAIT);

	if (n < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		return false;
	}
	ck_assert_int_gt(n, 0);
	if (memcmp(s->got, s->pattern + s->received % PERIOD, (size_t)n) != 0)
		ck_abort_msg("other bytes come back, from %zu on", s->received);
	s->received += (size_t)n;
	return true;
}

static void
stream_waits(struct stream *s, bool can_send)
{
	struct pollfd pollfd = { .fd = s->fd, .events = POLLIN };

	if (can_send)
		pollfd.events |= POLLOUT;
	ck_assert_int_gt(poll(&pollfd, 1, 10000), 0);
}

/* Send and hear until so many bytes, from the start, have come back. */
static void
stream_echoes(struct stream *s, size_t piece, size_t total)
{
	while (s->received < total) {
		const bool has_sent = s->sent < total &&
		    stream_sends(s, piece, total);

		if (!stream_hears(s) && !has_sent)
			stream_waits(s, s->sent < total);
	}
}

/* Send and hear nothing until nothing goes any more. Who sends is told late
 * that there is room again: only after some time without any is it the end. */
static void
stream_fills(struct stream *s)
{
	struct pollfd pollfd = { .fd = s->fd, .events = POLLOUT };

	while (poll(&pollfd, 1, 50) > 0) {
		while (stream_sends(s, PIECE, SIZE_MAX))
			;
	}
}

static void
stream_ends(struct stream *s)
{
	client_ends(s->fd);
	while (s->received < s->sent) {
		if (!stream_hears(s))
			stream_waits(s, false);
	}
	client_hears_end(s->fd);
}

/* ---- as any stream ---- */

#define TOTAL (16 * MI + 12345)

/* Less was shown than came, where anything may be relayed at all. */
static void
assert_relayed(uint64_t n_came)
{
	if (kernel_can_refuse_descriptors())
		ck_assert_uint_lt(n_shown, n_came);
	else
		skip("nothing is relayed before Linux 6.16");
}

static void
one_stream(void *arg)
{
	struct stream *s = stream_open(1);

	stream_echoes(s, PIECE, TOTAL);
	stream_ends(s);
	stream_close(s);
}

START_TEST(every_byte_comes_back_in_order_once)
{
	open_with(&mirror_service, 64 * 1024);

	serve(one_stream);

	ck_assert_uint_gt(n_shown, 0);
	assert_relayed(TOTAL);
	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	uxs_server_close(&server);
}
END_TEST

START_TEST(it_is_counted_as_if_it_had_been_copied)
{
	const struct uxs_stats_of_type *of;

	open_with(&mirror_service, 64 * 1024);

	serve(one_stream);

	of = &stats()->of[UXS_STREAM];
	ck_assert_uint_eq(of->received_bytes, TOTAL);
	ck_assert_uint_eq(of->sent_bytes, TOTAL);
	ck_assert_uint_eq(of->received_messages, of->sent_messages);
	uxs_server_close(&server);
}
END_TEST

START_TEST(a_service_that_looks_is_shown_every_byte)
{
	open_with(&looking_service, 64 * 1024);

	serve(one_stream);

	ck_assert_uint_eq(n_shown, TOTAL);
	uxs_server_close(&server);
}
END_TEST

#define SEVERAL 4

static void
several_streams(void *arg)
{
	struct stream *s[SEVERAL];

	for (unsigned i = 0; i < SEVERAL; i++)
		s[i] = stream_open(i + 1);
	for (size_t done = PIECE; done <= 8 * MI; done += PIECE) {
		for (int i = 0; i < SEVERAL; i++)
			stream_sends(s[i], PIECE, done);
		for (int i = 0; i < SEVERAL; i++)
			stream_echoes(s[i], PIECE, done);
	}
	for (int i = 0; i < SEVERAL; i++) {
		stream_ends(s[i]);
		stream_close(s[i]);
	}
}

START_TEST(streams_side_by_side_do_not_mix)
{
	open_for(SEVERAL, &mirror_service, 64 * 1024);

	serve(several_streams);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 4);
	assert_relayed(stats()->of[UXS_STREAM].received_bytes);
	uxs_server_close(&server);
}
END_TEST

static void
bulk_then_small(void *arg)
{
	struct stream *s = stream_open(1);

	stream_echoes(s, PIECE, 16 * MI);
	for (int i = 0; i < 100; i++)
		stream_echoes(s, SMALL, s->sent + SMALL);
	stream_ends(s);
	stream_close(s);
}

START_TEST(small_messages_are_copied_again)
{
	open_with(&mirror_service, 64 * 1024);

	serve(bulk_then_small);

	/* All but the first few. */
	ck_assert_int_ge(n_small_shown, 95);
	assert_relayed(16 * MI);
	uxs_server_close(&server);
}
END_TEST

static void
urgent_bytes(void *arg)
{
	struct stream *s = stream_open(1);

	for (int i = 0; i < 60; i++) {
		stream_echoes(s, PIECE, s->sent + PIECE);
		if (send(s->fd, s->pattern + s->sent % PERIOD, 1, MSG_OOB) == 1)
			s->sent++;
		else
			ck_assert_int_eq(errno, EOPNOTSUPP);
	}
	stream_ends(s);
	stream_close(s);
}

START_TEST(urgent_bytes_come_back_in_their_place)
{
	open_with(&mirror_service, 64 * 1024);

	serve(urgent_bytes);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	assert_relayed(15 * MI);
	uxs_server_close(&server);
}
END_TEST

/* ---- clients that do not read ---- */

static void
late_reader(void *arg)
{
	struct stream *s = stream_open(1);

	for (int i = 0; i < 20; i++) {
		stream_echoes(s, PIECE, s->sent + 2 * MI);
		stream_fills(s);
		stream_echoes(s, PIECE, s->sent);
	}
	stream_ends(s);
	stream_close(s);
}

static const size_t buffers[] = { 40 * 1024, 64 * 1024, 100000, 1024 * 1024 };

START_TEST(no_more_than_the_buffer_is_kept)
{
	open_with(&mirror_service, buffers[_i]);

	serve(late_reader);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_MEMORY], 0);
	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	uxs_server_close(&server);
}
END_TEST

static void
half_close_behind_a_full_pipe(void *arg)
{
	struct stream *s = stream_open(1);

	stream_echoes(s, PIECE, 4 * MI);
	stream_fills(s);
	stream_ends(s);
	stream_close(s);
}

START_TEST(after_a_half_close_the_rest_comes_and_then_the_end)
{
	open_with(&mirror_service, 64 * 1024);

	serve(half_close_behind_a_full_pipe);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	uxs_server_close(&server);
}
END_TEST

static void
never_reads(void *arg)
{
	struct stream *s = stream_open(1);

	stream_echoes(s, PIECE, 4 * MI);
	while (send(s->fd, s->pattern, PIECE, MSG_NOSIGNAL) > 0)
		;
	ck_assert_int_eq(errno, EPIPE);
	stream_close(s);
}

START_TEST(who_does_not_read_runs_into_the_write_timeout)
{
	write_timeout_ns = 100 * UXS_NS_PER_MS;
	open_with(&mirror_service, 64 * 1024);

	serve(never_reads);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_WRITE_TIMEOUT], 1);
	uxs_server_close(&server);
}
END_TEST

static void
goes_and_another_comes(void *arg)
{
	struct stream *s;

	for (unsigned i = 1; i <= 20; i++) {
		s = stream_open(i);
		stream_echoes(s, PIECE, 4 * MI);
		stream_sends(s, PIECE, SIZE_MAX);
		/* What is under way, and what comes now, has no reader. */
		shutdown(s->fd, SHUT_RD);
		while (!stream_sends(s, PIECE, SIZE_MAX))
			ck_assert_int_eq(poll(
					     &(struct pollfd){
						 .fd = s->fd,
						 .events = POLLOUT,
					     },
					     1, 10000),
			    1);
		stream_close(s);
	}
	s = stream_open(99);
	stream_echoes(s, PIECE, 8 * MI);
	stream_ends(s);
	stream_close(s);
}

START_TEST(what_was_for_one_who_has_gone_comes_to_nobody_else)
{
	open_with(&mirror_service, 64 * 1024);

	serve(goes_and_another_comes);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_GONE], 20);
	ck_assert_uint_ge(stats()->of[UXS_STREAM].dropped[UXS_DROP_GONE], 20);
	uxs_server_close(&server);
}
END_TEST

/* ---- where there is no pipe ---- */

START_TEST(without_descriptors_it_is_copied)
{
	open_with(&mirror_service, 64 * 1024);

	/* The client, the watch of its end, and one end of a pipe. */
	allow_descriptors(3);
	serve(one_stream);
	allow_descriptors(-1);

	ck_assert_uint_eq(n_shown, TOTAL);
	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	uxs_server_close(&server);
}
END_TEST

START_TEST(where_sigpipe_would_be_raised_it_is_copied)
{
	signal(SIGPIPE, SIG_DFL);
	open_with(&mirror_service, 64 * 1024);

	serve(one_stream);

	ck_assert_uint_eq(n_shown, TOTAL);
	uxs_server_close(&server);
	signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* As a sandbox that does not know of it would. */
static void
forbid_splice(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_splice, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		skip("no seccomp filters here; splice(2) stays allowed");
}

START_TEST(where_splice_is_forbidden_it_is_copied)
{
	forbid_splice();
	open_with(&mirror_service, 64 * 1024);

	serve(one_stream);

	ck_assert_uint_eq(stats()->closed[UXS_CLOSE_EOF], 1);
	uxs_server_close(&server);
}
END_TEST

START_TEST(all_streams_need_no_more_than_one_pipe)
{
	const int before = count_descriptors();
	int after;

	open_for(SEVERAL, &mirror_service, 64 * 1024);
	serve(several_streams);
	after = count_descriptors();
	serve(several_streams);

	ck_assert_int_eq(count_descriptors(), after);
	uxs_server_close(&server);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

Suite *
suite_server_bulk(void)
{
	Suite *suite = suite_create("server_bulk");
	TCase *tcase = harness_case(suite, "as any stream");

	tcase_add_test(tcase, every_byte_comes_back_in_order_once);
	tcase_add_test(tcase, it_is_counted_as_if_it_had_been_copied);
	tcase_add_test(tcase, a_service_that_looks_is_shown_every_byte);
	tcase_add_test(tcase, streams_side_by_side_do_not_mix);
	tcase_add_test(tcase, small_messages_are_copied_again);
	tcase_add_test(tcase, urgent_bytes_come_back_in_their_place);

	tcase = harness_case(suite, "clients that do not read");
	tcase_add_loop_test(tcase, no_more_than_the_buffer_is_kept, 0,
	    sizeof(buffers) / sizeof(buffers[0]));
	tcase_add_test(tcase,
	    after_a_half_close_the_rest_comes_and_then_the_end);
	tcase_add_test(tcase, who_does_not_read_runs_into_the_write_timeout);
	tcase_add_test(tcase,
	    what_was_for_one_who_has_gone_comes_to_nobody_else);

	tcase = harness_case(suite, "where there is no pipe");
	tcase_add_test(tcase, without_descriptors_it_is_copied);
	tcase_add_test(tcase, where_sigpipe_would_be_raised_it_is_copied);
	tcase_add_test(tcase, where_splice_is_forbidden_it_is_copied);
	tcase_add_test(tcase, all_streams_need_no_more_than_one_pipe);
	return suite;
}
