/* SPDX-License-Identifier: ISC */
#ifndef UXS_MAILBOX_FATE_H
#define UXS_MAILBOX_FATE_H

#include <stddef.h>

#include "fated.h"
#include "outbox.h"

struct mailbox_context;
struct uxs_client;

/*
 * Datagrams to which something is to happen: they are connection 0, and what
 * would happen to a connection does not. An answer that waits has its return
 * path looked at when it is sent, and those that wait take no more than is
 * kept for a connection.
 */
struct mailbox_fate {
	struct fated fated;
	const struct mailbox_context *context;
	struct outbox *outbox;
	const struct uxs_client *client; /* who is in hand */
	struct delays delays;
	struct uxs_timer timer; /* of delays */
};

/* Borrows both until close. Returns NULL where there is no memory. */
struct mailbox_fate *mailbox_fate_new(const struct mailbox_context *context,
    struct outbox *outbox);

/* Around the service's look at a message of client. */
void mailbox_begin_fate(struct mailbox_fate *fate,
    const struct uxs_client *client);
void mailbox_end_fate(struct mailbox_fate *fate);

/* Will something happen to an answer to this client? Then mailbox_answer_fated
 * has it, and returns as outbox_put. */
bool mailbox_is_fated(const struct mailbox_fate *fate,
    const struct uxs_client *client);
int mailbox_answer_fated(struct mailbox_fate *fate,
    const struct outbox_origin *origin, const void *data, size_t length);

/* Send all that waits, before its time. */
void mailbox_send_delayed(struct mailbox_fate *fate);

/* What waits is forgotten. May be called twice, as free(3). */
void mailbox_fate_free(struct mailbox_fate *fate);

#endif
