/* SPDX-License-Identifier: ISC */
/*
 * Clients of one user who do their worst, and one of another user who is
 * served all the same, each time as a new connection. Afterwards the service
 * has as many descriptors and sessions as before (promise 6).
 */
#include "harness.h"
#include "suites.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS 0, 2
#define TYPE ((enum uxs_type)_i)

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

/* ---- the language of this file ---- */

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

static void
visit(void *type)
{
	const int fd = dial(*(enum uxs_type *)type);

	is_answered(fd);
	close(fd);
}

static void
honest_client_is_served(enum uxs_type type)
{
	as_user(THIRD_UID, OTHER_GID, visit, &type);
}

/* Returns how many descriptors it has while there is no client. */
static int
start(struct service *service, const char *option, const char *value)
{
	const char *const arguments[] = { "stream:s", "seqpacket:q", "dgram:d",
		"-a", "any", "-q", option, value, NULL };
	int fd;

	/* Datagram clients of any user have their names here. */
	ck_assert_int_eq(chmod(".", 01777), 0);
	service_start(service, arguments);
	fd = dial(UXS_DGRAM);
	is_answered(fd); /* so it has done all that starting takes */
	close(fd);
	return count_descriptors_of(service->pid);
}

/* ---- attackers: children of another user ---- */

struct attacker {
	void (*attack)(const struct attacker *attacker);
	enum uxs_type type;
	int ready[2];
	pid_t pid;
};

/* By the attack, when it is under way. */
static void
is_under_way(const struct attacker *attacker)
{
	ck_assert_int_eq(write(attacker->ready[1], "!", 1), 1);
}

static void
run_attack(void *arg)
{
	const struct attacker *attacker = arg;
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(OTHER_GID, OTHER_GID, OTHER_GID), 0);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, OTHER_UID), 0);
	attacker->attack(attacker);
	for (;;)
		pause();
}

static void
attack(struct attacker *attacker, enum uxs_type type,
    void (*function)(const struct attacker *attacker))
{
	char byte;

	attacker->attack = function;
	attacker->type = type;
	ck_assert_int_eq(pipe2(attacker->ready, O_CLOEXEC), 0);
	attacker->pid = start_child(run_attack, attacker);
	close(attacker->ready[1]);
	ck_assert_int_eq(read(attacker->ready[0], &byte, 1), 1);
	close(attacker->ready[0]);
}

static void
end_attack(const struct attacker *attacker)
{
	ck_assert_int_eq(kill(attacker->pid, SIGKILL), 0);
	ck_assert_int_eq(wait_child(attacker->pid), 128 + SIGKILL);
}

/* Nothing of it is left, and the service stops in order. */
static void
all_is_as_before(struct service *service, int n_descriptors)
{
	service_settles(service, UXS_STREAM, harness_path("s"), n_descriptors);
	service_stop_clean(service);
}

static long
memory_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	status = fopen(path, "r");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "VmRSS: %ld", &kib);
	fclose(status);
	ck_assert_int_gt(kib, 0);
	return kib;
}

/* The address sanitizer keeps what was freed, so it would not be seen there. */
static void
has_grown_by_less_than(const struct service *service, long kib, long before_kib)
{
#ifdef __SANITIZE_ADDRESS__
	skip("memory is not the program's own under the address sanitizer");
#else
	ck_assert_int_lt(memory_kib(service->pid) - before_kib, kib);
#endif
}

/* ---- those who do not read ---- */

#define N_WRITERS 1000
#define BUFFER_KIB 16

/* A turn of the service lies between two rounds, since it answers there. */
static void
write_and_never_read(const struct attacker *attacker)
{
	static int fds[N_WRITERS];
	static char data[4000];
	const int small = 4096;
	int n_stuck = 0;

	for (int i = 0; i < N_WRITERS; i++) {
		fds[i] = dial(attacker->type);
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small,
		    sizeof(small));
	}
	while (n_stuck < N_WRITERS) {
		const int fd = dial(UXS_STREAM);

		n_stuck = 0;
		for (int i = 0; i < N_WRITERS; i++)
			n_stuck += send(fds[i], data, sizeof(data),
				       MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
		is_answered(fd);
		close(fd);
	}
	is_under_way(attacker);
}

START_TEST(a_thousand_writers_that_never_read_stop_nobody)
{
	struct attacker attacker;
	struct service service;
	int before;
	long before_kib;

	SKIP_UNLESS_ROOT();
	before = start(&service, "--buffer", "16k");
	before_kib = memory_kib(service.pid);

	attack(&attacker, TYPE, write_and_never_read);

	for (int i = 0; i < 20; i++)
		honest_client_is_served(TYPE);
	/* What is kept for them, and half as much for what malloc(3) adds
	 * and for the sessions themselves. */
	has_grown_by_less_than(&service, N_WRITERS * BUFFER_KIB * 3 / 2,
	    before_kib);
	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

#define N_SILENT 1000

static void
say_nothing(const struct attacker *attacker)
{
	int fd = -1;

	for (int i = 0; i < N_SILENT; i++)
		fd = dial(attacker->type);
	is_answered(fd); /* so all are in */
	is_under_way(attacker);
}

/* struct session, its account and what malloc(3) adds, rounded up. */
#define SESSION_MAX_KIB 1

START_TEST(a_thousand_silent_clients_cost_next_to_nothing)
{
	struct attacker attacker;
	struct service service;
	int before;
	long before_kib;

	SKIP_UNLESS_ROOT();
	before = start(&service, NULL, NULL);
	before_kib = memory_kib(service.pid);

	attack(&attacker, TYPE, say_nothing);

	honest_client_is_served(TYPE);
	has_grown_by_less_than(&service, N_SILENT * SESSION_MAX_KIB,
	    before_kib);
	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

/* The timeout is what ends them: their sockets stay open. */
START_TEST(silent_clients_leave_at_the_idle_timeout)
{
	struct attacker attacker;
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	before = start(&service, "--idle-timeout", "200ms");

	attack(&attacker, TYPE, say_nothing);

	/* Each honest visit is a few turns of the loop. */
	while (count_descriptors_of(service.pid) > before)
		honest_client_is_served(TYPE);
	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

/* ---- those who come too often ---- */

#define OWN_PLACES 20

static void
hammer_at_the_limit(const struct attacker *attacker)
{
	for (int i = 0; i < OWN_PLACES; i++)
		is_answered(dial(attacker->type));
	is_under_way(attacker);
	for (;;) {
		const int fd = dial(attacker->type);

		client_hears_end(fd);
		close(fd);
	}
}

START_TEST(user_who_hammers_at_his_limit_keeps_nobody_out)
{
	struct attacker attacker;
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	before = start(&service, "--max-conns-per-user", "20");

	attack(&attacker, TYPE, hammer_at_the_limit);

	for (int i = 0; i < 50; i++)
		honest_client_is_served(TYPE);
	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

static void
come_and_go(const struct attacker *attacker)
{
	is_under_way(attacker);
	for (unsigned i = 0;; i++) {
		const int fd = dial(attacker->type);

		if (i % 3 > 0)
			send(fd, "hello", i % 3 * 2, MSG_NOSIGNAL);
		close(fd); /* with or without something unread */
	}
}

START_TEST(storm_of_connections_keeps_nobody_out)
{
	struct attacker attackers[4];
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	before = start(&service, NULL, NULL);

	for (int i = 0; i < 4; i++)
		attack(&attackers[i], TYPE, come_and_go);

	/* They stand in one queue with him, so this is not fast. */
	for (int i = 0; i < 10; i++)
		honest_client_is_served(TYPE);
	for (int i = 0; i < 4; i++)
		end_attack(&attackers[i]);
	all_is_as_before(&service, before);
}
END_TEST

/* ---- those who stand still, and those who rave ---- */

static void
chatter(const struct attacker *attacker)
{
	int fds[50];

	for (int i = 0; i < 50; i++)
		fds[i] = dial(attacker->type);
	is_under_way(attacker);
	for (unsigned i = 0;; i++) {
		char text[8];

		/* SIGCONT interrupts both; that is not what this is about. */
		send(fds[i % 50], "chatter", 7, MSG_NOSIGNAL);
		recv(fds[i % 50], text, sizeof(text), 0);
	}
}

START_TEST(clients_that_are_stopped_in_the_middle_stop_nobody)
{
	struct attacker attacker;
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	before = start(&service, NULL, NULL);
	attack(&attacker, TYPE, chatter);

	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(kill(attacker.pid, SIGSTOP), 0);
		ck_assert_int_eq(waitpid(attacker.pid, NULL, WUNTRACED),
		    attacker.pid);
		honest_client_is_served(TYPE);
		ck_assert_int_eq(kill(attacker.pid, SIGCONT), 0);
		honest_client_is_served(TYPE);
	}

	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

static void
rave(const struct attacker *attacker)
{
	char data[65536];
	int fds[20];

	fill_random(data, sizeof(data), 47);
	for (int i = 0; i < 20; i++)
		fds[i] = dial(attacker->type);
	is_under_way(attacker);
	for (size_t i = 0;; i++) {
		const size_t at = i * 7919 % 60000, length = i * 104729 % 5000;

		send(fds[i % 20], data + at, length,
		    MSG_DONTWAIT | MSG_NOSIGNAL | (i % 11 == 0 ? MSG_OOB : 0));
		if (i % 2 == 0)
			recv(fds[i % 20], data, i % 997, MSG_DONTWAIT);
		if (i % 53 == 0) {
			close(fds[i % 20]);
			fds[i % 20] = dial(attacker->type);
		}
	}
}

START_TEST(random_bytes_of_another_user_disturb_nobody)
{
	struct attacker attacker;
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	before = start(&service, NULL, NULL);

	attack(&attacker, TYPE, rave);

	for (int i = 0; i < 50; i++)
		honest_client_is_served(TYPE);
	end_attack(&attacker);
	all_is_as_before(&service, before);
}
END_TEST

Suite *
suite_hostile_clients(void)
{
	Suite *suite = suite_create("hostile clients");
	TCase *deaf = harness_case(suite, "deaf");
	TCase *often = harness_case(suite, "often");
	TCase *odd = harness_case(suite, "odd");

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)
	LOOP(deaf, a_thousand_writers_that_never_read_stop_nobody, CONNECTIONS);
	LOOP(deaf, a_thousand_silent_clients_cost_next_to_nothing, CONNECTIONS);
	LOOP(deaf, silent_clients_leave_at_the_idle_timeout, CONNECTIONS);
	LOOP(often, user_who_hammers_at_his_limit_keeps_nobody_out,
	    CONNECTIONS);
	LOOP(often, storm_of_connections_keeps_nobody_out, CONNECTIONS);
	LOOP(odd, clients_that_are_stopped_in_the_middle_stop_nobody,
	    CONNECTIONS);
	LOOP(odd, random_bytes_of_another_user_disturb_nobody, CONNECTIONS);
	return suite;
}
