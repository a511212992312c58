/* SPDX-License-Identifier: ISC */
/* One text, read from a socket to its end; every failure has its diagnosis. */
#include "scrape.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <uxsrv/loop.h>
#include <uxsrv/units.h>

#include "diagnose.h"
#include "exposition.h"
#include "json.h"
#include "options.h"
#include "target.h"

/* What is longer is not meant for us. */
#define TEXT_MAX ((size_t)64 * 1024 * 1024)

#define RETRY_MS 10

struct scrape {
	const struct options *options;
	struct target target;
	struct target_link link;
	char *text;
	size_t length, room;
	struct diagnosis diagnosis; /* where something failed */
};

static int64_t
now_ns(void)
{
	return uxs_loop_read_clock();
}

/* ---- reading ---- */

/* Returns 0, or -1 with a diagnosis. */
static int
connect_to(struct scrape *s)
{
	const int64_t began_ns = now_ns();
	int r;

	while ((r = target_connect(&s->target, &s->link)) != TARGET_CONNECTED) {
		const int64_t patience_ns = r == TARGET_BUSY &&
			s->options->wait_ns < s->options->timeout_ns ?
		    s->options->timeout_ns :
		    s->options->wait_ns;

		if (r == TARGET_WRONG_USER ||
		    now_ns() - began_ns >= patience_ns) {
			diagnose_connect(&s->diagnosis, &s->target, r);
			return -1;
		}
		target_unpin(&s->target);
		poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

/* Returns false, with a diagnosis, where there is no room for more. */
static bool
make_room(struct scrape *s)
{
	char *larger;

	if (s->length < s->room)
		return true;
	s->room = s->room == 0 ? (size_t)64 * 1024 : 2 * s->room;
	larger = s->room > TEXT_MAX ? NULL : realloc(s->text, s->room);
	if (larger == NULL) {
		diagnose_corrupt(&s->diagnosis, &s->target,
		    "more than anybody could read");
		return false;
	}
	s->text = larger;
	return true;
}

static bool
await(struct scrape *s, int64_t until_ns)
{
	struct pollfd pfd = { .fd = s->link.fd, .events = POLLIN };
	const int64_t left_ns = until_ns - now_ns();

	if (left_ns > 0 &&
	    poll(&pfd, 1,
		(int)((left_ns + UXS_NS_PER_MS - 1) / UXS_NS_PER_MS)) >= 0)
		return true;
	diagnose_timeout(&s->diagnosis, &s->target, s->options->timeout_ns);
	return false;
}

/* Who is told that we have nothing to say answers at once. Returns 0, or -1
 * with a diagnosis. */
static int
receive(struct scrape *s)
{
	const int64_t until_ns = now_ns() + s->options->timeout_ns;
	ssize_t n = -1;

	shutdown(s->link.fd, SHUT_WR);
	while (make_room(s)) {
		n = recv(s->link.fd, s->text + s->length, s->room - s->length,
		    MSG_DONTWAIT);
		if (n > 0) {
			s->length += (size_t)n;
		} else if (n == 0 && s->length > 0) {
			return 0;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			diagnose_broken(&s->diagnosis, &s->target,
			    n == 0 ? 0 : errno, s->length > 0);
			return -1;
		} else if (!await(s, until_ns)) {
			return -1;
		}
	}
	return -1;
}

static int
parse(struct scrape *s, struct exposition *e)
{
	struct exposition_trouble trouble;
	char what[128];

	if (exposition_parse(e, s->text, s->length, &trouble) == 0)
		return 0;
	snprintf(what, sizeof(what), "not OpenMetrics, line %zu: %s",
	    trouble.line, trouble.what);
	diagnose_corrupt(&s->diagnosis, &s->target, what);
	return -1;
}

/* ---- telling ---- */

static int
fail(struct scrape *s)
{
	struct json json;

	if (s->options->json) {
		json_begin(&json, stdout, "error");
		target_print_json(&s->target, &json);
		json_string(&json, "reason",
		    diagnose_word(s->diagnosis.reason));
		json_string(&json, "text", s->diagnosis.text);
		json_end(&json);
	}
	fprintf(stderr, "uxping: %s: %s: %s\n", s->target.label,
	    diagnose_word(s->diagnosis.reason), s->diagnosis.text);
	return 1;
}

static int
scrape(struct scrape *s)
{
	struct exposition e;

	if (connect_to(s) < 0 || receive(s) < 0 || parse(s, &e) < 0)
		return fail(s);
	if (s->options->json)
		scrape_print_json(&e, &s->target, stdout);
	else
		scrape_print_table(&e, s->options->verbose, stdout);
	exposition_fini(&e);
	return 0;
}

int
scrape_run(const struct options *options)
{
	struct scrape s = {
		.options = options,
		.target = TARGET_CLOSED,
		.link = TARGET_LINK_CLOSED,
	};
	struct options plain = *options;
	struct uxs_error why;
	int status = 2;

	/* A path stands for what is there, and that has to be a stream. */
	plain.type = OPTIONS_AUTO;
	if (target_open(&s.target, options->targets[0], &plain, &why) < 0)
		warnx("%s", why.text);
	else if (s.target.family != TARGET_UNIX ||
	    s.target.address.type != UXS_STREAM)
		warnx("%s: statistics are read from a Unix stream socket",
		    s.target.label);
	else
		status = scrape(&s);
	free(s.text);
	target_disconnect(&s.link);
	target_close(&s.target);
	return status;
}
