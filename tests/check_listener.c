/* SPDX-License-Identifier: ISC */
/*
 * How a listener gets its name: modes, owners, paths, and what it does about
 * things and servers that are there already. What comes after is in
 * check_listener_serving.c.
 */
#include "check_listener.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/peer.h>

#include "lib/socket_file.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- words ---- */

static struct uxs_listener_conf
conf_with(const struct uxs_address *address)
{
	return (struct uxs_listener_conf){
		.address = address,
		.mode = 0600,
		.owner_uid = UXS_UID_NONE,
		.owner_gid = UXS_GID_NONE,
	};
}

struct uxs_listener_conf
conf_for(const char *address)
{
	static struct uxs_address kept[8][UXS_ADDRESS_MAX];
	static unsigned next;
	struct uxs_address *pair = kept[next++ % 8];

	ck_assert_int_eq(uxs_address_parse(address, pair, NULL), 1);
	return conf_with(&pair[0]);
}

struct uxs_listener_conf
conf_of(enum uxs_type type, const char *path)
{
	char address[PATH_MAX + 16];

	snprintf(address, sizeof(address), "%s:%s", uxs_type_name(type), path);
	return conf_for(address);
}

void
open_listener(struct uxs_listener *listener, const char *address)
{
	const struct uxs_listener_conf conf = conf_for(address);
	struct uxs_error why;

	if (uxs_listener_open(listener, &conf, &why) < 0)
		ck_abort_msg("cannot open %s: %s", address, why.text);
}

void
serve(struct uxs_listener *listener, const char *address)
{
	open_listener(listener, address);
	ck_assert_int_eq(uxs_listener_listen(listener, 16, NULL), 0);
}

void
refused(const struct uxs_listener_conf *conf, int expect,
    enum uxs_failure failure, struct uxs_error *why)
{
	struct uxs_listener listener;

	*why = (struct uxs_error){ .failure = UXS_FAILURE_NONE };
	int r = uxs_listener_open(&listener, conf, why);

	ck_assert_msg(r == expect, "%d (%s)", r, why->text);
	ck_assert_int_eq(why->failure, failure);
	ck_assert_int_eq(listener.fd, -1);
	ck_assert_int_eq(listener.lock.fd, -1);
}

/* ---- modes ---- */

static const mode_t modes[] = { 0600, 0660, 0666, 0620 };
static const mode_t umasks[] = { 0, 022, 0077 };

#define N_MODES 4
#define N_COMBINATIONS (N_MODES * 3 * UXS_N_TYPES)

/* Every combination of mode, umask and type has a number. */
struct combination {
	mode_t mode, umask;
	enum uxs_type type;
	bool is_given_away; /* to OTHER_UID and OTHER_GID */
};

static struct combination
combination_of(int i)
{
	return (struct combination){
		.mode = modes[i % N_MODES],
		.umask = umasks[i / N_MODES % 3],
		.type = (enum uxs_type)(i / N_MODES / 3 % UXS_N_TYPES),
		.is_given_away = i >= N_COMBINATIONS,
	};
}

static struct uxs_listener_conf
conf_of_combination(const struct combination *c)
{
	struct uxs_listener_conf conf = conf_of(c->type, "sock");

	conf.mode = c->mode;
	if (c->is_given_away) {
		conf.owner_uid = OTHER_UID;
		conf.owner_gid = OTHER_GID;
	}
	return conf;
}

START_TEST(mode_is_exact_under_any_umask)
{
	const struct combination c = combination_of(_i);
	const struct uxs_listener_conf conf = conf_of_combination(&c);
	struct uxs_listener listener;

	umask(c.umask);
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
	ck_assert_int_eq(mode_of("sock"), c.mode);
	ck_assert_int_eq(mode_of("sock.lock"), 0600);
	ck_assert_int_eq(uxs_listener_listen(&listener, 5, NULL), 0);

	ck_assert_int_eq(mode_of("sock"), c.mode);
	ck_assert_int_eq(umask(0), c.umask);
	uxs_listener_close(&listener);
}
END_TEST

static void
open_while_traced(void *arg)
{
	const struct combination *c = arg;
	const struct uxs_listener_conf conf = conf_of_combination(c);
	struct uxs_listener listener;

	umask(c->umask);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	raise(SIGSTOP);
	if (uxs_listener_open(&listener, &conf, NULL) < 0)
		_exit(2);
}

/* Look at every socket that is there, whatever it is called. Returns how many
 * there are. */
static int
assert_no_socket_is_too_open(const struct combination *c)
{
	DIR *list = opendir(".");
	struct dirent *entry;
	struct stat st;
	int n = 0;

	while ((entry = readdir(list)) != NULL) {
		if (lstat(entry->d_name, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;
		n++;
		ck_assert_msg((st.st_mode & 07777 & ~c->mode) == 0,
		    "mode %04o, not %04o", st.st_mode & 07777, c->mode);
		if (c->is_given_away && st.st_gid != OTHER_GID)
			ck_assert_int_eq(st.st_mode & 077, 0);
	}
	closedir(list);
	return n;
}

/* A child's mode cannot change but by one of its system calls: look before and
 * after each of them. */
START_TEST(at_no_instant_is_the_file_more_open)
{
	struct combination c = combination_of(_i);
	int status, n_seen = 0;
	pid_t pid;

	if (c.is_given_away)
		SKIP_UNLESS_ROOT();
	pid = start_child(open_while_traced, &c);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		skip("tracing is not allowed here");
		return;
	}
	while (WIFSTOPPED(status)) {
		n_seen += assert_no_socket_is_too_open(&c);
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_gt(n_seen, 1);
	ck_assert_int_eq(mode_of("sock"), c.mode);
}
END_TEST

START_TEST(the_file_goes_to_its_owner)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_listener listener;
	struct stat st;

	SKIP_UNLESS_ROOT();
	conf.owner_uid = _i & 1 ? OTHER_UID : UXS_UID_NONE;
	conf.owner_gid = _i & 2 ? OTHER_GID : UXS_GID_NONE;
	conf.mode = 0660;
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);

	ck_assert_int_eq(lstat("sock", &st), 0);
	ck_assert_uint_eq(st.st_uid, _i & 1 ? OTHER_UID : geteuid());
	ck_assert_uint_eq(st.st_gid, _i & 2 ? OTHER_GID : getegid());
	ck_assert_int_eq(mode_of("sock"), 0660);
	uxs_listener_close(&listener);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

static void
give_away(void *arg)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	conf.owner_uid = 0;
	refused(&conf, -EPERM, UXS_FAILURE_PERMISSION, &why);
}

START_TEST(who_may_not_give_it_away_leaves_nothing)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chown(".", OTHER_UID, OTHER_GID), 0);

	as_user(OTHER_UID, OTHER_GID, give_away, NULL);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- long paths ---- */

static const struct {
	size_t total, n_name;
} length_rows[] = {
	{ 106, 4 },
	{ 107, 4 },
	{ 108, 4 },
	{ 109, 4 },
	{ 300, 4 },
	{ 300, 80 },
	{ 300, 90 },
	{ 300, 200 },
	{ 3000, 250 },
};

/* An absolute path of so many bytes whose directories exist. */
static char *
make_long_path(char *path, size_t total, size_t n_name)
{
	size_t n = strlen(harness_path(""));

	strcpy(path, harness_path(""));
	while (n + n_name < total) {
		size_t left = total - n_name - n - 1;
		size_t n_directory = left > 101 ? 100 : left;

		memset(path + n, 'd', n_directory);
		path[n += n_directory] = '\0';
		ck_assert_int_eq(mkdir(path, 0755), 0);
		path[n++] = '/';
	}
	memset(path + n, 's', n_name);
	path[n + n_name] = '\0';
	ck_assert_uint_eq(strlen(path), total);
	return path;
}

static int
files_beside(const char *path)
{
	char directory[PATH_MAX];
	int n;

	snprintf(directory, sizeof(directory), "%s", path);
	*strrchr(directory, '/') = '\0';
	ck_assert_int_eq(chdir(directory), 0);
	n = count_files();
	ck_assert_int_eq(chdir(harness_path("")), 0);
	return n;
}

/* As a client does for whom sun_path is too short. */
static bool
is_reachable(const char *path, enum uxs_type type)
{
	struct uxs_place place;
	int fd = socket(AF_UNIX, uxs_type_socket(type) | SOCK_CLOEXEC, 0);
	int pin, r;

	ck_assert_int_eq(uxs_place_open(&place, path, NULL), 0);
	pin = uxs_place_pin(&place);
	r = uxs_pin_connect(pin, fd);
	close(pin);
	close(fd);
	uxs_place_close(&place);
	return r == 0;
}

START_TEST(a_path_of_any_length_works_and_leaves_nothing)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	const int row = _i / UXS_N_TYPES;
	struct uxs_listener_conf conf;
	struct uxs_listener listener;
	char path[PATH_MAX];

	make_long_path(path, length_rows[row].total, length_rows[row].n_name);
	conf = conf_of(type, path);
	conf.mode = 0620;
	umask(022);
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
	ck_assert_int_eq(uxs_listener_listen(&listener, 5, NULL), 0);

	ck_assert_int_eq(mode_of(path), 0620);
	ck_assert(is_reachable(path, type));
	ck_assert_int_eq(files_beside(path), 2); /* it and its lock */
	uxs_listener_close(&listener);
	ck_assert_int_eq(files_beside(path), 0);
}
END_TEST

/* Between the look and the bind somebody else may come. */
START_TEST(a_name_that_was_taken_in_the_last_moment_is_left_alone)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct uxs_listener_conf conf;
	struct uxs_place place;
	char name[201] = "";
	struct stat made;

	memset(name, 's', _i ? sizeof(name) - 1 : 4);
	conf = conf_of(UXS_STREAM, name);
	ck_assert_int_eq(uxs_place_open(&place, name, NULL), 0);
	write_file(name, "precious", 0600);
	int r = socket_file_make(fd, &place, &conf, &made, NULL);

	ck_assert_int_eq(r, -EADDRINUSE);
	assert_file_says(name, "precious");
	ck_assert_int_eq(count_files(), 1);
	uxs_place_close(&place);
	close(fd);
}
END_TEST

START_TEST(a_long_name_takes_nothing_away_either)
{
	struct uxs_listener_conf conf;
	struct uxs_error why;
	char name[201] = "";

	memset(name, 's', sizeof(name) - 1);
	write_file(name, "precious", 0600);
	conf = conf_of(UXS_STREAM, name);

	refused(&conf, -EEXIST, UXS_FAILURE_CREATE, &why);
	assert_file_says(name, "precious");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* ---- what is in the way ---- */

static void
put_file(void)
{
	write_file("sock", "precious", 0666);
}

static void
put_directory(void)
{
	ck_assert_int_eq(mkdir("sock", 0777), 0);
}

static void
put_fifo(void)
{
	ck_assert_int_eq(mkfifo("sock", 0666), 0);
}

static void
put_dangling_link(void)
{
	ck_assert_int_eq(symlink("nowhere", "sock"), 0);
}

static void
put_link_to_stale(void)
{
	leave_stale_socket(UXS_STREAM, "target");
	ck_assert_int_eq(symlink("target", "sock"), 0);
}

static void
put_link_to_file(void)
{
	write_file("target", "precious", 0666);
	ck_assert_int_eq(symlink("target", "sock"), 0);
}

static const struct {
	void (*put)(void);
	const char *says;
} thing_rows[] = {
	{ put_file, "a regular file" },
	{ put_directory, "a directory" },
	{ put_fifo, "a fifo" },
	{ put_dangling_link, "a symbolic link" },
	{ put_link_to_stale, "a symbolic link" },
	{ put_link_to_file, "a symbolic link" },
};

START_TEST(what_is_no_socket_is_refused_and_left_alone)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	struct uxs_listener_conf conf = conf_of(type, "sock");
	struct stat before, after;
	struct uxs_error why;
	int n_files;

	thing_rows[_i / UXS_N_TYPES].put();
	ck_assert_int_eq(lstat("sock", &before), 0);
	n_files = count_files();
	refused(&conf, -EEXIST, UXS_FAILURE_CREATE, &why);

	ck_assert_ptr_nonnull(strstr(why.text,
	    thing_rows[_i / UXS_N_TYPES].says));
	ck_assert_int_eq(lstat("sock", &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(count_files(), n_files); /* and no lock is left */
}
END_TEST

/* ---- who is in the way ---- */

/* Foreign servers: of each type, bound, listening, and with a full backlog. */
enum state { BOUND, LISTENING, FULL };

struct foreign {
	enum uxs_type type;
	enum state state;
	int fd;
	int clients[CLIENTS_MAX], n_clients;
};

static const struct {
	enum uxs_type type;
	enum state state;
} foreign_rows[] = {
	{ UXS_STREAM, BOUND },
	{ UXS_STREAM, LISTENING },
	{ UXS_STREAM, FULL },
	{ UXS_SEQPACKET, BOUND },
	{ UXS_SEQPACKET, LISTENING },
	{ UXS_SEQPACKET, FULL },
	{ UXS_DGRAM, BOUND },
};

static void
foreign_start(struct foreign *foreign, int row)
{
	*foreign = (struct foreign){
		.type = foreign_rows[row].type,
		.state = foreign_rows[row].state,
		.fd = bound_socket(foreign_rows[row].type, "sock"),
	};
	if (foreign->state != BOUND)
		ck_assert_int_eq(listen(foreign->fd, 2), 0);
	if (foreign->state == FULL)
		fill_backlog(foreign->type, "sock", foreign->clients,
		    &foreign->n_clients);
}

/* It goes on as if nothing had happened. */
static void
foreign_serves_on(struct foreign *foreign)
{
	int fd;

	if (foreign->state == BOUND && foreign->type != UXS_DGRAM)
		ck_assert_int_eq(listen(foreign->fd, 2), 0);
	for (int i = 0; i < foreign->n_clients; i++) {
		fd = accept(foreign->fd, NULL, NULL);
		ck_assert_int_ge(fd, 0);
		close(fd);
	}
	ck_assert(is_reachable("sock", foreign->type));
	close_all(foreign->clients, foreign->n_clients);
	close(foreign->fd);
}

START_TEST(a_foreign_server_is_never_taken_over)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	struct uxs_listener_conf conf = conf_of(type, "sock");
	struct stat before, after;
	struct foreign foreign;
	struct uxs_error why;

	foreign_start(&foreign, _i / UXS_N_TYPES);
	ck_assert_int_eq(lstat("sock", &before), 0);
	refused(&conf, -EADDRINUSE, UXS_FAILURE_LIVE, &why);

	ck_assert_int_eq(lstat("sock", &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_int_eq(count_files(), 1);
	foreign_serves_on(&foreign);
}
END_TEST

static void
open_what_is_root_s(void *arg)
{
	const enum uxs_failure *expect = arg;
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	refused(&conf, *expect == UXS_FAILURE_LIVE ? -EADDRINUSE : -EACCES,
	    *expect, &why);
}

START_TEST(a_server_that_may_not_be_asked_is_left_alone)
{
	enum uxs_failure expect = UXS_FAILURE_PERMISSION;
	int server;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	server = bound_socket(UXS_STREAM, "sock");
	ck_assert_int_eq(chmod("sock", 0600), 0);

	as_user(OTHER_UID, OTHER_GID, open_what_is_root_s, &expect);

	ck_assert_int_eq(count_files(), 1);
	close(server);
}
END_TEST

/* Its lock cannot even be opened, but the server says that it is there. */
START_TEST(another_users_listener_is_seen_to_be_live)
{
	enum uxs_failure expect = UXS_FAILURE_LIVE;
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_listener listener;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	conf.mode = 0666;
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);

	as_user(OTHER_UID, OTHER_GID, open_what_is_root_s, &expect);

	ck_assert_int_eq(count_files(), 2);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(second_open_leaves_the_first_server_reachable)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_listener first;
	struct uxs_error why;
	char pid[32];

	serve(&first, "stream:sock");
	refused(&conf, -EADDRINUSE, UXS_FAILURE_LIVE, &why);

	snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(why.text, pid));
	ck_assert(is_reachable("sock", UXS_STREAM));
	ck_assert_int_eq(count_files(), 2);
	uxs_listener_close(&first);
}
END_TEST

static void
serve_until_killed(void *arg)
{
	const int *ready = arg;
	struct uxs_listener listener;

	serve(&listener, "stream:sock");
	ck_assert_int_eq(write(*ready, "", 1), 1);
	for (;;)
		pause();
}

START_TEST(the_pid_of_the_first_server_is_told_and_its_death_noticed)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_listener second;
	struct uxs_error why;
	char text[32];
	int ready[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = start_child(serve_until_killed, &ready[1]);
	ck_assert_int_eq(read(ready[0], text, 1), 1);
	refused(&conf, -EADDRINUSE, UXS_FAILURE_LIVE, &why);
	snprintf(text, sizeof(text), "pid %ld", (long)pid);
	ck_assert_ptr_nonnull(strstr(why.text, text));
	kill(pid, SIGKILL);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
	ck_assert_int_eq(count_files(), 2);

	serve(&second, "stream:sock");
	ck_assert(is_reachable("sock", UXS_STREAM));
	uxs_listener_close(&second);
	ck_assert_int_eq(count_files(), 0);
	close_all(ready, 2);
}
END_TEST

START_TEST(a_dead_server_of_any_type_is_recovered)
{
	const enum uxs_type stale = (enum uxs_type)(_i % UXS_N_TYPES);
	const enum uxs_type ours = (enum uxs_type)(_i / UXS_N_TYPES);
	struct uxs_listener_conf conf = conf_of(ours, "sock");
	struct uxs_listener listener;

	leave_stale_socket(stale, "sock");
	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
	ck_assert_int_eq(uxs_listener_listen(&listener, 5, NULL), 0);

	ck_assert(is_reachable("sock", ours));
	uxs_listener_close(&listener);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- the directory ---- */

struct warnings {
	int n;
	char last[UXS_ERROR_TEXT_MAX];
};

static void
on_warning(void *arg, const char *text)
{
	struct warnings *warnings = arg;

	warnings->n++;
	snprintf(warnings->last, sizeof(warnings->last), "%s", text);
}

static const struct {
	mode_t mode;
	bool force;
	int expect, n_warnings;
} directory_rows[] = {
	{ 0755, false, 0, 0 },
	{ 01777, false, 0, 0 },
	{ 0775, false, 0, 1 },
	{ 0777, false, -EPERM, 0 },
	{ 0777, true, 0, 1 },
	{ 0755, true, 0, 0 },
};

START_TEST(a_directory_that_strangers_can_change_is_refused)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct warnings warnings = { 0 };
	struct uxs_listener listener;
	struct uxs_error why = { .failure = UXS_FAILURE_NONE };

	ck_assert_int_eq(chmod(".", directory_rows[_i].mode), 0);
	conf.force_dir = directory_rows[_i].force;
	conf.on_warning = on_warning;
	conf.arg = &warnings;
	int r = uxs_listener_open(&listener, &conf, &why);

	ck_assert_int_eq(r, directory_rows[_i].expect);
	ck_assert_int_eq(warnings.n, directory_rows[_i].n_warnings);
	if (r < 0)
		ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
	uxs_listener_close(&listener);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

static void
open_in_root_s_directory(void *arg)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	refused(&conf, -EACCES, UXS_FAILURE_PERMISSION, &why);
}

START_TEST(a_directory_that_is_not_writable_is_refused)
{
	SKIP_UNLESS_ROOT();

	as_user(OTHER_UID, OTHER_GID, open_in_root_s_directory, NULL);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(a_missing_directory_is_named)
{
	struct uxs_listener_conf conf = conf_for("stream:no/such/sock");
	struct uxs_error why;

	refused(&conf, -ENOENT, UXS_FAILURE_CREATE, &why);

	ck_assert_ptr_nonnull(strstr(why.text, "the directory no does not"));
}
END_TEST

START_TEST(a_lock_that_was_planted_is_refused)
{
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	write_file("sock.lock", "planted", 0666);
	refused(&conf, -EPERM, UXS_FAILURE_PERMISSION, &why);

	assert_file_says("sock.lock", "planted");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* ---- words for people ---- */

#define UGLY "a\n\033[31mb"

static void
put_ugly_file(void)
{
	write_file(UGLY, "", 0600);
}

static void
put_ugly_server(void)
{
	struct uxs_listener_conf conf = conf_of(UXS_STREAM, UGLY);
	static struct uxs_listener listener;

	ck_assert_int_eq(uxs_listener_open(&listener, &conf, NULL), 0);
}

static void
put_ugly_lock(void)
{
	write_file(UGLY ".lock", "", 0666);
}

static void
put_ugly_link_for_a_lock(void)
{
	ck_assert_int_eq(symlink("nowhere", UGLY ".lock"), 0);
}

static void
open_the_directory(void)
{
	ck_assert_int_eq(chmod(".", 0777), 0);
}

static const struct {
	void (*put)(void);
	const char *address;
} ugly_rows[] = {
	{ put_ugly_file, "stream:" UGLY },
	{ put_ugly_file, "stream:" UGLY "/sock" },
	{ put_ugly_server, "stream:" UGLY },
	{ put_ugly_lock, "stream:" UGLY },
	{ put_ugly_link_for_a_lock, "stream:" UGLY },
	{ open_the_directory, "stream:" UGLY },
	{ open_the_directory, "stream:no" UGLY "/sock" },
};

/* In a child, since a server that is in the way ends with it. */
static void
explain_ugly(void *arg)
{
	const int row = *(const int *)arg;
	struct uxs_error why = { .text = "" };
	struct uxs_listener_conf conf = conf_for(ugly_rows[row].address);
	struct uxs_listener listener;

	ugly_rows[row].put();
	ck_assert_int_lt(uxs_listener_open(&listener, &conf, &why), 0);
	for (const char *at = why.text; *at != '\0'; at++)
		ck_assert_msg(isprint((unsigned char)*at), "byte %d of: %s",
		    (int)(at - why.text), why.text);
	ck_assert_ptr_nonnull(strstr(why.text, "a\\n\\033[31mb"));
}

START_TEST(explains_in_one_printable_line)
{
	ck_assert_int_eq(wait_child(start_child(explain_ugly, &_i)), 0);
}
END_TEST

#define EACH_TYPE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows) * UXS_N_TYPES)

static void
add_way_tests(TCase *way)
{
	EACH_TYPE(way, what_is_no_socket_is_refused_and_left_alone, thing_rows);
	EACH_TYPE(way, a_foreign_server_is_never_taken_over, foreign_rows);
	tcase_add_test(way, a_server_that_may_not_be_asked_is_left_alone);
	tcase_add_test(way, another_users_listener_is_seen_to_be_live);
	tcase_add_test(way, second_open_leaves_the_first_server_reachable);
	tcase_add_test(way,
	    the_pid_of_the_first_server_is_told_and_its_death_noticed);
	tcase_add_loop_test(way, a_dead_server_of_any_type_is_recovered, 0,
	    UXS_N_TYPES * UXS_N_TYPES);
}

Suite *
suite_listener(void)
{
	Suite *suite = suite_create("listener");
	TCase *mode = harness_case(suite, "modes");
	TCase *length = harness_case(suite, "long paths");
	TCase *directory;

	tcase_add_loop_test(mode, mode_is_exact_under_any_umask, 0,
	    N_COMBINATIONS);
	tcase_add_loop_test(mode, at_no_instant_is_the_file_more_open, 0,
	    2 * N_COMBINATIONS);
	tcase_add_loop_test(mode, the_file_goes_to_its_owner, 0, 4);
	tcase_add_test(mode, who_may_not_give_it_away_leaves_nothing);

	EACH_TYPE(length, a_path_of_any_length_works_and_leaves_nothing,
	    length_rows);
	tcase_add_loop_test(length,
	    a_name_that_was_taken_in_the_last_moment_is_left_alone, 0, 2);
	tcase_add_test(length, a_long_name_takes_nothing_away_either);

	add_way_tests(harness_case(suite, "in the way"));

	directory = harness_case(suite, "directory");
	tcase_add_loop_test(directory,
	    a_directory_that_strangers_can_change_is_refused, 0,
	    N_ROWS(directory_rows));
	tcase_add_test(directory, a_directory_that_is_not_writable_is_refused);
	tcase_add_test(directory, a_missing_directory_is_named);
	tcase_add_test(directory, a_lock_that_was_planted_is_refused);
	tcase_add_loop_test(directory, explains_in_one_printable_line, 0,
	    N_ROWS(ugly_rows));

	add_serving_cases(suite);
	return suite;
}
