/* SPDX-License-Identifier: ISC */
/* Copies of all, since setproctitle(3bsd) and getopt_long(3) rearrange them. */
#include "origin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>

#include "process.h"

#define SHOWN_MAX 400

/* For one process, by its pid or its descriptors, and not for the next. */
static bool
is_passing(const char *assignment)
{
	static const char *const names[] = { "LISTEN_PID=", "LISTEN_FDS=",
		"LISTEN_FDNAMES=", "LISTEN_PIDFDID=", "WATCHDOG_PID=" };
	static const char own[] = ORIGIN_VARIABLE "=";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(assignment, names[i], strlen(names[i])) == 0)
			return true;
	}
	return strncmp(assignment, own, strlen(own)) == 0;
}

static void
free_all(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

/* Returns NULL without memory. One place more than is needed is left. */
static char **
copy_all(char *const *texts, bool (*is_left_out)(const char *))
{
	size_t n = 0, to = 0;
	char **copy;

	while (texts[n] != NULL)
		n++;
	if ((copy = calloc(n + 2, sizeof(copy[0]))) == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (is_left_out != NULL && is_left_out(texts[i]))
			continue;
		if ((copy[to++] = strdup(texts[i])) == NULL) {
			free_all(copy);
			return NULL;
		}
	}
	return copy;
}

/* What execve(2) was given, with $PATH searched already. A program that was
 * started by a descriptor has no other name than that of its file. */
static char *
find_program(const char *directory)
{
	const char *given =
	    (const char *)(uintptr_t)getauxval(AT_EXECFN); /* NOLINT */
	char *path = NULL;

	if (given == NULL || given[0] == '\0' ||
	    strncmp(given, "/dev/fd/", strlen("/dev/fd/")) == 0)
		return realpath("/proc/self/exe", NULL);
	if (given[0] == '/' || directory == NULL)
		return strdup(given);
	if (strncmp(given, "./", 2) == 0)
		given += 2;
	return asprintf(&path, "%s/%s", directory, given) < 0 ? NULL : path;
}

int
origin_init(struct origin *o, char *arguments[], struct uxs_error *why)
{
	*o = (struct origin){ .directory = getcwd(NULL, 0) };
	o->path = find_program(o->directory);
	o->arguments = copy_all(arguments, NULL);
	o->environment = copy_all(environ, is_passing);
	sigprocmask(SIG_SETMASK, NULL, &o->mask);
	if (o->path != NULL && o->arguments != NULL && o->environment != NULL)
		return 0;
	origin_fini(o);
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
	    "no memory to remember how we were started");
}

void
origin_fini(struct origin *o)
{
	free(o->path);
	free(o->directory);
	free_all(o->arguments);
	free_all(o->environment);
	*o = (struct origin){ .path = NULL };
}

static void
explain(struct uxs_error *why, const char *what, const char *path)
{
	char shown[SHOWN_MAX];

	uxs_error_set(why, UXS_FAILURE_SYSTEM, errno, "cannot %s %s: %s", what,
	    uxs_escape(shown, sizeof(shown), path, strlen(path)),
	    strerror(errno));
}

void
origin_exec(const struct origin *o, int fd, bool returns_home,
    struct uxs_error *why)
{
	char variable[sizeof(ORIGIN_VARIABLE) + 16];
	size_t n = 0;

	if (returns_home && o->directory != NULL && chdir(o->directory) < 0) {
		explain(why, "go to", o->directory);
		return;
	}
	snprintf(variable, sizeof(variable), ORIGIN_VARIABLE "=%d", fd);
	while (o->environment[n] != NULL)
		n++;
	o->environment[n] = variable;
	/* Ignored signals stay ignored; a program starts with none of ours. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	sigprocmask(SIG_SETMASK, &o->mask, NULL);
	process_lower_descriptors();
	fcntl(fd, F_SETFD, 0);
	execve(o->path, o->arguments, o->environment);
	explain(why, "execute", o->path);
	o->environment[n] = NULL;
}
