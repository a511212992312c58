/* SPDX-License-Identifier: ISC */
/*
 * How many connections there are, in all and of each uid. An account exists
 * while its uid has a connection, so memory follows the number of users that
 * are there and not of those that ever were.
 */
#include <uxsrv/ledger.h>

#include <errno.h>
#include <stdlib.h>

#include "tree.h"

struct uxs_account {
	uid_t uid;
	size_t n_conns;
	RB_ENTRY(uxs_account) node;
};

static int
compare_accounts(const struct uxs_account *a, const struct uxs_account *b)
{
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

UXS_TREE_GENERATE(uxs_accounts, uxs_account, node, compare_accounts)

void
uxs_ledger_init(struct uxs_ledger *ledger, size_t max_conns,
    size_t max_conns_per_user)
{
	*ledger = (struct uxs_ledger){
		.max_conns = max_conns,
		.max_conns_per_user = max_conns_per_user,
	};
	RB_INIT(&ledger->accounts);
}

static struct uxs_account *
find(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account key = { .uid = uid };

	return RB_FIND(uxs_accounts, &ledger->accounts, &key);
}

static struct uxs_account *
find_or_open(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account *account = find(ledger, uid);

	if (account != NULL)
		return account;
	if ((account = calloc(1, sizeof(*account))) == NULL)
		return NULL;
	account->uid = uid;
	RB_INSERT(uxs_accounts, &ledger->accounts, account);
	return account;
}

int
uxs_ledger_enter(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account *account;

	if (uxs_ledger_conns_of(ledger, uid) >= ledger->max_conns_per_user)
		return UXS_REFUSED_MAX_PER_USER;
	if (ledger->n_conns >= ledger->max_conns)
		return UXS_REFUSED_MAX_CONNS;
	/* Opened last, so that no refusal leaves an empty account behind. */
	if ((account = find_or_open(ledger, uid)) == NULL)
		return -ENOMEM;
	account->n_conns++;
	/* The tree holds the account: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	ledger->n_conns++;
	return UXS_ADMITTED;
}

void
uxs_ledger_leave(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account *account = find(ledger, uid);

	if (account == NULL)
		return;
	ledger->n_conns--;
	if (--account->n_conns > 0)
		return;
	RB_REMOVE(uxs_accounts, &ledger->accounts, account);
	free(account);
}

size_t
uxs_ledger_conns(const struct uxs_ledger *ledger)
{
	return ledger->n_conns;
}

size_t
uxs_ledger_conns_of(struct uxs_ledger *ledger, uid_t uid)
{
	const struct uxs_account *account = find(ledger, uid);

	return account != NULL ? account->n_conns : 0;
}

void
uxs_ledger_fini(struct uxs_ledger *ledger)
{
	struct uxs_account *account, *next;

	RB_FOREACH_SAFE (account, uxs_accounts, &ledger->accounts, next) {
		RB_REMOVE(uxs_accounts, &ledger->accounts, account);
		free(account);
	}
	ledger->n_conns = 0;
}
