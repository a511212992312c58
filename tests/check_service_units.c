/* SPDX-License-Identifier: ISC */
/*
 * What service managers are given: every directive has its reason in
 * uxecho.service(8), systemd finds nothing to complain about, and the sandbox
 * is tight but lets uxecho work.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/peer.h>

#include "documents.h"
#include "harness.h"
#include "suites.h"

#define MANUAL "man/uxecho.service.8"

static const char *const units[] = { "uxecho.service.in", "uxecho.socket",
	"uxecho@.service.in", "uxecho@.socket", "uxecho-standalone.service.in",
	"sandbox" };
#define N_UNITS 6

static char *
read_unit(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "src/dist/systemd/%s", name);
	return read_document(path);
}

/* The key of "Key=value", or false. */
static bool
read_key(const char *line, char key[64])
{
	return line[0] != '#' && strchr(line, '=') != NULL &&
	    sscanf(line, "%63[A-Za-z]", key) == 1 && line[strlen(key)] == '=';
}

/* An entry is ".It Va Key" or ".It Va Key , Key". */
static bool
is_in_entry(const char *line, const char *key)
{
	const size_t n = strlen(key);

	if (strncmp(line, ".It Va ", 7) != 0)
		return false;
	for (const char *at = line + 6; (at = strstr(at, key)) != NULL; at++) {
		if (at[-1] == ' ' && (at[n] == '\0' || at[n] == ' '))
			return true;
	}
	return false;
}

static bool
manual_has(const char *key)
{
	char *manual = read_document(MANUAL);
	bool has = false;

	for (char *rest = manual, *line; (line = next_line(&rest)) != NULL;)
		has = has || is_in_entry(line, key);
	free(manual);
	return has;
}

START_TEST(manual_gives_a_reason_for_each_directive)
{
	char *unit = read_unit(units[_i]);
	bool is_ours = strcmp(units[_i], "sandbox") == 0;
	char key[64];
	int n = 0;

	for (char *rest = unit, *line; (line = next_line(&rest)) != NULL;) {
		if (line[0] == '[')
			is_ours = strcmp(line, "[Service]") == 0 ||
			    strcmp(line, "[Socket]") == 0;
		if (!is_ours || !read_key(line, key))
			continue;
		n++;
		ck_assert_msg(manual_has(key), "%s: no entry for %s in %s",
		    units[_i], key, MANUAL);
	}

	ck_assert_int_ge(n, 3);
	free(unit);
}
END_TEST

static bool
units_have(const char *key)
{
	char start[80];
	bool has = false;

	snprintf(start, sizeof(start), "\n%s=", key);
	for (int i = 0; i < N_UNITS; i++) {
		char *unit = read_unit(units[i]);

		has = has || strstr(unit, start) != NULL;
		free(unit);
	}
	return has;
}

START_TEST(manual_has_no_other_directive)
{
	char *manual = read_document(MANUAL);
	int n = 0;

	for (char *rest = manual, *line; (line = next_line(&rest)) != NULL;) {
		if (strncmp(line, ".It Va ", 7) != 0)
			continue;
		line += 7;
		for (char *key; (key = strsep(&line, " ,")) != NULL;) {
			if (key[0] == '\0')
				continue;
			n++;
			ck_assert_msg(units_have(key),
			    "%s has %s, and no unit has it", MANUAL, key);
		}
	}

	ck_assert_int_ge(n, 40);
	free(manual);
}
END_TEST

/* Both would hide from uxecho who its clients are, or where. */
START_TEST(no_unit_hides_users_or_return_addresses)
{
	ck_assert(!units_have("PrivateUsers"));
	ck_assert(!units_have("PrivateTmp"));
	ck_assert(!units_have("DynamicUser"));
}
END_TEST

START_TEST(socket_unit_has_one_of_each_type)
{
	static const char *const sockets[] = { "uxecho.socket",
		"uxecho@.socket" };
	static const char *const lines[] = { "\nListenStream=/run/",
		"\nListenDatagram=/run/", "\nListenSequentialPacket=/run/" };
	char *unit = read_unit(sockets[_i]);

	for (int i = 0; i < 3; i++) {
		const char *at = strstr(unit, lines[i]);

		ck_assert_ptr_nonnull(at);
		ck_assert_ptr_null(strstr(at + 1, lines[i]));
	}
	free(unit);
}
END_TEST

/* ---- what systemd says ---- */

static struct output_of result;

/* Run in sh, with the tree's top as $0 and where the programs are as $1. */
static void
run_shell(const char *script)
{
	char sbindir[512];
	const char *const argv[] = { "/bin/sh", "-c", script, sbindir,
		top_path(""), NULL };

	strlcpy(sbindir, program("uxecho"), sizeof(sbindir));
	*strrchr(sbindir, '/') = '\0';
	run_program(&result, argv);
}

/* The units as they would be installed. */
static void
make_units(void)
{
	run_shell(
	    "umask 022; for u in \"$1\"/src/dist/systemd/uxecho*.service.in; do "
	    "b=${u##*/}; \"$1/src/dist/systemd/fill\" \"$0\" \"$u\" >${b%.in} || exit; "
	    "done; cp \"$1\"/src/dist/systemd/*.socket . && "
	    "cp uxecho@.service uxecho@one.service && "
	    "cp uxecho@.socket uxecho@one.socket");
	ck_assert_msg(result.status == 0, "%s", result.err);
}

static bool
has_systemd(void)
{
	if (has_tool("systemd-analyze"))
		return true;
	skip("needs systemd-analyze, to judge units");
	return false;
}

START_TEST(systemd_finds_no_fault)
{
	if (!has_systemd())
		return;
	make_units();

	run_shell("systemd-analyze verify --man=no ./uxecho.service "
		  "./uxecho.socket ./uxecho-standalone.service "
		  "./uxecho@one.service ./uxecho@one.socket");

	ck_assert_str_eq(result.err, "");
	ck_assert_int_eq(result.status, 0);
}
END_TEST

/* In tenths, as --threshold takes it. */
static const struct {
	const char *unit;
	int exposure;
} exposures[] = {
	{ "uxecho.service", 5 },
	{ "uxecho@one.service", 5 },
	{ "uxecho-standalone.service", 12 },
};

START_TEST(sandbox_is_tight)
{
	char script[256];

	if (!has_systemd())
		return;
	make_units();

	snprintf(script, sizeof(script),
	    "systemd-analyze security --no-pager --offline=true "
	    "--threshold=%d ./%s",
	    exposures[_i].exposure, exposures[_i].unit);
	run_shell(script);

	ck_assert_str_eq(result.err, "");
	ck_assert_msg(result.status == 0, "%s: exposure above %d tenths: %s",
	    exposures[_i].unit, exposures[_i].exposure,
	    strstr(result.out, "Overall"));
}
END_TEST

/* In a root directory of the test's. */
static const char make_user_and_directory[] =
    "set -e; umask 022; mkdir -p root/etc\n"
    "systemd-sysusers --root=\"$PWD/root\" "
    "\"$1/src/dist/systemd/uxecho.sysusers\"\n"
    "systemd-tmpfiles --root=\"$PWD/root\" --create "
    "\"$1/src/dist/systemd/uxecho.tmpfiles\"\n"
    "grep -q '^uxecho:' root/etc/passwd; grep -q '^uxecho:' root/etc/group\n"
    "[ \"$(stat -c '%U %a' root/run/uxecho)\" = 'root 755' ]\n";

START_TEST(user_and_directory_are_made)
{
	SKIP_UNLESS_ROOT();
	if (!has_systemd())
		return;
	run_shell(make_user_and_directory);

	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);
}
END_TEST

/* ---- and uxecho works with it ---- */

/* The process ID of uxecho, not that of strace, is in the lock. Datagrams of
 * the overflow user, if we are that, are not answered. */
static const char serve_traced[] =
    "set -e; PATH=$0:$PATH; mkfifo ready\n"
    "export ASAN_OPTIONS=detect_leaks=0 # it does not work under strace\n"
    "strace -f -qqq -o trace -e trace=all uxecho --ready-fd 9 --allow any "
    "pair seqpacket:seq 9>ready 2>log & read -r x <ready\n"
    "uxecho=$(cat pair.lock); trap 'kill -KILL $uxecho' EXIT\n"
    "uxping -q -c 2 pair; uxping -q -c 2 seqpacket:seq\n"
    "uxping -q -t dgram -c 1 pair || [ \"$(id -u)\" = 65534 ]\n"
    "kill -HUP $uxecho; kill -USR1 $uxecho; kill -TERM $uxecho\n"
    "trap - EXIT; wait $!\n";

/* What comes before main is the dynamic linker's, and under the filter too. */
START_TEST(filter_lets_through_what_uxecho_calls)
{
	if (!has_systemd())
		return;
	run_shell("strace -o /dev/null true");
	if (result.status != 0) {
		skip("strace is missing, or may not trace");
		return;
	}
	make_units();
	run_shell(serve_traced);
	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);

	run_shell("sh \"$1/tests/unit_syscalls.sh\" uxecho.service trace");

	ck_assert_int_eq(result.status, 0);
	ck_assert_str_eq(result.err, "");
	ck_assert_str_eq(result.out, "");
}
END_TEST

/* Names that need not be here, and addresses that the socket unit has. */
static const char check_commands[] =
    "for f in *.service; do\n"
    "	sed -n 's/^ExecStart=//p' \"$f\" | sed -e 's/group:uxecho/group:0/' "
    "-e 's/\\$UXECHO_OPTIONS//' -e 's,/run/[a-z-]*/,./,g' >command\n"
    "	[ -s command ] || { echo \"$f has no command\"; exit 1; }\n"
    "	grep -q /uxecho.sock command || echo stream:./sock >>command\n"
    "	sh -c \"$(tr '\\n' ' ' <command) --check\" >plan || exit\n"
    "	grep -q 'allow gid:0' plan || exit\n"
    "done\n";

START_TEST(commands_of_units_are_sound)
{
	make_units();

	run_shell(check_commands);

	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);
}
END_TEST

/* ---- the pair, with this test for systemd ---- */

#define FIRST_FD 3 /* sd_listen_fds(3) */
#define N_LISTEN 3

static const struct {
	const char *key;
	enum uxs_type type;
} listens[N_LISTEN] = {
	{ "ListenStream=/run/", UXS_STREAM },
	{ "ListenDatagram=/run/", UXS_DGRAM },
	{ "ListenSequentialPacket=/run/", UXS_SEQPACKET },
};

struct socket_of_unit {
	enum uxs_type type;
	char path[64];
	int fd;
};

/* One line of the unit, made as systemd makes it. */
static bool
listen_at(const char *line, struct socket_of_unit *made)
{
	const int on = 1;

	for (int i = 0; i < N_LISTEN; i++) {
		const size_t n = strlen(listens[i].key);

		if (strncmp(line, listens[i].key, n) != 0)
			continue;
		made->type = listens[i].type;
		strlcpy(made->path, line + n, sizeof(made->path));
		made->fd = bound_socket(made->type, made->path);
		ck_assert_int_eq(setsockopt(made->fd, SOL_SOCKET, SO_PASSCRED,
				     &on, sizeof(on)),
		    0);
		if (made->type != UXS_DGRAM)
			ck_assert_int_eq(listen(made->fd, SOMAXCONN), 0);
		return true;
	}
	return false;
}

/* In the order of the unit. */
static void
listen_as_unit_says(struct socket_of_unit made[N_LISTEN])
{
	char *unit = read_unit("uxecho.socket");
	int n = 0;

	for (char *rest = unit, *line; (line = next_line(&rest)) != NULL;) {
		if (n < N_LISTEN && listen_at(line, &made[n]))
			n++;
	}
	ck_assert_int_eq(n, N_LISTEN);
	free(unit);
}

/* exec of sh keeps the process ID. The group need not be here. */
static void
activate(void *arg)
{
	const struct socket_of_unit *made = arg;
	int high[N_LISTEN];
	char number[16];

	for (int i = 0; i < N_LISTEN; i++)
		high[i] = fcntl(made[i].fd, F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < N_LISTEN; i++)
		dup2(high[i], FIRST_FD + i);
	snprintf(number, sizeof(number), "%ld", (long)getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LISTEN_FDNAMES", "uxecho:uxecho:uxecho", 1);
	execl("/bin/sh", "sh", "-c",
	    "exec $(sed -n -e 's/group:uxecho/any/' -e 's/.UXECHO_OPTIONS//' "
	    "-e 's/^ExecStart=//p' uxecho.service) 2>log",
	    (char *)NULL);
	_exit(127);
}

START_TEST(command_serves_on_the_sockets_of_its_unit)
{
	struct socket_of_unit made[N_LISTEN];
	pid_t pid;

	if (geteuid() == uxs_overflow_uid()) {
		skip("the overflow user's datagrams are not answered");
		return;
	}
	make_units();
	listen_as_unit_says(made);
	pid = start_child(activate, made);

	for (int i = 0; i < N_LISTEN; i++) {
		const int client = client_connect(made[i].type, made[i].path);

		SAYS(client, "hello");
		HEARS(client, "hello");
		close(client);
	}

	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);
	for (int i = 0; i < N_LISTEN; i++) {
		ck_assert(is_there(made[i].path));
		close(made[i].fd);
	}
}
END_TEST

/* ---- the others ---- */

/* Their own tools are replaced by what is common to all of them: go on as
 * somebody else. */
static const char run_scripts[] =
    "set -e; PATH=$PWD/bin:$0:$PATH; mkdir bin sv\n"
    "printf '#!/bin/sh\\nshift 2\\nexec \"$@\"\\n' >bin/chpst\n"
    "printf '#!/bin/sh\\nshift\\nexec \"$@\"\\n' >bin/s6-setuidgid\n"
    "printf '#!/bin/sh\\n' >bin/install\n"
    "chmod +x bin/*\n"
    "for s in runit s6; do\n"
    "	sed -e 's,/run/uxecho,sv,g' -e 's/group:uxecho/any/' "
    "\"$1/src/dist/$s/run\" >run\n"
    "	sh ./run 3>ready >log & server=$!\n"
    "	uxping -q -c 1 --wait 20s sv/uxecho.sock\n"
    "	kill $server; wait $server\n"
    "	[ $s != s6 ] || [ \"$(wc -c <ready)\" -eq 1 ]\n"
    "done\n";

/* What openrc-run does first: read the variables. */
static const char openrc_script[] =
    "set -e; PATH=$0:$PATH\n"
    "sed -e 's,/run/uxecho/,./,g' -e 's/group:uxecho/group:0/' "
    "\"$1/src/dist/openrc/uxecho\" >script\n"
    ". ./script\n"
    "sh -c \"$command $command_args --check\" >plan\n"
    "grep -q 'allow gid:0' plan\n";

START_TEST(openrc_script_is_sound)
{
	run_shell(openrc_script);

	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);
}
END_TEST

START_TEST(run_scripts_serve)
{
	run_shell(run_scripts);

	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);
}
END_TEST

START_TEST(apparmor_takes_the_profile)
{
	if (!has_tool("apparmor_parser")) {
		skip("needs apparmor_parser, to judge the profile");
		return;
	}
	run_shell("apparmor_parser --skip-kernel-load --skip-cache --debug "
		  "\"$1/src/dist/apparmor/uxecho\"");

	ck_assert_msg(result.status == 0, "%s", result.err);
}
END_TEST

Suite *
suite_service_units(void)
{
	Suite *suite = suite_create("service units");
	TCase *documents = harness_case(suite, "documents");
	TCase *judged = harness_case(suite, "systemd");
	TCase *activated = harness_case(suite, "activated");
	TCase *others = harness_case(suite, "others");

	tcase_add_loop_test(documents, manual_gives_a_reason_for_each_directive,
	    0, N_UNITS);
	tcase_add_test(documents, manual_has_no_other_directive);
	tcase_add_test(documents, no_unit_hides_users_or_return_addresses);
	tcase_add_loop_test(documents, socket_unit_has_one_of_each_type, 0, 2);

	tcase_add_test(judged, systemd_finds_no_fault);
	tcase_add_loop_test(judged, sandbox_is_tight, 0, 3);
	tcase_add_test(judged, user_and_directory_are_made);
	tcase_add_test(judged, filter_lets_through_what_uxecho_calls);
	tcase_add_test(judged, commands_of_units_are_sound);

	tcase_add_test(activated, command_serves_on_the_sockets_of_its_unit);

	tcase_add_test(others, openrc_script_is_sound);
	tcase_add_test(others, run_scripts_serve);
	tcase_add_test(others, apparmor_takes_the_profile);
	return suite;
}
