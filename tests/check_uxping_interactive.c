/* SPDX-License-Identifier: ISC */
/* uxping -I as a filter: all bytes, both ways, and then the end. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foreign.h"
#include "harness.h"
#include "suites.h"

/* Run "uxping -I address <in >out 2>err" in the test's directory. Through
 * files, so that nobody has to read while somebody writes. */
static int
filter(const char *address)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(open("in", O_RDONLY), STDIN_FILENO);
		dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    STDOUT_FILENO);
		dup2(open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    STDERR_FILENO);
		execl(program("uxping"), "uxping", "-I", address, (char *)NULL);
		_exit(127);
	}
	return wait_child(pid);
}

static void
write_random(const char *name, size_t n)
{
	unsigned char *data = malloc(n + 1);
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(data);
	fill_random(data, n, 7);
	ck_assert_uint_eq(fwrite(data, 1, n, file), n);
	fclose(file);
	free(data);
}

static void
assert_same(const char *one, const char *other)
{
	FILE *a = fopen(one, "r"), *b = fopen(other, "r");
	long at = 0;
	int c;

	/* No assertion for each: one that passes is told to the parent, too. */
	do {
		c = getc(a);
		if (getc(b) != c)
			ck_abort_msg("%s and %s differ at %ld", one, other, at);
		at++;
	} while (c != EOF);
	fclose(a);
	fclose(b);
}

static const size_t lengths[] = { 0, 1, 4096, 3000000 };

START_TEST(every_byte_of_a_file_goes_there_and_back)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s");

	write_random("in", lengths[_i]);
	ck_assert_int_eq(filter("s"), 0);

	assert_same("in", "out");
	foreign_kill(server);
}
END_TEST

START_TEST(a_pipe_is_read_to_its_end)
{
	pid_t server = foreign_start(FOREIGN_ECHO, UXS_STREAM, "s"), writer;
	int fd;

	ck_assert_int_eq(mkfifo("in", 0600), 0);
	fflush(NULL);
	if ((writer = fork()) == 0) {
		fd = open("in", O_WRONLY);
		_exit(write(fd, "hello\n", 6) == 6 ? 0 : 1);
	}
	ck_assert_int_eq(filter("s"), 0);

	ck_assert_int_eq(wait_child(writer), 0);
	assert_file_says("out", "hello\n");
	foreign_kill(server);
}
END_TEST

START_TEST(a_line_is_a_message_where_there_are_messages)
{
	const enum uxs_type type = _i == 0 ? UXS_SEQPACKET : UXS_DGRAM;
	pid_t server = foreign_start(FOREIGN_TWICE, type, "s");

	write_file("in", "one\ntwo\nthree", 0600);
	ck_assert_int_eq(filter("s"), 0);

	assert_file_says("out", "one\none\ntwo\ntwo\nthreethree");
	foreign_kill(server);
}
END_TEST

START_TEST(a_server_that_closes_at_once_is_no_success)
{
	pid_t server = foreign_start(FOREIGN_CLOSES, UXS_STREAM, "s");

	write_file("in", "hello\n", 0600);

	ck_assert_int_eq(filter("s"), 1);
	foreign_kill(server);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_diagnosed)
{
	write_file("in", "", 0600);

	ck_assert_int_eq(filter("s"), 1);

	assert_file_says("err",
	    "uxping: s: no-such-file: s does not exist; start the server, or "
	    "wait for it with --wait\n");
}
END_TEST

Suite *
suite_uxping_interactive(void)
{
	Suite *suite = suite_create("uxping_interactive");
	TCase *tcase = harness_case(suite, "filter");

	tcase_add_loop_test(tcase, every_byte_of_a_file_goes_there_and_back, 0,
	    sizeof(lengths) / sizeof(lengths[0]));
	tcase_add_test(tcase, a_pipe_is_read_to_its_end);
	tcase_add_loop_test(tcase, a_line_is_a_message_where_there_are_messages,
	    0, 2);
	tcase_add_test(tcase, a_server_that_closes_at_once_is_no_success);
	tcase_add_test(tcase, a_server_that_is_not_there_is_diagnosed);
	return suite;
}
