/* SPDX-License-Identifier: ISC */
#ifndef STAGE_H
#define STAGE_H

#include "documents.h"

/*
 * Installing what was built, and building strangers' programs with that.
 */

/* Run a shell script, in which "make" is the project's; a failure is the
 * test's. Returns what it printed, until the next call. */
const char *shell(const char *script);

/* For a script: $cc, and the $cxx that goes with it, since the sanitizers of
 * two makers do not. */
#define STAGE_COMPILERS                                                  \
	"case ${CC:-cc} in *clang*) cxx=clang++ ;; *) cxx=c++ ;; esac\n" \
	"cxx=${CXX:-$cxx} cc=${CC:-cc}\n"

#define SKIP_UNLESS_MAKE()                              \
	do {                                            \
		if (!has_tool("make")) {                \
			skip("needs make, to install"); \
			return;                         \
		}                                       \
	} while (0)

/* Install below "stage" here, and let compilers and programs find it. */
void stage_install(void);

/*
 * Build tests/examples/SOURCE with the installed library, without a warning
 * (but of a callback's parameters that it does not use), under its name less
 * the suffix. more: further packages of pkg-config's, or
 * "". C++ where the name ends in ".cc"; standard is "c11", "c++17" and so on.
 */
void stage_build(const char *source, const char *standard, const char *more);

bool has_cxx(void);
bool has_package(const char *name); /* as pkg-config knows it */

struct service;

/* Start a program that was built here and wait until it says that it serves:
 * a line on standard error with "serving" in it. NULL ends the list. */
void stage_start(struct service *service, const char *const argv[]);

#endif
