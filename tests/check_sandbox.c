/* SPDX-License-Identifier: ISC */
/*
 * The sandbox: what a confined process really cannot do, each tried in a child
 * that went in as the daemon does; then the daemon in it. That the daemon can
 * still do all that it should is what every other suite shows, since it is
 * confined in all of them.
 */
#include "harness.h"
#include "suites.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "uxecho/options.h"
#include "uxecho/sandbox.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* Exit status of a child that a system call ended. */
#define KILLED (128 + SIGSYS)

/* What a child says that could not get as far as the attempt; no errno. */
#define NOT_TRIED 127

/* ---- going in ---- */

/* What the attempts need was made before. */
static int outside_fd, inet_fd;

static bool
go_in(const char *const arguments[])
{
	char *argv[8] = { (char[]){ "uxecho" } };
	struct sandbox sandbox = SANDBOX_CLOSED;
	struct options options;
	struct uxs_error why;
	int n = 1;

	while (arguments[n - 1] != NULL) {
		argv[n] = strdup(arguments[n - 1]);
		n++;
	}
	optind = 1;
	outside_fd = open("../..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	inet_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return options_parse(&options, n, argv, &why) == 0 &&
	    sandbox_open(&sandbox, &options, &why) == 0 &&
	    sandbox_enter(&sandbox, &why) == 0;
}

/* Is there all that a row is about? */
static bool
has(bool needs_landlock, int abi)
{
	struct options options;
	struct sandbox sandbox;
	struct uxs_error why;
	char *argv[] = { (char[]){ "uxecho" }, (char[]){ "s" }, NULL };

	optind = 1;
	ck_assert_int_eq(options_parse(&options, 2, argv, &why), 0);
	sandbox_probe(&sandbox, &options);
	options_fini(&options);
	if (needs_landlock)
		return sandbox.landlock == SANDBOX_HAS && sandbox.abi >= abi;
	return sandbox.seccomp == SANDBOX_HAS;
}

struct attempt {
	const char *name;
	int (*make)(void); /* 0 or -1 and errno */
	int expected; /* KILLED, an errno, or 0 */
	const char *const *arguments; /* NULL: those of a path */
	bool is_landlock; /* what keeps us from it; otherwise seccomp */
	int abi;
};

static void
try(void *arg)
{
	static const char *const of_path[] = { "s", NULL };
	const struct attempt *a = arg;
	int r;

	if (!go_in(a->arguments != NULL ? a->arguments : of_path))
		_exit(NOT_TRIED);
	errno = 0;
	r = a->make();
	_exit(r < 0 ? errno : 0);
}

static void
ends_as_expected(const struct attempt *a)
{
	struct attempt copy = *a;
	const struct rlimit none = { 0, 0 };
	int status;

	if (!has(a->is_landlock, a->abi)) {
		skip("no such sandbox in this kernel or this build");
		return;
	}
	setrlimit(RLIMIT_CORE, &none);
	/* What is outside is still in this test's directory. */
	write_file("new", "outside", 0644);
	ck_assert_int_eq(mkdir("above", 0755), 0);
	ck_assert_int_eq(mkdir("above/again", 0755), 0);
	ck_assert_int_eq(mkdir("above/inside", 0755), 0);
	ck_assert_int_eq(chdir("above/inside"), 0);
	write_file("file", "secret", 0644);
	write_file("rules", "allow root\n", 0600);
	status = wait_child(start_child(try, &copy));
	ck_assert_msg(status == a->expected, "%s: %d instead of %d", a->name,
	    status, a->expected);
}

/* ---- what must not be possible ---- */

static const char *const of_rules[] = { "-f", "rules", "@sandbox", NULL };
static const char *const of_ignored[] = { "-L", "ignore", "s", NULL };
static const char *const of_name[] = { "-a", "any", "@sandbox", NULL };

/* Relative names would do as well, but these show what is meant. */
static int
open_and_close(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int
read_users(void)
{
	return open_and_close("/etc/passwd", O_RDONLY);
}

static int
read_outside(void)
{
	return open_and_close("/proc/version", O_RDONLY);
}

static int
list_root(void)
{
	return open_and_close("/", O_RDONLY | O_DIRECTORY);
}

static int
write_inside(void)
{
	return open_and_close("file", O_WRONLY);
}

static int
make_inside(void)
{
	return open_and_close("new", O_RDONLY | O_CREAT);
}

static int
write_outside(void)
{
	return open_and_close("/dev/null", O_WRONLY);
}

static int
make_outside(void)
{
	return openat(outside_fd, "other", O_WRONLY | O_CREAT, 0600);
}

static int
make_directory(void)
{
	return mkdir("directory", 0700);
}

static int
remove_outside(void)
{
	return unlinkat(outside_fd, "new", 0);
}

static int
remove_inside(void)
{
	return unlink("file");
}

static int
remove_file_of_rules(void)
{
	return unlink("rules");
}

static int
bind_path(const char *path)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa));
}

static int
bind_outside(void)
{
	return bind_path("../../other");
}

/* Not the directory of the start, but where that may be one day. */
static int
bind_in_directory_made_again(void)
{
	return bind_path("../again/s");
}

static int
bind_inside(void)
{
	return bind_path("new");
}

static struct sockaddr_in
loopback(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
}

static int
bind_tcp(void)
{
	const struct sockaddr_in sa = loopback();

	return bind(inet_fd, (const struct sockaddr *)&sa, sizeof(sa));
}

static int
connect_tcp(void)
{
	const struct sockaddr_in sa = loopback();

	return connect(inet_fd, (const struct sockaddr *)&sa, sizeof(sa));
}

static int
run_shell(void)
{
	char *const argv[] = { (char[]){ "sh" }, NULL };

	return execve("/bin/sh", argv, argv + 1);
}

static int
start_process(void)
{
	return fork();
}

static int
start_process_by_clone3(void)
{
	const uint64_t arguments[8] = { 0, 0, 0, 0, SIGCHLD };

	return (int)syscall(SYS_clone3, arguments, sizeof(arguments));
}

static int
make_inet_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
make_netlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int
trace_parent(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
signal_parent(void)
{
	return kill(getppid(), 0);
}

static int
signal_thread_of_parent(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
mount_something(void)
{
	return mount("none", ".", "tmpfs", 0, NULL);
}

static int
become_root(void)
{
	return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static int
load_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
make_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int
map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
	    -1 :
	    0;
}

static int
make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
type_on_terminal(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static int
change_own_process(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int
make_unknown_call(void)
{
	return (int)syscall(0xffff);
}

static int
make_call_without_need(void)
{
	return (int)syscall(SYS_getpriority, 0, 0);
}

static int
leave_by_another_table(void)
{
#ifdef __x86_64__
	/* The same call by its number of x32. */
	return (int)syscall(0x40000000 | SYS_getpid);
#else
	/* No processor but x86-64 has such numbers here. */
	return (int)syscall(SYS_execve, NULL, NULL, NULL);
#endif
}

static const struct attempt denied[] = {
	{ "read_users", read_users, EACCES, NULL, true, 1 },
	{ "read_outside", read_outside, EACCES, NULL, true, 1 },
	{ "read_outside", read_outside, EACCES, of_rules, true, 1 },
	{ "list_root", list_root, EACCES, NULL, true, 1 },
	{ "list_root", list_root, EACCES, of_rules, true, 1 },
	{ "write_outside", write_outside, EACCES, NULL, true, 1 },
	{ "make_outside", make_outside, EACCES, NULL, true, 1 },
	{ "remove_outside", remove_outside, EACCES, NULL, true, 1 },
	{ "remove_file_of_rules", remove_file_of_rules, EACCES, of_rules, true,
	    1 },
	{ "bind_outside", bind_outside, EACCES, NULL, true, 1 },
	{ "bind_inside", bind_inside, EACCES, of_name, true, 1 },
	{ "bind_inside", bind_inside, EACCES, of_ignored, true, 1 },
	{ "write_inside", write_inside, KILLED, of_ignored, false, 0 },
	{ "bind_tcp", bind_tcp, EACCES, NULL, true, 4 },
	{ "connect_tcp", connect_tcp, EACCES, NULL, true, 4 },
	{ "write_inside", write_inside, KILLED, of_name, false, 0 },
	{ "make_inside", make_inside, KILLED, of_name, false, 0 },
	{ "make_directory", make_directory, ENOSYS, NULL, false, 0 },
	{ "run_shell", run_shell, KILLED, NULL, false, 0 },
	{ "start_process", start_process, KILLED, NULL, false, 0 },
	{ "start_process_by_clone3", start_process_by_clone3, ENOSYS, NULL,
	    false, 0 },
	{ "make_inet_socket", make_inet_socket, KILLED, NULL, false, 0 },
	{ "make_inet_socket", make_inet_socket, EAFNOSUPPORT, of_rules, false,
	    0 },
	{ "make_netlink_socket", make_netlink_socket, KILLED, NULL, false, 0 },
	{ "trace_parent", trace_parent, KILLED, NULL, false, 0 },
	{ "signal_parent", signal_parent, KILLED, NULL, false, 0 },
	{ "signal_thread_of_parent", signal_thread_of_parent, KILLED, NULL,
	    false, 0 },
	{ "mount_something", mount_something, KILLED, NULL, false, 0 },
	{ "become_root", become_root, KILLED, NULL, false, 0 },
	{ "load_bpf", load_bpf, KILLED, NULL, false, 0 },
	{ "make_uring", make_uring, KILLED, NULL, false, 0 },
	{ "map_executable", map_executable, EPERM, NULL, false, 0 },
	{ "make_executable", make_executable, EPERM, NULL, false, 0 },
	{ "type_on_terminal", type_on_terminal, ENOSYS, NULL, false, 0 },
	{ "change_own_process", change_own_process, EINVAL, NULL, false, 0 },
	{ "make_unknown_call", make_unknown_call, ENOSYS, NULL, false, 0 },
	{ "make_call_without_need", make_call_without_need, ENOSYS, NULL, false,
	    0 },
	{ "leave_by_another_table", leave_by_another_table, KILLED, NULL, false,
	    0 },
};

START_TEST(this_is_denied)
{
	ends_as_expected(&denied[_i]);
}
END_TEST

/* ---- what must stay possible, and is rare ---- */

static void *
do_nothing(void *arg)
{
	return arg;
}

static int
start_thread(void)
{
	pthread_t thread;
	void *given = NULL;
	char token;

	errno = pthread_create(&thread, NULL, do_nothing, &token);
	if (errno != 0)
		return -1;
	errno = pthread_join(thread, &given);
	return errno == 0 && given == &token ? 0 : -1;
}

static int
end_by_abort(void)
{
	abort();
}

static int
make_socket_again(void)
{
	return bind_inside() == 0 && rename("new", "s") == 0 ? unlink("s") : -1;
}

static int
make_lock_again(void)
{
	const int fd = open("s.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, "1\n", 2) == 2 && ftruncate(fd, 0) == 0 ?
	    unlink("s.lock") :
	    -1;
}

static int
name_a_return_address(void)
{
	const int fd = open("/", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char self[16];
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && lstat("/", &st) == 0 &&
		readlink("/proc/self", self, sizeof(self)) > 0 ?
	    close(fd) :
	    -1;
}

/* More than malloc has at hand, to be grown and given back. */
static int
use_memory(void)
{
	const size_t much = (size_t)64 << 20;
	void *p = malloc(1 << 20);
	void *grown = p != NULL ? realloc(p, much) : NULL;

	if (grown == NULL) {
		free(p);
		return -1;
	}
	memset(grown, 1, much);
	free(grown);
	return 0;
}

static int
wait_in_nanoseconds(void)
{
	const struct timespec short_while = { .tv_nsec = 1 };

	return clock_nanosleep(CLOCK_MONOTONIC, 0, &short_while, NULL) == 0 &&
		sched_yield() == 0 ?
	    0 :
	    -1;
}

static int
connect_inside(void)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "gone" };

	/* The file is not there, and that is all that is wrong. */
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 &&
		errno == ENOENT ?
	    0 :
	    -1;
}

static const struct attempt possible[] = {
	{ "start_thread", start_thread, 0, NULL, false, 0 },
	{ "end_by_abort", end_by_abort, 128 + SIGABRT, NULL, false, 0 },
	{ "make_socket_again", make_socket_again, 0, NULL, true, 1 },
	{ "make_lock_again", make_lock_again, 0, NULL, true, 1 },
	{ "bind_in_directory_made_again", bind_in_directory_made_again, 0, NULL,
	    true, 1 },
	{ "remove_inside", remove_inside, 0, of_ignored, true, 1 },
	{ "name_a_return_address", name_a_return_address, 0, NULL, true, 1 },
	{ "use_memory", use_memory, 0, NULL, false, 0 },
	{ "wait_in_nanoseconds", wait_in_nanoseconds, 0, NULL, false, 0 },
	{ "connect_inside", connect_inside, 0, NULL, false, 0 },
	{ "read_users", read_users, 0, of_rules, true, 1 },
};

START_TEST(this_stays_possible)
{
	ends_as_expected(&possible[_i]);
}
END_TEST

/* ---- one part without the other, and the other side's view ---- */

/* As a container does it: for this test, which is a process of its own. */
static void
forbid(long call, int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { N_OF(filter), filter };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
	    0);
}

START_TEST(landlock_alone_lets_no_signal_out)
{
	static const struct attempt signal = { "signal_parent", signal_parent,
		EPERM, NULL, true, 6 };

	if (has(false, 0))
		forbid(SYS_seccomp, EPERM);
	ends_as_expected(&signal);
}
END_TEST

/* As that of a client that the kernel named. */
#define ABSTRACT_NAME "sandbox-outside"

static int
send_to_abstract_name(void)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	uxs_sockaddr_from_abstract(&sa, &length, ABSTRACT_NAME,
	    strlen(ABSTRACT_NAME));
	return (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, length);
}

START_TEST(abstract_names_outside_stay_in_reach)
{
	static const struct attempt reply = { "send_to_abstract_name",
		send_to_abstract_name, 0, NULL, true, 6 };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &length, ABSTRACT_NAME,
			     strlen(ABSTRACT_NAME)),
	    0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);

	ends_as_expected(&reply);

	close(fd);
}
END_TEST

#ifdef __x86_64__
/* getpid(2) of i386, whose number is that of writev(2) here. */
static int
make_call_of_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result < 0 ? -1 : 0;
}

static void
try_i386(void *arg)
{
	_exit(make_call_of_i386() < 0);
}

START_TEST(calls_of_another_processor_are_denied)
{
	static const struct attempt call = { "make_call_of_i386",
		make_call_of_i386, KILLED, NULL, false, 0 };

	if (wait_child(start_child(try_i386, NULL)) != 0) {
		skip("the kernel has no calls of i386");
		return;
	}
	ends_as_expected(&call);
}
END_TEST
#endif

/* ---- the daemon ---- */

static struct output_of result;

static void
is_answered(void)
{
	const int fd = client_connect(UXS_STREAM, "s");

	SAYS(fd, "hello");
	HEARS(fd, "hello");
	close(fd);
}

static bool
has_line(const char *path, const char *line)
{
	char text[512];
	bool is_found = false;
	FILE *file = fopen(path, "re");

	ck_assert_ptr_nonnull(file);
	while (fgets(text, sizeof(text), file) != NULL)
		is_found |= strcmp(text, line) == 0;
	fclose(file);
	return is_found;
}

/* So many threads, and perhaps the one that closes passed descriptors; each
 * has the line in its status. */
static void
threads_have(pid_t pid, const char *line, int n_threads)
{
	char tasks[64], path[384];
	const struct dirent *task;
	DIR *directory;
	int n = 0;

	snprintf(tasks, sizeof(tasks), "/proc/%ld/task", (long)pid);
	directory = opendir(tasks);
	ck_assert_ptr_nonnull(directory);
	while ((task = readdir(directory)) != NULL) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/status", tasks,
		    task->d_name);
		ck_assert_msg(has_line(path, line), "%s: not %s", path, line);
		n++;
	}
	closedir(directory);
	ck_assert_int_eq(n, n_threads + !kernel_can_refuse_descriptors());
}

START_TEST(every_thread_is_confined)
{
	static const char *const arguments[] = { "-t", "3", "s", NULL };
	struct service service;

	if (!has(false, 0)) {
		skip("no seccomp in this kernel or this build");
		return;
	}
	service_start(&service, arguments);

	threads_have(service.pid, "Seccomp:\t2\n", 3);
	threads_have(service.pid, "NoNewPrivs:\t1\n", 3);
	is_answered();
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(no_sandbox_leaves_it_out)
{
	static const char *const arguments[] = { "--no-sandbox", "-v", "s",
		NULL };
	struct service service;

	service_start(&service, arguments);

	service_logs(&service, "sandbox: none (--no-sandbox)");
	threads_have(service.pid, "NoNewPrivs:\t0\n", 1);
	is_answered();
	service_stop_clean(&service);
}
END_TEST

START_TEST(plan_says_what_there_is)
{
	static const char *const argv[] = { "uxecho", "--check", "s", NULL };
	static const char *const without[] = { "uxecho", "--check",
		"--no-sandbox", "s", NULL };

	run_program(&result, argv);
	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    !SANDBOX_IS_BUILT ? "sandbox: no Landlock (not in this build), "
				"no seccomp (not in this build)\n" :
		has(true, 1)  ? "sandbox: Landlock (ABI " :
				"sandbox: no Landlock (not"));

	run_program(&result, without);
	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "sandbox: none (--no-sandbox)\n"));
}
END_TEST

static const struct {
	enum uxs_type type;
	const char *path;
} served[] = {
	{ UXS_STREAM, "s" },
	{ UXS_DGRAM, "s.dgram" },
	{ UXS_SEQPACKET, "q" },
};

/* As an editor does it, and a name that was not looked up before. */
static void
replace_rules(const char *text)
{
	write_file("rules.new", text, 0600);
	ck_assert_int_eq(rename("rules.new", "rules"), 0);
}

START_TEST(rules_are_read_and_names_looked_up)
{
	static const char *const arguments[] = { "-f", "rules", "s", NULL };
	struct service service;

	write_file("rules", "allow self\n", 0600);
	service_start(&service, arguments);
	replace_rules("allow self\nallow user:daemon\ndeny group:daemon\n");
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);

	service_logs(&service, "rules were read again: 3 rules");

	replace_rules("allow self\nallow user:no-such-user\n");
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
	service_logs(&service, "the old rules stay");
	is_answered();
	service_stop_clean(&service);
}
END_TEST

START_TEST(lost_socket_of_the_figures_is_made_anew)
{
	static const char *const arguments[] = { "-L", "ignore", "-S",
		"figures", "s", NULL };
	struct service service;

	service_start(&service, arguments);
	ck_assert_int_eq(unlink("figures"), 0);

	service_logs(&service, "figures: the socket was made anew");
	is_answered();
	service_stop_clean(&service);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(pidfile_elsewhere_is_removed)
{
	static const char *const arguments[] = { "-p", "pids/pid",
		"above/inside/s", NULL };
	struct service service;

	ck_assert_int_eq(mkdir("pids", 0700), 0);
	ck_assert_int_eq(mkdir("above", 0700), 0);
	ck_assert_int_eq(mkdir("above/inside", 0700), 0);
	service_start(&service, arguments);
	ck_assert(is_there("pids/pid"));

	service_stop_clean(&service);

	ck_assert(!is_there("pids/pid"));
	ck_assert(!is_there("above/inside/s"));
	ck_assert(!is_there("above/inside/s.lock"));
}
END_TEST

START_TEST(rules_are_read_where_a_link_leads)
{
	static const char *const arguments[] = { "-f", "link", "s", NULL };
	struct service service;

	ck_assert_int_eq(mkdir("etc", 0700), 0);
	ck_assert_int_eq(mkdir("run", 0700), 0);
	write_file("etc/rules", "allow self\n", 0600);
	ck_assert_int_eq(symlink("../etc/rules", "run/link"), 0);
	ck_assert_int_eq(chdir("run"), 0);
	service_start(&service, arguments);
	ck_assert_int_eq(kill(service.pid, SIGHUP), 0);

	service_logs(&service, "rules were read again: 1 rules");

	service_stop_clean(&service);
	ck_assert_int_eq(chdir(".."), 0);
}
END_TEST

/* Under strace(1) from its first call on, which writes those that fail; its
 * process ends when the daemon has, and all is written. */
static pid_t
start_traced(const char *const arguments[])
{
	const char *argv[24] = { "strace", "-f", "-qq", "-Z", "-o", "calls",
		program("uxecho"), "--ready-fd" };
	int ready[2], n = 8;
	char number[16], newline = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	snprintf(number, sizeof(number), "%d", ready[1]);
	argv[n++] = number;
	while (*arguments != NULL)
		argv[n++] = *arguments++;
	fflush(NULL);
	if ((pid = fork()) == 0) {
		fcntl(ready[1], F_SETFD, 0);
		execvp(argv[0], (char *const *)argv);
		_exit(NOT_TRIED);
	}
	close(ready[1]);
	ck_assert_int_gt(pid, 0);
	if (read(ready[0], &newline, 1) != 1) {
		wait_child(pid);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static pid_t
pid_in_file(const char *path)
{
	char text[16] = "";
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* clone3 fails, and is then made in the old way. */
static void
nothing_was_denied(void)
{
	char line[1024];
	bool is_confined = false;
	FILE *calls = fopen("calls", "re");

	ck_assert_ptr_nonnull(calls);
	while (fgets(line, sizeof(line), calls) != NULL) {
		is_confined |= strstr(line, "clone3(") != NULL &&
		    strstr(line, "ENOSYS") != NULL;
		if (strstr(line, "clone3") == NULL &&
		    (strstr(line, "ENOSYS") != NULL ||
			strstr(line, "EACCES") != NULL ||
			strstr(line, "EPERM") != NULL))
			ck_abort_msg("denied: %s", line);
	}
	fclose(calls);
	ck_assert(is_confined);
}

/* What is denied and only makes it do worse shows in no other test. */
START_TEST(nothing_that_it_does_is_denied)
{
	static const char *const arguments[] = { "-q", "-t", "2", "--spin",
		"10us", "-p", "pid", "-f", "rules", "s", "seqpacket:q", NULL };
	pid_t pid, traced;

	if (!has(true, 1) || !has(false, 0)) {
		skip("no sandbox in this kernel or this build");
		return;
	}
	write_file("rules", "allow user:daemon\nallow self\n", 0600);
	if ((pid = start_traced(arguments)) < 0) {
		skip("needs strace, and to be allowed to trace");
		return;
	}
	traced = pid_in_file("pid");
	for (int type = 0; type < N_OF(served); type++) {
		const int fd =
		    client_connect(served[type].type, served[type].path);

		SAYS(fd, "hello");
		HEARS(fd, "hello");
		ck_assert_int_eq(kill(traced, SIGHUP), 0);
		ck_assert_int_eq(kill(traced, SIGUSR1), 0);
		SAYS(fd, "hello");
		HEARS(fd, "hello");
		close(fd);
	}
	ck_assert_int_eq(kill(traced, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);

	nothing_was_denied();
}
END_TEST

/* ---- where it may not be had ---- */

/* Numbers that are the same everywhere. */
#define CREATE_RULESET 444
#define RESTRICT_SELF 446

static const struct {
	long call;
	int code;
	const char *log;
} lacks[] = {
	{ CREATE_RULESET, ENOSYS, "no Landlock (not in this kernel)" },
	{ CREATE_RULESET, EOPNOTSUPP, "no Landlock (not in this kernel)" },
	{ CREATE_RULESET, EPERM, "no Landlock (not allowed here)" },
	{ RESTRICT_SELF, EPERM, "no Landlock (not allowed here)" },
	{ RESTRICT_SELF, E2BIG, "no Landlock (not allowed here)" },
	{ SYS_seccomp, ENOSYS, "no seccomp (not in this kernel)" },
	{ SYS_seccomp, EPERM, "no seccomp (not allowed here)" },
};

START_TEST(what_is_not_there_is_done_without)
{
	static const char *const arguments[] = { "-v", "s", NULL };
	struct service service;

	if (!has(true, 1) || !has(false, 0)) {
		skip("no sandbox in this kernel or this build");
		return;
	}
	forbid(lacks[_i].call, lacks[_i].code);
	service_start(&service, arguments);

	service_logs(&service, lacks[_i].log);
	is_answered();
	service_stop_clean(&service);
}
END_TEST

START_TEST(what_fails_otherwise_is_71)
{
	static const char *const argv[] = { "uxecho", "s", NULL };

	if (!has(true, 1)) {
		skip("no Landlock in this kernel or this build");
		return;
	}
	forbid(RESTRICT_SELF, ENOMEM);
	run_program(&result, argv);

	ck_assert_int_eq(result.status, 71);
	ck_assert_ptr_nonnull(strstr(result.err, "Landlock"));
	ck_assert_ptr_nonnull(strstr(result.err, "--no-sandbox"));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

Suite *
suite_sandbox(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *attempts = harness_case(suite, "attempts");
	TCase *daemon = harness_case(suite, "daemon");
	TCase *lack = harness_case(suite, "lack");

	tcase_add_loop_test(attempts, this_is_denied, 0, N_OF(denied));
	tcase_add_loop_test(attempts, this_stays_possible, 0, N_OF(possible));
	tcase_add_test(attempts, landlock_alone_lets_no_signal_out);
	tcase_add_test(attempts, abstract_names_outside_stay_in_reach);
#ifdef __x86_64__
	tcase_add_test(attempts, calls_of_another_processor_are_denied);
#endif

	tcase_add_test(daemon, every_thread_is_confined);
	tcase_add_test(daemon, no_sandbox_leaves_it_out);
	tcase_add_test(daemon, plan_says_what_there_is);
	tcase_add_test(daemon, rules_are_read_and_names_looked_up);
	tcase_add_test(daemon, lost_socket_of_the_figures_is_made_anew);
	tcase_add_test(daemon, pidfile_elsewhere_is_removed);
	tcase_add_test(daemon, rules_are_read_where_a_link_leads);
	tcase_add_test(daemon, nothing_that_it_does_is_denied);

	tcase_add_loop_test(lack, what_is_not_there_is_done_without, 0,
	    N_OF(lacks));
	tcase_add_test(lack, what_fails_otherwise_is_71);
	return suite;
}
