/* SPDX-License-Identifier: ISC */
/*
 * Sockets that uxecho inherits: the test is the service manager. They are the
 * manager's, before, while and after uxecho serves on them, and who waits in
 * them is lost by no end of uxecho's (promise 7).
 */
#include "harness.h"
#include "loopback.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uxsrv/activation.h>
#include <uxsrv/error.h>

#include "documents.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TYPE ((enum uxs_type)_i)

/* ---- the language of this file ---- */

/* What a manager hands over. */
struct legacy {
	int fds[3]; /* 0 ends the list */
	const char *count, *names, *pid, *pidfd; /* NULL: as it should be */
};

static const char *const no_arguments[] = { NULL };

static int
count_fds(const struct legacy *l)
{
	int n = 0;

	while (n < N_OF(l->fds) && l->fds[n] > 0)
		n++;
	return n;
}

/* To the numbers that the protocol asks for; they may be in use by others. */
static void
place_fds(const struct legacy *l)
{
	int high[N_OF(l->fds)];
	const int n = count_fds(l);

	for (int i = 0; i < n; i++)
		high[i] = fcntl(l->fds[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(dup2(high[i], UXS_ACTIVATION_FIRST_FD + i),
		    UXS_ACTIVATION_FIRST_FD + i);
	close(UXS_ACTIVATION_FIRST_FD + n);
}

static void
set_number(const char *name, const char *given, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	setenv(name, given != NULL ? given : text, 1);
}

/* In the process that is to inherit them. */
static void
hand_over(const struct legacy *l)
{
	place_fds(l);
	set_number("LISTEN_PID", l->pid, getpid());
	set_number("LISTEN_FDS", l->count, count_fds(l));
	if (l->names != NULL)
		setenv("LISTEN_FDNAMES", l->names, 1);
	if (l->pidfd != NULL)
		setenv("LISTEN_PIDFDID", l->pidfd, 1);
}

static void
redirect(const char *file, int to)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, to);
	close(fd);
}

static void
exec_uxecho(const struct legacy *l, const char *const arguments[], int ready)
{
	const char *argv[16] = { program("uxecho") };
	char number[16];
	int n = 1;

	if (ready >= 0) {
		ready = fcntl(ready, F_DUPFD, 100);
		snprintf(number, sizeof(number), "%d", ready);
		argv[n++] = "--ready-fd";
		argv[n++] = number;
	}
	for (int i = 0; arguments[i] != NULL; i++)
		argv[n++] = arguments[i];
	hand_over(l);
	signal(SIGPIPE, SIG_DFL);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static struct output_of result;

static char *
read_output(const char *file)
{
	char text[OUTPUT_MAX];
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, text, sizeof(text) - 1);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	return keep_text(text);
}

/* Run it to its end. */
static void
run_inheriting(const struct legacy *l, const char *const arguments[])
{
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0) {
		redirect("out", STDOUT_FILENO);
		redirect("err", STDERR_FILENO);
		exec_uxecho(l, arguments, -1);
	}
	ck_assert_int_gt(pid, 0);
	result.status = wait_child(pid);
	result.out = read_output("out");
	result.err = read_output("err");
}

static void
start_inheriting(struct service *service, const struct legacy *l,
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
		exec_uxecho(l, arguments, ready[1]);
	}
	close(ready[1]);
	close(err[1]);
	service->stderr_fd = err[0];
	ck_assert_int_eq(read(ready[0], &newline, 1), 1);
	close(ready[0]);
}

/* The manager's socket. */
static int
made_socket(enum uxs_type type, const char *path)
{
	const int fd = bound_socket(type, path);

	ck_assert_int_eq(chmod(path, 0620), 0);
	if (type != UXS_DGRAM)
		ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

static void
pause_service(const struct service *service)
{
	int status;

	ck_assert_int_eq(kill(service->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(service->pid, &status, WUNTRACED),
	    service->pid);
}

static struct stat
look_at(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st;
}

/* ---- serving ---- */

START_TEST(inherited_socket_is_served_and_its_file_left_alone)
{
	const struct legacy l = { .fds = { made_socket(TYPE, "s") } };
	const struct stat before = look_at("s");
	struct service service;
	struct stat after;
	int client;

	start_inheriting(&service, &l, no_arguments);
	client = client_connect(TYPE, "s");
	SAYS(client, "hello");
	HEARS(client, "hello");
	service_stop_clean(&service);

	after = look_at("s");
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_uint_eq(after.st_uid, before.st_uid);
	ck_assert_int_eq(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	ck_assert(!is_there("s.lock"));
	close(client);
	close(l.fds[0]);
}
END_TEST

/* Whom clients see: PID 1 and root otherwise, or whoever the manager is. */
START_TEST(clients_see_the_service_as_the_listener)
{
	const struct legacy l = { .fds = { made_socket(TYPE, "s") } };
	struct service service;
	struct ucred listener;
	socklen_t length = sizeof(listener);
	int client;

	start_inheriting(&service, &l, no_arguments);
	client = client_connect(TYPE, "s");

	ck_assert_int_eq(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &listener,
			     &length),
	    0);
	ck_assert_int_eq(listener.pid, service.pid);
	close(client);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

#define N_WAITING 3

static void
clients_wait(enum uxs_type type, int clients[N_WAITING])
{
	char text[16];

	for (int i = 0; i < N_WAITING; i++) {
		clients[i] = client_connect(type, "s");
		snprintf(text, sizeof(text), "client %d", i);
		SAYS(clients[i], text);
	}
}

static void
clients_are_answered(int clients[N_WAITING])
{
	char text[16];

	for (int i = 0; i < N_WAITING; i++) {
		snprintf(text, sizeof(text), "client %d", i);
		HEARS(clients[i], text);
		close(clients[i]);
	}
}

static const int ends[] = { SIGTERM, SIGKILL };

/* Types, ended by each of the signals. */
START_TEST(who_waits_when_it_ends_is_served_by_the_next)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	const int end = ends[_i / UXS_N_TYPES];
	const struct legacy l = { .fds = { made_socket(type, "s") } };
	struct service service;
	int clients[N_WAITING];

	start_inheriting(&service, &l, no_arguments);
	pause_service(&service);
	clients_wait(type, clients);
	ck_assert_int_eq(kill(service.pid, end), 0);
	ck_assert_int_eq(service_stop(&service, SIGCONT),
	    end == SIGKILL ? 128 + SIGKILL : 0);

	start_inheriting(&service, &l, no_arguments);

	clients_are_answered(clients);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

/* Between two instances nobody is refused: the socket was not shut down. */
START_TEST(who_comes_after_the_end_is_served_by_the_next)
{
	/* Nobody is left who could be waited for. */
	const char *const arguments[] = { "--drain", "1h", NULL };
	const struct legacy l = { .fds = { made_socket(TYPE, "s") } };
	struct service service;
	int clients[N_WAITING];

	start_inheriting(&service, &l, arguments);
	service_stop_clean(&service);
	clients_wait(TYPE, clients);
	start_inheriting(&service, &l, no_arguments);

	clients_are_answered(clients);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

/* While it drains, too: a session that does not end keeps it there. */
START_TEST(who_comes_during_the_drain_is_left_to_the_next)
{
	const char *const arguments[] = { "--drain", "1h", NULL };
	const struct legacy l = { .fds = { made_socket(UXS_STREAM, "s") } };
	struct service service;
	int clients[N_WAITING], slow;
	static const char much[1 << 20];

	start_inheriting(&service, &l, arguments);
	slow = client_connect(UXS_STREAM, "s");
	ck_assert_int_eq(fcntl(slow, F_SETFL, O_NONBLOCK), 0);
	while (send(slow, much, sizeof(much), MSG_NOSIGNAL) > 0)
		;
	ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
	service_logs(&service, "draining");
	clients_wait(UXS_STREAM, clients);
	ck_assert_int_eq(service_stop(&service, SIGTERM), 0);
	close(slow);

	start_inheriting(&service, &l, no_arguments);

	clients_are_answered(clients);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

START_TEST(addresses_are_served_besides_and_removed)
{
	const char *const arguments[] = { "seqpacket:own", NULL };
	const struct legacy l = {
		.fds = { made_socket(UXS_STREAM, "s"),
		    made_socket(UXS_DGRAM, "d") },
		.names = "a:b",
	};
	struct service service;
	int client;

	start_inheriting(&service, &l, arguments);
	for (int i = 0; i < UXS_N_TYPES; i++) {
		client = client_connect((enum uxs_type)i,
		    i == UXS_STREAM        ? "s" :
			i == UXS_SEQPACKET ? "own" :
					     "d");
		SAYS(client, "hello");
		HEARS(client, "hello");
		close(client);
	}
	service_stop_clean(&service);

	ck_assert(!is_there("own"));
	ck_assert(is_there("s"));
	ck_assert(is_there("d"));
	close(l.fds[0]);
	close(l.fds[1]);
}
END_TEST

static int
count_threads(pid_t pid)
{
	char path[64];
	struct stat st;

	/* Each is a directory in there, and so another link to it. */
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	ck_assert_int_eq(stat(path, &st), 0);
	return (int)st.st_nlink - 2;
}

/* So there has to be a thread that closes them, whatever the kernel refuses
 * from now on. */
START_TEST(passed_descriptors_of_before_do_not_stall_it)
{
	const struct legacy l = { .fds = { made_socket(UXS_STREAM, "s") } };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
			  .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
		      } };
	struct iovec iov = { .iov_base = (char[]){ "hello" }, .iov_len = 5 };
	const struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const int client = client_connect(UXS_STREAM, "s");
	struct service service;

	memcpy(CMSG_DATA(&control.header), &client, sizeof(client));
	ck_assert_int_eq(sendmsg(client, &message, MSG_NOSIGNAL), 5);

	start_inheriting(&service, &l, no_arguments);

	HEARS(client, "hello");
	ck_assert_int_eq(count_threads(service.pid), 2);
	close(client);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

/* ---- what is not for us ---- */

static bool
has_pidfs(void)
{
	const int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct statfs fs = { .f_type = 0 };

	if (fd < 0)
		return false;
	fstatfs(fd, &fs);
	close(fd);
	return fs.f_type == 0x50494446; /* PID_FS_MAGIC */
}

START_TEST(sockets_of_another_process_are_ignored)
{
	const struct legacy rows[] = {
		{ .pid = "1" },
		{ .pidfd = "1" },
	};
	struct legacy l = rows[_i];

	if (_i == 1 && !has_pidfs()) {
		skip("needs pidfds with numbers of their own (Linux 6.9)");
		return;
	}
	l.fds[0] = made_socket(UXS_STREAM, "s");

	run_inheriting(&l, no_arguments);

	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, "no address"));
	close(l.fds[0]);
}
END_TEST

struct inheritor {
	const struct legacy *legacy;
	bool has_own_pidfd;
};

static void
nothing_is_left_for_children(void)
{
	ck_assert_int_eq(fcntl(3, F_GETFD), FD_CLOEXEC);
	ck_assert((fcntl(3, F_GETFL) & O_NONBLOCK) != 0);
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	ck_assert_ptr_null(getenv("LISTEN_PIDFDID"));
}

static void
is_described(const struct uxs_inherited *in)
{
	ck_assert_int_eq(in->fd, UXS_ACTIVATION_FIRST_FD);
	ck_assert_int_eq(in->address.type, UXS_SEQPACKET);
	ck_assert_str_eq(in->address.name, "s");
	ck_assert_str_eq(in->name, "echo");
}

static void
say_own_pidfd(void)
{
	const int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct stat st = { .st_ino = 1 };

	fstat(fd, &st);
	close(fd);
	set_number("LISTEN_PIDFDID", NULL, (long long)st.st_ino);
}

static void
inherit(void *arg)
{
	const struct inheritor *i = arg;
	struct uxs_activation a;
	struct uxs_error why;

	hand_over(i->legacy);
	if (i->has_own_pidfd)
		say_own_pidfd();

	ck_assert_int_eq(uxs_activation_open(&a, &why), 0);

	ck_assert_uint_eq(a.n, 1);
	is_described(&a.sockets[0]);
	nothing_is_left_for_children();
	uxs_activation_close(&a);
	ck_assert_int_eq(fcntl(3, F_GETFD), -1);
	uxs_activation_close(&a);
}

START_TEST(what_is_inherited_is_described_and_kept_from_children)
{
	const struct legacy l = {
		.fds = { made_socket(UXS_SEQPACKET, "s") },
		.names = "echo",
	};
	struct inheritor i = { .legacy = &l, .has_own_pidfd = _i == 1 };

	ck_assert_int_eq(wait_child(start_child(inherit, &i)), 0);
	close(l.fds[0]);
}
END_TEST

/* ---- over the loopback interface ---- */

static const char *const for_any[] = { "--allow", "any", NULL };

static const struct {
	int type;
	const char *name;
} over_loopback[] = {
	{ SOCK_STREAM, "127.0.0.1:0" },
	{ SOCK_STREAM, "[::1]:0" },
	{ SOCK_DGRAM, "127.0.0.1:0" },
	{ SOCK_DGRAM, "[::1]:0" },
};

/* As the manager may have left them. */
static int
made_loopback_socket(int type, const char *name)
{
	const int fd = loopback_bind(type, name), on = 1;

	ck_assert_int_ge(fd, 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 16), 0);
	else if (name[0] == '[')
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	return fd;
}

/* Not reached from outside, and not told of a client's closed port. */
static void
is_set_up(int fd, bool is_v6)
{
	char device[16] = "";
	socklen_t length = sizeof(device);
	int hears_errors = -1;

	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length);
	ck_assert_str_eq(device, "lo");
	length = sizeof(hears_errors);
	getsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
	    is_v6 ? IPV6_RECVERR : IP_RECVERR, &hears_errors, &length);
	ck_assert_int_eq(hears_errors, 0);
}

START_TEST(loopback_socket_is_served_by_one_after_the_other)
{
	const int type = over_loopback[_i].type;
	struct legacy l = { .fds = { -1 } };
	struct service service;
	char name[LOOPBACK_NAME_ROOM], served[LOOPBACK_NAME_ROOM];
	int client;

	if (over_loopback[_i].name[0] == '[' && !loopback_has_ipv6())
		return;
	l.fds[0] = made_loopback_socket(type, over_loopback[_i].name);
	snprintf(name, sizeof(name), "%.*s%u",
	    (int)strlen(over_loopback[_i].name) - 1, over_loopback[_i].name,
	    loopback_port(l.fds[0]));

	start_inheriting(&service, &l, for_any);
	ck_assert_str_eq(loopback_served(&service,
			     type == SOCK_STREAM ? "tcp" : "udp", served),
	    name);
	is_set_up(l.fds[0], name[0] == '[');
	client = loopback_connect_to(type, name);
	SAYS(client, "the first");
	HEARS(client, "the first");
	close(client);
	service_stop_clean(&service);
	client = loopback_connect_to(type, name);
	SAYS(client, "nobody?");
	start_inheriting(&service, &l, for_any);

	HEARS(client, "nobody?");
	close(client);
	service_stop_clean(&service);
	close(l.fds[0]);
}
END_TEST

START_TEST(loopback_socket_needs_a_rule_for_any)
{
	const struct legacy l = {
		.fds = { made_loopback_socket(SOCK_DGRAM, "127.0.0.1:0") }
	};

	run_inheriting(&l, no_arguments);

	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, "only --allow any"));
	close(l.fds[0]);
}
END_TEST

/* The manager can send from there; answered, it would go on for ever. */
START_TEST(datagram_from_a_port_of_ours_is_not_answered)
{
	const struct legacy l = {
		.fds = { made_loopback_socket(SOCK_DGRAM, "127.0.0.1:0"),
		    made_loopback_socket(SOCK_DGRAM, "127.0.0.1:0") }
	};
	struct sockaddr_storage to;
	socklen_t length = sizeof(to);
	struct service service;
	char name[LOOPBACK_NAME_ROOM];
	int client;

	start_inheriting(&service, &l, for_any);
	client = loopback_connect_to(SOCK_DGRAM,
	    loopback_served(&service, "udp", name));
	getsockname(l.fds[0], (struct sockaddr *)&to, &length);

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(sendto(l.fds[i], "loop", 4, 0,
				     (struct sockaddr *)&to, length),
		    4);

	SAYS(client, "behind them");
	HEARS(client, "behind them");
	service_counts(&service, "sent 1, 11 bytes; 2 dropped (self 2)");
	close(client);
	service_stop_clean(&service);
	close_all(l.fds, 2);
}
END_TEST

/* ---- what is wrong ---- */

enum thing {
	GOOD,
	FILE_,
	NETLINK,
	TCP_ANYWHERE,
	TCP_DEAF,
	UDP_UNBOUND,
	UDP_CONNECTED,
	PAIR,
	CONNECTED,
	NAMELESS,
	DEAF,
	NOTHING,
};

static int made_peer = -1; /* of CONNECTED: it must live */

static int
make_thing(enum thing thing)
{
	int fds[2];

	switch (thing) {
	case FILE_:
		return open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	case NETLINK:
		return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	case TCP_ANYWHERE: /* at a port that the kernel chooses */
		fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(listen(fds[0], 1), 0);
		return fds[0];
	case TCP_DEAF:
		return loopback_bind(SOCK_STREAM, "127.0.0.1:0");
	case UDP_UNBOUND:
		return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case UDP_CONNECTED:
		return loopback_connect_to(SOCK_DGRAM, "127.0.0.1:7");
	case PAIR:
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
				     0, fds),
		    0);
		close(fds[1]);
		return fds[0];
	case CONNECTED:
		fds[0] = made_socket(UXS_DGRAM, "peer");
		made_peer = fds[0];
		return client_connect(UXS_DGRAM, "peer");
	case NAMELESS:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case DEAF:
		return bound_socket(UXS_STREAM, "deaf");
	case GOOD:
	case NOTHING:
		break;
	}
	return made_socket(UXS_STREAM, "good");
}

static const struct {
	enum thing thing;
	struct legacy legacy;
	const char *words[2];
} wrong[] = {
	{ FILE_, { .names = "log" }, { "descriptor 3 (log)", "not a socket" } },
	{ NETLINK, { .names = NULL },
	    { "descriptor 3", "neither of the Unix domain" } },
	{ TCP_ANYWHERE, { .names = NULL }, { "descriptor 3", "not bound" } },
	{ TCP_DEAF, { .names = NULL }, { "descriptor 3", "does not listen" } },
	{ UDP_UNBOUND, { .names = NULL }, { "descriptor 3", "not bound" } },
	{ UDP_CONNECTED, { .names = NULL }, { "descriptor 3", "connected" } },
	{ PAIR, { .names = NULL }, { "descriptor 3", "Accept=no" } },
	{ CONNECTED, { .names = NULL }, { "descriptor 3", "connected" } },
	{ NAMELESS, { .names = NULL }, { "descriptor 3", "no name" } },
	{ DEAF, { .names = NULL }, { "descriptor 3", "does not listen" } },
	{ NOTHING, { .count = "2" }, { "descriptor 4", "not open" } },
	{ GOOD, { .count = "-1" }, { "LISTEN_FDS='-1'", "number" } },
	{ GOOD, { .count = "" }, { "LISTEN_FDS=''", "number" } },
	{ GOOD, { .count = "1025" }, { "LISTEN_FDS='1025'", "1024" } },
	{ GOOD, { .pid = "x" }, { "LISTEN_PID='x'", "process" } },
	{ GOOD, { .pid = "0" }, { "LISTEN_PID='0'", "process" } },
	{ GOOD, { .pidfd = "y" }, { "LISTEN_PIDFDID='y'", "pidfd" } },
	{ GOOD, { .names = "a:b" }, { "LISTEN_FDNAMES='a:b'", "more" } },
	{ GOOD, { .names = "a:" }, { "LISTEN_FDNAMES='a:'", "more" } },
	{ GOOD, { .names = "" }, { "LISTEN_FDNAMES=''", "each" } },
	{ GOOD,
	    { .names = "\033"
		       "[2J:b" },
	    { "\\033[2J:b", "more" } },
};

START_TEST(what_is_wrong_is_named_and_ends_it)
{
	struct legacy l = wrong[_i].legacy;

	l.fds[0] = make_thing(wrong[_i].thing);

	run_inheriting(&l, no_arguments);

	ck_assert_msg(result.status == 78, "%d: %s", result.status, result.err);
	for (size_t i = 0; i < 2; i++)
		ck_assert_msg(strstr(result.err, wrong[_i].words[i]) != NULL,
		    "no \"%s\" in: %s", wrong[_i].words[i], result.err);
	ck_assert_ptr_eq(strchr(result.err, '\n'),
	    result.err + strlen(result.err) - 1);
	close(l.fds[0]);
	if (made_peer >= 0)
		close(made_peer);
}
END_TEST

START_TEST(address_that_is_inherited_cannot_be_given)
{
	const char *const arguments[] = { "stream:s", NULL };
	const struct legacy l = { .fds = { made_socket(UXS_STREAM, "s") } };

	run_inheriting(&l, arguments);

	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, "inherited"));
	ck_assert(is_there("s"));
	close(l.fds[0]);
}
END_TEST

static int
abstract_socket(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	ck_assert_int_ge(fd, 0);
	/* The kernel chooses a name. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa,
			     sizeof(sa.sun_family)),
	    0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

START_TEST(inherited_abstract_name_needs_a_rule)
{
	const char *const arguments[] = { "--check", "--allow", "root", NULL };
	const struct legacy l = { .fds = { abstract_socket() } };

	run_inheriting(&l, no_arguments);
	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, "--allow"));

	run_inheriting(&l, arguments);
	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out, "serve stream:@"));
	close(l.fds[0]);
}
END_TEST

START_TEST(check_shows_what_was_inherited)
{
	const char *const arguments[] = { "--check", NULL };
	const struct legacy l = {
		.fds = { made_socket(UXS_STREAM, "s"),
		    made_socket(UXS_DGRAM, "d") },
		.names = "echo:"
			 "\033",
	};

	run_inheriting(&l, arguments);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "serve stream:s\n  inherited: descriptor 3, echo\n"
	    "serve dgram:d\n  inherited: descriptor 4, \\033\n"));
	close(l.fds[0]);
	close(l.fds[1]);
}
END_TEST

/* ---- a manager of somebody else's ---- */

START_TEST(systemd_socket_activate_starts_it)
{
	struct service service;
	int err[2], client;

	if (!has_tool("systemd-socket-activate")) {
		skip("needs systemd-socket-activate, of the package systemd");
		return;
	}
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	if ((service.pid = fork()) == 0) {
		dup2(err[1], STDERR_FILENO);
		execlp("systemd-socket-activate", "systemd-socket-activate",
		    "--listen", harness_path("s"), "--fdname", "echo",
		    program("uxecho"), (char *)NULL);
		_exit(127);
	}
	close(err[1]);
	service.stderr_fd = err[0];
	service_logs(&service, "Listening on");

	client = client_connect(UXS_STREAM, "s");
	SAYS(client, "hello");

	HEARS(client, "hello");
	close(client);
	service_stop_clean(&service);
	ck_assert(is_there("s"));
}
END_TEST

Suite *
suite_activation(void)
{
	Suite *suite = suite_create("activation");
	TCase *serving = harness_case(suite, "serving");
	TCase *others = harness_case(suite, "others");
	TCase *loopback = harness_case(suite, "loopback");
	TCase *errors = harness_case(suite, "errors");

	tcase_add_loop_test(serving,
	    inherited_socket_is_served_and_its_file_left_alone, 0, UXS_N_TYPES);
	tcase_add_loop_test(serving, clients_see_the_service_as_the_listener,
	    UXS_STREAM, UXS_SEQPACKET + 1);
	tcase_add_loop_test(serving,
	    who_waits_when_it_ends_is_served_by_the_next, 0,
	    UXS_N_TYPES * N_OF(ends));
	tcase_add_loop_test(serving,
	    who_comes_after_the_end_is_served_by_the_next, 0, UXS_N_TYPES);
	tcase_add_test(serving, who_comes_during_the_drain_is_left_to_the_next);
	tcase_add_test(serving, addresses_are_served_besides_and_removed);
	tcase_add_test(serving, passed_descriptors_of_before_do_not_stall_it);
	tcase_add_test(serving, systemd_socket_activate_starts_it);

	tcase_add_loop_test(others, sockets_of_another_process_are_ignored, 0,
	    2);
	tcase_add_loop_test(others,
	    what_is_inherited_is_described_and_kept_from_children, 0, 2);

	tcase_add_loop_test(loopback,
	    loopback_socket_is_served_by_one_after_the_other, 0,
	    N_OF(over_loopback));
	tcase_add_test(loopback, loopback_socket_needs_a_rule_for_any);
	tcase_add_test(loopback, datagram_from_a_port_of_ours_is_not_answered);
	tcase_add_loop_test(errors, what_is_wrong_is_named_and_ends_it, 0,
	    N_OF(wrong));
	tcase_add_test(errors, address_that_is_inherited_cannot_be_given);
	tcase_add_test(errors, inherited_abstract_name_needs_a_rule);
	tcase_add_test(errors, check_shows_what_was_inherited);
	return suite;
}
