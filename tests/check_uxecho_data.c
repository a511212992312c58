/* SPDX-License-Identifier: ISC */
/*
 * What clients of the real binary get: every byte back, whatever the others
 * do (promises 5 and 6).
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trace.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define PATIENCE_MS 20000

/* Loops over the types: all, those with connections, those with messages. */
#define ALL_TYPES 0, 3
#define CONNECTIONS 0, 2
#define PACKETS 1, 3
#define TYPE ((enum uxs_type)_i)

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* ---- the language of this file ---- */

static void
start(struct service *service, const char *option, const char *value)
{
	const char *const arguments[] = { "stream:s", "seqpacket:q", "dgram:d",
		option, value, NULL };

	service_start(service, arguments);
}

static int
dial(enum uxs_type type)
{
	return client_connect(type, harness_path(paths[type]));
}

static void
is_answered(int fd)
{
	SAYS(fd, "still there?");
	HEARS(fd, "still there?");
}

static unsigned char *
random_bytes(size_t length, unsigned seed)
{
	unsigned char *data = malloc(length + 1);

	ck_assert_ptr_nonnull(data);
	fill_random(data, length, seed);
	return data;
}

/* Read all of it, in reads of at most so many bytes. */
static void
hear_slowly(int fd, const unsigned char *data, size_t length, size_t step)
{
	unsigned char *heard = malloc(step);

	for (size_t at = 0; at < length;) {
		const ssize_t n = recv(fd, heard, step, 0);

		ck_assert_int_gt(n, 0);
		ck_assert_uint_le(at + (size_t)n, length);
		ck_assert_mem_eq(heard, data + at, (size_t)n);
		at += (size_t)n;
	}
	free(heard);
}

/* Send and read at once, as the socket lets us. */
static void
exchange(int fd, const unsigned char *data, size_t length)
{
	unsigned char *heard = malloc(length + 1);
	size_t sent = 0, used = 0;

	while (used < length) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (sent < length)
			ready.events |= POLLOUT;
		ck_assert_int_eq(poll(&ready, 1, PATIENCE_MS), 1);
		if (ready.revents & POLLOUT) {
			n = send(fd, data + sent, length - sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
		}
		if ((n = recv(fd, heard + used, length + 1 - used,
			 MSG_DONTWAIT)) >= 0) {
			ck_assert_int_gt(n, 0);
			used += (size_t)n;
		}
	}
	ck_assert_uint_eq(used, length);
	ck_assert_mem_eq(heard, data, length);
	free(heard);
}

struct talk {
	int fd;
	const unsigned char *data;
	size_t length;
};

/* In a child: say it all, then that this is all. */
static void
say_and_end(void *arg)
{
	const struct talk *talk = arg;

	client_says(talk->fd, talk->data, talk->length);
	client_ends(talk->fd);
}

/* More than fits in both directions' send buffers and --buffer of 64k, less
 * than would make its sender wait: when it is said, the server has replies
 * that it cannot send. */
#define STUFFING (400 * KIB)

static int
dial_and_stuff(const unsigned char *data)
{
	const int fd = dial(UXS_STREAM);

	client_says(fd, data, STUFFING);
	return fd;
}

/* ---- streams ---- */

static const size_t sizes[] = { 1, 2, 3, 100, 4095, 4096, 4097, 65535, 65536,
	65537, 262143, 262144, 262145, 1048577, 16 * 1024 * 1024 };

START_TEST(stream_comes_back_byte_for_byte)
{
	unsigned char *data = random_bytes(sizes[_i], (unsigned)_i);
	struct service service;
	int fd;

	start(&service, NULL, NULL);
	fd = dial(UXS_STREAM);

	exchange(fd, data, sizes[_i]);

	client_ends(fd);
	client_hears_end(fd);
	close(fd);
	free(data);
	service_stop_clean(&service);
}
END_TEST

START_TEST(half_close_gets_the_rest_and_then_the_end)
{
	unsigned char *data = random_bytes(sizes[_i], (unsigned)_i);
	struct service service;
	struct talk talk = { .data = data, .length = sizes[_i] };
	pid_t writer;

	start(&service, NULL, NULL);
	talk.fd = dial(UXS_STREAM);

	writer = start_child(say_and_end, &talk);

	hear_slowly(talk.fd, data, sizes[_i], 100 * KIB);
	client_hears_end(talk.fd);
	ck_assert_int_eq(wait_child(writer), 0);
	close(talk.fd);
	free(data);
	service_stop_clean(&service);
}
END_TEST

/* So much that some of it waits in the server when the end is seen: what
 * waits in the kernel is about 200k, whatever it is exactly. */
#define N_STEPS 16

START_TEST(half_close_before_reading_loses_nothing)
{
	const size_t length = 160 * KIB + (size_t)_i * 8 * KIB;
	unsigned char *data = random_bytes(length, 41);
	struct service service;
	int fd, other;

	start(&service, NULL, NULL);
	fd = dial(UXS_STREAM);
	other = dial(UXS_STREAM);
	client_says(fd, data, length);
	client_ends(fd);
	for (int i = 0; i < 20; i++) /* turns, in which it sees the end */
		is_answered(other);

	client_hears(fd, data, length);

	client_hears_end(fd);
	close(fd);
	close(other);
	free(data);
	service_stop_clean(&service);
}
END_TEST

START_TEST(urgent_byte_is_a_byte_like_any_other)
{
	struct service service;
	int fd;

	start(&service, NULL, NULL);
	fd = dial(UXS_STREAM);

	SAYS(fd, "before");
	ck_assert_int_eq(send(fd, "!", 1, MSG_OOB), 1);
	SAYS(fd, "after");
	client_ends(fd);

	hear_slowly(fd, (const unsigned char *)"before!after", 12, 12);
	client_hears_end(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* ---- messages ---- */

#define N_PIPELINED 3000
#define PACKET_MAX 500

static size_t
packet_size(int i)
{
	return (size_t)(i % 7 == 0 ? 0 : i * 37 % PACKET_MAX);
}

static void
say_packets(void *arg)
{
	const struct talk *talk = arg;

	for (int i = 0; i < N_PIPELINED; i++)
		client_says(talk->fd, talk->data + i, packet_size(i));
}

START_TEST(pipelined_seqpackets_come_back_whole_and_in_order)
{
	struct talk talk = { .length = 0 };
	struct service service;
	pid_t writer;

	talk.data = random_bytes(N_PIPELINED + PACKET_MAX, 5);
	start(&service, NULL, NULL);
	talk.fd = dial(UXS_SEQPACKET);

	writer = start_child(say_packets, &talk);

	for (int i = 0; i < N_PIPELINED; i++)
		client_hears(talk.fd, talk.data + i, packet_size(i));
	ck_assert_int_eq(wait_child(writer), 0);
	client_ends(talk.fd);
	client_hears_end(talk.fd);
	close(talk.fd);
	free((void *)(uintptr_t)talk.data);
	service_stop_clean(&service);
}
END_TEST

/* So many wait in a receive queue by default. */
#define WINDOW 8

START_TEST(half_close_before_reading_loses_no_seqpacket)
{
	const int n = 60 + _i * 8;
	unsigned char *data = random_bytes(2000, 43);
	struct service service;
	int fd, other;

	start(&service, NULL, NULL);
	fd = dial(UXS_SEQPACKET);
	other = dial(UXS_STREAM);
	for (int i = 0; i < n; i++)
		client_says(fd, data + i, 1000);
	client_ends(fd);
	for (int i = 0; i < 2 * n; i++) /* it takes one in a turn */
		is_answered(other);

	for (int i = 0; i < n; i++)
		client_hears(fd, data + i, 1000);

	client_hears_end(fd);
	close(fd);
	close(other);
	free(data);
	service_stop_clean(&service);
}
END_TEST

START_TEST(pipelined_datagrams_come_back_whole_and_in_order)
{
	unsigned char *data = random_bytes(N_PIPELINED + PACKET_MAX, 5);
	struct service service;
	int fd;

	start(&service, NULL, NULL);
	fd = dial(UXS_DGRAM);

	for (int i = 0; i < N_PIPELINED; i += WINDOW) {
		for (int k = i; k < i + WINDOW; k++)
			client_says(fd, data + i, packet_size(k));
		for (int k = i; k < i + WINDOW; k++)
			client_hears(fd, data + i, packet_size(k));
	}

	close(fd);
	free(data);
	service_stop_clean(&service);
}
END_TEST

START_TEST(empty_message_comes_back_empty)
{
	struct service service;
	char byte;
	int fd;

	start(&service, NULL, NULL);
	fd = dial(TYPE);

	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	SAYS(fd, "x");

	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
	HEARS(fd, "x");
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* With SO_PASSCRED on, an empty packet has credentials and the end has not. */
static bool
hears_packet(int fd)
{
	char byte, control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	ck_assert_int_eq(recvmsg(fd, &message, 0), 0);
	return message.msg_controllen > 0;
}

static void
is_answered_by_empty_packets(int fd, int n)
{
	const int on = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on,
			     sizeof(on)),
	    0);
	for (int i = 0; i < n; i++)
		ck_assert(hears_packet(fd));
	ck_assert(!hears_packet(fd));
}

/* An empty packet and the end of file are a receive of 0 both. The server may
 * look before the client has ended, in the middle of it, or after. */
START_TEST(empty_packets_before_the_end_are_no_end)
{
	struct service service;

	start(&service, NULL, NULL);
	for (int i = 0; i < 300; i++) {
		const int fd = dial(UXS_SEQPACKET), n = i % 4;
		char byte;

		for (int k = 0; k < n; k++)
			ck_assert_int_eq(send(fd, "", 0, 0), 0);
		SAYS(fd, "x");
		for (int k = 0; k < n; k++)
			ck_assert_int_eq(send(fd, "", 0, 0), 0);
		client_ends(fd);

		for (int k = 0; k < n; k++)
			ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
		HEARS(fd, "x");
		/* So that these are told from the end here, too. */
		is_answered_by_empty_packets(fd, n);
		close(fd);
	}
	service_counts(&service, "0 dropped");
	service_stop_clean(&service);
}
END_TEST

/* Dial with a send buffer for the longest message and one byte more. */
static int
dial_for_long(enum uxs_type type)
{
	const int fd = dial(type), bytes = 512 * 1024;
	int real = 0;
	socklen_t length = sizeof(real);

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &real, &length);
	if (real >= bytes)
		return fd;
	skip("net.core.wmem_max is too small for messages of 256k");
	close(fd);
	return -1;
}

START_TEST(longest_message_comes_back_whole)
{
	unsigned char *data = random_bytes(256 * KIB, 3);
	struct service service;
	int fd;

	start(&service, NULL, NULL);
	if ((fd = dial_for_long(TYPE)) >= 0) {
		client_says(fd, data, 256 * KIB);

		client_hears(fd, data, 256 * KIB);
		close(fd);
	}
	free(data);
	service_stop_clean(&service);
}
END_TEST

START_TEST(message_one_byte_longer_is_refused_and_counted)
{
	unsigned char *data = random_bytes(256 * KIB + 1, 3);
	struct service service;
	int fd;

	start(&service, NULL, NULL);
	if ((fd = dial_for_long(TYPE)) >= 0) {
		client_says(fd, data, 256 * KIB + 1);

		if (TYPE == UXS_DGRAM)
			is_answered(fd); /* and nothing before */
		else
			client_hears_end(fd);
		service_counts(&service, "1 dropped (too_long 1)");
		close(fd);
	}
	free(data);
	service_stop_clean(&service);
}
END_TEST

/* ---- many ---- */

#define N_CLIENTS 201

/* Of one client in one round; what waits for all of them fits. */
static size_t
block_size(int client, int round)
{
	return (size_t)(1 + (client * 7919 + round * 104729) % 32000);
}

static void
all_say(const int fds[N_CLIENTS], const unsigned char *data, int round)
{
	for (int i = 0; i < N_CLIENTS; i++)
		client_says(fds[i], data + i, block_size(i, round));
}

static void
all_hear(const int fds[N_CLIENTS], const unsigned char *data, int round)
{
	for (int i = 0; i < N_CLIENTS; i++)
		client_hears(fds[i], data + i, block_size(i, round));
}

START_TEST(two_hundred_clients_of_all_types_are_served_at_once)
{
	unsigned char *data = random_bytes(32 * KIB, 11);
	struct service service;
	int fds[N_CLIENTS];

	start(&service, NULL, NULL);
	for (int i = 0; i < N_CLIENTS; i++)
		fds[i] = dial((enum uxs_type)(i % UXS_N_TYPES));

	for (int round = 0; round < 10; round++) {
		all_say(fds, data, round);
		all_hear(fds, data, round);
	}

	for (int i = 0; i < N_CLIENTS; i++)
		close(fds[i]);
	free(data);
	service_stop_clean(&service);
}
END_TEST

/* ---- those who do not read ---- */

START_TEST(slow_reader_gets_all_and_stops_nobody)
{
	const size_t length = 4 * MIB;
	unsigned char *data = random_bytes(length, 13);
	struct talk slow = { .data = data, .length = length };
	struct service service;
	int other;
	pid_t writer;

	start(&service, NULL, NULL);
	slow.fd = dial_and_stuff(data);
	other = dial(UXS_STREAM);
	for (int i = 0; i < 100; i++)
		is_answered(other);
	hear_slowly(slow.fd, data, STUFFING, 1000);

	writer = start_child(say_and_end, &slow);

	hear_slowly(slow.fd, data, length, 1000);
	client_hears_end(slow.fd);
	ck_assert_int_eq(wait_child(writer), 0);
	close(slow.fd);
	close(other);
	free(data);
	service_stop_clean(&service);
}
END_TEST

static long
peak_memory_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	status = fopen(path, "r");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "VmHWM: %ld", &kib);
	fclose(status);
	ck_assert_int_gt(kib, 0);
	return kib;
}

/* Push until the server has had enough. Returns how much it took. */
static size_t
push(int fd, const unsigned char *data, size_t length)
{
	size_t sent = 0;
	ssize_t n;

	while ((n = send(fd, data, length, MSG_NOSIGNAL)) > 0)
		sent += (size_t)n;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	return sent;
}

START_TEST(client_that_never_reads_is_stopped_and_then_closed)
{
	unsigned char *data = random_bytes(MIB, 17);
	struct service service;
	size_t taken;
	int fd;

	start(&service, "--write-timeout", "50ms");
	fd = dial(UXS_STREAM);

	taken = push(fd, data, MIB);

	/* Two send buffers of 212992 bytes, and --buffer of 64k. */
	ck_assert_uint_lt(taken, MIB);
	service_counts(&service, "closed (write_timeout 1)");
	close(fd);
	free(data);
	service_stop_clean(&service);
}
END_TEST

#define N_DEAF 40

START_TEST(clients_that_never_read_cost_no_more_than_their_buffers)
{
	unsigned char *data = random_bytes(2 * MIB, 19);
	struct service service;
	int fds[N_DEAF];
	long before_kib;

	start(&service, "--write-timeout", "100ms");
	fds[0] = dial(UXS_STREAM);
	exchange(fds[0], data, 2 * MIB); /* every buffer was in use once */
	close(fds[0]);
	before_kib = peak_memory_kib(service.pid);

	for (int i = 0; i < N_DEAF; i++)
		fds[i] = dial_and_stuff(data);
	for (int i = 0; i < N_DEAF; i++)
		push(fds[i], data, 2 * MIB);

	/* 64k each, and as much again for how malloc(3) keeps it. */
	ck_assert_int_lt(peak_memory_kib(service.pid) - before_kib,
	    N_DEAF * 2 * 64);
	for (int i = 0; i < N_DEAF; i++)
		close(fds[i]);
	free(data);
	service_stop_clean(&service);
}
END_TEST

/* ---- those who misbehave ---- */

struct victim {
	enum uxs_type type;
	int ready[2];
};

static void
be_busy_until_killed(void *arg)
{
	const struct victim *victim = arg;
	const int fd = dial(victim->type);
	unsigned char *data = random_bytes(STUFFING, 23);

	if (victim->type == UXS_STREAM)
		client_says(fd, data, STUFFING);
	for (int i = 0; i < 5; i++)
		client_says(fd, data, 1000);
	ck_assert_int_eq(write(victim->ready[1], "!", 1), 1);
	for (;;)
		pause();
}

static void
kill_a_busy_client(enum uxs_type type)
{
	struct victim victim = { .type = type };
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(victim.ready, O_CLOEXEC), 0);
	pid = start_child(be_busy_until_killed, &victim);
	close(victim.ready[1]);
	ck_assert_int_eq(read(victim.ready[0], &byte, 1), 1);
	close(victim.ready[0]);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
}

START_TEST(killed_clients_disturb_nobody_and_leave_nothing)
{
	struct service service;
	int honest, before;

	start(&service, NULL, NULL);
	honest = dial(TYPE);
	is_answered(honest); /* so it has done all that starting takes */
	before = count_descriptors_of(service.pid);

	for (int i = 0; i < 10; i++) {
		kill_a_busy_client(TYPE);
		is_answered(honest);
	}

	service_settles(&service, UXS_STREAM, harness_path("s"), before);
	close(honest);
	service_stop_clean(&service);
}
END_TEST

START_TEST(random_bytes_of_one_client_disturb_no_other)
{
	unsigned char *data = random_bytes(64 * KIB, 29);
	struct service service;
	int hostile, honest;

	start(&service, NULL, NULL);
	hostile = dial(TYPE);
	honest = dial(TYPE);

	for (size_t i = 0; i < 200; i++) {
		/* It does not read; whether it may send is its affair. */
		send(hostile, data + i, i * 331 % (63 * KIB),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		is_answered(honest);
	}

	close(hostile);
	close(honest);
	free(data);
	service_stop_clean(&service);
}
END_TEST

static ssize_t
send_with_descriptor(int fd, int passed)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = "" };
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &passed, sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static bool
can_refuse_descriptors(void)
{
	const bool can = kernel_can_refuse_descriptors();

	if (!can)
		skip("Linux before 6.16 cannot refuse passed descriptors");
	return can;
}

START_TEST(passed_descriptor_is_refused_by_the_kernel)
{
	struct service service;
	int fd;

	if (!can_refuse_descriptors())
		return;
	start(&service, NULL, NULL);
	fd = dial(TYPE);

	ck_assert_int_eq(send_with_descriptor(fd, STDERR_FILENO), -1);

	ck_assert_int_eq(errno, EPERM);
	is_answered(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Where they are not refused, the kernel closes what nobody asked for. */
START_TEST(passed_descriptors_do_not_stay)
{
	struct service service;
	int fd, before;

	start(&service, NULL, NULL);
	fd = dial(TYPE);
	is_answered(fd);
	before = count_descriptors_of(service.pid);

	for (int i = 0; i < 20; i++) {
		if (send_with_descriptor(fd, STDERR_FILENO) == 1)
			HEARS(fd, "x");
		else
			ck_assert_int_eq(errno, EPERM);
		is_answered(fd);
	}

	service_settles(&service, UXS_STREAM, harness_path("s"), before);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* ---- what it costs ---- */

#define N_TRACED 100

/* Attaching and letting go each interrupt a wait. */
#define EDGES 4

START_TEST(one_echo_costs_a_wait_a_receive_and_a_send)
{
	struct service service;
	struct trace trace;
	struct cost cost;
	int fd;

	start(&service, NULL, NULL);
	fd = dial(TYPE);
	is_answered(fd);
	if (trace_start(&trace, service.pid)) {
		for (int i = 0; i < N_TRACED; i++)
			is_answered(fd);
		trace_stop(&trace);

		cost = read_trace();
		ck_assert_int_eq(cost.receives, N_TRACED);
		ck_assert_int_eq(cost.sends, N_TRACED);
		ck_assert_int_le(cost.waits, N_TRACED + EDGES);
		/* The other thread, if there is one, just waits. */
		ck_assert_int_le(cost.others, !kernel_can_refuse_descriptors());
	}
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* Clients that wait, that do not read, and that sent half a goodbye. What
 * time is, another server's work tells. */
START_TEST(clients_that_do_nothing_cost_nothing)
{
	unsigned char *data = random_bytes(STUFFING, 31);
	const char *const clock_arguments[] = { "stream:clock", NULL };
	struct service service, clock;
	struct trace trace;
	int silent, deaf, gone, fd;

	service_start(&clock, clock_arguments);
	start(&service, "--idle-timeout", "1h");
	silent = dial(UXS_STREAM);
	is_answered(silent);
	deaf = dial_and_stuff(data);
	gone = dial_and_stuff(data);
	client_ends(gone);
	for (int i = 0; i < 20; i++)
		is_answered(silent);
	fd = client_connect(UXS_STREAM, harness_path("clock"));
	if (trace_start(&trace, service.pid)) {
		for (int i = 0; i < 1000; i++)
			is_answered(fd);
		trace_stop(&trace);

		ck_assert_int_le(read_trace().waits, EDGES);
		ck_assert_int_eq(read_trace().receives, 0);
	}
	close(silent);
	close(deaf);
	close(gone);
	close(fd);
	free(data);
	service_stop_clean(&service);
	service_stop_clean(&clock);
}
END_TEST

/* ---- the suite ---- */

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)

static void
add_echo_cases(Suite *suite)
{
	TCase *stream = harness_case(suite, "stream");
	TCase *messages = harness_case(suite, "messages");
	TCase *many = harness_case(suite, "many");

	LOOP(stream, stream_comes_back_byte_for_byte, 0, N_OF(sizes));
	LOOP(stream, half_close_gets_the_rest_and_then_the_end, 0, N_OF(sizes));
	LOOP(stream, half_close_before_reading_loses_nothing, 0, N_STEPS);
	tcase_add_test(stream, urgent_byte_is_a_byte_like_any_other);
	tcase_add_test(messages,
	    pipelined_seqpackets_come_back_whole_and_in_order);
	tcase_add_test(messages,
	    pipelined_datagrams_come_back_whole_and_in_order);
	tcase_add_test(messages, empty_packets_before_the_end_are_no_end);
	LOOP(messages, half_close_before_reading_loses_no_seqpacket, 0,
	    N_STEPS);
	LOOP(messages, empty_message_comes_back_empty, PACKETS);
	LOOP(messages, longest_message_comes_back_whole, PACKETS);
	LOOP(messages, message_one_byte_longer_is_refused_and_counted, PACKETS);
	tcase_add_test(many,
	    two_hundred_clients_of_all_types_are_served_at_once);
}

Suite *
suite_uxecho_data(void)
{
	Suite *suite = suite_create("uxecho data");
	TCase *deaf, *hostile, *cost;

	add_echo_cases(suite);
	deaf = harness_case(suite, "deaf");
	tcase_add_test(deaf, slow_reader_gets_all_and_stops_nobody);
	tcase_add_test(deaf,
	    client_that_never_reads_is_stopped_and_then_closed);
	tcase_add_test(deaf,
	    clients_that_never_read_cost_no_more_than_their_buffers);
	hostile = harness_case(suite, "hostile");
	LOOP(hostile, killed_clients_disturb_nobody_and_leave_nothing,
	    ALL_TYPES);
	LOOP(hostile, random_bytes_of_one_client_disturb_no_other, ALL_TYPES);
	LOOP(hostile, passed_descriptor_is_refused_by_the_kernel, ALL_TYPES);
	LOOP(hostile, passed_descriptors_do_not_stay, ALL_TYPES);
	cost = harness_case(suite, "cost");
	LOOP(cost, one_echo_costs_a_wait_a_receive_and_a_send, CONNECTIONS);
	tcase_add_test(cost, clients_that_do_nothing_cost_nothing);
	return suite;
}
