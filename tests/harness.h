/* SPDX-License-Identifier: ISC */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <check.h>

#include <uxsrv/address.h>

/*
 * The language that the tests are written in. Every function fails the test
 * itself when what it needs does not happen; none of them sleeps.
 */

/* ---- a place for each test ---- */

/* Checked fixture. A new directory (mode 0755) becomes the working directory;
 * teardown fails the test when descriptors or children are left. */
void harness_setup(void);
void harness_teardown(void);

/* A TCase with that fixture and a time limit, added to suite. */
TCase *harness_case(Suite *suite, const char *name);

/* Absolute path of a name in the test's directory; a few are kept at once. */
const char *harness_path(const char *name);

/* Called by main() around all suites: the directory that holds those of the
 * tests, removed with all that is in it. */
void harness_begin(void);
void harness_end(void);

int count_descriptors(void);
int count_descriptors_of(pid_t pid); /* of a child */
int count_children(void);

/* Names in the test's directory, "." and ".." not counted. */
int count_files(void);

/* ---- other users ---- */

#define OTHER_UID 1500
#define OTHER_GID 1500
#define THIRD_UID 1501

/* Say loudly that this test proves nothing here; the caller returns. */
void skip(const char *why);
#define SKIP_UNLESS_ROOT()                                         \
	do {                                                       \
		if (geteuid() != 0) {                              \
			skip("needs root, to become other users"); \
			return;                                    \
		}                                                  \
	} while (0)

/* Passed descriptors, from Linux 6.16; a server has one thread more where it
 * cannot, and relays nothing. */
bool kernel_can_refuse_descriptors(void);

/*
 * Run a function in a child that is this user (no supplementary groups unless
 * given); a ck_assert that fails in there fails the test. Children start with
 * the tests' working directory.
 */
void as_user(uid_t uid, gid_t gid, void (*function)(void *), void *arg);

/* Start one without waiting; wait_child returns its exit status, or 128 plus
 * the signal that ended it. */
pid_t start_child(void (*function)(void *), void *arg);
int wait_child(pid_t pid);

/* ---- what may be at a path ---- */

bool is_there(const char *path); /* a symbolic link too, dangling or not */
mode_t mode_of(const char *path); /* permission bits of the file itself */
void write_file(const char *path, const char *text, mode_t mode);
void assert_file_says(const char *path, const char *text);

/* A socket as some other server would make it: bound, mode 0777, blocking,
 * and nothing else. */
int bound_socket(enum uxs_type type, const char *path);
void leave_stale_socket(enum uxs_type type, const char *path);

/* Connect without waiting until the backlog is full; gives *n descriptors. */
#define CLIENTS_MAX 16
void fill_backlog(enum uxs_type type, const char *path,
    int clients[CLIENTS_MAX], int *n);
void close_all(const int fds[], int n);

/* Let this process open so many descriptors more, until it is told -1. */
void allow_descriptors(int n_more);

/* ---- programs ---- */

#define OUTPUT_MAX 65536

/* A copy that is there until the test ends; nobody frees it. Large buffers of
 * the tests are no globals, which the leak checker reads at the end of each. */
char *keep_text(const char *text);

struct output_of {
	int status; /* exit status, or 128 plus the signal */
	char *out, *err; /* kept until the test ends */
};

/* Path of a built program, such as "uxecho"; BUILD names the folder. */
const char *program(const char *name);

/* Run to its end with empty standard input. argv[0] is a built program's
 * name, or a path; NULL ends the list. */
void run_program(struct output_of *result, const char *const argv[]);

/* A uxecho that serves. */
struct service {
	pid_t pid;
	int stderr_fd; /* its log, read by service_log */
};

/* Start "uxecho arguments..." and wait until it says ready on --ready-fd.
 * uid -1: as we are. NULL ends the list. */
void service_start(struct service *service, const char *const arguments[]);
void service_start_as(struct service *service, uid_t uid, gid_t gid,
    const char *const arguments[]);

/* Send a signal and wait for the end; returns as wait_child. */
int service_stop(struct service *service, int signal);

/* SIGTERM, and it must exit 0. */
void service_stop_clean(struct service *service);

/* Read the log until it contains text. */
void service_logs(struct service *service, const char *text);

/* Ask for the figures (SIGUSR1); what is logged must contain text. */
void service_counts(struct service *service, const char *text);

/* Talk to it at path until it has so many descriptors open: each answer is a
 * turn in which it could close those of clients that have gone. */
void service_settles(const struct service *service, enum uxs_type type,
    const char *path, int n_descriptors);

/* ---- clients ---- */

/* Connect, blocking, with a limit of some seconds on every receive and send.
 * A datagram client is bound to a name of its own first. -1 and errno when
 * connect(2) fails. */
int client_try(enum uxs_type type, const char *path);
int client_connect(enum uxs_type type, const char *path);

void client_says(int fd, const void *data, size_t length);
void client_hears(int fd, const void *data, size_t length);
void client_hears_end(int fd); /* a clean end of file */
void client_ends(int fd); /* half-close */

#define SAYS(fd, text) client_says((fd), (text), strlen(text))
#define HEARS(fd, text) client_hears((fd), (text), strlen(text))

/* Pseudo-random bytes that are the same for the same seed. */
void fill_random(void *data, size_t length, unsigned seed);

#endif
