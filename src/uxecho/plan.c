/* SPDX-License-Identifier: ISC */
/* What would be done, in words: --check. */
#include "plan.h"

#include <pwd.h>
#include <string.h>

#include <uxsrv/listener.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "options.h"

static void
print_warning(void *arg, const char *text)
{
	fprintf(arg, "  warning: %s\n", text);
}

static int
check_address(const struct uxs_server_conf *conf,
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

	fprintf(out, "serve %s\n",
	    uxs_address_print(address, text, sizeof(text)));
	if ((r = uxs_listener_check(&listener, why)) < 0)
		return r;
	if (address->is_abstract)
		return 0;
	fprintf(out, "  with mode %04o", (unsigned)conf->mode);
	if (conf->owner_uid != UXS_UID_NONE)
		fprintf(out, ", user %s", user_from_uid(conf->owner_uid, 0));
	if (conf->owner_gid != UXS_GID_NONE)
		fprintf(out, ", group %u", (unsigned)conf->owner_gid);
	fprintf(out, "\n");
	return 0;
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
	fprintf(out, "buffer: %s\n", uxs_size_print(conf->buffer_bytes, text));
	fprintf(out, "max-message: %s\n",
	    uxs_size_print(conf->max_message_bytes, text));
	fprintf(out, "backlog: %d\n", conf->backlog);
	print_duration(out, "idle-timeout", conf->idle_timeout_ns);
	print_duration(out, "write-timeout", conf->write_timeout_ns);
	fprintf(out, "drain: %s\n", uxs_duration_print(conf->drain_ns, text));
}

int
plan_print(const struct options *options, FILE *out, struct uxs_error *why)
{
	struct uxs_server_conf conf = options->conf;
	int r;

	uxs_server_conf_resolve(&conf);
	for (size_t i = 0; i < conf.n_addresses; i++) {
		r = check_address(&conf, &conf.addresses[i], out, why);
		if (r < 0)
			return r;
	}
	print_access(&options->access, out);
	print_limits(&conf, out);
	return 0;
}
