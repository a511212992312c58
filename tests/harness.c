/* SPDX-License-Identifier: ISC */
/*
 * What the tests have in common. check(3) forks a child for each test, so a
 * checked fixture runs there, and what is counted is that child's.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* Long enough for a machine under valgrind, short enough to end a hang. */
#define PATIENCE_S 20
#define TEST_LIMIT_S 120

static char base[] = "/tmp/uxecho-check.XXXXXX";
static char directory[128];
static int descriptors_before;

/* ---- a place for each test ---- */

int
count_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		n++;
	closedir(list);
	return n - 3; /* ".", ".." and the list itself */
}

int
count_descriptors_of(pid_t pid)
{
	char path[64];
	DIR *list;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	list = opendir(path);
	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		n++;
	closedir(list);
	return n - 2;
}

int
count_children(void)
{
	char path[64], text[4096] = "";
	int fd, n = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
	    (long)getpid());
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return waitpid(-1, NULL, WNOHANG) < 0 ? 0 : 1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	for (char *at = text; (at = strchr(at, ' ')) != NULL; at++)
		n++;
	return n;
}

int
count_files(void)
{
	DIR *list = opendir(".");
	int n = 0;

	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		n++;
	closedir(list);
	return n - 2;
}

void
harness_setup(void)
{
	/* Not the pid: a long run comes round to the same ones again. */
	snprintf(directory, sizeof(directory), "%s/XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(chdir(directory), 0);
	descriptors_before = count_descriptors();
}

void
harness_teardown(void)
{
	ck_assert_int_eq(count_descriptors(), descriptors_before);
	ck_assert_int_eq(count_children(), 0);
	ck_assert_int_eq(chdir("/"), 0);
}

TCase *
harness_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, harness_setup, harness_teardown);
	tcase_set_timeout(tcase, TEST_LIMIT_S);
	suite_add_tcase(suite, tcase);
	return tcase;
}

const char *
harness_path(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

void
harness_begin(void)
{
	if (mkdtemp(base) == NULL || chmod(base, 0755) < 0) {
		perror(base);
		exit(EXIT_FAILURE);
	}
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type == FTW_DNR)
		chmod(path, 0700);
	return remove(path);
}

void
harness_end(void)
{
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- other users ---- */

void
skip(const char *why)
{
	fprintf(stderr, "SKIPPED: %s\n", why);
}

pid_t
start_child(void (*function)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		function(arg);
		_exit(0);
	}
	return pid;
}

int
wait_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct user_call {
	uid_t uid;
	gid_t gid;
	void (*function)(void *);
	void *arg;
};

static void
become(uid_t uid, gid_t gid)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(gid, gid, gid), 0);
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
}

static void
call_as_user(void *arg)
{
	const struct user_call *call = arg;

	become(call->uid, call->gid);
	call->function(call->arg);
}

bool
kernel_can_refuse_descriptors(void)
{
	const int off = 0, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool can =
	    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)) == 0;

	close(fd);
	return can;
}

void
as_user(uid_t uid, gid_t gid, void (*function)(void *), void *arg)
{
	struct user_call call = { uid, gid, function, arg };

	ck_assert_int_eq(wait_child(start_child(call_as_user, &call)), 0);
}

/* ---- what may be at a path ---- */

bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

void
assert_file_says(const char *path, const char *text)
{
	char there[1024] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, there, sizeof(there) - 1), 0);
	close(fd);
	ck_assert_str_eq(there, text);
}

int
bound_socket(enum uxs_type type, const char *path)
{
	struct sockaddr_un sa;
	socklen_t length;
	int fd = socket(AF_UNIX, uxs_type_socket(type) | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
	ck_assert_int_eq(chmod(path, 0777), 0);
	return fd;
}

void
leave_stale_socket(enum uxs_type type, const char *path)
{
	close(bound_socket(type, path));
}

void
fill_backlog(enum uxs_type type, const char *path, int clients[CLIENTS_MAX],
    int *n)
{
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	for (*n = 0; *n < CLIENTS_MAX; ++*n) {
		int fd = socket(AF_UNIX,
		    uxs_type_socket(type) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		ck_assert_int_ge(fd, 0);
		if (connect(fd, (struct sockaddr *)&sa, length) < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			close(fd);
			return;
		}
		clients[*n] = fd;
	}
	ck_abort_msg("the backlog of %s does not fill up", path);
}

void
close_all(const int fds[], int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

void
allow_descriptors(int n_more)
{
	static struct rlimit before;
	struct rlimit limit;
	int fd;

	if (n_more < 0) {
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		return;
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	fd = dup(STDIN_FILENO); /* the lowest that is free */
	ck_assert_int_ge(fd, 0);
	close(fd);
	limit.rlim_cur = (rlim_t)(fd + n_more);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- programs ---- */

const char *
program(const char *name)
{
	static char path[512];
	static char home[256];
	const char *build = getenv("BUILD");

	if (strchr(name, '/') != NULL)
		return name;
	/* The tests change directory; where they were started does not. */
	if (home[0] == '\0')
		snprintf(home, sizeof(home), "%s", getenv("UXECHO_TOP"));
	if (build == NULL)
		build = "build";
	if (build[0] == '/')
		snprintf(path, sizeof(path), "%s/%s", build, name);
	else
		snprintf(path, sizeof(path), "%s/%s/%s", home, build, name);
	return path;
}

struct kept {
	struct kept *next;
	char text[];
};

char *
keep_text(const char *text)
{
	static struct kept *first;
	const size_t size = strlen(text) + 1;
	struct kept *new = malloc(sizeof(*new) + size);

	ck_assert_ptr_nonnull(new);
	memcpy(new->text, text, size);
	new->next = first;
	first = new;
	return new->text;
}

static void
exec_program(const char *const argv[])
{
	/* Ignored here, and that would be inherited. */
	signal(SIGPIPE, SIG_DFL);
	execvp(program(argv[0]), (char *const *)(uintptr_t)argv);
	fprintf(stderr, "cannot run %s: %s\n", program(argv[0]),
	    strerror(errno));
	_exit(127);
}

static void
drain_into(int fd, char *text)
{
	size_t used = strlen(text);
	ssize_t n;

	/* What does not fit is read too, or the program would wait. */
	if (used == OUTPUT_MAX - 1) {
		char lost[4096];

		while (read(fd, lost, sizeof(lost)) > 0)
			;
		return;
	}
	n = read(fd, text + used, OUTPUT_MAX - 1 - used);
	if (n > 0)
		text[used + (size_t)n] = '\0';
}

static void
collect(int out, int err, char *const texts[2])
{
	struct pollfd fds[2] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = err, .events = POLLIN },
	};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		ck_assert_int_gt(poll(fds, 2, TEST_LIMIT_S * 1000), 0);
		for (int i = 0; i < 2; i++) {
			const size_t before = strlen(texts[i]);

			if (fds[i].fd < 0 || fds[i].revents == 0)
				continue;
			drain_into(fds[i].fd, texts[i]);
			if (strlen(texts[i]) == before)
				fds[i].fd = -1;
		}
	}
	close(out);
	close(err);
}

void
run_program(struct output_of *result, const char *const argv[])
{
	char text_out[OUTPUT_MAX] = "", text_err[OUTPUT_MAX] = "";
	int out[2], err[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		exec_program(argv);
	}
	close(out[1]);
	close(err[1]);
	collect(out[0], err[0], (char *const[]){ text_out, text_err });
	result->status = wait_child(pid);
	result->out = keep_text(text_out);
	result->err = keep_text(text_err);
}

/* ---- a uxecho that serves ---- */

#define ARGUMENTS_MAX 32

static void
exec_service(const char *const arguments[], int ready)
{
	const char *argv[ARGUMENTS_MAX + 4] = { "uxecho", "--ready-fd" };
	char number[16];
	int n = 2;

	snprintf(number, sizeof(number), "%d", ready);
	argv[n++] = number;
	for (int i = 0; arguments[i] != NULL; i++) {
		ck_assert_int_lt(n, ARGUMENTS_MAX);
		argv[n++] = arguments[i];
	}
	exec_program(argv);
}

void
service_start_as(struct service *service, uid_t uid, gid_t gid,
    const char *const arguments[])
{
	int ready[2], err[2];
	char newline = 0;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	service->pid = fork();
	ck_assert_int_ge(service->pid, 0);
	if (service->pid == 0) {
		dup2(err[1], STDERR_FILENO);
		fcntl(ready[1], F_SETFD, 0);
		if (uid != (uid_t)-1)
			become(uid, gid);
		exec_service(arguments, ready[1]);
	}
	close(ready[1]);
	close(err[1]);
	service->stderr_fd = err[0];
	if (read(ready[0], &newline, 1) != 1 || newline != '\n') {
		char text[1024] = "";

		if (read(err[0], text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		ck_abort_msg("uxecho did not start: %s", text);
	}
	close(ready[0]);
}

void
service_start(struct service *service, const char *const arguments[])
{
	service_start_as(service, (uid_t)-1, (gid_t)-1, arguments);
}

int
service_stop(struct service *service, int signal)
{
	int status;

	ck_assert_int_eq(kill(service->pid, signal), 0);
	status = wait_child(service->pid);
	close(service->stderr_fd);
	return status;
}

void
service_stop_clean(struct service *service)
{
	ck_assert_int_eq(service_stop(service, SIGTERM), 0);
}

void
service_logs(struct service *service, const char *text)
{
	struct pollfd ready = { .fd = service->stderr_fd, .events = POLLIN };
	char log[OUTPUT_MAX] = "";

	while (strstr(log, text) == NULL) {
		const size_t before = strlen(log);

		if (poll(&ready, 1, PATIENCE_S * 1000) > 0)
			drain_into(service->stderr_fd, log);
		if (strlen(log) == before)
			ck_abort_msg("not in the log: %s; but: %s", text, log);
	}
}

void
service_counts(struct service *service, const char *text)
{
	struct pollfd ready = { .fd = service->stderr_fd, .events = POLLIN };
	char log[OUTPUT_MAX] = "";

	/* A signal may overtake what is to be counted: the kernel tells of a
	 * descriptor that was ready just before first. So ask again. */
	for (int i = 0; i < PATIENCE_S * 10; i++) {
		ck_assert_int_eq(kill(service->pid, SIGUSR1), 0);
		while (poll(&ready, 1, 100) > 0) {
			const size_t before = strlen(log);

			drain_into(service->stderr_fd, log);
			if (strstr(log, text) != NULL)
				return;
			if (strlen(log) == before)
				break;
		}
	}
	ck_abort_msg("not in the log: %s; but: %s", text, log);
}

void
service_settles(const struct service *service, enum uxs_type type,
    const char *path, int n_descriptors)
{
	const int fd = client_connect(type, path);
	const bool is_session = type != UXS_DGRAM;
	int n = 0;

	for (int i = 0; i < 10000; i++) {
		SAYS(fd, "settled?");
		HEARS(fd, "settled?");
		n = count_descriptors_of(service->pid) - is_session;
		if (n == n_descriptors)
			break;
	}
	ck_assert_int_eq(n, n_descriptors);
	if (is_session) {
		client_ends(fd);
		client_hears_end(fd);
	}
	close(fd);
}

/* ---- clients ---- */

static void
limit_patience(int fd)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void
bind_own_name(int fd)
{
	static unsigned next;
	struct sockaddr_un sa;
	socklen_t length;
	char name[64];

	snprintf(name, sizeof(name), "client-%ld-%u", (long)getpid(), next++);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length,
			     harness_path(name)),
	    0);
	ck_assert_int_eq(fchmod(fd, 0666), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
}

int
client_try(enum uxs_type type, const char *path)
{
	struct sockaddr_un sa;
	socklen_t length;
	int fd = socket(AF_UNIX, uxs_type_socket(type) | SOCK_CLOEXEC, 0);
	int code;

	ck_assert_int_ge(fd, 0);
	limit_patience(fd);
	if (path[0] == '@')
		ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &length,
				     path + 1, strlen(path + 1)),
		    0);
	else
		ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	if (type == UXS_DGRAM)
		bind_own_name(fd);
	if (connect(fd, (struct sockaddr *)&sa, length) == 0)
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

int
client_connect(enum uxs_type type, const char *path)
{
	int fd = client_try(type, path);

	if (fd < 0)
		ck_abort_msg("cannot connect to %s: %s", path, strerror(errno));
	return fd;
}

void
client_says(int fd, const void *data, size_t length)
{
	const char *from = data;

	do {
		ssize_t n = send(fd, from, length, MSG_NOSIGNAL);

		if (n < 0)
			ck_abort_msg("cannot send: %s", strerror(errno));
		from += n;
		length -= (size_t)n;
	} while (length > 0);
}

void
client_hears(int fd, const void *data, size_t length)
{
	char *heard = malloc(length + 1);
	size_t used = 0;

	ck_assert_ptr_nonnull(heard);
	do {
		/* One more byte, so that a message too long is seen as such. */
		ssize_t n = recv(fd, heard + used, length + 1 - used, 0);

		if (n < 0)
			ck_abort_msg("cannot hear: %s", strerror(errno));
		used += (size_t)n;
		if (n == 0)
			break;
	} while (used < length);
	ck_assert_uint_eq(used, length);
	ck_assert_mem_eq(heard, data, length);
	free(heard);
}

void
client_hears_end(int fd)
{
	char byte;

	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
}

void
client_ends(int fd)
{
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
}

void
fill_random(void *data, size_t length, unsigned seed)
{
	unsigned char *to = data;
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		to[i] = (unsigned char)x;
	}
}
