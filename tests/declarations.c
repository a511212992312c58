/* SPDX-License-Identifier: ISC */
/*
 * Reads declarations: comments and preprocessor lines become blanks, and what
 * is left is cut into statements at each ";" and "}" outside all braces.
 */
#include "declarations.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "harness.h"

static void
blank(char *from, const char *to)
{
	memset(from, ' ', (size_t)(to - from));
}

static void
blank_comments(char *text)
{
	char *end;

	while ((text = strstr(text, "/*")) != NULL) {
		end = strstr(text, "*/");
		ck_assert_ptr_nonnull(end);
		blank(text, end + 2);
	}
}

/* With the lines that they go on in. */
static void
blank_directives(char *text)
{
	for (char *line = text, *end; *line != '\0'; line = end + 1) {
		end = line + strcspn(line, "\n");
		if (line[0] != '#') {
			if (*end == '\0')
				return;
			continue;
		}
		while (end[-1] == '\\' && *end == '\n')
			end += 1 + strcspn(end + 1, "\n");
		ck_assert_int_eq(*end, '\n');
		blank(line, end);
	}
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* One blank at a time, none at the ends or inside of parentheses. */
static void
squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		const bool is_blank = isspace((unsigned char)*from);

		if (is_blank && (to == text || to[-1] == ' ' || to[-1] == '('))
			continue;
		*to++ = is_blank ? ' ' : *from;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* The name is the word before the first parenthesis, or the last one. */
static void
find_name(const char *statement, char name[64])
{
	const char *end = statement + strcspn(statement, "(");
	const char *start;

	while (end > statement && !is_word(end[-1]))
		end--;
	for (start = end; start > statement && is_word(start[-1]);)
		start--;
	snprintf(name, 64, "%.*s", (int)(end - start), start);
}

static void
drop_start(char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)) == 0)
		memmove(text, text + strlen(start),
		    strlen(text + strlen(start)) + 1);
}

static void
add_statement(struct declarations *list, const char *start, size_t length)
{
	struct declaration new = { .is_inline = false };
	char text[4096], *cut;

	ck_assert_uint_lt(length, sizeof(text));
	memcpy(text, start, length);
	text[length] = '\0';
	squeeze(text);
	drop_start(text, "__BEGIN_DECLS ");
	if (strncmp(text, "typedef ", 8) == 0)
		return;
	new.is_inline = strncmp(text, "static inline ", 14) == 0;
	drop_start(text, "static inline ");
	if ((cut = strstr(text, " __attribute__")) != NULL ||
	    (cut = strstr(text, " {")) != NULL)
		*cut = '\0';
	find_name(text, new.name);
	if (strncmp(new.name, "uxs_", 4) != 0 ||
	    (strchr(text, '(') == NULL && strncmp(text, "extern ", 7) != 0))
		return;
	ck_assert_uint_lt(strlen(text), sizeof(new.text));
	strlcpy(new.text, text, sizeof(new.text));
	ck_assert_int_lt(list->n, DECLARATIONS_MAX);
	list->at[list->n++] = new;
}

void
read_declarations(struct declarations *list, const char *header)
{
	char *text = read_document(header);
	const char *start = text;
	int depth = 0;

	blank_comments(text);
	blank_directives(text);
	for (const char *at = text; *at != '\0'; at++) {
		depth += (*at == '{') - (*at == '}');
		if (depth == 0 && (*at == ';' || *at == '}')) {
			add_statement(list, start, (size_t)(at - start));
			start = at + 1;
		}
	}
	ck_assert_int_eq(depth, 0);
	free(text);
}

int
each_header(void (*function)(const char *header, void *arg), void *arg)
{
	DIR *list = opendir(top_path("include/uxsrv"));
	struct dirent *entry;
	char name[300];
	int n = 0;

	if (list == NULL)
		return 0;
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "include/uxsrv/%s", entry->d_name);
		function(name, arg);
		n++;
	}
	closedir(list);
	return n;
}

bool
declares(const struct declarations *list, const char *name)
{
	for (int i = 0; i < list->n; i++) {
		if (strcmp(list->at[i].name, name) == 0)
			return true;
	}
	return false;
}
