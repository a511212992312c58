/* SPDX-License-Identifier: ISC */
/*
 * One event, one line. The library has escaped what strangers chose; here it
 * is done once more for any byte that would break the form of a line, so that
 * no event can forge another.
 */
#include "log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define NAME "uxecho"
#define CUT "..."

const char *
log_level_name(enum uxs_level level)
{
	switch (level) {
	case UXS_ERROR:
		return "error";
	case UXS_WARNING:
		return "warning";
	case UXS_NOTICE:
		return "notice";
	case UXS_INFO:
		return "info";
	case UXS_DEBUG:
		break;
	}
	return "debug";
}

const char *
log_event_name(enum uxs_event event)
{
	static const char *const names[UXS_N_EVENTS] = {
		[UXS_EVENT_LIFE] = "life",
		[UXS_EVENT_SESSION] = "session",
		[UXS_EVENT_REFUSED] = "refused",
		[UXS_EVENT_DROPPED] = "dropped",
		[UXS_EVENT_PAUSED] = "paused",
		[UXS_EVENT_FAULT] = "fault",
	};

	return names[event];
}

/* ---- what stands around the text ---- */

#define AROUND_MAX 192

static void
print_time(char *text, size_t size, const struct timespec *at)
{
	struct tm tm;
	char seconds[32];

	gmtime_r(&at->tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, size, "%s.%03ldZ", seconds, at->tv_nsec / 1000000);
}

static void
print_local_time(char *text, size_t size, const struct timespec *at)
{
	struct tm tm;

	localtime_r(&at->tv_sec, &tm);
	strftime(text, size, "%b %e %H:%M:%S", &tm);
}

/* Returns what stands behind it. */
static const char *
print_before(char before[AROUND_MAX], enum log_format format,
    const struct log_entry *e)
{
	char time[64];

	switch (format) {
	case LOG_AS_JSON:
		print_time(time, sizeof(time), &e->at);
		snprintf(before, AROUND_MAX,
		    "{\"v\":1,\"time\":\"%s\",\"level\":\"%s\","
		    "\"event\":\"%s\",\"message\":\"",
		    time, log_level_name(e->level), log_event_name(e->event));
		return "\"}\n";
	case LOG_AS_SYSLOG:
		print_local_time(time, sizeof(time), &e->at);
		snprintf(before, AROUND_MAX,
		    "<%d>%s " NAME "[%ld]: ", LOG_DAEMON | (int)e->level, time,
		    (long)e->pid);
		return "";
	case LOG_AS_JOURNAL:
		snprintf(before, AROUND_MAX, "<%d>", (int)e->level);
		return "\n";
	case LOG_AS_TEXT:
	case N_LOG_FORMATS:
		break;
	}
	snprintf(before, AROUND_MAX, NAME ": ");
	return "\n";
}

/* ---- the text ---- */

#define BYTE_MAX sizeof("\\u00ff")

/* Returns the length. A byte of JSON that is not ASCII becomes the character
 * of its number, so that every line is valid, whatever its encoding was. */
static size_t
put_byte(char to[BYTE_MAX], enum log_format format, char c)
{
	const unsigned char byte = (unsigned char)c;
	const bool is_printable = byte >= ' ' && byte <= '~';
	const bool is_json = format == LOG_AS_JSON;

	if (!is_printable)
		return (size_t)snprintf(to, BYTE_MAX,
		    is_json ? "\\u%04x" : "\\%03o", byte);
	if (is_json && (c == '"' || c == '\\'))
		return (size_t)snprintf(to, BYTE_MAX, "\\%c", c);
	to[0] = c;
	return 1;
}

static size_t
length_of(enum log_format format, const char *text, size_t n)
{
	char one[BYTE_MAX];
	size_t length = 0;

	for (size_t i = 0; i < n; i++)
		length += put_byte(one, format, text[i]);
	return length;
}

static char *
put(char *to, enum log_format format, const char *text, size_t n)
{
	char one[BYTE_MAX];

	for (size_t i = 0; i < n; i++) {
		const size_t length = put_byte(one, format, text[i]);

		memcpy(to, one, length);
		to += length;
	}
	return to;
}

/* How much of the beginning of text fits into room. */
static size_t
head_that_fits(enum log_format format, const char *text, size_t room)
{
	size_t n = 0, used = 0;

	while (text[n] != '\0') {
		used += length_of(format, text + n, 1);
		if (used > room)
			break;
		n++;
	}
	return n;
}

static size_t
tail_that_fits(enum log_format format, const char *text, size_t room)
{
	const size_t all = strlen(text);
	size_t n = 0, used = 0;

	while (n < all) {
		used += length_of(format, text + all - n - 1, 1);
		if (used > room)
			break;
		n++;
	}
	return n;
}

static char *
put_text(char *to, size_t room, enum log_format format, const char *text)
{
	const size_t n = strlen(text);
	size_t head, tail;

	if (length_of(format, text, n) <= room)
		return put(to, format, text, n);
	tail = tail_that_fits(format, text, LOG_LINE_TAIL);
	room -= strlen(CUT) + length_of(format, text + n - tail, tail);
	head = head_that_fits(format, text, room);
	to = put(to, format, text, head);
	to = put(to, format, CUT, strlen(CUT));
	return put(to, format, text + n - tail, tail);
}

size_t
log_line_make(char line[LOG_LINE_MAX], enum log_format format,
    const struct log_entry *entry)
{
	char before[AROUND_MAX];
	const char *behind = print_before(before, format, entry);
	const size_t around = strlen(before) + strlen(behind);
	char *to = line + strlen(before);

	strcpy(line, before);
	to = put_text(to, LOG_LINE_MAX - sizeof("") - around, format,
	    entry->text);
	strlcpy(to, behind, LOG_LINE_MAX - (size_t)(to - line));
	return (size_t)(to - line) + strlen(behind);
}
