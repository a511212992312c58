/* SPDX-License-Identifier: ISC */
/*
 * Where an answer may go, and that the pins never change it: each situation
 * is met by a lookup that finds no pin, and by one that finds the pin of the
 * moment before. The sockets are root's, given to whom they should belong to.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include <lib/return_path.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static struct return_paths paths;
static int server; /* the socket that replies are sent from */
static int client; /* at "c" */

/* ---- the language of this file ---- */

static int
socket_of(uid_t uid, const char *path)
{
	const int fd = bound_socket(UXS_DGRAM, path);

	ck_assert_int_eq(chown(path, uid, uid), 0);
	return fd;
}

static int64_t
ns_of(const struct timespec *time)
{
	return time->tv_sec * UXS_NS_PER_S + time->tv_nsec;
}

static enum return_path_outcome
look(struct return_path *path, const char *name, uid_t uid)
{
	const struct uxs_peer sender = { .uid = uid, .gid = uid };
	union return_address from = { .bytes = "" };
	socklen_t length;

	ck_assert_int_eq(uxs_sockaddr_from_path(&from.un, &length, name), 0);
	return return_path_open(&paths, path, &from, length, &sender);
}

static enum return_path_outcome
look_once(const char *name, uid_t uid)
{
	struct return_path path;
	const enum return_path_outcome outcome = look(&path, name, uid);

	return_path_close(&paths, &path, false);
	return outcome;
}

static void
reply_reaches(int fd, const char *name, uid_t uid)
{
	struct return_path path;

	ck_assert_int_eq(look(&path, name, uid), RETURN_PATH_OPEN);
	ck_assert_int_eq(sendto(server, "re", 2, MSG_DONTWAIT,
			     (const struct sockaddr *)&path.to, path.length),
	    2);
	return_path_close(&paths, &path, false);
	HEARS(fd, "re");
}

/* Until a change of the file cannot have the same time as the last one. */
static void
let_it_settle(const char *name)
{
	struct timespec now;
	struct stat st;

	ck_assert_int_eq(lstat(name, &st), 0);
	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (ns_of(&now) - ns_of(&st.st_ctim) <= 25 * UXS_NS_PER_MS);
}

/* It is settled and pinned, and how it was then is known. */
static void
pin_it(const char *name)
{
	let_it_settle(name);
	ck_assert_int_eq(look_once(harness_path(name), OTHER_UID),
	    RETURN_PATH_OPEN);
}

static void
setup(void)
{
	server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	client = bound_socket(UXS_DGRAM, "c");
	if (geteuid() == 0)
		ck_assert_int_eq(chown("c", OTHER_UID, OTHER_GID), 0);
	return_paths_init(&paths, 0, 0);
}

static void
teardown(void)
{
	return_paths_fini(&paths);
	close(client);
	close(server);
}

/* ---- outcomes ---- */

static void
leave_it(void)
{
}

static void
delete_it(void)
{
	ck_assert_int_eq(unlink("c"), 0);
}

static void
give_it_to_root(void)
{
	ck_assert_int_eq(chown("c", 0, 0), 0);
}

static void
give_it_to_a_third(void)
{
	ck_assert_int_eq(chown("c", THIRD_UID, THIRD_UID), 0);
}

/* In place of the client's socket, which stays alive, comes ... */
static void
move_it_away(void)
{
	ck_assert_int_eq(rename("c", "moved"), 0);
}

static void
put_a_link_to_it(void)
{
	move_it_away();
	ck_assert_int_eq(symlink(harness_path("moved"), "c"), 0);
}

static void
put_a_link_to_roots(void)
{
	move_it_away();
	close(bound_socket(UXS_DGRAM, "roots"));
	ck_assert_int_eq(symlink(harness_path("roots"), "c"), 0);
}

static void
put_roots(void)
{
	move_it_away();
	close(bound_socket(UXS_DGRAM, "c"));
}

static void
put_a_file(void)
{
	move_it_away();
	write_file("c", "", 0666);
	ck_assert_int_eq(chown("c", OTHER_UID, OTHER_GID), 0);
}

static void
put_a_directory(void)
{
	move_it_away();
	ck_assert_int_eq(mkdir("c", 0755), 0);
	ck_assert_int_eq(chown("c", OTHER_UID, OTHER_GID), 0);
}

static void
call_it_ours(void)
{
	struct stat st;

	ck_assert_int_eq(lstat("c", &st), 0);
	paths.own_dev = st.st_dev;
	paths.own_ino = st.st_ino;
	return_paths_trim(&paths); /* known from the start, in a server */
}

static const struct {
	void (*change)(void);
	enum return_path_outcome expect;
} changes[] = {
	{ leave_it, RETURN_PATH_OPEN },
	{ delete_it, RETURN_PATH_GONE },
	{ move_it_away, RETURN_PATH_GONE },
	{ give_it_to_root, RETURN_PATH_NOT_SENDERS },
	{ give_it_to_a_third, RETURN_PATH_NOT_SENDERS },
	{ put_a_link_to_it, RETURN_PATH_NOT_SENDERS },
	{ put_a_link_to_roots, RETURN_PATH_NOT_SENDERS },
	{ put_roots, RETURN_PATH_NOT_SENDERS },
	{ put_a_file, RETURN_PATH_NOT_SENDERS },
	{ put_a_directory, RETURN_PATH_NOT_SENDERS },
	{ call_it_ours, RETURN_PATH_SELF },
};

START_TEST(a_path_is_judged_as_it_is_now)
{
	SKIP_UNLESS_ROOT();
	changes[_i].change();

	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    changes[_i].expect);
}
END_TEST

START_TEST(a_pin_does_not_outlive_what_it_rests_on)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    RETURN_PATH_OPEN);
	changes[_i].change();

	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    changes[_i].expect);
	ck_assert_uint_eq(paths.n_pins, changes[_i].change == leave_it);
}
END_TEST

static const struct {
	const char *name; /* NULL: the absolute path of "c" */
	uid_t uid;
	enum return_path_outcome expect;
} senders[] = {
	{ NULL, OTHER_UID, RETURN_PATH_OPEN },
	{ NULL, THIRD_UID, RETURN_PATH_NOT_SENDERS },
	{ NULL, UXS_UID_NONE, RETURN_PATH_NOT_SENDERS },
	{ NULL, 0, RETURN_PATH_OPEN },
	{ "c", OTHER_UID, RETURN_PATH_NOT_SENDERS },
	{ "./c", OTHER_UID, RETURN_PATH_NOT_SENDERS },
	{ "c", 0, RETURN_PATH_OPEN },
	{ "/nowhere/c", OTHER_UID, RETURN_PATH_GONE },
	{ "/proc/self/fd/0", OTHER_UID, RETURN_PATH_NOT_SENDERS },
};

START_TEST(a_pin_that_has_settled_does_not_either)
{
	SKIP_UNLESS_ROOT();
	pin_it("c");
	reply_reaches(client, harness_path("c"), OTHER_UID);
	changes[_i].change();

	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    changes[_i].expect);
}
END_TEST

START_TEST(a_sender_is_answered_at_what_is_his)
{
	const char *name = senders[_i].name != NULL ? senders[_i].name :
						      harness_path("c");

	SKIP_UNLESS_ROOT();
	/* Whatever others asked for. */
	look_once(harness_path("c"), OTHER_UID);

	ck_assert_int_eq(look_once(name, senders[_i].uid), senders[_i].expect);
}
END_TEST

/* ---- pins ---- */

START_TEST(second_reply_opens_nothing)
{
	struct return_path first, second;

	SKIP_UNLESS_ROOT();
	look(&first, harness_path("c"), OTHER_UID);
	const int n = count_descriptors();

	ck_assert_int_eq(look(&second, harness_path("c"), OTHER_UID),
	    RETURN_PATH_OPEN);

	ck_assert_int_eq(count_descriptors(), n);
	ck_assert_ptr_eq(first.pin, second.pin);
	return_path_close(&paths, &first, false);
	return_path_close(&paths, &second, false);
}
END_TEST

START_TEST(client_that_starts_again_at_its_path_is_answered)
{
	SKIP_UNLESS_ROOT();
	for (int i = 0; i < 20; i++) {
		reply_reaches(client, harness_path("c"), OTHER_UID);
		if (i % 2 == 0) /* the old one may still be there */
			close(client);
		ck_assert_int_eq(unlink("c"), 0);
		const int old = client;
		client = socket_of(OTHER_UID, "c");
		if (i % 2 != 0)
			close(old);
	}

	ck_assert_uint_eq(paths.n_pins, 1);
}
END_TEST

/* The file that was pinned never changed, only what stands above it. */
START_TEST(directory_that_was_swapped_is_noticed)
{
	int old, now;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("d", 0755), 0);
	old = socket_of(OTHER_UID, "d/c");
	if (_i != 0)
		pin_it("d/c");
	reply_reaches(old, harness_path("d/c"), OTHER_UID);
	ck_assert_int_eq(rename("d", "e"), 0);
	ck_assert_int_eq(mkdir("d", 0755), 0);
	now = socket_of(OTHER_UID, "d/c");

	if (_i != 0) { /* the other one of the sender's two, for a second */
		reply_reaches(old, harness_path("d/c"), OTHER_UID);
		paths.now_ns += UXS_NS_PER_S;
	}
	reply_reaches(now, harness_path("d/c"), OTHER_UID);
	reply_reaches(old, harness_path("e/c"), OTHER_UID);
	close(old);
	close(now);
}
END_TEST

static void
answer_another(void *arg)
{
	return_paths_begin(&paths);
	reply_reaches(*(const int *)arg, harness_path("another"), OTHER_UID);
	return_paths_fini(&paths);
}

/* The numbers of its parent's descriptors mean other files. */
START_TEST(child_answers_by_its_own_descriptors)
{
	int another;

	SKIP_UNLESS_ROOT();
	another = socket_of(OTHER_UID, "another");
	look_once(harness_path("c"), OTHER_UID);

	ck_assert_int_eq(wait_child(start_child(answer_another, &another)), 0);

	reply_reaches(client, harness_path("c"), OTHER_UID);
	close(another);
}
END_TEST

/* So that a descriptor's number cannot come to mean another file between the
 * look and the reply. */
START_TEST(pin_in_use_stays_what_it_is)
{
	struct return_path path;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(look(&path, harness_path("c"), OTHER_UID),
	    RETURN_PATH_OPEN);
	put_a_link_to_roots();
	if (_i == 0)
		look_once(harness_path("c"), OTHER_UID);
	else if (_i == 1)
		ck_assert_uint_eq(return_paths_trim(&paths), 0);
	else
		allow_descriptors(0);
	if (_i == 2) {
		ck_assert_int_eq(look_once(harness_path("moved"), OTHER_UID),
		    RETURN_PATH_EXHAUSTED);
		allow_descriptors(-1);
	}

	ck_assert_int_eq(sendto(server, "re", 2, MSG_DONTWAIT,
			     (const struct sockaddr *)&path.to, path.length),
	    2);
	HEARS(client, "re");
	return_path_close(&paths, &path, false);
}
END_TEST

START_TEST(pin_of_a_dead_client_is_dropped)
{
	struct return_path first, second;

	SKIP_UNLESS_ROOT();
	look(&first, harness_path("c"), OTHER_UID);
	look(&second, harness_path("c"), OTHER_UID);
	return_path_close(&paths, &first, true);
	ck_assert_uint_eq(paths.n_pins, 0);

	return_path_close(&paths, &second, true);
}
END_TEST

static void
look_at_many(int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "c%d", i);
		close(socket_of(OTHER_UID, name));
		ck_assert_int_eq(look_once(harness_path(name), OTHER_UID),
		    RETURN_PATH_OPEN);
	}
}

START_TEST(pins_are_limited_and_the_longest_unused_goes)
{
	const int before = count_descriptors();

	SKIP_UNLESS_ROOT();
	look_at_many(RETURN_PINS_MAX);
	look_once(harness_path("c0"), OTHER_UID);
	look_once(harness_path("c"), OTHER_UID);

	ck_assert_int_eq(count_descriptors(), before + RETURN_PINS_MAX);
	/* Neither of these had to go, so both are found without opening. */
	allow_descriptors(0);
	ck_assert_int_eq(look_once(harness_path("c0"), OTHER_UID),
	    RETURN_PATH_OPEN);
	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    RETURN_PATH_OPEN);
	ck_assert_uint_eq(paths.n_pins, RETURN_PINS_MAX);
	allow_descriptors(-1);
}
END_TEST

START_TEST(out_of_descriptors_a_pin_makes_room_for_another)
{
	SKIP_UNLESS_ROOT();
	look_at_many(5);
	allow_descriptors(0);

	ck_assert_int_eq(look_once(harness_path("c"), OTHER_UID),
	    RETURN_PATH_OPEN);

	ck_assert_uint_eq(paths.n_pins, 5);
	allow_descriptors(-1);
}
END_TEST

START_TEST(trimming_gives_all_back)
{
	const int before = count_descriptors();

	SKIP_UNLESS_ROOT();
	look_at_many(5);

	ck_assert_uint_eq(return_paths_trim(&paths), 5);

	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

Suite *
suite_return_path(void)
{
	Suite *suite = suite_create("return path");
	TCase *outcomes = harness_case(suite, "outcomes");
	TCase *pins = harness_case(suite, "pins");

	tcase_add_checked_fixture(outcomes, setup, teardown);
	tcase_add_loop_test(outcomes, a_path_is_judged_as_it_is_now, 0,
	    N_OF(changes));
	tcase_add_loop_test(outcomes, a_pin_does_not_outlive_what_it_rests_on,
	    0, N_OF(changes));
	tcase_add_loop_test(outcomes, a_pin_that_has_settled_does_not_either, 0,
	    N_OF(changes));
	tcase_add_loop_test(outcomes, a_sender_is_answered_at_what_is_his, 0,
	    N_OF(senders));
	tcase_add_checked_fixture(pins, setup, teardown);
	tcase_add_test(pins, second_reply_opens_nothing);
	tcase_add_test(pins, client_that_starts_again_at_its_path_is_answered);
	tcase_add_loop_test(pins, directory_that_was_swapped_is_noticed, 0, 2);
	tcase_add_test(pins, child_answers_by_its_own_descriptors);
	tcase_add_loop_test(pins, pin_in_use_stays_what_it_is, 0, 3);
	tcase_add_test(pins, pin_of_a_dead_client_is_dropped);
	tcase_add_test(pins, pins_are_limited_and_the_longest_unused_goes);
	tcase_add_test(pins, out_of_descriptors_a_pin_makes_room_for_another);
	tcase_add_test(pins, trimming_gives_all_back);
	return suite;
}
