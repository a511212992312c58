/* SPDX-License-Identifier: ISC */
/*
 * The command line. One table holds every option: what getopt_long(3) is
 * given, what --help prints and what sets the value all come from it.
 *
 * No system calls but for names of users and groups, through libc; those in
 * rules, and the files of rules, wait for options_load_rules.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

#define MAX_CONNS_MAX 10000000
#define BUFFER_MAX (1024 * MIB)
#define MESSAGE_MAX (64 * MIB)
#define DURATION_MAX ((INT64_C(365) * 24 * 3600) * UXS_NS_PER_S)

/* Options without a letter are told to getopt_long(3) by numbers that no
 * letter has. */
enum { LONG_ONLY = 0x100 };

struct option_spec {
	struct option_text text;
	/* Returns what is wrong with the argument, or NULL. */
	const char *(*apply)(struct options *options, const char *argument,
	    struct uxs_error *why);
};

/* ---- one function for each option ---- */

/* *why was filled already, in more words than the caller could find. */
static const char explained[] = "";

static const char *
apply_allow(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_ALLOW, argument, why) < 0 ?
	    explained :
	    NULL;
}

static const char *
apply_deny(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_DENY, argument, why) < 0 ? explained :
								     NULL;
}

static const char *
apply_rules(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_FILE, argument, why) < 0 ? explained :
								     NULL;
}

static const char *
apply_mode(struct options *o, const char *argument, struct uxs_error *why)
{
	void *set = setmode(argument);
	mode_t mode;

	if (set == NULL)
		return "not a mode; write it like 0660 or u=rw,g=rw";
	mode = getmode(set, 0);
	free(set);
	if ((mode & ~(mode_t)0777) != 0)
		return "a socket has no set-id or sticky bit; stay within 0777";
	o->conf.mode = mode;
	return NULL;
}

static bool
find_user(const char *text, uid_t *uid)
{
	int64_t number;

	if (uxs_count_parse(text, 0, UINT32_MAX - 1, &number) == 0) {
		*uid = (uid_t)number;
		return true;
	}
	return uid_from_user(text, uid) == 0;
}

static bool
find_group(const char *text, gid_t *gid)
{
	int64_t number;

	if (uxs_count_parse(text, 0, UINT32_MAX - 1, &number) == 0) {
		*gid = (gid_t)number;
		return true;
	}
	return gid_from_group(text, gid) == 0;
}

static const char *
apply_owner(struct options *o, const char *argument, struct uxs_error *why)
{
	const char *colon = strchr(argument, ':');
	const size_t n = colon != NULL ? (size_t)(colon - argument) :
					 strlen(argument);
	char user[LOGIN_NAME_MAX];

	if (n >= sizeof(user))
		return "there is no such user";
	memcpy(user, argument, n);
	user[n] = '\0';
	if (n == 0 && colon == NULL)
		return "empty; write USER, USER:GROUP or :GROUP";
	if (n > 0 && !find_user(user, &o->conf.owner_uid))
		return "there is no such user";
	if (colon != NULL && !find_group(colon + 1, &o->conf.owner_gid))
		return "there is no such group";
	return NULL;
}

static const char *
apply_count(const char *argument, size_t *value)
{
	int64_t number;

	if (uxs_count_parse(argument, 1, MAX_CONNS_MAX, &number) < 0)
		return "not a number from 1 to 10000000";
	*value = (size_t)number;
	return NULL;
}

static const char *
apply_max_conns(struct options *o, const char *argument, struct uxs_error *why)
{
	return apply_count(argument, &o->conf.max_conns);
}

static const char *
apply_max_conns_per_user(struct options *o, const char *argument,
    struct uxs_error *why)
{
	return apply_count(argument, &o->conf.max_conns_per_user);
}

static const char *
apply_max_rate(struct options *o, const char *argument, struct uxs_error *why)
{
	return apply_count(argument, &o->conf.max_rate);
}

static const char *
apply_buffer(struct options *o, const char *argument, struct uxs_error *why)
{
	return uxs_size_parse(argument, 1, BUFFER_MAX, &o->conf.buffer_bytes) <
		0 ?
	    "not a size from 1 to 1G; write it like 4096, 64k or 1M" :
	    NULL;
}

static const char *
apply_max_message(struct options *o, const char *argument,
    struct uxs_error *why)
{
	return uxs_size_parse(argument, 1, MESSAGE_MAX,
		   &o->conf.max_message_bytes) < 0 ?
	    "not a size from 1 to 64M; write it like 512, 64k or 1M" :
	    NULL;
}

static const char *
apply_duration(const char *argument, int64_t *value_ns)
{
	return uxs_duration_parse(argument, 0, DURATION_MAX, value_ns) < 0 ?
	    "not a duration of up to a year; write it like 250us, 10ms, "
	    "5s or 2m" :
	    NULL;
}

static const char *
apply_idle_timeout(struct options *o, const char *argument,
    struct uxs_error *why)
{
	return apply_duration(argument, &o->conf.idle_timeout_ns);
}

static const char *
apply_write_timeout(struct options *o, const char *argument,
    struct uxs_error *why)
{
	return apply_duration(argument, &o->conf.write_timeout_ns);
}

static const char *
apply_drain(struct options *o, const char *argument, struct uxs_error *why)
{
	return apply_duration(argument, &o->conf.drain_ns);
}

static const char *
apply_backlog(struct options *o, const char *argument, struct uxs_error *why)
{
	int64_t number;

	if (uxs_count_parse(argument, 0, INT_MAX, &number) < 0)
		return "not a number from 0 to 2147483647";
	o->conf.backlog = (int)number;
	return NULL;
}

static const char *
apply_ready_fd(struct options *o, const char *argument, struct uxs_error *why)
{
	int64_t number;

	if (uxs_count_parse(argument, 0, INT_MAX, &number) < 0)
		return "not the number of a descriptor";
	o->ready_fd = (int)number;
	return NULL;
}

static const char *
apply_force_dir(struct options *o, const char *argument, struct uxs_error *why)
{
	o->conf.force_dir = true;
	return NULL;
}

static const char *
apply_force(struct options *o, const char *argument, struct uxs_error *why)
{
	o->access.takes_overflow = true;
	return NULL;
}

static const char *
apply_check(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_check = true;
	return NULL;
}

static const char *
apply_as(struct options *o, const char *argument, struct uxs_error *why)
{
	o->as = argument;
	return NULL;
}

static const char *
apply_log_format(struct options *o, const char *argument, struct uxs_error *why)
{
	static const struct {
		const char *name;
		enum log_format format;
	} formats[] = {
		{ "auto", N_LOG_FORMATS },
		{ "text", LOG_AS_TEXT },
		{ "journal", LOG_AS_JOURNAL },
		{ "json", LOG_AS_JSON },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(argument, formats[i].name) == 0) {
			o->log_format = formats[i].format;
			return NULL;
		}
	}
	return "not a format; write text, journal, json or auto";
}

static const char *
apply_syslog(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_syslog = true;
	return NULL;
}

static const char *
apply_verbose(struct options *o, const char *argument, struct uxs_error *why)
{
	if (o->max_level < UXS_DEBUG)
		o->max_level++;
	return NULL;
}

static const char *
apply_quiet(struct options *o, const char *argument, struct uxs_error *why)
{
	if (o->max_level > UXS_ERROR)
		o->max_level--;
	return NULL;
}

static const char *
apply_help(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_help = true;
	return NULL;
}

static const char *
apply_version(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_version = true;
	return NULL;
}

/* ---- the table ---- */

static const struct option_spec specs[] = {
	{ { 'a', "allow", "WHO",
	      "let WHO in; the first rule that matches decides" },
	    apply_allow },
	{ { 'd', "deny", "WHO", "keep WHO out" }, apply_deny },
	{ { 'f', "rules", "FILE",
	      "more rules; SIGHUP reads all of them again" },
	    apply_rules },
	{ { 'm', "mode", "MODE",
	      "mode of the socket file (0600; 0666 with -a)" },
	    apply_mode },
	{ { 'o', "owner", "USER[:GROUP]", "owner of the socket file" },
	    apply_owner },
	{ { 'c', "max-conns", "N",
	      "connections at once (what descriptors allow)" },
	    apply_max_conns },
	{ { 'C', "max-conns-per-user", "N",
	      "of those, of one user (half of them)" },
	    apply_max_conns_per_user },
	{ { 'r', "max-rate", "N",
	      "connections and datagrams a second, of one user (none)" },
	    apply_max_rate },
	{ { 'b', "buffer", "SIZE", "unread output kept per connection (64k)" },
	    apply_buffer },
	{ { 'M', "max-message", "SIZE",
	      "longest seqpacket or datagram (256k)" },
	    apply_max_message },
	{ { 'i', "idle-timeout", "TIME",
	      "close who is silent for so long (none)" },
	    apply_idle_timeout },
	{ { 'w', "write-timeout", "TIME",
	      "close who does not read for so long (30s)" },
	    apply_write_timeout },
	{ { 'B', "backlog", "N", "who may wait to be accepted (4096)" },
	    apply_backlog },
	{ { 'R', "ready-fd", "N",
	      "write a newline to descriptor N when ready" },
	    apply_ready_fd },
	{ { 'T', "drain", "TIME",
	      "what sessions get to finish at a stop (5s)" },
	    apply_drain },
	{ { 0, "force-dir", NULL, "accept a directory that is not safe" },
	    apply_force_dir },
	{ { 0, "force", NULL, "accept a rule that names the overflow user" },
	    apply_force },
	{ { 'l', "log-format", "FORMAT", "text, journal, json or auto (auto)" },
	    apply_log_format },
	{ { 0, "syslog", NULL, "log to syslog in place of standard error" },
	    apply_syslog },
	{ { 'n', "check", NULL, "check everything, print the plan, exit" },
	    apply_check },
	{ { 0, "as", "USER", "with --check: what the rules decide for USER" },
	    apply_as },
	{ { 'v', "verbose", NULL, "log more; twice for still more" },
	    apply_verbose },
	{ { 'q', "quiet", NULL, "log less; twice for errors only" },
	    apply_quiet },
	{ { 'h', "help", NULL, "print this help" }, apply_help },
	{ { 'V', "version", NULL, "print the version" }, apply_version },
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))
#define LETTERS_MAX (2 * N_SPECS + 2) /* each with its colon */

bool
options_text(size_t n, struct option_text *text)
{
	if (n >= N_SPECS)
		return false;
	*text = specs[n].text;
	return true;
}

void
options_help(FILE *out)
{
	fprintf(out,
	    "usage: uxecho [options] ADDRESS...\n"
	    "Serve an echo to local clients.  ADDRESS is\n"
	    "[stream:|seqpacket:|dgram:]PATH, or @NAME for an abstract name;\n"
	    "a bare PATH is a stream socket at PATH and a datagram socket at\n"
	    "PATH.dgram.\n\n");
	for (size_t i = 0; i < N_SPECS; i++) {
		const struct option_text *t = &specs[i].text;
		char left[40];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
		    t->letter != 0 ? '-' : ' ',
		    t->letter != 0 ? t->letter : ' ',
		    t->letter != 0 ? ',' : ' ', t->name,
		    t->argument != NULL ? " " : "",
		    t->argument != NULL ? t->argument : "");
		fprintf(out, "  %-30s %s\n", left, t->help);
	}
	fprintf(out,
	    "\nWHO is any, self, root, user:NAME, group:NAME, uid:N[-M] or "
	    "gid:N[-M].\n"
	    "When no rule matches, the daemon's own user and root are in, "
	    "others are out.\n"
	    "SIZE is like 512, 64k or 1M; TIME like 250us, 10ms, 5s or 2m.  "
	    "See uxecho(8).\n");
}

/* ---- parsing ---- */

static void
fill_getopt(char letters[LETTERS_MAX], struct option longs[N_SPECS + 1])
{
	char *to = letters;

	*to++ = ':'; /* a missing argument is told apart from a bad option */
	for (size_t i = 0; i < N_SPECS; i++) {
		const struct option_text *t = &specs[i].text;

		if (t->letter != 0) {
			*to++ = (char)t->letter;
			if (t->argument != NULL)
				*to++ = ':';
		}
		longs[i] = (struct option){
			.name = t->name,
			.has_arg = t->argument != NULL ? required_argument :
							 no_argument,
			.val = t->letter != 0 ? t->letter : LONG_ONLY + (int)i,
		};
	}
	*to = '\0';
	longs[N_SPECS] = (struct option){ 0 };
}

static const struct option_spec *
find_spec(int value)
{
	for (size_t i = 0; i < N_SPECS; i++) {
		if (specs[i].text.letter == value ||
		    value == LONG_ONLY + (int)i)
			return &specs[i];
	}
	return NULL;
}

static int
apply(struct options *options, const struct option_spec *spec,
    struct uxs_error *why)
{
	const char *objection = spec->apply(options, optarg, why);
	char shown[256];

	if (objection == NULL)
		return 0;
	if (objection == explained)
		return -EINVAL;
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "--%s '%s': %s",
	    spec->text.name,
	    uxs_escape(shown, sizeof(shown), optarg, strlen(optarg)),
	    objection);
}

/* argument is where getopt_long(3) stopped, problem its ':' or '?'. */
static int
refuse_option(struct uxs_error *why, int problem, const char *argument)
{
	char shown[256];
	const char letter[] = { '-', (char)optopt, '\0' };

	/* In a cluster such as -vx only the letter is at fault. */
	if (argument[0] == '-' && argument[1] != '-' && optopt != 0)
		argument = letter;
	uxs_escape(shown, sizeof(shown), argument, strlen(argument));
	if (problem == ':')
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "option '%s' needs an argument; see uxecho --help", shown);
	if (optopt != 0 && argument != letter)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "option '%s' takes no argument; see uxecho --help", shown);
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
	    "unknown option '%s'; see uxecho --help", shown);
}

static int
add_addresses(struct options *options, const char *text, struct uxs_error *why)
{
	struct uxs_address *addresses = reallocarray(options->addresses,
	    options->conf.n_addresses + UXS_ADDRESS_MAX, sizeof(*addresses));
	int n;

	if (addresses == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the addresses");
	options->addresses = addresses;
	n = uxs_address_parse(text, addresses + options->conf.n_addresses, why);
	if (n < 0)
		return n;
	options->conf.n_addresses += (size_t)n;
	options->conf.addresses = addresses;
	return 0;
}

static int
parse_options(struct options *options, int argc, char *argv[],
    struct uxs_error *why)
{
	char letters[LETTERS_MAX];
	struct option longs[N_SPECS + 1];
	int value, r;

	fill_getopt(letters, longs);
	optind = 0; /* start anew, also in a process that parsed before */
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (value == ':' || value == '?')
			return refuse_option(why, value, argv[optind - 1]);
		if ((r = apply(options, find_spec(value), why)) < 0)
			return r;
		if (options->is_help || options->is_version)
			return 0;
	}
	return 0;
}

int
options_parse(struct options *options, int argc, char *argv[],
    struct uxs_error *why)
{
	int r;

	*options = (struct options){
		.conf = UXS_SERVER_DEFAULTS,
		.access = UXS_ACCESS_EMPTY(geteuid()),
		.max_level = UXS_NOTICE,
		.log_format = N_LOG_FORMATS,
		.ready_fd = -1,
	};
	if ((r = parse_options(options, argc, argv, why)) < 0 ||
	    options->is_help || options->is_version)
		return r;
	for (int i = optind; i < argc; i++) {
		if ((r = add_addresses(options, argv[i], why)) < 0)
			return r;
	}
	if (options->conf.n_addresses == 0)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "no address to serve; give at least one, such as "
		    "/run/uxecho.sock (see uxecho --help)");
	if (options->is_syslog && options->log_format != N_LOG_FORMATS)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--syslog has a format of its own; leave --log-format "
		    "out");
	if (options->as != NULL && !options->is_check)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--as is for --check only; give both");
	return 0;
}

int
options_load_rules(struct options *options, struct uxs_error *why)
{
	const int r = rules_load(&options->rules, &options->access, why);

	options->conf.access = &options->access;
	return r < 0 ? r : uxs_server_conf_check(&options->conf, why);
}

void
options_fini(struct options *options)
{
	rules_fini(&options->rules);
	uxs_access_fini(&options->access);
	free(options->addresses);
	options->addresses = NULL;
	options->conf.addresses = NULL;
	options->conf.n_addresses = 0;
}
