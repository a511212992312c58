/* SPDX-License-Identifier: ISC */
/*
 * Installs and builds by the recipes that users are told: make install, and
 * what pkg-config says.
 */
#include "stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include <stdint.h>

/* Make as from a shell: not a part of the make that runs the tests. */
static const char make_words[] =
    "make() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s "
    "-C \"$UXECHO_TOP\" BUILD=\"${BUILD:-build}\" \"$@\"; }\n";

const char *
shell(const char *script)
{
	struct output_of result;
	static char text[8192];
	const char *const argv[] = { "/bin/sh", "-c", text, NULL };

	snprintf(text, sizeof(text), "set -eu\n%s%s", make_words, script);
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%s\nends with %d: %s%s", script,
	    result.status, result.out, result.err);
	return result.out;
}

void
stage_install(void)
{
	setenv("PKG_CONFIG_PATH", harness_path("stage/lib/pkgconfig"), 1);
	setenv("LD_LIBRARY_PATH", harness_path("stage/lib"), 1);
	shell("make install prefix=\"$PWD/stage\" >&2\n");
}

void
stage_build(const char *source, const char *standard, const char *more)
{
	const bool is_cxx = strstr(source, ".cc") != NULL;
	char script[2048];

	snprintf(script, sizeof(script),
	    STAGE_COMPILERS
	    "source=%s\n"
	    "\"${%s}\" -std=%s -D_GNU_SOURCE -Wall -Wextra -pedantic -Werror "
	    "-Wno-unused-parameter ${CFLAGS:-} -o \"${source%%.*}\" "
	    "\"$UXECHO_TOP/tests/examples/$source\" "
	    "$(${PKG_CONFIG:-pkg-config} --cflags --libs uxsrv %s) "
	    "${LDFLAGS:-}\n",
	    source, is_cxx ? "cxx" : "cc", standard, more);
	shell(script);
}

bool
has_cxx(void)
{
	return shell(STAGE_COMPILERS "command -v \"$cxx\" || true")[0] != '\0';
}

bool
has_package(const char *name)
{
	char script[256];

	snprintf(script, sizeof(script),
	    "${PKG_CONFIG:-pkg-config} --exists %s && echo yes || true", name);
	return shell(script)[0] != '\0';
}

void
stage_start(struct service *service, const char *const argv[])
{
	int err[2];

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	service->pid = fork();
	ck_assert_int_ge(service->pid, 0);
	if (service->pid == 0) {
		dup2(err[1], STDERR_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(err[1]);
	service->stderr_fd = err[0];
	service_logs(service, "serving");
}
