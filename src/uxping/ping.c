/* SPDX-License-Identifier: ISC */
/* Ping mode: one loop, a pinger for each target, and what ends it all. */
#include "ping.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/loop.h>

#include "options.h"
#include "ping_report.h"
#include "pinger.h"

struct ping {
	const struct options *options;
	struct uxs_loop loop;
	struct uxs_signals signals;
	struct uxs_timer deadline;
	size_t n_pingers, n_open, n_done;
	struct pinger *pingers;
};

static void
stop_all(struct ping *ping)
{
	for (size_t i = 0; i < ping->n_open; i++)
		pinger_stop(&ping->pingers[i]);
	uxs_loop_stop(&ping->loop);
}

static void
on_done(struct pinger *pinger)
{
	struct ping *ping = pinger->arg;

	if (++ping->n_done == ping->n_pingers)
		uxs_loop_stop(&ping->loop);
}

static void
on_deadline(struct uxs_timer *timer)
{
	stop_all(uxs_container_of(timer, struct ping, deadline));
}

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct ping *ping = uxs_container_of(signals, struct ping, signals);

	if (number != SIGQUIT) {
		stop_all(ping);
		return;
	}
	for (size_t i = 0; i < ping->n_open; i++) {
		if (ping->pingers[i].state != PINGER_DONE)
			ping_report_interim(&ping->pingers[i]);
	}
}

/* Everything that would end us becomes an event, so that return addresses are
 * removed on the way out. */
static int
start_signals(struct ping *ping)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	ping->signals.on_signal = on_signal;
	return uxs_signals_start(&ping->loop, &ping->signals, &set);
}

/* All addresses are read before the first is pinged. */
static int
open_pingers(struct ping *ping)
{
	const struct options *options = ping->options;
	struct uxs_error why;

	for (size_t i = 0; i < ping->n_pingers; i++) {
		struct pinger *pinger = &ping->pingers[i];

		ping->n_open = i + 1;
		if (pinger_open(pinger, options->targets[i], options,
			&ping->loop, &why) < 0) {
			warnx("%s", why.text);
			return -1;
		}
		pinger->on_done = on_done;
		pinger->arg = ping;
	}
	return 0;
}

static int
run(struct ping *ping)
{
	int status = 0;

	if (ping->options->deadline_ns != 0) {
		ping->deadline.on_expiry = on_deadline;
		uxs_timer_start(&ping->loop, &ping->deadline,
		    uxs_loop_now_ns(&ping->loop) + ping->options->deadline_ns);
	}
	for (size_t i = 0; i < ping->n_pingers; i++)
		pinger_start(&ping->pingers[i]);
	/* With standard output gone there is nobody to ping for. */
	while (ping->n_done < ping->n_pingers && !ferror(stdout)) {
		if (uxs_loop_turn(&ping->loop, -1) < 0)
			break;
	}
	stop_all(ping);
	for (size_t i = 0; i < ping->n_pingers; i++) {
		ping_report_end(&ping->pingers[i]);
		if (pinger_status(&ping->pingers[i]) > status)
			status = pinger_status(&ping->pingers[i]);
	}
	return ferror(stdout) ? 2 : status;
}

int
ping_run(const struct options *options)
{
	struct ping ping = {
		.options = options,
		.loop = UXS_LOOP_CLOSED,
		.n_pingers = options->n_targets,
	};
	int r, status = 2;

	ping.pingers = calloc(ping.n_pingers, sizeof(*ping.pingers));
	if (ping.pingers == NULL) {
		warnx("out of memory");
		return 2;
	}
	if ((r = uxs_loop_open(&ping.loop)) < 0 ||
	    (r = start_signals(&ping)) < 0) {
		warnc(-r, "cannot start");
		goto done;
	}
	if (open_pingers(&ping) == 0)
		status = run(&ping);
	uxs_signals_stop(&ping.signals);
done:
	for (size_t i = 0; i < ping.n_open; i++)
		pinger_close(&ping.pingers[i]);
	uxs_loop_close(&ping.loop);
	free(ping.pingers);
	return status;
}
