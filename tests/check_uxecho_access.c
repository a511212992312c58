/* SPDX-License-Identifier: ISC */
/*
 * Who may use the real binary, and to whom it answers, told by clients that
 * really are other users (promises 2, 3 and 4). All of it needs root.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define ARGS_MAX 8
#define NO_GROUP ((gid_t)-1)

/* ---- the language of this file ---- */

struct who {
	uid_t uid;
	gid_t gid, supplementary; /* NO_GROUP: none */
};

struct visit {
	struct who who;
	bool is_welcome;
};

static void
become(const struct who *who)
{
	ck_assert_int_eq(setgroups(who->supplementary == NO_GROUP ? 0 : 1,
			     &who->supplementary),
	    0);
	ck_assert_int_eq(setresgid(who->gid, who->gid, who->gid), 0);
	ck_assert_int_eq(setresuid(who->uid, who->uid, who->uid), 0);
}

/* In a child: connect to "s", then be served, or see a close. */
static void
pay_visit(void *arg)
{
	const struct visit *visit = arg;
	int fd;

	become(&visit->who);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	if (visit->is_welcome) {
		SAYS(fd, "may I?");
		HEARS(fd, "may I?");
	} else
		client_hears_end(fd);
	close(fd);
}

static void
visitor_is(bool is_welcome, uid_t uid, gid_t gid, gid_t supplementary)
{
	struct visit visit = { { uid, gid, supplementary }, is_welcome };

	ck_assert_int_eq(wait_child(start_child(pay_visit, &visit)), 0);
}

static void
make_directory_of(const char *path, uid_t uid, mode_t mode)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chown(path, uid, uid), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static struct sockaddr_un
address_of(const char *path)
{
	struct sockaddr_un sa;
	socklen_t length;

	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	return sa;
}

/* A datagram socket with this very text as its name. */
static int
bind_datagram(const char *name, mode_t mode)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_un sa = address_of(name);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
send_to_service(int fd, const char *text)
{
	const struct sockaddr_un sa = address_of(harness_path("d"));

	ck_assert_int_eq(sendto(fd, text, strlen(text), 0,
			     (const struct sockaddr *)&sa, sizeof(sa)),
	    (int)strlen(text));
}

static void
has_heard_nothing(int fd)
{
	char text[64];

	ck_assert_int_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

/* An exchange of somebody whom nothing is wrong with; since datagrams are
 * answered in order, all that were sent before it have been dealt with. */
static void
exchange_honestly(void *name)
{
	const int fd = bind_datagram(harness_path(name), 0600);

	send_to_service(fd, "honest");
	HEARS(fd, "honest");
	close(fd);
}

static void
pause_service(const struct service *service)
{
	ck_assert_int_eq(kill(service->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(service->pid, NULL, WUNTRACED), service->pid);
}

static void
resume_service(const struct service *service)
{
	ck_assert_int_eq(kill(service->pid, SIGCONT), 0);
}

/* ---- connections ---- */

static const struct {
	const char *rules[ARGS_MAX]; /* the server is root */
	struct who who;
	bool is_welcome;
} visits[] = {
	/* Without rules: the own uid, which is root here. */
	{ { NULL }, { 0, 0, NO_GROUP }, true },
	{ { NULL }, { 0, 1500, NO_GROUP }, true },
	{ { NULL }, { 1500, 1500, NO_GROUP }, false },
	{ { NULL }, { 1500, 0, 0 }, false },
	{ { "-a", "any" }, { 1500, 1500, NO_GROUP }, true },
	{ { "-a", "self" }, { 1500, 1500, NO_GROUP }, false },
	{ { "-a", "root" }, { 1500, 1500, NO_GROUP }, false },
	{ { "-d", "root" }, { 0, 0, NO_GROUP }, false },
	{ { "-d", "self" }, { 0, 0, NO_GROUP }, false },
	{ { "-d", "any" }, { 0, 0, NO_GROUP }, false },
	/* The first that matches decides. */
	{ { "-a", "any", "-d", "uid:1500" }, { 1500, 1500, NO_GROUP }, true },
	{ { "-d", "uid:1500", "-a", "any" }, { 1500, 1500, NO_GROUP }, false },
	{ { "-d", "uid:1500", "-a", "any" }, { 1501, 1500, NO_GROUP }, true },
	/* Users. */
	{ { "-a", "user:1500" }, { 1500, 1500, NO_GROUP }, true },
	{ { "-a", "user:1500" }, { 1501, 1500, NO_GROUP }, false },
	{ { "-a", "user:daemon" }, { 1, 1500, NO_GROUP }, true },
	{ { "-a", "user:daemon" }, { 2, 1, NO_GROUP }, false },
	{ { "-a", "uid:1500" }, { 0, 0, NO_GROUP }, true },
	{ { "-a", "uid:1499-1500" }, { 1500, 1500, NO_GROUP }, true },
	{ { "-a", "uid:1500-1501" }, { 1500, 1500, NO_GROUP }, true },
	{ { "-a", "uid:1501-1502" }, { 1500, 1500, NO_GROUP }, false },
	{ { "-a", "uid:1498-1499" }, { 1500, 1500, NO_GROUP }, false },
	/* Groups, the primary one and the supplementary ones. */
	{ { "-a", "gid:1600" }, { 1500, 1600, NO_GROUP }, true },
	{ { "-a", "gid:1600" }, { 1500, 1500, 1600 }, true },
	{ { "-a", "gid:1600" }, { 1500, 1500, 1601 }, false },
	{ { "-a", "gid:1600" }, { 1600, 1500, NO_GROUP }, false },
	{ { "-a", "gid:1600-1700" }, { 1500, 1500, 1700 }, true },
	{ { "-a", "group:1600" }, { 1500, 1500, 1600 }, true },
	{ { "-a", "group:daemon" }, { 1500, 1500, 1 }, true },
	{ { "-a", "group:daemon" }, { 1, 1500, NO_GROUP }, false },
	{ { "-d", "gid:1600", "-a", "any" }, { 1500, 1500, 1600 }, false },
	{ { "-d", "gid:1600", "-a", "any" }, { 1500, 1500, 1601 }, true },
	/* The overflow uid stands for everybody who is unknown. */
	{ { "-a", "uid:65533-65535" }, { 65534, 65534, NO_GROUP }, false },
	{ { "-a", "any" }, { 65534, 65534, NO_GROUP }, true },
	/* Unless it is insisted on. */
	{ { "-a", "uid:65534", "--force" }, { 65534, 65534, NO_GROUP }, true },
	{ { "-a", "uid:65534", "--force" }, { 1500, 1500, NO_GROUP }, false },
	{ { "--force", "-a", "uid:1500" }, { 65534, 65534, NO_GROUP }, false },
};

START_TEST(rules_decide_who_is_served)
{
	const struct who *who = &visits[_i].who;
	const char *arguments[ARGS_MAX + 4] = { "stream:s", "-m", "0666" };
	struct service service;

	SKIP_UNLESS_ROOT();
	for (int i = 0; visits[_i].rules[i] != NULL; i++)
		arguments[3 + i] = visits[_i].rules[i];
	service_start(&service, arguments);

	visitor_is(visits[_i].is_welcome, who->uid, who->gid,
	    who->supplementary);

	service_counts(&service,
	    visits[_i].is_welcome ? "stream: 0 open, 1 accepted, 0 refused;" :
				    "1 refused (rules 1)");
	service_stop_clean(&service);
}
END_TEST

START_TEST(refused_client_does_not_disturb_an_admitted_one)
{
	static const char *const arguments[] = { "stream:s", "-m", "0666",
		NULL };
	struct service service;
	int fd;

	SKIP_UNLESS_ROOT();
	service_start(&service, arguments);
	fd = client_connect(UXS_STREAM, harness_path("s"));

	visitor_is(false, OTHER_UID, OTHER_GID, NO_GROUP);

	SAYS(fd, "still in");
	HEARS(fd, "still in");
	close(fd);
	service_counts(&service, "1 refused (rules 1)");
	service_stop_clean(&service);
}
END_TEST

/* A server of uid 1500 in a directory of its own. */
START_TEST(own_uid_and_root_are_in_and_others_out)
{
	const char *const arguments[] = { "stream:home/s", "-m", "0666", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", OTHER_UID, 0755);
	ck_assert_int_eq(symlink("home/s", "s"), 0);
	service_start_as(&service, OTHER_UID, OTHER_GID, arguments);

	visitor_is(true, OTHER_UID, OTHER_GID, NO_GROUP);
	visitor_is(true, 0, 0, NO_GROUP);
	visitor_is(false, THIRD_UID, OTHER_GID, NO_GROUP);

	service_stop_clean(&service);
}
END_TEST

/* ---- the file ---- */

static void
may_not_connect(void *arg)
{
	ck_assert_int_eq(client_try(UXS_STREAM, harness_path("s")), -1);
	ck_assert_int_eq(errno, EACCES);
}

static const struct {
	const char *arguments[ARGS_MAX];
	bool may_connect; /* uid 1500 */
} file_modes[] = {
	{ { "stream:s" }, false },
	{ { "stream:s", "-m", "0600", "-a", "any" }, false },
	{ { "stream:s", "-m", "0660", "-a", "any" }, false },
	{ { "stream:s", "-m", "0644", "-a", "any" }, false },
	{ { "stream:s", "-d", "uid:1501" }, false },
	{ { "stream:s", "-m", "0666", "-a", "uid:1500" }, true },
	{ { "stream:s", "-a", "uid:1500" }, true },
	{ { "stream:s", "-m", "0660", "-o", ":1500", "-a", "uid:1500" }, true },
	{ { "stream:s", "-m", "0600", "-o", "1500", "-a", "uid:1500" }, true },
};

START_TEST(mode_of_the_file_decides_who_may_connect)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	service_start(&service, file_modes[_i].arguments);

	if (file_modes[_i].may_connect)
		visitor_is(true, OTHER_UID, OTHER_GID, NO_GROUP);
	else
		as_user(OTHER_UID, OTHER_GID, may_not_connect, NULL);

	service_stop_clean(&service);
}
END_TEST

/* ---- datagrams ---- */

static int shared_socket;

static void
bind_shared(void *arg)
{
	const struct sockaddr_un sa = address_of(harness_path("home/me"));

	ck_assert_int_eq(bind(shared_socket, (const struct sockaddr *)&sa,
			     sizeof(sa)),
	    0);
}

static void
send_on_shared(void *text)
{
	send_to_service(shared_socket, text);
}

/* One socket, several senders: the kernel attests each message. */
START_TEST(datagrams_are_judged_one_by_one)
{
	static const char *const arguments[] = { "dgram:d", "-a", "uid:1500",
		NULL };
	static char first[] = "first", second[] = "second", third[] = "third";
	struct service service;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", OTHER_UID, 0755);
	service_start(&service, arguments);
	shared_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	as_user(OTHER_UID, OTHER_GID, bind_shared, NULL);

	as_user(OTHER_UID, OTHER_GID, send_on_shared, first);
	as_user(THIRD_UID, OTHER_GID, send_on_shared, second);
	as_user(OTHER_UID, OTHER_GID, send_on_shared, third);

	HEARS(shared_socket, "first");
	HEARS(shared_socket, "third");
	service_counts(&service, "1 refused (rules 1); received 2 messages");
	has_heard_nothing(shared_socket);
	close(shared_socket);
	service_stop_clean(&service);
}
END_TEST

/* Groups of a datagram's sender are not attested beyond the primary one. */
START_TEST(datagram_is_not_let_in_by_a_supplementary_group)
{
	static const char *const arguments[] = { "dgram:d", "-a", "gid:1600",
		"-a", "uid:1501", NULL };
	static char name[] = "home/third";
	const struct who member = { OTHER_UID, OTHER_GID, 1600 };
	struct service service;
	pid_t pid;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", OTHER_UID, 01777);
	service_start(&service, arguments);

	if ((pid = fork()) == 0) {
		become(&member);
		send_to_service(bind_datagram(harness_path("home/me"), 0600),
		    "let me in");
		_exit(0);
	}
	ck_assert_int_eq(wait_child(pid), 0);
	as_user(THIRD_UID, 1600, exchange_honestly, name);

	service_counts(&service, "1 refused (rules 1); received 1 messages");
	service_stop_clean(&service);
}
END_TEST

/* ---- never a messenger ---- */

/*
 * uid 1500 would have the privileged server carry its bytes to a socket that
 * only root may send to. The server is stopped while it swaps what its return
 * address names, so that every attack is in place before the reply.
 *
 * "victim" is root's, in root's directory; "evil" is the attacker's.
 */
static void
swap_for_symlink(void)
{
	send_to_service(bind_datagram(harness_path("evil/me"), 0666), "bite");
	ck_assert_int_eq(unlink("evil/me"), 0);
	ck_assert_int_eq(symlink(harness_path("victim"), "evil/me"), 0);
}

static void
swap_directory_for_symlink(void)
{
	ck_assert_int_eq(mkdir("evil/sub", 0755), 0);
	send_to_service(bind_datagram(harness_path("evil/sub/victim"), 0666),
	    "bite");
	ck_assert_int_eq(rename("evil/sub", "evil/gone"), 0);
	ck_assert_int_eq(symlink(harness_path("."), "evil/sub"), 0);
}

/* Root left its socket where everybody may rename it. */
static void
swap_for_renamed_victim(void)
{
	send_to_service(bind_datagram(harness_path("evil/me"), 0666), "bite");
	ck_assert_int_eq(rename("open/victim", "evil/me"), 0);
}

/* The server would look it up in its own directory. */
static void
name_relatively(void)
{
	const int there = open(harness_path("d"), O_PATH | O_CLOEXEC);
	char path[64];
	int fd;

	ck_assert_int_eq(chdir("evil"), 0);
	fd = bind_datagram("victim", 0666);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", there);
	{
		const struct sockaddr_un sa = address_of(path);

		ck_assert_int_eq(sendto(fd, "bite", 4, 0,
				     (const struct sockaddr *)&sa, sizeof(sa)),
		    4);
	}
}

/* The server would look it up among its own descriptors, one of which is its
 * socket's directory. */
static void
name_by_descriptor(void)
{
	for (int n = 4; n < 12; n++) {
		const int directory = open("evil", O_PATH);
		char path[64];

		ck_assert_int_eq(dup2(directory, n + 20), n + 20);
		close(directory);
		dup2(n + 20, n);
		snprintf(path, sizeof(path), "/proc/self/fd/%d/victim", n);
		send_to_service(bind_datagram(path, 0666), "bite");
		ck_assert_int_eq(unlink("evil/victim"), 0);
	}
}

static const struct {
	void (*attack)(void);
	const char *victim;
} attacks[] = {
	{ swap_for_symlink, "victim" },
	{ swap_directory_for_symlink, "victim" },
	{ swap_for_renamed_victim, "open/victim" },
	{ name_relatively, "victim" },
	{ name_by_descriptor, "victim" },
};

static void
run_attack(void *index)
{
	attacks[*(int *)index].attack();
}

START_TEST(reply_never_reaches_a_socket_that_is_not_the_senders)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char name[] = "evil/honest";
	struct service service;
	int victim;

	SKIP_UNLESS_ROOT();
	make_directory_of("evil", OTHER_UID, 0755);
	make_directory_of("open", 0, 0777);
	service_start(&service, arguments);
	victim = bind_datagram(harness_path(attacks[_i].victim), 0600);
	pause_service(&service);

	as_user(OTHER_UID, OTHER_GID, run_attack, &_i);

	resume_service(&service);
	as_user(OTHER_UID, OTHER_GID, exchange_honestly, name);
	has_heard_nothing(victim);
	service_counts(&service, "(not_senders ");
	close(victim);
	service_stop_clean(&service);
}
END_TEST

/* ---- ten thousand tries ---- */

#define N_TRIES 10000

/* What is swapped, again and again, with the attacker's own socket. */
static const struct {
	const char *victim, *other;
} races[] = {
	{ "victim", "evil/link" }, /* a symbolic link to the victim */
	{ "open/victim", "open/victim" }, /* root's socket itself */
};

static void
swap_until_killed(void *index)
{
	const char *other = races[*(int *)index].other;

	for (;;)
		renameat2(AT_FDCWD, "evil/me", AT_FDCWD, other,
		    RENAME_EXCHANGE);
}

static void
bite_many_times(void *index)
{
	const int fd = bind_datagram(harness_path("evil/me"), 0666);
	char reply[8];
	pid_t swapper;

	if (strcmp(races[*(int *)index].other, "evil/link") == 0)
		ck_assert_int_eq(symlink(harness_path("victim"), "evil/link"),
		    0);
	swapper = start_child(swap_until_killed, index);
	for (int i = 0; i < N_TRIES; i++) {
		send_to_service(fd, "bite");
		while (recv(fd, reply, sizeof(reply), MSG_DONTWAIT) > 0)
			;
	}
	ck_assert_int_eq(kill(swapper, SIGKILL), 0);
	ck_assert_int_eq(wait_child(swapper), 128 + SIGKILL);
	close(fd);
}

static void
bite_as_attacker(void *index)
{
	as_user(OTHER_UID, OTHER_GID, bite_many_times, index);
}

static void
exchange_many_times(void *name)
{
	for (int i = 0; i < 100; i++) {
		exchange_honestly(name);
		ck_assert_int_eq(unlink(harness_path(name)), 0);
	}
}

/* The attacker swaps and sends at the same time, as fast as it can. */
START_TEST(victim_hears_nothing_in_ten_thousand_tries)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char name[] = "evil/honest";
	struct service service;
	int victim, index = _i;
	pid_t attacker;

	SKIP_UNLESS_ROOT();
	make_directory_of("evil", OTHER_UID, 0755);
	make_directory_of("open", 0, 0777);
	service_start(&service, arguments);
	victim = bind_datagram(harness_path(races[_i].victim), 0600);

	attacker = start_child(bite_as_attacker, &index);
	as_user(OTHER_UID, OTHER_GID, exchange_many_times, name);

	ck_assert_int_eq(wait_child(attacker), 0);
	has_heard_nothing(victim);
	service_counts(&service, "not_senders ");
	as_user(OTHER_UID, OTHER_GID, exchange_honestly, name);
	close(victim);
	service_stop_clean(&service);
}
END_TEST

/* ---- clients that come again ---- */

#define CANNOT_UNSHARE 77

static void
send_under_two_names(void *unused)
{
	send_to_service(bind_datagram(harness_path("home/me"), 0666), "bite");
	send_to_service(bind_datagram(harness_path("home/you"), 0666), "bite");
}

/* What is "home" here is not what the server knows by that name. */
static void
send_from_another_mount_namespace(void *unused)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", harness_path("home"), "tmpfs", 0, "mode=0777") < 0)
		_exit(CANNOT_UNSHARE);
	as_user(OTHER_UID, OTHER_GID, send_under_two_names, NULL);
}

START_TEST(name_in_another_mount_namespace_leads_nowhere)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char root[] = "root";
	struct service service;
	int victim, status;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", 0, 0755);
	victim = bind_datagram(harness_path("home/me"), 0600);
	service_start(&service, arguments);

	status =
	    wait_child(start_child(send_from_another_mount_namespace, NULL));
	exchange_honestly(root);

	has_heard_nothing(victim);
	close(victim);
	if (status == CANNOT_UNSHARE) {
		skip("cannot have another mount name space here");
	} else {
		ck_assert_int_eq(status, 0);
		service_counts(&service, "(not_senders 1, gone 1)");
	}
	service_stop_clean(&service);
}
END_TEST

START_TEST(client_that_starts_again_at_its_path_is_answered)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char name[] = "home/me";
	struct service service;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", OTHER_UID, 0755);
	service_start(&service, arguments);

	as_user(OTHER_UID, OTHER_GID, exchange_many_times, name);

	service_counts(&service, "0 dropped");
	service_stop_clean(&service);
}
END_TEST

/* Verified return paths that stay open; see uxecho(8). */
#define HELD_MAX 512

#define N_PATHS 600

static void
exchange_from_many_paths(void *directory)
{
	for (int i = 0; i < N_PATHS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s/%d", (char *)directory, i);
		exchange_honestly(name);
	}
}

START_TEST(descriptors_held_for_datagram_clients_are_limited)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char directory[] = "home";
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	make_directory_of("home", OTHER_UID, 0755);
	service_start(&service, arguments);
	before = count_descriptors_of(service.pid);

	as_user(OTHER_UID, OTHER_GID, exchange_from_many_paths, directory);

	ck_assert_int_le(count_descriptors_of(service.pid), before + HELD_MAX);
	service_counts(&service, "0 dropped");
	service_stop_clean(&service);
}
END_TEST

/* The same server does carry what root itself asks for. */
START_TEST(honest_senders_are_answered_whoever_they_are)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	static char before[] = "evil/before", root[] = "evil/root",
		    other[] = "evil/other", third[] = "evil/third";
	struct service service;
	int n_descriptors;

	SKIP_UNLESS_ROOT();
	make_directory_of("evil", OTHER_UID, 0777);
	service_start(&service, arguments);
	exchange_honestly(before); /* so it has done all that starting takes */
	n_descriptors = count_descriptors_of(service.pid);

	as_user(OTHER_UID, OTHER_GID, exchange_honestly, other);
	as_user(THIRD_UID, OTHER_GID, exchange_honestly, third);
	exchange_honestly(root);

	/* A verified path is held for each of the two strangers. */
	ck_assert_int_eq(count_descriptors_of(service.pid), n_descriptors + 2);
	service_counts(&service, "sent 4, 24 bytes; 0 dropped");
	service_stop_clean(&service);
}
END_TEST

/* ---- those who do not read ---- */

#define N_HOGS 1000
#define HOG_MESSAGES 3 /* 25 MB in all, more than wmem_max allows */
#define HOG_BYTES 4096

struct crowd {
	uid_t uid;
	const char *directory;
	bool is_connected; /* then it hears no other socket than the main one */
	int n, n_rounds;
	size_t length;
	int told; /* a pipe: done, and the sockets stay open */
};

static int
dial_datagram(const struct crowd *crowd, int i)
{
	const struct sockaddr_un sa = address_of(harness_path("d"));
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s/%d", crowd->directory, i);
	fd = bind_datagram(harness_path(name), 0600);
	if (crowd->is_connected)
		ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa,
				     sizeof(sa)),
		    0);
	return fd;
}

static void
send_much(int fd, const struct crowd *crowd)
{
	const struct sockaddr_un sa = address_of(harness_path("d"));
	char data[HOG_BYTES] = "";

	ck_assert_int_eq(sendto(fd, data, crowd->length, 0,
			     crowd->is_connected ? NULL :
						   (const struct sockaddr *)&sa,
			     crowd->is_connected ? 0 : sizeof(sa)),
	    (int)crowd->length);
}

/* Fill every queue, read nothing, and stay. */
static void
hog_until_killed(void *arg)
{
	const struct crowd *crowd = arg;
	int fds[N_HOGS];

	for (int i = 0; i < crowd->n; i++)
		fds[i] = dial_datagram(crowd, i);
	for (int i = 0; i < crowd->n; i++) {
		for (int k = 0; k < crowd->n_rounds; k++)
			send_much(fds[i], crowd);
	}
	ck_assert_int_eq(write(crowd->told, "!", 1), 1);
	for (;;)
		pause();
}

/* Send and read, all of them in turn. */
static void
be_a_crowd_that_reads(void *arg)
{
	const struct crowd *crowd = arg;
	const struct timeval limit = { .tv_sec = 10 };
	char data[HOG_BYTES] = "";
	int fds[N_HOGS];

	for (int i = 0; i < crowd->n; i++) {
		fds[i] = dial_datagram(crowd, i);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &limit,
		    sizeof(limit));
	}
	for (int k = 0; k < crowd->n_rounds; k++) {
		for (int i = 0; i < crowd->n; i++) {
			send_much(fds[i], crowd);
			client_hears(fds[i], data, crowd->length);
		}
	}
	close_all(fds, crowd->n);
}

static void
become_hog(void *arg)
{
	const struct crowd *crowd = arg;
	const struct who who = { crowd->uid, OTHER_GID, NO_GROUP };

	become(&who);
	hog_until_killed(arg);
}

/* Returns when all that it sent has been received. */
static pid_t
start_hog(struct crowd *hog)
{
	int told[2];
	char byte;
	pid_t pid;

	make_directory_of(hog->directory, hog->uid, 0755);
	ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
	hog->told = told[1];
	pid = start_child(become_hog, hog);
	close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	close(told[0]);
	return pid;
}

static pid_t
start_usual_hog(bool is_connected)
{
	struct crowd hog = { OTHER_UID, "hogs", is_connected, N_HOGS,
		HOG_MESSAGES, HOG_BYTES, -1 };

	return start_hog(&hog);
}

static void
end_hog(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
}

static bool
may_open_many(void)
{
	struct rlimit limit = { .rlim_cur = N_HOGS + 100 };

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < N_HOGS + 100) {
		skip("the hard limit of descriptors is below 1100");
		return false;
	}
	limit.rlim_cur = N_HOGS + 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return true;
}

static const struct {
	bool is_hog_connected;
	struct crowd honest;
} hoggings[] = {
	{ false, { THIRD_UID, "home", false, 1, 300, 56, -1 } },
	{ false, { THIRD_UID, "home", true, 1, 300, 56, -1 } },
	{ true, { THIRD_UID, "home", true, 1, 300, 56, -1 } },
	{ true, { 0, "home", true, 1, 300, 56, -1 } },
	{ true, { THIRD_UID, "home", true, 8, 300, HOG_BYTES, -1 } },
	/* So many that their queues could be a hog's too. */
	{ true, { THIRD_UID, "home", true, 100, 50, 56, -1 } },
	{ true, { THIRD_UID, "home", false, 100, 50, HOG_BYTES, -1 } },
};

START_TEST(user_who_never_reads_does_not_silence_another)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	struct crowd honest = hoggings[_i].honest;
	struct service service;
	pid_t hog;

	SKIP_UNLESS_ROOT();
	if (!may_open_many())
		return;
	make_directory_of("home", honest.uid, 0755);
	service_start(&service, arguments);
	hog = start_usual_hog(hoggings[_i].is_hog_connected);

	as_user(honest.uid, OTHER_GID, be_a_crowd_that_reads, &honest);

	end_hog(hog);
	service_counts(&service, "dropped (full ");
	service_stop_clean(&service);
}
END_TEST

#define N_HOG_UIDS 12

/* Together they spend every share there is: nothing is left of the buffer. */
START_TEST(many_users_who_never_read_do_not_silence_one_who_listens_to_all)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	struct crowd honest = { THIRD_UID, "home", false, 1, 300, 56, -1 };
	struct service service;
	pid_t hogs[N_HOG_UIDS];

	SKIP_UNLESS_ROOT();
	make_directory_of("home", honest.uid, 0755);
	service_start(&service, arguments);
	for (int i = 0; i < N_HOG_UIDS; i++) {
		char directory[32];
		struct crowd hog = { 2000 + (uid_t)i, directory, true, 150, 8,
			HOG_BYTES, -1 };

		snprintf(directory, sizeof(directory), "hogs%d", i);
		hogs[i] = start_hog(&hog);
	}

	as_user(honest.uid, OTHER_GID, be_a_crowd_that_reads, &honest);

	for (int i = 0; i < N_HOG_UIDS; i++)
		end_hog(hogs[i]);
	service_stop_clean(&service);
}
END_TEST

/* What was made for the hard times goes when they are over. */
START_TEST(hog_that_ends_leaves_no_descriptors)
{
	static const char *const arguments[] = { "dgram:d", "-a", "any", NULL };
	struct crowd honest = { THIRD_UID, "home", false, 100, 20, HOG_BYTES,
		-1 };
	static char name[] = "home/last";
	struct service service;
	int before;

	SKIP_UNLESS_ROOT();
	if (!may_open_many())
		return;
	make_directory_of("home", THIRD_UID, 0755);
	service_start(&service, arguments);
	before = count_descriptors_of(service.pid);
	end_hog(start_usual_hog(false));

	/* Each of its queues was charged to some socket, and is free now. */
	as_user(THIRD_UID, OTHER_GID, be_a_crowd_that_reads, &honest);
	as_user(THIRD_UID, OTHER_GID, exchange_honestly, name);

	ck_assert_int_le(count_descriptors_of(service.pid), before + HELD_MAX);
	service_stop_clean(&service);
}
END_TEST

START_TEST(datagram_without_a_return_address_is_counted)
{
	static const char *const arguments[] = { "dgram:d", NULL };
	static char name[] = "me";
	struct service service;
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	service_start(&service, arguments);

	send_to_service(fd, "to nobody");

	exchange_honestly(name);
	service_counts(&service, "1 dropped (no_return_address 1)");
	close(fd);
	service_stop_clean(&service);
}
END_TEST

Suite *
suite_uxecho_access(void)
{
	Suite *suite = suite_create("uxecho access");
	TCase *rules = harness_case(suite, "rules");
	TCase *file = harness_case(suite, "file");
	TCase *datagrams = harness_case(suite, "datagrams");
	TCase *replies = harness_case(suite, "replies");

	tcase_add_loop_test(rules, rules_decide_who_is_served, 0, N_OF(visits));
	tcase_add_test(rules, refused_client_does_not_disturb_an_admitted_one);
	tcase_add_test(rules, own_uid_and_root_are_in_and_others_out);
	tcase_add_loop_test(file, mode_of_the_file_decides_who_may_connect, 0,
	    N_OF(file_modes));
	tcase_add_test(datagrams, datagrams_are_judged_one_by_one);
	tcase_add_test(datagrams,
	    datagram_is_not_let_in_by_a_supplementary_group);
	tcase_add_loop_test(replies,
	    reply_never_reaches_a_socket_that_is_not_the_senders, 0,
	    N_OF(attacks));
	tcase_add_loop_test(replies, victim_hears_nothing_in_ten_thousand_tries,
	    0, N_OF(races));
	tcase_add_test(replies, name_in_another_mount_namespace_leads_nowhere);
	tcase_add_test(replies,
	    client_that_starts_again_at_its_path_is_answered);
	tcase_add_test(replies,
	    descriptors_held_for_datagram_clients_are_limited);
	tcase_add_test(replies, honest_senders_are_answered_whoever_they_are);
	tcase_add_loop_test(replies,
	    user_who_never_reads_does_not_silence_another, 0, N_OF(hoggings));
	tcase_add_test(replies,
	    many_users_who_never_read_do_not_silence_one_who_listens_to_all);
	tcase_add_test(replies, hog_that_ends_leaves_no_descriptors);
	tcase_add_test(replies, datagram_without_a_return_address_is_counted);
	return suite;
}
