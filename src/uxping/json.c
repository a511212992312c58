/* SPDX-License-Identifier: ISC */
/*
 * JSON on a stream, one object a line. Text is passed on as it is where it is
 * UTF-8 and printable; a path may be any bytes, and a JSON text may not.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the valid UTF-8 sequence at s (NUL-terminated), or 0. The
 * bounds of the second byte shut out overlong forms, surrogates and what is
 * above U+10FFFF. */
static size_t
utf8_length(const unsigned char *s)
{
	const unsigned char low = s[0] == 0xe0 ? 0xa0 :
	    s[0] == 0xf0                       ? 0x90 :
						 0x80;
	const unsigned char high = s[0] == 0xed ? 0x9f :
	    s[0] == 0xf4                        ? 0x8f :
						  0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if (!is_continuation(s[i]))
			return 0;
	}
	return n;
}

static void
put_text(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', out);
	while (*s != '\0') {
		const size_t n = utf8_length(s);

		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else if (n == 0)
			fputs("\\ufffd", out);
		else
			fwrite(s, 1, n, out);
		s += n == 0 ? 1 : n;
	}
	putc('"', out);
}

/* Everything but the value of a member. */
static void
put_name(struct json *json, const char *name)
{
	if (json->needs_comma)
		putc(',', json->out);
	json->needs_comma = true;
	if (name == NULL)
		return;
	put_text(json->out, name);
	putc(':', json->out);
}

void
json_begin(struct json *json, FILE *out, const char *event)
{
	*json = (struct json){ .out = out };
	putc('{', out);
	json_integer(json, "v", 1);
	json_string(json, "event", event);
}

void
json_end(struct json *json)
{
	fputs("}\n", json->out);
	fflush(json->out);
}

void
json_string(struct json *json, const char *name, const char *value)
{
	if (value == NULL) {
		json_null(json, name);
		return;
	}
	put_name(json, name);
	put_text(json->out, value);
}

void
json_integer(struct json *json, const char *name, int64_t value)
{
	put_name(json, name);
	fprintf(json->out, "%" PRId64, value);
}

void
json_number(struct json *json, const char *name, double value)
{
	char text[400]; /* the largest double has 309 digits */
	size_t n;

	if (!isfinite(value)) {
		json_null(json, name);
		return;
	}
	n = (size_t)snprintf(text, sizeof(text), "%.6f", value);
	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
	put_name(json, name);
	fputs(strcmp(text, "-0") == 0 ? "0" : text, json->out);
}

void
json_boolean(struct json *json, const char *name, bool value)
{
	put_name(json, name);
	fputs(value ? "true" : "false", json->out);
}

void
json_null(struct json *json, const char *name)
{
	put_name(json, name);
	fputs("null", json->out);
}

static void
open_with(struct json *json, const char *name, char bracket)
{
	put_name(json, name);
	putc(bracket, json->out);
	json->needs_comma = false;
}

static void
close_with(struct json *json, char bracket)
{
	putc(bracket, json->out);
	json->needs_comma = true;
}

void
json_object_open(struct json *json, const char *name)
{
	open_with(json, name, '{');
}

void
json_object_close(struct json *json)
{
	close_with(json, '}');
}

void
json_array_open(struct json *json, const char *name)
{
	open_with(json, name, '[');
}

void
json_array_close(struct json *json)
{
	close_with(json, ']');
}

void
json_array_integer(struct json *json, int64_t value)
{
	json_integer(json, NULL, value);
}
