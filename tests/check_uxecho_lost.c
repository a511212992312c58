/* SPDX-License-Identifier: ISC */
/*
 * Its socket file is taken away while it serves: what the real daemon does
 * then, to whoever is connected, to whoever comes, and to whatever is there.
 */
#include "harness.h"
#include "suites.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TYPE ((enum uxs_type)_i)
#define ALL_TYPES 0, 3

static const char *const paths[UXS_N_TYPES] = { "dir/s", "dir/q", "dir/d" };
static const char *const locks[UXS_N_TYPES] = { "dir/s.lock", "dir/q.lock",
	"dir/d.lock" };
static const char *const typed[UXS_N_TYPES] = { "stream:dir/s",
	"seqpacket:dir/q", "dgram:dir/d" };
static const char *const stream[] = { "stream:dir/s", NULL };

/* ---- the language of this file ---- */

static void
start(struct service *service, enum uxs_type type)
{
	const char *const arguments[] = { typed[type], NULL };

	ck_assert_int_eq(mkdir("dir", 0755), 0);
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
	SAYS(fd, "anybody there?");
	HEARS(fd, "anybody there?");
}

static void
serves(enum uxs_type type)
{
	const int fd = dial(type);

	is_answered(fd);
	close(fd);
}

static void
is_made_anew(struct service *service, enum uxs_type type)
{
	service_logs(service, "the socket was made anew");
	ck_assert_uint_eq(mode_of(paths[type]), 0600);
	ck_assert_uint_eq(mode_of(locks[type]), 0600);
	serves(type);
}

/* A connection lives on; what is connected to a datagram socket does not. */
static void
is_still_served(int fd, enum uxs_type type)
{
	if (type != UXS_DGRAM)
		is_answered(fd);
	close(fd);
}

static void
stops_and_leaves(struct service *service, int n_files)
{
	int n = 0;

	service_stop_clean(service);
	for (int i = 0; i < UXS_N_TYPES; i++)
		n += is_there(paths[i]) + is_there(locks[i]);
	ck_assert_int_eq(n, n_files);
}

static ino_t
inode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_ino;
}

static void
pause_service(const struct service *service)
{
	int status;

	ck_assert_int_eq(kill(service->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(service->pid, &status, WUNTRACED),
	    service->pid);
	ck_assert(WIFSTOPPED(status));
}

static void
resume(const struct service *service)
{
	ck_assert_int_eq(kill(service->pid, SIGCONT), 0);
}

/* ---- removed, moved, replaced ---- */

START_TEST(removed_socket_is_made_anew)
{
	struct service service;
	int fd;

	start(&service, TYPE);
	fd = dial(TYPE);
	is_answered(fd);

	ck_assert_int_eq(unlink(paths[_i]), 0);

	is_made_anew(&service, TYPE);
	is_still_served(fd, TYPE);
	service_counts(&service, "made anew 1 times");
	stops_and_leaves(&service, 0);
}
END_TEST

START_TEST(moved_socket_is_made_anew_and_left_where_it_is)
{
	struct service service;
	int fd, late;

	start(&service, TYPE);
	fd = dial(TYPE);
	is_answered(fd);

	ck_assert_int_eq(rename(paths[_i], "dir/moved"), 0);

	is_made_anew(&service, TYPE);
	is_still_served(fd, TYPE);
	late = client_try(TYPE, harness_path("dir/moved"));
	ck_assert_int_eq(late, -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	stops_and_leaves(&service, 0);
	ck_assert(is_there("dir/moved"));
}
END_TEST

START_TEST(file_in_the_way_is_left_alone_until_it_is_gone)
{
	struct service service;
	int fd;

	start(&service, TYPE);
	fd = dial(TYPE);
	is_answered(fd);
	write_file("precious", "precious", 0644);

	ck_assert_int_eq(rename("precious", paths[_i]), 0);

	service_logs(&service, "a regular file of user");
	assert_file_says(paths[_i], "precious");
	is_still_served(fd, TYPE);
	ck_assert_int_eq(unlink(paths[_i]), 0);
	is_made_anew(&service, TYPE);
	stops_and_leaves(&service, 0);
}
END_TEST

START_TEST(file_that_is_still_in_the_way_at_the_stop_stays)
{
	struct service service;

	start(&service, TYPE);
	write_file("precious", "precious", 0644);
	ck_assert_int_eq(rename("precious", paths[_i]), 0);
	service_logs(&service, "a regular file of user");

	stops_and_leaves(&service, 1);

	assert_file_says(paths[_i], "precious");
}
END_TEST

START_TEST(dead_socket_in_its_place_is_replaced)
{
	struct service service;

	start(&service, TYPE);
	leave_stale_socket(TYPE, "dead");

	ck_assert_int_eq(rename("dead", paths[_i]), 0);

	is_made_anew(&service, TYPE);
	stops_and_leaves(&service, 0);
}
END_TEST

/* Whether its file is removed, or just left behind when it ends. */
static const bool removals[] = { true, false };

START_TEST(live_server_in_its_place_is_never_fought_over)
{
	struct service service;
	const int foreign = bound_socket(UXS_STREAM, "foreign");
	const ino_t inode = inode_of("foreign");
	int fd;

	ck_assert_int_eq(listen(foreign, 5), 0);
	start(&service, UXS_STREAM);
	fd = dial(UXS_STREAM);
	is_answered(fd);

	ck_assert_int_eq(rename("foreign", "dir/s"), 0);

	service_logs(&service, "a live server holds this address");
	ck_assert_uint_eq(inode_of("dir/s"), inode);
	is_answered(fd);
	close(foreign);
	if (removals[_i])
		ck_assert_int_eq(unlink("dir/s"), 0);
	is_made_anew(&service, UXS_STREAM);
	is_still_served(fd, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* Another uxecho that found neither socket nor lock. */
START_TEST(successor_serves_until_it_stops)
{
	struct service service, successor;
	ino_t inode;
	int fd;

	start(&service, UXS_STREAM);
	fd = dial(UXS_STREAM);
	is_answered(fd);
	pause_service(&service);
	ck_assert_int_eq(unlink("dir/s"), 0);
	ck_assert_int_eq(unlink("dir/s.lock"), 0);
	service_start(&successor, stream);
	inode = inode_of("dir/s");

	resume(&service);

	service_logs(&service, "a live server holds this address (pid");
	ck_assert_uint_eq(inode_of("dir/s"), inode);
	is_answered(fd);
	serves(UXS_STREAM);
	service_stop_clean(&successor);
	is_made_anew(&service, UXS_STREAM);
	is_still_served(fd, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* More than are accepted until it is noticed that the file is gone. */
#define N_WAITING 1500

static void
allow_many_descriptors(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < N_WAITING + 100)
		skip("needs a hard limit of 1600 descriptors");
}

START_TEST(who_waits_at_the_lost_socket_is_let_in)
{
	static int fds[N_WAITING];
	struct service service;

	allow_many_descriptors();
	start(&service, UXS_STREAM);
	pause_service(&service);
	for (int i = 0; i < N_WAITING; i++) {
		fds[i] = client_try(UXS_STREAM, harness_path("dir/s"));
		ck_assert_int_ge(fds[i], 0);
		SAYS(fds[i], "in time?");
	}
	ck_assert_int_eq(unlink("dir/s"), 0);

	resume(&service);

	for (int i = 0; i < N_WAITING; i++) {
		HEARS(fds[i], "in time?");
		close(fds[i]);
	}
	is_made_anew(&service, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* One at a time: when a send fails because its peer has closed, the kernel
 * throws away what the client has not read (Linux 6.18). */
static bool
is_taken_and_answered(int fd)
{
	if (send(fd, "x", 1, 0) != 1)
		return false;
	HEARS(fd, "x");
	return true;
}

START_TEST(every_datagram_that_was_taken_is_answered)
{
	struct service service;

	start(&service, UXS_DGRAM);
	for (int i = 0; i < 20; i++) {
		const int fd = dial(UXS_DGRAM);

		ck_assert_int_eq(unlink("dir/d"), 0);
		while (is_taken_and_answered(fd))
			;
		close(fd);
		service_logs(&service, "the socket was made anew");
		serves(UXS_DGRAM);
	}
	stops_and_leaves(&service, 0);
}
END_TEST

/* ---- the directory, the lock, the mode ---- */

START_TEST(directory_that_was_made_again_is_found)
{
	struct service service;
	int fd;

	start(&service, TYPE);
	fd = dial(TYPE);
	is_answered(fd);

	ck_assert_int_eq(unlink(paths[_i]), 0);
	ck_assert_int_eq(unlink(locks[_i]), 0);
	ck_assert_int_eq(rmdir("dir"), 0);

	service_logs(&service, "dir does not exist");
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	is_made_anew(&service, TYPE);
	is_still_served(fd, TYPE);
	/* It is watched as the first one was. */
	ck_assert_int_eq(unlink(paths[_i]), 0);
	is_made_anew(&service, TYPE);
	stops_and_leaves(&service, 0);
}
END_TEST

START_TEST(directory_that_was_moved_away_keeps_nothing_of_ours)
{
	struct service service;

	start(&service, TYPE);

	ck_assert_int_eq(rename("dir", "away"), 0);
	ck_assert_int_eq(mkdir("dir", 0755), 0);

	is_made_anew(&service, TYPE);
	ck_assert_int_eq(rmdir("away"), 0);
	stops_and_leaves(&service, 0);
}
END_TEST

/* As a start would not have it either. */
START_TEST(unsafe_directory_in_its_place_is_not_used)
{
	struct service service;

	start(&service, UXS_STREAM);
	ck_assert_int_eq(rename("dir", "away"), 0);
	ck_assert_int_eq(mkdir("open", 0755), 0);
	ck_assert_int_eq(chmod("open", 0777), 0);
	ck_assert_int_eq(rename("open", "dir"), 0);

	service_logs(&service, "sticky");

	ck_assert(!is_there("dir/s"));
	ck_assert_int_eq(chmod("dir", 0755), 0);
	is_made_anew(&service, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* Both are looked for while the working directory is another. */
START_TEST(relative_path_is_that_of_the_start)
{
	static const char *const arguments[] = { "uxecho", "--daemon",
		"--pidfile", "pid", "stream:dir/s", "dgram:dir/d", NULL };
	struct output_of result;
	char text[16] = "";
	int fd;
	pid_t pid;

	ck_assert_int_eq(mkdir("dir", 0755), 0);
	run_program(&result, arguments);
	ck_assert_int_eq(result.status, 0);
	fd = open("pid", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	pid = (pid_t)strtol(text, NULL, 10);

	ck_assert_int_eq(unlink("dir/s"), 0);
	ck_assert_int_eq(unlink("dir/d"), 0);

	while (!is_there("dir/s") || !is_there("dir/d"))
		ck_assert_int_eq(kill(pid, 0), 0);
	serves(UXS_STREAM);
	serves(UXS_DGRAM);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	while (is_there("pid")) /* no child of ours */
		;
	ck_assert(!is_there("dir/s"));
}
END_TEST

START_TEST(removed_lock_is_made_anew)
{
	const char *const arguments[] = { "uxecho", typed[_i], NULL };
	struct output_of result;
	struct service service;

	start(&service, TYPE);

	ck_assert_int_eq(unlink(locks[_i]), 0);

	service_logs(&service, "lock file was removed; it was made anew");
	run_program(&result, arguments);
	ck_assert_int_eq(result.status, 69);
	ck_assert_ptr_nonnull(strstr(result.err, "live server"));
	ck_assert_ptr_nonnull(strstr(result.err, "(pid"));
	serves(TYPE);
	stops_and_leaves(&service, 0);
}
END_TEST

START_TEST(changed_mode_is_told_and_left_so)
{
	struct service service;

	start(&service, TYPE);

	ck_assert_int_eq(chmod(paths[_i], 0666), 0);

	service_logs(&service, "the mode of the socket file from 0600 to 0666");
	ck_assert_uint_eq(mode_of(paths[_i]), 0666);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(paths[_i], OTHER_UID, OTHER_GID), 0);
		service_logs(&service, "from 0:0 to 1500:1500");
	}
	serves(TYPE);
	stops_and_leaves(&service, 0);
}
END_TEST

/* Who gave up root may not write there; when he may, he is told so by an
 * event of the directory itself. */
START_TEST(want_of_permission_is_told_and_tried_again)
{
	static const char *const arguments[] = { "--user", "1500:1500",
		"stream:dir/s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	service_start(&service, arguments);

	ck_assert_int_eq(unlink("dir/s"), 0);

	service_logs(&service, "cannot be made anew yet");
	ck_assert_int_eq(chown("dir", OTHER_UID, OTHER_GID), 0);
	service_logs(&service, "the socket was made anew");
	serves(UXS_STREAM);
	service_stop_clean(&service);
	ck_assert(!is_there("dir/s"));
}
END_TEST

/* ---- often, and in a storm ---- */

struct storm {
	int answered, missing, refused;
};

/* Told to end by a signal that waits: it must not interrupt anything. */
static bool
is_over(void)
{
	sigset_t pending;

	ck_assert_int_eq(sigpending(&pending), 0);
	return sigismember(&pending, SIGTERM) == 1;
}

/* Connects all the time; whoever got in must be answered. */
static void
be_storm(void *arg)
{
	const int *result_fd = arg;
	const char *path = harness_path("dir/s");
	struct storm storm = { .answered = 0 };

	while (!is_over()) {
		const int fd = client_try(UXS_STREAM, path);

		if (fd >= 0) {
			is_answered(fd);
			close(fd);
			storm.answered++;
		} else if (errno == ENOENT) {
			storm.missing++;
		} else {
			storm.refused++;
		}
	}
	ck_assert_int_eq(write(*result_fd, &storm, sizeof(storm)),
	    sizeof(storm));
}

#define N_REBINDS 200

START_TEST(many_losses_in_a_storm_leave_no_trace)
{
	struct service service;
	struct storm storm;
	int result[2], before[3], n_before;
	sigset_t term;
	pid_t pid;

	start(&service, UXS_STREAM);
	for (int i = 0; i < N_OF(before); i++) {
		before[i] = dial(UXS_STREAM);
		is_answered(before[i]);
	}
	n_before = count_descriptors_of(service.pid);
	ck_assert_int_eq(pipe2(result, O_CLOEXEC), 0);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &term, NULL), 0);
	pid = start_child(be_storm, &result[1]);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &term, NULL), 0);

	for (int i = 0; i < N_REBINDS; i++) {
		ck_assert_int_eq(unlink("dir/s"), 0);
		service_logs(&service, "the socket was made anew");
		serves(UXS_STREAM);
	}

	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);
	ck_assert_int_eq(read(result[0], &storm, sizeof(storm)), sizeof(storm));
	ck_assert_int_gt(storm.answered, 0);
	/* Who found the old file, and slept until after the grace. */
	ck_assert_int_le(storm.refused, 2);
	service_settles(&service, UXS_STREAM, harness_path("dir/s"), n_before);
	for (int i = 0; i < N_OF(before); i++)
		is_still_served(before[i], UXS_STREAM);
	service_counts(&service, "made anew 200 times");
	stops_and_leaves(&service, 0);
	close(result[0]);
	close(result[1]);
}
END_TEST

#define N_BUSY 10000

static void
make_and_remove_files(void)
{
	for (int i = 0; i < N_BUSY; i++) {
		const int fd =
		    open("dir/busy", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_ge(fd, 0);
		close(fd);
		ck_assert_int_eq(unlink("dir/busy"), 0);
	}
}

static int
count_looks(void)
{
	FILE *file = fopen("trace", "r");
	char line[1024];
	int n = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, "stat") != NULL ||
		    strstr(line, "openat") != NULL;
	fclose(file);
	return n;
}

/* Ten thousand events: read in batches, and nothing is looked at. */
START_TEST(busy_directory_costs_little)
{
	struct service service;
	struct trace trace;
	struct cost cost;

	start(&service, UXS_STREAM);
	if (trace_start(&trace, service.pid)) {
		make_and_remove_files();
		serves(UXS_STREAM);
		trace_stop(&trace);

		cost = read_trace();

		ck_assert_int_lt(cost.waits, N_BUSY / 4);
		ck_assert_int_lt(cost.others, N_BUSY / 2);
		ck_assert_int_eq(count_looks(), 0);
	}
	/* The queue of events may have overflowed. */
	ck_assert_int_eq(unlink("dir/s"), 0);
	is_made_anew(&service, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* Nobody else's, as the limit is per user. */
#define HOARDER_UID 1502
#define HOARD_MAX 20000

/* All inotify instances that a user may have; returns how many. */
static int
hoard_instances(int fds[HOARD_MAX])
{
	int n = 0;

	allow_many_descriptors();
	ck_assert_int_eq(setresuid((uid_t)-1, HOARDER_UID, (uid_t)-1), 0);
	while (n < HOARD_MAX && (fds[n] = inotify_init1(IN_CLOEXEC)) >= 0)
		n++;
	ck_assert_int_eq(setresuid((uid_t)-1, 0, (uid_t)-1), 0);
	return n;
}

START_TEST(without_inotify_it_is_noticed_later)
{
	static const char *const arguments[] = { "--user", "1502:1502",
		"stream:dir/s", NULL };
	int fds[HOARD_MAX];
	struct service service;
	struct rlimit limit;
	int n;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(chown("dir", HOARDER_UID, HOARDER_UID), 0);
	n = hoard_instances(fds);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (n == HOARD_MAX || (rlim_t)n + 20 > limit.rlim_cur) {
		close_all(fds, n);
		skip("the limit of inotify instances is too high");
		return;
	}
	service_start_as(&service, HOARDER_UID, HOARDER_UID, arguments + 2);
	close_all(fds, n);

	service_logs(&service, "cannot be watched (Too many open files)");
	ck_assert_int_eq(unlink("dir/s"), 0);

	is_made_anew(&service, UXS_STREAM);
	stops_and_leaves(&service, 0);
}
END_TEST

/* ---- exit, ignore ---- */

START_TEST(exit_answers_all_and_ends_with_73)
{
	const char *const arguments[] = { "--on-lost", "exit", typed[_i],
		NULL };
	struct service service;
	int fd;

	ck_assert_int_eq(mkdir("dir", 0755), 0);
	service_start(&service, arguments);
	fd = dial(TYPE);
	is_answered(fd);
	pause_service(&service);
	SAYS(fd, "before");
	ck_assert_int_eq(unlink(paths[_i]), 0);

	resume(&service);

	HEARS(fd, "before");
	if (TYPE != UXS_DGRAM)
		client_hears_end(fd);
	close(fd);
	service_logs(&service, "stopped, as on-lost is exit");
	ck_assert_int_eq(wait_child(service.pid), 73);
	close(service.stderr_fd);
	ck_assert(!is_there(paths[_i]) && !is_there(locks[_i]));
}
END_TEST

static int
count_inotify(pid_t pid)
{
	char path[320], target[64];
	struct dirent *entry;
	DIR *directory;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	ck_assert_ptr_nonnull(directory = opendir(path));
	while ((entry = readdir(directory)) != NULL) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%ld/fd/%s", (long)pid,
		    entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		n += strstr(target, "inotify") != NULL;
	}
	closedir(directory);
	return n;
}

/* What has no file, or is to be ignored, is not watched. */
static const struct {
	const char *arguments[4];
	int n;
} watched[] = {
	{ { "stream:dir/s", "dgram:dir/d", NULL }, 1 },
	{ { "-L", "ignore", "stream:dir/s", NULL }, 0 },
	{ { "-a", "any", "@uxecho-check-lost", NULL }, 0 },
};

START_TEST(one_descriptor_watches_what_can_be_lost)
{
	struct service service;

	ck_assert_int_eq(mkdir("dir", 0755), 0);
	service_start(&service, watched[_i].arguments);

	ck_assert_int_eq(count_inotify(service.pid), watched[_i].n);

	service_stop_clean(&service);
}
END_TEST

START_TEST(ignored_loss_changes_nothing)
{
	static const char *const arguments[] = { "-L", "ignore", "stream:dir/s",
		NULL };
	struct service service;
	int fd;

	ck_assert_int_eq(mkdir("dir", 0755), 0);
	service_start(&service, arguments);
	fd = dial(UXS_STREAM);
	ck_assert_int_eq(link("dir/s", "dir/other"), 0);

	ck_assert_int_eq(unlink("dir/s"), 0);

	is_answered(fd);
	close(fd);
	fd = client_connect(UXS_STREAM, harness_path("dir/other"));
	is_answered(fd);
	close(fd);
	stops_and_leaves(&service, 0);
}
END_TEST

/* ---- the suite ---- */

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)

static void
add_file_cases(Suite *suite)
{
	TCase *files = harness_case(suite, "files");

	LOOP(files, removed_socket_is_made_anew, ALL_TYPES);
	LOOP(files, moved_socket_is_made_anew_and_left_where_it_is, ALL_TYPES);
	LOOP(files, file_in_the_way_is_left_alone_until_it_is_gone, ALL_TYPES);
	LOOP(files, file_that_is_still_in_the_way_at_the_stop_stays, ALL_TYPES);
	LOOP(files, dead_socket_in_its_place_is_replaced, ALL_TYPES);
	LOOP(files, live_server_in_its_place_is_never_fought_over, 0,
	    N_OF(removals));
	tcase_add_test(files, successor_serves_until_it_stops);
	tcase_add_test(files, who_waits_at_the_lost_socket_is_let_in);
	tcase_add_test(files, every_datagram_that_was_taken_is_answered);
}

static void
add_around_cases(Suite *suite)
{
	TCase *around = harness_case(suite, "around it");

	LOOP(around, directory_that_was_made_again_is_found, ALL_TYPES);
	LOOP(around, directory_that_was_moved_away_keeps_nothing_of_ours,
	    ALL_TYPES);
	tcase_add_test(around, unsafe_directory_in_its_place_is_not_used);
	tcase_add_test(around, relative_path_is_that_of_the_start);
	LOOP(around, removed_lock_is_made_anew, ALL_TYPES);
	LOOP(around, changed_mode_is_told_and_left_so, ALL_TYPES);
	tcase_add_test(around, want_of_permission_is_told_and_tried_again);
}

Suite *
suite_uxecho_lost(void)
{
	Suite *suite = suite_create("uxecho lost");
	TCase *often, *other;

	add_file_cases(suite);
	add_around_cases(suite);
	often = harness_case(suite, "often");
	tcase_add_test(often, many_losses_in_a_storm_leave_no_trace);
	tcase_add_test(often, busy_directory_costs_little);
	tcase_add_test(often, without_inotify_it_is_noticed_later);
	other = harness_case(suite, "other ways");
	LOOP(other, exit_answers_all_and_ends_with_73, ALL_TYPES);
	LOOP(other, one_descriptor_watches_what_can_be_lost, 0, N_OF(watched));
	tcase_add_test(other, ignored_loss_changes_nothing);
	return suite;
}
