/* SPDX-License-Identifier: ISC */
/* The command line, by tables: what is not in a table cannot be asked for. */
#include "harness.h"
#include "suites.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxecho/options.h>
#include <uxecho/services/services.h>
#include <uxsrv/uxsrv.h>

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define ARGS_MAX 8

/* Parse "uxecho", the arguments, and an address behind them. */
static int
parse(struct options *options, const char *const arguments[],
    struct uxs_error *why)
{
	static char copies[ARGS_MAX][512];
	char *argv[ARGS_MAX + 3] = { copies[0] };
	int argc = 1, r;

	snprintf(copies[0], sizeof(copies[0]), "uxecho");
	for (int i = 0; i < ARGS_MAX - 1 && arguments[i] != NULL; i++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s",
		    arguments[i]);
		argv[argc] = copies[argc];
		argc++;
	}
	*why = (struct uxs_error){ .failure = UXS_FAILURE_NONE };
	r = options_parse(options, argc, argv, why);
	return r < 0 || options->is_help || options->is_version ?
	    r :
	    options_load_rules(options, why);
}

/* ---- values ---- */

typedef int64_t value_of(const struct options *options);

#define GETTER(name, expression)                     \
	static int64_t name(const struct options *o) \
	{                                            \
		return (int64_t)(expression);        \
	}

GETTER(mode, o->conf.mode)
GETTER(owner_uid, o->conf.owner_uid)
GETTER(owner_gid, o->conf.owner_gid)
GETTER(max_conns, o->conf.max_conns)
GETTER(per_user, o->conf.max_conns_per_user)
GETTER(max_rate, o->conf.max_rate)
GETTER(buffer, o->conf.buffer_bytes)
GETTER(message, o->conf.max_message_bytes)
GETTER(is_echo, o->service == service_find("echo"))
GETTER(is_upper, o->service == service_find("upper"))
GETTER(framing, o->conf.framing)
GETTER(idle, o->conf.idle_timeout_ns)
GETTER(write_time, o->conf.write_timeout_ns)
GETTER(drain, o->conf.drain_ns)
GETTER(spin, o->conf.spin_ns)
GETTER(on_lost, o->conf.on_lost)
GETTER(backlog, o->conf.backlog)
GETTER(threads, o->conf.n_threads)
GETTER(ready_fd, o->ready_fd)
GETTER(force_dir, o->conf.force_dir)
GETTER(has_stats, o->has_stats)
GETTER(is_check, o->is_check)
GETTER(is_help, o->is_help)
GETTER(is_version, o->is_version)
GETTER(level, o->max_level)
GETTER(log_format, o->log_format)
GETTER(is_syslog, o->is_syslog)
GETTER(n_rules, o->access.n)
GETTER(n_addresses, o->conf.n_addresses)
GETTER(verdict, o->access.rules[0].verdict)
GETTER(rule_first, o->access.rules[0].first)
GETTER(rule_last, o->access.rules[0].last)

#define S UXS_NS_PER_S
#define NONE UINT32_MAX /* uid or gid: leave it */

static const struct {
	const char *arguments[ARGS_MAX];
	value_of *value;
	int64_t expect;
} values[] = {
	/* Nothing said: what the manual says. */
	{ { "s" }, mode, UXS_MODE_AUTO },
	{ { "s" }, owner_uid, NONE },
	{ { "s" }, owner_gid, NONE },
	{ { "s" }, max_conns, 0 },
	{ { "s" }, per_user, 0 },
	{ { "s" }, max_rate, 0 },
	{ { "s" }, buffer, 64 * 1024 },
	{ { "s" }, message, 256 * 1024 },
	{ { "s" }, framing, UXS_FRAMING_NONE },
	{ { "s" }, is_echo, true },
	{ { "s" }, idle, 0 },
	{ { "s" }, write_time, 30 * S },
	{ { "s" }, drain, 5 * S },
	{ { "s" }, spin, 0 },
	{ { "s" }, on_lost, UXS_ON_LOST_REBIND },
	{ { "s" }, backlog, 4096 },
	{ { "s" }, threads, 1 },
	{ { "s" }, ready_fd, -1 },
	{ { "s" }, force_dir, false },
	{ { "s" }, is_check, false },
	{ { "s" }, level, UXS_NOTICE },
	{ { "s" }, n_rules, 0 },
	{ { "s" }, log_format, N_LOG_FORMATS },
	{ { "s" }, is_syslog, false },
	/* Each option, by its name and by its letter. */
	{ { "--allow", "uid:7-9", "s" }, verdict, UXS_ALLOW },
	{ { "-a", "uid:7-9", "s" }, rule_last, 9 },
	{ { "--deny", "uid:7-9", "s" }, verdict, UXS_DENY },
	{ { "-d", "uid:7-9", "s" }, rule_first, 7 },
	{ { "-d", "any", "-a", "any", "s" }, verdict, UXS_DENY },
	{ { "-a", "any", "-d", "any", "s" }, verdict, UXS_ALLOW },
	{ { "-a", "any", "-d", "any", "-a", "root", "s" }, n_rules, 3 },
	{ { "--log-format", "text", "s" }, log_format, LOG_AS_TEXT },
	{ { "-l", "journal", "s" }, log_format, LOG_AS_JOURNAL },
	{ { "-l", "json", "s" }, log_format, LOG_AS_JSON },
	{ { "-l", "json", "-l", "auto", "s" }, log_format, N_LOG_FORMATS },
	{ { "--syslog", "s" }, is_syslog, true },
	{ { "--mode", "0640", "s" }, mode, 0640 },
	{ { "-m", "u=rw,g=rw", "s" }, mode, 0660 },
	{ { "-m", "0", "s" }, mode, 0 },
	{ { "-m", "777", "s" }, mode, 0777 },
	{ { "--owner", "0", "s" }, owner_uid, 0 },
	{ { "-o", "root", "s" }, owner_gid, NONE },
	{ { "-o", "root:root", "s" }, owner_gid, 0 },
	{ { "-o", ":12", "s" }, owner_gid, 12 },
	{ { "-o", ":12", "s" }, owner_uid, NONE },
	{ { "-o", "4294967294:4294967294", "s" }, owner_uid, 4294967294 },
	{ { "--max-conns", "1", "s" }, max_conns, 1 },
	{ { "-c", "10000000", "s" }, max_conns, 10000000 },
	{ { "--max-conns-per-user", "1", "s" }, per_user, 1 },
	{ { "-C", "10000000", "s" }, per_user, 10000000 },
	{ { "--max-rate", "1", "s" }, max_rate, 1 },
	{ { "-r", "10000000", "s" }, max_rate, 10000000 },
	{ { "--buffer", "1", "s" }, buffer, 1 },
	{ { "-b", "1G", "s" }, buffer, 1024 * 1024 * 1024 },
	{ { "--max-message", "1", "s" }, message, 1 },
	{ { "--service", "upper", "s" }, is_upper, true },
	{ { "-s", "upper", "s" }, is_upper, true },
	{ { "-s", "upper", "-s", "echo", "s" }, is_echo, true },
	{ { "--framing", "line", "s" }, framing, UXS_FRAMING_LINE },
	{ { "-F", "netstring", "s" }, framing, UXS_FRAMING_NETSTRING },
	{ { "-F", "u32", "s" }, framing, UXS_FRAMING_U32 },
	{ { "-F", "u32", "-F", "none", "s" }, framing, UXS_FRAMING_NONE },
	{ { "-M", "64M", "s" }, message, 64 * 1024 * 1024 },
	{ { "--idle-timeout", "250us", "s" }, idle, 250000 },
	{ { "-i", "365h", "s" }, idle, 365 * 3600 * S },
	{ { "--write-timeout", "0", "s" }, write_time, 0 },
	{ { "-w", "1.5s", "s" }, write_time, 3 * S / 2 },
	{ { "--drain", "2m", "s" }, drain, 120 * S },
	{ { "-T", "10ms", "s" }, drain, S / 100 },
	{ { "-T", "8760h", "s" }, drain, 8760 * 3600 * S },
	{ { "-L", "rebind", "s" }, on_lost, UXS_ON_LOST_REBIND },
	{ { "--on-lost", "exit", "s" }, on_lost, UXS_ON_LOST_EXIT },
	{ { "--on-lost=ignore", "s" }, on_lost, UXS_ON_LOST_IGNORE },
	{ { "--spin", "200us", "s" }, spin, 200000 },
	{ { "--spin", "1s", "s" }, spin, S },
	{ { "--spin", "200us", "--spin", "0", "s" }, spin, 0 },
	{ { "--backlog", "0", "s" }, backlog, 0 },
	{ { "-B", "2147483647", "s" }, backlog, INT_MAX },
	{ { "-t", "1", "s" }, threads, 1 },
	{ { "--threads", "256", "s" }, threads, 256 },
	{ { "--ready-fd", "0", "s" }, ready_fd, 0 },
	{ { "-R", "7", "s" }, ready_fd, 7 },
	{ { "--force-dir", "s" }, force_dir, true },
	{ { "s" }, has_stats, false },
	{ { "--stats", "x", "s" }, has_stats, true },
	{ { "-S", "stream:x", "s" }, n_addresses, 2 },
	{ { "-S", "@x", "-a", "any", "s" }, has_stats, true },
	{ { "--check", "s" }, is_check, true },
	{ { "-n", "s" }, is_check, true },
	{ { "--verbose", "s" }, level, UXS_INFO },
	{ { "-vv", "s" }, level, UXS_DEBUG },
	{ { "-vvvvv", "s" }, level, UXS_DEBUG },
	{ { "--quiet", "s" }, level, UXS_WARNING },
	{ { "-qq", "s" }, level, UXS_ERROR },
	{ { "-qqqqq", "s" }, level, UXS_ERROR },
	{ { "-q", "-v", "s" }, level, UXS_NOTICE },
	{ { "--help" }, is_help, true },
	{ { "-h" }, is_help, true },
	{ { "--version" }, is_version, true },
	{ { "-V" }, is_version, true },
	/* How they are written. */
	{ { "--mode=0640", "s" }, mode, 0640 },
	{ { "-m0640", "s" }, mode, 0640 },
	{ { "-nm0640", "s" }, mode, 0640 },
	{ { "s", "-m", "0640" }, mode, 0640 },
	{ { "-m", "0600", "-m", "0640", "s" }, mode, 0640 },
	{ { "-h", "--frobnicate" }, is_help, true },
	/* Addresses. */
	{ { "s" }, n_addresses, 2 },
	{ { "stream:s" }, n_addresses, 1 },
	{ { "stream:s", "seqpacket:q", "d" }, n_addresses, 4 },
	{ { "--", "-s" }, n_addresses, 2 },
	{ { "-a", "any", "@name" }, n_addresses, 2 },
};

START_TEST(option_sets_its_value)
{
	struct options options;
	struct uxs_error why;

	ck_assert_msg(parse(&options, values[_i].arguments, &why) == 0,
	    "row %d: %s", _i, why.text);

	ck_assert_int_eq(values[_i].value(&options), values[_i].expect);
	options_fini(&options);
}
END_TEST

START_TEST(rules_and_addresses_are_those_of_the_command_line)
{
	static const char *const arguments[ARGS_MAX] = { "-a", "root",
		"stream:s", "seqpacket:q", NULL };
	struct options options;
	struct uxs_error why;

	ck_assert_int_eq(parse(&options, arguments, &why), 0);

	ck_assert_ptr_eq(options.conf.access, &options.access);
	ck_assert_ptr_eq(options.conf.addresses, options.addresses);
	ck_assert_uint_eq(options.access.own_uid, geteuid());
	ck_assert_str_eq(options.addresses[0].name, "s");
	ck_assert_int_eq(options.addresses[1].type, UXS_SEQPACKET);
	options_fini(&options);
	options_fini(&options);
}
END_TEST

/* ---- what is refused ---- */

#define NAME_64 \
	"0123456789012345678901234567890123456789012345678901234567890123"
#define NAME_256 NAME_64 NAME_64 NAME_64 NAME_64

/* The words that must be in the text: the option, the value, the cure. */
static const struct {
	const char *arguments[ARGS_MAX];
	const char *words[3];
} refusals[] = {
	{ { NULL }, { "no address", "--help" } },
	{ { "-v" }, { "no address", "--help" } },
	{ { "--frobnicate", "s" }, { "unknown", "'--frobnicate'", "--help" } },
	{ { "-Z", "s" }, { "unknown", "'-Z'", "--help" } },
	{ { "-vZ", "s" }, { "unknown", "'-Z'", "--help" } },
	{ { "s", "--mode" }, { "'--mode'", "needs an argument" } },
	{ { "s", "-m" }, { "'-m'", "needs an argument" } },
	{ { "s", "-vm" }, { "'-m'", "needs an argument" } },
	{ { "--stats", "", "s" }, { "empty" } },
	{ { "-S", "dgram:x", "s" }, { "'dgram:x'", "stream:PATH" } },
	{ { "-S", "seqpacket:x", "s" }, { "'seqpacket:x'", "stream:PATH" } },
	{ { "--check=yes", "s" }, { "--check=yes", "takes no argument" } },
	{ { "--fro\nb", "s" }, { "unknown", "--fro\\nb" } },
	{ { "--allow", "nobody?", "s" }, { "rule", "'nobody?'", "any" } },
	{ { "--allow", "", "s" }, { "rule", "''", "any" } },
	{ { "--deny", "uid:9-7", "s" }, { "rule", "'uid:9-7'", "range" } },
	{ { "-a", "uid:-1", "s" }, { "rule", "'uid:-1'", "number" } },
	{ { "-a", "uid:4294967295", "s" }, { "rule", "'uid:4294967295'" } },
	{ { "-a", "user:no-such", "s" }, { "'user:no-such'", "no such user" } },
	{ { "-d", "group:no-such", "s" },
	    { "'group:no-such'", "no such group" } },
	{ { "-a", "uid:65534", "s" }, { "'uid:65534'", "unknown" } },
	{ { "--mode", "9", "s" }, { "--mode", "'9'", "0660" } },
	{ { "--mode", "", "s" }, { "--mode", "''", "0660" } },
	{ { "--mode", "rw", "s" }, { "--mode", "'rw'", "0660" } },
	{ { "--mode", "01777", "s" }, { "--mode", "'01777'", "0777" } },
	{ { "--mode", "-1", "s" }, { "--mode", "'-1'" } },
	{ { "--owner", "", "s" }, { "--owner", "''", "USER" } },
	{ { "--owner", "no-such", "s" }, { "--owner", "'no-such'", "user" } },
	{ { "--owner", "0:no-such", "s" },
	    { "--owner", "'0:no-such'", "group" } },
	{ { "--owner", "0:", "s" }, { "--owner", "'0:'", "group" } },
	{ { "--owner", "4294967295", "s" }, { "--owner", "user" } },
	{ { "--owner", NAME_256, "s" }, { "--owner", "user" } },
	{ { "--max-conns", "0", "s" },
	    { "--max-conns", "'0'", "1 to 10000000" } },
	{ { "-c", "10000001", "s" }, { "--max-conns", "'10000001'", "from" } },
	{ { "-c", "many", "s" }, { "--max-conns", "'many'", "number" } },
	{ { "-c", "", "s" }, { "--max-conns", "''", "number" } },
	{ { "-c", " 1", "s" }, { "--max-conns", "' 1'", "number" } },
	{ { "-c", "1x", "s" }, { "--max-conns", "'1x'", "number" } },
	{ { "-c", "-1", "s" }, { "--max-conns", "'-1'", "number" } },
	{ { "-C", "0", "s" }, { "--max-conns-per-user", "'0'", "from" } },
	{ { "--buffer", "0", "s" }, { "--buffer", "'0'", "64k" } },
	{ { "-b", "1025M", "s" }, { "--buffer", "'1025M'", "1G" } },
	{ { "-b", "64q", "s" }, { "--buffer", "'64q'", "64k" } },
	{ { "-b", "-1", "s" }, { "--buffer", "'-1'", "64k" } },
	{ { "--framing", "lines", "s" }, { "--framing", "'lines'", "u32" } },
	{ { "-F", "", "s" }, { "--framing", "''", "netstring" } },
	{ { "--max-message", "0", "s" }, { "--max-message", "'0'", "64k" } },
	{ { "-M", "65M", "s" }, { "--max-message", "'65M'", "64M" } },
	{ { "-M", "99999999999999999999", "s" }, { "--max-message", "size" } },
	{ { "--idle-timeout", "-1", "s" }, { "--idle-timeout", "'-1'", "5s" } },
	{ { "-i", "5 s", "s" }, { "--idle-timeout", "'5 s'", "5s" } },
	{ { "-i", "8761h", "s" }, { "--idle-timeout", "'8761h'", "year" } },
	{ { "--write-timeout", "soon", "s" },
	    { "--write-timeout", "'soon'", "5s" } },
	{ { "-w", "", "s" }, { "--write-timeout", "''", "5s" } },
	{ { "--drain", "5d", "s" }, { "--drain", "'5d'", "5s" } },
	{ { "-T", ".", "s" }, { "--drain", "'.'", "5s" } },
	{ { "-L", "die", "s" }, { "--on-lost", "'die'", "rebind" } },
	{ { "--on-lost", "", "s" }, { "--on-lost", "''", "ignore" } },
	{ { "--spin", "1001ms", "s" }, { "--spin", "'1001ms'", "second" } },
	{ { "--spin", "-1", "s" }, { "--spin", "'-1'", "200us" } },
	{ { "--backlog", "-1", "s" }, { "--backlog", "'-1'", "0 to" } },
	{ { "-B", "2147483648", "s" },
	    { "--backlog", "'2147483648'", "0 to" } },
	{ { "--threads", "0", "s" }, { "--threads", "'0'", "1 to 256" } },
	{ { "-t", "257", "s" }, { "--threads", "'257'", "1 to 256" } },
	{ { "-t", "two", "s" }, { "--threads", "'two'", "number" } },
	{ { "--ready-fd", "-1", "s" }, { "--ready-fd", "'-1'", "descriptor" } },
	{ { "-R", "stdout", "s" }, { "--ready-fd", "'stdout'", "descriptor" } },
	{ { "-R", "2147483648", "s" }, { "--ready-fd", "descriptor" } },
	/* Nothing that comes from outside is printed as it is. */
	{ { "--mode", "\033[2J", "s" }, { "--mode", "\\033[2J" } },
	{ { "" }, { "''", "empty" } },
	{ { "dir/" }, { "'dir/'", "directory" } },
	{ { "steam:s" }, { "'steam:s'", "unknown type" } },
	{ { "@name" }, { "@name", "--allow" } },
	{ { "-d", "root", "@name" }, { "@name", "--allow" } },
	{ { "@" }, { "'@'", "empty" } },
	{ { NAME_256 }, { "too long" } },
	{ { "s", "s" }, { "s", "twice" } },
	{ { "s", "dgram:s.dgram" }, { "s.dgram", "twice" } },
	{ { "s", "seqpacket:s" }, { "s", "twice" } },
	{ { "--as", "root", "s" }, { "--as", "--check" } },
	{ { "--rules", "no-such-file", "--as" }, { "'--as'", "argument" } },
	{ { "--log-format", "xml", "s" }, { "--log-format", "'xml'", "json" } },
	{ { "-l", "", "s" }, { "--log-format", "''", "json" } },
	{ { "--syslog", "-l", "json", "s" }, { "--syslog", "--log-format" } },
	/* Later options are refused until they do something. */
	{ { "--service", "cat", "s" }, { "--service", "'cat'", "whoami" } },
	{ { "-s", "", "s" }, { "--service", "''", "echo" } },
	{ { "-u", "root", "s" }, { "--user", "'root'", "leave" } },
	{ { "-u", "0", "s" }, { "--user", "'0'", "leave" } },
	{ { "-u", "", "s" }, { "--user", "''", "USER" } },
	{ { "-u", ":daemon", "s" }, { "--user", "':daemon'", "USER" } },
	{ { "-u", "no-such", "s" }, { "--user", "'no-such'", "user" } },
	{ { "-u", NAME_256, "s" }, { "--user", "user" } },
	{ { "-u", "daemon:", "s" }, { "--user", "'daemon:'", "group" } },
	{ { "-u", "daemon:no-such", "s" }, { "--user", "group" } },
	{ { "-u", "4000000000", "s" }, { "--user", "USER:GROUP" } },
	{ { "-p", "", "s" }, { "--pidfile", "''", "file" } },
	{ { "-p", "dir/", "s" }, { "--pidfile", "'dir/'", "file" } },
};

START_TEST(malformed_argument_is_a_usage_error_in_one_line)
{
	struct options options;
	struct uxs_error why;

	ck_assert_int_lt(parse(&options, refusals[_i].arguments, &why), 0);

	ck_assert_int_eq(uxs_error_exit_status(&why), 64);
	for (int i = 0; i < 3 && refusals[_i].words[i] != NULL; i++)
		ck_assert_msg(strstr(why.text, refusals[_i].words[i]) != NULL,
		    "no \"%s\" in: %s", refusals[_i].words[i], why.text);
	for (const char *c = why.text; *c != '\0'; c++)
		ck_assert_msg(*c >= ' ' && *c <= '~', "byte %d in: %s", *c,
		    why.text);
	options_fini(&options);
}
END_TEST

/* ---- the table ---- */

/* As in the manual; a letter of 0 is none. */
static const struct {
	int letter;
	const char *name;
	bool has_argument;
} promised[] = {
	{ 'a', "allow", true },
	{ 'd', "deny", true },
	{ 'm', "mode", true },
	{ 'o', "owner", true },
	{ 'c', "max-conns", true },
	{ 'C', "max-conns-per-user", true },
	{ 'b', "buffer", true },
	{ 'M', "max-message", true },
	{ 'F', "framing", true },
	{ 's', "service", true },
	{ 'i', "idle-timeout", true },
	{ 'w', "write-timeout", true },
	{ 'B', "backlog", true },
	{ 't', "threads", true },
	{ 'u', "user", true },
	{ 'p', "pidfile", true },
	{ 'D', "daemon", false },
	{ 'R', "ready-fd", true },
	{ 'T', "drain", true },
	{ 'L', "on-lost", true },
	{ 0, "spin", true },
	{ 0, "force-dir", false },
	{ 'n', "check", false },
	{ 'v', "verbose", false },
	{ 'q', "quiet", false },
	{ 'h', "help", false },
	{ 'V', "version", false },
};

START_TEST(promised_option_has_its_letter_and_argument)
{
	struct option_text text = { .name = "" };
	size_t n = 0;

	while (options_text(n, &text) &&
	    strcmp(text.name, promised[_i].name) != 0)
		n++;

	ck_assert_str_eq(text.name, promised[_i].name);
	ck_assert_int_eq(text.letter, promised[_i].letter);
	ck_assert_int_eq(text.argument != NULL, promised[_i].has_argument);
}
END_TEST

START_TEST(letters_and_names_are_unique)
{
	struct option_text a, b;

	for (size_t i = 0; options_text(i, &a); i++) {
		for (size_t k = 0; k < i && options_text(k, &b); k++) {
			ck_assert_str_ne(a.name, b.name);
			ck_assert(a.letter == 0 || a.letter != b.letter);
		}
	}
}
END_TEST

START_TEST(help_lists_every_option)
{
	struct option_text text;
	char help[8192] = "", expected[256];
	FILE *out = fmemopen(help, sizeof(help), "w");

	options_help(out);
	fclose(out);

	for (size_t i = 0; options_text(i, &text); i++) {
		snprintf(expected, sizeof(expected), "--%s%s%s", text.name,
		    text.argument != NULL ? " " : "",
		    text.argument != NULL ? text.argument : "");
		ck_assert_msg(strstr(help, expected) != NULL, "no %s in: %s",
		    expected, help);
		ck_assert_ptr_nonnull(strstr(help, text.help));
		if (text.letter == 0)
			continue;
		snprintf(expected, sizeof(expected), "-%c, --%s", text.letter,
		    text.name);
		ck_assert_ptr_nonnull(strstr(help, expected));
	}
}
END_TEST

/* A default that --help names in brackets is the one that holds. */
START_TEST(help_names_the_defaults)
{
	static const char *const defaults[] = { "(64k)", "(256k)", "(30s)",
		"(0)", "(4096)", "(5s)", "(0600; 0666 with" };
	char help[8192] = "";
	FILE *out = fmemopen(help, sizeof(help), "w");

	options_help(out);
	fclose(out);

	for (int i = 0; i < N_OF(defaults); i++)
		ck_assert_ptr_nonnull(strstr(help, defaults[i]));
}
END_TEST

Suite *
suite_options(void)
{
	Suite *suite = suite_create("options");
	TCase *values_case = harness_case(suite, "values");
	TCase *refusals_case = harness_case(suite, "refusals");
	TCase *table = harness_case(suite, "table");

	tcase_add_loop_test(values_case, option_sets_its_value, 0,
	    N_OF(values));
	tcase_add_test(values_case,
	    rules_and_addresses_are_those_of_the_command_line);
	tcase_add_loop_test(refusals_case,
	    malformed_argument_is_a_usage_error_in_one_line, 0, N_OF(refusals));
	tcase_add_loop_test(table, promised_option_has_its_letter_and_argument,
	    0, N_OF(promised));
	tcase_add_test(table, letters_and_names_are_unique);
	tcase_add_test(table, help_lists_every_option);
	tcase_add_test(table, help_names_the_defaults);
	return suite;
}
