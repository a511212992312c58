/* SPDX-License-Identifier: ISC */
/* How threads are started here; see thread.h. */
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#define NAME_SIZE 16 /* what the kernel keeps of a name, with its NUL */

int
thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
    void *arg)
{
	char full_name[NAME_SIZE];
	sigset_t all, before;
	int code;

	/* The mask is inherited, so there is no moment without it. */
	sigfillset(&all);
	if ((code = pthread_sigmask(SIG_SETMASK, &all, &before)) != 0)
		return -code;
	code = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0)
		return -code;
	snprintf(full_name, sizeof(full_name), "%.6s:%s",
	    program_invocation_short_name, name);
	pthread_setname_np(*thread, full_name);
	return 0;
}
