/* SPDX-License-Identifier: ISC */
/*
 * Runs every suite; CK_RUN_SUITE and CK_RUN_CASE choose some of them, and so
 * does TESTS_PART: 2/3 is the second of three parts, for as many processors.
 */
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "suites.h"

#define ADD(suite) add(runner, suite)

static int part = 1, n_parts = 1;

static void
read_part(void)
{
	const char *text = getenv("TESTS_PART");
	char end;

	if (text != NULL &&
	    (sscanf(text, "%d/%d%c", &part, &n_parts, &end) != 2 || part < 1 ||
		part > n_parts))
		errx(EXIT_FAILURE, "TESTS_PART is not a part: '%s'", text);
}

static bool
is_next_ours(void)
{
	static int n_suites;

	return n_suites++ % n_parts == part - 1;
}

static void
add(SRunner *runner, Suite *(*suite)(void))
{
	if (is_next_ours())
		srunner_add_suite(runner, suite());
}

static void
add_library(SRunner *runner)
{
	ADD(suite_address);
	ADD(suite_units);
	ADD(suite_log);
	ADD(suite_access);
	ADD(suite_rules);
	ADD(suite_ledger);
	ADD(suite_output);
	ADD(suite_framing);
	ADD(suite_place);
	ADD(suite_probe);
	ADD(suite_lock);
	ADD(suite_peer);
	ADD(suite_loop);
	ADD(suite_foreign_loop);
	ADD(suite_spin);
	ADD(suite_yield);
	ADD(suite_listener);
	ADD(suite_return_path);
	ADD(suite_share);
	ADD(suite_server);
	ADD(suite_handover);
	ADD(suite_server_rules);
	ADD(suite_bulk);
	ADD(suite_server_bulk);
	ADD(suite_server_memory);
	ADD(suite_server_framing);
	ADD(suite_fate);
	ADD(suite_takeover);
	ADD(suite_width);
	ADD(suite_threads);
	ADD(suite_moves);
	ADD(suite_server_ends);
	ADD(suite_server_figures);
}

static void
add_uxecho(SRunner *runner)
{
	ADD(suite_options);
	ADD(suite_fault);
	ADD(suite_log_line);
	ADD(suite_uxecho_data);
	ADD(suite_uxecho_services);
	ADD(suite_uxecho_chat);
	ADD(suite_uxecho_fault);
	ADD(suite_exec);
	ADD(suite_uxecho_loopback);
	ADD(suite_uxecho_udp);
	ADD(suite_uxecho_life);
	ADD(suite_uxecho_lost);
	ADD(suite_uxecho_stop);
	ADD(suite_uxecho_spin);
	ADD(suite_stats);
	ADD(suite_title);
	ADD(suite_uxecho_threads);
	ADD(suite_uxecho_access);
	ADD(suite_hostile_peers);
	ADD(suite_hostile_clients);
	ADD(suite_hostile_passing);
	ADD(suite_hostile_shortage);
	ADD(suite_uxecho_rules);
	ADD(suite_uxecho_log);
	ADD(suite_activation);
	ADD(suite_privileges);
	ADD(suite_sandbox);
	ADD(suite_background);
	ADD(suite_upgrade);
	ADD(suite_notify);
}

static void
add_uxping(SRunner *runner)
{
	ADD(suite_histogram);
	ADD(suite_payload);
	ADD(suite_exposition);
	ADD(suite_report);
	ADD(suite_bench);
	ADD(suite_uxping_options);
	ADD(suite_uxping_packet);
	ADD(suite_uxping_summary);
	ADD(suite_uxping_json);
	ADD(suite_uxping_diagnose);
	ADD(suite_uxping_interactive);
	ADD(suite_uxping_stats);
	ADD(suite_uxping_framing);
	ADD(suite_uxping_trouble);
	ADD(suite_uxping);
	ADD(suite_uxping_documents);
}

/* What is said of all of them. */
static void
add_documents(SRunner *runner)
{
	ADD(suite_bench_figures);
	ADD(suite_bench_results);
	ADD(suite_library);
	ADD(suite_install);
	ADD(suite_programs);
	ADD(suite_library_manuals);
	ADD(suite_documents);
	ADD(suite_completions);
	ADD(suite_service_units);
	ADD(suite_examples);
}

static SRunner *
all_suites(void)
{
	SRunner *runner = srunner_create(NULL);

	add_library(runner);
	add_uxecho(runner);
	add_uxping(runner);
	add_documents(runner);
	return runner;
}

int
main(void)
{
	SRunner *runner;
	char top[4096];
	int n_run, n_failed;

	if (getcwd(top, sizeof(top)) == NULL)
		return EXIT_FAILURE;
	/* Tests change directory, and programs are found from here. */
	setenv("UXECHO_TOP", top, 0);
	read_part();
	runner = all_suites();
	signal(SIGPIPE, SIG_IGN);
	harness_begin();
	srunner_run_all(runner, CK_ENV);
	n_run = srunner_ntests_run(runner);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	harness_end();
	/* Nothing is what a misspelt CK_RUN_SUITE chooses. */
	return n_run > 0 && n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
