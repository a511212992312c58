/* SPDX-License-Identifier: ISC */
/* What a run stands on: a private directory, descriptors, processors. */
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

volatile sig_atomic_t bench_is_interrupted;

int
bench_fail(struct bench *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, sizeof(b->why), format, args);
	va_end(args);
	return -1;
}

static void
on_signal(int number)
{
	bench_is_interrupted = 1;
}

static void
catch_signals(void)
{
	/* Without SA_RESTART: what waits, wakes up. */
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
raise_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The last processor is the server's: the first has more to do for others. */
static void
share_processors(struct bench *bench)
{
	bool is_first = true;

	if (sched_getaffinity(0, sizeof(bench->all), &bench->all) < 0)
		err(71, "cannot tell the processors");
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &bench->all))
			continue;
		if (is_first)
			CPU_SET(i, &bench->client);
		is_first = false;
		CPU_ZERO(&bench->server);
		CPU_SET(i, &bench->server);
	}
	sched_setaffinity(0, sizeof(bench->client), &bench->client);
}

/* Below TMPDIR where that leaves room: the path of a socket is short. */
static void
name_directory(struct bench *bench)
{
	static const char name[] = "uxecho-bench.XXXXXX";
	const char *above = getenv("TMPDIR");

	if (above == NULL || above[0] != '/' ||
	    strlen(above) + 1 + sizeof(name) > sizeof(bench->directory))
		above = "/tmp";
	snprintf(bench->directory, sizeof(bench->directory), "%s/%s", above,
	    name);
}

void
bench_open(struct bench *bench)
{
	char uxping[4096];

	catch_signals();
	snprintf(uxping, sizeof(uxping), "%s/uxping", bench->build);
	if ((bench->uxping_fd = open(uxping, O_PATH | O_CLOEXEC)) < 0)
		err(66,
		    "%s: cannot use it; build it, or tell with -b where it "
		    "is",
		    uxping);
	name_directory(bench);
	if (mkdtemp(bench->directory) == NULL ||
	    chmod(bench->directory, 0755) < 0)
		err(73, "%s: cannot make it", bench->directory);
	snprintf(bench->path, sizeof(bench->path), "%s/s", bench->directory);
	snprintf(bench->log, sizeof(bench->log), "%s/log", bench->directory);
	raise_descriptors();
	share_processors(bench);
	/* A pause of 20 us is not to be one of 70. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

static int
remove_entry(const char *path, const struct stat *status, int type,
    struct FTW *where)
{
	return remove(path);
}

void
bench_close(struct bench *bench)
{
	nftw(bench->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	close(bench->uxping_fd);
}
