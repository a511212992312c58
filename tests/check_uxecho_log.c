/* SPDX-License-Identifier: ISC */
/*
 * The log of the real binary: its forms, what strangers can write into it,
 * and readers that do not read.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <uxecho/logger.h>

#include "flat_json.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define ARGUMENTS_MAX 12

static const char *const format_names[] = { "text", "journal", "json" };

/* ---- the language of this file ---- */

/* "uxecho -R N arguments...", its standard error being err; returns when it
 * is ready. */
static pid_t
start_with_stderr(int err, const char *const arguments[])
{
	const char *argv[ARGUMENTS_MAX] = { "uxecho", "-R" };
	char number[16], newline;
	int ready[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	snprintf(number, sizeof(number), "%d", ready[1]);
	argv[2] = number;
	for (int i = 0; arguments[i] != NULL; i++)
		argv[i + 3] = arguments[i];
	fflush(NULL);
	if ((pid = fork()) == 0) {
		fcntl(ready[1], F_SETFD, 0);
		dup2(err, STDERR_FILENO);
		execv(program("uxecho"), (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &newline, 1), 1);
	close(ready[0]);
	return pid;
}

static void
stop(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_child(pid), 0);
}

/* All that it logged into a file, which takes everything. */
static char *
read_log(int fd)
{
	static char text[OUTPUT_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	ck_assert_uint_lt(n, sizeof(text) - 1);
	ck_assert_uint_eq(strlen(text), n);
	return text;
}

static int
open_log_file(void)
{
	return open("log", O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
}

static bool
is_printable_line(const char *line)
{
	for (; *line != '\0'; line++) {
		if (*line < ' ' || *line > '~')
			return false;
	}
	return true;
}

/* The text of an event, when the line has the form. */
static const char *
text_of(const char *line, const char *format)
{
	static struct json_object object;

	if (strcmp(format, "json") == 0) {
		if (!json_parse(&object, line, strlen(line)) || object.n != 5)
			return NULL;
		return json_text(&object, "message");
	}
	if (strcmp(format, "journal") == 0)
		return line[0] == '<' && strchr("34567", line[1]) != NULL &&
			line[2] == '>' ?
		    line + 3 :
		    NULL;
	return strncmp(line, "uxecho: ", 8) == 0 ? line + 8 : NULL;
}

/* ---- forms ---- */

START_TEST(every_line_has_the_form_that_was_asked_for)
{
	const char *format = format_names[_i];
	const char *const arguments[] = { "-vv", "-l", format, "s", NULL };
	const int log = open_log_file();
	const pid_t pid = start_with_stderr(log, arguments);
	char *rest, *line;
	int n = 0, fd;

	fd = client_connect(UXS_STREAM, harness_path("s"));
	SAYS(fd, "hello");
	HEARS(fd, "hello");
	close(fd);
	stop(pid);

	rest = read_log(log);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		ck_assert_msg(is_printable_line(line) &&
			text_of(line, format) != NULL,
		    "line: %s", line);
		n++;
	}
	ck_assert_int_ge(n, 6); /* two served, opened, closed, drain, stop */
	close(log);
}
END_TEST

static const struct {
	const char *journal_stream; /* %s: what standard error is */
	const char *format;
} streams[] = {
	{ NULL, "text" },
	{ "%s", "journal" },
	{ "", "text" },
	{ "%sx", "text" },
	{ "1:2", "text" },
	{ ":", "text" },
	{ "%s:", "text" },
};

START_TEST(auto_is_the_journals_form_only_for_the_journal)
{
	const char *const arguments[] = { "stream:s", NULL };
	const int log = open_log_file();
	char stream[64], variable[128];
	struct stat st;
	pid_t pid;

	ck_assert_int_eq(fstat(log, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	unsetenv("JOURNAL_STREAM");
	if (streams[_i].journal_stream != NULL) {
		const bool is_same = streams[_i].journal_stream[0] == '%';

		snprintf(variable, sizeof(variable), "%s%s",
		    is_same ? stream : "",
		    streams[_i].journal_stream + (is_same ? 2 : 0));
		setenv("JOURNAL_STREAM", variable, 1);
	}
	pid = start_with_stderr(log, arguments);
	stop(pid);

	ck_assert_msg(text_of(read_log(log), streams[_i].format) != NULL,
	    "log: %s", read_log(log));
	close(log);
}
END_TEST

/* ---- injection ---- */

/* A datagram that is too long, from a socket whose abstract name holds these
 * bytes: the service logs that name. */
static void
send_from_name(const char *name, size_t length)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t sa_length;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &sa_length, name,
			     length),
	    0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sa_length), 0);
	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &sa_length,
			     harness_path("d")),
	    0);
	ck_assert_int_eq(sendto(fd, "too long", 8, 0, (struct sockaddr *)&sa,
			     sa_length),
	    8);
	close(fd);
}

/* Each of these many names holds this many of all byte values, and a line that
 * its sender would like to see in the log. */
#define NAMES 8
#define BYTES_PER_NAME (256 / NAMES)

static size_t
make_name(char name[107], int i)
{
	size_t n = (size_t)snprintf(name, 107, "%ld", (long)getpid());

	n += (size_t)snprintf(name + n, 107 - n,
	    "\n<0>uxecho: stopped\"}\n\033[2J");
	for (int k = 0; k < BYTES_PER_NAME; k++)
		name[n++] = (char)(i * BYTES_PER_NAME + k);
	return n;
}

START_TEST(senders_cannot_write_into_the_log)
{
	const char *format = format_names[_i];
	const char *const arguments[] = { "-vv", "-l", format, "-M", "4",
		"dgram:d", NULL };
	const int log = open_log_file();
	const pid_t pid = start_with_stderr(log, arguments);
	char name[107], shown[600], *rest, *line;
	int n_dropped = 0, n_lines = 0;

	for (int i = 0; i < NAMES; i++)
		send_from_name(name, make_name(name, i));
	stop(pid);

	rest = read_log(log);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		const char *text = text_of(line, format);

		ck_assert_msg(is_printable_line(line) && text != NULL,
		    "line: %s", line);
		n_lines++;
		if (strstr(text, "dropped (too_long)") == NULL)
			continue;
		uxs_escape(shown, sizeof(shown), name,
		    make_name(name, n_dropped++));
		ck_assert_msg(strstr(text, shown) != NULL, "%s is not in %s",
		    shown, text);
	}
	ck_assert_int_eq(n_dropped, NAMES);
	/* sandbox, serving, draining, figures, stopped */
	ck_assert_int_eq(n_lines, NAMES + 5);
	close(log);
}
END_TEST

/* ---- readers that do not read ---- */

static void
serves_many(void)
{
	for (int i = 0; i < 30; i++) {
		const int fd = client_connect(UXS_STREAM, harness_path("s"));

		SAYS(fd, "still there?");
		HEARS(fd, "still there?");
		close(fd);
	}
}

/* Fill it without O_NONBLOCK, which would be the service's too. */
static void
fill(int fd)
{
	static const char block[4096];

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	while (write(fd, block, 1) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
}

/* Row i: each form on a pipe, then on a socket. */
static void
open_sink(int i, int sink[2])
{
	if (i < N_OF(format_names))
		ck_assert_int_eq(pipe2(sink, O_CLOEXEC), 0);
	else
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
				     0, sink),
		    0);
}
#define N_SINKS (2 * N_OF(format_names))

START_TEST(full_stderr_does_not_block)
{
	const char *const arguments[] = { "-vv", "-l",
		format_names[_i % N_OF(format_names)], "s", NULL };
	int sink[2];
	pid_t pid;

	open_sink(_i, sink);
	pid = start_with_stderr(sink[1], arguments);
	fill(sink[1]);

	serves_many();
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	serves_many();

	stop(pid);
	close(sink[0]);
	close(sink[1]);
}
END_TEST

START_TEST(stderr_without_a_reader_ends_nothing)
{
	const char *const arguments[] = { "-vv", "-l",
		format_names[_i % N_OF(format_names)], "s", NULL };
	int sink[2];
	pid_t pid;

	open_sink(_i, sink);
	pid = start_with_stderr(sink[1], arguments);
	close(sink[0]);
	close(sink[1]);

	serves_many();

	stop(pid);
}
END_TEST

/* ---- syslog ---- */

static int
bind_syslog(const char *path)
{
	return bound_socket(UXS_DGRAM, path);
}

static const char *
receive_line(int fd)
{
	static char line[LOG_LINE_MAX + 1];
	const ssize_t n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void
log_line(struct logger *logger, const char *text)
{
	logger_write(logger, UXS_NOTICE, UXS_EVENT_LIFE, text);
}

static void
has_logged(int fd, const char *text)
{
	const char *line = receive_line(fd);
	const size_t n = strlen(line), n_text = strlen(text);

	ck_assert_msg(strncmp(line, "<29>", 4) == 0 && n > n_text &&
		strcmp(line + n - n_text, text) == 0,
	    "line: %s", line);
}

START_TEST(syslog_gets_a_datagram_for_each_line)
{
	const int syslog = bind_syslog("syslog");
	struct logger logger;

	ck_assert_int_eq(logger_open_syslog(&logger, "syslog"), 0);
	log_line(&logger, "first");
	log_line(&logger, "se\ncond");

	has_logged(syslog, "]: first");
	has_logged(syslog, "]: se\\012cond");
	ck_assert_str_eq(receive_line(syslog), "");
	logger_close(&logger);
	logger_close(&logger);
	close(syslog);
}
END_TEST

START_TEST(syslog_that_does_not_read_blocks_nobody)
{
	const int syslog = bind_syslog("syslog");
	struct logger logger;

	ck_assert_int_eq(logger_open_syslog(&logger, "syslog"), 0);
	for (int i = 0; i < 10000; i++)
		log_line(&logger, "is anybody reading?");

	has_logged(syslog, "]: is anybody reading?");
	logger_close(&logger);
	close(syslog);
}
END_TEST

START_TEST(syslog_may_come_late_and_start_anew)
{
	const int log = open_log_file(), stderr_before = dup(STDERR_FILENO);
	struct logger logger;
	int syslog;

	dup2(log, STDERR_FILENO);
	ck_assert_int_eq(logger_open_syslog(&logger, "syslog"), 0);
	log_line(&logger, "nobody is there");
	log_line(&logger, "still nobody");
	syslog = bind_syslog("syslog");
	log_line(&logger, "early");
	has_logged(syslog, "]: early");
	close(syslog);
	log_line(&logger, "nobody listens");
	ck_assert_int_eq(unlink("syslog"), 0);
	syslog = bind_syslog("syslog");

	log_line(&logger, "late");

	has_logged(syslog, "]: late");
	dup2(stderr_before, STDERR_FILENO);
	ck_assert_str_eq(read_log(log),
	    "uxecho: cannot log to syslog: No such file or directory; lines "
	    "are lost\n"
	    "uxecho: cannot log to syslog: Connection refused; lines are "
	    "lost\n");
	logger_close(&logger);
	close(stderr_before);
	close(syslog);
	close(log);
}
END_TEST

/* A /dev of this test's own, with what the service needs there. */
static bool
replace_dev(void)
{
	ck_assert_int_eq(mkdir("dev", 0755), 0);
	write_file("dev/null", "", 0666);
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("/dev/null", "dev/null", NULL, MS_BIND, NULL) == 0 &&
	    mount("dev", "/dev", NULL, MS_BIND | MS_REC, NULL) == 0;
}

START_TEST(service_logs_to_syslog_and_not_to_stderr)
{
	const char *const arguments[] = { "--syslog", "stream:s", NULL };
	const int log = open_log_file();
	int syslog;
	pid_t pid;

	if (!replace_dev()) {
		skip("needs a mount namespace, for another /dev");
		close(log);
		return;
	}
	syslog = bind_syslog("/dev/log");
	pid = start_with_stderr(log, arguments);
	serves_many();
	stop(pid);

	has_logged(syslog, "]: serving stream:s");
	has_logged(syslog, "]: draining: no new clients");
	ck_assert_str_eq(read_log(log), "");
	close(syslog);
	close(log);
}
END_TEST

START_TEST(service_without_a_syslog_says_so_once_and_serves)
{
	const char *const arguments[] = { "--syslog", "-vv", "s", NULL };
	const int log = open_log_file();
	pid_t pid;

	if (!replace_dev()) {
		skip("needs a mount namespace, for another /dev");
		close(log);
		return;
	}
	pid = start_with_stderr(log, arguments);
	serves_many();
	stop(pid);

	ck_assert_str_eq(read_log(log),
	    "uxecho: cannot log to /dev/log: No such file or directory; lines "
	    "are lost\n");
	close(log);
}
END_TEST

Suite *
suite_uxecho_log(void)
{
	Suite *suite = suite_create("uxecho log");
	TCase *form = harness_case(suite, "form");
	TCase *injection = harness_case(suite, "injection");
	TCase *readers = harness_case(suite, "readers");
	TCase *syslog = harness_case(suite, "syslog");

	tcase_add_loop_test(form, every_line_has_the_form_that_was_asked_for, 0,
	    N_OF(format_names));
	tcase_add_loop_test(form,
	    auto_is_the_journals_form_only_for_the_journal, 0, N_OF(streams));

	tcase_add_loop_test(injection, senders_cannot_write_into_the_log, 0,
	    N_OF(format_names));

	tcase_add_loop_test(readers, full_stderr_does_not_block, 0, N_SINKS);
	tcase_add_loop_test(readers, stderr_without_a_reader_ends_nothing, 0,
	    N_SINKS);

	tcase_add_test(syslog, syslog_gets_a_datagram_for_each_line);
	tcase_add_test(syslog, syslog_that_does_not_read_blocks_nobody);
	tcase_add_test(syslog, syslog_may_come_late_and_start_anew);
	tcase_add_test(syslog, service_logs_to_syslog_and_not_to_stderr);
	tcase_add_test(syslog,
	    service_without_a_syslog_says_so_once_and_serves);
	return suite;
}
