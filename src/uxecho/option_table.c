/* SPDX-License-Identifier: ISC */
/*
 * Every option, and what it sets: one function each, and the table.
 *
 * No system calls but for names of users and groups, through libc; those in
 * rules, and the files of rules, wait for options_load_rules.
 */
#include "option_table.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "services/services.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

#define MAX_CONNS_MAX 10000000
#define BUFFER_MAX (1024 * MIB)
#define MESSAGE_MAX (64 * MIB)
#define SPIN_MAX UXS_NS_PER_S
#define DURATION_MAX ((INT64_C(365) * 24 * 3600) * UXS_NS_PER_S)

const char option_explained[] = "";

const char *const on_lost_names[N_ON_LOST] = {
	[UXS_ON_LOST_REBIND] = "rebind",
	[UXS_ON_LOST_EXIT] = "exit",
	[UXS_ON_LOST_IGNORE] = "ignore",
};

static const char *
apply_allow(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_ALLOW, argument, why) < 0 ?
	    option_explained :
	    NULL;
}

static const char *
apply_deny(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_DENY, argument, why) < 0 ?
	    option_explained :
	    NULL;
}

static const char *
apply_rules(struct options *o, const char *argument, struct uxs_error *why)
{
	return rules_add(&o->rules, RULES_FILE, argument, why) < 0 ?
	    option_explained :
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
apply_service(struct options *o, const char *argument, struct uxs_error *why)
{
	const struct named_service *service = service_find(argument);

	if (service == NULL)
		return "not a service; write echo, upper, discard, whoami, "
		       "chat or exec";
	o->service = service;
	return NULL;
}

static const char *
apply_framing(struct options *o, const char *argument, struct uxs_error *why)
{
	return uxs_framing_parse(argument, &o->conf.framing) < 0 ?
	    "not a framing; write none, line, netstring or u32" :
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
apply_spin(struct options *o, const char *argument, struct uxs_error *why)
{
	return uxs_duration_parse(argument, 0, SPIN_MAX, &o->conf.spin_ns) < 0 ?
	    "not a duration of up to a second; write it like 200us" :
	    NULL;
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
apply_threads(struct options *o, const char *argument, struct uxs_error *why)
{
	int64_t number;

	if (uxs_count_parse(argument, 1, UXS_THREADS_MAX, &number) < 0)
		return "not a number from 1 to 256";
	o->conf.n_threads = (size_t)number;
	return NULL;
}

static const char *
apply_user(struct options *o, const char *argument, struct uxs_error *why)
{
	return privileges_parse(&o->privileges, argument);
}

static const char *
apply_pidfile(struct options *o, const char *argument, struct uxs_error *why)
{
	if (argument[0] == '\0' || argument[strlen(argument) - 1] == '/')
		return "not the path of a file";
	o->pidfile = argument;
	return NULL;
}

static const char *
apply_daemon(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_daemon = true;
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

/* Of a pair, the stream alone: who reads figures connects. */
static const char *
apply_stats(struct options *o, const char *argument, struct uxs_error *why)
{
	if (uxs_address_parse(argument, o->stats, why) < 0)
		return option_explained;
	if (o->stats[0].type != UXS_STREAM)
		return "statistics are read from a stream; write stream:PATH";
	o->has_stats = true;
	return NULL;
}

static const char *
apply_on_lost(struct options *o, const char *argument, struct uxs_error *why)
{
	for (int i = 0; i < N_ON_LOST; i++) {
		if (strcmp(argument, on_lost_names[i]) == 0) {
			o->conf.on_lost = (enum uxs_on_lost)i;
			return NULL;
		}
	}
	return "not something to do; write rebind, exit or ignore";
}

static const char *
apply_fault(struct options *o, const char *argument, struct uxs_error *why)
{
	return fault_parse(&o->fault, argument, why) < 0 ? option_explained :
							   NULL;
}

static const char *
apply_force_dir(struct options *o, const char *argument, struct uxs_error *why)
{
	o->conf.force_dir = true;
	return NULL;
}

static const char *
apply_no_sandbox(struct options *o, const char *argument, struct uxs_error *why)
{
	o->is_unconfined = true;
	return NULL;
}

static const char *
apply_force(struct options *o, const char *argument, struct uxs_error *why)
{
	o->access.takes_overflow = true;
	o->is_forced = true;
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

const struct option_spec option_table[] = {
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
	{ { 's', "service", "NAME",
	      "echo, upper, discard, whoami, chat or exec (echo)" },
	    apply_service },
	{ { 'F', "framing", "NAME", "none, line, netstring or u32 (none)" },
	    apply_framing },
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
	      "longest frame, seqpacket or datagram (256k)" },
	    apply_max_message },
	{ { 'i', "idle-timeout", "TIME",
	      "close who is silent for so long (none)" },
	    apply_idle_timeout },
	{ { 'w', "write-timeout", "TIME",
	      "close who does not read for so long (30s)" },
	    apply_write_timeout },
	{ { 'B', "backlog", "N", "who may wait to be accepted (4096)" },
	    apply_backlog },
	{ { 't', "threads", "N", "event loops, each a thread (1)" },
	    apply_threads },
	{ { 'u', "user", "USER[:GROUP]",
	      "become USER when the sockets are made" },
	    apply_user },
	{ { 'p', "pidfile", "FILE",
	      "write the process ID to FILE; remove it at the end" },
	    apply_pidfile },
	{ { 'D', "daemon", NULL, "serve in the background; implies --syslog" },
	    apply_daemon },
	{ { 'R', "ready-fd", "N",
	      "write a newline to descriptor N when ready" },
	    apply_ready_fd },
	{ { 'T', "drain", "TIME",
	      "what sessions get to finish at a stop (5s)" },
	    apply_drain },
	{ { 'L', "on-lost", "WHAT",
	      "socket file lost: rebind, exit or ignore (rebind)" },
	    apply_on_lost },
	{ { 0, "spin", "TIME",
	      "look on for so long before sleeping (0); 200us is useful" },
	    apply_spin },
	{ { 'S', "stats", "ADDRESS",
	      "a second socket, to read statistics from" },
	    apply_stats },
	{ { 0, "fault", "SPEC",
	      "misbehave, for tests; like delay=5ms,drop=1%,seed=42" },
	    apply_fault },
	{ { 0, "force-dir", NULL, "accept a directory that is not safe" },
	    apply_force_dir },
	{ { 0, "no-sandbox", NULL,
	      "do not confine the process when it serves" },
	    apply_no_sandbox },
	{ { 0, "force", NULL,
	      "accept rules for the overflow user, and faults as root" },
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

#define N_SPECS (sizeof(option_table) / sizeof(option_table[0]))
const size_t option_table_n = N_SPECS;

_Static_assert(N_SPECS <= OPTION_TABLE_MAX, "raise OPTION_TABLE_MAX");
