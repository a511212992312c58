/* SPDX-License-Identifier: ISC */
/* What the benchmark writes: from figures that are made up, and from a run. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/head.h"
#include "bench/markdown.h"
#include "bench/picture.h"
#include "bench/results.h"
#include "bench/subjects.h"
#include "documents.h"
#include "harness.h"
#include "suites.h"

#define N_ROUNDS 5

static struct results results;
static struct head head;
static char *text;
static size_t text_size;
static FILE *out;

static size_t
subject(const char *name)
{
	return (size_t)subject_find(name, strlen(name));
}

static size_t
workload(const char *name)
{
	return (size_t)workload_find(name);
}

static void
open_results(void)
{
	head = (struct head){
		.machine = "AMD <EPYC> | 7",
		.kernel = "Linux 6.18.0 x86_64",
		.date = "2026-11-23 12:00 UTC",
		.n_rounds = N_ROUNDS,
		.duration_ns = 1500000000,
		.n_processors = 2,
		.versions = calloc(n_subjects, HEAD_TEXT_MAX),
	};
	ck_assert_ptr_nonnull(head.versions);
	for (size_t i = 0; i < n_subjects; i++)
		strcpy(head.versions[i], "1.0");
	strcpy(head.versions[subject("node")], "");
	ck_assert_int_eq(results_open(&results, N_ROUNDS), 0);
	out = open_memstream(&text, &text_size);
	ck_assert_ptr_nonnull(out);
}

static void
close_results(void)
{
	fclose(out);
	free(text);
	free(head.versions);
	results_close(&results);
}

/* value, a little less and a little more, in the rounds. */
static void
put(const char *workload_name, const char *name, enum metric metric,
    double value)
{
	struct figures figures;

	figures_clear(&figures);
	for (size_t round = 0; round < N_ROUNDS; round++) {
		figures.value[metric] = value * (0.98 + 0.01 * (double)round);
		results_add(&results, workload(workload_name), subject(name),
		    round, &figures);
	}
}

static void
write_markdown(void)
{
	ck_assert_int_eq(markdown_write(out, &head, &results), 0);
}

#define SAYS_THAT(line) ck_assert_ptr_nonnull(strstr(text, line))
#define SAYS_NOT(line) ck_assert_ptr_null(strstr(text, line))

/* ---- RESULTS.md ---- */

START_TEST(results_say_where_and_when)
{
	write_markdown();

	SAYS_THAT("\n| machine | AMD \\<EPYC\\> \\| 7, 2 processors |\n");
	SAYS_THAT("\n| kernel | Linux 6.18.0 x86\\_64 |\n");
	SAYS_THAT("\n| date | 2026-11-23 12:00 UTC |\n");
	SAYS_THAT("\n| rounds | 5 of 1.5 s each |\n");
	SAYS_THAT("\n| libev | 1.0 |\n");
	SAYS_THAT("\n| node | not here |\n");
	SAYS_THAT("\n    make deps bench-deps bench\n");
}
END_TEST

START_TEST(results_have_a_row_with_ratios_for_each_server)
{
	put("bulk-64k-1", "epoll", METRIC_CPU_BULK, 200000);
	put("bulk-64k-1", "uxecho", METRIC_CPU_BULK, 100000);
	put("bulk-64k-1", "threads", METRIC_CPU_BULK, 400000);

	write_markdown();

	SAYS_THAT("\n## bulk, writes of 64k, 1 stream(s)\n");
	SAYS_THAT("\n| server | CPU per MB | ratio | throughput | ratio | busy "
		  "|\n|---|---:|---:|---:|---:|---:|\n"
		  "| bare epoll loop | 200 us | 1 | - | - | - |\n"
		  "| uxecho | 100 us | 0.50 (0.50 to 0.50) | - | - | - |\n"
		  "| thread per connection | 400 us | 2.00 (2.00 to 2.00) | - "
		  "| - | - |\n");
	SAYS_NOT("## one connection\n");
}
END_TEST

START_TEST(results_say_which_goals_are_missed)
{
	put("stream-16", "epoll", METRIC_CPU, 4000);
	put("stream-16", "uxecho", METRIC_CPU, 4100);
	put("stream-256", "epoll", METRIC_CPU, 4000);
	put("stream-256", "uxecho", METRIC_CPU, 4400);
	put("memory-10000", "uxecho", METRIC_MEMORY, 200);

	write_markdown();

	SAYS_THAT("\n| 64 B stream, 16 connections | CPU per message | at most "
		  "1.05 | 1.025 (1.025 to 1.025) | bare epoll loop | met |\n");
	SAYS_THAT(
	    "\n| 64 B stream, 256 connections | CPU per message | at most "
	    "1.05 | 1.100 (1.100 to 1.100) | bare epoll loop | **missed** "
	    "|\n");
	SAYS_THAT("\n| 64 B stream, 1000 connections | CPU per message | at "
		  "most 1.05 | - | bare epoll loop | not measured |\n");
	SAYS_THAT(
	    "\n| 10000 idle connections | memory per connection | at most "
	    "256 B | 200 B (198 B to 202 B) | - | met |\n");
}
END_TEST

START_TEST(results_say_when_rounds_are_missing)
{
	struct figures figures;

	put("stream-16", "epoll", METRIC_CPU, 4000);
	put("stream-16", "uxecho", METRIC_CPU, 4000);
	figures_clear(&figures);
	results_add(&results, workload("stream-16"), subject("uxecho"), 1,
	    &figures);

	write_markdown();

	SAYS_THAT("| bare epoll loop | met, in 4 of 5 rounds |\n");
	SAYS_THAT("this is a first look.\n");
}
END_TEST

START_TEST(results_of_enough_rounds_are_more_than_a_look)
{
	head.n_rounds = 10;
	head.duration_ns = 1000000000;

	write_markdown();

	SAYS_NOT("this is a first look.\n");
}
END_TEST

START_TEST(results_say_why_something_is_missing)
{
	put("latency", "uxecho", METRIC_CPU, 4000);
	results_explain(&results, workload("latency"), subject("uxecho"),
	    "uxping: timeout");
	results_explain(&results, workload("latency"), subject("blocking"),
	    "it ended: a|b_c");
	results_explain(&results, workload("latency"), subject("node"),
	    "node is not there");

	write_markdown();

	SAYS_THAT("\nuxecho failed in some rounds: uxping: timeout.\n");
	SAYS_THAT("\none blocking client was not measured: it ended: "
		  "a\\|b\\_c.\n");
	SAYS_NOT("node is not there"); /* the list above has it */
	SAYS_THAT("| one blocking client | - | - |");
}
END_TEST

START_TEST(results_that_cannot_be_written_are_an_error)
{
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(markdown_write(full, &head, &results), -EIO);
	put("stream-16", "epoll", METRIC_CPU, 4000);
	ck_assert_int_eq(picture_write(full, &head, &results,
			     workload("stream-16")),
	    -EIO);
	fclose(full);
}
END_TEST

/* ---- the picture ---- */

static void
assert_is_xml(const char *file)
{
	static const char script[] =
	    "command -v xmllint >/dev/null || exit 99\n"
	    "exec xmllint --noout \"$0\"";
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", script, file, NULL };

	run_program(&result, argv);
	if (result.status == 99)
		skip("needs xmllint, to judge XML");
	else
		ck_assert_msg(result.status == 0, "%s: %s", file, result.err);
}

START_TEST(picture_has_a_row_for_each_server_in_order)
{
	const char *ours, *base, *libevent, *libuv;

	put("stream-16", "epoll", METRIC_CPU, 4000);
	put("stream-16", "libuv", METRIC_CPU, 10000);
	put("stream-16", "libevent", METRIC_CPU, 4400); /* after libuv */
	put("stream-16", "uxecho", METRIC_CPU, 3900);
	put("stream-16", "socat", METRIC_CPU, 1000000);

	ck_assert_int_eq(picture_write(out, &head, &results,
			     workload("stream-16")),
	    0);

	ours = strstr(text, ">uxecho<");
	base = strstr(text, ">bare epoll loop<");
	libevent = strstr(text, ">libevent, raw<");
	libuv = strstr(text, ">libuv, plain<");
	ck_assert_ptr_nonnull(ours);
	ck_assert_ptr_nonnull(libuv);
	ck_assert_int_gt(base - ours, 0);
	ck_assert_int_gt(libevent - base, 0);
	ck_assert_int_gt(libuv - libevent, 0);
	SAYS_THAT(">0.97<");
	SAYS_THAT(">2.50<");
	SAYS_THAT(">250.0<");
	SAYS_NOT(">libev<");
	SAYS_NOT("nan");
	SAYS_NOT("inf");
	SAYS_THAT("prefers-color-scheme: dark");
	SAYS_THAT("AMD &#60;EPYC&#62; | 7");
	write_file("x.svg", text, 0644);
	assert_is_xml("x.svg");
}
END_TEST

START_TEST(picture_of_nothing_is_none)
{
	put("stream-16", "uxecho", METRIC_CPU, 3900); /* no yardstick */

	ck_assert_int_eq(picture_write(out, &head, &results,
			     workload("stream-16")),
	    1);

	fflush(out);
	ck_assert_str_eq(text, "");
}
END_TEST

/* ---- a run ---- */

static const char *
build_folder(void)
{
	static char folder[1024];

	strlcpy(folder, program("uxecho"), sizeof(folder));
	*strrchr(folder, '/') = '\0';
	return folder;
}

/* Short, but long enough for an answer where many others run, too; in one
 * round of the two. Results come into the test's own folder. */
static void
run_bench(struct output_of *result, const char *build, const char *workloads_,
    const char *subjects_)
{
	const char *const argv[] = { "bench_run", "-r", "2", "-d", "300ms",
		"-b", build, "-w", workloads_, "-s", subjects_, NULL };

	run_program(result, argv);
}

static char *
read_results(void)
{
	char *written = NULL;
	size_t size = 0;
	FILE *file = fopen("RESULTS.md", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(getdelim(&written, &size, '\0', file), 0);
	fclose(file);
	return written;
}

static void
keep_temporary_files_here(void)
{
	setenv("TMPDIR", harness_path("."), 1);
}

/* Rows of uxecho that begin with a figure. */
static int
count_rows(const char *written)
{
	static const char row[] = "\n| uxecho | ";
	int n = 0;

	for (const char *at = written; (at = strstr(at, row)) != NULL;) {
		at += strlen(row);
		n += *at >= '0' && *at <= '9';
	}
	return n;
}

START_TEST(run_measures_uxecho_and_the_bare_loop)
{
	struct output_of result;
	char *written;

	run_bench(&result, build_folder(),
	    "stream-16,bulk-64k-1,memory-1000,start,idle", "uxecho,epoll");

	ck_assert_msg(result.status == 0, "%s%s", result.out, result.err);
	ck_assert_ptr_nonnull(strstr(result.out, "RESULTS.md\n"));
	ck_assert_ptr_nonnull(strstr(result.out, "results.svg\n"));
	written = read_results();
	ck_assert_ptr_null(strstr(written, "was not measured"));
	ck_assert_int_eq(count_rows(written), 5);
	assert_is_xml("results.svg");
	ck_assert_int_eq(count_files(), 2);
	free(written);
}
END_TEST

/* 1000 connections are held in each round, of which only one has room. */
START_TEST(run_lets_go_of_the_connections_that_it_held)
{
	static const char script[] =
	    "ulimit -n 1200 && exec \"$0\" -r 2 -d 300ms -b \"$1\" "
	    "-w memory-1000 -s epoll";
	struct output_of result;
	const char *build = build_folder();
	const char *const argv[] = { "/bin/sh", "-c", script,
		program("bench_run"), build, NULL };

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_null(strstr(result.out, "failed"));
	ck_assert_ptr_nonnull(strstr(result.out, "memory-1000"));
}
END_TEST

START_TEST(run_goes_on_when_a_peer_fails)
{
	struct output_of result;
	char *written;

	ck_assert_int_eq(mkdir("bench", 0755), 0);
	ck_assert_int_eq(mkdir("bench/peers", 0755), 0);
	ck_assert_int_eq(symlink(program("uxecho"), "uxecho"), 0);
	ck_assert_int_eq(symlink(program("uxping"), "uxping"), 0);
	write_file("bench/peers/epoll",
	    "#!/bin/sh\necho no luck today >&2\nexit 3\n", 0755);

	run_bench(&result, ".", "stream-16", "uxecho,epoll,libev");

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "SKIPPED libev: ./bench/peers/libev is not there\n"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "epoll failed: it ended: no luck today\n"));
	written = read_results();
	ck_assert_ptr_nonnull(strstr(written,
	    "bare epoll loop was not measured: it ended: no luck today.\n"));
	ck_assert_int_eq(count_rows(written), 1);
	ck_assert_int_lt(access("results.svg", F_OK), 0);
	free(written);
}
END_TEST

START_TEST(run_goes_on_when_uxping_does_not_run)
{
	struct output_of result;
	char peer[1100];

	ck_assert_int_eq(mkdir("bench", 0755), 0);
	ck_assert_int_eq(mkdir("bench/peers", 0755), 0);
	ck_assert_int_eq(symlink(program("uxecho"), "uxecho"), 0);
	snprintf(peer, sizeof(peer), "%s/bench/peers/epoll", build_folder());
	ck_assert_int_eq(symlink(peer, "bench/peers/epoll"), 0);
	write_file("uxping", "#!/bin/sh\nexit 1\n", 0755);

	run_bench(&result, ".", "stream-16", "uxecho,epoll");

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "uxecho failed: uxping did not run\n"));
}
END_TEST

struct interruption {
	int out;
};

static void
run_forever(void *arg)
{
	const struct interruption *i = arg;
	const char *build = build_folder();
	const char *path = program("bench_run");

	dup2(i->out, STDOUT_FILENO);
	dup2(i->out, STDERR_FILENO);
	execl(path, path, "-d", "60s", "-b", build, "-w", "stream-16", "-s",
	    "uxecho,epoll", (char *)NULL);
}

START_TEST(run_that_is_interrupted_leaves_nothing)
{
	struct interruption i;
	int ends[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	i.out = ends[1];
	pid = start_child(run_forever, &i);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1); /* it has begun */
	kill(pid, SIGTERM);

	ck_assert_int_eq(wait_child(pid), 1);
	ck_assert_int_eq(count_files(), 0);
	close(ends[0]);
}
END_TEST

START_TEST(run_that_could_not_be_written_does_not_begin)
{
	struct output_of result;
	const char *const argv[] = { "bench_run", "-b", build_folder(), "-o",
		"nowhere", NULL };

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 73);
	ck_assert_str_eq(result.out, "");
	ck_assert_str_eq(result.err,
	    "bench_run: nowhere: cannot write results there: No such file or "
	    "directory\n");
}
END_TEST

START_TEST(run_without_uxping_says_what_is_missing)
{
	struct output_of result;

	run_bench(&result, "nowhere", "stream-16", "epoll");

	ck_assert_int_eq(result.status, 66);
	ck_assert_str_eq(result.err,
	    "bench_run: nowhere/uxping: cannot use it; build it, or tell with -b "
	    "where it is: No such file or directory\n");
}
END_TEST

Suite *
suite_bench_results(void)
{
	Suite *suite = suite_create("bench_results");
	TCase *markdown = harness_case(suite, "markdown");
	TCase *picture = harness_case(suite, "picture");
	TCase *run = harness_case(suite, "run");

	tcase_add_checked_fixture(markdown, open_results, close_results);
	tcase_add_test(markdown, results_say_where_and_when);
	tcase_add_test(markdown,
	    results_have_a_row_with_ratios_for_each_server);
	tcase_add_test(markdown, results_say_which_goals_are_missed);
	tcase_add_test(markdown, results_say_when_rounds_are_missing);
	tcase_add_test(markdown, results_of_enough_rounds_are_more_than_a_look);
	tcase_add_test(markdown, results_say_why_something_is_missing);
	tcase_add_test(markdown, results_that_cannot_be_written_are_an_error);

	tcase_add_checked_fixture(picture, open_results, close_results);
	tcase_add_test(picture, picture_has_a_row_for_each_server_in_order);
	tcase_add_test(picture, picture_of_nothing_is_none);

	tcase_add_checked_fixture(run, keep_temporary_files_here, NULL);
	tcase_add_test(run, run_measures_uxecho_and_the_bare_loop);
	tcase_add_test(run, run_lets_go_of_the_connections_that_it_held);
	tcase_add_test(run, run_goes_on_when_a_peer_fails);
	tcase_add_test(run, run_goes_on_when_uxping_does_not_run);
	tcase_add_test(run, run_that_is_interrupted_leaves_nothing);
	tcase_add_test(run, run_that_could_not_be_written_does_not_begin);
	tcase_add_test(run, run_without_uxping_says_what_is_missing);
	return suite;
}
