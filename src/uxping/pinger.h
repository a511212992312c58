/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PINGER_H
#define UXPING_PINGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uxsrv/framing.h>
#include <uxsrv/loop.h>

#include "diagnose.h"
#include "summary.h"
#include "target.h"
#include "window.h"

struct options;

/*
 * One target that is pinged: its connection, what is under way, what it came
 * to. It lives in a loop of the caller's and says when it is done.
 *
 *	             ┌── busy, or --wait ──┐
 *	start ──► CONNECTING ◄─────────────┘
 *	             │    ▲
 *	   connected ▼    │ the next ping is due
 *	             UP ──┴─► DOWN        broken or, with -C, done with
 *	             │          │
 *	             └──► DONE ◄┘         count reached, stopped, or hopeless
 */
enum pinger_state { PINGER_CONNECTING, PINGER_UP, PINGER_DOWN, PINGER_DONE };

struct pinger {
	/* set by pinger_open */
	const struct options *options;
	struct uxs_loop *loop;
	void (*on_done)(struct pinger *pinger);
	void *arg;

	struct target target;
	struct target_link link;
	enum pinger_state state;
	int status; /* exit status so far; 0 until something is wrong */
	struct window window;
	struct summary summary;
	struct diagnosis diagnosis; /* of the last failure */
	bool has_diagnosis;
	bool is_told; /* it has been reported */
	bool has_started; /* connected once: the first line is printed */

	/* private */
	struct uxs_watch watch;
	struct uxs_timer send_timer, expiry_timer, retry_timer;
	int64_t connect_start_ns; /* of the first attempt ... */
	int64_t attempt_ns; /* ... and of the last */
	int64_t due_ns; /* when the last ping should have been sent */
	bool is_due; /* the next ping, once the way is free */
	uint64_t n_link_replies; /* on this connection */
	unsigned char *out, *in; /* a ping, an answer and one byte more */
	size_t out_bytes; /* of a ping, with the ends of its frame */
	size_t out_done; /* out_bytes: nothing left to send */
	bool has_out;
	size_t in_have; /* streams: of an answer */
	struct uxs_deframer deframer; /* framed streams */
	unsigned char *raw; /* what was received of one; else NULL */
	size_t raw_at, raw_have; /* looked at, and in all */
};

/* Resolves the address, sends nothing. Returns 0, or a negative errno with
 * *why: exit with 2. */
int pinger_open(struct pinger *pinger, const char *address,
    const struct options *options, struct uxs_loop *loop,
    struct uxs_error *why);

/* Connect and go on from there; on_done may be called from in here. */
void pinger_start(struct pinger *pinger);

/* Be done now. on_done is called unless it has been. */
void pinger_stop(struct pinger *pinger);

/* The exit status that all of this came to: 0, 1 or 2. */
int pinger_status(const struct pinger *pinger);

/* May be called twice. */
void pinger_close(struct pinger *pinger);

#endif
