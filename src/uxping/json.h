/* SPDX-License-Identifier: ISC */
#ifndef UXPING_JSON_H
#define UXPING_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * JSON lines: one object a line, valid whatever the strings contain.
 *
 *	struct json json;
 *
 *	json_begin(&json, stdout, "reply");	{"v":1,"event":"reply"
 *	json_string(&json, "target", path);
 *	json_integer(&json, "rtt_ns", 24800);
 *	json_end(&json);			}\n, flushed
 *
 * Every function writes a member of the innermost open object.
 */

struct json {
	FILE *out;
	bool needs_comma;
};

void json_begin(struct json *json, FILE *out, const char *event);
void json_end(struct json *json);

/* Bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void json_string(struct json *json, const char *name, const char *value);
void json_integer(struct json *json, const char *name, int64_t value);
/* Six decimals at most; what is not finite becomes null. */
void json_number(struct json *json, const char *name, double value);
void json_boolean(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

void json_object_open(struct json *json, const char *name);
void json_object_close(struct json *json);
void json_array_open(struct json *json, const char *name);
void json_array_close(struct json *json);

/* An element of the open array. In there the other functions take a NULL for
 * the name. */
void json_array_integer(struct json *json, int64_t value);

#endif
