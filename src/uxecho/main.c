/* SPDX-License-Identifier: ISC */
/*
 * uxecho: parse, open, announce, run, close. What it can do is in libuxsrv;
 * what it is asked to do is in options.c.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "logger.h"
#include "options.h"
#include "plan.h"
#include "reload.h"
#include "report.h"
#include "services/services.h"

struct daemon {
	struct options options;
	struct logger logger;
	struct uxs_log log;
	struct uxs_server *server;
	struct reload reload;
};

/* A socket must not become descriptor 2 of a process that was started without
 * one: every log line would go to a client. */
static void
open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The soft limit is low for the sake of select(2), which is not used here. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
fail(const struct uxs_error *why)
{
	warnx("%s", why->text);
	return uxs_error_exit_status(why);
}

static void
say(struct daemon *d, enum uxs_level level, const char *what, const char *which)
{
	uxs_log_print(&d->log, level, UXS_EVENT_LIFE, 0, "%s%s", what, which);
}

static void
announce(struct daemon *d)
{
	char text[UXS_ADDRESS_TEXT_MAX];
	int r;

	for (size_t i = 0; i < d->options.conf.n_addresses; i++)
		say(d, UXS_NOTICE, "serving ",
		    uxs_address_print(&d->options.conf.addresses[i], text,
			sizeof(text)));
	if (d->options.ready_fd < 0)
		return;
	if ((r = uxs_notify_ready_fd(d->options.ready_fd)) < 0)
		say(d, UXS_WARNING,
		    "cannot tell the ready descriptor: ", strerror(-r));
}

static void
on_signal(int number, void *arg)
{
	struct daemon *d = arg;

	if (number == SIGUSR1)
		report_stats(&d->log, uxs_server_stats(d->server), 0);
	else
		reload_rules(&d->reload, d->server);
}

static int
open_log(struct daemon *d)
{
	enum log_format format = d->options.log_format;
	int r = 0;

	if (format == N_LOG_FORMATS)
		format = logger_is_journal(getenv("JOURNAL_STREAM")) ?
		    LOG_AS_JOURNAL :
		    LOG_AS_TEXT;
	if (d->options.is_syslog)
		r = logger_open_syslog(&d->logger, _PATH_LOG);
	else
		logger_open(&d->logger, format);
	d->log = (struct uxs_log){
		.write = logger_write,
		.arg = &d->logger,
		.max_level = d->options.max_level,
	};
	if (r < 0)
		warnc(-r, "cannot make a socket for syslog");
	return r;
}

static int
serve(struct daemon *d)
{
	struct uxs_error why;
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	if (open_log(d) < 0)
		return EX_OSERR;
	reload_init(&d->reload, &d->options, &d->log);
	d->options.conf.service = &service_echo;
	d->options.conf.log = &d->log;
	d->options.conf.handle_signals = true;
	d->options.conf.extra_signals = &signals;
	d->options.conf.on_signal = on_signal;
	d->options.conf.arg = d;

	if (uxs_server_open(&d->server, &d->options.conf, &why) < 0)
		return fail(&why);
	announce(d);
	r = uxs_server_run(d->server);
	/* One more signal that waits must not spoil the exit status. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	report_stats(&d->log, uxs_server_stats(d->server), 0);
	uxs_server_close(&d->server);
	if (r < 0)
		warnc(-r, "cannot wait for events");
	else
		say(d, UXS_NOTICE, "stopped", "");
	return r < 0 ? EX_OSERR : EX_OK;
}

static int
finish_output(void)
{
	if (fflush(stdout) == 0)
		return EX_OK;
	warn("cannot write to standard output");
	return EX_OSERR;
}

static int
run(struct daemon *d)
{
	struct uxs_error why;

	if (d->options.is_help)
		options_help(stdout);
	else if (d->options.is_version)
		printf("uxecho %s\n", UXECHO_VERSION);
	else if (options_load_rules(&d->options, &why) < 0 ||
	    (d->options.is_check && plan_print(&d->options, stdout, &why) < 0))
		return fail(&why);
	else if (!d->options.is_check)
		return serve(d);
	return finish_output();
}

static int
check_ready_fd(int fd)
{
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return EX_OK;
	warnx("--ready-fd %d: no such descriptor is open", fd);
	return EX_USAGE;
}

int
main(int argc, char *argv[])
{
	struct daemon daemon = { .logger = LOGGER_CLOSED };
	struct uxs_error why;
	int status;

	/* What is open now was given to us; what we open comes after. */
	open_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN); /* must not end a daemon that serves */
	raise_descriptor_limit();
	if (options_parse(&daemon.options, argc, argv, &why) < 0)
		status = fail(&why);
	else if ((status = check_ready_fd(daemon.options.ready_fd)) == EX_OK)
		status = run(&daemon);
	logger_close(&daemon.logger);
	reload_fini(&daemon.reload);
	options_fini(&daemon.options);
	return status;
}
