/* SPDX-License-Identifier: ISC */
/*
 * Programs as strangers write them, built with the installed library and run:
 * tests/examples.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "harness.h"
#include "stage.h"
#include "suites.h"

/* ---- the headers, by themselves ---- */

static const char *const standards[] = { "c11", "c17", "c++11", "c++17",
	"c++20" };
#define N_STANDARDS ((int)(sizeof(standards) / sizeof(standards[0])))

/* Each includes what it needs, and says nothing that a compiler warns of. */
START_TEST(headers_compile_alone)
{
	const bool is_cxx = strchr(standards[_i], '+') != NULL;
	char script[1024];

	SKIP_UNLESS_MAKE();
	if (is_cxx && !has_cxx()) {
		skip("needs a C++ compiler, to compile the headers");
		return;
	}
	stage_install();
	snprintf(script, sizeof(script),
	    STAGE_COMPILERS
	    "cd stage/include/uxsrv; for h in *.h; do\n"
	    "{ echo \"#include <uxsrv/$h>\"; echo 'extern int alone;'; } "
	    ">../alone_${h%%.h}.c; done; cd ..\n"
	    "\"${%s}\" -x %s -std=%s -D_GNU_SOURCE -fsyntax-only -Wall "
	    "-Wextra -Wshadow -pedantic -Werror "
	    "$(${PKG_CONFIG:-pkg-config} --cflags uxsrv) alone_*.c\n"
	    "ls alone_*.c",
	    is_cxx ? "cxx" : "cc", is_cxx ? "c++" : "c", standards[_i]);

	ck_assert_ptr_nonnull(strstr(shell(script), "alone_uxsrv.c"));
}
END_TEST

/* ---- in C++ ---- */

START_TEST(program_in_cxx_serves)
{
	const char *const argv[] = { "./greeter", "greeter.sock", NULL };
	struct service greeter;
	int stream, dgram;

	SKIP_UNLESS_MAKE();
	if (!has_cxx()) {
		skip("needs a C++ compiler, to build a program in C++");
		return;
	}
	stage_install();
	stage_build("greeter.cc", standards[_i], "");
	stage_start(&greeter, argv);

	stream = client_connect(UXS_STREAM, "greeter.sock");
	SAYS(stream, "hello");
	HEARS(stream, "client 1 says hello");
	dgram = client_connect(UXS_DGRAM, "greeter.sock.dgram");
	SAYS(dgram, "hello");
	HEARS(dgram, "client 2 says hello");

	close(stream);
	close(dgram);
	service_stop_clean(&greeter);
}
END_TEST

/* ---- in other loops ---- */

static const struct {
	const char *source, *program, *package;
} foreign_loops[] = {
	{ "with_libevent.c", "./with_libevent", "libevent_core" },
	{ "with_glib.c", "./with_glib", "glib-2.0" },
};

/* Answers "N ticks" with a number over 0, once a tick has come: both loops
 * are turning. */
static void
await_tick(int fd)
{
	char text[32] = "";

	do {
		SAYS(fd, "how many?");
		ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
		ck_assert_ptr_nonnull(strstr(text, " ticks\n"));
	} while (text[0] == '0');
}

START_TEST(server_lives_in_another_loop)
{
	const char *const argv[] = { foreign_loops[_i].program, "in.sock",
		NULL };
	struct service service;
	int stream, dgram;

	SKIP_UNLESS_MAKE();
	if (!has_package(foreign_loops[_i].package)) {
		skip("needs the development files of libevent and of GLib");
		return;
	}
	stage_install();
	stage_build(foreign_loops[_i].source, "c11", foreign_loops[_i].package);
	stage_start(&service, argv);

	stream = client_connect(UXS_STREAM, "in.sock");
	dgram = client_connect(UXS_DGRAM, "in.sock.dgram");
	await_tick(stream);
	await_tick(dgram);
	/* By a timer of the server's, while nothing else happens there. */
	client_hears_end(stream);

	close(stream);
	close(dgram);
	service_stop_clean(&service);
	ck_assert(!is_there("in.sock"));
}
END_TEST

/* ---- daemons of less than 60 lines ---- */

static const char *const daemons[] = { "counter.c", "spooler.c", "store.c" };
#define N_DAEMONS ((int)(sizeof(daemons) / sizeof(daemons[0])))

START_TEST(daemon_has_less_than_60_lines)
{
	char path[128], *text;
	int n = 0;

	snprintf(path, sizeof(path), "tests/examples/%s", daemons[_i]);
	text = read_document(path);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		n++;

	ck_assert_int_gt(n, 10);
	ck_assert_int_lt(n, 60);
	free(text);
}
END_TEST

/* Installs, builds and starts one of them, at "d.sock". */
static void
start_daemon(struct service *service, const char *source)
{
	char program_here[64];
	const char *const argv[] = { program_here, "d.sock", NULL };

	snprintf(program_here, sizeof(program_here), "./%.*s",
	    (int)strcspn(source, "."), source);
	stage_install();
	stage_build(source, "c11", "");
	stage_start(service, argv);
}

START_TEST(daemon_without_an_address_says_how_it_is_used)
{
	struct output_of result;
	char program_here[64], usage[256];
	const char *const argv[] = { program_here, NULL };

	SKIP_UNLESS_MAKE();
	snprintf(program_here, sizeof(program_here), "./%.*s",
	    (int)strcspn(daemons[_i], "."), daemons[_i]);
	snprintf(usage, sizeof(usage), "%s: usage: %s ADDRESS\n",
	    program_here + 2, program_here + 2);
	stage_install();
	stage_build(daemons[_i], "c11", "");

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 64);
	ck_assert_str_eq(result.err, usage);
}
END_TEST

static void
count_as_other_user(void *arg)
{
	int fd = client_connect(UXS_STREAM, "d.sock");

	SAYS(fd, "add 40\n");
	HEARS(fd, "total 40\n");
	close(fd);
}

START_TEST(counter_keeps_a_total_for_each_user)
{
	struct service service;
	int stream, packets;

	SKIP_UNLESS_ROOT();
	SKIP_UNLESS_MAKE();
	start_daemon(&service, "counter.c");

	stream = client_connect(UXS_STREAM, "d.sock");
	SAYS(stream, "add 5\n");
	HEARS(stream, "total 5\n");
	as_user(OTHER_UID, OTHER_GID, count_as_other_user, NULL);
	SAYS(stream, "add -2\nadd 1\nad");
	HEARS(stream, "total 3\ntotal 4\n");
	SAYS(stream, "d 4\n");
	HEARS(stream, "total 8\n");
	packets = client_connect(UXS_STREAM, "d.sock");
	SAYS(packets, "more\n");
	HEARS(packets, "say: add NUMBER\n");
	client_hears_end(packets);

	close(stream);
	close(packets);
	service_stop_clean(&service);
}
END_TEST

static void
ask_for_a_spool(void *arg)
{
	int fd = client_connect(UXS_STREAM, "d.sock");

	SAYS(fd, "make\n");
	HEARS(fd, "done\n");
	SAYS(fd, "make\nmake\nma");
	HEARS(fd, "it is there\nit is there\n");
	SAYS(fd, "ke\nmake 0\n");
	HEARS(fd, "it is there\nno\n");
	client_hears_end(fd);
	close(fd);
}

START_TEST(spooler_does_one_thing_for_who_asks)
{
	struct service service;
	struct stat st;

	SKIP_UNLESS_ROOT();
	SKIP_UNLESS_MAKE();
	start_daemon(&service, "spooler.c");

	as_user(OTHER_UID, OTHER_GID, ask_for_a_spool, NULL);

	ck_assert_int_eq(lstat("1500", &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_uint_eq(st.st_uid, OTHER_UID);
	ck_assert_uint_eq(st.st_gid, OTHER_GID);
	service_stop_clean(&service);
}
END_TEST

START_TEST(store_keeps_values_under_names)
{
	struct service service;
	int one, two;

	SKIP_UNLESS_MAKE();
	start_daemon(&service, "store.c");

	one = client_connect(UXS_STREAM, "d.sock");
	two = client_connect(UXS_DGRAM, "d.sock.dgram");
	SAYS(one, "set colour dark blue\n");
	HEARS(one, "done\n");
	SAYS(two, "get colour\n");
	HEARS(two, "dark blue");
	SAYS(two, "set colour red");
	HEARS(two, "done");
	/* However the bytes of a stream come, a line is a line. */
	SAYS(one, "get colour\nset shape round\nget sh");
	HEARS(one, "red\ndone\n");
	SAYS(one, "ape\n");
	HEARS(one, "round\n");
	SAYS(one, "forget colour\n");
	HEARS(one, "say: set NAME VALUE\n");
	client_hears_end(one);

	close(one);
	close(two);
	service_stop_clean(&service);
}
END_TEST

Suite *
suite_programs(void)
{
	Suite *suite = suite_create("programs");
	TCase *headers = harness_case(suite, "headers");
	TCase *cxx = harness_case(suite, "C++");
	TCase *small = harness_case(suite, "daemons");
	TCase *loops = harness_case(suite, "loops");

	tcase_add_loop_test(headers, headers_compile_alone, 0, N_STANDARDS);
	tcase_add_loop_test(cxx, program_in_cxx_serves, 2, N_STANDARDS);
	tcase_add_loop_test(small, daemon_has_less_than_60_lines, 0, N_DAEMONS);
	tcase_add_loop_test(small,
	    daemon_without_an_address_says_how_it_is_used, 0, N_DAEMONS);
	tcase_add_test(small, counter_keeps_a_total_for_each_user);
	tcase_add_test(small, spooler_does_one_thing_for_who_asks);
	tcase_add_test(small, store_keeps_values_under_names);
	tcase_add_loop_test(loops, server_lives_in_another_loop, 0, 2);
	return suite;
}
