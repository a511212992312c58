/* SPDX-License-Identifier: ISC */
/*
 * What idle connections cost, the server and those who are not idle: "make
 * bench-idle".
 *
 * Two servers run side by side. One gets so many connections, each of which is
 * answered once and silent since; then one more client of each sends 56 bytes
 * and waits for the answer, over and over, the two in turn and in short turns,
 * so that what disturbs the machine for a while disturbs both. No part of the
 * tests: what it takes depends on the machine.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "client.h"
#include "quartiles.h"
#include "usage.h"

#define SAMPLES_MAX 400000
#define SECOND_NS INT64_C(1000000000)
#define TURN_NS (SECOND_NS / 4)
#define REST_NS (5 * SECOND_NS)
#define CALM_LIMIT 10

/* Descriptors that are no idle connection: log, lock, sockets, epoll. */
#define OTHER_DESCRIPTORS 64

/* Ours for each connection; and of silence, after a second or two. */
#define GOAL_BYTES 256.0
#define GOAL_REST_NS 0.0

enum figure { FIGURE_P50, FIGURE_P99, FIGURE_CPU, N_FIGURES };

struct served {
	const char *name; /* of its socket */
	pid_t pid;
	int active;
	double figures[N_FIGURES][ROUNDS_MAX];
};

static int64_t samples[SAMPLES_MAX];
static struct bench bench;
static size_t n_idle, n_rounds;

/* ---- the server ---- */

static void
go_to(const char *name)
{
	snprintf(bench.path, sizeof(bench.path), "%s/%s", bench.directory,
	    name);
}

static void
start_server(struct served *server)
{
	char program[4096], number[16], per_user[24], byte;
	int ready[2];

	snprintf(program, sizeof(program), "%s/uxecho", bench.build);
	snprintf(per_user, sizeof(per_user), "%zu", n_idle + 1);
	go_to(server->name);
	if (pipe2(ready, O_CLOEXEC) < 0 || (server->pid = fork()) < 0)
		err(71, "cannot start");
	if (server->pid == 0) {
		fcntl(ready[1], F_SETFD, 0);
		snprintf(number, sizeof(number), "%d", ready[1]);
		sched_setaffinity(0, sizeof(bench.server), &bench.server);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(program, program, "-qq", "-C", per_user, "-R", number,
		    bench.path, (char *)NULL);
		err(71, "%s", program);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		errx(71, "%s did not start", program);
	close(ready[0]);
}

static void
stop_server(const struct served *server)
{
	int status;

	close(server->active);
	kill(server->pid, SIGTERM);
	if (waitpid(server->pid, &status, 0) < 0 || status != 0)
		errx(71, "the server ended with %d", status);
}

/* ---- those who are idle ---- */

static void
hold(int ready)
{
	int *fds = calloc(n_idle, sizeof(*fds));

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fds == NULL || client_hold(&bench, fds, n_idle) < 0)
		errx(71, "%s", fds == NULL ? "out of memory" : bench.why);
	if (write(ready, "!", 1) == 1)
		pause();
}

/* In a process of its own: a limit of descriptors is one of each process. */
static pid_t
start_holding(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		err(71, "cannot start the clients");
	if (pid == 0) {
		hold(ready[1]);
		_exit(71);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		errx(71, "the idle connections could not be made");
	close(ready[0]);
	return pid;
}

/* Or it was not they whom the active client was beside. */
static void
check_held(pid_t server)
{
	char path[64];
	size_t n = 0;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)server);
	if ((list = opendir(path)) == NULL)
		err(71, "%s", path);
	while (readdir(list) != NULL)
		n++;
	closedir(list);
	if (n < n_idle)
		errx(71, "the server has %zu descriptors left", n);
}

static void
stop_holding(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- the one who is not ---- */

static int
dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", bench.path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		err(71, "cannot connect");
	return fd;
}

static void
echo(int fd)
{
	char text[56] = "";

	/* What is sent at once comes back at once. */
	if (send(fd, text, sizeof(text), MSG_NOSIGNAL) != sizeof(text) ||
	    recv(fd, text, sizeof(text), MSG_WAITALL) != sizeof(text))
		errx(71, "the active client is not answered any more");
}

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
be_active(struct served *server, size_t round)
{
	const int64_t used = usage_cpu_ns(server->pid);
	int64_t before = bench_clock_ns(CLOCK_MONOTONIC), after;
	const int64_t end = before + bench.duration_ns;
	size_t n = 0, half, almost_all;

	for (; before < end && n < SAMPLES_MAX; before = after) {
		echo(server->active);
		after = bench_clock_ns(CLOCK_MONOTONIC);
		samples[n++] = after - before;
	}
	server->figures[FIGURE_CPU][round] =
	    (double)(usage_cpu_ns(server->pid) - used) / (double)n;
	half = n / 2;
	almost_all = n * 99 / 100;
	qsort(samples, n, sizeof(samples[0]), compare);
	server->figures[FIGURE_P50][round] = (double)samples[half];
	server->figures[FIGURE_P99][round] = (double)samples[almost_all];
}

/* Each is first in every other round. */
static void
take_turns(struct served *alone, struct served *beside)
{
	be_active(alone, 0);
	be_active(beside, 0);
	for (size_t i = 0; i < n_rounds; i++) {
		be_active(i % 2 == 0 ? alone : beside, i);
		be_active(i % 2 == 0 ? beside : alone, i);
	}
}

/* ---- what is printed ---- */

static const char *
judge(double value, double goal)
{
	return value <= goal ? "met" : "MISSED";
}

static double
cpu_over(pid_t server, int64_t time_ns)
{
	const int64_t before = usage_cpu_ns(server);

	bench_pause_ns(time_ns);
	return (double)(usage_cpu_ns(server) - before);
}

/* What was done last is told in the list of processes, once a second, and so
 * it is a second or two until nothing is left to do. */
static bool
print_silence(pid_t server)
{
	double used;

	for (int i = 0; i < CALM_LIMIT && cpu_over(server, SECOND_NS) > 0; i++)
		;
	used = cpu_over(server, REST_NS);
	printf("processor time, 5 s of silence     %9.2f ms     at most 0: "
	       "%s\n",
	    used / 1e6, judge(used, GOAL_REST_NS));
	return used <= GOAL_REST_NS;
}

static bool
print_memory(pid_t server, double rss, double kernels)
{
	const double n = (double)n_idle, now = usage_rss_bytes(server);
	const double ours = (now - rss) / n;

	printf("ours for each connection           %9.2f bytes  at most %.0f: "
	       "%s; RSS %.1f MB, then %.1f MB\n",
	    ours, GOAL_BYTES, judge(ours, GOAL_BYTES), rss / 1e6, now / 1e6);
	printf("the kernel's for each, both ends   %9.2f bytes\n",
	    (usage_kernel_bytes() - kernels) / n);
	fflush(stdout);
	return ours <= GOAL_BYTES;
}

static void
print_quartiles(struct quartiles q, double unit)
{
	printf(" %9.2f %9.2f %9.2f", q.low / unit, q.median / unit,
	    q.high / unit);
}

static void
print_turns(const struct served *alone, const struct served *beside)
{
	static const char *const names[N_FIGURES] = {
		[FIGURE_P50] = "p50, us",
		[FIGURE_P99] = "p99, us",
		[FIGURE_CPU] = "server, us",
	};

	printf("\none active client, quartiles and median of %zu rounds:\n"
	       "%-10s %29s %29s %29s\n",
	    n_rounds, "", "alone", "beside them", "ratio");
	for (size_t i = 0; i < N_FIGURES; i++) {
		const double *a = alone->figures[i], *b = beside->figures[i];

		printf("%-10s", names[i]);
		print_quartiles(quartiles_of(a, n_rounds), 1e3);
		print_quartiles(quartiles_of(b, n_rounds), 1e3);
		print_quartiles(quartiles_of_ratio(b, a, n_rounds), 1);
		printf("\n");
	}
}

static bool
run(void)
{
	static struct served alone = { .name = "alone" };
	static struct served beside = { .name = "beside" };
	bool is_met;
	double rss, kernels;
	pid_t holder;

	start_server(&alone);
	alone.active = dial();
	start_server(&beside);
	beside.active = dial();
	be_active(&beside, 0);
	rss = usage_rss_bytes(beside.pid);
	kernels = usage_kernel_bytes();
	holder = start_holding();
	is_met = print_memory(beside.pid, rss, kernels);
	is_met &= print_silence(beside.pid);
	take_turns(&alone, &beside);
	check_held(beside.pid);
	print_turns(&alone, &beside);
	stop_server(&alone);
	stop_holding(holder);
	stop_server(&beside);
	return is_met;
}

/* ---- the program ---- */

static pid_t first;

/* Also when something fails; but not in those who were forked. */
static void
clean_up(void)
{
	if (getpid() == first)
		bench_close(&bench);
}

static size_t
number_of(const char *text, size_t max)
{
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0 || n > max)
		errx(64, "%s: not a number from 1 to %zu", text, max);
	return n;
}

static void
check_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < n_idle + OTHER_DESCRIPTORS)
		errx(69,
		    "%zu connections take as many descriptors and %d more, "
		    "and a process may have %ju here: hold fewer, or "
		    "\"make bench-idle-vm\"",
		    n_idle, OTHER_DESCRIPTORS, (uintmax_t)limit.rlim_cur);
}

int
main(int argc, char *argv[])
{
	struct utsname kernel;

	if (argc != 4)
		errx(64, "usage: bench_idle BUILD CONNECTIONS ROUNDS");
	bench.build = argv[1];
	n_idle = number_of(argv[2], 10000000);
	n_rounds = number_of(argv[3], ROUNDS_MAX);
	bench.duration_ns = TURN_NS;
	uname(&kernel);
	bench_open(&bench);
	first = getpid();
	atexit(clean_up);
	check_limit();
	printf("%zu idle connections, Linux %s, %ld processors\n", n_idle,
	    kernel.release, sysconf(_SC_NPROCESSORS_ONLN));
	fflush(stdout);
	return run() ? 0 : 1;
}
