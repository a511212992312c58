/* SPDX-License-Identifier: ISC */
/*
 * From its command line to its end: what the real binary does to the place
 * where its socket is, and what it says when it cannot (promises 1, 2 and 7).
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TYPE ((enum uxs_type)_i)
#define ALL_TYPES 0, 3

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };
static const char *const typed[UXS_N_TYPES] = { "stream:s", "seqpacket:q",
	"dgram:d" };
static const char *const all_three[] = { "stream:s", "seqpacket:q", "dgram:d",
	NULL };

/* ---- the language of this file ---- */

static struct output_of result;

#define ARGS_MAX 8

/* Run uxecho with these arguments, and those in front of them. */
static void
run_uxecho(const char *first, const char *const arguments[])
{
	const char *argv[ARGS_MAX + 3] = { "uxecho" };
	int n = 1;

	if (first != NULL)
		argv[n++] = first;
	for (int i = 0; i < ARGS_MAX && arguments[i] != NULL; i++)
		argv[n++] = arguments[i];
	run_program(&result, argv);
}

/* It ended so, with one line that contains the words. */
static void
it_failed(int status, const char *words)
{
	const size_t n = strlen(result.err);

	ck_assert_msg(result.status == status, "%d instead of %d: %s",
	    result.status, status, result.err);
	ck_assert_msg(strncmp(result.err, "uxecho: ", 8) == 0, "%s",
	    result.err);
	ck_assert_msg(strstr(result.err, words) != NULL, "no \"%s\" in: %s",
	    words, result.err);
	ck_assert_ptr_eq(strchr(result.err, '\n'), result.err + n - 1);
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
serves(enum uxs_type type, const char *path)
{
	const int fd = client_connect(type, path);

	is_answered(fd);
	close(fd);
}

static ino_t
inode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_ino;
}

static void
make_file(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "precious", 8), 8);
	close(fd);
}

static void
make_directory(const char *path, mode_t mode)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Somebody else's server: bound, and what more a test wants. */
static int
foreign_server(enum uxs_type type, const char *path)
{
	const int fd = socket(AF_UNIX, uxs_type_socket(type) | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
	return fd;
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
terminate(const struct service *service)
{
	ck_assert_int_eq(kill(service->pid, SIGTERM), 0);
}

static void
resume(const struct service *service)
{
	ck_assert_int_eq(kill(service->pid, SIGCONT), 0);
}

static void
ended_clean(struct service *service)
{
	ck_assert_int_eq(wait_child(service->pid), 0);
	close(service->stderr_fd);
}

/* ---- it cannot start ---- */

#define N16 "sixteen-letters-"
#define N256 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16 N16

static const struct {
	int status;
	const char *words;
	const char *arguments[ARGS_MAX];
} failures[] = {
	{ 64, "no address", { NULL } },
	{ 64, "unknown option '--frobnicate'", { "--frobnicate", "s" } },
	{ 64, "--max-conns '0'", { "--max-conns", "0", "s" } },
	{ 64, "--backlog '2147483648'", { "-B", "2147483648", "s" } },
	{ 64, "--ready-fd 99", { "--ready-fd", "99", "s" } },
	{ 64, "is empty", { "" } },
	{ 64, "names a directory", { "dir/" } },
	{ 64, "names a directory", { "." } },
	{ 64, "unknown type", { "steam:s" } },
	{ 64, "too long", { N256 } },
	{ 64, "no such user", { "--owner", "no-such-user", "s" } },
	{ 64, "no such group", { "--owner", ":no-such-group", "s" } },
	{ 64, "no such user", { "--allow", "user:no-such-user", "s" } },
	{ 64, "no such group", { "--deny", "group:no-such-group", "s" } },
	{ 64, "twice", { "s", "stream:s" } },
	{ 64, "--allow", { "@uxecho-check" } },
	{ 73, "missing does not exist", { "missing/deeper/s" } },
	{ 73, "./missing does not exist", { "dgram:./missing/s" } },
	{ 73, "file is not a directory", { "file/s" } },
	{ 73, "missing does not exist", { "stream:s", "missing/s" } },
	{ 73, "a regular file", { "file" } },
	{ 73, "a directory", { "dir" } },
	{ 73, "a fifo", { "fifo" } },
	{ 73, "a symbolic link", { "link" } },
	{ 73, "a symbolic link", { "dangling" } },
	{ 73, "a regular file", { "stream:s", "seqpacket:file" } },
	{ 77, "sticky", { "open/s" } },
	{ 77, "sticky", { "dgram:open/s" } },
};

static void
prepare_obstacles(void)
{
	make_file("file");
	make_directory("dir", 0755);
	make_directory("open", 0777);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("nothing", "dangling"), 0);
}

static void
obstacles_are_untouched(void)
{
	char text[16] = "";
	const int fd = open("link", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(count_files(), 6);
	ck_assert_int_eq(read(fd, text, sizeof(text) - 1), 8);
	ck_assert_str_eq(text, "precious");
	close(fd);
	ck_assert_int_eq(access("nothing", F_OK), -1);
	ck_assert_int_eq(rmdir("dir"), 0);
	ck_assert_int_eq(rmdir("open"), 0);
}

START_TEST(failure_to_start_is_one_line_and_touches_nothing)
{
	prepare_obstacles();

	run_uxecho(NULL, failures[_i].arguments);

	it_failed(failures[_i].status, failures[_i].words);
	ck_assert_str_eq(result.out, "");
	obstacles_are_untouched();
}
END_TEST

START_TEST(check_fails_as_starting_would)
{
	prepare_obstacles();

	run_uxecho("--check", failures[_i].arguments);

	it_failed(failures[_i].status, failures[_i].words);
	obstacles_are_untouched();
}
END_TEST

/* What the lock would say, and the owner: --check must say it too. */
static char check_option[] = "--check";
static char *const ways[] = { NULL, check_option };

START_TEST(directory_in_place_of_the_lock_is_73)
{
	static const char *const arguments[] = { "stream:s", NULL };

	make_directory("s.lock", 0755);

	run_uxecho(ways[_i], arguments);

	it_failed(73, "s.lock");
	ck_assert_int_eq(rmdir("s.lock"), 0);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* Whoever can read it could lock it. */
START_TEST(lock_file_that_others_can_read_is_77)
{
	static const char *const arguments[] = { "stream:s", NULL };

	make_file("s.lock");

	run_uxecho(ways[_i], arguments);

	it_failed(77, "s.lock");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

static void
cannot_give_away(void *option)
{
	static const char *const arguments[] = { "--owner", "root",
		"stream:dir/s", NULL };

	run_uxecho(option, arguments);
	it_failed(77, "owner");
}

START_TEST(owner_that_only_root_may_set_is_77)
{
	SKIP_UNLESS_ROOT();
	make_directory("dir", 0755);
	ck_assert_int_eq(chown("dir", OTHER_UID, OTHER_GID), 0);

	as_user(OTHER_UID, OTHER_GID, cannot_give_away, ways[_i]);

	ck_assert_int_eq(rmdir("dir"), 0);
}
END_TEST

static const char *const pair_s[] = { "dir/s", NULL };

static void
cannot_write_there(void *option)
{
	run_uxecho(option, pair_s);
	it_failed(77, "not writable");
}

START_TEST(directory_that_is_not_writable_is_77)
{
	SKIP_UNLESS_ROOT();
	make_directory("dir", 0755);

	as_user(OTHER_UID, OTHER_GID, cannot_write_there, ways[_i]);

	ck_assert_int_eq(rmdir("dir"), 0);
}
END_TEST

static void
cannot_search_there(void *arg)
{
	static const char *const below[] = { "dir/sub/s", NULL };

	run_uxecho(NULL, below);
	it_failed(77, "dir may not be searched");
}

START_TEST(directory_that_may_not_be_searched_is_77)
{
	SKIP_UNLESS_ROOT();
	make_directory("dir", 0700);
	make_directory("dir/sub", 0777);

	as_user(OTHER_UID, OTHER_GID, cannot_search_there, NULL);
}
END_TEST

START_TEST(directory_of_a_stranger_is_77)
{
	SKIP_UNLESS_ROOT();
	make_directory("dir", 0755);
	ck_assert_int_eq(chown("dir", OTHER_UID, OTHER_GID), 0);

	run_uxecho(NULL, pair_s);

	it_failed(77, "owned by uid 1500");
	ck_assert_int_eq(rmdir("dir"), 0);
}
END_TEST

START_TEST(force_dir_accepts_an_unsafe_directory_and_warns)
{
	static const char *const arguments[] = { "--force-dir", "stream:open/s",
		NULL };
	struct service service;

	make_directory("open", 0777);

	service_start(&service, arguments);

	service_logs(&service, "sticky");
	serves(UXS_STREAM, harness_path("open/s"));
	service_stop_clean(&service);
	ck_assert_int_eq(rmdir("open"), 0);
}
END_TEST

START_TEST(sticky_directory_is_accepted)
{
	static const char *const arguments[] = { "stream:sticky/s", NULL };
	struct service service;

	make_directory("sticky", 01777);

	service_start(&service, arguments);

	serves(UXS_STREAM, harness_path("sticky/s"));
	service_stop_clean(&service);
}
END_TEST

/* ---- somebody is there ---- */

static void
names_the_holder(const struct service *holder)
{
	char words[64];

	snprintf(words, sizeof(words),
	    "live server holds this address (pid "
	    "%ld, user ",
	    (long)holder->pid);
	it_failed(69, words);
}

START_TEST(second_server_is_69_and_the_first_never_notices)
{
	const char *const arguments[] = { typed[_i], NULL };
	struct service first;
	ino_t before;
	int fd;

	service_start(&first, all_three);
	before = inode_of(paths[_i]);
	fd = dial(TYPE);

	run_uxecho(NULL, arguments);

	names_the_holder(&first);
	ck_assert_uint_eq(inode_of(paths[_i]), before);
	is_answered(fd);
	serves(TYPE, harness_path(paths[_i]));
	close(fd);
	service_stop_clean(&first);
}
END_TEST

START_TEST(check_sees_a_live_server)
{
	const char *const arguments[] = { typed[_i], NULL };
	struct service first;

	service_start(&first, all_three);

	run_uxecho("--check", arguments);

	it_failed(69, "live server holds this address");
	service_stop_clean(&first);
}
END_TEST

START_TEST(second_server_of_an_abstract_name_is_69)
{
	char name[64];
	const char *const arguments[] = { "--allow", "self", name, NULL };
	struct service first;

	snprintf(name, sizeof(name), "stream:@uxecho-check-%ld",
	    (long)getpid());
	service_start(&first, arguments);

	run_uxecho(ways[_i], arguments);

	it_failed(69, "live server holds this");
	serves(UXS_STREAM, name + strlen("stream:"));
	service_stop_clean(&first);
}
END_TEST

static void
cannot_replace_root(void *option)
{
	static const char *const arguments[] = { "stream:sticky/s", NULL };

	run_uxecho(option, arguments);
	it_failed(69, "live server holds this address");
}

START_TEST(server_of_another_user_is_69)
{
	static const char *const arguments[] = { "-m", "0666",
		"stream:sticky/s", NULL };
	struct service first;

	SKIP_UNLESS_ROOT();
	make_directory("sticky", 01777);
	service_start(&first, arguments);

	as_user(OTHER_UID, OTHER_GID, cannot_replace_root, NULL);

	serves(UXS_STREAM, harness_path("sticky/s"));
	service_stop_clean(&first);
}
END_TEST

/* What a foreign server of a type can be. */
enum foreign { BOUND, LISTENING, FULL };

static const struct {
	enum uxs_type type;
	enum foreign state;
} foreigners[] = {
	{ UXS_STREAM, BOUND },
	{ UXS_STREAM, LISTENING },
	{ UXS_STREAM, FULL },
	{ UXS_SEQPACKET, BOUND },
	{ UXS_SEQPACKET, LISTENING },
	{ UXS_SEQPACKET, FULL },
	{ UXS_DGRAM, BOUND },
	{ UXS_DGRAM, FULL },
};

/* Fill its queue; the last that does not fit says so. */
static int
fill_queue(enum uxs_type type, int clients[], int max)
{
	int n = 0;

	if (type == UXS_DGRAM) {
		clients[n++] = client_connect(type, harness_path("x"));
		while (send(clients[0], "full", 4, MSG_DONTWAIT) == 4)
			;
		return n;
	}
	while (n < max) {
		struct sockaddr_un sa;
		socklen_t length;
		const int fd = socket(AF_UNIX,
		    uxs_type_socket(type) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		uxs_sockaddr_from_path(&sa, &length, "x");
		clients[n++] = fd;
		if (connect(fd, (struct sockaddr *)&sa, length) < 0)
			break;
	}
	ck_assert_int_lt(n, max);
	return n;
}

START_TEST(foreign_live_server_is_69_and_never_taken_over)
{
	const enum uxs_type type = foreigners[_i].type;
	const enum foreign state = foreigners[_i].state;
	const int server = foreign_server(type, "x");
	const ino_t before = inode_of("x");
	int clients[8], n = 0, n_files;

	if (state != BOUND && type != UXS_DGRAM)
		ck_assert_int_eq(listen(server, 2), 0);
	if (state == FULL)
		n = fill_queue(type, clients, 8);
	n_files = count_files();

	for (int ours = 0; ours < UXS_N_TYPES; ours++) {
		char address[32];
		const char *const arguments[] = { address, NULL };

		snprintf(address, sizeof(address), "%s:x",
		    uxs_type_name((enum uxs_type)ours));
		run_uxecho(NULL, arguments);
		it_failed(69, "live server holds this address");
		run_uxecho("--check", arguments);
		it_failed(69, "live server holds this address");
	}

	ck_assert_uint_eq(inode_of("x"), before);
	ck_assert_int_eq(count_files(), n_files);
	while (n > 0)
		close(clients[--n]);
	close(server);
}
END_TEST

/* ---- two at once ---- */

#define N_STARTERS 6

struct starter {
	pid_t pid;
	int ready_fd;
};

static void
exec_starter(const int ready[2])
{
	char number[16];
	const int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	fcntl(ready[1], F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", ready[1]);
	execl(program("uxecho"), "uxecho", "--ready-fd", number, "s",
	    (char *)NULL);
	_exit(127);
}

static void
start_one(struct starter *starter)
{
	int ready[2];

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	fflush(NULL);
	starter->pid = fork();
	ck_assert_int_ge(starter->pid, 0);
	if (starter->pid == 0)
		exec_starter(ready);
	close(ready[1]);
	starter->ready_fd = ready[0];
}

/* Returns whether it serves. */
static bool
is_ready(struct starter *starter)
{
	char newline;
	const bool serves_now = read(starter->ready_fd, &newline, 1) == 1;

	close(starter->ready_fd);
	if (!serves_now)
		ck_assert_int_eq(wait_child(starter->pid), 69);
	return serves_now;
}

START_TEST(of_several_starters_exactly_one_serves)
{
	struct starter starters[N_STARTERS], winner = { 0 };
	int n = 0;

	close(foreign_server(UXS_STREAM, "s")); /* a dead one, to fight for */

	for (int i = 0; i < N_STARTERS; i++)
		start_one(&starters[i]);
	for (int i = 0; i < N_STARTERS; i++) {
		if (is_ready(&starters[i])) {
			winner = starters[i];
			n++;
		}
	}

	ck_assert_int_eq(n, 1);
	serves(UXS_STREAM, harness_path("s"));
	ck_assert_int_eq(kill(winner.pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(winner.pid), 0);
	ck_assert_int_eq(access("s", F_OK), -1);
}
END_TEST

/* ---- it starts ---- */

START_TEST(socket_of_a_killed_server_is_recovered)
{
	struct service service;

	service_start(&service, all_three);
	ck_assert_int_eq(service_stop(&service, SIGKILL), 128 + SIGKILL);
	ck_assert_int_eq(access(paths[_i], F_OK), 0);

	service_start(&service, all_three);

	serves(TYPE, harness_path(paths[_i]));
	service_stop_clean(&service);
	ck_assert_int_eq(access(paths[_i], F_OK), -1);
	ck_assert_int_eq(access("s.lock", F_OK), -1);
}
END_TEST

START_TEST(ready_descriptor_gets_a_newline_and_is_closed)
{
	struct starter starter;
	char text[2];

	start_one(&starter);

	ck_assert_int_eq(read(starter.ready_fd, text, sizeof(text)), 1);
	ck_assert_int_eq(text[0], '\n');
	ck_assert_int_eq(read(starter.ready_fd, text, sizeof(text)), 0);
	serves(UXS_STREAM, harness_path("s"));
	serves(UXS_DGRAM, harness_path("s.dgram"));
	close(starter.ready_fd);
	ck_assert_int_eq(kill(starter.pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(starter.pid), 0);
}
END_TEST

static const struct {
	mode_t umask;
	const char *arguments[ARGS_MAX];
	mode_t expect;
} modes[] = {
	{ 0, { "stream:s", NULL }, 0600 },
	{ 022, { "seqpacket:s", NULL }, 0600 },
	{ 0777, { "dgram:s", NULL }, 0600 },
	{ 0777, { "-m", "0660", "stream:s", NULL }, 0660 },
	{ 022, { "-m", "0666", "dgram:s", NULL }, 0666 },
	{ 0, { "-m", "0620", "stream:s", NULL }, 0620 },
	{ 0, { "-m", "0", "stream:s", NULL }, 0 },
	{ 077, { "--allow", "root", "stream:s", NULL }, 0666 },
	{ 0, { "--deny", "uid:1500", "stream:s", NULL }, 0600 },
	{ 077, { "-m", "0660", "-o", ":1501", "stream:s", NULL }, 0660 },
};

START_TEST(mode_is_exact_whatever_the_umask)
{
	struct service service;
	struct stat st, lock;

	if (modes[_i].expect == 0660)
		SKIP_UNLESS_ROOT();
	umask(modes[_i].umask);

	service_start(&service, modes[_i].arguments);

	ck_assert_int_eq(lstat("s", &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | modes[_i].expect);
	ck_assert_int_eq(lstat("s.lock", &lock), 0);
	ck_assert_uint_eq(lock.st_mode & 077, 0);
	service_stop_clean(&service);
}
END_TEST

START_TEST(owner_is_who_was_asked_for)
{
	static const char *const arguments[] = { "--owner", "1500:1501",
		"stream:s", NULL };
	struct service service;
	struct stat st;

	SKIP_UNLESS_ROOT();

	service_start(&service, arguments);

	ck_assert_int_eq(lstat("s", &st), 0);
	ck_assert_uint_eq(st.st_uid, 1500);
	ck_assert_uint_eq(st.st_gid, 1501);
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(several_addresses_are_served_by_one)
{
	static const char *const arguments[] = { "a", "./b", "seqpacket:q",
		NULL };
	struct service service;

	service_start(&service, arguments);

	serves(UXS_STREAM, harness_path("a"));
	serves(UXS_DGRAM, harness_path("a.dgram"));
	serves(UXS_STREAM, harness_path("b"));
	serves(UXS_DGRAM, harness_path("b.dgram"));
	serves(UXS_SEQPACKET, harness_path("q"));
	service_stop_clean(&service);
}
END_TEST

/* Longer than any sockaddr_un, in its directory or in its name. */
#define N112 N16 N16 N16 N16 N16 N16 N16
static const char *const long_paths[] = {
	"dir/" N112 "/" N112 "/" N16 N16 N16 N16 "/s",
	"dir/" N112 "/" N112 "/" N112,
};

static void
make_parents(const char *path)
{
	char directory[512];

	snprintf(directory, sizeof(directory), "%s", path);
	for (char *at = directory; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		make_directory(directory, 0755);
		*at = '/';
	}
}

START_TEST(path_of_300_bytes_is_served_and_removed)
{
	char address[512], link[64];
	const char *const arguments[] = { address, NULL };
	const char *path = long_paths[_i];
	struct service service;
	int pin;

	make_parents(path);
	ck_assert_uint_ge(strlen(path), 290);
	snprintf(address, sizeof(address), "stream:%s", path);

	service_start(&service, arguments);

	pin = open(path, O_PATH | O_CLOEXEC);
	ck_assert_int_ge(pin, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", pin);
	serves(UXS_STREAM, link);
	close(pin);
	service_stop_clean(&service);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(check_prints_the_plan_and_creates_nothing)
{
	static const char *const arguments[] = { "-m", "0640", "--allow",
		"uid:7-9", "s", NULL };
	static const char *const words[] = { "stream:s\n", "dgram:s.dgram\n",
		"mode 0640", "allow uid:7-9", "otherwise", "buffer: 64k",
		"backlog: 4096", "drain: 5s", "write-timeout: 30s" };

	run_uxecho("--check", arguments);

	ck_assert_int_eq(result.status, 0);
	ck_assert_str_eq(result.err, "");
	ck_assert_int_eq(count_files(), 0);
	for (int i = 0; i < N_OF(words); i++)
		ck_assert_msg(strstr(result.out, words[i]) != NULL,
		    "no \"%s\" in: %s", words[i], result.out);
}
END_TEST

START_TEST(help_and_version_need_no_address)
{
	static const char *const help[] = { "--help", NULL };
	static const char *const version[] = { "--version", NULL };

	run_uxecho(NULL, help);
	ck_assert_int_eq(result.status, 0);
	ck_assert_int_eq(strncmp(result.out, "usage: uxecho ", 14), 0);

	run_uxecho(NULL, version);
	ck_assert_int_eq(result.status, 0);
	ck_assert_str_eq(result.out, "uxecho " UXECHO_VERSION "\n");
	ck_assert_str_eq(result.err, "");
}
END_TEST

/* ---- its standard error ---- */

/* Start "uxecho -vv s" with this as its standard error; -1: none. */
static pid_t
start_with_stderr(int err)
{
	int ready[2];
	char number[16], newline;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		fcntl(ready[1], F_SETFD, 0);
		snprintf(number, sizeof(number), "%d", ready[1]);
		if (err < 0)
			close(STDERR_FILENO);
		else
			dup2(err, STDERR_FILENO);
		signal(SIGPIPE, SIG_DFL); /* or it would inherit it */
		execl(program("uxecho"), "uxecho", "-vv", "-R", number, "s",
		    (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &newline, 1), 1);
	close(ready[0]);
	return pid;
}

static void
serves_and_stops(pid_t pid)
{
	for (int i = 0; i < 30; i++)
		serves(UXS_STREAM, harness_path("s"));
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	serves(UXS_DGRAM, harness_path("s.dgram"));
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);
}

START_TEST(closed_stderr_does_not_become_a_socket)
{
	const pid_t pid = start_with_stderr(-1);
	char link[64], target[64] = "";

	snprintf(link, sizeof(link), "/proc/%ld/fd/2", (long)pid);
	ck_assert_int_gt(readlink(link, target, sizeof(target) - 1), 0);

	ck_assert_str_eq(target, "/dev/null");
	serves_and_stops(pid);
}
END_TEST

START_TEST(full_stderr_does_not_block)
{
	static const char block[4096];
	int err[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	pid = start_with_stderr(err[1]);
	fcntl(err[1], F_SETFL, O_NONBLOCK);
	while (write(err[1], block, sizeof(block)) > 0)
		;
	while (write(err[1], block, 1) > 0)
		;
	fcntl(err[1], F_SETFL, 0); /* it is the service's too */

	serves_and_stops(pid);

	close(err[0]);
	close(err[1]);
}
END_TEST

START_TEST(stderr_without_a_reader_does_not_end_it)
{
	int err[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	pid = start_with_stderr(err[1]);
	close(err[0]);
	close(err[1]);

	serves_and_stops(pid);
}
END_TEST

/* ---- it stops ---- */

static const int stop_signals[] = { SIGTERM, SIGINT };

START_TEST(stop_on_request_is_0_and_leaves_nothing)
{
	struct service service;
	int fds[UXS_N_TYPES];

	service_start(&service, all_three);
	for (int i = 0; i < UXS_N_TYPES; i++) {
		fds[i] = dial((enum uxs_type)i);
		is_answered(fds[i]);
	}
	make_file("keep");

	ck_assert_int_eq(service_stop(&service, stop_signals[_i]), 0);

	client_hears_end(fds[UXS_STREAM]);
	client_hears_end(fds[UXS_SEQPACKET]);
	for (int i = 0; i < UXS_N_TYPES; i++)
		close(fds[i]);
	ck_assert_int_eq(count_files(), 2); /* the client's own name too */
	ck_assert_int_eq(access("keep", F_OK), 0);
}
END_TEST

static const int harmless_signals[] = { SIGHUP, SIGUSR1, SIGPIPE };

START_TEST(other_signals_do_not_end_it)
{
	struct service service;
	int fd;

	service_start(&service, all_three);
	fd = dial(UXS_STREAM);

	ck_assert_int_eq(kill(service.pid, harmless_signals[_i]), 0);

	is_answered(fd);
	close(fd);
	service_stop_clean(&service);
}
END_TEST

/* As much as waits in the client's send buffer, and as messages. */
#define WAITING 150000
#define N_WAITING 8

static void
say_what_waits(int fd, enum uxs_type type, const char *data)
{
	if (type == UXS_STREAM) {
		client_says(fd, data, WAITING);
		return;
	}
	for (size_t i = 0; i < N_WAITING; i++)
		client_says(fd, data + i, 1000 * i);
}

static void
hear_what_waited(int fd, enum uxs_type type, const char *data)
{
	if (type == UXS_STREAM)
		client_hears(fd, data, WAITING);
	else {
		for (size_t i = 0; i < N_WAITING; i++)
			client_hears(fd, data + i, 1000 * i);
	}
	if (type != UXS_DGRAM)
		client_hears_end(fd);
}

/* What arrives while it is stopped is ready in the order of arrival: with the
 * signal behind the data it is served as ever, with the signal in front of it
 * it is the drain that must look for it. Loops: both orders of each type. */
#define BOTH_ORDERS(types) 2 * 0, 2 * (types)
#define ORDERED_TYPE ((enum uxs_type)(_i / 2))
#define IS_SIGNAL_FIRST (_i % 2 == 1)

START_TEST(what_was_received_before_the_stop_is_answered)
{
	char data[WAITING];
	struct service service;
	int fd;

	fill_random(data, sizeof(data), 37);
	service_start(&service, all_three);
	fd = dial(ORDERED_TYPE);
	is_answered(fd);
	pause_service(&service);
	if (IS_SIGNAL_FIRST)
		terminate(&service);
	say_what_waits(fd, ORDERED_TYPE, data);
	if (!IS_SIGNAL_FIRST)
		terminate(&service);

	resume(&service);

	hear_what_waited(fd, ORDERED_TYPE, data);
	ended_clean(&service);
	close(fd);
}
END_TEST

#define N_BACKLOGGED 40

START_TEST(who_waited_to_be_accepted_at_the_stop_is_served)
{
	struct service service;
	int fds[N_BACKLOGGED];

	service_start(&service, all_three);
	pause_service(&service);
	if (IS_SIGNAL_FIRST)
		terminate(&service);
	for (int i = 0; i < N_BACKLOGGED; i++) {
		fds[i] = dial(ORDERED_TYPE);
		SAYS(fds[i], "in time?");
	}
	if (!IS_SIGNAL_FIRST)
		terminate(&service);

	resume(&service);

	for (int i = 0; i < N_BACKLOGGED; i++) {
		HEARS(fds[i], "in time?");
		client_hears_end(fds[i]);
		close(fds[i]);
	}
	ended_clean(&service);
}
END_TEST

/* More than all buffers hold: it is still answering when it has to stop. */
static int
dial_and_never_read(void)
{
	static const char data[400 * 1024];
	const int fd = dial(UXS_STREAM);

	client_says(fd, data, sizeof(data));
	return fd;
}

START_TEST(client_that_never_reads_ends_with_the_drain_time)
{
	static const char *const arguments[] = { "--drain", "50ms", "stream:s",
		NULL };
	struct service service;
	int fd;

	service_start(&service, arguments);
	fd = dial_and_never_read();

	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);

	service_logs(&service, "drain time is over");
	ended_clean(&service);
	ck_assert_int_eq(count_files(), 0);
	close(fd);
}
END_TEST

START_TEST(who_comes_after_the_stop_is_refused)
{
	static const char *const arguments[] = { "--drain", "1h", "stream:s",
		NULL };
	struct service service;
	int fd, late, n = 0;

	service_start(&service, arguments);
	fd = dial_and_never_read(); /* so that it stays */
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);

	while ((late = client_try(UXS_STREAM, harness_path("s"))) >= 0) {
		close(late);
		ck_assert_int_lt(n++, 100000);
	}

	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	ended_clean(&service);
}
END_TEST

START_TEST(second_signal_stops_at_once)
{
	static const char *const arguments[] = { "--drain", "1h", "stream:s",
		NULL };
	struct service service;
	int fd;

	service_start(&service, arguments);
	fd = dial_and_never_read();
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
	service_logs(&service, "draining");

	ck_assert_int_eq(service_stop(&service, stop_signals[_i]), 0);

	ck_assert_int_eq(count_files(), 0);
	close(fd);
}
END_TEST

START_TEST(file_that_replaced_ours_is_left_alone)
{
	struct service service;
	ino_t file, other;
	int fd;

	service_start(&service, all_three);
	ck_assert_int_eq(rename("s", "moved"), 0);
	make_file("s");
	file = inode_of("s");
	ck_assert_int_eq(unlink("d"), 0);
	fd = foreign_server(UXS_DGRAM, "d");
	other = inode_of("d");

	service_stop_clean(&service);

	ck_assert_uint_eq(inode_of("s"), file);
	ck_assert_uint_eq(inode_of("d"), other);
	ck_assert_int_eq(count_files(), 3);
	close(fd);
}
END_TEST

/* ---- the suite ---- */

#define LOOP(tcase, test, ...) tcase_add_loop_test(tcase, test, __VA_ARGS__)

static void
add_start_cases(Suite *suite)
{
	TCase *failing = harness_case(suite, "failing");
	TCase *unsafe = harness_case(suite, "unsafe");
	TCase *taken = harness_case(suite, "taken");

	LOOP(failing, failure_to_start_is_one_line_and_touches_nothing, 0,
	    N_OF(failures));
	LOOP(failing, check_fails_as_starting_would, 0, N_OF(failures));
	LOOP(failing, directory_in_place_of_the_lock_is_73, 0, N_OF(ways));
	LOOP(failing, lock_file_that_others_can_read_is_77, 0, N_OF(ways));
	LOOP(failing, owner_that_only_root_may_set_is_77, 0, N_OF(ways));
	LOOP(unsafe, directory_that_is_not_writable_is_77, 0, N_OF(ways));
	tcase_add_test(unsafe, directory_that_may_not_be_searched_is_77);
	tcase_add_test(unsafe, directory_of_a_stranger_is_77);
	tcase_add_test(unsafe, force_dir_accepts_an_unsafe_directory_and_warns);
	tcase_add_test(unsafe, sticky_directory_is_accepted);
	LOOP(taken, second_server_is_69_and_the_first_never_notices, ALL_TYPES);
	LOOP(taken, check_sees_a_live_server, ALL_TYPES);
	LOOP(taken, second_server_of_an_abstract_name_is_69, 0, N_OF(ways));
	tcase_add_test(taken, server_of_another_user_is_69);
	LOOP(taken, foreign_live_server_is_69_and_never_taken_over, 0,
	    N_OF(foreigners));
	LOOP(taken, of_several_starters_exactly_one_serves, 0, 10);
}

static void
add_serving_cases(Suite *suite)
{
	TCase *serving = harness_case(suite, "serving");
	TCase *log = harness_case(suite, "standard error");

	LOOP(serving, socket_of_a_killed_server_is_recovered, ALL_TYPES);
	tcase_add_test(serving, ready_descriptor_gets_a_newline_and_is_closed);
	LOOP(serving, mode_is_exact_whatever_the_umask, 0, N_OF(modes));
	tcase_add_test(serving, owner_is_who_was_asked_for);
	tcase_add_test(serving, several_addresses_are_served_by_one);
	LOOP(serving, path_of_300_bytes_is_served_and_removed, 0,
	    N_OF(long_paths));
	tcase_add_test(serving, check_prints_the_plan_and_creates_nothing);
	tcase_add_test(serving, help_and_version_need_no_address);
	tcase_add_test(log, closed_stderr_does_not_become_a_socket);
	tcase_add_test(log, full_stderr_does_not_block);
	tcase_add_test(log, stderr_without_a_reader_does_not_end_it);
}

Suite *
suite_uxecho_life(void)
{
	Suite *suite = suite_create("uxecho life");
	TCase *stopping;

	add_start_cases(suite);
	add_serving_cases(suite);
	stopping = harness_case(suite, "stopping");
	LOOP(stopping, stop_on_request_is_0_and_leaves_nothing, 0,
	    N_OF(stop_signals));
	LOOP(stopping, other_signals_do_not_end_it, 0, N_OF(harmless_signals));
	LOOP(stopping, what_was_received_before_the_stop_is_answered,
	    BOTH_ORDERS(3));
	LOOP(stopping, who_waited_to_be_accepted_at_the_stop_is_served,
	    BOTH_ORDERS(2));
	tcase_add_test(stopping,
	    client_that_never_reads_ends_with_the_drain_time);
	tcase_add_test(stopping, who_comes_after_the_stop_is_refused);
	LOOP(stopping, second_signal_stops_at_once, 0, N_OF(stop_signals));
	tcase_add_test(stopping, file_that_replaced_ours_is_left_alone);
	return suite;
}
