/* SPDX-License-Identifier: ISC */
/*
 * One line per event that matters: formatted here, limited here, written by
 * whoever uses the library. A flood of one kind costs a comparison a line.
 */
#include <uxsrv/log.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* vis(3) is the same in both; the choice concerns strnvis(3) only. */
#define LIBBSD_NETBSD_VIS
#include <vis.h>

#include <uxsrv/units.h>

/*
 * One byte as text, at the longest "\\033". Octal numbers always have three
 * digits, so that what follows cannot be read as part of them.
 */
static size_t
escape_byte(char text[5], char c)
{
	const bool has_letter = c == '\n' || c == '\t' || c == '\r';
	const int style = has_letter ? VIS_WHITE | VIS_CSTYLE :
				       VIS_OCTAL | VIS_TAB | VIS_NL;

	return (size_t)(vis(text, c, style, 0) - text);
}

char *
uxs_escape(char *text, size_t size, const void *bytes, size_t length)
{
	const char *from = bytes;
	char *to = text;
	char one[5];

	for (size_t i = 0; i < length; i++) {
		const size_t n = escape_byte(one, from[i]);

		if ((size_t)(to - text) + n + sizeof("...") > size) {
			strcpy(to, "...");
			return text;
		}
		memcpy(to, one, n);
		to += n;
	}
	*to = '\0';
	return text;
}

/*
 * A token bucket told by one number, the time at which it will be full again:
 * each line moves that a second on, and the bucket is empty when it is further
 * away than the burst is long.
 */
bool
uxs_log_limit_take(struct uxs_log_limit *limit, int64_t now_ns)
{
	if (limit->full_at_ns < now_ns)
		limit->full_at_ns = now_ns;
	if (limit->full_at_ns - now_ns > (UXS_LOG_BURST - 1) * UXS_NS_PER_S) {
		limit->n_left_out++;
		return false;
	}
	limit->full_at_ns += UXS_NS_PER_S;
	return true;
}

/*
 * Put how many were left out behind the message, which is cut to make room:
 * whoever can make a line long must not be able to hide the count.
 */
static void
append_left_out(char line[UXS_LOG_LINE_MAX], int n, uint64_t n_left_out)
{
	char tail[64] = "";
	size_t end, room;

	if (n_left_out > 0)
		snprintf(tail, sizeof(tail),
		    " (%" PRIu64 " more like this left out)", n_left_out);
	room = UXS_LOG_LINE_MAX - sizeof("") - strlen(tail);
	end = (size_t)n;
	if (end > room) {
		end = room;
		memset(line + end - strlen("..."), '.', strlen("..."));
	}
	strcpy(line + end, tail);
}

static void __attribute__((format(printf, 5, 0)))
print(struct uxs_log *log, enum uxs_level level, enum uxs_event event,
    int64_t now_ns, const char *format, va_list args)
{
	struct uxs_log_limit *limit = &log->limits[event];
	char line[UXS_LOG_LINE_MAX];
	int n;

	if (event != UXS_EVENT_LIFE && !uxs_log_limit_take(limit, now_ns))
		return;
	if ((n = vsnprintf(line, sizeof(line), format, args)) < 0)
		return;
	append_left_out(line, n, limit->n_left_out);
	limit->n_left_out = 0;
	log->write(log->arg, level, event, line);
}

void
uxs_log_print(struct uxs_log *log, enum uxs_level level, enum uxs_event event,
    int64_t now_ns, const char *format, ...)
{
	va_list args;

	if (!uxs_log_wants(log, level))
		return;
	va_start(args, format);
	pthread_mutex_lock(&log->mutex);
	print(log, level, event, now_ns, format, args);
	pthread_mutex_unlock(&log->mutex);
	va_end(args);
}
