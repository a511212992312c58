/* SPDX-License-Identifier: ISC */
#include <uxsrv/peer.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <uxsrv/access.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static void
assert_unknown(const struct uxs_peer *peer)
{
	ck_assert(!uxs_peer_is_known(peer));
	ck_assert_uint_eq(peer->uid, UXS_UID_NONE);
	ck_assert_uint_eq(peer->gid, UXS_GID_NONE);
	ck_assert_int_eq(peer->pid, 0);
}

/* ---- connections ---- */

/* Who connects: a child with these ids and groups, which then ends. */
struct caller {
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	const gid_t *groups;
	enum uxs_type type;
};

static void
call(void *arg)
{
	const struct caller *caller = arg;

	if (caller->uid != geteuid()) {
		ck_assert_int_eq(setgroups(caller->n_groups, caller->groups),
		    0);
		ck_assert_int_eq(setresgid(caller->gid, caller->gid,
				     caller->gid),
		    0);
		ck_assert_int_eq(setresuid(caller->uid, caller->uid,
				     caller->uid),
		    0);
	}
	client_connect(caller->type, "sock");
}

/* A connection from that caller, who is dead by now. */
static int
connection_from(struct caller *caller, pid_t *pid)
{
	int server = bound_socket(caller->type, "sock");
	int fd;

	ck_assert_int_eq(listen(server, 5), 0);
	*pid = start_child(call, caller);
	ck_assert_int_eq(wait_child(*pid), 0);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(server);
	return fd;
}

START_TEST(knows_itself)
{
	struct uxs_peer peer;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	uxs_peer_of_socket(&peer, pair[0]);

	ck_assert(uxs_peer_is_known(&peer));
	ck_assert_uint_eq(peer.uid, geteuid());
	ck_assert_uint_eq(peer.gid, getegid());
	ck_assert_int_eq(peer.pid, getpid());
	close_all(pair, 2);
}
END_TEST

START_TEST(knows_another_user_even_when_he_is_gone)
{
	struct caller caller = { OTHER_UID, OTHER_GID, 0, NULL,
		_i ? UXS_SEQPACKET : UXS_STREAM };
	struct uxs_peer peer;
	pid_t pid;
	int fd;

	SKIP_UNLESS_ROOT();
	fd = connection_from(&caller, &pid);
	uxs_peer_of_socket(&peer, fd);

	ck_assert_uint_eq(peer.uid, OTHER_UID);
	ck_assert_uint_eq(peer.gid, OTHER_GID);
	ck_assert_int_eq(peer.pid, pid);
	close(fd);
}
END_TEST

static int
pipe_end(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	return fds[0];
}

static int
unconnected(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC, 0);
}

static int
peerless_descriptor(int which)
{
	switch (which) {
	case 0:
		return unconnected(AF_UNIX, SOCK_STREAM);
	case 1:
		return unconnected(AF_UNIX, SOCK_DGRAM);
	case 2:
		return unconnected(AF_INET, SOCK_STREAM);
	default:
		return pipe_end();
	}
}

START_TEST(where_nobody_is_nobody_is_known)
{
	struct uxs_peer peer = { .uid = 0, .gid = 0, .pid = 1 };
	struct uxs_groups groups = { .is_known = true, .n = 7 };
	int fd = peerless_descriptor(_i);

	ck_assert_int_ge(fd, 0);
	uxs_peer_of_socket(&peer, fd);
	int r = uxs_groups_of_socket(&groups, fd);

	assert_unknown(&peer);
	ck_assert_int_lt(r, 0);
	ck_assert(!groups.is_known);
	ck_assert_uint_eq(groups.n, 0);
	ck_assert_int_lt(uxs_peer_open_pidfd(fd), 0);
	close(fd);
}
END_TEST

/* ---- groups ---- */

static int
compare_gids(const void *a, const void *b)
{
	const gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return x < y ? -1 : x > y;
}

static const size_t group_counts[] = { 0, 1, 2, 63, 64, 65, 300, 4096,
	UXS_GROUPS_MAX };

START_TEST(knows_all_the_groups)
{
	const size_t n = group_counts[_i];
	gid_t gids[UXS_GROUPS_MAX];
	struct caller caller = { OTHER_UID, OTHER_GID, n, gids, UXS_STREAM };
	struct uxs_groups groups;
	pid_t pid;
	int fd;

	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < n; i++)
		gids[i] = (gid_t)(100000 + 3 * i);
	fd = connection_from(&caller, &pid);
	int r = uxs_groups_of_socket(&groups, fd);

	ck_assert_int_eq(r, 0);
	ck_assert(groups.is_known);
	ck_assert_uint_eq(groups.n, n);
	if (n > 0) {
		qsort(groups.gids, n, sizeof(*gids), compare_gids);
		ck_assert_int_eq(memcmp(groups.gids, gids, n * sizeof(*gids)),
		    0);
	}
	uxs_groups_fini(&groups);
	close(fd);
}
END_TEST

START_TEST(groups_that_are_no_longer_held_are_not_known)
{
	struct uxs_groups groups;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(uxs_groups_of_socket(&groups, pair[0]), 0);
	uxs_groups_fini(&groups);
	uxs_groups_fini(&groups);

	ck_assert(!groups.is_known);
	ck_assert_ptr_null(groups.gids);
	close_all(pair, 2);
}
END_TEST

/* ---- pidfd and label ---- */

static void
call_and_wait(void *arg)
{
	char byte;
	int fd = client_connect(UXS_STREAM, "sock");

	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
}

START_TEST(pidfd_tells_of_the_end)
{
	struct pollfd end = { .events = POLLIN };
	int server = bound_socket(UXS_STREAM, "sock");
	pid_t pid;
	int fd;

	ck_assert_int_eq(listen(server, 5), 0);
	pid = start_child(call_and_wait, NULL);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	end.fd = uxs_peer_open_pidfd(fd);
	if (end.fd == -ENOPROTOOPT) {
		skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
	} else {
		ck_assert_int_ge(end.fd, 0);
		ck_assert(fcntl(end.fd, F_GETFD) & FD_CLOEXEC);
		ck_assert_int_eq(poll(&end, 1, 0), 0);
	}
	close(fd);

	if (end.fd >= 0) {
		ck_assert_int_eq(poll(&end, 1, -1), 1);
		close(end.fd);
	}
	ck_assert_int_eq(wait_child(pid), 0);
	close(server);
}
END_TEST

START_TEST(label_is_printable_or_said_to_be_missing)
{
	char label[64] = "";
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	int r = uxs_peer_label(pair[0], label, sizeof(label));
	close_all(pair, 2);

	if (r == -ENOPROTOOPT) {
		skip("no security module gives labels here");
		ck_assert_str_eq(label, "");
		return;
	}
	ck_assert_int_eq(r, (int)strlen(label));
	for (const char *at = label; *at != '\0'; at++)
		ck_assert(isprint((unsigned char)*at));
}
END_TEST

START_TEST(label_of_no_socket_is_an_error)
{
	char label[64] = "";
	int fd = pipe_end();

	ck_assert_int_eq(uxs_peer_label(fd, label, sizeof(label)), -ENOTSOCK);
	close(fd);
}
END_TEST

/* ---- messages ---- */

union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
	    CMSG_SPACE(8 * sizeof(int))];
	struct cmsghdr align;
};

static void
add_control(struct msghdr *message, int type, const void *data, size_t length)
{
	char *end = (char *)message->msg_control + message->msg_controllen;
	struct cmsghdr *header = (void *)end;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(header), data, length);
	message->msg_controllen += CMSG_SPACE(length);
}

static const struct {
	struct ucred ucred;
	struct uxs_peer expect;
} ucred_rows[] = {
	{ { 4711, 1500, 1600 }, { 1500, 1600, 4711, false } },
	{ { 1, 0, 0 }, { 0, 0, 1, false } },
	/* A pid that is not known leaves the rest. */
	{ { 0, 1500, 1600 }, { 1500, 1600, 0, false } },
	{ { -1, 1500, 1600 }, { 1500, 1600, 0, false } },
	/* So does a group that is not mapped here. */
	{ { 4711, 1500, 65534 }, { 1500, UXS_GID_NONE, 4711, false } },
	{ { 4711, 1500, UXS_GID_NONE }, { 1500, UXS_GID_NONE, 4711, false } },
	/* Without a user nothing is known. */
	{ { 0, 65534, 65534 }, UXS_PEER_UNKNOWN },
	{ { 4711, 65534, 1600 },
	    { UXS_UID_NONE, UXS_GID_NONE, 0,
		true } }, /* but somebody is there */
	{ { 4711, UXS_UID_NONE, 1600 }, UXS_PEER_UNKNOWN },
};

START_TEST(takes_from_a_message_what_is_known)
{
	union control control = { .bytes = "" };
	struct msghdr message = { .msg_control = control.bytes };
	struct uxs_peer peer;

	if (uxs_overflow_uid() != 65534 || uxs_overflow_gid() != 65534) {
		skip("this kernel's overflow ids are not the usual ones");
		return;
	}
	add_control(&message, SCM_CREDENTIALS, &ucred_rows[_i].ucred,
	    sizeof(struct ucred));
	uxs_peer_of_message(&peer, &message);

	ck_assert_uint_eq(peer.uid, ucred_rows[_i].expect.uid);
	ck_assert_uint_eq(peer.gid, ucred_rows[_i].expect.gid);
	ck_assert_int_eq(peer.pid, ucred_rows[_i].expect.pid);
	ck_assert(peer.is_unmapped == ucred_rows[_i].expect.is_unmapped);
}
END_TEST

START_TEST(a_message_without_credentials_is_from_nobody)
{
	union control control = { .bytes = "" };
	struct msghdr message = { .msg_control = control.bytes };
	struct uxs_peer peer = { .uid = 0 };

	if (_i == 1) /* descriptors are no credentials */
		add_control(&message, SCM_RIGHTS, (int[]){ 0, 0, 0 },
		    sizeof(struct ucred));
	if (_i == 2) /* half of them are none */
		add_control(&message, SCM_CREDENTIALS, (int[]){ 0, 0 },
		    2 * sizeof(int));
	if (_i == 3)
		message = (struct msghdr){ 0 };
	uxs_peer_of_message(&peer, &message);

	assert_unknown(&peer);
}
END_TEST

START_TEST(credentials_are_found_behind_something_else)
{
	const struct ucred ucred = { 4711, 1500, 1600 };
	union control control = { .bytes = "" };
	struct msghdr message = { .msg_control = control.bytes };
	struct uxs_peer peer;

	add_control(&message, SCM_RIGHTS, (int[]){ 0 }, sizeof(int));
	add_control(&message, SCM_CREDENTIALS, &ucred, sizeof(ucred));
	uxs_peer_of_message(&peer, &message);

	ck_assert_uint_eq(peer.uid, 1500);
}
END_TEST

static void
send_one(void *arg)
{
	int fd = client_connect(UXS_DGRAM, "sock");

	client_says(fd, "x", 1);
}

static void
receive(int fd, struct uxs_peer *peer)
{
	union control control;
	char byte;
	struct iovec piece = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	ck_assert_int_eq(recvmsg(fd, &message, 0), 1);
	uxs_peer_of_message(peer, &message);
}

static void
pass_credentials(int fd)
{
	const int on = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on,
			     sizeof(on)),
	    0);
}

START_TEST(every_datagram_has_its_own_sender)
{
	struct uxs_peer first, second, third;
	int server;

	SKIP_UNLESS_ROOT();
	server = bound_socket(UXS_DGRAM, "sock");
	pass_credentials(server);
	ck_assert_int_eq(chmod(".", 0777), 0);
	as_user(OTHER_UID, OTHER_GID, send_one, NULL);
	as_user(0, 0, send_one, NULL);
	as_user(THIRD_UID, OTHER_GID, send_one, NULL);
	receive(server, &first);
	receive(server, &second);
	receive(server, &third);

	ck_assert_uint_eq(first.uid, OTHER_UID);
	ck_assert_uint_eq(first.gid, OTHER_GID);
	ck_assert_uint_eq(second.uid, 0);
	ck_assert_uint_eq(third.uid, THIRD_UID);
	close(server);
}
END_TEST

START_TEST(what_was_queued_before_anybody_asked_is_from_nobody)
{
	int server = bound_socket(UXS_DGRAM, "sock");
	struct uxs_peer peer = { .uid = 0 };

	ck_assert_int_eq(wait_child(start_child(send_one, NULL)), 0);
	pass_credentials(server);
	receive(server, &peer);

	assert_unknown(&peer);
	close(server);
}
END_TEST

/* ---- other name spaces ---- */

/* What a server in another name space says about a connection. */
struct seen {
	int fd;
	void (*check)(const struct uxs_peer *peer);
};

static void
see(void *arg)
{
	const struct seen *seen = arg;
	struct uxs_peer peer;

	uxs_peer_of_socket(&peer, seen->fd);
	seen->check(&peer);
}

static void
write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void
see_in_another_user_namespace(void *arg)
{
	if (unshare(CLONE_NEWUSER) < 0) {
		skip("user name spaces are not allowed here");
		return;
	}
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 0 1");
	write_map("/proc/self/gid_map", "0 0 1");
	see(arg);
}

static void
see_in_another_pid_namespace(void *arg)
{
	if (unshare(CLONE_NEWPID) < 0) {
		skip("pid name spaces are not allowed here");
		return;
	}
	ck_assert_int_eq(wait_child(start_child(see, arg)), 0);
}

static void
is_nobody_and_stays_out(const struct uxs_peer *peer)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(0);

	assert_unknown(peer);
	uxs_access_add(&access, UXS_ALLOW, "uid:0-4294967294",
	    &uxs_names_system, NULL);
	uxs_access_add(&access, UXS_ALLOW, "gid:0-4294967294",
	    &uxs_names_system, NULL);
	ck_assert_int_eq(uxs_access_decide(&access, peer, NULL), UXS_DENY);
	uxs_access_fini(&access);
}

static void
is_root(const struct uxs_peer *peer)
{
	ck_assert_uint_eq(peer->uid, 0);
	ck_assert_uint_eq(peer->gid, 0);
}

static void
is_other_without_pid(const struct uxs_peer *peer)
{
	ck_assert_uint_eq(peer->uid, OTHER_UID);
	ck_assert_uint_eq(peer->gid, OTHER_GID);
	ck_assert_int_eq(peer->pid, 0);
}

static void
seen_from(void (*elsewhere)(void *), uid_t uid, gid_t gid,
    void (*check)(const struct uxs_peer *))
{
	struct caller caller = { uid, gid, 0, NULL, UXS_STREAM };
	struct seen seen = { .check = check };
	pid_t pid;

	seen.fd = connection_from(&caller, &pid);
	ck_assert_int_eq(wait_child(start_child(elsewhere, &seen)), 0);
	close(seen.fd);
}

START_TEST(a_user_who_is_not_mapped_here_is_nobody)
{
	SKIP_UNLESS_ROOT();

	seen_from(see_in_another_user_namespace, OTHER_UID, OTHER_GID,
	    is_nobody_and_stays_out);
}
END_TEST

START_TEST(a_user_who_is_mapped_here_is_known)
{
	SKIP_UNLESS_ROOT();

	seen_from(see_in_another_user_namespace, 0, 0, is_root);
}
END_TEST

START_TEST(a_process_that_has_no_pid_here_has_none)
{
	SKIP_UNLESS_ROOT();

	seen_from(see_in_another_pid_namespace, OTHER_UID, OTHER_GID,
	    is_other_without_pid);
}
END_TEST

/* ---- ids that stand for nobody ---- */

/* In a mount name space of its own, the kernel's file says another number. */
static void
overflow_is_4242(void *arg)
{
	write_file("id", "4242\n", 0644);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("id", "/proc/sys/kernel/overflowuid", NULL, MS_BIND, NULL) <
		0 ||
	    mount("id", "/proc/sys/kernel/overflowgid", NULL, MS_BIND, NULL) <
		0) {
		skip("cannot hide a file of /proc here");
		return;
	}
	ck_assert_uint_eq(uxs_overflow_uid(), 4242);
	ck_assert_uint_eq(uxs_overflow_gid(), 4242);
}

START_TEST(overflow_ids_are_the_kernels)
{
	SKIP_UNLESS_ROOT();

	ck_assert_int_eq(wait_child(start_child(overflow_is_4242, NULL)), 0);
}
END_TEST

static void
overflow_is_65534(void *arg)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    umount2("/proc", MNT_DETACH) < 0) {
		skip("cannot take /proc away here");
		return;
	}
	ck_assert_uint_eq(uxs_overflow_uid(), 65534);
	ck_assert_uint_eq(uxs_overflow_gid(), 65534);
}

START_TEST(overflow_ids_are_the_usual_ones_without_proc)
{
	SKIP_UNLESS_ROOT();

	ck_assert_int_eq(wait_child(start_child(overflow_is_65534, NULL)), 0);
}
END_TEST

/* ---- for people ---- */

static const struct {
	struct uxs_peer peer;
	const char *expect, *named;
} print_rows[] = {
	{ { 0, 0, 1, false }, "uid=0 gid=0 pid=1", "uid=0(root) gid=0 pid=1" },
	{ { 3123456789, 7, 0, false }, "uid=3123456789 gid=7 pid=unknown",
	    "uid=3123456789 gid=7 pid=unknown" },
	{ { 3123456789, UXS_GID_NONE, 7, false },
	    "uid=3123456789 gid=unknown pid=7",
	    "uid=3123456789 gid=unknown pid=7" },
	{ UXS_PEER_UNKNOWN, "uid=unknown gid=unknown pid=unknown",
	    "uid=unknown gid=unknown pid=unknown" },
};

START_TEST(unknown_is_printed_as_unknown)
{
	char text[UXS_PEER_TEXT_MAX];

	uxs_peer_print(&print_rows[_i].peer, text);

	ck_assert_str_eq(text, print_rows[_i].expect);
}
END_TEST

START_TEST(users_are_named_where_that_is_asked_for)
{
	char text[UXS_PEER_TEXT_MAX];

	uxs_peer_print_named(&print_rows[_i].peer, text);

	ck_assert_str_eq(text, print_rows[_i].named);
}
END_TEST

static void
add_message_tests(TCase *messages)
{
	tcase_add_loop_test(messages, takes_from_a_message_what_is_known, 0,
	    N_ROWS(ucred_rows));
	tcase_add_loop_test(messages,
	    a_message_without_credentials_is_from_nobody, 0, 4);
	tcase_add_test(messages, credentials_are_found_behind_something_else);
	tcase_add_test(messages, every_datagram_has_its_own_sender);
	tcase_add_test(messages,
	    what_was_queued_before_anybody_asked_is_from_nobody);
}

Suite *
suite_peer(void)
{
	Suite *suite = suite_create("peer");
	TCase *connections = harness_case(suite, "connections");
	TCase *elsewhere = harness_case(suite, "name spaces");
	TCase *printing = harness_case(suite, "printing");

	tcase_add_test(connections, knows_itself);
	tcase_add_loop_test(connections,
	    knows_another_user_even_when_he_is_gone, 0, 2);
	tcase_add_loop_test(connections, where_nobody_is_nobody_is_known, 0, 4);
	tcase_add_loop_test(connections, knows_all_the_groups, 0,
	    N_ROWS(group_counts));
	tcase_add_test(connections,
	    groups_that_are_no_longer_held_are_not_known);
	tcase_add_test(connections, pidfd_tells_of_the_end);
	tcase_add_test(connections, label_is_printable_or_said_to_be_missing);
	tcase_add_test(connections, label_of_no_socket_is_an_error);

	add_message_tests(harness_case(suite, "messages"));

	tcase_add_test(elsewhere, a_user_who_is_not_mapped_here_is_nobody);
	tcase_add_test(elsewhere, a_user_who_is_mapped_here_is_known);
	tcase_add_test(elsewhere, a_process_that_has_no_pid_here_has_none);
	tcase_add_test(elsewhere, overflow_ids_are_the_kernels);
	tcase_add_test(elsewhere, overflow_ids_are_the_usual_ones_without_proc);

	tcase_add_loop_test(printing, unknown_is_printed_as_unknown, 0,
	    N_ROWS(print_rows));
	tcase_add_loop_test(printing, users_are_named_where_that_is_asked_for,
	    0, N_ROWS(print_rows));
	return suite;
}
