/* SPDX-License-Identifier: ISC */
/*
 * What clients notice of upgrades: "make bench-upgrade".
 *
 * A thousand times uxecho is replaced by itself (SIGUSR2), while clients
 * connect, ask and go as fast as they can, others stay and ask, and one sends
 * numbered datagrams. Nobody may be refused or reset, no datagram may be lost
 * or come out of order. A part of the tests is the same with twenty upgrades.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UPGRADES 1000
#define UPGRADES_MAX 100000
#define N_STORM 4
#define IN_FLIGHT 4 /* datagrams; fewer than the smallest queue holds */

#define NS_PER_S INT64_C(1000000000)

/* What a client counts, for all of its kind. */
struct figures {
	atomic_ullong connects, refused, reset, ended, echoes;
	atomic_ullong datagrams, lost, disordered;
	atomic_bool is_over;
};

static struct figures *figures;
static char directory[] = "/tmp/uxecho-bench.XXXXXX";
static struct sockaddr_un stream = { .sun_family = AF_UNIX };
static struct sockaddr_un dgram = { .sun_family = AF_UNIX };
static int64_t took_ns[UPGRADES_MAX];

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
name_sockets(void)
{
	if (mkdtemp(directory) == NULL)
		err(1, "%s", directory);
	snprintf(stream.sun_path, sizeof(stream.sun_path), "%s/s", directory);
	snprintf(dgram.sun_path, sizeof(dgram.sun_path), "%s/s.dgram",
	    directory);
}

/* ---- the clients ---- */

static int
connect_once(void)
{
	const struct timeval patience = { .tv_sec = 20 };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&stream, sizeof(stream)) == 0) {
		figures->connects++;
		return fd;
	}
	figures->refused++;
	close(fd);
	return -1;
}

/* Returns false when the connection is of no use any more. */
static bool
ask(int fd)
{
	char text[8] = "hello";
	ssize_t n = send(fd, text, 5, MSG_NOSIGNAL);

	if (n == 5)
		n = recv(fd, text, sizeof(text), 0);
	if (n == 5) {
		figures->echoes++;
		return true;
	}
	/* Who stays beyond the drain time is told so by an end of file. */
	if (n == 0 || errno == EPIPE)
		figures->ended++;
	else
		figures->reset++;
	return false;
}

static void
storm(void)
{
	while (!figures->is_over) {
		const int fd = connect_once();

		if (fd < 0)
			continue;
		if (!ask(fd)) /* it has just come, so that is no drain */
			figures->reset++;
		close(fd);
	}
}

static void
stay(void)
{
	const struct timespec pause = { .tv_nsec = NS_PER_S / 1000 };

	while (!figures->is_over) {
		const int fd = connect_once();

		while (fd >= 0 && !figures->is_over && ask(fd))
			nanosleep(&pause, NULL);
		if (fd >= 0)
			close(fd);
	}
}

static int
bind_datagram_client(void)
{
	const struct timeval patience = { .tv_sec = 20 };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un own = { .sun_family = AF_UNIX };

	snprintf(own.sun_path, sizeof(own.sun_path), "%s/c", directory);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    connect(fd, (struct sockaddr *)&dgram, sizeof(dgram)) < 0)
		err(1, "%s", own.sun_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void
number_datagrams(void)
{
	const int fd = bind_datagram_client();
	uint64_t sent = 0, heard = 0, number;

	while (!figures->is_over || heard < sent) {
		if (!figures->is_over && sent - heard < IN_FLIGHT) {
			if (send(fd, &sent, sizeof(sent), 0) < 0)
				figures->refused++;
			else
				sent++;
		} else if (recv(fd, &number, sizeof(number), 0) < 0) {
			figures->lost += sent - heard;
			heard = sent;
		} else {
			figures->datagrams++;
			figures->disordered += number != heard;
			heard = number + 1;
		}
	}
	close(fd);
}

static pid_t
start(void (*function)(void))
{
	const pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid > 0)
		return pid;
	function();
	_exit(0);
}

/* ---- the daemon ---- */

static pid_t
start_daemon(const char *program, int *log)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		err(1, "cannot start");
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		execl(program, "uxecho", "--drain", "2s", stream.sun_path,
		    (char *)NULL);
		err(127, "%s", program);
	}
	close(ends[1]);
	*log = ends[0];
	return pid;
}

/* Read the log up to a line with these words; returns the number behind
 * "process". */
static pid_t
wait_for(FILE *log, const char *words)
{
	char line[1024];

	while (fgets(line, sizeof(line), log) != NULL) {
		const char *number = strstr(line, "process ");

		if (strstr(line, "no upgrade") != NULL)
			errx(1, "%s", line);
		if (strstr(line, words) != NULL)
			return number == NULL ?
			    0 :
			    (pid_t)strtol(number + strlen("process "), NULL,
				10);
	}
	errx(1, "the daemon ended");
}

/* An answer is what the new one gives, and nobody else. */
static int64_t
upgrade(pid_t *pid, FILE *log)
{
	const int64_t before = now_ns();
	pid_t next;
	int fd;

	if (kill(*pid, SIGUSR2) < 0)
		err(1, "kill");
	next = wait_for(log, "has taken over");
	fd = connect_once();
	if (fd < 0 || !ask(fd))
		errx(1, "the new process does not answer");
	close(fd);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	*pid = next;
	return now_ns() - before;
}

/* ---- the result ---- */

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
took_ms(int i)
{
	return (double)took_ns[i] / 1e6;
}

static bool
report(int n, int64_t all_ns)
{
	qsort(took_ns, (size_t)n, sizeof(took_ns[0]), compare);
	printf("%d upgrades in %.1f s; from the signal to the first answer: "
	       "p50 %.1f ms, p99 %.1f ms, max %.1f ms\n",
	    n, (double)all_ns / 1e9, took_ms(n / 2), took_ms(n - 1 - n / 100),
	    took_ms(n - 1));
	printf("connections: %llu, refused %llu, reset %llu; %llu echoes, "
	       "%llu sessions drained\n",
	    figures->connects, figures->refused, figures->reset,
	    figures->echoes, figures->ended);
	printf("datagrams: %llu, lost %llu, out of order %llu\n",
	    figures->datagrams, figures->lost, figures->disordered);
	return figures->refused + figures->reset + figures->lost +
	    figures->disordered ==
	    0;
}

static void
remove_directory(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/c", directory);
	unlink(path);
	if (rmdir(directory) < 0)
		warn("%s", directory);
}

int
main(int argc, char *argv[])
{
	const int n = argc > 2 ? atoi(argv[2]) : UPGRADES;
	pid_t clients[N_STORM + 2], daemon_pid;
	int log_fd;
	int64_t began;
	FILE *log;

	if (argc < 2 || n < 1 || n > UPGRADES_MAX)
		errx(64, "usage: bench_upgrade UXECHO [UPGRADES]");
	figures = mmap(NULL, sizeof(*figures), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		err(1, "cannot begin");
	name_sockets();
	daemon_pid = start_daemon(argv[1], &log_fd);
	if ((log = fdopen(log_fd, "r")) == NULL)
		err(1, "fdopen");
	wait_for(log, "serving dgram");
	for (int i = 0; i < N_STORM; i++)
		clients[i] = start(storm);
	clients[N_STORM] = start(stay);
	clients[N_STORM + 1] = start(number_datagrams);
	began = now_ns();
	for (int i = 0; i < n; i++)
		took_ns[i] = upgrade(&daemon_pid, log);
	began = now_ns() - began;
	figures->is_over = true;
	for (int i = 0; i < N_STORM + 2; i++)
		waitpid(clients[i], NULL, 0);
	kill(daemon_pid, SIGTERM);
	while (waitpid(-1, NULL, 0) > 0)
		;
	fclose(log);
	remove_directory();
	return report(n, began) ? 0 : 1;
}
