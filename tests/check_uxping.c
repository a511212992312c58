/* SPDX-License-Identifier: ISC */
/*
 * uxping as its users run it, against servers that work: what it prints, byte
 * by byte but for the times, and how it exits. What it does when things go
 * wrong is in check_uxping_trouble.c.
 */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foreign.h"
#include "harness.h"
#include "suites.h"

static struct output_of result;

#define UXPING(...)          \
	run_program(&result, \
	    (const char *const[]){ "uxping", __VA_ARGS__, NULL })

/* Every number but those that are told beforehand, such as sizes, becomes N:
 * what follows "time=", "time ", "= ", "pid=", "/" and "[". */
static char *
mask(char *text)
{
	static const char *const marks[] = { "time=", "time ", "= ",
		"pid=", "/", "[" };
	char *from = text, *to = text;

	while (*from != '\0') {
		bool is_masked = false;

		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
			const size_t n = strlen(marks[i]);

			if ((size_t)(to - text) >= n &&
			    memcmp(to - n, marks[i], n) == 0 &&
			    isdigit((unsigned char)*from))
				is_masked = true;
		}
		if (!is_masked) {
			*to++ = *from++;
			continue;
		}
		from += strspn(from, "0123456789.");
		*to++ = 'N';
	}
	*to = '\0';
	return text;
}

/* ---- what it prints ---- */

static const struct {
	enum uxs_type type;
	const char *owner;
} kinds[] = {
	{ UXS_STREAM, "listener uid=%u%s gid=%u pid=N" },
	{ UXS_SEQPACKET, "listener uid=%u%s gid=%u pid=N" },
	{ UXS_DGRAM, "owner uid=%u%s gid=%u" },
};

START_TEST(output_is_that_of_the_manual_on_every_type)
{
	char expected[1024], format[512];
	pid_t server = foreign_start(FOREIGN_ECHO, kinds[_i].type, "s");

	UXPING("-c", "2", "-i", "0.01", "s");

	snprintf(format, sizeof(format),
	    "UXPING s (%%s) 56 bytes; %s\n"
	    "56 bytes from s: seq=1 time=N us\n"
	    "56 bytes from s: seq=2 time=N us\n"
	    "\n"
	    "--- s uxping statistics ---\n"
	    "2 sent, 2 received, 0 corrupted, 0%%%% loss, time N ms\n"
	    "rtt min/avg/max/mdev = N/N/N/N us\n"
	    "rtt p50 = N us\n",
	    kinds[_i].owner);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(expected, sizeof(expected), format,
	    uxs_type_name(kinds[_i].type), (unsigned)geteuid(),
	    geteuid() == 0 ? "(root)" : "", (unsigned)getegid());
#pragma GCC diagnostic pop
	if (geteuid() == 0)
		ck_assert_str_eq(mask(result.out), expected);
	ck_assert_str_eq(result.err, "");
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(quiet_is_first_line_and_summary)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	UXPING("-q", "-c", "3", "-i", "0", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "UXPING s (stream)"));
	ck_assert_ptr_null(strstr(result.out, "bytes from"));
	ck_assert_ptr_nonnull(strstr(result.out, "3 sent, 3 received"));
	foreign_kill(server);
}
END_TEST

START_TEST(timestamps_come_first_on_each_line)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	UXPING("-D", "-c", "1", "s");

	ck_assert_ptr_nonnull(strstr(mask(result.out),
	    "\n[N] 56 bytes from s: seq=1 time=N us"));
	foreign_kill(server);
}
END_TEST

START_TEST(several_targets_have_a_summary_each)
{
	pid_t one = foreign_start(FOREIGN_ECHO, UXS_STREAM, "one");
	pid_t two = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "two");

	UXPING("-c", "2", "-i", "0.01", "one", "missing", "two");

	ck_assert_ptr_nonnull(strstr(result.out,
	    "--- one uxping statistics ---\n2 sent, 2 received"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "--- two uxping statistics ---\n2 sent, 2 received"));
	ck_assert_ptr_nonnull(strstr(result.err,
	    "uxping: missing: no-such-file: "));
	ck_assert_int_eq(result.status, 1); /* that of the worst */
	foreign_kill(one);
	foreign_kill(two);
}
END_TEST

/* ---- which socket ---- */

START_TEST(type_dgram_with_a_path_means_its_other_half)
{
	pid_t stream = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");
	pid_t dgram = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s.dgram");

	UXPING("-c", "1", "-t", "dgram", "s");

	ck_assert_ptr_eq(strstr(result.out, "UXPING s.dgram (dgram)"),
	    result.out);
	ck_assert_int_eq(result.status, 0);
	foreign_kill(stream);
	foreign_kill(dgram);
}
END_TEST

START_TEST(type_dgram_takes_the_path_itself_when_that_is_all)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s");

	UXPING("-c", "1", "-t", "dgram", "s");

	ck_assert_ptr_eq(strstr(result.out, "UXPING s (dgram)"), result.out);
	foreign_kill(server);
}
END_TEST

START_TEST(a_symbolic_link_is_followed)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	ck_assert_int_eq(symlink("s", "link"), 0);
	UXPING("-c", "1", "link");

	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(a_path_longer_than_sockaddr_un_works)
{
	char deep[120];
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	memset(deep, 'd', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	ck_assert_int_eq(symlink("s", deep), 0);
	UXPING("-c", "1", deep);

	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(an_abstract_name_is_found_on_every_type)
{
	struct sockaddr_un sa;
	socklen_t length;
	const char *name = "uxping-test-name";
	int fd = socket(AF_UNIX,
	    uxs_type_socket((enum uxs_type)_i) | SOCK_CLOEXEC, 0);

	uxs_sockaddr_from_abstract(&sa, &length, name, strlen(name));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, length), 0);
	listen(fd, 8); /* means nothing to a datagram socket */

	UXPING("-z", "-c", "1", "@uxping-test-name");

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    uxs_type_name((enum uxs_type)_i)));
	close(fd);
}
END_TEST

/* ---- what is sent ---- */

static const char *const sizes[] = { "1", "2", "15", "16", "17", "1000",
	"100k" };

START_TEST(pings_of_every_size_come_back)
{
	const enum uxs_type type = (enum uxs_type)(_i % UXS_N_TYPES);
	const char *size = sizes[_i / UXS_N_TYPES];
	pid_t server = foreign_start(FOREIGN_ECHO, type, "s");

	UXPING("-c", "3", "-i", "0", "-s", size, "s");

	ck_assert_msg(result.status == 0, "%s %s: %s", uxs_type_name(type),
	    size, result.err);
	foreign_kill(server);
}
END_TEST

START_TEST(a_flood_loses_nothing)
{
	pid_t server = foreign_start(FOREIGN_ECHO, (enum uxs_type)_i, "s");

	UXPING("-f", "-c", "5000", "s");

	ck_assert_ptr_nonnull(strstr(result.out,
	    "5000 sent, 5000 received, 0 corrupted, 0% loss"));
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(reconnect_works_with_a_server_that_answers_once)
{
	pid_t server = foreign_start(FOREIGN_ONCE, UXS_STREAM, "s");

	UXPING("-C", "-A", "-c", "20", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "20 sent, 20 received"));
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(connect_only_works_on_a_server_that_never_answers)
{
	pid_t server = foreign_start(FOREIGN_SILENT, (enum uxs_type)_i, "s");

	UXPING("-z", "-c", "2", "-i", "0.01", "s");

	ck_assert_ptr_nonnull(strstr(result.out, "connect only"));
	ck_assert_ptr_nonnull(strstr(mask(result.out),
	    "connected to s: seq=2 time=N us"));
	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

START_TEST(a_datagram_server_of_another_user_can_answer)
{
	SKIP_UNLESS_ROOT();
	pid_t server =
	    foreign_start_as(OTHER_UID, FOREIGN_ECHO, UXS_DGRAM, "s");

	UXPING("-c", "1", "s");

	ck_assert_int_eq(result.status, 0);
	foreign_kill(server);
}
END_TEST

/* ---- its own traces ---- */

/* No return address is left, however it ends. */
START_TEST(nothing_is_left_behind)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s");
	int n_files = count_files();

	setenv("TMPDIR", harness_path("."), 1);
	UXPING("-c", "2", "-i", "0", "s");
	ck_assert_int_eq(result.status, 0);
	UXPING("-C", "-c", "2", "-i", "0", "s");
	ck_assert_int_eq(result.status, 0);

	ck_assert_int_eq(count_files(), n_files);
	foreign_kill(server);
}
END_TEST

/* A uxping whose output is read line by line while it runs. */
struct running {
	pid_t pid;
	FILE *out;
};

static void
start_uxping(struct running *running, const char *const argv[])
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	running->pid = fork();
	ck_assert_int_ge(running->pid, 0);
	if (running->pid == 0) {
		signal(SIGPIPE, SIG_DFL); /* the tests ignore it */
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execv(program("uxping"), (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	running->out = fdopen(ends[0], "r");
}

/* Read on until a line has text in it. */
static void
await(struct running *running, const char *text)
{
	char line[512];

	do {
		if (fgets(line, sizeof(line), running->out) == NULL)
			ck_abort_msg("it ended without saying '%s'", text);
	} while (strstr(line, text) == NULL);
}

static const int endings[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(a_signal_ends_it_with_a_summary_and_without_traces)
{
	struct running uxping;
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s");
	int n_files = count_files();

	setenv("TMPDIR", harness_path("."), 1);
	start_uxping(&uxping, (const char *const[]){ "uxping", "s", NULL });
	await(&uxping, "seq=1 ");
	ck_assert_int_eq(count_files(), n_files + 1);
	kill(uxping.pid, endings[_i]);

	await(&uxping, "1 sent, 1 received");
	ck_assert_int_eq(wait_child(uxping.pid), 0);
	ck_assert_int_eq(count_files(), n_files);
	fclose(uxping.out);
	foreign_kill(server);
}
END_TEST

START_TEST(sigquit_prints_statistics_and_goes_on)
{
	struct running uxping;
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	start_uxping(&uxping, (const char *const[]){ "uxping", "s", NULL });
	await(&uxping, "seq=1 ");

	kill(uxping.pid, SIGQUIT);
	await(&uxping, "\r1/1 packets, 0% loss, min/avg/ewma/max = ");

	await(&uxping, "seq=2 ");
	kill(uxping.pid, SIGINT);
	ck_assert_int_eq(wait_child(uxping.pid), 0);
	fclose(uxping.out);
	foreign_kill(server);
}
END_TEST

START_TEST(a_reader_that_goes_away_ends_it_without_traces)
{
	struct running uxping;
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_DGRAM, "s");
	int n_files = count_files();

	setenv("TMPDIR", harness_path("."), 1);
	start_uxping(&uxping,
	    (const char *const[]){ "uxping", "-i", "0.01", "s", NULL });
	await(&uxping, "seq=1 ");
	fclose(uxping.out);

	ck_assert_int_eq(wait_child(uxping.pid), 2);
	ck_assert_int_eq(count_files(), n_files);
	foreign_kill(server);
}
END_TEST

Suite *
suite_uxping(void)
{
	Suite *suite = suite_create("uxping");
	TCase *tcase = harness_case(suite, "output");

	tcase_add_loop_test(tcase, output_is_that_of_the_manual_on_every_type,
	    0, UXS_N_TYPES);
	tcase_add_test(tcase, quiet_is_first_line_and_summary);
	tcase_add_test(tcase, timestamps_come_first_on_each_line);
	tcase_add_test(tcase, several_targets_have_a_summary_each);
	tcase = harness_case(suite, "target");
	tcase_add_test(tcase, type_dgram_with_a_path_means_its_other_half);
	tcase_add_test(tcase,
	    type_dgram_takes_the_path_itself_when_that_is_all);
	tcase_add_test(tcase, a_symbolic_link_is_followed);
	tcase_add_test(tcase, a_path_longer_than_sockaddr_un_works);
	tcase_add_loop_test(tcase, an_abstract_name_is_found_on_every_type, 0,
	    UXS_N_TYPES);
	tcase = harness_case(suite, "pings");
	tcase_add_loop_test(tcase, pings_of_every_size_come_back, 0,
	    UXS_N_TYPES * sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(tcase, a_flood_loses_nothing, 0, UXS_N_TYPES);
	tcase_add_test(tcase, reconnect_works_with_a_server_that_answers_once);
	tcase_add_loop_test(tcase,
	    connect_only_works_on_a_server_that_never_answers, 0, UXS_N_TYPES);
	tcase_add_test(tcase, a_datagram_server_of_another_user_can_answer);
	tcase = harness_case(suite, "traces");
	tcase_add_test(tcase, nothing_is_left_behind);
	tcase_add_loop_test(tcase,
	    a_signal_ends_it_with_a_summary_and_without_traces, 0, 3);
	tcase_add_test(tcase, sigquit_prints_statistics_and_goes_on);
	tcase_add_test(tcase, a_reader_that_goes_away_ends_it_without_traces);
	return suite;
}
