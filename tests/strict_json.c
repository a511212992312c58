/* SPDX-License-Identifier: ISC */
#include "strict_json.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 16

struct reader {
	const char *at, *end;
	int depth;
};

static bool read_value(struct reader *r);

static bool
take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL)
		r->at++;
}

static bool
read_word(struct reader *r, const char *word)
{
	const size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool
read_digits(struct reader *r)
{
	const char *start = r->at;

	while (r->at < r->end && isdigit((unsigned char)*r->at))
		r->at++;
	return r->at > start;
}

static bool
read_number(struct reader *r)
{
	take(r, '-');
	if (!take(r, '0') && !read_digits(r))
		return false;
	if (take(r, '.') && !read_digits(r))
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			take(r, '-');
		return read_digits(r);
	}
	return true;
}

static bool
read_escape(struct reader *r)
{
	if (r->at == r->end)
		return false;
	if (*r->at++ != 'u')
		return strchr("\"\\/bfnrt", r->at[-1]) != NULL;
	for (int i = 0; i < 4; i++) {
		if (r->at == r->end || !isxdigit((unsigned char)*r->at++))
			return false;
	}
	return true;
}

/* One character of a string that is no escape; UTF-8 in its shortest form. */
static bool
read_character(struct reader *r)
{
	const unsigned char c = (unsigned char)*r->at++;
	const int n = c < 0x80     ? 0 :
	    c >= 0xc2 && c <= 0xdf ? 1 :
	    (c & 0xf0) == 0xe0     ? 2 :
	    c >= 0xf0 && c <= 0xf4 ? 3 :
				     -1;

	if (c < 0x20 || n < 0 || r->end - r->at < n)
		return false;
	if ((c == 0xe0 && (unsigned char)r->at[0] < 0xa0) ||
	    (c == 0xed && (unsigned char)r->at[0] > 0x9f) ||
	    (c == 0xf0 && (unsigned char)r->at[0] < 0x90) ||
	    (c == 0xf4 && (unsigned char)r->at[0] > 0x8f))
		return false;
	for (int i = 0; i < n; i++) {
		if (((unsigned char)*r->at++ & 0xc0) != 0x80)
			return false;
	}
	return true;
}

static bool
read_string(struct reader *r)
{
	if (!take(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		if (take(r, '\\') ? !read_escape(r) : !read_character(r))
			return false;
	}
	return take(r, '"');
}

static bool
read_member(struct reader *r)
{
	skip_blanks(r);
	if (!read_string(r))
		return false;
	skip_blanks(r);
	return take(r, ':') && read_value(r);
}

static bool
read_list(struct reader *r, char end, bool (*read_element)(struct reader *))
{
	if (++r->depth > DEPTH_MAX)
		return false;
	skip_blanks(r);
	if (!take(r, end)) {
		do {
			if (!read_element(r))
				return false;
			skip_blanks(r);
		} while (take(r, ','));
		if (!take(r, end))
			return false;
	}
	r->depth--;
	return true;
}

static bool
read_value(struct reader *r)
{
	bool is_good;

	skip_blanks(r);
	if (r->at == r->end)
		return false;
	if (take(r, '{'))
		is_good = read_list(r, '}', read_member);
	else if (take(r, '['))
		is_good = read_list(r, ']', read_value);
	else if (*r->at == '"')
		is_good = read_string(r);
	else
		is_good = read_word(r, "true") || read_word(r, "false") ||
		    read_word(r, "null") || read_number(r);
	skip_blanks(r);
	return is_good;
}

bool
is_strict_json(const char *text, size_t length)
{
	struct reader r = { .at = text, .end = text + length };

	return read_value(&r) && r.at == r.end;
}

bool
are_strict_json_lines(const char *text)
{
	if (*text == '\0')
		return false;
	while (*text != '\0') {
		const char *end = strchr(text, '\n');

		if (end == NULL || *text != '{' ||
		    !is_strict_json(text, (size_t)(end - text)))
			return false;
		text = end + 1;
	}
	return true;
}
