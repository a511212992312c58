/* SPDX-License-Identifier: ISC */
/*
 * Programs as strangers write them, built with the installed library and run:
 * tests/examples.
 */
#include <stdio.h>
#include <string.h>
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

Suite *
suite_programs(void)
{
	Suite *suite = suite_create("programs");
	TCase *headers = harness_case(suite, "headers");
	TCase *cxx = harness_case(suite, "C++");

	tcase_add_loop_test(headers, headers_compile_alone, 0, N_STANDARDS);
	tcase_add_loop_test(cxx, program_in_cxx_serves, 2, N_STANDARDS);
	return suite;
}
