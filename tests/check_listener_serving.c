/* SPDX-License-Identifier: ISC */
/* A listener from its first client to its end, and many starters at once. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/peer.h>

#include "check_listener.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

static const char *const addresses[UXS_N_TYPES] = {
	[UXS_STREAM] = "stream:sock",
	[UXS_SEQPACKET] = "seqpacket:sock",
	[UXS_DGRAM] = "dgram:sock",
};

/* ---- letting clients in ---- */

START_TEST(nobody_gets_in_before_it_listens)
{
	struct uxs_listener listener;
	int fd;

	open_listener(&listener, addresses[_i]);
	ck_assert_int_lt(client_try((enum uxs_type)_i, "sock"), 0);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_int_eq(uxs_listener_listen(&listener, 5, NULL), 0);

	fd = client_connect((enum uxs_type)_i, "sock");
	close(fd);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(accepts_who_waits_one_at_a_time)
{
	struct uxs_listener listener;
	int first, second, got[3];

	serve(&listener, addresses[_i]);
	ck_assert_int_eq(uxs_listener_accept(&listener, &got[0]),
	    UXS_ACCEPT_NONE);
	ck_assert_int_eq(got[0], -1);
	first = client_connect((enum uxs_type)_i, "sock");
	second = client_connect((enum uxs_type)_i, "sock");
	SAYS(first, "first");
	SAYS(second, "second");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(uxs_listener_accept(&listener, &got[i]),
		    UXS_ACCEPT_OK);

	ck_assert_int_eq(uxs_listener_accept(&listener, &got[2]),
	    UXS_ACCEPT_NONE);
	ck_assert_int_eq(got[2], -1);
	HEARS(got[0], "first");
	HEARS(got[1], "second");
	close_all((int[]){ first, second, got[0], got[1] }, 4);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(descriptors_do_not_block_and_are_not_inherited)
{
	struct uxs_listener listener;
	int client, fd;

	serve(&listener, addresses[_i]);
	client = client_connect((enum uxs_type)_i, "sock");
	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_OK);

	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(listener.fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC);
	close_all((int[]){ client, fd }, 2);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(who_is_gone_already_is_accepted_with_what_he_said)
{
	struct uxs_listener listener;
	int client, fd;

	serve(&listener, addresses[_i]);
	client = client_connect((enum uxs_type)_i, "sock");
	SAYS(client, "last words");
	close(client);

	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_OK);
	HEARS(fd, "last words");
	close(fd);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(without_descriptors_it_is_exhausted_and_then_recovers)
{
	struct uxs_listener listener;
	int client, fd, r;

	serve(&listener, addresses[_i]);
	client = client_connect((enum uxs_type)_i, "sock");
	allow_descriptors(0);
	r = uxs_listener_accept(&listener, &fd);
	allow_descriptors(-1);
	ck_assert_int_eq(r, UXS_ACCEPT_EXHAUSTED);
	ck_assert_int_eq(fd, -1);

	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_OK);
	close_all((int[]){ client, fd }, 2);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(a_listener_that_is_broken_says_so)
{
	struct uxs_listener listener = UXS_LISTENER_CLOSED;
	int fd = 7;

	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), -EBADF);
	ck_assert_int_eq(fd, -1);
}
END_TEST

/* ---- what is set before anybody can come ---- */

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0)
		return -errno;
	return value;
}

START_TEST(messages_bring_their_senders)
{
	struct uxs_listener listener;

	open_listener(&listener, addresses[_i]);

	ck_assert_int_eq(option_of(listener.fd, SO_PASSCRED),
	    _i == UXS_DGRAM ? 1 : 0);
	uxs_listener_close(&listener);
}
END_TEST

static int
send_a_descriptor(int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS } };
	struct iovec piece = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	const struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

START_TEST(no_descriptor_can_be_passed_in)
{
	struct uxs_listener listener;
	int client;

	serve(&listener, addresses[_i]);
	if (option_of(listener.fd, SO_PASSRIGHTS) == -ENOPROTOOPT) {
		skip("this kernel has no SO_PASSRIGHTS (Linux 6.16)");
		uxs_listener_close(&listener);
		return;
	}
	client = client_connect((enum uxs_type)_i, "sock");

	ck_assert_int_eq(send_a_descriptor(client), -EPERM);
	close(client);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- draining ---- */

START_TEST(drain_loses_nobody_who_waits)
{
	struct uxs_listener listener;
	int clients[3], fd;

	serve(&listener, addresses[_i]);
	for (int i = 0; i < 3; i++) {
		clients[i] = client_connect((enum uxs_type)_i, "sock");
		client_says(clients[i], &i, sizeof(i));
	}
	uxs_listener_drain(&listener);

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(uxs_listener_accept(&listener, &fd),
		    UXS_ACCEPT_OK);
		client_hears(fd, &i, sizeof(i));
		close(fd);
	}
	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_ENDED);
	ck_assert_int_eq(fd, -1);
	close_all(clients, 3);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(drain_lets_nobody_else_in)
{
	struct uxs_listener listener;
	int fd;

	serve(&listener, addresses[_i]);
	uxs_listener_drain(&listener);

	ck_assert_int_lt(client_try((enum uxs_type)_i, "sock"), 0);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert(is_there("sock"));
	ck_assert_int_eq(uxs_listener_accept(&listener, &fd), UXS_ACCEPT_ENDED);
	uxs_listener_close(&listener);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(drained_datagrams_can_be_received_and_no_more_sent)
{
	struct uxs_listener listener;
	int client;

	serve(&listener, "dgram:sock");
	client = client_connect(UXS_DGRAM, "sock");
	SAYS(client, "in time");
	uxs_listener_drain(&listener);
	ck_assert_int_lt(send(client, "late", 4, MSG_NOSIGNAL), 0);
	ck_assert_int_eq(errno, EPIPE);

	HEARS(listener.fd, "in time");
	close(client);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- closing ---- */

START_TEST(may_close_at_every_stage_and_twice)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	const int n_stages = _i / UXS_N_TYPES;
	struct uxs_listener listener = UXS_LISTENER_CLOSED;

	if (n_stages > 0)
		open_listener(&listener, addresses[type]);
	if (n_stages > 1)
		ck_assert_int_eq(uxs_listener_listen(&listener, 5, NULL), 0);
	if (n_stages > 2)
		uxs_listener_drain(&listener);
	uxs_listener_close(&listener);
	ck_assert_int_eq(count_files(), 0);
	leave_stale_socket(type, "sock");
	write_file("sock.lock", "", 0600);
	uxs_listener_close(&listener);

	ck_assert_int_eq(count_files(), 2); /* not ours any more */
	ck_assert_int_eq(listener.fd, -1);
}
END_TEST

static void
replace_by_nothing(void)
{
}

static void
replace_by_file(void)
{
	write_file("sock", "precious", 0600);
}

static void
replace_by_socket(void)
{
	leave_stale_socket(UXS_STREAM, "sock");
}

static void
replace_by_link(void)
{
	leave_stale_socket(UXS_STREAM, "moved");
	ck_assert_int_eq(symlink("moved", "sock"), 0);
}

static void
replace_by_directory(void)
{
	ck_assert_int_eq(mkdir("sock", 0755), 0);
}

static const struct {
	void (*put)(void);
	int n_files;
} replacement_rows[] = {
	{ replace_by_nothing, 0 },
	{ replace_by_file, 1 },
	{ replace_by_socket, 1 },
	{ replace_by_link, 2 },
	{ replace_by_directory, 1 },
};

START_TEST(what_replaced_the_file_is_not_removed)
{
	struct uxs_listener listener;

	serve(&listener, "stream:sock");
	ck_assert_int_eq(unlink("sock"), 0);
	replacement_rows[_i].put();
	uxs_listener_close(&listener);

	ck_assert_int_eq(count_files(), replacement_rows[_i].n_files);
	ck_assert_int_eq(is_there("sock"), replacement_rows[_i].n_files > 0);
}
END_TEST

START_TEST(close_works_from_another_directory)
{
	struct uxs_listener listener;

	serve(&listener, "stream:sock");
	ck_assert_int_eq(mkdir("elsewhere", 0755), 0);
	ck_assert_int_eq(chdir("elsewhere"), 0);
	write_file("sock", "precious", 0600);
	uxs_listener_close(&listener);

	assert_file_says("sock", "precious");
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* ---- abstract names ---- */

static const char *
abstract_address(enum uxs_type type)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s:@uxecho-check-%ld",
	    uxs_type_name(type), (long)getpid());
	return text;
}

START_TEST(an_abstract_name_is_served_without_a_file)
{
	const enum uxs_type type = (enum uxs_type)_i;
	const char *address = abstract_address(type);
	struct uxs_listener listener;
	int client = -1, n_files;

	serve(&listener, address);
	n_files = count_files();
	if (type != UXS_DGRAM) /* that would bind a name of its own */
		client = client_connect(type, strchr(address, '@'));

	ck_assert_int_eq(n_files, 0);
	if (client >= 0)
		close(client);
	uxs_listener_close(&listener);
	uxs_listener_close(&listener);
}
END_TEST

START_TEST(an_abstract_name_is_served_once_and_then_free)
{
	const char *address = abstract_address((enum uxs_type)_i);
	struct uxs_listener_conf conf = conf_for(address);
	struct uxs_listener listener;
	struct uxs_error why;

	serve(&listener, address);
	refused(&conf, -EADDRINUSE, UXS_FAILURE_LIVE, &why);
	ck_assert_ptr_nonnull(strstr(why.text, "uxecho-check-"));
	uxs_listener_close(&listener);

	serve(&listener, address);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- only looking ---- */

static void
put_stale(void)
{
	leave_stale_socket(UXS_STREAM, "sock");
}

static void
put_live(void)
{
	/* Ends with the test's process. */
	ck_assert_int_ge(bound_socket(UXS_STREAM, "sock"), 0);
}

static void
put_strange_lock(void)
{
	write_file("sock.lock", "planted", 0666);
}

static void
put_abstract_server(void)
{
	struct uxs_listener listener; /* ends with the process, too */

	serve(&listener, "stream:@uxecho-check-live");
}

static void
unsafe_directory(void)
{
	ck_assert_int_eq(chmod(".", 0777), 0);
}

static const struct {
	void (*put)(void);
	const char *address;
	int expect;
	enum uxs_failure failure;
} check_rows[] = {
	{ replace_by_nothing, "stream:sock", 0, UXS_FAILURE_NONE },
	{ replace_by_nothing, "stream:@uxecho-check-free", 0,
	    UXS_FAILURE_NONE },
	{ put_stale, "stream:sock", 0, UXS_FAILURE_NONE },
	{ put_live, "stream:sock", -EADDRINUSE, UXS_FAILURE_LIVE },
	{ replace_by_file, "stream:sock", -EEXIST, UXS_FAILURE_CREATE },
	{ replace_by_link, "stream:sock", -EEXIST, UXS_FAILURE_CREATE },
	{ put_strange_lock, "stream:sock", -EPERM, UXS_FAILURE_PERMISSION },
	{ put_abstract_server, "stream:@uxecho-check-live", -EADDRINUSE,
	    UXS_FAILURE_LIVE },
	{ unsafe_directory, "stream:sock", -EPERM, UXS_FAILURE_PERMISSION },
	{ replace_by_file, "stream:sock/x", -ENOTDIR, UXS_FAILURE_CREATE },
	{ replace_by_nothing, "stream:no/x", -ENOENT, UXS_FAILURE_CREATE },
};

/* In a child, since what it opens stays open. */
static void
check_says_what_open_says(void *arg)
{
	const int row = *(const int *)arg;
	const struct uxs_listener_conf conf = conf_for(check_rows[row].address);
	struct uxs_error said = { .failure = UXS_FAILURE_NONE };
	struct uxs_error by_open;

	check_rows[row].put();
	int n_files = count_files();
	int r = uxs_listener_check(&conf, &said);

	ck_assert_int_eq(r, check_rows[row].expect);
	ck_assert_int_eq(said.failure, check_rows[row].failure);
	ck_assert_int_eq(count_files(), n_files);
	if (r < 0) {
		refused(&conf, r, said.failure, &by_open);
		ck_assert_str_eq(said.text, by_open.text);
	}
}

START_TEST(check_says_what_open_would_and_makes_nothing)
{
	ck_assert_int_eq(wait_child(start_child(check_says_what_open_says,
			     &_i)),
	    0);
}
END_TEST

static void
check_without_permission(void *arg)
{
	const struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	ck_assert_int_eq(uxs_listener_check(&conf, &why), -EACCES);
	ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
}

START_TEST(check_sees_a_directory_that_is_not_writable)
{
	SKIP_UNLESS_ROOT();

	as_user(OTHER_UID, OTHER_GID, check_without_permission, NULL);

	ck_assert_int_eq(count_files(), 0);
}
END_TEST

static void
check_giving_away(void *arg)
{
	const bool is_group = *(const int *)arg;
	struct uxs_listener_conf conf = conf_for("stream:sock");
	struct uxs_error why;

	if (is_group)
		conf.owner_gid = 0;
	else
		conf.owner_uid = 0;
	ck_assert_int_eq(uxs_listener_check(&conf, &why), -EPERM);
	ck_assert_int_eq(why.failure, UXS_FAILURE_PERMISSION);
	conf.owner_uid = OTHER_UID;
	conf.owner_gid = OTHER_GID;
	ck_assert_int_eq(uxs_listener_check(&conf, &why), 0);
}

START_TEST(check_sees_an_owner_whom_only_root_may_set)
{
	SKIP_UNLESS_ROOT();
	ck_assert_int_eq(chown(".", OTHER_UID, OTHER_GID), 0);

	as_user(OTHER_UID, OTHER_GID, check_giving_away, &_i);
}
END_TEST

START_TEST(check_does_not_say_that_a_running_listener_is_gone)
{
	const struct uxs_listener_conf conf = conf_for("dgram:sock");
	struct uxs_listener listener;
	struct uxs_error why;

	serve(&listener, "stream:sock");

	ck_assert_int_eq(uxs_listener_check(&conf, &why), -EADDRINUSE);
	uxs_listener_close(&listener);
}
END_TEST

/* ---- many starters ---- */

#define N_STARTERS 6
#define N_ROUNDS 200

/* In memory that all share. Starters judge nothing: one that failed a check
 * would leave the others waiting. */
struct race {
	pthread_barrier_t barrier;
	int outcomes[N_STARTERS];
	enum uxs_failure failures[N_STARTERS];
	pid_t pids[N_STARTERS];
};

static struct race *race;

static void
race_open(void)
{
	pthread_barrierattr_t shared;

	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(race, MAP_FAILED);
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	ck_assert_int_eq(pthread_barrier_init(&race->barrier, &shared,
			     N_STARTERS + 1),
	    0);
}

static void
all_together(void)
{
	pthread_barrier_wait(&race->barrier);
}

/* As SIGKILL would leave it. */
static void
drop_all(struct uxs_listener *listener)
{
	close(listener->fd);
	close(listener->lock.fd);
	close(listener->place.dir_fd);
}

static void
start_again_and_again(void *arg)
{
	const int me = *(const int *)arg;
	const struct uxs_listener_conf conf = conf_for("stream:sock");

	for (int round = 0; round < N_ROUNDS; round++) {
		struct uxs_listener listener;
		struct uxs_error why = { .failure = UXS_FAILURE_NONE };

		all_together(); /* a stale file is there */
		race->outcomes[me] = uxs_listener_open(&listener, &conf, &why);
		race->failures[me] = why.failure;
		if (race->outcomes[me] == 0)
			uxs_listener_listen(&listener, 5, NULL);
		all_together(); /* all have tried */
		all_together(); /* the outcome has been looked at */
		if (race->outcomes[me] == 0 && round % 2 == 0)
			uxs_listener_close(&listener);
		else if (race->outcomes[me] == 0)
			drop_all(&listener);
		all_together(); /* nobody serves */
	}
}

/* Who answers at "sock", by what the kernel says. */
static pid_t
server_pid(void)
{
	struct uxs_peer peer = { .pid = 0 };
	int fd = client_try(UXS_STREAM, "sock");

	if (fd < 0)
		return 0;
	uxs_peer_of_socket(&peer, fd);
	close(fd);
	return peer.pid;
}

/* Did exactly one win, was it told to the others, and does it serve? */
static bool
is_fair(void)
{
	int n_servers = 0;
	pid_t winner = -1;

	for (int i = 0; i < N_STARTERS; i++) {
		if (race->outcomes[i] == 0) {
			n_servers++;
			winner = race->pids[i];
		} else if (race->outcomes[i] != -EADDRINUSE ||
		    race->failures[i] != UXS_FAILURE_LIVE) {
			return false;
		}
	}
	return n_servers == 1 && server_pid() == winner;
}

START_TEST(of_many_starters_exactly_one_serves)
{
	int numbers[N_STARTERS], n_unfair = 0;

	race_open();
	for (int i = 0; i < N_STARTERS; i++) {
		numbers[i] = i;
		race->pids[i] = start_child(start_again_and_again, &numbers[i]);
	}
	for (int round = 0; round < N_ROUNDS; round++) {
		if (!is_there("sock")) /* else the last one died */
			leave_stale_socket(UXS_STREAM, "sock");
		all_together();
		all_together();
		n_unfair += !is_fair();
		all_together();
		all_together();
	}
	for (int i = 0; i < N_STARTERS; i++)
		ck_assert_int_eq(wait_child(race->pids[i]), 0);

	ck_assert_int_eq(n_unfair, 0);
}
END_TEST

#define CONNECTING(tcase, test) tcase_add_loop_test(tcase, test, 0, UXS_DGRAM)
#define EACH_TYPE(tcase, test) tcase_add_loop_test(tcase, test, 0, UXS_N_TYPES)

static void
add_accept_tests(TCase *accepting)
{
	CONNECTING(accepting, nobody_gets_in_before_it_listens);
	CONNECTING(accepting, accepts_who_waits_one_at_a_time);
	CONNECTING(accepting, descriptors_do_not_block_and_are_not_inherited);
	CONNECTING(accepting,
	    who_is_gone_already_is_accepted_with_what_he_said);
	CONNECTING(accepting,
	    without_descriptors_it_is_exhausted_and_then_recovers);
	tcase_add_test(accepting, a_listener_that_is_broken_says_so);
	EACH_TYPE(accepting, messages_bring_their_senders);
	EACH_TYPE(accepting, no_descriptor_can_be_passed_in);
}

static void
add_end_tests(TCase *draining, TCase *closing)
{
	CONNECTING(draining, drain_loses_nobody_who_waits);
	CONNECTING(draining, drain_lets_nobody_else_in);
	tcase_add_test(draining,
	    drained_datagrams_can_be_received_and_no_more_sent);

	tcase_add_loop_test(closing, may_close_at_every_stage_and_twice, 0,
	    4 * UXS_N_TYPES);
	tcase_add_loop_test(closing, what_replaced_the_file_is_not_removed, 0,
	    N_ROWS(replacement_rows));
	tcase_add_test(closing, close_works_from_another_directory);
}

void
add_serving_cases(Suite *suite)
{
	TCase *abstract = harness_case(suite, "abstract");
	TCase *checking = harness_case(suite, "checking");
	TCase *racing = harness_case(suite, "racing");

	add_accept_tests(harness_case(suite, "accepting"));
	add_end_tests(harness_case(suite, "draining"),
	    harness_case(suite, "closing"));

	EACH_TYPE(abstract, an_abstract_name_is_served_without_a_file);
	EACH_TYPE(abstract, an_abstract_name_is_served_once_and_then_free);

	tcase_add_loop_test(checking,
	    check_says_what_open_would_and_makes_nothing, 0,
	    N_ROWS(check_rows));
	tcase_add_test(checking, check_sees_a_directory_that_is_not_writable);
	tcase_add_loop_test(checking,
	    check_sees_an_owner_whom_only_root_may_set, 0, 2);
	tcase_add_test(checking,
	    check_does_not_say_that_a_running_listener_is_gone);

	tcase_add_test(racing, of_many_starters_exactly_one_serves);
}
