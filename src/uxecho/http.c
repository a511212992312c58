/* SPDX-License-Identifier: ISC */
/*
 * A request line, fields, an empty line. Lines may end in LF alone, as the RFC
 * allows and a person with nc(1) types them; everything else is taken as it
 * stands there.
 */
#include "http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct line {
	const char *text; /* NULL: it is not complete */
	size_t length; /* without its end */
};

static struct line
next_line(const char **at, const char *end)
{
	const char *from = *at, *to = memchr(from, '\n', (size_t)(end - from));
	struct line line = { .text = NULL };

	if (to == NULL)
		return line;
	*at = to + 1;
	line.text = from;
	line.length = (size_t)(to - from);
	if (line.length > 0 && from[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool
is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    (text[i] == '\0' ||
			strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
			return false;
	}
	return length > 0;
}

/* Take what goes up to the next blank, or to the end of the line. */
static struct line
next_word(struct line *line)
{
	const char *blank = memchr(line->text, ' ', line->length);
	struct line word = *line;

	if (blank == NULL) {
		line->text += line->length;
		line->length = 0;
		return word;
	}
	word.length = (size_t)(blank - line->text);
	line->text = blank + 1;
	line->length -= word.length + 1;
	return word;
}

static bool
is(struct line word, const char *text)
{
	return word.length == strlen(text) &&
	    memcmp(word.text, text, word.length) == 0;
}

/* ---- the request line ---- */

/* "/metrics", also where it is "http://host/metrics?what=ever". */
static bool
is_known(struct line target)
{
	static const char scheme[] = "http://";
	const size_t n = strlen(scheme);
	const char *query;

	if (target.length > n && strncasecmp(target.text, scheme, n) == 0) {
		const char *slash =
		    memchr(target.text + n, '/', target.length - n);

		if (slash == NULL)
			return true; /* its root */
		target.length -= (size_t)(slash - target.text);
		target.text = slash;
	}
	if ((query = memchr(target.text, '?', target.length)) != NULL)
		target.length = (size_t)(query - target.text);
	return is(target, "/") || is(target, "/metrics");
}

static enum http_status
judge_version(struct line version)
{
	static const char name[] = "HTTP/";
	const char *digits = version.text + strlen(name);

	if (version.length != strlen("HTTP/1.1") ||
	    memcmp(version.text, name, strlen(name)) != 0 ||
	    !isdigit((unsigned char)digits[0]) || digits[1] != '.' ||
	    !isdigit((unsigned char)digits[2]))
		return HTTP_BAD_REQUEST;
	return digits[0] == '1' ? HTTP_OK : HTTP_NO_VERSION;
}

static bool
is_visible(struct line word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (word.text[i] <= ' ' || word.text[i] == 0x7f)
			return false;
	}
	return word.length > 0;
}

static struct http_request
judge_line(struct line line, bool *needs_host)
{
	const struct line method = next_word(&line);
	const struct line target = next_word(&line);
	struct http_request request = { .status = judge_version(line) };

	*needs_host = false;
	if (!is_token(method.text, method.length) || !is_visible(target)) {
		request.status = HTTP_BAD_REQUEST;
		return request;
	}
	if (request.status != HTTP_OK)
		return request;
	*needs_host = line.text[line.length - 1] != '0';
	request.is_head = is(method, "HEAD");
	if (!request.is_head && !is(method, "GET"))
		request.status = HTTP_NO_METHOD;
	else if (!is_known(target))
		request.status = HTTP_NOT_FOUND;
	return request;
}

/* ---- fields ---- */

/* "Name: value", and nothing of the kind that continues the line before. */
static bool
is_field(struct line line, struct line *name)
{
	const char *colon = memchr(line.text, ':', line.length);

	if (colon == NULL)
		return false;
	name->text = line.text;
	name->length = (size_t)(colon - line.text);
	return is_token(name->text, name->length);
}

/* Returns HTTP_OK where the empty line is reached, and all is well. */
static enum http_status
judge_fields(const char *at, const char *end, bool needs_host)
{
	struct line line, name;
	int n_hosts = 0;

	while ((line = next_line(&at, end)).text != NULL) {
		if (line.length == 0)
			return n_hosts > 1 || (needs_host && n_hosts == 0) ?
			    HTTP_BAD_REQUEST :
			    HTTP_OK;
		if (!is_field(line, &name))
			return HTTP_BAD_REQUEST;
		n_hosts += name.length == strlen("host") &&
		    strncasecmp(name.text, "host", name.length) == 0;
	}
	return HTTP_INCOMPLETE;
}

static struct http_request
too_large_or(size_t length, enum http_status status)
{
	return (struct http_request){
		.status = length >= HTTP_HEAD_MAX ? HTTP_TOO_LARGE : status,
	};
}

struct http_request
http_parse(const char *bytes, size_t length)
{
	const char *at = bytes, *end = bytes + length;
	struct http_request request;
	enum http_status fields;
	struct line line;
	bool needs_host;

	/* Empty lines in front are to be overlooked. */
	while ((line = next_line(&at, end)).text != NULL && line.length == 0)
		;
	if (line.text == NULL)
		return too_large_or(length, HTTP_INCOMPLETE);
	request = judge_line(line, &needs_host);
	if (request.status == HTTP_BAD_REQUEST ||
	    request.status == HTTP_NO_VERSION)
		return request;
	fields = judge_fields(at, end, needs_host);
	if (fields == HTTP_INCOMPLETE)
		return too_large_or(length, HTTP_INCOMPLETE);
	if (fields != HTTP_OK)
		request.status = fields;
	return request;
}

/* ---- the response ---- */

const char *
http_reason(enum http_status status)
{
	switch (status) {
	case HTTP_INCOMPLETE:
	case HTTP_BAD_REQUEST:
		return "Bad Request\n";
	case HTTP_OK:
		return "OK\n";
	case HTTP_NOT_FOUND:
		return "Not Found\n";
	case HTTP_NO_METHOD:
		return "Method Not Allowed\n";
	case HTTP_TIMEOUT:
		return "Request Timeout\n";
	case HTTP_TOO_LARGE:
		return "Request Header Fields Too Large\n";
	case HTTP_NO_MEMORY:
		return "Service Unavailable\n";
	case HTTP_NO_VERSION:
		return "HTTP Version Not Supported\n";
	}
	return "\n";
}

void
http_print_head(FILE *out, enum http_status status, size_t length)
{
	const char *reason = http_reason(status);

	fprintf(out, "HTTP/1.1 %d %.*s\r\n", (int)status,
	    (int)strcspn(reason, "\n"), reason);
	fprintf(out, "Content-Type: %s\r\n",
	    status == HTTP_OK ?
		"application/openmetrics-text; version=1.0.0; charset=utf-8" :
		"text/plain; charset=utf-8");
	fprintf(out, "Content-Length: %zu\r\n", length);
	if (status == HTTP_NO_METHOD)
		fputs("Allow: GET, HEAD\r\n", out);
	fputs("Connection: close\r\n\r\n", out);
}
