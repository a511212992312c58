/* SPDX-License-Identifier: ISC */
/* Where it does not matter how long a close takes; see reaper.h. */
#include "reaper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "passing.h"
#include "thread.h"

/* What was still to be closed gets so long at the end. Arbitrary; nothing
 * that is not meant to be slow takes any time. */
#define PATIENCE_S 1

/* The loop waits for so long when it needs a descriptor back. Closing one takes
 * 20 us, unless somebody makes it slow on purpose. */
#define SETTLE_NS (5 * UXS_NS_PER_MS)

/* For the limit "none"; more than any table of descriptors holds here. */
#define CAPACITY_MAX ((size_t)1 << 20)

struct item {
	int fd;
	bool is_passed;
};

struct reaper {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake, idle;
	bool is_stopping, is_busy;
	size_t first, n, capacity;
	struct item items[];
};

/* ---- the thread ---- */

/* It is no use to us that the data in it arrives, so nothing is waited for.
 * Other things than TCP connections can be slow as well, hence the thread. */
static void
close_passed(int fd, void *arg)
{
	const struct linger none = { .l_onoff = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

/* Returns false at the end of the queue. */
static bool
receive_away(int fd)
{
	union passing_control control;
	char data[16384];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t r =
	    recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (r < 0) /* said once, and the queue comes after it */
		return errno == ECONNRESET || errno == EINTR;
	passing_for_each(&message, close_passed, NULL);
	return r > 0 || message.msg_controllen > 0; /* an empty packet */
}

/* From a listener's queue; anything else says EINVAL or EOPNOTSUPP. */
static int
accept_one(int fd)
{
	/* cppcheck-suppress nullPointer ; the peer's address is not wanted */
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/*
 * Passed descriptors are taken out of the queue one by one: left to close(2)
 * they would keep the linger time that their sender chose. Nothing is added
 * to the queue while it is emptied, since the socket is shut down.
 */
static void
close_socket(int fd)
{
	int waiting;

	shutdown(fd, SHUT_RD);
	while ((waiting = accept_one(fd)) >= 0) {
		shutdown(waiting, SHUT_RD);
		while (receive_away(waiting))
			;
		close(waiting);
	}
	while (receive_away(fd))
		;
	close(fd);
}

/* Returns false when there is nothing left to do for ever. */
static bool
next(struct reaper *r, struct item *item)
{
	bool is_there;

	pthread_mutex_lock(&r->mutex);
	r->is_busy = false;
	if (r->n == 0)
		pthread_cond_signal(&r->idle);
	while (r->n == 0 && !r->is_stopping)
		pthread_cond_wait(&r->wake, &r->mutex);
	if ((is_there = r->is_busy = r->n > 0)) {
		*item = r->items[r->first];
		r->first = (r->first + 1) % r->capacity;
		r->n--;
	}
	pthread_mutex_unlock(&r->mutex);
	return is_there;
}

static void *
run(void *arg)
{
	struct item item;

	while (next(arg, &item)) {
		if (item.is_passed)
			close_passed(item.fd, NULL);
		else
			close_socket(item.fd);
	}
	return NULL;
}

/* ---- the loop's side ---- */

static size_t
count_possible_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur > CAPACITY_MAX)
		return CAPACITY_MAX;
	return limit.rlim_cur > 0 ? (size_t)limit.rlim_cur : 1;
}

int
reaper_open(struct reaper **reaper)
{
	const size_t capacity = count_possible_descriptors();
	/* The system gives memory for what is used of it only. */
	struct reaper *r = malloc(sizeof(*r) + capacity * sizeof(r->items[0]));
	int code;

	*reaper = NULL;
	if (r == NULL)
		return -ENOMEM;
	*r = (struct reaper){ .capacity = capacity };
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->wake, NULL);
	pthread_cond_init(&r->idle, NULL);
	if ((code = thread_start(&r->thread, "reaper", run, r)) < 0) {
		free(r);
		return code;
	}
	*reaper = r;
	return 0;
}

static bool
enqueue(struct reaper *r, struct item item)
{
	bool fits;

	pthread_mutex_lock(&r->mutex);
	if ((fits = r->n < r->capacity)) {
		r->items[(r->first + r->n) % r->capacity] = item;
		r->n++;
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->mutex);
	return fits;
}

void
reaper_put(struct reaper *r, int fd)
{
	/* Full only if the limit was raised since: then it may wait here. */
	if (r == NULL || !enqueue(r, (struct item){ .fd = fd }))
		close(fd);
}

void
reaper_settle(struct reaper *r)
{
	struct timespec until;

	if (r == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SETTLE_NS;
	if (until.tv_nsec >= UXS_NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= UXS_NS_PER_S;
	}
	pthread_mutex_lock(&r->mutex);
	while ((r->is_busy || r->n > 0) &&
	    pthread_cond_clockwait(&r->idle, &r->mutex, CLOCK_MONOTONIC,
		&until) == 0)
		;
	pthread_mutex_unlock(&r->mutex);
}

static void
put_passed(int fd, void *arg)
{
	if (!enqueue(arg, (struct item){ .fd = fd, .is_passed = true }))
		close_passed(fd, NULL);
}

void
reaper_put_passed(struct reaper *r, struct msghdr *message)
{
	passing_for_each(message, put_passed, r);
}

void
reaper_close(struct reaper **reaper)
{
	struct reaper *r = *reaper;
	struct timespec until;

	if (r == NULL)
		return;
	*reaper = NULL;
	pthread_mutex_lock(&r->mutex);
	r->is_stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->mutex);

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (pthread_timedjoin_np(r->thread, NULL, &until) != 0) {
		pthread_detach(r->thread); /* and r stays with it */
		return;
	}
	pthread_cond_destroy(&r->wake);
	pthread_cond_destroy(&r->idle);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}
