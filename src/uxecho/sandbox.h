/* SPDX-License-Identifier: ISC */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;
struct uxs_error;

/*
 * The process gives up what it will not need any more, so that a fault in it
 * is worth little to whoever finds it: files by Landlock, system calls by
 * seccomp. Each is done without where the kernel, the processor or the
 * container around us has it not.
 *
 *	sandbox_open(&sandbox, &options, &why);   as whoever we were started
 *	(become another user)
 *	sandbox_enter(&sandbox, &why);            before there are threads
 *	sandbox_close(&sandbox);
 */

/* Sanitizers make many calls of their own, trace the process at its end, and
 * read files to tell where a fault is: what they are built into is not
 * confined. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_BUILT 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_IS_BUILT 0
#endif
#endif
#ifndef SANDBOX_IS_BUILT
#define SANDBOX_IS_BUILT 1
#endif

/* What is to stay possible beyond serving on the sockets that are open. */
enum sandbox_need {
	SANDBOX_RULES = 1, /* read files of rules, and look names up */
	SANDBOX_REBIND = 2, /* make sockets anew, with their locks */
};

/* Why a part is not there. */
enum sandbox_lack {
	SANDBOX_HAS,
	SANDBOX_NOT_WANTED, /* --no-sandbox */
	SANDBOX_NOT_FOR_PROGRAMS, /* they would be in it, and need more */
	SANDBOX_NOT_BUILT, /* for this processor, or for this kind of build */
	SANDBOX_NO_KERNEL, /* the kernel has it not, or is told to do without */
	SANDBOX_FORBIDDEN, /* the container around us does not let us */
};

struct sandbox {
	enum sandbox_lack landlock, seccomp;
	unsigned needs; /* sandbox_need */
	int abi; /* version of Landlock's interface */
	int ruleset_fd;
};

#define SANDBOX_CLOSED                                                         \
	{                                                                      \
		.landlock = SANDBOX_NOT_WANTED, .seccomp = SANDBOX_NOT_WANTED, \
		.ruleset_fd = -1                                               \
	}

/* Find out what there is, without any effect on this process. */
void sandbox_probe(struct sandbox *sandbox, const struct options *options);

/*
 * The same, and gather what is to stay possible: the directories of the socket
 * files, of the pidfile and of the rules, as they are now. Holds a descriptor
 * until close. Returns 0, or a negative errno with *why.
 */
int sandbox_open(struct sandbox *sandbox, const struct options *options,
    struct uxs_error *why);

/*
 * From now on, for this thread and those that it starts, for good. It also
 * sets no_new_privs. What turns out to be forbidden is marked so and done
 * without. Returns 0, or a negative errno with *why; then the process is in
 * between, and must end.
 */
int sandbox_enter(struct sandbox *sandbox, struct uxs_error *why);

/* May be called twice. What was entered stays. */
void sandbox_close(struct sandbox *sandbox);

/* "Landlock (ABI 7), seccomp", or why not. Returns text. */
#define SANDBOX_TEXT_MAX 256
char *sandbox_print(const struct sandbox *sandbox, char text[SANDBOX_TEXT_MAX]);

#endif
