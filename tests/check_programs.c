/* SPDX-License-Identifier: ISC */
/*
 * Programs as strangers write them, built with the installed library and run:
 * tests/examples.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

Suite *
suite_programs(void)
{
	Suite *suite = suite_create("programs");
	TCase *headers = harness_case(suite, "headers");
	TCase *cxx = harness_case(suite, "C++");
	TCase *loops = harness_case(suite, "loops");

	tcase_add_loop_test(headers, headers_compile_alone, 0, N_STANDARDS);
	tcase_add_loop_test(cxx, program_in_cxx_serves, 2, N_STANDARDS);
	tcase_add_loop_test(loops, server_lives_in_another_loop, 0, 2);
	return suite;
}
