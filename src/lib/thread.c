/* SPDX-License-Identifier: ISC */
/* How threads are started here; see thread.h. */
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define NAME_SIZE 16 /* what the kernel keeps of a name, with its NUL */

/* The name is inherited, too: another thread's could only be set by writing to
 * a file below /proc, which a confined process may not do. */
static int
create(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	char own[NAME_SIZE] = "";
	int code;

	prctl(PR_GET_NAME, own, 0, 0, 0);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	code = pthread_create(thread, NULL, run, arg);
	prctl(PR_SET_NAME, own, 0, 0, 0);
	return code;
}

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
	snprintf(full_name, sizeof(full_name), "%.6s:%s",
	    program_invocation_short_name, name);
	code = create(thread, full_name, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}
