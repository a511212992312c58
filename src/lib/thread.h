/* SPDX-License-Identifier: ISC */
#ifndef UXS_THREAD_H
#define UXS_THREAD_H

#include <pthread.h>

/*
 * Start a thread in which no signal is delivered: those are for the thread of
 * the caller alone. It is called "PROGRAM:name" where threads are listed, so
 * name has at most 8 letters. Returns 0 or a negative errno.
 */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
    void *arg);

#endif
