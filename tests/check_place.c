/* SPDX-License-Identifier: ISC */
#include <uxsrv/place.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static void
make_directory(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
	if (uid != geteuid() || gid != getegid())
		ck_assert_int_eq(chown(path, uid, gid), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
open_place(struct uxs_place *place, const char *path)
{
	struct uxs_error why;

	if (uxs_place_open(place, path, &why) < 0)
		ck_abort_msg("cannot open %s: %s", path, why.text);
}

/* ---- opening ---- */

START_TEST(holds_the_directory_and_the_name)
{
	struct uxs_place place;
	struct stat here, held;

	open_place(&place, harness_path("sock"));

	ck_assert_str_eq(place.name, "sock");
	ck_assert_int_eq(fstat(place.dir_fd, &held), 0);
	ck_assert_int_eq(stat(".", &here), 0);
	ck_assert_uint_eq(held.st_ino, here.st_ino);
	ck_assert(fcntl(place.dir_fd, F_GETFD) & FD_CLOEXEC);
	uxs_place_close(&place);
}
END_TEST

static const struct {
	const char *path, *directory, *name;
} split_rows[] = {
	{ "sock", ".", "sock" },
	{ "./sock", ".", "sock" },
	{ "a/sock", "a", "sock" },
	{ "a//sock", "a", "sock" },
	{ "a/../sock", ".", "sock" },
	{ "/sock", "/", "sock" },
};

START_TEST(splits_a_path_as_the_kernel_does)
{
	struct uxs_place place;
	struct stat expect, held;

	make_directory("a", 0755, geteuid(), getegid());
	open_place(&place, split_rows[_i].path);

	ck_assert_str_eq(place.name, split_rows[_i].name);
	ck_assert_int_eq(fstat(place.dir_fd, &held), 0);
	ck_assert_int_eq(stat(split_rows[_i].directory, &expect), 0);
	ck_assert_uint_eq(held.st_ino, expect.st_ino);
	uxs_place_close(&place);
}
END_TEST

/* "have" is a directory, "file" a file, "loop" a link to itself. */
static const struct {
	const char *path;
	int expect;
	const char *says;
} missing_rows[] = {
	{ "no/sock", -ENOENT, "the directory no does not exist" },
	{ "have/no/sock", -ENOENT, "the directory have/no does not exist" },
	{ "have/no/x/y/sock", -ENOENT, "the directory have/no does not exist" },
	{ "file/sock", -ENOTDIR, "the directory file is not a directory" },
	{ "have/../file/x/sock", -ENOTDIR,
	    "the directory have/../file is not a directory" },
	{ "loop/sock", -ELOOP, "the directory loop " },
};

START_TEST(names_the_component_that_is_missing)
{
	struct uxs_error why = { .failure = UXS_FAILURE_NONE };
	struct uxs_place place;

	make_directory("have", 0755, geteuid(), getegid());
	write_file("file", "", 0644);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	int r = uxs_place_open(&place, missing_rows[_i].path, &why);

	ck_assert_int_eq(r, missing_rows[_i].expect);
	ck_assert_int_eq(why.failure, UXS_FAILURE_CREATE);
	ck_assert_msg(strstr(why.text, missing_rows[_i].says) != NULL,
	    "it says: %s", why.text);
	ck_assert_int_eq(place.dir_fd, -1);
}
END_TEST

static void
open_behind_a_closed_door(void *arg)
{
	struct uxs_error why;
	struct uxs_place place;

	int r = uxs_place_open(&place, "open/closed/below/sock", &why);

	ck_assert_int_eq(r, -EACCES);
	ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
	ck_assert_ptr_nonnull(strstr(why.text,
	    "the directory open/closed may not be searched"));
}

START_TEST(says_when_a_directory_may_not_be_searched)
{
	SKIP_UNLESS_ROOT();
	make_directory("open", 0755, 0, 0);
	make_directory("open/closed", 0700, 0, 0);
	make_directory("open/closed/below", 0755, 0, 0);

	as_user(OTHER_UID, OTHER_GID, open_behind_a_closed_door, NULL);
}
END_TEST

START_TEST(refuses_a_path_too_long_and_never_cuts_it)
{
	struct uxs_place place = UXS_PLACE_CLOSED;
	char path[PATH_MAX + 2] = "";
	struct uxs_error why;

	memset(path, 'x', NAME_MAX + 1);
	ck_assert_int_eq(uxs_place_open(&place, path, &why), -ENAMETOOLONG);
	ck_assert_int_eq(why.failure, UXS_FAILURE_USAGE);
	for (size_t i = 0; i < PATH_MAX; i++)
		path[i] = i % 2 ? '/' : '.';

	ck_assert_int_eq(uxs_place_open(&place, path, &why), -ENAMETOOLONG);
	ck_assert_int_eq(place.dir_fd, -1);
}
END_TEST

START_TEST(may_close_twice)
{
	struct uxs_place place = UXS_PLACE_CLOSED;

	uxs_place_close(&place);
	open_place(&place, "sock");
	uxs_place_close(&place);
	uxs_place_close(&place);

	ck_assert_int_eq(place.dir_fd, -1);
}
END_TEST

START_TEST(stays_where_it_was_when_directories_move)
{
	struct uxs_place place;
	struct stat st;
	int fd;

	make_directory("before", 0755, geteuid(), getegid());
	write_file("before/sock", "", 0600);
	open_place(&place, "before/sock");
	ck_assert_int_eq(rename("before", "after"), 0);
	make_directory("before", 0755, geteuid(), getegid());
	ck_assert_int_eq(chdir("before"), 0);
	fd = uxs_place_pin(&place);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	close(fd);
	uxs_place_close(&place);
}
END_TEST

/* ---- safety ---- */

#define GROUP UXS_PLACE_GROUP_WRITABLE
#define UP UXS_PLACE_ANCESTOR_UNSAFE
#define NO UXS_PLACE_UNSAFE

struct safety_row {
	mode_t mode;
	uid_t owner;
	uid_t judge;
	enum uxs_place_safety expect;
	const char *says;
};

static const struct safety_row safety_rows[] = {
	/* Our own. */
	{ 0700, 0, 0, UXS_PLACE_SAFE, "" },
	{ 0755, 0, 0, UXS_PLACE_SAFE, "" },
	{ 02755, 0, 0, UXS_PLACE_SAFE, "" },
	{ 0775, 0, 0, GROUP, "writable by group" },
	{ 0720, 0, 0, GROUP, "writable by group" },
	{ 02775, 0, 0, GROUP, "writable by group" },
	{ 0777, 0, 0, NO, "writable by everybody" },
	{ 0757, 0, 0, NO, "writable by everybody" },
	{ 0702, 0, 0, NO, "writable by everybody" },
	{ 02777, 0, 0, NO, "writable by everybody" },
	/* With the sticky bit only owners remove. */
	{ 01777, 0, 0, UXS_PLACE_SAFE, "" },
	{ 01775, 0, 0, UXS_PLACE_SAFE, "" },
	{ 01757, 0, 0, UXS_PLACE_SAFE, "" },
	/* A stranger's, whatever its mode: he can change it. */
	{ 0755, OTHER_UID, 0, NO, "owned by uid 1500" },
	{ 0500, OTHER_UID, 0, NO, "owned by uid 1500" },
	{ 01777, OTHER_UID, 0, NO, "owned by uid 1500" },
	/* As another user: his own, root's, and a third one's. */
	{ 0755, OTHER_UID, OTHER_UID, UXS_PLACE_SAFE, "" },
	{ 0775, OTHER_UID, OTHER_UID, GROUP, "writable by group" },
	{ 0777, OTHER_UID, OTHER_UID, NO, "writable by everybody" },
	{ 0755, 0, OTHER_UID, UXS_PLACE_SAFE, "" },
	{ 01777, 0, OTHER_UID, UXS_PLACE_SAFE, "" },
	{ 0777, 0, OTHER_UID, NO, "writable by everybody" },
	{ 0755, THIRD_UID, OTHER_UID, NO, "owned by uid 1501" },
	{ 01777, THIRD_UID, OTHER_UID, NO, "owned by uid 1501" },
};

static void
judge_as_expected(void *arg)
{
	const struct safety_row *row = arg;
	struct uxs_error why = { .text = "" };
	struct uxs_place place;

	open_place(&place, "dir/sock");
	int r = uxs_place_check(&place, &why);

	ck_assert_int_eq(r, row->expect);
	ck_assert_msg(strstr(why.text, row->says) != NULL, "it says: %s",
	    why.text);
	if (r == UXS_PLACE_UNSAFE)
		ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
	uxs_place_close(&place);
}

START_TEST(judges_a_directory_by_who_could_replace_the_file)
{
	struct safety_row row = safety_rows[_i];

	SKIP_UNLESS_ROOT();
	make_directory("dir", row.mode, row.owner, OTHER_GID);

	if (row.judge == 0)
		judge_as_expected(&row);
	else
		as_user(row.judge, OTHER_GID, judge_as_expected, &row);
}
END_TEST

START_TEST(judges_our_own_directory_without_root_too)
{
	struct safety_row rows[] = {
		{ 0755, 0, 0, UXS_PLACE_SAFE, "" },
		{ 0775, 0, 0, GROUP, "writable by group" },
		{ 0777, 0, 0, NO, "writable by everybody" },
		{ 01777, 0, 0, UXS_PLACE_SAFE, "" },
	};

	for (int i = 0; i < N_ROWS(rows); i++) {
		make_directory("dir", rows[i].mode, geteuid(), getegid());
		judge_as_expected(&rows[i]);
		ck_assert_int_eq(rmdir("dir"), 0);
	}
}
END_TEST

static const struct {
	mode_t top, middle;
	enum uxs_place_safety expect;
} ancestor_rows[] = {
	{ 0755, 0755, UXS_PLACE_SAFE },
	{ 0755, 0777, UP },
	{ 0777, 0755, UP },
	{ 0757, 0700, UP },
	{ 0755, 01777, UXS_PLACE_SAFE },
	{ 01777, 0755, UXS_PLACE_SAFE },
};

START_TEST(looks_at_the_directories_above)
{
	struct uxs_error why = { .text = "" };
	struct uxs_place place;

	make_directory("top", 0755, geteuid(), getegid());
	make_directory("top/middle", 0755, geteuid(), getegid());
	make_directory("top/middle/dir", 0755, geteuid(), getegid());
	chmod("top/middle", ancestor_rows[_i].middle);
	chmod("top", ancestor_rows[_i].top);
	open_place(&place, "top/middle/dir/sock");

	ck_assert_int_eq(uxs_place_check(&place, &why),
	    ancestor_rows[_i].expect);
	ck_assert_int_eq(strstr(why.text, "a directory above it") != NULL,
	    ancestor_rows[_i].expect == UP);
	uxs_place_close(&place);
}
END_TEST

START_TEST(looks_at_the_owners_of_the_directories_above)
{
	struct uxs_error why;
	struct uxs_place place;

	SKIP_UNLESS_ROOT();
	make_directory("top", 0755, OTHER_UID, OTHER_GID);
	make_directory("top/dir", 0755, 0, 0);
	open_place(&place, "top/dir/sock");

	ck_assert_int_eq(uxs_place_check(&place, &why), UP);
	uxs_place_close(&place);
}
END_TEST

/* ---- the file ---- */

START_TEST(a_short_path_is_what_peers_are_shown)
{
	struct uxs_place place;
	struct sockaddr_un sa;
	socklen_t length;

	open_place(&place, "./sock");

	ck_assert_int_eq(uxs_place_sockaddr(&place, "sock", &sa, &length), 0);
	ck_assert_str_eq(sa.sun_path, "./sock");
	uxs_place_close(&place);
}
END_TEST

START_TEST(another_name_is_reached_through_the_descriptor)
{
	struct uxs_place place;
	struct sockaddr_un sa;
	socklen_t length;
	char expect[64];

	open_place(&place, "./sock");
	snprintf(expect, sizeof(expect), "/proc/self/fd/%d/temp", place.dir_fd);

	ck_assert_int_eq(uxs_place_sockaddr(&place, "temp", &sa, &length), 0);
	ck_assert_str_eq(sa.sun_path, expect);
	uxs_place_close(&place);
}
END_TEST

START_TEST(a_long_path_binds_and_connects_through_the_descriptor)
{
	struct uxs_place place;
	struct sockaddr_un sa;
	char path[PATH_MAX] = "";
	socklen_t length;
	int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(path, 'd', 200);
	make_directory(path, 0755, geteuid(), getegid());
	strcat(path, "/sock");
	open_place(&place, path);
	ck_assert_int_eq(uxs_place_sockaddr(&place, "sock", &sa, &length), 0);

	ck_assert_int_eq(bind(server, (struct sockaddr *)&sa, length), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&sa, length), 0);
	ck_assert(is_there(path));
	close(server);
	close(client);
	uxs_place_close(&place);
}
END_TEST

START_TEST(a_name_too_long_for_any_address_is_refused)
{
	char name[201] = "";
	struct uxs_place place;
	struct sockaddr_un sa;
	socklen_t length;

	memset(name, 'n', sizeof(name) - 1);
	open_place(&place, name);

	ck_assert_int_eq(uxs_place_sockaddr(&place, name, &sa, &length),
	    -ENAMETOOLONG);
	uxs_place_close(&place);
}
END_TEST

START_TEST(pin_holds_a_symbolic_link_itself)
{
	struct uxs_place place;
	struct stat st;
	int fd;

	ck_assert_int_eq(symlink("nowhere", "sock"), 0);
	open_place(&place, "sock");
	fd = uxs_place_pin(&place);

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	uxs_place_close(&place);
}
END_TEST

START_TEST(pin_of_nothing_says_so)
{
	struct uxs_place place;

	open_place(&place, "sock");

	ck_assert_int_eq(uxs_place_pin(&place), -ENOENT);
	uxs_place_close(&place);
}
END_TEST

START_TEST(a_pinned_socket_is_reached_whatever_its_name_is_now)
{
	int server = bound_socket(UXS_DGRAM, "sock");
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct uxs_place place;
	int pin;

	open_place(&place, "sock");
	pin = uxs_place_pin(&place);
	ck_assert_int_eq(rename("sock", "elsewhere"), 0);
	leave_stale_socket(UXS_DGRAM, "sock");

	ck_assert_int_eq(uxs_pin_connect(pin, client), 0);
	SAYS(client, "found");
	HEARS(server, "found");
	close(pin);
	close(client);
	close(server);
	uxs_place_close(&place);
}
END_TEST

static void
remove_with(const char *path, ino_t ino_change, int expect)
{
	struct uxs_place place;
	struct stat st = { 0 };

	lstat(path, &st);
	open_place(&place, path);
	ck_assert_int_eq(uxs_place_remove(&place, st.st_dev,
			     st.st_ino + ino_change),
	    expect);
	uxs_place_close(&place);
}

START_TEST(removes_the_very_socket)
{
	leave_stale_socket(UXS_STREAM, "sock");

	remove_with("sock", 0, 0);

	ck_assert(!is_there("sock"));
}
END_TEST

START_TEST(does_not_remove_another_socket)
{
	leave_stale_socket(UXS_STREAM, "sock");

	remove_with("sock", 1, 0);

	ck_assert(is_there("sock"));
}
END_TEST

START_TEST(does_not_remove_what_is_no_socket)
{
	write_file("sock", "precious", 0600);

	remove_with("sock", 0, 0);

	assert_file_says("sock", "precious");
}
END_TEST

START_TEST(what_is_gone_needs_no_removal)
{
	remove_with("sock", 0, 0);
}
END_TEST

static void
remove_root_s_socket(void *arg)
{
	remove_with("sock", 0, -EACCES);
}

START_TEST(says_when_it_may_not_remove)
{
	SKIP_UNLESS_ROOT();
	leave_stale_socket(UXS_STREAM, "sock");

	as_user(OTHER_UID, OTHER_GID, remove_root_s_socket, NULL);

	ck_assert(is_there("sock"));
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

static void
add_file_tests(TCase *file)
{
	tcase_add_test(file, a_short_path_is_what_peers_are_shown);
	tcase_add_test(file, another_name_is_reached_through_the_descriptor);
	tcase_add_test(file,
	    a_long_path_binds_and_connects_through_the_descriptor);
	tcase_add_test(file, a_name_too_long_for_any_address_is_refused);
	tcase_add_test(file, pin_holds_a_symbolic_link_itself);
	tcase_add_test(file, pin_of_nothing_says_so);
	tcase_add_test(file,
	    a_pinned_socket_is_reached_whatever_its_name_is_now);
	tcase_add_test(file, removes_the_very_socket);
	tcase_add_test(file, does_not_remove_another_socket);
	tcase_add_test(file, does_not_remove_what_is_no_socket);
	tcase_add_test(file, what_is_gone_needs_no_removal);
	tcase_add_test(file, says_when_it_may_not_remove);
}

Suite *
suite_place(void)
{
	Suite *suite = suite_create("place");
	TCase *opening = harness_case(suite, "opening");
	TCase *safety = harness_case(suite, "safety");

	tcase_add_test(opening, holds_the_directory_and_the_name);
	TABLE(opening, splits_a_path_as_the_kernel_does, split_rows);
	TABLE(opening, names_the_component_that_is_missing, missing_rows);
	tcase_add_test(opening, says_when_a_directory_may_not_be_searched);
	tcase_add_test(opening, refuses_a_path_too_long_and_never_cuts_it);
	tcase_add_test(opening, may_close_twice);
	tcase_add_test(opening, stays_where_it_was_when_directories_move);

	TABLE(safety, judges_a_directory_by_who_could_replace_the_file,
	    safety_rows);
	tcase_add_test(safety, judges_our_own_directory_without_root_too);
	TABLE(safety, looks_at_the_directories_above, ancestor_rows);
	tcase_add_test(safety, looks_at_the_owners_of_the_directories_above);

	add_file_tests(harness_case(suite, "file"));
	return suite;
}
