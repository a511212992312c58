/* SPDX-License-Identifier: ISC */
#ifndef UXS_SENDERS_H
#define UXS_SENDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <uxsrv/loop.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>

#include "mailbox.h"
#include "return_path.h"

/*
 * Senders of datagrams whom a service keeps as clients: found again by user
 * and return address, and open until they are silent for too long, or cannot
 * be reached. They take places in the ledger as connections do, so that no
 * user can fill our memory with return addresses.
 *
 * Nothing here trusts an address: each reply has its return path looked at
 * again, as that of any other datagram.
 */

/* Nothing tells of a datagram client's end. Without an idle timeout one is
 * taken to be gone when it was silent for so long; arbitrary. */
#define SENDER_SILENCE_NS (300 * INT64_C(1000000000))

RB_HEAD(sender_tree, sender);
TAILQ_HEAD(sender_list, sender);

struct sender {
	struct uxs_client client; /* what the service sees */
	struct senders *senders;
	union return_address address;
	socklen_t length; /* of it */
	int64_t heard_ns;
	bool is_leaving; /* not to be found or sent to any more */
	enum uxs_close reason; /* of that */
	RB_ENTRY(sender) node;
	TAILQ_ENTRY(sender) next; /* of those who are here, or who leave */
};

struct senders {
	const struct mailbox_context *context;
	enum uxs_type type; /* of their socket */
	/* private */
	struct sender_tree here;
	struct sender_list heard; /* the longest silent first */
	struct sender_list leaving; /* their ends are told after this turn */
	struct uxs_timer silence;
	struct uxs_deferred ends;
	bool is_deferred;
	void (*on_closed)(struct senders *senders);
};

void senders_init(struct senders *senders,
    const struct mailbox_context *context, enum uxs_type type);

/* NULL: nobody who is here. */
struct sender *senders_find(struct senders *senders,
    const union return_address *from, socklen_t length, uid_t uid);

/* A message came. */
void sender_heard(struct sender *sender);

/*
 * Let one in who is not here, and tell the service. NULL where there is no
 * place, which is counted, or the service does not want him.
 */
struct sender *senders_admit(struct senders *senders,
    const union return_address *from, socklen_t length,
    const struct uxs_peer *peer, const struct uxs_client_ops *ops);

/* No more is sent there. The service is told when this turn is over, since
 * this may be found out while it sends to all. */
void sender_leave(struct sender *sender, enum uxs_close reason);

/* Those who are not allowed any more leave. */
void senders_judge(struct senders *senders);

/* All leave, and the service is told now. */
void senders_end(struct senders *senders, enum uxs_close reason);

/*
 * The same for good. on_closed is called when the memory of senders is not
 * needed any more: from within, or, where somebody has just left, when the turn
 * is over.
 */
void senders_close(struct senders *senders,
    void (*on_closed)(struct senders *senders));

#endif
