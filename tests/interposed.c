/* SPDX-License-Identifier: ISC */
#include "interposed.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Threads allocate too. */
static size_t n_calls, n_bytes;
static int n_sends_to_fail, n_receives_to_fail;

/* The names are the linker's. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
ssize_t __real_send(int fd, const void *data, size_t length, int flags);
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
ssize_t __wrap_send(int fd, const void *data, size_t length, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);

static void
count(size_t size)
{
	__atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&n_bytes, size, __ATOMIC_RELAXED);
}

void *
__wrap_malloc(size_t size)
{
	count(size);
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	count(n * size);
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *block, size_t size)
{
	count(size);
	return __real_realloc(block, size);
}

static int
fails(int *n)
{
	if (*n == 0)
		return 0;
	--*n;
	errno = ENOMEM;
	return 1;
}

ssize_t
__wrap_send(int fd, const void *data, size_t length, int flags)
{
	return fails(&n_sends_to_fail) ? -1 :
					 __real_send(fd, data, length, flags);
}

ssize_t
__wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	return fails(&n_receives_to_fail) ?
	    -1 :
	    __real_recv(fd, buffer, size, flags);
}

size_t
n_allocations(void)
{
	return __atomic_load_n(&n_calls, __ATOMIC_RELAXED);
}

size_t
n_allocated_bytes(void)
{
	return __atomic_load_n(&n_bytes, __ATOMIC_RELAXED);
}

void
fail_sends(int n)
{
	n_sends_to_fail = n;
}

void
fail_receives(int n)
{
	n_receives_to_fail = n;
}
