/* SPDX-License-Identifier: ISC */
#ifndef STRICT_JSON_H
#define STRICT_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Is this text exactly one JSON value as RFC 8259 has it, in UTF-8? Written
 * apart from what writes JSON, and stricter than most readers. */
bool is_strict_json(const char *text, size_t length);

/* Is every line of text such a value, an object, and is there at least one? */
bool are_strict_json_lines(const char *text);

#endif
