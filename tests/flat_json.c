/* SPDX-License-Identifier: ISC */
#include "flat_json.h"

#include <string.h>

struct reader {
	const char *at, *end;
};

static bool
take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at == NULL ? -1 : (int)((at - digits) % 16);
}

/* Behind "\u". */
static bool
take_code(struct reader *r, char *c)
{
	int code = 0;

	for (int i = 0; i < 4; i++) {
		const int digit = r->at < r->end ? hex_digit(*r->at) : -1;

		if (digit < 0)
			return false;
		code = code * 16 + digit;
		r->at++;
	}
	*c = (char)code;
	return code <= 255;
}

/* Behind the backslash. */
static bool
take_escape(struct reader *r, char *c)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (take(r, 'u'))
		return take_code(r, c);
	if (r->at == r->end || *r->at == '\0' ||
	    (letter = strchr(letters, *r->at)) == NULL)
		return false;
	r->at++;
	*c = meant[letter - letters];
	return true;
}

static bool
take_string(struct reader *r, char *text, size_t size, size_t *length)
{
	*length = 0;
	if (!take(r, '"'))
		return false;
	while (r->at < r->end && *length + 1 < size) {
		char c = *r->at++;

		if (c == '"') {
			text[*length] = '\0';
			return true;
		}
		if ((unsigned char)c < 0x20 || (unsigned char)c > 0x7e)
			return false; /* or UTF-8, which we do not write */
		if (c == '\\' && !take_escape(r, &c))
			return false;
		text[(*length)++] = c;
	}
	return false;
}

static bool
take_number(struct reader *r, struct json_member *m)
{
	const char *from = r->at;

	take(r, '-');
	if (!take(r, '0')) {
		const char *digits = r->at;

		while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
			r->at++;
		if (r->at == digits)
			return false;
	}
	m->length = (size_t)(r->at - from);
	if (m->length >= sizeof(m->text))
		return false;
	memcpy(m->text, from, m->length);
	m->text[m->length] = '\0';
	return true;
}

static bool
take_member(struct reader *r, struct json_object *object)
{
	struct json_member *m = &object->members[object->n];
	size_t n;

	if (object->n == JSON_MEMBERS_MAX ||
	    !take_string(r, m->name, sizeof(m->name), &n) || !take(r, ':') ||
	    json_text(object, m->name) != NULL)
		return false;
	m->is_string = r->at < r->end && *r->at == '"';
	object->n++;
	return m->is_string ?
	    take_string(r, m->text, sizeof(m->text), &m->length) :
	    take_number(r, m);
}

bool
json_parse(struct json_object *object, const char *text, size_t length)
{
	struct reader r = { text, text + length };

	object->n = 0;
	if (!take(&r, '{'))
		return false;
	do {
		if (!take_member(&r, object))
			return false;
	} while (take(&r, ','));
	return take(&r, '}') && r.at == r.end;
}

const char *
json_text(const struct json_object *object, const char *name)
{
	for (int i = 0; i < object->n; i++) {
		if (strcmp(object->members[i].name, name) == 0)
			return object->members[i].text;
	}
	return NULL;
}
