/* SPDX-License-Identifier: ISC */
#ifndef UXS_MAILBOX_H
#define UXS_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include <uxsrv/access.h>
#include <uxsrv/fate.h>
#include <uxsrv/ledger.h>
#include <uxsrv/listener.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>

/*
 * A datagram socket: many senders, no connections.
 *
 * A turn receives a batch, judges and answers each message by itself, and
 * sends what was answered as a batch. Nothing is kept: a reply that cannot be
 * delivered at once is dropped and counted, since waiting for one client
 * would hold up all others.
 */

struct loopback_sources;
struct mailbox;
struct mailbox_batch;
struct mailbox_fate;
struct reaper;

struct mailbox_context {
	struct uxs_loop *loop;
	const struct uxs_service *service;
	const struct uxs_access *access;
	struct uxs_ledger *ledger;
	struct uxs_stats *stats;
	struct uxs_log *log;
	char *buffer; /* a batch of messages lands here */
	size_t buffer_size; /* at least max_message */
	size_t max_message;
	const struct loopback_sources *own;
	const struct uxs_fates *fates; /* NULL: nothing goes wrong on purpose */
	size_t max_delayed; /* bytes of answers that wait for their time */
	int64_t silence_ns; /* after which a sender who is kept is gone */
	struct reaper *reaper; /* NULL: nobody can pass descriptors */
};

struct mailbox {
	struct uxs_client client; /* the sender of the message in hand */
	const struct mailbox_context *context;
	struct uxs_watch watch; /* borrows the descriptor */
	struct mailbox_batch *batch;
	struct mailbox_fate *fate; /* NULL: that of all without fates */
};

/* Begin to serve a datagram socket that is open. Borrows it. Returns 0 or a
 * negative errno. */
int mailbox_open(struct mailbox *mailbox, const struct mailbox_context *context,
    const struct uxs_listener *listener);

/* Take no more: what has arrived stays where it is. */
void mailbox_stop(struct mailbox *mailbox);

/* The rules of the context have changed: for those too who are kept. */
void mailbox_judge(struct mailbox *mailbox);

/* Answer all that has arrived. The socket must let no more come. */
void mailbox_drain(struct mailbox *mailbox);

/* Drain, then serve another socket in place of this one, from mailbox_resume
 * on. Borrows it; the former one is the caller's again. */
void mailbox_move(struct mailbox *mailbox, const struct uxs_listener *to);

/* Take what comes, after mailbox_move. Returns 0 or a negative errno: try
 * again later. */
int mailbox_resume(struct mailbox *mailbox);

/* Give back descriptors that are held to save time. Returns how many. */
size_t mailbox_trim(struct mailbox *mailbox);

/* May be called twice, and on a zeroed mailbox. */
void mailbox_close(struct mailbox *mailbox);

#endif
