/* SPDX-License-Identifier: ISC */
/* The command line: a walk over what the table of options holds. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/activation.h>

#include "option_table.h"
#include "services/services.h"
#include "stats.h"

/* Options without a letter are told to getopt_long(3) by numbers that no
 * letter has. */
enum { LITERAL = 1, LONG_ONLY = 0x100 };

#define LETTERS_MAX (2 * OPTION_TABLE_MAX + 3) /* each with its colon */

bool
options_text(size_t n, struct option_text *text)
{
	if (n >= option_table_n)
		return false;
	*text = option_table[n].text;
	return true;
}

void
options_help(FILE *out)
{
	fprintf(out,
	    "usage: uxecho [options] [ADDRESS...] [-- PROGRAM ARG...]\n"
	    "Serve an echo to local clients.  ADDRESS is\n"
	    "[stream:|seqpacket:|dgram:]PATH, or @NAME for an abstract name;\n"
	    "a bare PATH is a stream socket at PATH and a datagram socket at\n"
	    "PATH.dgram.  tcp:HOST:PORT and udp:HOST:PORT, with 127.0.0.1 "
	    "or [::1]\n"
	    "for HOST, are for comparison.\n"
	    "With inherited sockets (LISTEN_FDS) it may be left out.\n\n");
	for (size_t i = 0; i < option_table_n; i++) {
		const struct option_text *t = &option_table[i].text;
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
fill_getopt(char letters[LETTERS_MAX],
    struct option longs[OPTION_TABLE_MAX + 1])
{
	char *to = letters;

	*to++ = '-'; /* what is no option comes as LITERAL, in its place */
	*to++ = ':'; /* a missing argument is told apart from a bad option */
	for (size_t i = 0; i < option_table_n; i++) {
		const struct option_text *t = &option_table[i].text;

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
	longs[option_table_n] = (struct option){ 0 };
}

static const struct option_spec *
find_spec(int value)
{
	for (size_t i = 0; i < option_table_n; i++) {
		if (option_table[i].text.letter == value ||
		    value == LONG_ONLY + (int)i)
			return &option_table[i];
	}
	return NULL;
}

/* Of no use to a service that sees no messages. */
static bool
is_of_messages(const char *name)
{
	static const char *const names[] = { "framing", "buffer", "max-message",
		"idle-timeout", "write-timeout", "fault" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int
apply(struct options *options, const struct option_spec *spec,
    struct uxs_error *why)
{
	const char *objection = spec->apply(options, optarg, why);
	char shown[256];

	if (is_of_messages(spec->text.name))
		options->message_option = spec->text.name;
	if (objection == NULL)
		return 0;
	if (objection == option_explained)
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

static bool
is_exec(const struct options *o)
{
	return o->service->service == &service_exec;
}

/* A pair is a stream socket and a datagram socket next to it. The latter has
 * no connections, so a program is given the former alone. */
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
	options->conf.n_addresses += is_exec(options) ? 1 : (size_t)n;
	options->conf.addresses = addresses;
	return 0;
}

/* What stands before "--" is an option or an address, whatever the order. */
static int
parse_options(struct options *options, int argc, char *argv[],
    struct uxs_error *why)
{
	char letters[LETTERS_MAX];
	struct option longs[OPTION_TABLE_MAX + 1];
	int value, r;

	fill_getopt(letters, longs);
	optind = 0; /* start anew, also in a process that parsed before */
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (value == ':' || value == '?')
			return refuse_option(why, value, argv[optind - 1]);
		if (value == LITERAL)
			options->literals[options->n_literals++] = optarg;
		else if ((r = apply(options, find_spec(value), why)) < 0)
			return r;
		if (options->is_help || options->is_version)
			return 0;
	}
	return 0;
}

/* Behind "--": the program, or more addresses. */
static int
take_literals(struct options *o, char *rest[], struct uxs_error *why)
{
	int r = 0;

	for (size_t i = 0; i < o->n_literals && r == 0; i++)
		r = add_addresses(o, o->literals[i], why);
	if (is_exec(o))
		o->program = rest;
	for (; !is_exec(o) && *rest != NULL && r == 0; rest++)
		r = add_addresses(o, *rest, why);
	return r;
}

static int
check_exec(struct options *o, struct uxs_error *why)
{
	if (!is_exec(o))
		return 0;
	if (o->program[0] == NULL)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--service exec: no program to run; write -- PROGRAM "
		    "ARG... behind the addresses");
	if (o->message_option != NULL)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--%s is of no use to --service exec, where the program "
		    "reads and writes; leave it out",
		    o->message_option);
	return exec_find(&o->exec, o->program, why);
}

/* The library would refuse that as well, but knows no names of ours. */
static int
check_threads(const struct options *o, struct uxs_error *why)
{
	const struct uxs_service *service = o->service->service;

	if (o->conf.n_threads <= 1 ||
	    (service->is_concurrent && service->on_connection == NULL))
		return 0;
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
	    "--threads %zu: --service %s runs in one thread only; leave "
	    "--threads out",
	    o->conf.n_threads, o->service->name);
}

/* Root is what --user gives up. But who lets root misbehave on purpose is to
 * say so twice, and there it can be named. */
static int
check_root(const struct options *o, struct uxs_error *why)
{
	const char *root = o->privileges.root;
	char shown[256];

	if (root == NULL || (o->fault.is_wanted && o->is_forced))
		return 0;
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "--user '%s': %s",
	    uxs_escape(shown, sizeof(shown), root, strlen(root)),
	    o->fault.is_wanted ?
		"root is not to misbehave by --fault; name another user, or "
		"give --force" :
		"root is what is to be given up; leave the option out to keep "
		"it");
}

/*
 * Who we are to be is who we are in all that is decided: for rules, and for the
 * files, which would be root's, and closed to our own user, otherwise.
 */
static void
own_by_user(struct options *o)
{
	if (!o->privileges.is_wanted)
		return;
	o->access.own_uid = o->privileges.uid;
	if (geteuid() == 0 && o->conf.owner_uid == UXS_UID_NONE &&
	    o->conf.owner_gid == UXS_GID_NONE) {
		o->conf.owner_uid = o->privileges.uid;
		o->conf.owner_gid = o->privileges.gid;
	}
}

int
options_parse(struct options *options, int argc, char *argv[],
    struct uxs_error *why)
{
	int r;

	*options = (struct options){
		.conf = UXS_SERVER_DEFAULTS,
		.access = UXS_ACCESS_EMPTY(geteuid()),
		.service = service_find("echo"),
		.max_level = UXS_NOTICE,
		.log_format = N_LOG_FORMATS,
		.ready_fd = -1,
		.literals = calloc((size_t)argc, sizeof(char *)),
	};
	if (options->literals == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the command line");
	if ((r = parse_options(options, argc, argv, why)) < 0 ||
	    options->is_help || options->is_version)
		return r;
	if ((r = take_literals(options, argv + optind, why)) < 0 ||
	    (r = check_threads(options, why)) < 0 ||
	    (r = check_exec(options, why)) < 0 ||
	    (r = check_root(options, why)) < 0)
		return r;
	if (options->is_syslog && options->log_format != N_LOG_FORMATS)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--syslog has a format of its own; leave --log-format "
		    "out");
	/* Nobody is there to read standard error, unless he says so. */
	if (options->is_daemon && options->log_format == N_LOG_FORMATS)
		options->is_syslog = true;
	own_by_user(options);
	if (options->as != NULL && !options->is_check)
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--as is for --check only; give both");
	return 0;
}

static bool
is_served(const struct uxs_server_conf *conf, const struct uxs_address *address)
{
	for (size_t i = 0; i < conf->n_addresses; i++) {
		if (uxs_address_equals(&conf->addresses[i], address))
			return true;
	}
	for (size_t i = 0; conf->activation != NULL && i < conf->activation->n;
	     i++) {
		if (uxs_address_equals(&conf->activation->sockets[i].address,
			address))
			return true;
	}
	return false;
}

/* A connection takes one descriptor, a program for it another one. */
static void
fit_programs(struct options *o)
{
	struct uxs_server_conf conf = o->conf;

	if (!is_exec(o))
		return;
	uxs_server_conf_resolve(&conf);
	o->conf.max_conns = conf.max_conns > 1 ? conf.max_conns / 2 : 1;
}

/* A second socket, and its readers have descriptors that no client takes. */
static int
fit_stats(struct options *options, struct uxs_error *why)
{
	struct uxs_server_conf *conf = &options->conf;
	struct uxs_server_conf resolved = *conf;

	if (!options->has_stats)
		return 0;
	if (is_served(conf, &options->stats[0]))
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "--stats: this address is served, too; choose another one");
	uxs_server_conf_resolve(&resolved);
	if (conf->max_conns == 0)
		conf->max_conns = resolved.max_conns > STATS_DESCRIPTORS ?
		    resolved.max_conns - STATS_DESCRIPTORS :
		    1;
	conf->is_measured = true;
	return stats_check(conf, &options->stats[0], why);
}

int
options_load_rules(struct options *options, struct uxs_error *why)
{
	const struct uxs_activation *inherited = options->conf.activation;
	const bool is_for_us = options->conf.max_conns == 0; /* to decide */
	int r;

	if (options->conf.n_addresses == 0 &&
	    (inherited == NULL || inherited->n == 0))
		return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
		    "no address to serve; give at least one, such as "
		    "/run/uxecho.sock (see uxecho --help)");
	r = rules_load(&options->rules, &options->access, why);
	options->conf.access = &options->access;
	options->conf.service = options->service->service;
	options->fates = fault_fates(&options->fault);
	if (options->fault.is_wanted)
		options->conf.fates = &options->fates;
	if (r < 0 || (r = uxs_server_conf_check(&options->conf, why)) < 0)
		return r;
	r = fit_stats(options, why);
	if (is_for_us)
		fit_programs(options);
	return r;
}

void
options_fini(struct options *options)
{
	rules_fini(&options->rules);
	uxs_access_fini(&options->access);
	free(options->literals);
	options->literals = NULL;
	free(options->addresses);
	options->addresses = NULL;
	options->conf.addresses = NULL;
	options->conf.n_addresses = 0;
}
