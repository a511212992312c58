/* SPDX-License-Identifier: ISC */
/*
 * The run: time, signals, counting. What a connection does is in
 * connection.c, what it waits for in line.c.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <uxsrv/units.h>

#include "connection.h"
#include "line.h"
#include "options.h"

/* ---- counting ---- */

void
load_count_refused(struct load *load, int result)
{
	load->second.errors++;
	if (!load->has_diagnosis)
		diagnose_connect(&load->diagnosis, load->target, result);
	load->has_diagnosis = true;
}

void
load_count_broken(struct load *load, int code, bool had_replies)
{
	load->second.errors++;
	if (!load->has_diagnosis)
		diagnose_broken(&load->diagnosis, load->target, code,
		    had_replies);
	load->has_diagnosis = true;
}

void
load_count_corrupt(struct load *load, const char *what)
{
	load->second.corrupt++;
	if (!load->has_diagnosis)
		diagnose_corrupt(&load->diagnosis, load->target, what);
	load->has_diagnosis = true;
}

void
load_count_timeout(struct load *load)
{
	load->second.timeouts++;
	if (!load->has_diagnosis)
		diagnose_timeout(&load->diagnosis, load->target,
		    load->options->timeout_ns);
	load->has_diagnosis = true;
}

void
load_count_ended(struct load *load)
{
	if (++load->n_ended == load->n_all)
		uxs_loop_stop(&load->loop);
}

void
load_fail(struct load *load, int result)
{
	if (load->failure == 0)
		load->failure = result;
	uxs_loop_stop(&load->loop);
}

/* Add the time since the last call to the total. */
static void
close_second(struct load *load, int64_t now_ns, bool is_told)
{
	if (load->measure_from_ns != INT64_MAX)
		load->second.measured_ns = now_ns - load->second_from_ns;
	load->second_from_ns = now_ns;
	tally_merge(&load->total, &load->second);
	if (load->on_interval != NULL && is_told)
		load->on_interval(load, &load->second, load->arg);
	tally_init(&load->second);
}

/* ---- time ---- */

static void
on_warmup_end(struct uxs_timer *timer)
{
	struct load *load = uxs_container_of(timer, struct load, warmup_end);

	load->measure_from_ns = load->second_from_ns = load_clock_ns();
	uxs_timer_start(&load->loop, &load->end,
	    load->measure_from_ns + load->duration_ns);
	load->second_due_ns = load->measure_from_ns + UXS_NS_PER_S;
	uxs_timer_start(&load->loop, &load->second_end, load->second_due_ns);
}

static void
on_second_end(struct uxs_timer *timer)
{
	struct load *load = uxs_container_of(timer, struct load, second_end);

	close_second(load, load_clock_ns(), true);
	/* From the last deadline: the seconds do not drift. */
	load->second_due_ns += UXS_NS_PER_S;
	uxs_timer_start(&load->loop, timer, load->second_due_ns);
}

static void
on_end(struct uxs_timer *timer)
{
	struct load *load = uxs_container_of(timer, struct load, end);

	uxs_loop_stop(&load->loop);
}

/* Time-outs are found by looking at all connections now and then, not by a
 * timer for each message, so they are up to an eighth late. */
static int64_t
sweep_interval_ns(const struct load *load)
{
	const int64_t ns = load->options->timeout_ns / 8;

	if (ns < UXS_NS_PER_MS)
		return UXS_NS_PER_MS;
	return ns < 100 * UXS_NS_PER_MS ? ns : 100 * UXS_NS_PER_MS;
}

static void
on_sweep(struct uxs_timer *timer)
{
	struct load *load = uxs_container_of(timer, struct load, sweep);
	const int64_t now_ns = load_clock_ns();

	for (size_t i = 0; i < load->n_all; i++) {
		struct connection *c = &load->all[i];

		connection_sweep(c, now_ns - load->options->timeout_ns);
		connection_feed(c, now_ns);
	}
	uxs_timer_start(&load->loop, timer, now_ns + sweep_interval_ns(load));
}

void
load_arm_pace(struct load *load)
{
	int64_t due_ns = pacer_due_ns(&load->pacer);

	if (uxs_timer_is_started(&load->pace) || TAILQ_EMPTY(&load->idle))
		return;
	/* What is overdue waits for the next turn, behind the replies. */
	if (due_ns <= uxs_loop_now_ns(&load->loop))
		due_ns = uxs_loop_now_ns(&load->loop) + 1;
	uxs_timer_start(&load->loop, &load->pace, due_ns);
}

static void
on_pace(struct uxs_timer *timer)
{
	struct load *load = uxs_container_of(timer, struct load, pace);
	int64_t now_ns = load_clock_ns();
	struct connection *c;

	while ((c = TAILQ_FIRST(&load->idle)) != NULL &&
	    pacer_due_ns(&load->pacer) <= now_ns) {
		connection_feed(c, now_ns);
		/* A connect takes long; the replies shall not wait for all of
		 * those that are due. */
		if (load->options->reconnect)
			break;
		now_ns = load_clock_ns();
	}
	load_arm_pace(load);
}

static void
on_retry(struct uxs_timer *timer)
{
	line_knock(uxs_container_of(timer, struct load, retry));
}

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct load *load = uxs_container_of(signals, struct load, signals);

	load->was_interrupted = true;
	uxs_loop_stop(&load->loop);
}

/* ---- the run ---- */

void
load_set_timers(struct load *load)
{
	load->warmup_end.on_expiry = on_warmup_end;
	load->second_end.on_expiry = on_second_end;
	load->end.on_expiry = on_end;
	load->sweep.on_expiry = on_sweep;
	load->pace.on_expiry = on_pace;
	load->retry.on_expiry = on_retry;
}

static int
start_timers(struct load *load, int64_t warmup_ns, int64_t duration_ns)
{
	const int64_t now_ns = load_clock_ns();
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	load->signals.on_signal = on_signal;
	/* An open loop keeps its timetable to the microsecond; the default
	 * slack of 50 would be seen as response time. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	pacer_start(&load->pacer, load->options->rate, now_ns);
	load->duration_ns = duration_ns;
	if (warmup_ns > 0)
		uxs_timer_start(&load->loop, &load->warmup_end,
		    now_ns + warmup_ns);
	else
		on_warmup_end(&load->warmup_end);
	if (!load->options->bulk)
		uxs_timer_start(&load->loop, &load->sweep,
		    now_ns + sweep_interval_ns(load));
	return uxs_signals_start(&load->loop, &load->signals, &set);
}

static void
connect_all(struct load *load)
{
	if (load->options->reconnect)
		return; /* that is part of the load */
	for (size_t i = 0; i < load->n_all && load->failure == 0; i++) {
		if (load->all[i].state == CONNECTION_CLOSED)
			connection_open(&load->all[i]);
	}
}

int
load_run(struct load *load, int64_t warmup_ns, int64_t duration_ns)
{
	int r;

	connect_all(load);
	if ((r = start_timers(load, warmup_ns, duration_ns)) < 0)
		return r;
	load->is_running = true;
	for (size_t i = 0; i < load->n_all && !load->options->bulk; i++)
		connection_feed(&load->all[i], load_clock_ns());
	if (load->n_ended < load->n_all && load->failure == 0)
		r = uxs_loop_run(&load->loop);
	load->is_running = false;
	/* A last second that was cut short is not told as one. */
	close_second(load, load_clock_ns(),
	    load_clock_ns() - load->second_from_ns > UXS_NS_PER_S / 2 &&
		load->measure_from_ns != INT64_MAX);
	uxs_signals_stop(&load->signals);
	return load->failure < 0 ? load->failure : r;
}
