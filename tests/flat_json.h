/* SPDX-License-Identifier: ISC */
#ifndef FLAT_JSON_H
#define FLAT_JSON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A reader of one flat JSON object whose members are strings and whole
 * numbers, and nothing else: what RFC 8259 does not allow, it does not take.
 */

#define JSON_MEMBERS_MAX 8
#define JSON_TEXT_MAX 1024

struct json_member {
	char name[32];
	bool is_string;
	char text[JSON_TEXT_MAX]; /* decoded; a character over 255 is refused */
	size_t length;
};

struct json_object {
	int n;
	struct json_member members[JSON_MEMBERS_MAX];
};

/* The whole of text, which is length bytes, must be the object. */
bool json_parse(struct json_object *object, const char *text, size_t length);

/* The text of a member, or NULL. */
const char *json_text(const struct json_object *object, const char *name);

#endif
