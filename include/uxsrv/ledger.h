/* SPDX-License-Identifier: ISC */
#ifndef UXS_LEDGER_H
#define UXS_LEDGER_H

#include <stddef.h>
#include <sys/tree.h>
#include <sys/types.h>

/*
 * Do they fit: connections in all, and per uid, so that no single user can
 * take every place. Pure. An unknown peer counts under UXS_UID_NONE: all of
 * them share one account.
 */

RB_HEAD(uxs_accounts, uxs_account);

struct uxs_ledger {
	size_t max_conns;
	size_t max_conns_per_user;
	/* private */
	size_t n_conns;
	struct uxs_accounts accounts;
};

enum uxs_admission {
	UXS_ADMITTED,
	UXS_REFUSED_MAX_CONNS,
	UXS_REFUSED_MAX_PER_USER,
};

void uxs_ledger_init(struct uxs_ledger *ledger, size_t max_conns,
    size_t max_conns_per_user);

/*
 * Enter one more connection of uid; pair with uxs_ledger_leave.
 *
 * Returns an enum uxs_admission (nothing is entered unless UXS_ADMITTED), or
 * -ENOMEM. The limit of the user is looked at first: who has too many is told
 * so even when the house is full.
 */
int uxs_ledger_enter(struct uxs_ledger *ledger, uid_t uid);
void uxs_ledger_leave(struct uxs_ledger *ledger, uid_t uid);

size_t uxs_ledger_conns(const struct uxs_ledger *ledger);
size_t uxs_ledger_conns_of(struct uxs_ledger *ledger, uid_t uid);

void uxs_ledger_fini(struct uxs_ledger *ledger);

#endif
