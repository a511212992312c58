/* SPDX-License-Identifier: ISC */
/*
 * completions SHELL PROGRAM <TEMPLATE >COMPLETION
 *
 * Run when the project is built, never installed.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "completions.h"

static const struct {
	const char *name;
	completion_source *source;
} programs[] = {
	{ "uxecho", completion_of_uxecho },
	{ "uxping", completion_of_uxping },
};

static const struct shell *const shells[] = { &shell_bash, &shell_zsh,
	&shell_fish };

#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct shell *
find_shell(const char *name)
{
	for (size_t i = 0; i < N(shells); i++) {
		if (strcmp(shells[i]->name, name) == 0)
			return shells[i];
	}
	errx(EXIT_FAILURE, "there is no shell '%s' here", name);
}

static completion_source *
find_source(const char *name)
{
	for (size_t i = 0; i < N(programs); i++) {
		if (strcmp(programs[i].name, name) == 0)
			return programs[i].source;
	}
	errx(EXIT_FAILURE, "there is no program '%s' here", name);
}

/* "@program@" stands for its name, anywhere. */
static void
print_line(FILE *out, const char *line, const char *program)
{
	static const char mark[] = "@program@";
	const char *at;

	while ((at = strstr(line, mark)) != NULL) {
		fwrite(line, 1, (size_t)(at - line), out);
		fputs(program, out);
		line = at + strlen(mark);
	}
	fputs(line, out);
}

int
main(int argc, char *argv[])
{
	const struct shell *shell;
	completion_source *source;
	char line[512];

	if (argc != 3)
		errx(EXIT_FAILURE, "usage: completions SHELL PROGRAM");
	shell = find_shell(argv[1]);
	source = find_source(argv[2]);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strcmp(line, "@options@\n") == 0)
			shell->options(stdout, argv[2], source);
		else if (strcmp(line, "@arguments@\n") == 0 &&
		    shell->arguments != NULL)
			shell->arguments(stdout, argv[2], source);
		else
			print_line(stdout, line, argv[2]);
	}
	if (ferror(stdin) || fflush(stdout) != 0)
		err(EXIT_FAILURE, "cannot copy the template");
	return EXIT_SUCCESS;
}
