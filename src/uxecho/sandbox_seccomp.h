/* SPDX-License-Identifier: ISC */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which system calls may be made, by a filter that the kernel runs before
 * each. */

/* What becomes of a call. More than these: a positive errno that it fails
 * with. */
enum sandbox_verdict {
	SANDBOX_ALLOW = 0,
	SANDBOX_KILL = -1, /* the whole process, by SIGSYS */
};

/*
 * One row of the table: what becomes of a call that fits. The first row that
 * fits decides, as with rules of access; a call that fits none is one that we
 * do not know, and fails with ENOSYS, so that a newer libc looks for another
 * way, as it would on an older kernel.
 */
struct sandbox_call {
	int number;
	int verdict; /* sandbox_verdict, or an errno */
	unsigned needs; /* of sandbox_need; only with one of these; 0: always */
	/* Only where the argument (from 1; 0: any) has value in the bits of
	 * mask. Of 64 bits the lower 32 are looked at, as the kernel does with
	 * all that are used here. */
	int argument;
	uint32_t mask, value;
};

extern const struct sandbox_call sandbox_calls[];
extern const size_t sandbox_calls_n;

/* Is there a filter for this processor? */
bool seccomp_is_built(void);

/* Does the kernel have it? Returns 0 or a negative errno. */
int seccomp_check(void);

/* For this thread and those that it starts; no_new_privs is set. Returns 0 or
 * a negative errno. */
int seccomp_enter(unsigned needs);

#endif
