/* SPDX-License-Identifier: ISC */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

/* One for each module, in the order in which data flows. */
Suite *suite_address(void);
Suite *suite_units(void);
Suite *suite_log(void);
Suite *suite_access(void);
Suite *suite_rules(void);
Suite *suite_ledger(void);
Suite *suite_output(void);
Suite *suite_framing(void);
Suite *suite_place(void);
Suite *suite_probe(void);
Suite *suite_lock(void);
Suite *suite_peer(void);
Suite *suite_loop(void);
Suite *suite_foreign_loop(void);
Suite *suite_spin(void);
Suite *suite_yield(void);
Suite *suite_listener(void);
Suite *suite_return_path(void);
Suite *suite_share(void);
Suite *suite_server(void);
Suite *suite_handover(void);
Suite *suite_server_rules(void);
Suite *suite_bulk(void);
Suite *suite_server_bulk(void);
Suite *suite_server_memory(void);
Suite *suite_server_framing(void);
Suite *suite_fate(void);
Suite *suite_takeover(void);
Suite *suite_width(void);
Suite *suite_threads(void);
Suite *suite_moves(void);
Suite *suite_server_ends(void);
Suite *suite_server_figures(void);
Suite *suite_options(void);
Suite *suite_fault(void);
Suite *suite_log_line(void);
Suite *suite_uxecho_data(void);
Suite *suite_uxecho_services(void);
Suite *suite_uxecho_chat(void);
Suite *suite_uxecho_fault(void);
Suite *suite_exec(void);
Suite *suite_uxecho_loopback(void);
Suite *suite_uxecho_udp(void);
Suite *suite_uxecho_life(void);
Suite *suite_uxecho_lost(void);
Suite *suite_uxecho_stop(void);
Suite *suite_uxecho_spin(void);
Suite *suite_stats(void);
Suite *suite_title(void);
Suite *suite_uxecho_threads(void);
Suite *suite_uxecho_access(void);
Suite *suite_hostile_peers(void);
Suite *suite_hostile_clients(void);
Suite *suite_hostile_passing(void);
Suite *suite_hostile_shortage(void);
Suite *suite_uxecho_rules(void);
Suite *suite_uxecho_log(void);
Suite *suite_activation(void);
Suite *suite_privileges(void);
Suite *suite_sandbox(void);
Suite *suite_background(void);
Suite *suite_upgrade(void);
Suite *suite_notify(void);

/* uxping's: its own rooms, then the program. */
Suite *suite_histogram(void);
Suite *suite_payload(void);
Suite *suite_exposition(void);
Suite *suite_report(void);
Suite *suite_bench(void);
Suite *suite_uxping_options(void);
Suite *suite_uxping_packet(void);
Suite *suite_uxping_summary(void);
Suite *suite_uxping_json(void);
Suite *suite_uxping_diagnose(void);
Suite *suite_uxping_interactive(void);
Suite *suite_uxping_stats(void);
Suite *suite_uxping_framing(void);
Suite *suite_uxping_trouble(void);
Suite *suite_uxping(void);
Suite *suite_uxping_documents(void);

/* The benchmark of tests/bench. */
Suite *suite_bench_figures(void);
Suite *suite_bench_results(void);

/* And what is said of both. */
Suite *suite_library(void);
Suite *suite_install(void);
Suite *suite_programs(void);
Suite *suite_library_manuals(void);
Suite *suite_documents(void);
Suite *suite_completions(void);
Suite *suite_service_units(void);
Suite *suite_examples(void);

#endif
