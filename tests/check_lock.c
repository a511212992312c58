/* SPDX-License-Identifier: ISC */
#include <uxsrv/lock.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/place.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static struct uxs_place place; /* of "sock", in every test */

static void
open_place(void)
{
	ck_assert_int_eq(uxs_place_open(&place, "sock", NULL), 0);
}

static void
close_place(void)
{
	uxs_place_close(&place);
}

static int
try_lock(struct uxs_lock *lock, struct uxs_lock_holder *holder)
{
	struct uxs_lock_holder unused;

	return uxs_lock_open(lock, &place, holder != NULL ? holder : &unused,
	    NULL);
}

static const char *
pid_line(pid_t pid)
{
	static char text[32];

	snprintf(text, sizeof(text), "%ld\n", (long)pid);
	return text;
}

/* ---- taking it ---- */

START_TEST(lock_file_holds_the_pid)
{
	struct uxs_lock lock;

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);

	assert_file_says("sock.lock", pid_line(getpid()));
	ck_assert(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC);
	uxs_lock_close(&lock, &place);
}
END_TEST

START_TEST(lock_file_is_0600_under_any_umask)
{
	static const mode_t umasks[] = { 0, 022, 0077 };
	struct uxs_lock lock;
	mode_t before = umask(umasks[_i]);

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);

	ck_assert_int_eq(mode_of("sock.lock"), 0600);
	ck_assert_int_eq(umask(before), umasks[_i]);
	uxs_lock_close(&lock, &place);
}
END_TEST

START_TEST(what_an_earlier_holder_left_is_overwritten)
{
	struct uxs_lock lock;

	write_file("sock.lock", "1234567890123\nand more\n", 0600);

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);
	assert_file_says("sock.lock", pid_line(getpid()));
	uxs_lock_close(&lock, &place);
}
END_TEST

START_TEST(lock_file_goes_with_the_lock)
{
	struct uxs_lock lock;

	try_lock(&lock, NULL);
	uxs_lock_close(&lock, &place);

	ck_assert_int_eq(lock.fd, -1);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(may_close_twice)
{
	struct uxs_lock lock = UXS_LOCK_CLOSED;

	uxs_lock_close(&lock, &place);
	try_lock(&lock, NULL);
	uxs_lock_close(&lock, &place);
	write_file("sock.lock", "somebody else's", 0600);
	uxs_lock_close(&lock, &place);

	assert_file_says("sock.lock", "somebody else's");
}
END_TEST

START_TEST(a_lock_file_that_was_replaced_is_not_removed)
{
	struct uxs_lock lock;

	try_lock(&lock, NULL);
	ck_assert_int_eq(unlink("sock.lock"), 0);
	write_file("sock.lock", "somebody else's", 0600);
	uxs_lock_close(&lock, &place);

	assert_file_says("sock.lock", "somebody else's");
}
END_TEST

/* ---- who holds it ---- */

/* A process that holds the lock until it is told, or killed. */
struct holder {
	pid_t pid;
	int tell; /* close it and the holder lets go */
};

static void
hold(void *arg)
{
	const int *pipes = arg; /* held: [0] write; end: [1] read */
	struct uxs_lock lock;
	char byte;

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);
	ck_assert_int_eq(write(pipes[0], "", 1), 1);
	ck_assert_int_eq(read(pipes[1], &byte, 1), 1);
	uxs_lock_close(&lock, &place);
}

static void
holder_start(struct holder *holder, uid_t uid)
{
	int held[2], end[2], pipes[2];
	char byte;

	ck_assert_int_eq(pipe2(held, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
	pipes[0] = held[1];
	pipes[1] = end[0];
	/* The directory is another's while another makes a file in it. */
	ck_assert_int_eq(seteuid(uid), 0);
	holder->pid = start_child(hold, pipes);
	ck_assert_int_eq(seteuid(getuid()), 0);
	close(held[1]);
	close(end[0]);
	ck_assert_int_eq(read(held[0], &byte, 1), 1);
	close(held[0]);
	holder->tell = end[1];
}

static void
holder_end(struct holder *holder)
{
	ck_assert_int_eq(write(holder->tell, "", 1), 1);
	close(holder->tell);
	ck_assert_int_eq(wait_child(holder->pid), 0);
}

static void
holder_kill(struct holder *holder)
{
	kill(holder->pid, SIGKILL);
	ck_assert_int_eq(wait_child(holder->pid), 128 + SIGKILL);
	close(holder->tell);
}

START_TEST(a_lock_that_is_held_names_its_holder)
{
	struct uxs_lock_holder who = { 0 };
	struct uxs_lock lock;
	struct holder holder;

	holder_start(&holder, geteuid());
	int r = try_lock(&lock, &who);

	ck_assert_int_eq(r, UXS_LOCK_HELD);
	ck_assert_int_eq(lock.fd, -1);
	ck_assert_int_eq(who.pid, holder.pid);
	ck_assert_uint_eq(who.uid, geteuid());
	holder_end(&holder);
}
END_TEST

START_TEST(the_holder_may_be_another_user)
{
	struct uxs_lock_holder who = { 0 };
	struct uxs_lock lock;
	struct holder holder;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	holder_start(&holder, OTHER_UID);
	int r = try_lock(&lock, &who);

	ck_assert_int_eq(r, UXS_LOCK_HELD);
	ck_assert_int_eq(who.pid, holder.pid);
	ck_assert_uint_eq(who.uid, OTHER_UID);
	holder_end(&holder);
}
END_TEST

START_TEST(one_process_cannot_hold_it_twice)
{
	struct uxs_lock_holder who = { 0 };
	struct uxs_lock first, second;

	try_lock(&first, NULL);
	int r = try_lock(&second, &who);

	ck_assert_int_eq(r, UXS_LOCK_HELD);
	ck_assert_int_eq(who.pid, getpid());
	uxs_lock_close(&second, &place);
	ck_assert(is_there("sock.lock"));
	uxs_lock_close(&first, &place);
}
END_TEST

START_TEST(a_lock_let_go_can_be_taken)
{
	struct uxs_lock lock;
	struct holder holder;

	holder_start(&holder, geteuid());
	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_HELD);
	holder_end(&holder);

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);
	uxs_lock_close(&lock, &place);
}
END_TEST

START_TEST(the_lock_of_a_killed_holder_can_be_taken)
{
	struct uxs_lock lock;
	struct holder holder;

	holder_start(&holder, geteuid());
	holder_kill(&holder);
	ck_assert(is_there("sock.lock"));

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);
	assert_file_says("sock.lock", pid_line(getpid()));
	uxs_lock_close(&lock, &place);
}
END_TEST

#define N_RIVALS 4
#define N_ROUNDS 200

/* Take the lock again and again; who has it makes a file that only one can
 * make, and removes it before letting go. */
static void
compete(void *arg)
{
	for (int n_taken = 0; n_taken < N_ROUNDS;) {
		struct uxs_lock lock;
		int fd, r = try_lock(&lock, NULL);

		if (r == UXS_LOCK_HELD)
			continue;
		ck_assert_int_eq(r, UXS_LOCK_TAKEN);
		fd = open("inside", O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		close(fd);
		ck_assert_int_eq(unlink("inside"), 0);
		uxs_lock_close(&lock, &place);
		n_taken++;
	}
}

START_TEST(holders_that_come_and_go_are_never_two)
{
	pid_t rivals[N_RIVALS];

	for (int i = 0; i < N_RIVALS; i++)
		rivals[i] = start_child(compete, NULL);

	for (int i = 0; i < N_RIVALS; i++)
		ck_assert_int_eq(wait_child(rivals[i]), 0);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- what strangers planted ---- */

static void
plant_fifo(void)
{
	ck_assert_int_eq(mkfifo("sock.lock", 0600), 0);
}

static void
plant_link(void)
{
	write_file("precious", "precious", 0600);
	ck_assert_int_eq(symlink("precious", "sock.lock"), 0);
}

static void
plant_dangling_link(void)
{
	ck_assert_int_eq(symlink("precious", "sock.lock"), 0);
}

static void
plant_hard_link(void)
{
	write_file("precious", "precious", 0600);
	ck_assert_int_eq(link("precious", "sock.lock"), 0);
}

static void
plant_foreign_file(void)
{
	write_file("sock.lock", "precious", 0600);
	ck_assert_int_eq(chown("sock.lock", OTHER_UID, OTHER_GID), 0);
}

static void
plant_open_file(void)
{
	write_file("sock.lock", "precious", 0666);
}

static void
plant_readable_file(void)
{
	write_file("sock.lock", "precious", 0604);
}

static void
plant_group_file(void)
{
	write_file("sock.lock", "precious", 0640);
}

static void
plant_directory(void)
{
	ck_assert_int_eq(mkdir("sock.lock", 0700), 0);
}

static void
plant_socket(void)
{
	leave_stale_socket(UXS_STREAM, "sock.lock");
}

static const struct {
	void (*plant)(void);
	enum uxs_failure failure;
	bool needs_root;
} planted_rows[] = {
	{ plant_fifo, UXS_FAILURE_PERMISSION, false },
	{ plant_link, UXS_FAILURE_CREATE, false },
	{ plant_dangling_link, UXS_FAILURE_CREATE, false },
	{ plant_hard_link, UXS_FAILURE_PERMISSION, false },
	{ plant_foreign_file, UXS_FAILURE_PERMISSION, true },
	{ plant_open_file, UXS_FAILURE_PERMISSION, false },
	{ plant_readable_file, UXS_FAILURE_PERMISSION, false },
	{ plant_group_file, UXS_FAILURE_PERMISSION, false },
	{ plant_directory, UXS_FAILURE_CREATE, false },
	{ plant_socket, UXS_FAILURE_CREATE, false },
};

START_TEST(what_is_not_our_lock_file_is_refused_and_left_alone)
{
	struct uxs_error why = { .failure = UXS_FAILURE_NONE };
	struct uxs_lock_holder who;
	struct uxs_lock lock;
	struct stat before, after;
	int n_files;

	if (planted_rows[_i].needs_root)
		SKIP_UNLESS_ROOT();
	planted_rows[_i].plant();
	ck_assert_int_eq(lstat("sock.lock", &before), 0);
	n_files = count_files();
	int r = uxs_lock_open(&lock, &place, &who, &why);

	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(lock.fd, -1);
	ck_assert_int_eq(why.failure, planted_rows[_i].failure);
	ck_assert_ptr_nonnull(strstr(why.text, "sock.lock"));
	ck_assert_int_eq(lstat("sock.lock", &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(count_files(), n_files);
}
END_TEST

START_TEST(check_says_what_open_would_and_takes_nothing)
{
	struct uxs_error said = { .text = "" }, by_open = { .text = "" };
	struct uxs_lock_holder who;
	struct uxs_lock lock;

	if (planted_rows[_i].needs_root)
		SKIP_UNLESS_ROOT();
	planted_rows[_i].plant();
	int r = uxs_lock_check(&place, &said);

	ck_assert_int_eq(uxs_lock_open(&lock, &place, &who, &by_open), r);
	ck_assert_int_eq(said.failure, by_open.failure);
	ck_assert_str_eq(said.text, by_open.text);
}
END_TEST

START_TEST(check_makes_nothing_where_nothing_is)
{
	ck_assert_int_eq(uxs_lock_check(&place, NULL), 0);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(check_does_not_disturb_the_holder)
{
	struct uxs_lock lock;

	try_lock(&lock, NULL);
	ck_assert_int_eq(uxs_lock_check(&place, NULL), 0);

	assert_file_says("sock.lock", pid_line(getpid()));
	ck_assert_int_eq(try_lock(&(struct uxs_lock){ 0 }, NULL),
	    UXS_LOCK_HELD);
	uxs_lock_close(&lock, &place);
}
END_TEST

START_TEST(a_file_with_another_name_is_not_written_to)
{
	struct uxs_lock lock;

	if (_i == 0)
		plant_link();
	else
		plant_hard_link();
	ck_assert_int_lt(try_lock(&lock, NULL), 0);

	assert_file_says("precious", "precious");
}
END_TEST

static void
lock_without_permission(void *arg)
{
	struct uxs_error why;
	struct uxs_lock_holder who;
	struct uxs_lock lock;

	int r = uxs_lock_open(&lock, &place, &who, &why);

	ck_assert_int_eq(r, -EACCES);
	ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
	ck_assert_ptr_nonnull(strstr(why.text, "sock.lock"));
}

START_TEST(a_directory_that_is_not_writable_is_named)
{
	SKIP_UNLESS_ROOT();

	as_user(OTHER_UID, OTHER_GID, lock_without_permission, NULL);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* Any user can lock a file which he can read: so nobody else must. */
static void
lock_out(void *arg)
{
	ck_assert_int_lt(open("sock.lock", O_RDONLY | O_CLOEXEC), 0);
	ck_assert_int_eq(errno, EACCES);
}

START_TEST(strangers_cannot_lock_us_out)
{
	struct uxs_lock lock;

	SKIP_UNLESS_ROOT();
	umask(0);
	try_lock(&lock, NULL);

	as_user(OTHER_UID, OTHER_GID, lock_out, NULL);
	uxs_lock_close(&lock, &place);
}
END_TEST

/* ---- whether it still protects ---- */

START_TEST(lock_is_valid_while_its_file_is_there)
{
	struct uxs_lock lock;

	ck_assert_int_eq(try_lock(&lock, NULL), UXS_LOCK_TAKEN);
	ck_assert(uxs_lock_is_valid(&lock, &place));

	ck_assert_int_eq(unlink("sock.lock"), 0);

	ck_assert(!uxs_lock_is_valid(&lock, &place));
	write_file("sock.lock", "", 0600);
	ck_assert(!uxs_lock_is_valid(&lock, &place));
	uxs_lock_close(&lock, &place);
	ck_assert(!uxs_lock_is_valid(&lock, &place));
	ck_assert(is_there("sock.lock"));
}
END_TEST

static TCase *
lock_case(Suite *suite, const char *name)
{
	TCase *tcase = harness_case(suite, name);

	tcase_add_checked_fixture(tcase, open_place, close_place);
	return tcase;
}

Suite *
suite_lock(void)
{
	Suite *suite = suite_create("lock");
	TCase *taking = lock_case(suite, "taking");
	TCase *holders = lock_case(suite, "holders");
	TCase *planted = lock_case(suite, "planted");

	tcase_add_test(taking, lock_file_holds_the_pid);
	tcase_add_loop_test(taking, lock_file_is_0600_under_any_umask, 0, 3);
	tcase_add_test(taking, what_an_earlier_holder_left_is_overwritten);
	tcase_add_test(taking, lock_file_goes_with_the_lock);
	tcase_add_test(taking, may_close_twice);
	tcase_add_test(taking, a_lock_file_that_was_replaced_is_not_removed);
	tcase_add_test(taking, lock_is_valid_while_its_file_is_there);

	tcase_add_test(holders, a_lock_that_is_held_names_its_holder);
	tcase_add_test(holders, the_holder_may_be_another_user);
	tcase_add_test(holders, one_process_cannot_hold_it_twice);
	tcase_add_test(holders, a_lock_let_go_can_be_taken);
	tcase_add_test(holders, the_lock_of_a_killed_holder_can_be_taken);
	tcase_add_test(holders, holders_that_come_and_go_are_never_two);

	tcase_add_loop_test(planted,
	    what_is_not_our_lock_file_is_refused_and_left_alone, 0,
	    N_ROWS(planted_rows));
	tcase_add_loop_test(planted,
	    check_says_what_open_would_and_takes_nothing, 0,
	    N_ROWS(planted_rows));
	tcase_add_test(planted, check_makes_nothing_where_nothing_is);
	tcase_add_test(planted, check_does_not_disturb_the_holder);
	tcase_add_loop_test(planted, a_file_with_another_name_is_not_written_to,
	    0, 2);
	tcase_add_test(planted, a_directory_that_is_not_writable_is_named);
	tcase_add_test(planted, strangers_cannot_lock_us_out);
	return suite;
}
