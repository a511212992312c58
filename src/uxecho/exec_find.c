/* SPDX-License-Identifier: ISC */
/* Which program: found once, at the start, so that what is run does not depend
 * on what happens to a directory of PATH later. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>

#define SHOWN_MAX 512

/* Returns 0, or a positive errno. */
static int
why_not(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* "DIRECTORY/name", absolute; an empty directory is where we are. Returns
 * whether there is room for it. */
static bool
join(char path[PATH_MAX], const char *directory, size_t length,
    const char *name)
{
	char here[PATH_MAX] = "";
	int n;

	if ((length == 0 || directory[0] != '/') &&
	    getcwd(here, sizeof(here)) == NULL)
		return false;
	n = snprintf(path, PATH_MAX, "%s%s%.*s%s%s", here,
	    here[0] != '\0' && length > 0 ? "/" : "", (int)length, directory,
	    "/", name);
	return n > 0 && n < PATH_MAX;
}

/* As execvp(3): what may not be run is passed over, and remembered. */
static int
find_along(struct exec_program *program, const char *list, const char *name)
{
	int result = ENOENT;

	for (;; list++) {
		const size_t length = strcspn(list, ":");
		const int code = join(program->path, list, length, name) ?
		    why_not(program->path) :
		    ENAMETOOLONG;

		if (code == 0)
			return 0;
		if (code == EACCES)
			result = code;
		list += length;
		if (*list == '\0')
			return result;
	}
}

static int
find(struct exec_program *program, const char *name)
{
	const char *list = getenv("PATH");

	if (name[0] == '\0')
		return ENOENT;
	if (strchr(name, '/') == NULL)
		return find_along(program,
		    list != NULL ? list : "/usr/local/bin:/usr/bin:/bin", name);
	if (name[0] == '/')
		return strlcpy(program->path, name, PATH_MAX) < PATH_MAX ?
		    why_not(name) :
		    ENAMETOOLONG;
	return join(program->path, "", 0, name) ? why_not(program->path) :
						  ENAMETOOLONG;
}

static int
refuse(struct uxs_error *why, const char *name, int code)
{
	char shown[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_USAGE, code,
	    "--service exec: the program '%s' cannot be run: %s",
	    uxs_escape(shown, sizeof(shown), name, strlen(name)),
	    strerror(code));
}

int
exec_find(struct exec_program *program, char *const argv[],
    struct uxs_error *why)
{
	const int code = find(program, argv[0]);

	program->argv = argv;
	return code == 0 ? 0 : refuse(why, argv[0], code);
}

int
exec_check(const struct exec_program *program, struct uxs_error *why)
{
	const int code = why_not(program->path);

	return code == 0 ? 0 : refuse(why, program->path, code);
}
