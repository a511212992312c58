/* SPDX-License-Identifier: ISC */
#ifndef UXS_ACCESS_H
#define UXS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include <uxsrv/peer.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * Who may: rules in the order given, the first that matches decides. When
 * none matches, the server's own uid and root are in, everyone else is out.
 * Pure: names are resolved when a rule is added, by functions of the caller's.
 *
 *	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
 *
 *	uxs_access_add(&access, UXS_ALLOW, "group:audio", &uxs_names_system,
 *	    &why);
 *	if (uxs_access_decide(&access, &peer, &groups) == UXS_ALLOW) ...
 *	uxs_access_fini(&access);
 */

enum uxs_verdict { UXS_DENY, UXS_ALLOW };

enum uxs_rule_kind {
	UXS_RULE_ANY, /* matches everybody, the unknown too */
	UXS_RULE_UID, /* first..last */
	UXS_RULE_GID, /* first..last, primary or supplementary */
};

struct uxs_rule {
	enum uxs_verdict verdict;
	enum uxs_rule_kind kind;
	id_t first, last; /* inclusive */
	/* Where it was read; NULL and 0 when it is not from a file. */
	const char *file; /* borrowed */
	size_t line;
};

struct uxs_access {
	uid_t own_uid;
	/* Take a rule that names just the overflow uid. It matches everybody
	 * whom the kernel attests as unmapped, and nobody else. */
	bool takes_overflow;
	size_t n;
	struct uxs_rule *rules; /* owned */
};

#ifdef __cplusplus
#define UXS_ACCESS_EMPTY(uid)                         \
	([](uid_t uxs_own_uid) -> struct uxs_access { \
		struct uxs_access uxs_initial = {};   \
		uxs_initial.own_uid = uxs_own_uid;    \
		return uxs_initial;                   \
	}(uid))
#else
#define UXS_ACCESS_EMPTY(uid)    \
	{                        \
		.own_uid = (uid) \
	}
#endif

/* How names become numbers. Each returns 0, or -1 for a name nobody has. */
struct uxs_names {
	int (*uid_of)(const char *name, uid_t *uid);
	int (*gid_of)(const char *name, gid_t *gid);
};

/* The system's user and group data bases. */
extern const struct uxs_names uxs_names_system;

/*
 * Append a rule. who is one of: any, self, root, user:NAME or user:UID,
 * group:NAME or group:GID, uid:N or uid:N-M, gid:N or gid:N-M. A rule that
 * names the overflow uid or gid itself is refused: it stands for everybody
 * who is not mapped here, not for a user. See takes_overflow for the uid.
 *
 * Returns 0, or a negative errno with *why (kind usage) quoting who.
 */
int uxs_access_add(struct uxs_access *access, enum uxs_verdict verdict,
    const char *who, const struct uxs_names *names, struct uxs_error *why);

/*
 * The same from a line of a rules file: "allow WHO" or "deny WHO", with blanks
 * around as one likes. An empty line adds nothing. *why is of kind config.
 */
int uxs_access_add_line(struct uxs_access *access, const char *line,
    const struct uxs_names *names, struct uxs_error *why);

/*
 * Judge. Unknown credentials match "any" only, and, unmapped, a rule for the
 * overflow uid. Where the supplementary groups
 * are not known (datagrams), a group rule that allows does not match by them,
 * and one that denies does: doubt keeps people out. groups may be NULL, for
 * not known.
 */
enum uxs_verdict uxs_access_decide(const struct uxs_access *access,
    const struct uxs_peer *peer, const struct uxs_groups *groups);

/* The same, and *rule becomes the one that decided: borrowed until a rule is
 * added, NULL when none matched. */
enum uxs_verdict uxs_access_explain(const struct uxs_access *access,
    const struct uxs_peer *peer, const struct uxs_groups *groups,
    const struct uxs_rule **rule);

/* Would a decision read the groups? Saves a system call where it would not. */
bool uxs_access_reads_groups(const struct uxs_access *access);

/* Is there a rule that allows somebody? */
bool uxs_access_has_allow(const struct uxs_access *access);

/* Write a rule as uxs_access_add reads it ("allow uid:1000"). Returns text. */
#define UXS_RULE_TEXT_MAX 64
char *uxs_rule_print(const struct uxs_rule *rule, char text[UXS_RULE_TEXT_MAX]);

/* May be called twice. */
void uxs_access_fini(struct uxs_access *access);

__END_DECLS

#endif
