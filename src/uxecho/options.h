/* SPDX-License-Identifier: ISC */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include <uxsrv/access.h>
#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/server.h>

#include "exec.h"
#include "fault.h"
#include "log_line.h"
#include "privileges.h"
#include "rules.h"

struct named_service;

/* What the command line asks for. */
struct options {
	struct uxs_server_conf conf; /* addresses and access point below */
	struct uxs_address *addresses; /* owned; conf.n_addresses of them */
	struct rules rules;
	struct uxs_access access; /* what they say */
	const struct named_service *service;
	const char **literals; /* what is no option; owned */
	size_t n_literals;
	char *const *program; /* of the service exec, else NULL; borrowed */
	struct exec_program exec; /* the same, found */
	const char *message_option; /* one that it has no use for; or NULL */
	enum uxs_level max_level; /* of log lines */
	enum log_format log_format; /* N_LOG_FORMATS: as stderr wants it */
	bool is_syslog;
	struct privileges privileges; /* whom to become */
	const char *pidfile; /* borrowed; NULL: none */
	struct uxs_address stats[UXS_ADDRESS_MAX]; /* the first, if any */
	bool has_stats;
	struct fault fault; /* what is to go wrong */
	struct uxs_fates fates; /* the same, for the server */
	bool is_forced; /* --force */
	bool is_daemon; /* --daemon */
	bool is_unconfined; /* --no-sandbox */
	int ready_fd; /* -1: nobody waits to be told */
	bool is_check; /* --check */
	const char *as; /* whom to judge then; borrowed, NULL: nobody */
	bool is_help, is_version;
};

/*
 * Read the command line, but no file that it names, into *options, which
 * options_fini frees in any case and which keeps pointing into argv.
 * Returns 0, or a negative errno with *why (kind usage). --help and --version
 * end the parsing: nothing behind them can be wrong.
 */
int options_parse(struct options *options, int argc, char *argv[],
    struct uxs_error *why);

/*
 * Read the rules into options->access, files and all, and see whether they fit
 * the rest: addresses, and the sockets that conf.activation inherited. Returns 0, or a negative errno with *why.
 */
int options_load_rules(struct options *options, struct uxs_error *why);

void options_fini(struct options *options);

/* As they are written, by enum uxs_on_lost. */
#define N_ON_LOST 3
extern const char *const on_lost_names[N_ON_LOST];

/* What --help prints. */
void options_help(FILE *out);

/* For those who make completions and compare manuals: the n-th option, or
 * false. letter is 0, argument NULL where there is none. */
struct option_text {
	int letter;
	const char *name, *argument, *help;
};
bool options_text(size_t n, struct option_text *text);

#endif
