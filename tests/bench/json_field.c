/* SPDX-License-Identifier: ISC */
#include "json_field.h"

#include <stdlib.h>
#include <string.h>

/* Behind the string that begins at text. */
static const char *
skip_string(const char *text)
{
	for (text++; *text != '"' && *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
	}
	return *text == '"' ? text + 1 : text;
}

/* Whether the member whose name begins at text has this one. */
static bool
is_named(const char *text, const char *name, size_t length)
{
	return strncmp(text + 1, name, length) == 0 && text[1 + length] == '"';
}

/*
 * The value of a member of the object that begins at text, or NULL. Members of
 * objects in it, and elements of arrays, lie deeper and are passed over; a
 * string is a name where a colon follows.
 */
static const char *
find_value(const char *text, const char *name, size_t length)
{
	int depth = 0;

	while (*text != '\0') {
		const char *start = text;

		depth += *text == '{' || *text == '[';
		depth -= *text == '}' || *text == ']';
		if (depth == 0)
			return NULL;
		if (*text != '"') {
			text++;
			continue;
		}
		text = skip_string(text);
		if (depth == 1 && *text == ':' && is_named(start, name, length))
			return text + 1;
	}
	return NULL;
}

static const char *
find(const char *line, const char *name)
{
	const char *dot = strchr(name, '.');

	if (dot == NULL)
		return find_value(line, name, strlen(name));
	/* What is no object begins at no depth, and has no members. */
	line = find_value(line, name, (size_t)(dot - name));
	return line == NULL ? NULL : find_value(line, dot + 1, strlen(dot + 1));
}

bool
json_field_number(const char *line, const char *name, double *number)
{
	const char *value = find(line, name);
	char *end;

	if (value == NULL || strchr("-0123456789", *value) == NULL)
		return false;
	*number = strtod(value, &end);
	return end != value;
}

bool
json_field_text(const char *line, const char *name, char *text, size_t size)
{
	const char *value = find(line, name);
	size_t n;

	if (value == NULL || *value != '"')
		return false;
	n = strcspn(value + 1, "\"\\");
	if (n >= size)
		n = size - 1;
	memcpy(text, value + 1, n);
	text[n] = '\0';
	return true;
}
