/* SPDX-License-Identifier: ISC */
#ifndef LOGGER_H
#define LOGGER_H

#include <stdbool.h>
#include <sys/un.h>

#include "log_line.h"

/*
 * Where the lines of the log go: standard error, or the socket of syslog. It
 * never waits: what cannot be taken at once is lost, and the service goes on.
 */

struct logger {
	enum log_format format;
	/* private */
	int fd;
	enum { LOGGER_FILE, LOGGER_PIPE, LOGGER_SOCKET, LOGGER_SYSLOG } kind;
	struct sockaddr_un syslog;
	bool is_lost; /* has said that nobody takes its lines */
};

#define LOGGER_CLOSED                    \
	{                                \
		.fd = -1 /* of syslog */ \
	}

/* To standard error. */
void logger_open(struct logger *logger, enum log_format format);

/* To the datagram socket at path, which need not be there yet, and may come
 * and go. Returns 0 or a negative errno. */
int logger_open_syslog(struct logger *logger, const char *path);

/* Is standard error what systemd's JOURNAL_STREAM, "DEVICE:INODE", names? */
bool logger_is_journal(const char *journal_stream);

/* What the options ask for; N_LOG_FORMATS is what suits standard error.
 * Returns 0 or a negative errno. */
int logger_choose(struct logger *logger, enum log_format format,
    bool is_syslog);

/* A uxs_log_write; arg is the logger. */
void logger_write(void *arg, enum uxs_level level, enum uxs_event event,
    const char *text);

/* May be called twice. */
void logger_close(struct logger *logger);

#endif
