/* SPDX-License-Identifier: ISC */
/* A life of the daemon, in the order of its functions from below: open and
 * give up rights, announce, run, close. */
#include "daemon.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "exec.h"
#include "report.h"
#include "services/services.h"

int
daemon_fail(struct daemon *d, int r, const struct uxs_error *why)
{
	const int exit_status = uxs_error_exit_status(why);

	/* Of a process that does not replace another one after all the manager
	 * need not know: that one serves on, and logs it. */
	if (successor_waits(&d->successor)) {
		if (!successor_fail(&d->successor, why->text))
			warnx("%s", why->text);
		return exit_status;
	}
	warnx("%s", why->text);
	status_failed(&d->status, -r, exit_status, why->text);
	return exit_status;
}

static void
say(struct daemon *d, enum uxs_level level, const char *what, const char *which)
{
	uxs_log_print(&d->log, level, UXS_EVENT_LIFE, 0, "%s%s", what, which);
}

static void
tell_manager(struct daemon *d)
{
	struct uxs_stats stats;

	uxs_server_stats(d->server, &stats);
	status_figures(&d->status, &stats);
}

static void
report(struct daemon *d)
{
	struct uxs_stats stats;

	uxs_server_stats(d->server, &stats);
	report_stats(&d->log, &stats, 0);
	status_figures(&d->status, &stats);
}

static void
announce(struct daemon *d)
{
	char text[UXS_ADDRESS_TEXT_MAX];
	const struct uxs_address *address;
	int r;

	for (size_t i = 0; (address = uxs_server_address(d->server, i)) != NULL;
	     i++)
		say(d, UXS_NOTICE,
		    i < d->options.conf.n_addresses ? "serving " :
						      "serving the inherited ",
		    uxs_address_print(address, text, sizeof(text)));
	if (d->options.has_stats)
		say(d, UXS_NOTICE, "statistics at ",
		    uxs_address_print(&d->options.stats[0], text,
			sizeof(text)));
	tell_manager(d);
	if (d->options.ready_fd >= 0 &&
	    (r = uxs_notify_ready_fd(d->options.ready_fd)) < 0)
		say(d, UXS_WARNING,
		    "cannot tell the ready descriptor: ", strerror(-r));
	r = background_ready(&d->background, !d->options.is_syslog);
	if (r < 0)
		say(d, UXS_WARNING,
		    "cannot let go of where it was started: ", strerror(-r));
}

static void
on_signal(int number, void *arg)
{
	struct daemon *d = arg;

	if (number == SIGUSR1) {
		report(d);
	} else if (number == SIGUSR2) {
		upgrade_begin(&d->upgrade);
	} else {
		upgrade_reread(&d->upgrade);
		status_reloading(&d->status);
		status_reloaded(&d->status,
		    reload_rules(&d->reload, d->server, d->stats.server));
	}
}

static void
on_beat(struct uxs_notify *notify)
{
	tell_manager(notify->arg);
}

static int
open_log(struct daemon *d, struct uxs_error *why)
{
	const int r = logger_choose(&d->logger, d->options.log_format,
	    d->options.is_syslog);

	d->log = (struct uxs_log){
		.write = logger_write,
		.arg = &d->logger,
		.max_level = d->options.max_level,
	};
	if (r < 0)
		uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot make a socket for syslog: %s", strerror(-r));
	return r;
}

static int
give_up_root(struct daemon *d, struct uxs_error *why)
{
	int r;

	if (geteuid() == 0 &&
	    (r = remover_start(&d->remover, &d->options.conf,
		 d->options.has_stats ? &d->options.stats[0] : NULL,
		 d->pid_file.path, why)) < 0)
		return r;
	if ((r = privileges_drop(&d->options.privileges, why)) < 0)
		return r;
	if (d->options.program != NULL &&
	    (r = exec_check(&d->options.exec, why)) < 0)
		return r;
	if (remover_is_needed(&d->remover))
		say(d, UXS_INFO,
		    "a process of root stays to remove the socket files", "");
	return 0;
}

/* A container may allow one process only; it can still serve. */
static void
start_keeper(struct daemon *d)
{
	struct uxs_error why;

	if (keeper_start(&d->upgrade.keeper, &d->origin, d->options.is_daemon,
		d->options.is_daemon && d->options.is_syslog, &why) < 0)
		say(d, UXS_WARNING,
		    "SIGUSR2 will not be able to upgrade: ", why.text);
}

/*
 * The seam between what takes privileges and what does not. Directories are
 * found as root: who keeps one of them open need not be able to go there. The
 * keeper has the user that we become, and must not be confined as we are: its
 * children would be.
 */
static int
give_up_rights(void *arg, struct uxs_error *why)
{
	struct daemon *d = arg;
	char text[SANDBOX_TEXT_MAX];
	int r = sandbox_open(&d->sandbox, &d->options, why);

	if (r == 0 && d->options.privileges.is_wanted)
		r = give_up_root(d, why);
	if (r == 0) {
		start_keeper(d);
		r = sandbox_enter(&d->sandbox, why);
	}
	sandbox_close(&d->sandbox);
	if (r < 0)
		return r;
	say(d, UXS_INFO, "sandbox: ", sandbox_print(&d->sandbox, text));
	reload_try(&d->reload);
	return 0;
}

/* All names first, those of the statistics too. */
static int
on_bound(void *arg, struct uxs_error *why)
{
	struct daemon *d = arg;

	if (!d->options.has_stats)
		return give_up_rights(d, why);
	return stats_open(&d->stats, &d->options.conf, &d->options.stats[0],
	    give_up_rights, d, why);
}

static void
on_unbind(void *arg)
{
	struct daemon *d = arg;

	if (!remover_remove(&d->remover))
		say(d, UXS_WARNING,
		    "the process of root did not remove the socket files", "");
}

/* The words by which the same can be had again. */
static int
choose_faults(struct daemon *d, struct uxs_error *why)
{
	struct fault *fault = &d->options.fault;
	char text[FAULT_TEXT_MAX];
	int r;

	if (!fault->is_wanted)
		return 0;
	if ((r = fault_choose_seed(fault, successor_seed(&d->successor), why)) <
	    0)
		return r;
	say(d, UXS_NOTICE, "misbehaving on purpose, again with --fault ",
	    fault_print(fault, text));
	return 0;
}

static void
fill_conf(struct daemon *d, const sigset_t *signals)
{
	struct uxs_server_conf *conf = &d->options.conf;

	conf->service = d->options.service->service;
	conf->log = &d->log;
	conf->notify = &d->status.notify;
	conf->handle_signals = true;
	conf->extra_signals = signals;
	conf->on_signal = on_signal;
	conf->on_bound = on_bound;
	conf->on_unbind = on_unbind;
	conf->arg = d;
	if (successor_waits(&d->successor))
		conf->handover = &d->successor.handover;
	d->status.notify.on_beat = on_beat;
	d->status.notify.arg = d;
}

/* By it the files of both are removed, where that takes root. */
static void
close_server(struct daemon *d)
{
	title_stop(&d->title);
	stats_stop(&d->stats);
	uxs_server_close(&d->server);
	exec_end();
	stats_close(&d->stats);
}

static int
open_server(struct daemon *d, const sigset_t *signals, struct uxs_error *why)
{
	int r;

	if ((r = open_log(d, why)) < 0 || (r = choose_faults(d, why)) < 0 ||
	    (r = pid_file_adopt(&d->pid_file, successor_pid_file(&d->successor),
		 why)) < 0)
		return r;
	if (d->options.service->prepare != NULL)
		d->options.service->prepare();
	reload_init(&d->reload, &d->options, &d->log);
	fill_conf(d, signals);
	r = uxs_server_open(&d->server, &d->options.conf, why);
	if (r == 0 && d->options.program != NULL)
		exec_begin(&d->options.exec, uxs_server_loop(d->server),
		    &d->log, d->options.conf.drain_ns);
	if (r < 0 || (r = uxs_server_start(d->server, why)) < 0)
		close_server(d);
	return r;
}

static int
begin_server(struct daemon *d, struct uxs_error *why)
{
	int r = pid_file_write(&d->pid_file, why);

	if (r == 0 && (r = stats_start(&d->stats, d->server)) < 0)
		uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
		    "cannot watch the socket of the statistics: %s",
		    strerror(-r));
	return r;
}

/* When the process before us has left, nobody serves but us, so nothing may go
 * wrong from there on. */
static int
take_place(struct daemon *d, struct uxs_error *why)
{
	struct uxs_error doubt;
	const int r = successor_take(&d->successor, why);

	if (r < 0)
		return r;
	remover_adopt(&d->remover, successor_remover(&d->successor));
	if (begin_server(d, &doubt) < 0)
		say(d, UXS_WARNING, doubt.text, "");
	if (d->successor.rereads)
		reload_rules(&d->reload, d->server, d->stats.server);
	return 0;
}

static int
begin(struct daemon *d, struct uxs_error *why)
{
	const int r = successor_waits(&d->successor) ? take_place(d, why) :
						       begin_server(d, why);

	if (r < 0)
		close_server(d);
	return r;
}

static void
prepare_upgrade(struct daemon *d)
{
	d->upgrade.log = &d->log;
	d->upgrade.notify = &d->status.notify;
	d->upgrade.pid_file = &d->pid_file;
	d->upgrade.remover = &d->remover;
	d->upgrade.stats = &d->stats;
	d->upgrade.fault = &d->options.fault;
	d->upgrade.limit_ns = d->options.conf.drain_ns > UXS_NS_PER_S ?
	    d->options.conf.drain_ns :
	    UXS_NS_PER_S;
	upgrade_attach(&d->upgrade, d->server);
}

/* One more that waits must not spoil the exit status, when the server has
 * given the mask back. */
static void
ignore_signals(const sigset_t *extra)
{
	for (int number = 1; number < NSIG; number++) {
		if (number == SIGTERM || number == SIGINT ||
		    sigismember(extra, number) == 1)
			signal(number, SIG_IGN);
	}
}

int
daemon_serve(struct daemon *d)
{
	struct uxs_error why;
	sigset_t signals;
	bool is_lost;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	if ((r = open_server(d, &signals, &why)) < 0 ||
	    (r = begin(d, &why)) < 0)
		return daemon_fail(d, r, &why);
	prepare_upgrade(d);
	announce(d);
	title_start(&d->title, d->server,
	    d->options.conf.n_addresses > 0 ?
		&d->options.conf.addresses[0] :
		&d->activation.sockets[0].address);
	r = uxs_server_run(d->server);
	is_lost = uxs_server_is_lost(d->server, &why);
	ignore_signals(&signals);
	report(d);
	upgrade_detach(&d->upgrade);
	close_server(d);
	pid_file_close(&d->pid_file);
	if (d->options.service->finish != NULL)
		d->options.service->finish();
	if (r < 0) {
		uxs_error_set(&why, UXS_FAILURE_SYSTEM, -r,
		    "cannot wait for events: %s", strerror(-r));
		return daemon_fail(d, r, &why);
	}
	if (is_lost)
		return daemon_fail(d, -ESTALE, &why);
	say(d, UXS_NOTICE, "stopped", "");
	return EX_OK;
}
