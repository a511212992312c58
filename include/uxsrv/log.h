/* SPDX-License-Identifier: ISC */
#ifndef UXS_LOG_H
#define UXS_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

/*
 * What to tell the administrator. The library formats one line per event,
 * limits how many of a kind there are, and hands them to a function of the
 * caller's; it never writes anywhere itself.
 */

enum uxs_level { /* the numbers of syslog(3) */
	UXS_ERROR = 3,
	UXS_WARNING = 4,
	UXS_NOTICE = 5,
	UXS_INFO = 6,
	UXS_DEBUG = 7,
};

/* Kinds are limited apart, so that a flood of one cannot hide another. */
enum uxs_event {
	UXS_EVENT_LIFE, /* start, ready, drain, stop: never limited */
	UXS_EVENT_SESSION, /* a connection opened or closed */
	UXS_EVENT_REFUSED,
	UXS_EVENT_DROPPED,
	UXS_EVENT_PAUSED,
	UXS_EVENT_FAULT, /* something was done wrong on purpose */
	UXS_N_EVENTS
};

/* A line is at most this long, with its NUL; the rest is cut with "...". */
#define UXS_LOG_LINE_MAX 512

/* So many lines of one kind at once, then one a second. */
#define UXS_LOG_BURST 20

struct uxs_log_limit {
	int64_t full_at_ns; /* private: when all the burst is there again */
	uint64_t n_left_out;
};

/* Called for one line at a time, also where several threads print. */
typedef void uxs_log_write(void *arg, enum uxs_level level,
    enum uxs_event event, const char *line);

struct uxs_log {
	uxs_log_write *write; /* NULL: nobody wants to know */
	void *arg;
	enum uxs_level max_level; /* lines above it are not made at all */
	/* private */
	pthread_mutex_t mutex; /* of zeroes, as PTHREAD_MUTEX_INITIALIZER is */
	struct uxs_log_limit limits[UXS_N_EVENTS];
};

/* Would a line of this level be written? Saves making up its words. */
static inline bool
uxs_log_wants(const struct uxs_log *log, enum uxs_level level)
{
	return log != NULL && log->write != NULL && level <= log->max_level;
}

/*
 * Write one line. now_ns is the loop's clock. A line after others were left
 * out says how many. Never fails, never blocks of itself. May be called from
 * any thread, but not from a uxs_log_write.
 */
void uxs_log_print(struct uxs_log *log, enum uxs_level level,
    enum uxs_event event, int64_t now_ns, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* May one more line of this kind be written? Counts it if not. Pure. */
bool uxs_log_limit_take(struct uxs_log_limit *limit, int64_t now_ns);

/*
 * Make bytes of a stranger's fit to print: printable ASCII stays, everything
 * else (and the backslash) becomes \n, \033 and the like. Cut with "..." so
 * that text, of size 8 or more, is never overrun. Returns text.
 */
char *uxs_escape(char *text, size_t size, const void *bytes, size_t length);

__END_DECLS

#endif
