/* SPDX-License-Identifier: ISC */
/*
 * How many connections there are, in all and of each uid, and how fast they
 * come. An account exists while its uid has a connection or owes for its
 * rate, so memory follows the number of users that are there, and not of
 * those that ever were.
 *
 * A token bucket is one number: the time at which it will be full again. A
 * token moves it on by what one takes to drop in, and there is a token as long
 * as that leaves it no further ahead than a whole bucket takes.
 */
#include <uxsrv/ledger.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <uxsrv/units.h>

#include "tree.h"

struct uxs_account {
	uid_t uid;
	size_t n_conns;
	size_t n_bytes;
	int64_t full_at_ns; /* the bucket; in the past when it is full */
	RB_ENTRY(uxs_account) node;
	TAILQ_ENTRY(uxs_account) next; /* while n_conns is 0 */
};

static int
compare_accounts(const struct uxs_account *a, const struct uxs_account *b)
{
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

UXS_TREE_GENERATE(uxs_accounts, uxs_account, node, compare_accounts)

void
uxs_ledger_init(struct uxs_ledger *ledger, const struct uxs_limits *limits)
{
	*ledger = (struct uxs_ledger){ .limits = *limits };
	RB_INIT(&ledger->accounts);
	TAILQ_INIT(&ledger->absent);
}

/* ---- several threads ---- */

void
uxs_ledger_share(struct uxs_ledger *ledger)
{
	if (ledger->is_shared)
		return;
	pthread_mutex_init(&ledger->mutex, NULL);
	ledger->is_shared = true;
}

static void
lock(struct uxs_ledger *ledger)
{
	if (ledger->is_shared)
		pthread_mutex_lock(&ledger->mutex);
}

static void
unlock(struct uxs_ledger *ledger)
{
	if (ledger->is_shared)
		pthread_mutex_unlock(&ledger->mutex);
}

/* ---- accounts ---- */

static struct uxs_account *
find(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account key = { .uid = uid };

	return RB_FIND(uxs_accounts, &ledger->accounts, &key);
}

static void
be_absent(struct uxs_ledger *ledger, struct uxs_account *account)
{
	TAILQ_INSERT_TAIL(&ledger->absent, account, next);
	ledger->n_absent++;
}

static void
be_present(struct uxs_ledger *ledger, struct uxs_account *account)
{
	TAILQ_REMOVE(&ledger->absent, account, next);
	ledger->n_absent--;
}

/* Of somebody absent. */
static void
forget(struct uxs_ledger *ledger, struct uxs_account *account)
{
	be_present(ledger, account);
	RB_REMOVE(uxs_accounts, &ledger->accounts, account);
	free(account);
}

/* The longest absent come first. One whose bucket is not full yet stops this,
 * for a second at most. */
static void
forget_absent(struct uxs_ledger *ledger, int64_t now_ns)
{
	struct uxs_account *first;

	while ((first = TAILQ_FIRST(&ledger->absent)) != NULL &&
	    (first->full_at_ns <= now_ns || ledger->n_absent > UXS_ABSENT_MAX))
		forget(ledger, first);
}

/* A new account is absent, until a connection is entered. */
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
	be_absent(ledger, account);
	return account;
}

/* ---- rate ---- */

static bool
take_token(const struct uxs_ledger *ledger, struct uxs_account *account,
    int64_t now_ns)
{
	const int64_t max = (int64_t)ledger->limits.max_rate;
	const int64_t one_ns = max > 0 ? UXS_NS_PER_S / max : 0;
	int64_t full_at_ns = account->full_at_ns;

	if (max == 0)
		return true;
	if (full_at_ns < now_ns)
		full_at_ns = now_ns;
	if (full_at_ns + one_ns - now_ns > max * one_ns)
		return false;
	account->full_at_ns = full_at_ns + one_ns;
	return true;
}

static int
enter_message(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns)
{
	struct uxs_account *account;

	if ((account = find_or_open(ledger, uid)) == NULL)
		return -ENOMEM;
	if (!take_token(ledger, account, now_ns))
		return UXS_REFUSED_RATE;
	if (account->n_conns == 0) { /* the last to be heard of */
		be_present(ledger, account);
		be_absent(ledger, account);
	}
	forget_absent(ledger, now_ns);
	return UXS_ADMITTED;
}

int
uxs_ledger_message(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns)
{
	int r;

	if (ledger->limits.max_rate == 0)
		return UXS_ADMITTED;
	lock(ledger);
	r = enter_message(ledger, uid, now_ns);
	unlock(ledger);
	return r;
}

/* ---- connections ---- */

static int
enter(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns)
{
	const struct uxs_limits *limits = &ledger->limits;
	struct uxs_account *account = find(ledger, uid);
	const size_t n_conns = account != NULL ? account->n_conns : 0;

	if (n_conns >= limits->max_conns_per_user)
		return UXS_REFUSED_MAX_PER_USER;
	if (ledger->n_conns >= limits->max_conns)
		return UXS_REFUSED_MAX_CONNS;
	/* Opened last, so that no refusal leaves an empty account behind. */
	if ((account = find_or_open(ledger, uid)) == NULL)
		return -ENOMEM;
	if (!take_token(ledger, account, now_ns))
		return UXS_REFUSED_RATE;
	if (account->n_conns++ == 0)
		be_present(ledger, account);
	/* The tree holds the account: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	ledger->n_conns++;
	forget_absent(ledger, now_ns);
	return UXS_ADMITTED;
}

static void
leave(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account *account = find(ledger, uid);

	if (account == NULL || account->n_conns == 0)
		return;
	ledger->n_conns--;
	if (--account->n_conns > 0)
		return;
	be_absent(ledger, account);
	/* What time it is will be known at the next entry; until then it is
	 * enough that there are not too many. */
	forget_absent(ledger, 0);
}

int
uxs_ledger_enter(struct uxs_ledger *ledger, uid_t uid, int64_t now_ns)
{
	int r;

	lock(ledger);
	r = enter(ledger, uid, now_ns);
	unlock(ledger);
	return r;
}

void
uxs_ledger_leave(struct uxs_ledger *ledger, uid_t uid)
{
	lock(ledger);
	leave(ledger, uid);
	unlock(ledger);
}

/* ---- memory ---- */

static int
hold(const struct uxs_ledger *ledger, struct uxs_account *account, size_t bytes)
{
	const size_t max = ledger->limits.max_bytes_per_user;

	if (account == NULL)
		return UXS_REFUSED_MAX_BYTES; /* who has no connection */
	if (max != 0 && (bytes > max || account->n_bytes > max - bytes))
		return UXS_REFUSED_MAX_BYTES;
	account->n_bytes += bytes;
	return UXS_ADMITTED;
}

int
uxs_ledger_hold(struct uxs_ledger *ledger, uid_t uid, size_t bytes)
{
	int r;

	lock(ledger);
	r = hold(ledger, find(ledger, uid), bytes);
	unlock(ledger);
	return r;
}

void
uxs_ledger_release(struct uxs_ledger *ledger, uid_t uid, size_t bytes)
{
	struct uxs_account *account;

	lock(ledger);
	if ((account = find(ledger, uid)) != NULL)
		account->n_bytes -= bytes;
	unlock(ledger);
}

/* ---- counts ---- */

/* An account as it is now; of zeroes where there is none. */
static struct uxs_account
look(struct uxs_ledger *ledger, uid_t uid)
{
	struct uxs_account seen = { .uid = uid };
	const struct uxs_account *account;

	lock(ledger);
	if ((account = find(ledger, uid)) != NULL)
		seen = *account;
	unlock(ledger);
	return seen;
}

size_t
uxs_ledger_bytes_of(struct uxs_ledger *ledger, uid_t uid)
{
	return look(ledger, uid).n_bytes;
}

size_t
uxs_ledger_conns(struct uxs_ledger *ledger)
{
	size_t n;

	lock(ledger);
	n = ledger->n_conns;
	unlock(ledger);
	return n;
}

size_t
uxs_ledger_conns_of(struct uxs_ledger *ledger, uid_t uid)
{
	return look(ledger, uid).n_conns;
}

size_t
uxs_ledger_list(struct uxs_ledger *ledger, struct uxs_account_figures *figures,
    size_t max)
{
	struct uxs_account *account;
	size_t n = 0;

	lock(ledger);
	RB_FOREACH (account, uxs_accounts, &ledger->accounts) {
		if (account->n_conns == 0)
			continue;
		if (n < max)
			figures[n] = (struct uxs_account_figures){
				.uid = account->uid,
				.n_conns = account->n_conns,
				.n_bytes = account->n_bytes,
			};
		n++;
	}
	unlock(ledger);
	return n;
}

void
uxs_ledger_fini(struct uxs_ledger *ledger)
{
	struct uxs_account *account, *next;

	RB_FOREACH_SAFE (account, uxs_accounts, &ledger->accounts, next) {
		RB_REMOVE(uxs_accounts, &ledger->accounts, account);
		free(account);
	}
	if (ledger->is_shared)
		pthread_mutex_destroy(&ledger->mutex);
	uxs_ledger_init(ledger, &(struct uxs_limits){ 0 });
}
