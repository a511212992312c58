/* SPDX-License-Identifier: ISC */
#ifndef UXPING_LOAD_H
#define UXPING_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include <uxsrv/loop.h>

#include "diagnose.h"
#include "pacer.h"
#include "payload.h"
#include "tally.h"
#include "target.h"

struct options;
struct connection;
struct slot;

/*
 * Load on one target: n connections on one event loop for a stated time.
 *
 *	r = load_open(&load, &target, options);
 *	load.on_interval = show_progress;
 *	r = load_run(&load, warmup_ns, duration_ns);
 *	... load.total ...
 *	load_close(&load);
 *
 * In the steady state a message costs one send, one recv and its share of an
 * epoll_wait: nothing is allocated and no interest changes.
 */

TAILQ_HEAD(connections, connection);

struct load {
	const struct options *options; /* borrowed */
	struct target *target; /* borrowed */

	/* Called about every second of the measured time, with what that
	 * second came to. NULL: nobody wants to know. */
	void (*on_interval)(const struct load *load, const struct tally *second,
	    void *arg);
	void *arg;

	/* results */
	struct tally total;
	bool was_interrupted;
	bool has_diagnosis;
	struct diagnosis diagnosis; /* of the first trouble */

	/* private */
	bool keeps_messages; /* not a stream: replies may come in any order */
	bool is_running;
	uint32_t interest; /* what a connection watches for */
	int failure; /* of our own, a negative errno; 0: none */
	struct uxs_loop loop;
	struct uxs_signals signals;
	struct uxs_timer warmup_end, end, second_end, sweep, pace, retry;
	struct pacer pacer;
	struct payload payload;
	unsigned char *pattern; /* bulk: what is sent, longer than a period */
	unsigned char *buffer; /* every reply lands here */
	size_t buffer_bytes;
	struct tally second; /* what is not yet in total */
	int64_t duration_ns; /* of the measured part */
	int64_t measure_from_ns; /* INT64_MAX: still warming up */
	int64_t second_from_ns, second_due_ns;

	struct connection *all;
	size_t n_all, n_ended;
	struct slot *slots;
	int slot_bits; /* of a sequence number, for the slot's number */
	struct connections idle; /* open loop: could send, nothing is due */
	struct connections room; /* line.h */
	struct connections door;
	struct connection *sentinel;
};

/* Never opened; load_close accepts it. */
void load_init(struct load *load);

/*
 * Make the first connection, so that the target's type is known and what is
 * wrong with it is told at once; the others are load_run's. Waits for the
 * server as long as options->wait_ns says. Borrows target and options.
 *
 * Returns 0, an enum target_outcome other than TARGET_CONNECTED or a negative
 * errno of target_connect (load->diagnosis has the words), or a negative errno
 * of our own (has_diagnosis is false).
 */
int load_open(struct load *load, struct target *target,
    const struct options *options);

/*
 * Run the load, measure for duration_ns after warmup_ns. Ends exactly then;
 * earlier on SIGINT or SIGTERM (was_interrupted) or when no connection is
 * left. What is under way at the end counts as sent only.
 *
 * Returns 0, or a negative errno where something of our own failed.
 */
int load_run(struct load *load, int64_t warmup_ns, int64_t duration_ns);

/* May be called twice. */
void load_close(struct load *load);

/* ---- for connections ---- */

static inline int64_t
load_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/*
 * Something went wrong: a connection could not be made (result is that of
 * target_connect) or broke (code is an errno, 0 for the end of the stream),
 * an answer is wrong or too late. The first of these is kept in words.
 */
void load_count_refused(struct load *load, int result);
void load_count_broken(struct load *load, int code, bool had_replies);
void load_count_corrupt(struct load *load, const char *what);
void load_count_timeout(struct load *load);

/* A connection will do no more. The run ends with the last one. */
void load_count_ended(struct load *load);

/* What to do when: part of load_open. */
void load_set_timers(struct load *load);

/* Something of our own failed: end the run. */
void load_fail(struct load *load, int result);

/* Call when a connection has become idle: wakes up for what is due next. */
void load_arm_pace(struct load *load);

#endif
