/* SPDX-License-Identifier: ISC */
/*
 * Who is behind a path: the whole table, row by row, and with every row that
 * whoever is there did not notice the question.
 */
#include <uxsrv/probe.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <uxsrv/place.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- what may be there ---- */

enum thing {
	NOTHING,
	REGULAR_FILE,
	DIRECTORY,
	FIFO,
	DEVICE,
	LINK_TO_NOTHING,
	LINK_TO_FILE,
	LINK_TO_STALE,
	LINK_TO_LIVE,
	STALE,
	BOUND, /* not listening; for datagrams: live */
	LISTENING,
	FULL, /* backlog, or receive queue */
	DRAINED, /* shut down for reading */
	TALKS_TO_ANOTHER, /* a datagram socket that is connected */
	DELETED_AND_LINKED, /* known by a second name only */
};

struct scene {
	int server; /* -1: nobody is there */
	enum uxs_type type;
	int clients[CLIENTS_MAX];
	int n_clients; /* that wait to be accepted, or to be received */
	short polled; /* what poll says about the server beforehand */
};

static short
poll_now(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN | POLLOUT };

	ck_assert_int_ge(poll(&ready, 1, 0), 0);
	return ready.revents;
}

static void
fill_queue(struct scene *scene)
{
	if (scene->type != UXS_DGRAM) {
		ck_assert_int_eq(listen(scene->server, 2), 0);
		fill_backlog(scene->type, "sock", scene->clients,
		    &scene->n_clients);
		return;
	}
	scene->clients[0] = client_connect(UXS_DGRAM, "sock");
	scene->n_clients = 1;
	while (send(scene->clients[0], "", 1, MSG_DONTWAIT) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

static void
make_server(struct scene *scene, enum thing thing, enum uxs_type type)
{
	scene->type = type;
	scene->server = bound_socket(type, "sock");
	if (thing == LISTENING || thing == DRAINED)
		if (type != UXS_DGRAM)
			ck_assert_int_eq(listen(scene->server, 2), 0);
	if (thing == FULL)
		fill_queue(scene);
	if (thing == DRAINED)
		shutdown(scene->server, SHUT_RD);
	if (thing == TALKS_TO_ANOTHER) {
		scene->n_clients = 1;
		scene->clients[0] = bound_socket(type, "another");
		ck_assert_int_eq(connect(scene->server,
				     &(struct sockaddr){ AF_UNIX, "another" },
				     sizeof(sa_family_t) + 8),
		    0);
	}
	if (thing == DELETED_AND_LINKED) {
		ck_assert_int_eq(rename("sock", "moved"), 0);
		ck_assert_int_eq(link("moved", "sock"), 0);
		ck_assert_int_eq(unlink("moved"), 0);
	}
}

static void
make_link(struct scene *scene, enum thing thing)
{
	if (thing == LINK_TO_FILE)
		write_file("target", "precious", 0666);
	if (thing == LINK_TO_STALE)
		leave_stale_socket(UXS_STREAM, "target");
	if (thing == LINK_TO_LIVE) {
		scene->type = UXS_DGRAM;
		scene->server = bound_socket(UXS_DGRAM, "target");
	}
	ck_assert_int_eq(symlink("target", "sock"), 0);
}

static void
make_scene(struct scene *scene, enum thing thing, enum uxs_type type)
{
	*scene = (struct scene){ .server = -1 };
	switch (thing) {
	case NOTHING:
		break;
	case REGULAR_FILE:
		write_file("sock", "precious", 0666);
		break;
	case DIRECTORY:
		ck_assert_int_eq(mkdir("sock", 0777), 0);
		break;
	case FIFO:
		ck_assert_int_eq(mkfifo("sock", 0666), 0);
		break;
	case DEVICE:
		ck_assert_int_eq(mknod("sock", S_IFCHR | 0666, makedev(1, 3)),
		    0);
		break;
	case LINK_TO_NOTHING:
	case LINK_TO_FILE:
	case LINK_TO_STALE:
	case LINK_TO_LIVE:
		make_link(scene, thing);
		break;
	case STALE:
		leave_stale_socket(type, "sock");
		break;
	default:
		make_server(scene, thing, type);
	}
	if (scene->server >= 0)
		scene->polled = poll_now(scene->server);
}

/* The accept queue holds those who were there before, and a datagram server
 * has received nothing. */
static void
assert_noticed_nothing(const struct scene *scene, enum thing thing)
{
	const bool accepts = scene->type != UXS_DGRAM && thing != BOUND &&
	    thing != DELETED_AND_LINKED;
	char byte;
	int fd, n = 0;

	ck_assert_int_eq(poll_now(scene->server), scene->polled);
	fcntl(scene->server, F_SETFL, O_NONBLOCK);
	while (accepts && (fd = accept(scene->server, NULL, NULL)) >= 0) {
		close(fd);
		n++;
	}
	if (accepts) {
		ck_assert_int_eq(n, scene->n_clients);
		ck_assert_int_eq(errno, EAGAIN);
	} else if (thing != FULL && thing != DRAINED) {
		ck_assert_int_lt(recv(scene->server, &byte, 1, 0), 0);
	}
}

static void
end_scene(struct scene *scene)
{
	close_all(scene->clients, scene->n_clients);
	if (scene->server >= 0)
		close(scene->server);
}

static int
probe(struct uxs_probe_facts *facts)
{
	struct uxs_place place;
	int r;

	ck_assert_int_eq(uxs_place_open(&place, harness_path("sock"), NULL), 0);
	r = uxs_probe_place(&place, facts);
	uxs_place_close(&place);
	return r;
}

/* ---- the table ---- */

struct row {
	enum thing thing;
	enum uxs_type type;
	enum uxs_probe expect;
	int code;
};

static const struct row rows[] = {
	{ NOTHING, UXS_STREAM, UXS_PROBE_FREE, ENOENT },
	{ STALE, UXS_STREAM, UXS_PROBE_DEAD, ECONNREFUSED },
	{ STALE, UXS_SEQPACKET, UXS_PROBE_DEAD, ECONNREFUSED },
	{ STALE, UXS_DGRAM, UXS_PROBE_DEAD, ECONNREFUSED },
	{ BOUND, UXS_STREAM, UXS_PROBE_LIVE, EPROTOTYPE },
	{ LISTENING, UXS_STREAM, UXS_PROBE_LIVE, EPROTOTYPE },
	{ FULL, UXS_STREAM, UXS_PROBE_LIVE, EPROTOTYPE },
	{ DRAINED, UXS_STREAM, UXS_PROBE_LIVE, EPROTOTYPE },
	{ BOUND, UXS_SEQPACKET, UXS_PROBE_LIVE, EPROTOTYPE },
	{ LISTENING, UXS_SEQPACKET, UXS_PROBE_LIVE, EPROTOTYPE },
	{ FULL, UXS_SEQPACKET, UXS_PROBE_LIVE, EPROTOTYPE },
	{ DRAINED, UXS_SEQPACKET, UXS_PROBE_LIVE, EPROTOTYPE },
	{ BOUND, UXS_DGRAM, UXS_PROBE_LIVE, 0 },
	{ FULL, UXS_DGRAM, UXS_PROBE_LIVE, 0 },
	{ DRAINED, UXS_DGRAM, UXS_PROBE_LIVE, 0 },
	{ TALKS_TO_ANOTHER, UXS_DGRAM, UXS_PROBE_LIVE, EPERM },
	{ DELETED_AND_LINKED, UXS_STREAM, UXS_PROBE_LIVE, EPROTOTYPE },
	{ DELETED_AND_LINKED, UXS_DGRAM, UXS_PROBE_LIVE, 0 },
	{ REGULAR_FILE, UXS_STREAM, UXS_PROBE_NOT_A_SOCKET, 0 },
	{ DIRECTORY, UXS_STREAM, UXS_PROBE_NOT_A_SOCKET, 0 },
	{ FIFO, UXS_STREAM, UXS_PROBE_NOT_A_SOCKET, 0 },
	{ LINK_TO_NOTHING, UXS_STREAM, UXS_PROBE_SYMLINK, 0 },
	{ LINK_TO_FILE, UXS_STREAM, UXS_PROBE_SYMLINK, 0 },
	{ LINK_TO_STALE, UXS_STREAM, UXS_PROBE_SYMLINK, 0 },
	{ LINK_TO_LIVE, UXS_DGRAM, UXS_PROBE_SYMLINK, 0 },
};

START_TEST(tells_who_is_there)
{
	const struct row *row = &rows[_i];
	struct uxs_probe_facts facts;
	struct scene scene;

	make_scene(&scene, row->thing, row->type);
	int r = probe(&facts);

	ck_assert_int_eq(r, row->expect);
	ck_assert_int_eq(facts.code, row->code);
	end_scene(&scene);
}
END_TEST

START_TEST(whoever_is_there_notices_nothing)
{
	const struct row *row = &rows[_i];
	struct uxs_probe_facts facts;
	struct scene scene;

	make_scene(&scene, row->thing, row->type);
	for (int i = 0; i < 3; i++)
		probe(&facts);

	if (scene.server >= 0)
		assert_noticed_nothing(&scene, row->thing);
	end_scene(&scene);
}
END_TEST

START_TEST(the_file_is_left_as_it_was)
{
	const struct row *row = &rows[_i];
	struct uxs_probe_facts facts;
	struct stat before = { 0 }, after = { 0 };
	struct scene scene;
	int n_files;

	make_scene(&scene, row->thing, row->type);
	lstat("sock", &before);
	n_files = count_files();
	probe(&facts);

	lstat("sock", &after);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	ck_assert_int_eq(count_files(), n_files);
	end_scene(&scene);
}
END_TEST

START_TEST(says_what_it_saw)
{
	struct uxs_probe_facts facts;
	struct scene scene;
	struct stat st;

	make_scene(&scene, rows[_i].thing, rows[_i].type);
	probe(&facts);

	if (rows[_i].thing != NOTHING) {
		ck_assert_int_eq(lstat("sock", &st), 0);
		ck_assert_uint_eq(facts.dev, st.st_dev);
		ck_assert_uint_eq(facts.ino, st.st_ino);
		ck_assert_uint_eq(facts.mode, st.st_mode);
		ck_assert_uint_eq(facts.uid, st.st_uid);
		ck_assert_uint_eq(facts.gid, st.st_gid);
	}
	end_scene(&scene);
}
END_TEST

START_TEST(a_device_is_not_a_socket)
{
	struct uxs_probe_facts facts;
	struct scene scene;

	SKIP_UNLESS_ROOT();
	make_scene(&scene, DEVICE, UXS_STREAM);

	ck_assert_int_eq(probe(&facts), UXS_PROBE_NOT_A_SOCKET);
}
END_TEST

/* ---- when asking is not possible ---- */

static void
probe_without_permission(void *arg)
{
	struct uxs_probe_facts facts;

	ck_assert_int_eq(probe(&facts), UXS_PROBE_UNKNOWN);
	ck_assert_int_eq(facts.code, EACCES);
	ck_assert_uint_eq(facts.uid, 0);
}

/* All the sockets of the table. */
START_TEST(without_permission_nothing_is_known)
{
	const struct row *row = &rows[_i];
	struct scene scene;

	if (row->expect != UXS_PROBE_LIVE && row->expect != UXS_PROBE_DEAD)
		return;
	SKIP_UNLESS_ROOT();
	make_scene(&scene, row->thing, row->type);
	ck_assert_int_eq(chmod("sock", 0755), 0);

	as_user(OTHER_UID, OTHER_GID, probe_without_permission, NULL);

	if (scene.server >= 0)
		assert_noticed_nothing(&scene, row->thing);
	end_scene(&scene);
}
END_TEST

START_TEST(without_descriptors_no_answer_is_made_up)
{
	struct uxs_probe_facts facts;
	struct uxs_place place;
	int r;

	leave_stale_socket(UXS_STREAM, "sock");
	ck_assert_int_eq(uxs_place_open(&place, "sock", NULL), 0);
	allow_descriptors(_i);
	r = uxs_probe_place(&place, &facts);
	allow_descriptors(-1);

	ck_assert_int_eq(r, -EMFILE);
	uxs_place_close(&place);
}
END_TEST

static void
probe_without_proc(void *arg)
{
	const struct row *row = arg;
	struct uxs_probe_facts facts;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    umount2("/proc", MNT_DETACH) < 0) {
		skip("cannot take /proc away here");
		return;
	}
	ck_assert_int_eq(probe(&facts), row->expect);
	ck_assert_int_eq(facts.code, row->code);
}

START_TEST(without_proc_the_name_is_asked)
{
	struct row row = rows[_i];
	struct scene scene;

	SKIP_UNLESS_ROOT();
	make_scene(&scene, row.thing, row.type);

	ck_assert_int_eq(wait_child(start_child(probe_without_proc, &row)), 0);
	end_scene(&scene);
}
END_TEST

START_TEST(a_long_path_is_asked_too)
{
	char path[PATH_MAX] = "";
	struct uxs_probe_facts facts;
	struct uxs_place place;
	int server;

	memset(path, 'd', 200);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(chdir(path), 0);
	server = bound_socket(UXS_STREAM, "sock");
	ck_assert_int_eq(chdir(".."), 0);
	strcat(path, "/sock");
	ck_assert_int_eq(uxs_place_open(&place, path, NULL), 0);

	ck_assert_int_eq(uxs_probe_place(&place, &facts), UXS_PROBE_LIVE);
	close(server);
	ck_assert_int_eq(uxs_probe_place(&place, &facts), UXS_PROBE_DEAD);
	uxs_place_close(&place);
}
END_TEST

#define TABLE(tcase, test) tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_probe(void)
{
	Suite *suite = suite_create("probe");
	TCase *table = harness_case(suite, "table");
	TCase *doubt = harness_case(suite, "doubt");

	TABLE(table, tells_who_is_there);
	TABLE(table, whoever_is_there_notices_nothing);
	TABLE(table, the_file_is_left_as_it_was);
	TABLE(table, says_what_it_saw);
	tcase_add_test(table, a_device_is_not_a_socket);
	tcase_add_test(table, a_long_path_is_asked_too);

	TABLE(doubt, without_permission_nothing_is_known);
	tcase_add_loop_test(doubt, without_descriptors_no_answer_is_made_up, 0,
	    2);
	TABLE(doubt, without_proc_the_name_is_asked);
	return suite;
}
