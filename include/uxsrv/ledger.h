/* SPDX-License-Identifier: ISC */
#ifndef UXS_LEDGER_H
#define UXS_LEDGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

__BEGIN_DECLS

/*
 * Do they fit: connections in all, and per uid, so that no single user can
 * take every place; how fast they may come; and how much of our memory each
 * holds. Pure: time is given by the caller. An unknown peer counts under
 * UXS_UID_NONE: all of them share one account.
 *
 *	uxs_ledger_init(&ledger, &limits);
 *	if (uxs_ledger_enter(&ledger, uid, now_ns) == UXS_ADMITTED)
 *		...
 *	uxs_ledger_leave(&ledger, uid);
 *	uxs_ledger_fini(&ledger);
 */

RB_HEAD(uxs_accounts, uxs_account);
TAILQ_HEAD(uxs_account_list, uxs_account);

struct uxs_limits {
	size_t max_conns;
	size_t max_conns_per_user;
	size_t max_bytes_per_user; /* held at once; 0: none */
	size_t max_rate; /* entries and messages a second, per uid; 0: none */
};

struct uxs_ledger {
	/* private */
	struct uxs_limits limits;
	bool is_shared;
	pthread_mutex_t mutex; /* where it is shared */
	size_t n_conns;
	struct uxs_accounts accounts;
	struct uxs_account_list absent; /* kept for their rate alone */
	size_t n_absent;
};

enum uxs_admission {
	UXS_ADMITTED,
	UXS_REFUSED_MAX_CONNS,
	UXS_REFUSED_MAX_PER_USER,
	UXS_REFUSED_MAX_BYTES,
	UXS_REFUSED_RATE, /* too fast; a moment later it may do */
};

/* Start with nobody. The limits are copied. */
void uxs_ledger_init(struct uxs_ledger *ledger,
    const struct uxs_limits *limits);

/* From now on several threads may use it at once: each of the functions below
 * but for uxs_ledger_fini takes a lock. Until then there is none. */
void uxs_ledger_share(struct uxs_ledger *ledger);

/*
 * Enter one more connection of uid; pair with uxs_ledger_leave. now_ns is a
 * monotonic time, the same clock for every call on this ledger.
 *
 * Returns an enum uxs_admission (nothing is entered unless UXS_ADMITTED, and
 * no other refusal counts against the rate), or -ENOMEM. The limit of the
 * user is looked at first: who has too many is told so even when the house is
 * full.
 */
int uxs_ledger_enter(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns);
void uxs_ledger_leave(struct uxs_ledger *ledger, uid_t uid);

/*
 * One message of uid that comes without a connection. Only the rate counts,
 * the same one that uxs_ledger_enter counts against: a bucket of max_rate
 * tokens for each uid, full at first, into which max_rate a second drop.
 *
 * Returns UXS_ADMITTED, UXS_REFUSED_RATE, or -ENOMEM.
 */
int uxs_ledger_message(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns);

/*
 * Memory that is held for a connection of uid: hold before it is allocated,
 * release what is freed, all of it before the connection leaves.
 *
 * Returns UXS_ADMITTED, or UXS_REFUSED_MAX_BYTES where that would be over the
 * ceiling of the user; then nothing was entered.
 */
int uxs_ledger_hold(struct uxs_ledger *ledger, uid_t uid, size_t bytes);
void uxs_ledger_release(struct uxs_ledger *ledger, uid_t uid, size_t bytes);

/* What is entered now: bytes of one user, connections in all and of one. */
size_t uxs_ledger_bytes_of(struct uxs_ledger *ledger, uid_t uid);
size_t uxs_ledger_conns(struct uxs_ledger *ledger);
size_t uxs_ledger_conns_of(struct uxs_ledger *ledger, uid_t uid);

/* A user who has connections, and what is entered for him. */
struct uxs_account_figures {
	uid_t uid;
	size_t n_conns;
	size_t n_bytes;
};

/*
 * Write the figures of all users who have connections, in the order of their
 * uids, but of no more than max; UXS_UID_NONE comes last. Returns how many
 * there are, which may be more.
 */
size_t uxs_ledger_list(struct uxs_ledger *ledger,
    struct uxs_account_figures *figures, size_t max);

/*
 * An account outlives its last connection by the second at most that its
 * bucket takes to fill. So many are kept of users who are not there; beyond,
 * the one that was quiet for longest is forgotten, and starts anew.
 */
#define UXS_ABSENT_MAX 4096

/* Forget everybody. May be called twice. */
void uxs_ledger_fini(struct uxs_ledger *ledger);

__END_DECLS

#endif
