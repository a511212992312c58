/* SPDX-License-Identifier: ISC */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * As much of HTTP/1 (RFC 9112) as it takes to be asked for one page: one
 * request, one response, the end. Pure.
 */

/* A head that is longer is refused; what curl(1) sends has about 80 bytes. */
#define HTTP_HEAD_MAX 8192

enum http_status {
	HTTP_INCOMPLETE = 0, /* there may be more to come */
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_NO_METHOD = 405,
	HTTP_TIMEOUT = 408,
	HTTP_TOO_LARGE = 431,
	HTTP_NO_MEMORY = 503,
	HTTP_NO_VERSION = 505,
};

struct http_request {
	enum http_status status; /* what to answer with */
	bool is_head; /* without the body */
};

/* What do these bytes ask for? Whatever follows the head does not matter. */
struct http_request http_parse(const char *bytes, size_t length);

/* The head of the response; the body of that length follows, unless the
 * request is_head. */
void http_print_head(FILE *out, enum http_status status, size_t length);

/* What an error is called, as a line: its body. */
const char *http_reason(enum http_status status);

#endif
