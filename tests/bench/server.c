/* SPDX-License-Identifier: ISC */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "subjects.h"
#include "usage.h"

/* The slowest interpreter is there after a tenth of this. */
#define START_LIMIT_NS (10 * INT64_C(1000000000))
#define STOP_LIMIT_NS (2 * INT64_C(1000000000))
#define STEP_NS 1000000

static struct places
places_of(const struct bench *bench, const struct workload *workload)
{
	return (struct places){
		.build = bench->build,
		.sources = bench->sources,
		.path = bench->path,
		.type = workload != NULL ? workload->type : "stream",
		.options = workload != NULL ? workload->options : NULL,
	};
}

/* ---- what is there ---- */

/* As execvp(3) would find it. */
static bool
is_program(const char *name)
{
	const char *path = getenv("PATH");
	char full[4096];

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0;
	while (path != NULL && *path != '\0') {
		const size_t n = strcspn(path, ":");

		snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, name);
		if (access(full, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

int
server_is_there(struct bench *bench, size_t subject)
{
	const struct subject *s = &subjects[subject];
	const struct places places = places_of(bench, NULL);
	struct command command;

	if (!command_fill(&command, s->argv, 1, &places))
		return bench_fail(bench, "%s: its path is too long",
		    s->argv[0]);
	if (!is_program(command.argv[0]))
		return bench_fail(bench, "%s is not there", command.argv[0]);
	return 0;
}

static FILE *
start_asking(const struct command *command, pid_t *pid)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return NULL;
	if ((*pid = fork()) == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execvp(command->argv[0], command->argv);
		_exit(255);
	}
	close(out[1]);
	return fdopen(out[0], "r");
}

int
server_ask(struct bench *bench, const char *const *argv, size_t n, char *line,
    size_t size)
{
	const struct places places = places_of(bench, NULL);
	struct command command;
	char rest[256];
	int status = -1;
	pid_t pid = -1;
	FILE *out;

	line[0] = '\0';
	if (!command_fill(&command, argv, n, &places) ||
	    (out = start_asking(&command, &pid)) == NULL)
		return 128;
	/* Some begin with an empty line. */
	while (line[0] == '\0' && fgets(line, (int)size, out) != NULL)
		line[strcspn(line, "\n")] = '\0';
	while (fgets(rest, sizeof(rest), out) != NULL)
		;
	fclose(out);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int
server_takes(struct bench *bench, const struct workload *workload)
{
	const char *const argv[] = { "%b/uxecho", "--check", "%o",
		"--force-dir", "%p", NULL };
	struct places places = places_of(bench, workload);
	struct command command;
	char line[256] = "";
	int status = -1;
	pid_t pid = -1;
	FILE *out;

	if (workload->options[0] == NULL)
		return 0;
	if (!command_fill(&command, argv, 5, &places) ||
	    (out = start_asking(&command, &pid)) == NULL)
		return bench_fail(bench, "cannot ask uxecho");
	if (fgets(line, sizeof(line), out) != NULL)
		line[strcspn(line, "\n")] = '\0';
	fclose(out);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 64)
		return bench_fail(bench, "%s", line);
	return 0;
}

/* ---- its life ---- */

static void
become_server(const struct bench *bench, const struct command *command)
{
	const int log =
	    open(bench->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	/* Whatever happens to the run, its servers go with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setaffinity(0, sizeof(bench->all), &bench->all);
	dup2(nothing, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvp(command->argv[0], command->argv);
	fprintf(stderr, "%s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

pid_t
server_start(struct bench *bench, const struct workload *workload,
    size_t subject)
{
	const struct subject *s = &subjects[subject];
	const struct places places = places_of(bench, workload);
	struct command command;
	pid_t pid;

	if (!command_fill(&command, s->argv,
		sizeof(s->argv) / sizeof(s->argv[0]), &places))
		return bench_fail(bench, "its command is too long");
	unlink(bench->path);
	if ((pid = fork()) < 0)
		return bench_fail(bench, "cannot fork: %s", strerror(errno));
	if (pid == 0)
		become_server(bench, &command);
	setpgid(pid, pid); /* whoever of the two comes first */
	return pid;
}

/* The last line that it said. */
static void
read_log(const struct bench *bench, char *last, size_t size)
{
	char line[256];
	FILE *log = fopen(bench->log, "re");

	snprintf(last, size, "it said nothing");
	while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			snprintf(last, size, "%.160s", line);
	}
	if (log != NULL)
		fclose(log);
}

static void
keep_in_place(const struct bench *bench, const struct workload *workload,
    size_t subject, pid_t pid)
{
	const int uxecho = subject_find("uxecho", strlen("uxecho"));

	switch (workload->placement) {
	case PLACE_FREE:
		return;
	case PLACE_SPIN:
		if ((int)subject == uxecho)
			return;
		break;
	case PLACE_APART:
	case PLACE_TOGETHER:
		break;
	}
	usage_pin(pid, &bench->server);
}

/* Without waiting for it: its number stays its own. */
static bool
has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    0 &&
	    info.si_pid == pid;
}

int
server_wait(struct bench *bench, const struct workload *workload,
    size_t subject, pid_t pid)
{
	const int64_t limit_ns = bench_clock_ns(CLOCK_MONOTONIC) +
	    START_LIMIT_NS;
	char last[200];

	while (!client_is_answered(bench, workload)) {
		const bool is_gone = has_ended(pid);

		if (bench_is_interrupted)
			return bench_fail(bench, "interrupted");
		if (!is_gone && bench_clock_ns(CLOCK_MONOTONIC) < limit_ns) {
			bench_pause_ns(STEP_NS);
			continue;
		}
		read_log(bench, last, sizeof(last));
		return bench_fail(bench, "%s: %s",
		    is_gone ? "it ended" : "it does not echo", last);
	}
	keep_in_place(bench, workload, subject, pid);
	return 0;
}

void
server_stop(pid_t pid)
{
	const int64_t limit_ns = bench_clock_ns(CLOCK_MONOTONIC) +
	    STOP_LIMIT_NS;

	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (bench_clock_ns(CLOCK_MONOTONIC) > limit_ns)
			kill(-pid, SIGKILL);
		bench_pause_ns(STEP_NS);
	}
	kill(-pid, SIGKILL); /* children that it left */
}
