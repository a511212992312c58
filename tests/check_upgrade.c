/* SPDX-License-Identifier: ISC */
/*
 * SIGUSR2: uxecho is replaced by what is at its path, and nobody who connects
 * is refused; or it is not replaced, says why, and goes on.
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 20000

static int log_fd = -1;
static char log_text[OUTPUT_MAX];
static size_t log_at; /* what is before has been waited for */

/* ---- the language of this file ---- */

/* Each upgrade is an orphan when the one before it has ended. */
static void
adopt_orphans(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

/* Returns where it is, in what was logged since the last time. */
static const char *
logs(const char *words)
{
	struct pollfd ready = { .fd = log_fd, .events = POLLIN };
	size_t used = strlen(log_text);
	const char *found;
	ssize_t n;

	while ((found = strstr(log_text + log_at, words)) == NULL) {
		if (poll(&ready, 1, PATIENCE_MS) <= 0 ||
		    (n = read(log_fd, log_text + used,
			 sizeof(log_text) - 1 - used)) <= 0)
			ck_abort_msg("not in the log: %s; but: %s", words,
			    log_text + log_at);
		used += (size_t)n;
		log_text[used] = '\0';
	}
	log_at = (size_t)(found - log_text) + strlen(words);
	return found;
}

static void
copy_file(const char *from, const char *to)
{
	const int in = open(from, O_RDONLY | O_CLOEXEC);
	const int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char bytes[1 << 16];
	ssize_t n;

	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(out, 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq(write(out, bytes, (size_t)n), n);
	ck_assert_int_eq(n, 0);
	close(in);
	close(out);
}

/* Our own copy, so that another file can take its place. */
static void
install(void)
{
	if (!is_there("bin")) {
		ck_assert_int_eq(mkdir("bin", 0755), 0);
		copy_file(program("uxecho"), "bin/real");
	}
	unlink("bin/uxecho");
	ck_assert_int_eq(link("bin/real", "bin/uxecho"), 0);
}

/* Whoever executes it anew gets that. */
static void
install_script(const char *text)
{
	ck_assert_int_eq(unlink("bin/uxecho"), 0);
	write_file("bin/uxecho", text, 0755);
}

static void
exec_it(const char *const arguments[], int err)
{
	const char *argv[16] = { "bin/uxecho", "--ready-fd", "9" };

	dup2(err, STDERR_FILENO);
	for (int i = 0; arguments[i] != NULL; i++)
		argv[3 + i] = arguments[i];
	signal(SIGPIPE, SIG_DFL);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Children of those that have ended. */
static void
reap_orphans(void)
{
	while (count_children() > 0)
		wait_child(-1);
}

static pid_t
start(const char *const arguments[])
{
	int ready[2], err[2];
	char newline;
	pid_t pid;

	adopt_orphans();
	install();
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		dup2(ready[1], 9);
		exec_it(arguments, err[1]);
	}
	close(ready[1]);
	close(err[1]);
	log_fd = err[0];
	log_text[0] = '\0';
	log_at = 0;
	if (read(ready[0], &newline, 1) != 1)
		logs("(why it does not start)");
	close(ready[0]);
	return pid;
}

static void
send_signal(pid_t pid, int signal)
{
	ck_assert_int_eq(kill(pid, signal), 0);
}

static void
ends_well(pid_t pid)
{
	ck_assert_int_eq(wait_child(pid), 0);
}

static void
stop(pid_t pid)
{
	send_signal(pid, SIGTERM);
	ends_well(pid);
	close(log_fd);
	ck_assert_int_eq(unlink("bin/uxecho") + unlink("bin/real") +
		rmdir("bin"),
	    0);
}

/* Returns the pid of the one that serves now. */
static pid_t
upgrade(pid_t pid)
{
	send_signal(pid, SIGUSR2);
	logs(" has taken over");
	log_text[log_at - 1] = '\0'; /* of its number is what is left of it */
	return (pid_t)strtol(strstr(strrchr(log_text, ':'), "process ") +
		strlen("process "),
	    NULL, 10);
}

static void
is_answered(int fd)
{
	SAYS(fd, "hello");
	HEARS(fd, "hello");
}

static void
serves(void)
{
	int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);
	close(fd);
	fd = client_connect(UXS_DGRAM, "s.dgram");
	is_answered(fd);
	close(fd);
}

/* Of those who connect after the first answer of it. */
static pid_t
listener(void)
{
	struct ucred who = { .pid = 0 };
	socklen_t length = sizeof(who);
	int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);
	close(fd);
	fd = client_connect(UXS_STREAM, "s");
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length),
	    0);
	close(fd);
	return who.pid;
}

/* What clients of datagrams are bound to stays. */
static void
nothing_is_left(void)
{
	const char *const names[] = { "s", "s.lock", "s.dgram", "s.dgram.lock",
		"q", "q.lock", "pid", "f", "f.lock" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(!is_there(names[i]), "%s is left", names[i]);
}

static long
number_in(const char *path)
{
	char text[32] = "";
	FILE *file = fopen(path, "re");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	return strtol(text, NULL, 10);
}

static const char *const plain[] = { "s", NULL };

/* ---- what changes, and what does not ---- */

START_TEST(next_one_serves_and_sessions_go_on)
{
	pid_t old = start(plain), next;
	int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);
	next = upgrade(old);

	ck_assert_int_ne(next, old);
	serves();
	ck_assert_int_eq(listener(), next);
	is_answered(fd);
	close(fd);
	ends_well(old);
	serves();
	stop(next);
	nothing_is_left();
}
END_TEST

START_TEST(session_that_stays_is_drained_after_the_drain_time)
{
	const char *const arguments[] = { "-T", "1s", "s", NULL };
	pid_t old = start(arguments), next;
	int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);
	next = upgrade(old);

	client_hears_end(fd);
	close(fd);
	ends_well(old);
	stop(next);
}
END_TEST

/* Mode of the system call filter; 0: it has none. */
static long
filter_of(pid_t pid)
{
	char path[64], line[256];
	long mode = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "Seccomp:", strlen("Seccomp:")) == 0)
			mode = strtol(line + strlen("Seccomp:"), NULL, 10);
	}
	fclose(file);
	return mode;
}

/* The program could not be executed from within, and does not stay outside. */
START_TEST(next_one_is_confined_as_well)
{
	pid_t old = start(plain), next;
	const long filter = filter_of(old);

	next = upgrade(old);
	ends_well(old);

	serves();
	ck_assert_int_eq(filter_of(next), filter);
	stop(next);
}
END_TEST

/* How long each of some answers is, of those to a first connection. */
#define N_ANSWERS 40

static void
read_lengths(char lengths[N_ANSWERS + 1])
{
	const int fd = client_connect(UXS_SEQPACKET, "s");

	for (int i = 0; i < N_ANSWERS; i++) {
		char answer[16];
		ssize_t n;

		SAYS(fd, "12345678");
		n = recv(fd, answer, sizeof(answer), 0);
		ck_assert_int_gt(n, 0);
		lengths[i] = (char)('0' + n);
	}
	lengths[N_ANSWERS] = '\0';
	close(fd);
}

/* A second one, too, to which it was handed over. */
START_TEST(faults_go_on_with_the_seed_that_was_drawn)
{
	const char *const arguments[] = { "--fault", "short=50%", "seqpacket:s",
		NULL };
	char first[N_ANSWERS + 1], lengths[N_ANSWERS + 1];
	pid_t old = start(arguments);

	read_lengths(first);
	ck_assert_ptr_nonnull(strchr(first, '8'));
	for (int i = 0; i < 2; i++) {
		const pid_t next = upgrade(old);

		ends_well(old);
		read_lengths(lengths);
		ck_assert_str_eq(lengths, first);
		old = next;
	}
	stop(old);
}
END_TEST

/* The socket is another one's then. */
START_TEST(delayed_answers_to_datagrams_are_sent_before)
{
	const char *const arguments[] = { "--fault", "delay=1h", "dgram:s",
		NULL };
	const pid_t old = start(arguments);
	const int fd = client_connect(UXS_DGRAM, "s");
	pid_t next;

	SAYS(fd, "hello");
	next = upgrade(old);

	HEARS(fd, "hello");
	close(fd);
	ends_well(old);
	stop(next);
}
END_TEST

START_TEST(files_name_the_one_that_serves)
{
	const char *const arguments[] = { "-p", "pid", "s", NULL };
	pid_t old = start(arguments), next;

	ck_assert_int_eq(number_in("pid"), old);
	next = upgrade(old);
	ends_well(old);
	serves(); /* whoever answers has written it before */

	ck_assert_int_eq(number_in("pid"), next);
	ck_assert_int_eq(number_in("s.lock"), next);
	stop(next);
	nothing_is_left();
}
END_TEST

START_TEST(no_descriptor_is_left_over)
{
	const char *const arguments[] = { "-p", "pid", "-t", "2", "s", NULL };
	pid_t pid = start(arguments), next;
	int n;

	serves();
	n = count_descriptors_of(pid);
	for (int i = 0; i < 3; i++) {
		next = upgrade(pid);
		ends_well(pid);
		pid = next;
		serves();
	}

	/* A session that has just ended may not be closed yet. */
	for (int i = 0; i < 1000 && count_descriptors_of(pid) > n; i++)
		serves();
	ck_assert_int_le(count_descriptors_of(pid), n);
	stop(pid);
}
END_TEST

START_TEST(address_is_never_free)
{
	struct output_of second;
	const char *const argv[] = { "uxecho", "s", NULL };
	pid_t old = start(plain), next;
	int fd = client_connect(UXS_STREAM, "s");

	is_answered(fd);
	next = upgrade(old);
	run_program(&second, argv);
	ck_assert_int_eq(second.status, 69);
	close(fd);
	ends_well(old);

	run_program(&second, argv);

	ck_assert_int_eq(second.status, 69);
	stop(next);
}
END_TEST

/* HOST:PORT, as it was logged when it started. */
static void
served(const char *type, char name[64])
{
	const char *found = logs(type);

	logs("\n");
	sscanf(found + strlen(type), "%63[^\n]", name);
}

/* Also where there are several. */
START_TEST(port_that_the_kernel_chose_stays)
{
	const char *const arguments[] = { "-a", "any", "tcp:127.0.0.1:0",
		"udp:127.0.0.1:0", "udp:127.0.0.1:0", NULL };
	char tcp[64], udp[2][64];
	pid_t old = start(arguments), next;
	int fds[3];

	served("tcp:", tcp);
	served("udp:", udp[0]);
	served("udp:", udp[1]);
	fds[0] = loopback_connect_to(SOCK_DGRAM, udp[0]);
	fds[1] = loopback_connect_to(SOCK_DGRAM, udp[1]);
	next = upgrade(old);
	ends_well(old);

	is_answered(fds[0]);
	is_answered(fds[1]);
	fds[2] = loopback_connect_to(SOCK_STREAM, tcp);
	is_answered(fds[2]);
	close_all(fds, 3);
	stop(next);
}
END_TEST

START_TEST(rules_are_read_anew_and_set_the_mode)
{
	const char *const arguments[] = { "-f", "rules", "s", NULL };
	pid_t old, next;

	write_file("rules", "deny uid:77\n", 0644);
	old = start(arguments);
	ck_assert_uint_eq(mode_of("s"), 0600);
	write_file("rules", "allow any\n", 0644);

	next = upgrade(old);
	ends_well(old);
	serves();

	ck_assert_uint_eq(mode_of("s"), 0666);
	stop(next);
	ck_assert_int_eq(unlink("rules"), 0);
}
END_TEST

START_TEST(it_works_in_the_background)
{
	const char *const argv[] = { "bin/uxecho", "-q", "-D", "-p", "pid", "s",
		NULL };
	struct output_of result;
	char path[64], target[64] = "";
	pid_t old, next;

	adopt_orphans();
	install();
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%s", result.err);
	old = (pid_t)number_in("pid");

	send_signal(old, SIGUSR2);
	ends_well(old);
	serves();

	next = (pid_t)number_in("pid");
	ck_assert_int_ne(next, old);
	snprintf(path, sizeof(path), "/proc/%ld/cwd", (long)next);
	ck_assert_int_gt(readlink(path, target, sizeof(target) - 1), 0);
	ck_assert_str_eq(target, "/");
	log_fd = -1;
	stop(next);
	nothing_is_left();
}
END_TEST

START_TEST(user_stays_and_root_s_files_are_removed)
{
	const char *const arguments[] = { "-u", "1500:1500", "-p", "pid", "s",
		NULL };
	pid_t old, next;
	struct stat st;
	char path[64];

	SKIP_UNLESS_ROOT();
	old = start(arguments);
	next = upgrade(old);
	ends_well(old);

	ck_assert_int_eq(listener(), next);
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)next);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, OTHER_UID);
	ck_assert(is_there("s"));
	stop(next);
	reap_orphans(); /* the process of root */
	nothing_is_left();
}
END_TEST

/* ---- the service manager ---- */

static void
hears_manager(int fd, const char *words)
{
	char text[1024] = "";

	while (strstr(text, words) == NULL) {
		const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		ck_assert_int_gt(n, 0);
		text[n] = '\0';
		ck_assert_ptr_null(strstr(text, "STOPPING=1"));
	}
}

START_TEST(manager_is_told_the_pid_before_it_is_ready)
{
	const int manager = bound_socket(UXS_DGRAM, "notify");
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	char words[64];
	pid_t old, next;

	setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	setenv("NOTIFY_SOCKET", harness_path("notify"), 1);
	old = start(plain);
	unsetenv("NOTIFY_SOCKET");
	hears_manager(manager, "READY=1");

	next = upgrade(old);

	snprintf(words, sizeof(words), "MAINPID=%ld", (long)next);
	hears_manager(manager, words);
	snprintf(words, sizeof(words), "READY=1\nMAINPID=%ld", (long)next);
	hears_manager(manager, words);
	ends_well(old);
	close(manager);
	stop(next);
	ck_assert_int_eq(unlink("notify"), 0);
}
END_TEST

static void
exec_activated(void *arg)
{
	const char *const argv[] = { "bin/uxecho", NULL };
	const int *fds = arg;
	char pid[16];

	dup2(fds[1], STDERR_FILENO);
	dup2(fds[0], 3);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

START_TEST(inherited_sockets_go_along)
{
	int fds[3] = { bound_socket(UXS_STREAM, "s") };
	pid_t old, next;
	int fd;

	adopt_orphans();
	install();
	ck_assert_int_eq(listen(fds[0], 8), 0);
	ck_assert_int_eq(pipe2(fds + 1, O_CLOEXEC), 0);
	log_fd = fds[1];
	fds[1] = fds[2];
	old = start_child(exec_activated, fds);
	close(fds[1]);
	logs("serving the inherited");

	next = upgrade(old);
	ends_well(old);

	fd = client_connect(UXS_STREAM, "s");
	is_answered(fd);
	close(fd);
	stop(next);
	ck_assert(is_there("s")); /* it is the manager's */
	close(fds[0]);
	ck_assert_int_eq(unlink("s"), 0);
}
END_TEST

/* ---- what goes wrong ---- */

static const struct {
	const char *script; /* NULL: the program is not there */
	const char *words;
} failures[] = {
	{ NULL, "uxecho: No such file or directory" },
	{ "#!/bin/sh\nexit 3\n", "ended with status 3" },
	{ "#!/bin/sh\nkill -SEGV $$\n", "was killed by signal 11" },
	{ "#!/bin/sh\nexec ./bin/real --nonsense\n",
	    "unknown option '--nonsense'" },
	{ "#!/bin/sh\nexec ./bin/real -f none s\n", "none" },
	{ "#!/bin/sh\nexec ./bin/real stream:no/dir/s\n", "no does not exist" },
	{ "#!/bin/sh\nexec sleep 1000\n", "was not ready within 1s" },
};

START_TEST(old_one_goes_on_and_says_why)
{
	const char *const arguments[] = { "-T", "1s", "-p", "pid", "s", NULL };
	pid_t old = start(arguments), next;
	int fd = client_connect(UXS_STREAM, "s");

	if (failures[_i].script != NULL)
		install_script(failures[_i].script);
	else
		ck_assert_int_eq(unlink("bin/uxecho"), 0);
	send_signal(old, SIGUSR2);
	logs("no upgrade, this process goes on: ");
	logs(failures[_i].words);

	is_answered(fd);
	serves();
	ck_assert_int_eq(number_in("pid"), old);
	ck_assert_int_eq(listener(), old);
	close(fd);

	install();
	next = upgrade(old);
	ends_well(old);
	stop(next);
	reap_orphans(); /* a sanitizer's, of one that was killed at its end */
	nothing_is_left();
}
END_TEST

/* It waits at the gate until somebody opens it. */
static const char gated[] = "#!/bin/sh\nread word <gate\n"
			    "exec ./bin/real \"$@\"\n";

static void
make_gate(void)
{
	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	install_script(gated);
}

static void
open_gate(void)
{
	const int fd = open("gate", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "go\n", 3), 3);
	close(fd);
	ck_assert_int_eq(unlink("gate"), 0);
}

START_TEST(second_signal_during_an_upgrade_does_nothing)
{
	pid_t old = start(plain), next;

	make_gate();
	send_signal(old, SIGUSR2);
	logs("starting a new process");
	send_signal(old, SIGUSR2);
	logs("under way already");

	open_gate();

	logs(" has taken over");
	ends_well(old);
	next = listener();
	serves();
	stop(next);
}
END_TEST

START_TEST(stop_during_an_upgrade_stops_both)
{
	pid_t old = start(plain);

	make_gate();
	send_signal(old, SIGUSR2);
	logs("starting a new process");

	stop(old);

	ck_assert_int_eq(unlink("gate"), 0);
	reap_orphans(); /* what was killed, and the keeper */
	nothing_is_left();
}
END_TEST

START_TEST(reload_during_an_upgrade_is_not_lost)
{
	const char *const arguments[] = { "-f", "rules", "s", NULL };
	pid_t old, next;

	write_file("rules", "allow any\n", 0644);
	old = start(arguments);
	make_gate();
	send_signal(old, SIGUSR2);
	logs("starting a new process");

	send_signal(old, SIGHUP);
	logs("rules were read again");
	open_gate();

	logs("rules were read again");
	ends_well(old);
	next = listener();
	stop(next);
	ck_assert_int_eq(unlink("rules"), 0);
}
END_TEST

START_TEST(next_one_serves_when_the_old_one_is_killed_meanwhile)
{
	pid_t old = start(plain), next;
	int fd = client_connect(UXS_STREAM, "s"), waiting;

	is_answered(fd);
	make_gate();
	send_signal(old, SIGUSR2);
	logs("starting a new process");
	send_signal(old, SIGKILL);
	ck_assert_int_eq(wait_child(old), 128 + SIGKILL);
	waiting = client_connect(UXS_STREAM, "s");

	open_gate();

	is_answered(waiting);
	close(waiting);
	close(fd);
	next = listener();
	ck_assert_int_ne(next, old);
	stop(next);
	reap_orphans();
	nothing_is_left();
}
END_TEST

static void
read_proc(pid_t pid, const char *name, char text[4096])
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	memset(text, 0, 4096);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	if (read(fd, text, 4095) < 0)
		text[0] = '\0';
	close(fd);
}

/* 0: it has none yet. */
static pid_t
child_of(pid_t pid)
{
	char name[64], text[4096];

	snprintf(name, sizeof(name), "task/%ld/children", (long)pid);
	read_proc(pid, name, text);
	return (pid_t)strtol(text, NULL, 10);
}

/* The keeper's child, once it is there. */
static pid_t
next_of(pid_t pid)
{
	pid_t next;

	while ((next = child_of(child_of(pid))) == 0)
		sched_yield();
	return next;
}

/* It has its own keeper, and reads from who is to leave. */
static bool
waits_for_its_turn(pid_t next)
{
	char text[4096], call[64];
	const char *at;

	read_proc(next, "environ", text);
	at = memmem(text, sizeof(text), "UXECHO_UPGRADE=", 15);
	if (at == NULL || child_of(next) == 0)
		return false;
	snprintf(call, sizeof(call), "%d 0x%lx ", SYS_recvmsg,
	    strtoul(at + 15, NULL, 10));
	read_proc(next, "syscall", text);
	return strncmp(text, call, strlen(call)) == 0;
}

START_TEST(old_one_goes_on_when_the_next_one_is_killed_when_ready)
{
	pid_t old, next;

	if (access("/proc/self/syscall", R_OK) < 0) {
		skip("the kernel shows no system calls in /proc");
		return;
	}
	old = start(plain);
	make_gate();
	send_signal(old, SIGUSR2);
	logs("starting a new process");
	next = next_of(old);
	send_signal(old, SIGSTOP);
	open_gate();
	while (!waits_for_its_turn(next))
		sched_yield();

	send_signal(next, SIGKILL);
	while (kill(next, 0) == 0)
		sched_yield();
	send_signal(old, SIGCONT);

	logs("no upgrade, this process goes on: ");
	logs("killed by signal 9");
	serves();
	stop(old);
	reap_orphans();
	nothing_is_left();
}
END_TEST

START_TEST(without_a_keeper_it_serves_on)
{
	pid_t old = start(plain), keeper;

	ck_assert_int_ne(keeper = child_of(old), 0);
	send_signal(keeper, SIGTERM); /* not for it */
	send_signal(keeper, SIGKILL);
	while (kill(keeper, 0) == 0)
		serves(); /* each answer is a turn, in which it is missed */

	send_signal(old, SIGUSR2);

	logs("there is no process that could start a new one");
	serves();
	stop(old);
}
END_TEST

static const char *const junk[] = { "", "junk", "-1", "2", "999",
	"99999999999" };

START_TEST(junk_in_the_environment_is_refused)
{
	const char *const argv[] = { "uxecho", "s", NULL };
	struct output_of result;

	setenv("UXECHO_UPGRADE", junk[_i], 1);
	run_program(&result, argv);
	unsetenv("UXECHO_UPGRADE");

	ck_assert_int_eq(result.status, 78);
	ck_assert_ptr_nonnull(strstr(result.err, "UXECHO_UPGRADE="));
	nothing_is_left();
}
END_TEST

/* ---- under load ---- */

#define N_UPGRADES 20

/* Clients go on until this file is there. */
#define OVER "over"

/* A client that fails ends with a status of its own. */
static void
connect_and_ask(void *arg)
{
	while (!is_there(OVER)) {
		const int fd = client_try(*(enum uxs_type *)arg,
		    *(enum uxs_type *)arg == UXS_STREAM ? "s" : "q");

		ck_assert_int_ge(fd, 0);
		is_answered(fd);
		close(fd);
	}
}

/* The figures are there all the time, too. */
static void
has_figures(void)
{
	char first[16];
	const int fd = client_connect(UXS_STREAM, "f");

	client_ends(fd);
	ck_assert_int_gt(recv(fd, first, sizeof(first), 0), 0);
	ck_assert_int_eq(first[0], '#');
	close(fd);
}

/* Several are on their way at each moment, and come back in order. */
static void
send_numbers(void *arg)
{
	const int fd = client_connect(UXS_DGRAM, "s.dgram");
	unsigned sent = 0, heard = 0, number;

	while (!is_there(OVER) || heard < sent) {
		if (!is_there(OVER) && sent - heard < 4) {
			ck_assert_int_eq(send(fd, &sent, sizeof(sent), 0),
			    sizeof(sent));
			sent++;
		} else {
			ck_assert_int_eq(recv(fd, &number, sizeof(number), 0),
			    sizeof(number));
			ck_assert_uint_eq(number, heard);
			heard++;
		}
	}
	ck_assert_uint_gt(heard, 0);
	close(fd);
}

START_TEST(nobody_is_refused_and_nothing_is_lost)
{
	const char *const arguments[] = { "-T", "60s", "-t", "2", "-S", "f",
		"s", "seqpacket:q", NULL };
	static enum uxs_type types[] = { UXS_STREAM, UXS_STREAM,
		UXS_SEQPACKET };
	pid_t pid = start(arguments), clients[4], next;

	for (int i = 0; i < 3; i++)
		clients[i] = start_child(connect_and_ask, &types[i]);
	clients[3] = start_child(send_numbers, NULL);

	for (int i = 0; i < N_UPGRADES; i++) {
		next = upgrade(pid);
		has_figures();
		ends_well(pid);
		pid = next;
		log_text[log_at = 0] = '\0';
	}

	write_file(OVER, "", 0600);
	for (int i = 0; i < 4; i++)
		ends_well(clients[i]);
	stop(pid);
	nothing_is_left();
}
END_TEST

Suite *
suite_upgrade(void)
{
	Suite *suite = suite_create("upgrade");
	TCase *change = harness_case(suite, "change");
	TCase *manager = harness_case(suite, "manager");
	TCase *failure = harness_case(suite, "failure");
	TCase *load = harness_case(suite, "load");

	tcase_add_test(change, next_one_serves_and_sessions_go_on);
	tcase_add_test(change,
	    session_that_stays_is_drained_after_the_drain_time);
	tcase_add_test(change, next_one_is_confined_as_well);
	tcase_add_test(change, faults_go_on_with_the_seed_that_was_drawn);
	tcase_add_test(change, delayed_answers_to_datagrams_are_sent_before);
	tcase_add_test(change, files_name_the_one_that_serves);
	tcase_add_test(change, no_descriptor_is_left_over);
	tcase_add_test(change, address_is_never_free);
	tcase_add_test(change, port_that_the_kernel_chose_stays);
	tcase_add_test(change, rules_are_read_anew_and_set_the_mode);
	tcase_add_test(change, it_works_in_the_background);
	tcase_add_test(change, user_stays_and_root_s_files_are_removed);

	tcase_add_test(manager, manager_is_told_the_pid_before_it_is_ready);
	tcase_add_test(manager, inherited_sockets_go_along);

	tcase_add_loop_test(failure, old_one_goes_on_and_says_why, 0,
	    (int)(sizeof(failures) / sizeof(failures[0])));
	tcase_add_test(failure, second_signal_during_an_upgrade_does_nothing);
	tcase_add_test(failure, stop_during_an_upgrade_stops_both);
	tcase_add_test(failure, reload_during_an_upgrade_is_not_lost);
	tcase_add_test(failure,
	    next_one_serves_when_the_old_one_is_killed_meanwhile);
	tcase_add_test(failure,
	    old_one_goes_on_when_the_next_one_is_killed_when_ready);
	tcase_add_test(failure, without_a_keeper_it_serves_on);
	tcase_add_loop_test(failure, junk_in_the_environment_is_refused, 0,
	    (int)(sizeof(junk) / sizeof(junk[0])));

	tcase_add_test(load, nobody_is_refused_and_nothing_is_lost);
	return suite;
}
