/* SPDX-License-Identifier: ISC */
/* What would be done, in words: --check. */
#include "plan.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/activation.h>
#include <uxsrv/error.h>
#include <uxsrv/listener.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "options.h"
#include "sandbox.h"
#include "services/services.h"

static void
print_warning(void *arg, const char *text)
{
	fprintf(arg, "  warning: %s\n", text);
}

static int
check_address(const struct uxs_server_conf *conf, const char *what,
    const struct uxs_address *address, FILE *out, struct uxs_error *why)
{
	const struct uxs_listener_conf listener = {
		.address = address,
		.mode = conf->mode,
		.owner_uid = conf->owner_uid,
		.owner_gid = conf->owner_gid,
		.force_dir = conf->force_dir,
		.on_warning = print_warning,
		.arg = out,
	};
	char text[UXS_ADDRESS_TEXT_MAX];
	int r;

	fprintf(out, "%s %s\n", what,
	    uxs_address_print(address, text, sizeof(text)));
	if ((r = uxs_listener_check(&listener, why)) < 0)
		return r;
	if (!uxs_address_has_file(address))
		return 0;
	fprintf(out, "  with mode %04o", (unsigned)conf->mode);
	if (conf->owner_uid != UXS_UID_NONE)
		fprintf(out, ", user %s", user_from_uid(conf->owner_uid, 0));
	if (conf->owner_gid != UXS_GID_NONE)
		fprintf(out, ", group %u", (unsigned)conf->owner_gid);
	fprintf(out, "\n");
	return 0;
}

static void
print_inherited(const struct uxs_activation *activation, FILE *out)
{
	char address[UXS_ADDRESS_TEXT_MAX], name[4 * UXS_INHERITED_NAME_MAX];

	for (size_t i = 0; activation != NULL && i < activation->n; i++) {
		const struct uxs_inherited *s = &activation->sockets[i];

		fprintf(out, "serve %s\n  inherited: descriptor %d, %s\n",
		    uxs_address_print(&s->address, address, sizeof(address)),
		    s->fd,
		    uxs_escape(name, sizeof(name), s->name, strlen(s->name)));
	}
}

static void
print_privileges(const struct privileges *p, FILE *out)
{
	if (p->is_wanted)
		fprintf(out, "then become user %s, uid %u, gid %u\n",
		    p->name[0] != '\0' ? p->name : "without a name",
		    (unsigned)p->uid, (unsigned)p->gid);
}

static void
print_sandbox(const struct options *options, FILE *out)
{
	struct sandbox sandbox;
	char text[SANDBOX_TEXT_MAX];

	sandbox_probe(&sandbox, options);
	fprintf(out, "sandbox: %s\n", sandbox_print(&sandbox, text));
}

/* "allow gid:29 (/etc/uxecho.rules:4)" */
static void
print_rule(const struct uxs_rule *rule, FILE *out)
{
	char text[UXS_RULE_TEXT_MAX], file[512];

	fprintf(out, "%s", uxs_rule_print(rule, text));
	if (rule->file != NULL)
		fprintf(out, " (%s:%zu)",
		    uxs_escape(file, sizeof(file), rule->file,
			strlen(rule->file)),
		    rule->line);
}

static void
print_access(const struct uxs_access *access, FILE *out)
{
	for (size_t i = 0; i < access->n; i++) {
		fprintf(out, "rule %zu: ", i + 1);
		print_rule(&access->rules[i], out);
		fprintf(out, "\n");
	}
	fprintf(out, "otherwise: allow uid:%u%s, deny any\n",
	    (unsigned)access->own_uid,
	    access->own_uid == 0 ? "" : " and uid:0");
}

/* ---- --as ---- */

/* A user as the kernel would attest them, with the groups they are given when
 * they log in. */
struct user {
	struct uxs_peer peer;
	struct uxs_groups groups;
};

static int
find_groups(struct user *user, const char *name, gid_t gid)
{
	int n = 64, room;

	do {
		gid_t *gids =
		    reallocarray(user->groups.gids, (size_t)n, sizeof(*gids));

		if (gids == NULL)
			return -ENOMEM;
		user->groups.gids = gids;
		room = n;
	} while (getgrouplist(name, gid, user->groups.gids, &n) < 0 &&
	    n > room);
	user->groups.is_known = n <= room;
	user->groups.n = n <= room ? (size_t)n : 0;
	return 0;
}

static int
find_user(struct user *user, const char *text, struct uxs_error *why)
{
	char shown[256];
	int64_t uid = -1;
	const struct passwd *entry =
	    uxs_count_parse(text, 0, UINT32_MAX - 1, &uid) == 0 ?
	    getpwuid((uid_t)uid) :
	    getpwnam(text);

	*user = (struct user){ UXS_PEER_UNKNOWN, UXS_GROUPS_UNKNOWN };
	if (entry == NULL && uid < 0)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--as '%s': there is no such user",
		    uxs_escape(shown, sizeof(shown), text, strlen(text)));
	if (entry == NULL) {
		user->peer.uid = (uid_t)uid;
		return 0;
	}
	user->peer.uid = entry->pw_uid;
	user->peer.gid = entry->pw_gid;
	if (find_groups(user, entry->pw_name, entry->pw_gid) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the groups of a user");
	return 0;
}

/* The overflow ids stand for nobody, here as in what the kernel tells. */
static void
forget_overflow(struct uxs_peer *peer)
{
	if (peer->uid == uxs_overflow_uid()) {
		*peer = (struct uxs_peer)UXS_PEER_UNKNOWN;
		peer->is_unmapped = true;
	}
	if (peer->gid == uxs_overflow_gid())
		peer->gid = UXS_GID_NONE;
}

static void
print_user(const char *name, const struct user *user, FILE *out)
{
	char shown[256];

	fprintf(out,
	    "as %s:", uxs_escape(shown, sizeof(shown), name, strlen(name)));
	if (!uxs_peer_is_known(&user->peer)) {
		fprintf(out, " unknown\n");
		return;
	}
	fprintf(out, " uid %u", (unsigned)user->peer.uid);
	if (user->peer.gid != UXS_GID_NONE)
		fprintf(out, ", gid %u", (unsigned)user->peer.gid);
	fprintf(out, ", groups%s", user->groups.is_known ? "" : " unknown");
	for (size_t i = 0; i < user->groups.n; i++)
		fprintf(out, " %u", (unsigned)user->groups.gids[i]);
	fprintf(out, "\n");
}

static void
print_decision(const char *what, const struct uxs_access *access,
    const struct user *user, const struct uxs_groups *groups, FILE *out)
{
	const struct uxs_rule *rule;
	const enum uxs_verdict verdict =
	    uxs_access_explain(access, &user->peer, groups, &rule);

	fprintf(out, "  %s: %s by ", what,
	    verdict == UXS_ALLOW ? "allowed" : "denied");
	if (rule == NULL) {
		fprintf(out, "default, no rule matches\n");
		return;
	}
	fprintf(out, "rule %zu: ", (size_t)(rule - access->rules) + 1);
	print_rule(rule, out);
	fprintf(out, "%s\n", rule->file == NULL ? " (command line)" : "");
}

static int
print_judgement(const struct uxs_access *access, const char *name, FILE *out,
    struct uxs_error *why)
{
	struct user user;
	int r;

	if ((r = find_user(&user, name, why)) == 0) {
		forget_overflow(&user.peer);
		print_user(name, &user, out);
		print_decision("connection", access, &user, &user.groups, out);
		/* A datagram tells no supplementary groups. */
		print_decision("datagram", access, &user, NULL, out);
	}
	free(user.groups.gids);
	return r;
}

/* ---- all of it ---- */

static void
print_duration(FILE *out, const char *name, int64_t value_ns)
{
	char text[UXS_UNITS_TEXT_MAX];

	fprintf(out, "%s: %s\n", name,
	    value_ns == 0 ? "none" : uxs_duration_print(value_ns, text));
}

static void
print_limits(const struct uxs_server_conf *conf, FILE *out)
{
	char text[UXS_UNITS_TEXT_MAX];

	fprintf(out, "max-conns: %zu\n", conf->max_conns);
	fprintf(out, "max-conns-per-user: %zu\n", conf->max_conns_per_user);
	if (conf->max_rate == 0)
		fprintf(out, "max-rate: none\n");
	else
		fprintf(out, "max-rate: %zu\n", conf->max_rate);
	fprintf(out, "buffer: %s\n", uxs_size_print(conf->buffer_bytes, text));
	fprintf(out, "max-message: %s\n",
	    uxs_size_print(conf->max_message_bytes, text));
	fprintf(out, "framing: %s\n", uxs_framing_name(conf->framing));
	fprintf(out, "backlog: %d\n", conf->backlog);
	fprintf(out, "threads: %zu\n", conf->n_threads);
	print_duration(out, "idle-timeout", conf->idle_timeout_ns);
	print_duration(out, "write-timeout", conf->write_timeout_ns);
	fprintf(out, "drain: %s\n", uxs_duration_print(conf->drain_ns, text));
	fprintf(out, "on-lost: %s\n", on_lost_names[conf->on_lost]);
	print_duration(out, "spin", conf->spin_ns);
}

static void
print_fault(const struct fault *fault, FILE *out)
{
	char text[FAULT_TEXT_MAX];

	if (!fault->is_wanted)
		return;
	fprintf(out, "fault: %s%s\n", fault_print(fault, text),
	    fault->has_seed ? "" : ", with a seed drawn at the start");
}

static void
print_program(const struct options *options, FILE *out)
{
	char shown[4 * PATH_MAX];
	const char *path = options->exec.path;

	if (options->program != NULL)
		fprintf(out, "  program: %s\n",
		    uxs_escape(shown, sizeof(shown), path, strlen(path)));
}

int
plan_print(const struct options *options, FILE *out, struct uxs_error *why)
{
	struct uxs_server_conf conf = options->conf;
	int r;

	uxs_server_conf_resolve(&conf);
	print_inherited(conf.activation, out);
	for (size_t i = 0; i < conf.n_addresses; i++) {
		r = check_address(&conf, "serve", &conf.addresses[i], out, why);
		if (r < 0)
			return r;
	}
	if (options->has_stats &&
	    (r = check_address(&conf, "statistics at", &options->stats[0], out,
		 why)) < 0)
		return r;
	print_privileges(&options->privileges, out);
	print_access(&options->access, out);
	fprintf(out, "service: %s\n", options->service->name);
	print_program(options, out);
	print_limits(&conf, out);
	print_fault(&options->fault, out);
	print_sandbox(options, out);
	return options->as == NULL ?
	    0 :
	    print_judgement(&options->access, options->as, out, why);
}
