/* SPDX-License-Identifier: ISC */
/* uxping: is that Unix socket alive, how fast, and if not, why not? */
#include <err.h>
#include <signal.h>
#include <stdio.h>

#include "bench.h"
#include "interactive.h"
#include "options.h"
#include "ping.h"
#include "scrape.h"

static int
run(const struct options *options)
{
	switch (options->action) {
	case OPTIONS_PING:
		return ping_run(options);
	case OPTIONS_BENCH:
		return bench_run(options);
	case OPTIONS_INTERACTIVE:
		return interactive_run(options);
	case OPTIONS_STATS:
		return scrape_run(options);
	case OPTIONS_HELP:
		options_print_help(stdout);
		return 0;
	case OPTIONS_VERSION:
		puts("uxping " UXECHO_VERSION);
		return 0;
	}
	return 2;
}

int
main(int argc, char *argv[])
{
	struct options options;
	char why[OPTIONS_WHY_MAX];
	int status;

	if (options_read(argc, argv, &options, why) < 0)
		errx(2, "%s", why);
	/* A reader that goes away is noticed at the next write; dying of it
	 * would leave return addresses behind. */
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = run(&options);
	return fflush(stdout) == 0 ? status : 2;
}
