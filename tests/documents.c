/* SPDX-License-Identifier: ISC */
/* Reading what the documents say. */
#include "documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define DOCUMENT_MAX ((size_t)256 * 1024)

const char *
top_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("UXECHO_TOP"), name);
	return path;
}

char *
read_document(const char *name)
{
	char *text = calloc(1, DOCUMENT_MAX);
	FILE *file = fopen(top_path(name), "r");
	size_t n;

	ck_assert_ptr_nonnull(text);
	if (file == NULL)
		ck_abort_msg("cannot read %s", top_path(name));
	n = fread(text, 1, DOCUMENT_MAX - 1, file);
	ck_assert_uint_lt(n, DOCUMENT_MAX - 1);
	fclose(file);
	return text;
}

char *
cut_between(char *text, const char *from, const char *to)
{
	char *start = strstr(text, from), *end;

	if (start == NULL || (start = strchr(start + 1, '\n')) == NULL ||
	    (end = strstr(start, to)) == NULL)
		ck_abort_msg("no part from \"%s\" to \"%s\"", from, to);
	end[1] = '\0';
	return start + 1;
}

char *
next_line(char **rest)
{
	char *line = strsep(rest, "\n");

	return line != NULL && line[0] == '\0' && *rest == NULL ? NULL : line;
}

void
unescape(char *line)
{
	for (char *at = line; (at = strstr(at, "\\e")) != NULL; at++)
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
}

bool
has_tool(const char *name)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", "command -v \"$0\"", name,
		NULL };

	run_program(&result, argv);
	return result.status == 0;
}
