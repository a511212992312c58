/* SPDX-License-Identifier: ISC */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include <uxsrv/log.h>

/*
 * An event of the log as one line in the form that its reader wants. Pure.
 *
 *	text     uxecho: draining: no new clients
 *	journal  <5>draining: no new clients
 *	json     {"v":1,"time":"2025-11-23T15:46:03.250Z","level":"notice",
 *	         "event":"life","message":"draining: no new clients"}
 *	syslog   <29>Nov 23 15:46:03 uxecho[4711]: draining: no new clients
 *
 * Whatever the bytes of an event are, the line has printable ASCII only, and
 * a newline at its end (but for syslog, where a datagram is a line).
 */
enum log_format {
	LOG_AS_TEXT,
	LOG_AS_JOURNAL,
	LOG_AS_JSON,
	LOG_AS_SYSLOG,
	N_LOG_FORMATS
};

/* At most this long, with its newline and a NUL. */
#define LOG_LINE_MAX 512

/* An event too long for a line is cut in the middle: so much of its end stays,
 * since there it says how many others were left out. */
#define LOG_LINE_TAIL 64

struct log_entry {
	enum uxs_level level;
	enum uxs_event event;
	struct timespec at;
	pid_t pid;
	const char *text;
};

/* Returns the length. */
size_t log_line_make(char line[LOG_LINE_MAX], enum log_format format,
    const struct log_entry *entry);

/* "notice", "life". */
const char *log_level_name(enum uxs_level level);
const char *log_event_name(enum uxs_event event);

#endif
