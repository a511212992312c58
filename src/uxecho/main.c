/* SPDX-License-Identifier: ISC */
/*
 * uxecho: take what was given, and do what is asked for. What it can do is in
 * libuxsrv; what it is asked to do is in options.c.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon.h"
#include "plan.h"
#include "process.h"

static int
serve_in_background(struct daemon *d)
{
	struct uxs_error why;
	int status = EX_OK;
	int r = rules_fix_paths(&d->options.rules, &why);

	if (r == 0 && successor_waits(&d->successor))
		r = background_go_on(&d->background, &why);
	else if (r == 0)
		r = background_start(&d->background, &status, &why);
	if (r < 0)
		return daemon_fail(d, r, &why);
	return r == BACKGROUND_PARENT ? status : daemon_serve(d);
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
	int r;

	if (d->options.is_help)
		options_help(stdout);
	else if (d->options.is_version)
		printf("uxecho %s\n", UXECHO_VERSION);
	else if ((r = options_load_rules(&d->options, &why)) < 0 ||
	    (r = privileges_check(&d->options.privileges, &why)) < 0 ||
	    (d->options.is_check &&
		(r = plan_print(&d->options, stdout, &why)) < 0))
		return daemon_fail(d, r, &why);
	else if (!d->options.is_check)
		return d->options.is_daemon ? serve_in_background(d) :
					      daemon_serve(d);
	return finish_output();
}

static int
check_ready_fd(int fd, struct uxs_error *why)
{
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	return uxs_error_set(why, UXS_FAILURE_USAGE, EBADF,
	    "--ready-fd %d: no such descriptor is open", fd);
}

/* What we were given: environment, arguments, descriptors. */
static int
take_over(struct daemon *d, int argc, char *argv[], struct uxs_error *why)
{
	/* Descriptors first: the manager's socket must not pass for one that
	 * is missing. The manager should hear of it, though. */
	const int inherited = uxs_activation_open(&d->activation, why);
	int r = uxs_notify_open(&d->status.notify, inherited < 0 ? NULL : why);

	if (inherited < 0)
		return inherited;
	if (r < 0 ||
	    (r = successor_open(&d->successor, &d->activation, why)) < 0 ||
	    (r = options_parse(&d->options, argc, argv, why)) < 0)
		return r;
	d->options.conf.activation = &d->activation;
	d->pid_file.path = d->options.pidfile;
	/* Whoever waited for that was told by the first of us. */
	if (successor_waits(&d->successor))
		d->options.ready_fd = -1;
	return check_ready_fd(d->options.ready_fd, why);
}

int
main(int argc, char *argv[])
{
	struct daemon daemon = DAEMON_CLOSED;
	struct uxs_error why;
	int r, status;

	/* What is open now was given to us; what we open comes after. */
	process_prepare();
	title_prepare(argc, argv, environ);
	if ((r = origin_init(&daemon.origin, argv, &why)) < 0 ||
	    (r = take_over(&daemon, argc, argv, &why)) < 0)
		status = daemon_fail(&daemon, r, &why);
	else
		status = run(&daemon);
	if (successor_waits(&daemon.successor))
		pid_file_leave(&daemon.pid_file);
	pid_file_close(&daemon.pid_file);
	successor_close(&daemon.successor);
	keeper_stop(&daemon.upgrade.keeper);
	logger_close(&daemon.logger);
	uxs_notify_close(&daemon.status.notify);
	uxs_activation_close(&daemon.activation);
	reload_fini(&daemon.reload);
	options_fini(&daemon.options);
	origin_fini(&daemon.origin);
	return status;
}
