/* SPDX-License-Identifier: ISC */
/*
 * --service exec: what a program is given, and what becomes of it.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "uxecho/exec_environment.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TEXT_MAX 65536

/* ---- the language of this file ---- */

/* Serves SCRIPT at the stream socket s, and so that its log can be waited
 * for. */
static void
start_with(struct service *process, const char *option, const char *value,
    const char *script)
{
	const char *const arguments[] = { "-v", "--allow", "any", "-s", "exec",
		"stream:s", option, value, "--", "/bin/sh", "-c", script,
		NULL };

	service_start(process, arguments);
}

static void
start(struct service *process, const char *script)
{
	start_with(process, "--drain", "60s", script);
}

static int
dial(void)
{
	return client_connect(UXS_STREAM, harness_path("s"));
}

/* All that comes until the end. */
static const char *
hear_all(int fd)
{
	static char text[TEXT_MAX];
	size_t used = 0;
	ssize_t n;

	while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
		used += (size_t)n;
	ck_assert_int_eq(n, 0);
	text[used] = '\0';
	return text;
}

/* A line with the number of a process. */
static pid_t
hear_pid(int fd)
{
	char line[32] = "";

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		ck_assert_int_eq(recv(fd, &line[i], 1, 0), 1);
		if (line[i] == '\n')
			break;
	}
	ck_assert_int_gt(atol(line), 1);
	return (pid_t)atol(line);
}

/* Those are counted, too, by which it can be upgraded. */
static int
count_children_of(pid_t pid)
{
	char path[64], text[TEXT_MAX] = "";
	int n = 0;
	FILE *list;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
	    (long)pid);
	if ((list = fopen(path, "re")) == NULL)
		return 0; /* a kernel without that file */
	text[fread(text, 1, sizeof(text) - 1, list)] = '\0';
	fclose(list);
	for (const char *at = text; (at = strchr(at, ' ')) != NULL; at++)
		n++;
	return n;
}

static bool
is_running(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

/* A zombie is not: children of a program are reaped by whoever inherits
 * them, when he comes to it. A process that was killed may take its time to
 * see it. */
static bool
is_alive(pid_t pid)
{
	const int pidfd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	bool is;

	if (pidfd < 0)
		return false;
	is = poll(&end, 1, 10000) == 0;
	close(pidfd);
	return is;
}

/* ---- data ---- */

START_TEST(program_reads_and_writes_the_connection)
{
	const char *const arguments[] = { "-s", "exec", "stream:s",
		"seqpacket:q", "--", "cat", NULL };
	struct service process;
	int fd;

	service_start(&process, arguments);
	fd = client_connect((enum uxs_type)_i,
	    harness_path(_i == UXS_STREAM ? "s" : "q"));

	SAYS(fd, "hello");
	HEARS(fd, "hello");
	SAYS(fd, "again");
	HEARS(fd, "again");
	client_ends(fd);

	client_hears_end(fd);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(bare_path_is_the_stream_socket_alone)
{
	const char *const arguments[] = { "s", "-s", "exec", "--", "cat",
		NULL };
	struct service process;
	int fd;

	service_start(&process, arguments);
	fd = dial();

	SAYS(fd, "x");
	HEARS(fd, "x");
	ck_assert(!is_there("s.dgram"));
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(what_a_program_said_arrives_when_it_reads_nothing)
{
	struct service process;
	int fd;

	start(&process, "echo bye");
	fd = dial();

	ck_assert_str_eq(hear_all(fd), "bye\n");

	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- environment ---- */

static const char *const never_inherited[] = { "PROTO=", "IPC", "UXECHO_PEER_",
	"LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_" };

static bool
is_inherited(const char *variable)
{
	for (int i = 0; i < N_OF(never_inherited); i++) {
		if (strncmp(variable, never_inherited[i],
			strlen(never_inherited[i])) == 0)
			return false;
	}
	return true;
}

static void
expect_environment(char text[TEXT_MAX], const char *path, const char *groups)
{
	text[0] = '\0';
	for (char **at = environ; *at != NULL; at++) {
		if (is_inherited(*at))
			snprintf(text + strlen(text), TEXT_MAX - strlen(text),
			    "%s\n", *at);
	}
	snprintf(text + strlen(text), TEXT_MAX - strlen(text),
	    "PROTO=IPC\nIPCREMOTEEUID=%u\nIPCREMOTEEGID=%u\n"
	    "IPCREMOTEPATH=%s\nUXECHO_PEER_PID=%ld\n"
	    "UXECHO_PEER_GROUPS=%s\n",
	    (unsigned)geteuid(), (unsigned)getegid(), path, (long)getpid(),
	    groups);
}

static void
become_other(void)
{
	static const gid_t gids[] = { 1700, 1701 };

	ck_assert_int_eq(setgroups(N_OF(gids), gids), 0);
	ck_assert_int_eq(setresgid(OTHER_GID, OTHER_GID, OTHER_GID), 0);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, OTHER_UID), 0);
}

static int
dial_from(const char *name)
{
	const int fd = bound_socket(UXS_STREAM, name);
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length,
			     harness_path("s")),
	    0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, length), 0);
	return fd;
}

static void
ask_environment(void *arg)
{
	char expected[TEXT_MAX];
	int fd;

	become_other();
	fd = dial_from(harness_path("client"));
	expect_environment(expected, harness_path("client"), "1700,1701");
	ck_assert_str_eq(hear_all(fd), expected);
	close(fd);
}

START_TEST(environment_is_ours_and_the_client)
{
	const char *const arguments[] = { "-a", "any", "-s", "exec", "stream:s",
		"--", "env", NULL };
	struct service process;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	setenv("PROTO", "FORGED", 1);
	setenv("IPCREMOTEEUID", "0", 1);
	setenv("UXECHO_PEER_LABEL", "forged", 1);
	setenv("KEPT", "yes", 1);
	service_start(&process, arguments);

	ck_assert_int_eq(wait_child(start_child(ask_environment, NULL)), 0);

	service_stop_clean(&process);
}
END_TEST

static const char *
variable(const struct exec_environment *e, const char *name)
{
	for (char **at = e->list; *at != NULL; at++) {
		if (strncmp(*at, name, strlen(name)) == 0)
			return *at + strlen(name);
	}
	return NULL;
}

/* Known to programs of s6, and answers as cat does. */
static const char scripted[] =
    "echo \"$PROTO,$IPCREMOTEEUID,$IPCREMOTEEGID,${IPCREMOTEPATH?}\"; exec cat";

static void
run_s6(void *arg)
{
	const int *ready = arg;

	dup2(ready[1], STDOUT_FILENO);
	execlp("s6-ipcserver", "s6-ipcserver", "-1", "s6", "/bin/sh", "-c",
	    scripted, (char *)NULL);
	_exit(127);
}

/* Returns whether it serves. */
static bool
start_s6(pid_t *pid)
{
	int ready[2];
	char newline;
	bool is_ready;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	*pid = start_child(run_s6, ready);
	close(ready[1]);
	is_ready = read(ready[0], &newline, 1) == 1;
	close(ready[0]);
	return is_ready;
}

/* All that is heard by a client who has this name, or none. */
static void
converse(const char *path, const char *name, char text[TEXT_MAX])
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	if (name != NULL) {
		uxs_sockaddr_from_path(&sa, &length, name);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
		ck_assert_int_eq(unlink(name), 0);
	}
	uxs_sockaddr_from_path(&sa, &length, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, length), 0);
	SAYS(fd, "one\ntwo");
	client_ends(fd);
	strlcpy(text, hear_all(fd), TEXT_MAX);
	close(fd);
}

static const char *const client_names[] = { NULL, "client" };

START_TEST(program_is_told_what_s6_tells)
{
	char theirs[TEXT_MAX], ours[TEXT_MAX];
	struct service process;
	pid_t s6;

	if (!start_s6(&s6)) {
		wait_child(s6);
		skip("needs s6-ipcserver, to compare with");
		return;
	}
	start(&process, scripted);

	converse("s6", client_names[_i], theirs);
	converse("s", client_names[_i], ours);

	ck_assert_str_eq(ours, theirs);
	ck_assert_ptr_nonnull(strstr(ours, "\none\ntwo"));
	kill(s6, SIGTERM);
	wait_child(s6);
	service_stop_clean(&process);
}
END_TEST

START_TEST(what_is_not_known_is_not_set)
{
	char own[] = "A=1", forged[] = "IPCREMOTEEUID=0",
	     other[] = "PROTO=", managers[] = "NOTIFY_SOCKET=@x";
	char *const inherited[] = { own, forged, other, managers, NULL };
	const struct uxs_peer peer = UXS_PEER_UNKNOWN;
	const struct uxs_groups groups = UXS_GROUPS_UNKNOWN;
	struct exec_environment e;

	ck_assert_int_eq(exec_environment_make(&e, inherited, &peer, &groups,
			     ""),
	    0);

	ck_assert_str_eq(e.list[0], "A=1");
	ck_assert_str_eq(e.list[1], "PROTO=IPC");
	ck_assert_str_eq(e.list[2], "IPCREMOTEPATH=");
	ck_assert_ptr_null(e.list[3]);
	exec_environment_free(&e);
	exec_environment_free(&e);
}
END_TEST

/* The kernel would not start anything with a string over 128 KiB. */
START_TEST(more_groups_than_fit_are_not_set)
{
	gid_t gids[65536];
	char *const inherited[] = { NULL };
	const struct uxs_peer peer = UXS_PEER_UNKNOWN;
	struct uxs_groups groups = { .is_known = true, .gids = gids };
	struct exec_environment e;

	memset(gids, 0xfe, sizeof(gids));
	groups.n = 9000;
	ck_assert_int_eq(exec_environment_make(&e, inherited, &peer, &groups,
			     ""),
	    0);
	ck_assert_ptr_nonnull(variable(&e, "UXECHO_PEER_GROUPS="));
	ck_assert_uint_lt(strlen(variable(&e, "UXECHO_PEER_GROUPS=")), 131000);
	exec_environment_free(&e);
	groups.n = 65536;

	ck_assert_int_eq(exec_environment_make(&e, inherited, &peer, &groups,
			     ""),
	    0);

	ck_assert_ptr_null(variable(&e, "UXECHO_PEER_GROUPS="));
	exec_environment_free(&e);
}
END_TEST

/* ---- state of the process ---- */

START_TEST(program_has_three_descriptors)
{
	const char *const arguments[] = { "-s", "exec", "stream:s", "--", "ls",
		"/proc/self/fd", NULL };
	const int leaked = dup(STDIN_FILENO); /* not close-on-exec */
	struct service process;
	int fd;

	service_start(&process, arguments);
	close(leaked);
	fd = dial();

	/* And the one that ls(1) reads the list by. */
	ck_assert_str_eq(hear_all(fd), "0\n1\n2\n3\n");

	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(its_socket_is_blocking)
{
	struct service process;
	int fd;

	start(&process, "exec grep flags /proc/self/fdinfo/0");
	fd = dial();

	ck_assert_str_eq(hear_all(fd), "flags:\t02\n");

	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(its_signals_are_as_at_a_login)
{
	/* Two signals that libc keeps for itself: posix_spawn(3) has them
	 * ignored, and nobody can tell. */
	const unsigned long long libc = 3ULL << 31;
	unsigned long long blocked = 1, ignored = 1;
	struct service process;
	sigset_t set;
	const char *text;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGQUIT, SIG_IGN);
	start(&process, "exec cat /proc/self/status");
	fd = dial();

	text = hear_all(fd);

	ck_assert_int_eq(sscanf(strstr(text, "SigBlk:"), "SigBlk: %llx",
			     &blocked),
	    1);
	ck_assert_int_eq(sscanf(strstr(text, "SigIgn:"), "SigIgn: %llx",
			     &ignored),
	    1);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_uint_eq(ignored & ~libc, 0);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(its_soft_limit_of_descriptors_is_ours_of_the_start)
{
	struct service process;
	struct rlimit limit;
	int fd;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 200;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	start(&process, "ulimit -Sn; ulimit -Hn");
	fd = dial();

	ck_assert_int_eq(hear_pid(fd), 200);
	ck_assert_int_eq(hear_pid(fd), (long)limit.rlim_max);

	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(soft_limit_is_the_same_after_an_upgrade)
{
	struct service process;
	struct rlimit limit;
	pid_t successor;
	int fd;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 200;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	start(&process, "echo $PPID; ulimit -Sn");
	ck_assert_int_eq(kill(process.pid, SIGUSR2), 0);
	ck_assert_int_eq(wait_child(process.pid), 0);
	close(process.stderr_fd);
	fd = dial();

	successor = hear_pid(fd);
	ck_assert_int_eq(hear_pid(fd), 200);

	client_hears_end(fd);
	close(fd);
	ck_assert_int_eq(kill(successor, SIGTERM), 0);
	ck_assert(!is_alive(successor));
}
END_TEST

START_TEST(it_runs_as_the_user_of_the_daemon)
{
	const char *const arguments[] = { "-a", "any", "-s", "exec", "stream:s",
		"--", "id", "-u", NULL };
	struct service process;
	int fd;

	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chmod(".", 01777), 0);
	service_start_as(&process, OTHER_UID, OTHER_GID, arguments);
	fd = dial();

	ck_assert_str_eq(hear_all(fd), "1500\n");

	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- ends ---- */

static const struct {
	const char *script, *log;
} ends[] = {
	{ "exit 0", "ended with status 0" },
	{ "exit 3", "ended with status 3" },
	{ "kill -KILL $$", "ended by signal 9" },
	{ "exec 0<&- 1>&-; exit 4", "ended with status 4" },
};

START_TEST(end_of_the_program_ends_the_connection)
{
	struct service process;
	int fd, others;

	start(&process, ends[_i].script);
	others = count_children_of(process.pid);
	fd = dial();

	client_hears_end(fd);
	service_logs(&process, ends[_i].log);

	/* The end came after it was reaped. */
	ck_assert_int_eq(count_children_of(process.pid), others);
	service_counts(&process, "closed (done 1)");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* It has forked, and is in a session of its own; the socket is no more. */
START_TEST(what_a_program_leaves_behind_loses_the_connection)
{
	struct service process;
	pid_t left;
	int fd;

	start(&process, "setsid sleep 1000 & echo $!");
	fd = dial();

	left = hear_pid(fd);
	client_hears_end(fd);

	ck_assert_int_lt(send(fd, "x", 1, MSG_NOSIGNAL), 0);
	ck_assert_int_eq(errno, EPIPE);
	kill(left, SIGKILL);
	close(fd);
	service_stop_clean(&process);
}
END_TEST

START_TEST(program_that_is_gone_is_told_and_counted)
{
	const char *const arguments[] = { "-s", "exec", "stream:s", "--",
		"./prog", NULL };
	struct service process;
	int fd;

	write_file("prog", "#!/bin/sh\necho up\n", 0755);
	service_start(&process, arguments);
	fd = dial();
	ck_assert_str_eq(hear_all(fd), "up\n");
	close(fd);
	ck_assert_int_eq(unlink("prog"), 0);

	fd = dial();
	client_hears_end(fd);

	service_logs(&process, "./prog: cannot be run: No such file");
	service_counts(&process, "closed (done 1, error 1)");
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- limits ---- */

START_TEST(place_is_taken_until_the_program_ends)
{
	struct service process;
	pid_t program;
	int first, second;

	start_with(&process, "--max-conns-per-user", "1",
	    "echo $$; exec sleep 1000");
	first = dial();
	program = hear_pid(first);
	close(first);

	second = dial();
	client_hears_end(second);
	close(second);
	service_logs(&process, "refused (max_per_user)");
	ck_assert_int_eq(kill(program, SIGKILL), 0);
	service_logs(&process, "closed (done)");

	first = dial();
	program = hear_pid(first);
	kill(program, SIGKILL);
	client_hears_end(first);
	close(first);
	service_stop_clean(&process);
}
END_TEST

#define MANY 200

START_TEST(many_programs_run_at_once)
{
	const char *const arguments[] = { "-s", "exec", "-c", "200", "-C",
		"200", "stream:s", "--", "cat", NULL };
	struct service process;
	int fds[MANY], extra, others;

	service_start(&process, arguments);
	others = count_children_of(process.pid);
	for (int i = 0; i < MANY; i++) {
		fds[i] = dial();
		client_says(fds[i], &i, sizeof(i));
	}

	for (int i = 0; i < MANY; i++)
		client_hears(fds[i], &i, sizeof(i));
	extra = dial();
	client_hears_end(extra);
	close(extra);

	for (int i = 0; i < MANY; i++)
		client_ends(fds[i]);
	for (int i = 0; i < MANY; i++)
		client_hears_end(fds[i]);
	ck_assert_int_eq(count_children_of(process.pid), others);
	service_counts(&process, "0 open, 200 accepted, 1 refused");
	close_all(fds, MANY);
	service_stop_clean(&process);
}
END_TEST

START_TEST(who_is_not_allowed_any_more_loses_the_program)
{
	const char *const arguments[] = { "-v", "--rules", "rules", "-s",
		"exec", "stream:s", "--", "/bin/sh", "-c",
		"trap '' TERM; echo $$; while :; do sleep 1000; done", NULL };
	struct service process;
	pid_t program;
	int fd;

	write_file("rules", "allow any\n", 0600);
	service_start(&process, arguments);
	fd = dial();
	program = hear_pid(fd);
	write_file("rules", "deny any\n", 0600);

	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	client_hears_end(fd);
	service_logs(&process, "closed (rules)");

	ck_assert(!is_running(program));
	close(fd);
	service_stop_clean(&process);
}
END_TEST

/* ---- drain ---- */

START_TEST(drain_lets_a_program_finish_with_its_input)
{
	struct service process;
	int fd;

	start(&process, "cat; echo done");
	fd = dial();
	SAYS(fd, "one ");
	HEARS(fd, "one ");
	SAYS(fd, "two ");

	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);

	ck_assert_str_eq(hear_all(fd), "two done\n");
	ck_assert_int_eq(wait_child(process.pid), 0);
	close(process.stderr_fd);
	close(fd);
}
END_TEST

static const char *const askable[] = {
	"trap 'echo asked; exit' TERM; echo $$; while :; do sleep 0.01; done",
	/* Stopped, it could not be asked. */
	"trap 'echo asked; exit' TERM; echo $$; kill -STOP $$",
};

START_TEST(drain_asks_a_program_to_end)
{
	struct service process;
	int fd;

	start_with(&process, "--drain", "400ms", askable[_i]);
	fd = dial();
	hear_pid(fd);

	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);

	ck_assert_str_eq(hear_all(fd), "asked\n");
	ck_assert_int_eq(wait_child(process.pid), 0);
	close(process.stderr_fd);
	close(fd);
}
END_TEST

static const struct {
	const char *drain, *script;
	int n_signals;
} hangs[] = {
	{ "100ms", "trap '' TERM; echo $$; while :; do sleep 1000; done", 1 },
	{ "0", "trap '' TERM; echo $$; while :; do sleep 1000; done", 1 },
	{ "100ms", "echo $$; kill -STOP $$; while :; do sleep 1000; done", 1 },
	/* One of its group, when the first of it is long gone. */
	{ "100ms", "(trap '' TERM; exec sleep 1000) & echo $!; wait", 1 },
	{ "100ms", "trap 'exit' TERM; sleep 1000 & echo $!; wait", 1 },
	/* Told twice. */
	{ "60s", "trap '' TERM; echo $$; while :; do sleep 1000; done", 2 },
};

START_TEST(nothing_outlives_the_drain)
{
	struct service process;
	pid_t program;
	int fd;

	start_with(&process, "--drain", hangs[_i].drain, hangs[_i].script);
	fd = dial();
	program = hear_pid(fd);

	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
	if (hangs[_i].n_signals == 2) {
		service_logs(&process, "draining");
		ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
	}
	ck_assert_int_eq(wait_child(process.pid), 0);

	client_hears_end(fd);
	ck_assert(!is_alive(program));
	close(process.stderr_fd);
	close(fd);
}
END_TEST

/* ---- command line ---- */

static const struct {
	const char *arguments[12];
	const char *why;
} wrong[] = {
	{ { "uxecho", "-s", "exec", "s", NULL }, "no program to run" },
	{ { "uxecho", "-s", "exec", "s", "--", NULL }, "no program to run" },
	{ { "uxecho", "-s", "exec", "s", "--", "no-such-program", NULL },
	    "the program 'no-such-program' cannot be run: No such file" },
	{ { "uxecho", "-s", "exec", "s", "--", "/etc/passwd", NULL },
	    "the program '/etc/passwd' cannot be run: Permission denied" },
	{ { "uxecho", "-s", "exec", "s", "--", "/", NULL },
	    "the program '/' cannot be run: Permission denied" },
	{ { "uxecho", "-s", "exec", "s", "--", "", NULL },
	    "the program '' cannot be run: No such file" },
	{ { "uxecho", "-s", "exec", "dgram:s", "--", "cat", NULL },
	    "dgram:s: this service takes connections over" },
	{ { "uxecho", "-s", "exec", "-t", "2", "s", "--", "cat", NULL },
	    "--threads 2: --service exec runs in one thread only" },
	{ { "uxecho", "-F", "line", "-s", "exec", "s", "--", "cat", NULL },
	    "--framing is of no use to --service exec" },
	{ { "uxecho", "-b", "1k", "-s", "exec", "s", "--", "cat", NULL },
	    "--buffer is of no use" },
	{ { "uxecho", "-M", "1k", "-s", "exec", "s", "--", "cat", NULL },
	    "--max-message is of no use" },
	{ { "uxecho", "-i", "1s", "-s", "exec", "s", "--", "cat", NULL },
	    "--idle-timeout is of no use" },
	{ { "uxecho", "-w", "1s", "-s", "exec", "s", "--", "cat", NULL },
	    "--write-timeout is of no use" },
};

START_TEST(start_and_check_refuse)
{
	struct output_of result;
	const char *checked[13] = { "uxecho", "--check" };

	run_program(&result, wrong[_i].arguments);
	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, wrong[_i].why));

	for (int i = 1; wrong[_i].arguments[i] != NULL; i++)
		checked[i + 1] = wrong[_i].arguments[i];
	run_program(&result, checked);
	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, wrong[_i].why));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(check_shows_what_would_be_run)
{
	const char *const arguments[] = { "uxecho", "--check", "-s", "exec",
		"s", "--", "./prog", "--check", NULL };
	struct output_of result;
	char line[512];

	write_file("prog", "#!/bin/sh\n", 0755);

	run_program(&result, arguments);

	ck_assert_int_eq(result.status, 0);
	snprintf(line, sizeof(line), "service: exec\n  program: %s\n",
	    harness_path("./prog"));
	ck_assert_ptr_nonnull(strstr(result.out, line));
}
END_TEST

Suite *
suite_exec(void)
{
	Suite *suite = suite_create("uxecho exec");
	TCase *data = harness_case(suite, "data");
	TCase *environment = harness_case(suite, "environment");
	TCase *state = harness_case(suite, "state");
	TCase *end = harness_case(suite, "end");
	TCase *limits = harness_case(suite, "limits");
	TCase *drain = harness_case(suite, "drain");
	TCase *options = harness_case(suite, "options");

	tcase_add_loop_test(data, program_reads_and_writes_the_connection,
	    UXS_STREAM, UXS_DGRAM);
	tcase_add_test(data, bare_path_is_the_stream_socket_alone);
	tcase_add_test(data, what_a_program_said_arrives_when_it_reads_nothing);
	tcase_add_test(environment, environment_is_ours_and_the_client);
	tcase_add_loop_test(environment, program_is_told_what_s6_tells, 0,
	    N_OF(client_names));
	tcase_add_test(environment, what_is_not_known_is_not_set);
	tcase_add_test(environment, more_groups_than_fit_are_not_set);
	tcase_add_test(state, program_has_three_descriptors);
	tcase_add_test(state, its_socket_is_blocking);
	tcase_add_test(state, its_signals_are_as_at_a_login);
	tcase_add_test(state,
	    its_soft_limit_of_descriptors_is_ours_of_the_start);
	tcase_add_test(state, soft_limit_is_the_same_after_an_upgrade);
	tcase_add_test(state, it_runs_as_the_user_of_the_daemon);
	tcase_add_loop_test(end, end_of_the_program_ends_the_connection, 0,
	    N_OF(ends));
	tcase_add_test(end, what_a_program_leaves_behind_loses_the_connection);
	tcase_add_test(end, program_that_is_gone_is_told_and_counted);
	tcase_add_test(limits, place_is_taken_until_the_program_ends);
	tcase_add_test(limits, many_programs_run_at_once);
	tcase_add_test(limits, who_is_not_allowed_any_more_loses_the_program);
	tcase_add_test(drain, drain_lets_a_program_finish_with_its_input);
	tcase_add_loop_test(drain, drain_asks_a_program_to_end, 0,
	    N_OF(askable));
	tcase_add_loop_test(drain, nothing_outlives_the_drain, 0, N_OF(hangs));
	tcase_add_loop_test(options, start_and_check_refuse, 0, N_OF(wrong));
	tcase_add_test(options, check_shows_what_would_be_run);
	return suite;
}
