/* SPDX-License-Identifier: ISC */
/*
 * Who may. Rules are ranges of ids by the time they get here; a decision is a
 * walk over them. It starts from "no", and what is not known stays no.
 */
#include <uxsrv/access.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/units.h>

#include "shown.h"

/* The largest id; one more is (uid_t)-1, which means "none". */
#define ID_MAX (INT64_C(4294967295) - 1)

static int
refuse(struct uxs_error *why, const char *who, const char *cause)
{
	char who_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "rule '%s': %s",
	    shown(who_text, who), cause);
}

/* "N" or "N-M". */
static const char *
parse_range(const char *text, struct uxs_rule *rule)
{
	const size_t n = strcspn(text, "-");
	const char *dash = text[n] == '-' ? text + n : NULL;
	char first_text[16] = "";
	int64_t first, last;

	if (n < sizeof(first_text)) /* a longer one is none: never cut it */
		memcpy(first_text, text, n);
	if (uxs_count_parse(first_text, 0, ID_MAX, &first) < 0)
		return "is not a number from 0 to 4294967294";
	last = first;
	if (dash != NULL && uxs_count_parse(dash + 1, first, ID_MAX, &last) < 0)
		return "the end of the range is not a number, or below its "
		       "beginning";
	rule->first = (id_t)first;
	rule->last = (id_t)last;
	return NULL;
}

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static const char *
parse_user(const char *text, const struct uxs_names *names,
    struct uxs_rule *rule)
{
	uid_t uid;

	if (is_number(text))
		return parse_range(text, rule);
	if (names->uid_of(text, &uid) < 0)
		return "there is no such user here";
	rule->first = rule->last = uid;
	return NULL;
}

static const char *
parse_group(const char *text, const struct uxs_names *names,
    struct uxs_rule *rule)
{
	gid_t gid;

	if (is_number(text))
		return parse_range(text, rule);
	if (names->gid_of(text, &gid) < 0)
		return "there is no such group here";
	rule->first = rule->last = gid;
	return NULL;
}

/* What follows "kind:", or NULL when who is not of that kind. */
static const char *
after(const char *who, const char *kind)
{
	const size_t n = strlen(kind);

	return strncmp(who, kind, n) == 0 ? who + n : NULL;
}

/* Returns what is wrong, or NULL. */
static const char *
parse_who(const char *who, uid_t own_uid, const struct uxs_names *names,
    struct uxs_rule *rule)
{
	const char *rest;

	rule->kind = UXS_RULE_UID;
	if (strcmp(who, "any") == 0) {
		rule->kind = UXS_RULE_ANY;
		return NULL;
	}
	if (strcmp(who, "self") == 0) {
		rule->first = rule->last = own_uid;
		return NULL;
	}
	if (strcmp(who, "root") == 0) {
		rule->first = rule->last = 0;
		return NULL;
	}
	if ((rest = after(who, "user:")) != NULL)
		return parse_user(rest, names, rule);
	if ((rest = after(who, "uid:")) != NULL)
		return parse_range(rest, rule);
	rule->kind = UXS_RULE_GID;
	if ((rest = after(who, "group:")) != NULL)
		return parse_group(rest, names, rule);
	if ((rest = after(who, "gid:")) != NULL)
		return parse_range(rest, rule);
	return "write any, self, root, user:NAME, group:NAME, uid:N[-M] or "
	       "gid:N[-M]";
}

/* An unmapped user is not "nobody", whatever the user data base says. */
static bool
names_overflow_uid(const struct uxs_rule *rule)
{
	return rule->kind == UXS_RULE_UID && rule->first == rule->last &&
	    rule->first == uxs_overflow_uid();
}

static bool
names_overflow_gid(const struct uxs_rule *rule)
{
	return rule->kind == UXS_RULE_GID && rule->first == rule->last &&
	    rule->first == uxs_overflow_gid();
}

int
uxs_access_add(struct uxs_access *access, enum uxs_verdict verdict,
    const char *who, const struct uxs_names *names, struct uxs_error *why)
{
	struct uxs_rule rule = { .verdict = verdict };
	const char *objection = parse_who(who, access->own_uid, names, &rule);
	struct uxs_rule *rules;

	if (objection != NULL)
		return refuse(why, who, objection);
	if (names_overflow_gid(&rule) ||
	    (names_overflow_uid(&rule) && !access->takes_overflow))
		return refuse(why, who,
		    "this id stands for everybody who is not mapped into our "
		    "user namespace, and is treated as unknown; give the "
		    "service a user of its own, or insist with --force");
	rules = reallocarray(access->rules, access->n + 1, sizeof(*rules));
	if (rules == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the access rules");
	rules[access->n++] = rule;
	access->rules = rules;
	return 0;
}

/* ---- lines of a file ---- */

static const char blanks[] = " \t";

/* The rest of line behind a word of its own, or NULL. */
static const char *
behind_word(const char *line, const char *word)
{
	const char *rest = after(line, word);

	return rest != NULL && rest[0] != '\0' && strchr(blanks, rest[0]) ?
	    rest + strspn(rest, blanks) :
	    NULL;
}

static int
refuse_line(struct uxs_error *why, const char *line)
{
	char line_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_CONFIG, EINVAL,
	    "'%s': write \"allow WHO\" or \"deny WHO\"",
	    shown(line_text, line));
}

static int
add_trimmed(struct uxs_access *access, const char *line,
    const struct uxs_names *names, struct uxs_error *why)
{
	enum uxs_verdict verdict = UXS_ALLOW;
	const char *who = behind_word(line, "allow");
	int r;

	if (line[0] == '\0')
		return 0;
	if (who == NULL) {
		verdict = UXS_DENY;
		who = behind_word(line, "deny");
	}
	if (who == NULL)
		return refuse_line(why, line);
	r = uxs_access_add(access, verdict, who, names, why);
	if (r == -EINVAL && why != NULL)
		why->failure = UXS_FAILURE_CONFIG;
	return r;
}

int
uxs_access_add_line(struct uxs_access *access, const char *line,
    const struct uxs_names *names, struct uxs_error *why)
{
	const char *from = line + strspn(line, blanks);
	size_t n = strlen(from);
	char *trimmed;
	int r;

	while (n > 0 && strchr(blanks, from[n - 1]) != NULL)
		n--;
	if ((trimmed = strndup(from, n)) == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the access rules");
	r = add_trimmed(access, trimmed, names, why);
	free(trimmed);
	return r;
}

/* ---- decisions ---- */

static bool
is_within(const struct uxs_rule *rule, id_t id)
{
	return id >= rule->first && id <= rule->last;
}

static bool
is_in_groups(const struct uxs_rule *rule, const struct uxs_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		/* An unmapped group is nobody's. */
		if (groups->gids[i] != uxs_overflow_gid() &&
		    is_within(rule, groups->gids[i]))
			return true;
	}
	return false;
}

static bool
matches(const struct uxs_rule *rule, const struct uxs_peer *peer,
    const struct uxs_groups *groups)
{
	if (rule->kind == UXS_RULE_ANY)
		return true;
	/* Only there if it was insisted on. */
	if (names_overflow_uid(rule))
		return peer->is_unmapped;
	if (!uxs_peer_is_known(peer))
		return false;
	if (rule->kind == UXS_RULE_UID)
		return is_within(rule, peer->uid);
	if (peer->gid != UXS_GID_NONE && is_within(rule, peer->gid))
		return true;
	if (groups != NULL && groups->is_known)
		return is_in_groups(rule, groups);
	return rule->verdict == UXS_DENY; /* in doubt, out */
}

enum uxs_verdict
uxs_access_explain(const struct uxs_access *access, const struct uxs_peer *peer,
    const struct uxs_groups *groups, const struct uxs_rule **rule)
{
	for (size_t i = 0; i < access->n; i++) {
		*rule = &access->rules[i];
		if (matches(*rule, peer, groups))
			return (*rule)->verdict;
	}
	*rule = NULL;
	if (uxs_peer_is_known(peer) &&
	    (peer->uid == 0 || peer->uid == access->own_uid))
		return UXS_ALLOW;
	return UXS_DENY;
}

enum uxs_verdict
uxs_access_decide(const struct uxs_access *access, const struct uxs_peer *peer,
    const struct uxs_groups *groups)
{
	const struct uxs_rule *rule;

	return uxs_access_explain(access, peer, groups, &rule);
}

bool
uxs_access_reads_groups(const struct uxs_access *access)
{
	for (size_t i = 0; i < access->n; i++) {
		if (access->rules[i].kind == UXS_RULE_GID)
			return true;
	}
	return false;
}

bool
uxs_access_has_allow(const struct uxs_access *access)
{
	for (size_t i = 0; i < access->n; i++) {
		if (access->rules[i].verdict == UXS_ALLOW)
			return true;
	}
	return false;
}

char *
uxs_rule_print(const struct uxs_rule *rule, char text[UXS_RULE_TEXT_MAX])
{
	const char *verdict = rule->verdict == UXS_ALLOW ? "allow" : "deny";
	const char *kind = rule->kind == UXS_RULE_UID ? "uid" : "gid";

	if (rule->kind == UXS_RULE_ANY)
		snprintf(text, UXS_RULE_TEXT_MAX, "%s any", verdict);
	else if (rule->first == rule->last)
		snprintf(text, UXS_RULE_TEXT_MAX, "%s %s:%u", verdict, kind,
		    (unsigned)rule->first);
	else
		snprintf(text, UXS_RULE_TEXT_MAX, "%s %s:%u-%u", verdict, kind,
		    (unsigned)rule->first, (unsigned)rule->last);
	return text;
}

void
uxs_access_fini(struct uxs_access *access)
{
	free(access->rules);
	access->rules = NULL;
	access->n = 0;
}
