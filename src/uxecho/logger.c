/* SPDX-License-Identifier: ISC */
/*
 * The writer of the log. Each kind of descriptor has its own way of not being
 * waited for; O_NONBLOCK is none for standard error, since it would be set for
 * everybody who shares it.
 */
#include "logger.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

void
logger_open(struct logger *logger, enum log_format format)
{
	struct stat st = { .st_mode = 0 };

	*logger = (struct logger){ .format = format, .fd = -1 };
	fstat(STDERR_FILENO, &st);
	if (S_ISSOCK(st.st_mode))
		logger->kind = LOGGER_SOCKET;
	else if (S_ISFIFO(st.st_mode))
		logger->kind = LOGGER_PIPE;
}

int
logger_open_syslog(struct logger *logger, const char *path)
{
	*logger = (struct logger){
		.format = LOG_AS_SYSLOG,
		.kind = LOGGER_SYSLOG,
		.syslog.sun_family = AF_UNIX,
	};
	tzset(); /* reads a file: now, rather than with the first line */
	strlcpy(logger->syslog.sun_path, path, sizeof(logger->syslog.sun_path));
	logger->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return logger->fd < 0 ? -errno : 0;
}

bool
logger_is_journal(const char *journal_stream)
{
	uintmax_t device, inode;
	struct stat st;
	char *end;

	if (journal_stream == NULL)
		return false;
	device = strtoumax(journal_stream, &end, 10);
	if (end == journal_stream || *end != ':')
		return false;
	journal_stream = end + 1;
	inode = strtoumax(journal_stream, &end, 10);
	return end != journal_stream && *end == '\0' &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	    st.st_ino == inode;
}

int
logger_choose(struct logger *logger, enum log_format format, bool is_syslog)
{
	if (is_syslog)
		return logger_open_syslog(logger, _PATH_LOG);
	if (format == N_LOG_FORMATS)
		format = logger_is_journal(getenv("JOURNAL_STREAM")) ?
		    LOG_AS_JOURNAL :
		    LOG_AS_TEXT;
	logger_open(logger, format);
	return 0;
}

/* Writable means room for PIPE_BUF bytes, more than a line. */
static void
write_if_ready(const char *line, size_t n)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
	    write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to be told */
}

/* Between a poll(2) and a write(2), another writer could fill the pipe. */
static void
write_pipe(char *line, size_t n)
{
	const struct iovec iov = { .iov_base = line, .iov_len = n };

	if (pwritev2(STDERR_FILENO, &iov, 1, -1, RWF_NOWAIT) < 0 &&
	    (errno == EOPNOTSUPP || errno == ENOSYS))
		write_if_ready(line, n); /* an older kernel, for pipes */
}

static void
write_stderr(const struct logger *logger, char *line, size_t n)
{
	if (logger->kind == LOGGER_SOCKET)
		send(STDERR_FILENO, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (logger->kind == LOGGER_PIPE)
		write_pipe(line, n);
	else
		write_if_ready(line, n);
}

/* By its name each time, so that a syslog that starts anew is found. */
static void
write_syslog(struct logger *logger, const char *line, size_t n)
{
	char text[LOG_LINE_MAX];
	const char *cause;
	int length;

	if (sendto(logger->fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&logger->syslog,
		sizeof(logger->syslog)) >= 0) {
		logger->is_lost = false;
		return;
	}
	if (errno == EAGAIN || logger->is_lost)
		return;
	logger->is_lost = true;
	cause = strerror(errno);
	length = snprintf(text, sizeof(text),
	    "uxecho: cannot log to %s: %s; lines are lost\n",
	    logger->syslog.sun_path, cause);
	write_if_ready(text, (size_t)length);
}

void
logger_write(void *arg, enum uxs_level level, enum uxs_event event,
    const char *text)
{
	struct logger *logger = arg;
	struct log_entry entry = {
		.level = level,
		.event = event,
		.pid = getpid(),
		.text = text,
	};
	char line[LOG_LINE_MAX];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &entry.at);
	n = log_line_make(line, logger->format, &entry);
	if (logger->kind == LOGGER_SYSLOG)
		write_syslog(logger, line, n);
	else
		write_stderr(logger, line, n);
}

void
logger_close(struct logger *logger)
{
	if (logger->fd >= 0)
		close(logger->fd);
	logger->fd = -1;
}
