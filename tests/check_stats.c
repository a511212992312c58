/* SPDX-License-Identifier: ISC */
/*
 * uxecho --stats: the second socket, told by those who read from it. What they
 * read is OpenMetrics by a strict reader, and says what was done.
 */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/peer.h>
#include <uxsrv/units.h>

#include "documents.h"
#include "trace.h"
#include "uxecho/http.h"
#include "uxecho/metrics.h"
#include "uxecho/stats.h"
#include "uxping/exposition.h"

#define N_OF(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define TEXT_MAX (512 * 1024)

/* ---- the language of this file ---- */

static const char *const all[] = { "--stats", "m", "stream:s", "seqpacket:q",
	"dgram:d", NULL };

static struct exposition e; /* as of the last look */
static char *text; /* what was heard or printed last */

/* All up to the end of file. */
static size_t
hear_all(int fd)
{
	char heard[TEXT_MAX];
	size_t n = 0;
	ssize_t r;

	while ((r = recv(fd, heard + n, sizeof(heard) - 1 - n, 0)) > 0)
		n += (size_t)r;
	ck_assert_msg(r == 0, "%s", strerror(errno));
	heard[n] = '\0';
	ck_assert_uint_eq(strlen(heard), n);
	text = keep_text(heard);
	close(fd);
	return n;
}

static void
must_parse(char *from, size_t length)
{
	struct exposition_trouble trouble;
	const int r = exposition_parse(&e, from, length, &trouble);

	ck_assert_msg(r == 0, "line %zu: %s", trouble.line, trouble.what);
}

static int
dial_stats(void)
{
	return client_connect(UXS_STREAM, harness_path("m"));
}

static void
look(void)
{
	const int fd = dial_stats();
	size_t n;

	exposition_fini(&e);
	client_ends(fd);
	n = hear_all(fd);
	must_parse(text, n);
}

/* Of the sample with these labels: pairs of name and value; NULL ends them. */
static const struct exposition_sample *
find(const char *name, ...)
{
	for (size_t i = 0; i < e.n_samples; i++) {
		const struct exposition_sample *s = &e.samples[i];
		const char *label, *value;
		bool is_it = strcmp(s->name, name) == 0;
		va_list args;

		va_start(args, name);
		while (is_it && (label = va_arg(args, const char *)) != NULL) {
			value = exposition_label(&e, s, label);
			is_it = value != NULL &&
			    strcmp(value, va_arg(args, const char *)) == 0;
		}
		va_end(args);
		if (is_it)
			return s;
	}
	return NULL;
}

static double
value_of(const char *what, const struct exposition_sample *sample)
{
	ck_assert_msg(sample != NULL, "there is no %s", what);
	return sample->value;
}

#define VALUE(...) value_of(#__VA_ARGS__, find(__VA_ARGS__, NULL))
#define IS(expect, ...) ck_assert_double_eq(VALUE(__VA_ARGS__), expect)

static void
start(struct service *service, const char *const arguments[])
{
	service_start(service, arguments);
}

static void
finish(struct service *service)
{
	exposition_fini(&e);
	service_stop_clean(service);
	ck_assert_int_eq(count_files(), 0);
}

/* Over what is there, without an end. */
static void
put(char *to, const char *from)
{
	while (*from != '\0')
		*to++ = *from++;
}

/* Send this, hear the response, and expect that status. */
static void
ask(const char *request, size_t length, int status)
{
	const int fd = dial_stats();
	char line[32];

	client_says(fd, request, length);
	hear_all(fd);
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	ck_assert_msg(strncmp(text, line, strlen(line)) == 0, "%s", text);
}

/* ---- requests ---- */

static const struct {
	const char *text;
	int status;
	bool is_head;
} requests[] = {
	{ "GET / HTTP/1.0\r\n\r\n", 200, false },
	{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200, false },
	{ "GET /metrics HTTP/1.1\nhost:\n\n", 200, false },
	{ "\r\n\nGET / HTTP/1.0\r\n\r\n", 200, false },
	{ "GET /?a=b HTTP/1.0\r\n\r\n", 200, false },
	{ "GET http://x HTTP/1.0\r\n\r\n", 200, false },
	{ "GET HTTP://x:1/metrics?y HTTP/1.0\r\n\r\n", 200, false },
	{ "GET / HTTP/1.9\r\nA: 1\r\nHost: x\r\nB: 2\r\n\r\nrest", 200, false },
	{ "HEAD / HTTP/1.0\r\n\r\n", 200, true },
	{ "GET /no HTTP/1.0\r\n\r\n", 404, false },
	{ "GET /metrics/ HTTP/1.0\r\n\r\n", 404, false },
	{ "GET metrics HTTP/1.0\r\n\r\n", 404, false },
	{ "HEAD /no HTTP/1.0\r\n\r\n", 404, true },
	{ "GET http://x/no HTTP/1.0\r\n\r\n", 404, false },
	{ "POST / HTTP/1.0\r\n\r\n", 405, false },
	{ "get / HTTP/1.0\r\n\r\n", 405, false },
	{ "GETS / HTTP/1.0\r\n\r\n", 405, false },
	{ "GET / HTTP/1.1\r\n\r\n", 400, false }, /* no host */
	{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, false },
	{ "GET / HTTP/1.0\r\nNo field\r\n\r\n", 400, false },
	{ "GET / HTTP/1.0\r\nA: 1\r\n continued\r\n\r\n", 400, false },
	{ "GET / HTTP/1.0\r\nA : 1\r\n\r\n", 400, false },
	{ "GET /\r\n\r\n", 400, false },
	{ "GET  / HTTP/1.0\r\n\r\n", 400, false },
	{ "GET / HTTP/1.0 \r\n\r\n", 400, false },
	{ "GET / HTTP/1\r\n\r\n", 400, false },
	{ "GET / http/1.0\r\n\r\n", 400, false },
	{ "G\tT / HTTP/1.0\r\n\r\n", 400, false },
	{ "GET /\x7f HTTP/1.0\r\n\r\n", 400, false },
	{ "hello\n", 400, false },
	{ " \n", 400, false },
	{ "GET / HTTP/2.0\r\n\r\n", 505, false },
	{ "", 0, false },
	{ "\r\n", 0, false },
	{ "GET", 0, false },
	{ "GET / HTTP/1.0", 0, false },
	{ "GET / HTTP/1.0\r\n", 0, false },
	{ "GET /no HTTP/1.0\r\nA: 1\r\n", 0, false },
	{ "GET / HTTP/1.0\r\n\r", 0, false },
};

START_TEST(request_has_its_status)
{
	const char *bytes = requests[_i].text;
	const struct http_request request = http_parse(bytes, strlen(bytes));

	ck_assert_msg((int)request.status == requests[_i].status, "row %d: %d",
	    _i, (int)request.status);
	ck_assert_int_eq(request.is_head, requests[_i].is_head);
}
END_TEST

/* What is there is never reached beyond. */
START_TEST(request_is_the_same_wherever_it_is_cut)
{
	const char *bytes = requests[_i].text;
	const size_t length = strlen(bytes);

	for (size_t n = 0; n < length; n++) {
		char *part = malloc(n + 1);
		struct http_request request;

		ck_assert_ptr_nonnull(part);
		memcpy(part, bytes, n);
		request = http_parse(part, n);
		ck_assert(request.status == HTTP_INCOMPLETE ||
		    (int)request.status == requests[_i].status);
		free(part);
	}
}
END_TEST

START_TEST(head_that_is_too_long_is_refused)
{
	static char head[HTTP_HEAD_MAX];

	memset(head, 'a', sizeof(head));
	ck_assert_int_eq(http_parse(head, sizeof(head)).status, HTTP_TOO_LARGE);
	ck_assert_int_eq(http_parse(head, sizeof(head) - 1).status,
	    HTTP_INCOMPLETE);
	put(head, "GET / HTTP/1.0\nA: ");
	ck_assert_int_eq(http_parse(head, sizeof(head)).status, HTTP_TOO_LARGE);
	memset(head, '\n', sizeof(head));
	ck_assert_int_eq(http_parse(head, sizeof(head)).status, HTTP_TOO_LARGE);
}
END_TEST

/* ---- the text ---- */

static void
print_metrics(const struct metrics *metrics)
{
	char *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);

	ck_assert_ptr_nonnull(out);
	metrics_print(out, metrics);
	ck_assert_int_eq(fclose(out), 0);
	text = keep_text(printed);
	free(printed);
	exposition_fini(&e);
	must_parse(text, n);
}

static struct metrics metrics;
static const struct uxs_address odd = {
	.type = UXS_SEQPACKET, .length = 4, .name = "a\"\\\n"
};

START_TEST(figures_stand_under_their_names)
{
	char address[UXS_ADDRESS_TEXT_MAX];

	metrics = (struct metrics){ .version = "1\"\\\n2", .max_conns = 10 };
	metrics.started_ms = 1234056;
	metrics.stats.of[UXS_SEQPACKET].connections = 3;
	metrics.stats.of[UXS_DGRAM].dropped[UXS_DROP_SELF] = 4;
	metrics.stats.of[UXS_STREAM].refused[UXS_REFUSAL_RATE] = 5;
	metrics.stats.of[UXS_STREAM].sent_bytes = 1ULL << 50;
	metrics.stats.closed[UXS_CLOSE_DRAIN] = 6;
	metrics.stats.pauses = 7;
	metrics.stats.rebinds = 11;
	metrics.stats.loops = 12;
	metrics.stats.moves = 13;
	metrics.stats.spin.lost = 8;
	metrics.stats.spin.spent_ns = 1500000000;
	metrics.n_queues = 1;
	metrics.queues[0] = (struct uxs_queue){ &odd, 9, 10 };
	print_metrics(&metrics);

	IS(1, "uxecho_build_info", "version", "1\"\\\n2");
	IS(1234.056, "uxecho_start_time_seconds");
	IS(3, "uxecho_connections", "type", "seqpacket");
	IS(10, "uxecho_max_connections");
	IS(4, "uxecho_dropped_total", "type", "dgram", "reason", "self");
	IS(5, "uxecho_refused_total", "type", "stream", "reason", "rate");
	IS(1125899906842624.0, "uxecho_sent_bytes_total", "type", "stream");
	IS(6, "uxecho_closed_total", "reason", "drain");
	IS(7, "uxecho_pauses_total", "reason", "descriptors");
	IS(11, "uxecho_rebinds_total");
	IS(12, "uxecho_loops");
	IS(13, "uxecho_moves_total");
	IS(8, "uxecho_spins_total", "result", "lost");
	IS(1.5, "uxecho_spin_seconds_total");
	IS(9, "uxecho_backlog", "address",
	    uxs_address_print(&odd, address, sizeof(address)));
	IS(10, "uxecho_backlog_limit");
	exposition_fini(&e);
}
END_TEST

START_TEST(turns_are_a_histogram)
{
	metrics = (struct metrics){ .version = "1" };
	for (int i = 0; i <= UXS_N_TURN_BOUNDS; i++)
		metrics.stats.turns.n[i] = 1;
	metrics.stats.turns.spent_ns = 2000000001;
	print_metrics(&metrics);

	IS(1, "uxecho_turn_seconds_bucket", "le", "1e-05");
	IS(7, "uxecho_turn_seconds_bucket", "le", "0.001");
	IS(UXS_N_TURN_BOUNDS, "uxecho_turn_seconds_bucket", "le", "1.0");
	IS(UXS_N_TURN_BOUNDS + 1, "uxecho_turn_seconds_bucket", "le", "+Inf");
	IS(UXS_N_TURN_BOUNDS + 1, "uxecho_turn_seconds_count");
	IS(2.000000001, "uxecho_turn_seconds_sum");
	exposition_fini(&e);
}
END_TEST

START_TEST(users_are_listed_up_to_a_limit_and_all_are_counted)
{
	metrics = (struct metrics){ .version = "1" };
	metrics.n_users = METRICS_USERS_MAX + 5;
	for (uid_t i = 0; i < METRICS_USERS_MAX; i++)
		metrics.users[i] = (struct uxs_account_figures){
			.uid = i, .n_conns = 1, .n_bytes = i
		};
	metrics.users[METRICS_USERS_MAX - 1].uid = UXS_UID_NONE;
	print_metrics(&metrics);

	IS(METRICS_USERS_MAX + 5, "uxecho_users");
	IS(1, "uxecho_user_connections", "uid", "0");
	IS(998, "uxecho_user_kept_bytes", "uid", "998");
	IS(1, "uxecho_user_connections", "uid", "unknown");
	exposition_fini(&e);
}
END_TEST

/* ".It Va a , Va b": what the manual lists, in its order. */
static size_t
next_listed(char **rest, char names[2][64])
{
	for (char *line; (line = next_line(rest)) != NULL;) {
		const int n =
		    sscanf(line, ".It Va %63s , Va %63s", names[0], names[1]);

		if (n > 0)
			return (size_t)n;
	}
	return 0;
}

START_TEST(manual_lists_every_name_and_no_other)
{
	char *manual = read_document("man/uxecho.8");
	char *list = cut_between(manual, "\n.Sh STATISTICS", "\n.Sh ");
	char names[2][64];
	size_t n, n_listed = 0;

	metrics = (struct metrics){ .version = "1" };
	print_metrics(&metrics);

	while ((n = next_listed(&list, names)) > 0) {
		for (size_t i = 0; i < n; i++, n_listed++) {
			const struct exposition_family *f;
			char name[128];

			ck_assert_uint_lt(n_listed, e.n_families);
			f = &e.families[n_listed];
			snprintf(name, sizeof(name), "%s%s", f->name,
			    f->type == EXPOSITION_COUNTER  ? "_total" :
				f->type == EXPOSITION_INFO ? "_info" :
							     "");
			ck_assert_str_eq(name + strlen("uxecho_"), names[i]);
			ck_assert_ptr_nonnull(f->help);
		}
	}
	ck_assert_uint_eq(n_listed, e.n_families);
	exposition_fini(&e);
	free(manual);
}
END_TEST

/* ---- what was done ---- */

START_TEST(counters_are_what_was_done)
{
	struct service service;
	int stream, packets, datagrams;

	start(&service, all);
	stream = client_connect(UXS_STREAM, harness_path("s"));
	packets = client_connect(UXS_SEQPACKET, harness_path("q"));
	datagrams = client_connect(UXS_DGRAM, harness_path("d"));
	for (int i = 0; i < 3; i++) {
		SAYS(stream, "hello");
		HEARS(stream, "hello");
	}
	SAYS(packets, "");
	HEARS(packets, "");
	SAYS(datagrams, "12");
	HEARS(datagrams, "12");
	look();

	IS(1, "uxecho_connections", "type", "stream");
	IS(1, "uxecho_connections", "type", "seqpacket");
	IS(1, "uxecho_accepted_total", "type", "stream");
	IS(1, "uxecho_accepted_total", "type", "seqpacket");
	IS(3, "uxecho_received_messages_total", "type", "stream");
	IS(3, "uxecho_sent_messages_total", "type", "stream");
	IS(15, "uxecho_received_bytes_total", "type", "stream");
	IS(15, "uxecho_sent_bytes_total", "type", "stream");
	IS(1, "uxecho_received_messages_total", "type", "seqpacket");
	IS(0, "uxecho_received_bytes_total", "type", "seqpacket");
	IS(1, "uxecho_sent_messages_total", "type", "dgram");
	IS(2, "uxecho_sent_bytes_total", "type", "dgram");
	IS(1, "uxecho_users");
	IS(2, "uxecho_user_connections");
	IS(0, "uxecho_user_kept_bytes");
	IS(0, "uxecho_closed_total", "reason", "eof");
	ck_assert_double_gt(VALUE("uxecho_turn_seconds_count"), 0);
	ck_assert_double_gt(VALUE("uxecho_turn_seconds_sum"), 0);
	close(stream);
	close(packets);
	close(datagrams);
	unlink("d.1");
	exposition_fini(&e);
	service_stop_clean(&service);
}
END_TEST

START_TEST(ends_and_drops_are_counted_with_their_reasons)
{
	struct service service;
	const int nameless = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd;

	start(&service, all);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	client_ends(fd);
	client_hears_end(fd);
	close(fd);
	ck_assert_int_ge(nameless, 0);
	{
		struct sockaddr_un to = { .sun_family = AF_UNIX };

		strlcpy(to.sun_path, "d", sizeof(to.sun_path));
		ck_assert_int_eq(sendto(nameless, "x", 1, 0,
				     (struct sockaddr *)&to, sizeof(to)),
		    1);
	}
	close(nameless);
	look();

	IS(1, "uxecho_closed_total", "reason", "eof");
	IS(1, "uxecho_dropped_total", "type", "dgram", "reason",
	    "no_return_address");
	IS(0, "uxecho_users");
	finish(&service);
}
END_TEST

START_TEST(readers_are_not_counted)
{
	struct service service;

	start(&service, all);
	for (int i = 0; i < 3; i++)
		look();

	IS(0, "uxecho_accepted_total", "type", "stream");
	IS(0, "uxecho_connections", "type", "stream");
	IS(0, "uxecho_closed_total", "reason", "refused");
	finish(&service);
}
END_TEST

START_TEST(backlog_has_its_address_and_limit)
{
	const char *const few[] = { "--stats", "m", "-B", "5", "stream:s",
		NULL };
	struct service service;

	start(&service, few);
	look();
	if (find("uxecho_backlog", NULL) == NULL) {
		skip("needs sock_diag(7) with unix_diag");
	} else {
		IS(0, "uxecho_backlog", "address", "stream:s");
		IS(5, "uxecho_backlog_limit", "address", "stream:s");
	}
	finish(&service);
}
END_TEST

/* ---- how it is asked ---- */

START_TEST(silent_reader_is_answered)
{
	struct service service;
	size_t n;

	start(&service, all);
	n = hear_all(dial_stats());

	must_parse(text, n);
	IS(0, "uxecho_users");
	finish(&service);
}
END_TEST

static const char get[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

START_TEST(http_has_the_same_text_behind_a_head)
{
	struct service service;
	char *body;
	size_t length;

	start(&service, all);
	ask(get, strlen(get), 200);

	ck_assert_ptr_nonnull(strstr(text,
	    "\r\nContent-Type: application/openmetrics-text; version=1.0.0; "
	    "charset=utf-8\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n"));
	body = strstr(text, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	body += 4;
	ck_assert_int_eq(sscanf(strstr(text, "Content-Length:"),
			     "Content-Length: %zu", &length),
	    1);
	ck_assert_uint_eq(length, strlen(body));
	must_parse(body, length);
	finish(&service);
}
END_TEST

START_TEST(head_has_no_body)
{
	struct service service;
	const char request[] = "HEAD / HTTP/1.0\r\n\r\n";

	start(&service, all);
	ask(request, strlen(request), 200);

	ck_assert_str_eq(text + strlen(text) - 4, "\r\n\r\n");
	ck_assert_ptr_eq(strstr(text, "\r\n\r\n"), text + strlen(text) - 4);
	ck_assert_ptr_null(strstr(text, "Content-Length: 0\r\n"));
	finish(&service);
}
END_TEST

START_TEST(wrong_request_has_its_status)
{
	struct service service;

	start(&service, all);
	ask("GET /x HTTP/1.0\r\n\r\n", 19, 404);
	ask("PUT / HTTP/1.0\r\n\r\n", 18, 405);
	ck_assert_ptr_nonnull(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
	ask("good day\n", 9, 400);
	ask("\0\n", 2, 400);
	ask("GET / HTTP/3.0\r\n\r\n", 18, 505);
	look();
	finish(&service);
}
END_TEST

START_TEST(request_may_come_byte_by_byte)
{
	struct service service;
	int fd;

	start(&service, all);
	fd = dial_stats();
	for (size_t i = 0; i < strlen(get); i++)
		client_says(fd, get + i, 1);
	hear_all(fd);

	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	finish(&service);
}
END_TEST

START_TEST(what_follows_a_request_is_thrown_away)
{
	char request[100000];
	struct service service;

	start(&service, all);
	memset(request, 'x', sizeof(request));
	put(request, get);
	put(request + strlen(get), get);
	ask(request, sizeof(request), 200);

	ck_assert_ptr_null(strstr(text + 1, "HTTP/1.1"));
	finish(&service);
}
END_TEST

START_TEST(head_of_a_request_is_bounded)
{
	static char request[HTTP_HEAD_MAX];
	struct service service;

	start(&service, all);
	memset(request, 'x', sizeof(request));
	ask(request, sizeof(request), 431);
	finish(&service);
}
END_TEST

START_TEST(half_a_request_is_an_error_at_its_end)
{
	struct service service;
	int fd;

	start(&service, all);
	fd = dial_stats();
	SAYS(fd, "GET / HT");
	client_ends(fd);
	hear_all(fd);

	ck_assert_int_eq(strncmp(text, "HTTP/1.1 400 ", 13), 0);
	finish(&service);
}
END_TEST

/* The only test that waits for as long as an impatient person would. */
START_TEST(half_a_request_times_out)
{
	struct service service;

	start(&service, all);
	ask("GET / HT", 8, 408);
	finish(&service);
}
END_TEST

START_TEST(curl_reads_it)
{
	const char *const argv[] = { "/usr/bin/curl", "-sf", "--unix-socket",
		harness_path("m"), "http://uxecho/metrics", NULL };
	struct output_of result;
	struct service service;

	if (access(argv[0], X_OK) < 0) {
		skip("needs curl(1)");
		return;
	}
	start(&service, all);
	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	must_parse(result.out, strlen(result.out));
	finish(&service);
}
END_TEST

/* ---- many, and slow ones ---- */

START_TEST(hundred_readers_are_answered)
{
	struct service service;
	int fds[100];

	start(&service, all);
	for (int i = 0; i < N_OF(fds); i++) {
		fds[i] = dial_stats();
		client_ends(fds[i]);
	}
	for (int i = 0; i < N_OF(fds); i++) {
		exposition_fini(&e);
		must_parse(text, hear_all(fds[i]));
	}

	IS(0, "uxecho_users");
	finish(&service);
}
END_TEST

/* They say that they will speak, and never do. */
START_TEST(readers_who_take_all_places_disturb_no_client)
{
	struct service service;
	int fds[STATS_READERS_MAX], client;

	start(&service, all);
	for (int i = 0; i < N_OF(fds); i++) {
		fds[i] = dial_stats();
		send(fds[i], "GET", 3, MSG_NOSIGNAL);
	}
	client = client_connect(UXS_STREAM, harness_path("s"));
	SAYS(client, "still there?");
	HEARS(client, "still there?");

	close(client);
	close_all(fds, N_OF(fds));
	/* Refused until it has noticed that they have gone. */
	do {
		fds[0] = dial_stats();
		shutdown(fds[0], SHUT_WR);
	} while (hear_all(fds[0]) == 0);
	must_parse(text, strlen(text));
	finish(&service);
}
END_TEST

START_TEST(clients_who_take_all_places_disturb_no_reader)
{
	const char *const one[] = { "--stats", "m", "-c", "1", "-C", "1",
		"stream:s", NULL };
	struct service service;
	int in, out;

	start(&service, one);
	in = client_connect(UXS_STREAM, harness_path("s"));
	SAYS(in, "x");
	HEARS(in, "x");
	out = client_connect(UXS_STREAM, harness_path("s"));
	client_hears_end(out);
	look();

	IS(1, "uxecho_max_connections");
	IS(1, "uxecho_connections", "type", "stream");
	IS(1, "uxecho_refused_total", "type", "stream", "reason",
	    "max_per_user");
	close(in);
	close(out);
	finish(&service);
}
END_TEST

START_TEST(reader_who_does_not_read_leaves_nothing)
{
	struct service service;
	int fd, n;

	start(&service, all);
	look();
	n = count_descriptors_of(service.pid);
	for (int i = 0; i < 20; i++) {
		fd = dial_stats();
		client_says(fd, get, strlen(get));
		close(fd);
	}
	look();
	look();

	service_settles(&service, UXS_STREAM, harness_path("s"), n);
	finish(&service);
}
END_TEST

/* ---- who may read ---- */

/* What becomes of another user. */
static char answered[] = "answered", refused[] = "refused",
	    closed[] = "closed to others";

static void
read_as_other(void *arg)
{
	const char *expect = arg;
	int fd = client_try(UXS_STREAM, harness_path("m"));
	char byte;

	if (expect == closed) {
		ck_assert_int_lt(fd, 0);
		ck_assert_int_eq(errno, EACCES);
		return;
	}
	ck_assert_int_ge(fd, 0);
	shutdown(fd, SHUT_WR);
	if (expect == refused)
		ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
	else
		ck_assert_uint_gt(hear_all(fd), 1000);
	close(fd);
}

START_TEST(rules_of_the_service_are_those_of_the_statistics)
{
	const char *const some[] = { "--stats", "m", "--allow", "uid:1500",
		"stream:s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	start(&service, some);
	ck_assert_uint_eq(mode_of("m"), 0666);
	as_user(OTHER_UID, OTHER_GID, read_as_other, answered);
	as_user(THIRD_UID, OTHER_GID, read_as_other, refused);
	service_logs(&service, "statistics: stream: refused (rules): uid=1501");
	finish(&service);
}
END_TEST

START_TEST(without_rules_the_statistics_are_closed_to_others)
{
	struct service service;

	SKIP_UNLESS_ROOT();
	start(&service, all);
	ck_assert_uint_eq(mode_of("m"), 0600);
	as_user(OTHER_UID, OTHER_GID, read_as_other, closed);
	finish(&service);
}
END_TEST

START_TEST(rules_that_are_read_again_hold_for_both)
{
	const char *const file[] = { "--stats", "m", "--rules",
		harness_path("r"), "stream:s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	write_file("r", "allow uid:1500\n", 0600);
	start(&service, file);
	as_user(OTHER_UID, OTHER_GID, read_as_other, answered);
	write_file("r", "allow uid:1501\n", 0600);
	kill(service.pid, SIGHUP);
	service_logs(&service, "rules were read again");
	as_user(OTHER_UID, OTHER_GID, read_as_other, refused);
	as_user(THIRD_UID, OTHER_GID, read_as_other, answered);
	unlink("r");
	finish(&service);
}
END_TEST

/* The address of the statistics alone is abstract. */
START_TEST(rules_that_one_of_both_cannot_take_are_not_taken)
{
	char name[64];
	const char *const file[] = { "--stats", name, "--rules",
		harness_path("r"), "stream:s", NULL };
	struct service service;

	snprintf(name, sizeof(name), "@check-stats-%ld", (long)getpid());
	write_file("r", "allow uid:1500\n", 0600);
	start(&service, file);
	write_file("r", "deny uid:1500\n", 0600);
	kill(service.pid, SIGHUP);
	service_logs(&service, "the old rules stay");
	unlink("r");
	finish(&service);
}
END_TEST

/* Here it is the service's, and the statistics had taken them already. */
START_TEST(old_rules_hold_again_where_new_ones_are_not_taken)
{
	char name[64];
	const char *const file[] = { "--stats", "m", "--rules",
		harness_path("r"), name, NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	snprintf(name, sizeof(name), "stream:@check-stats-%ld", (long)getpid());
	write_file("r", "allow uid:1500\n", 0600);
	start(&service, file);
	write_file("r", "deny uid:1500\n", 0600);
	kill(service.pid, SIGHUP);
	service_logs(&service, "the old rules stay");
	as_user(OTHER_UID, OTHER_GID, read_as_other, answered);
	as_user(THIRD_UID, OTHER_GID, read_as_other, refused);
	unlink("r");
	finish(&service);
}
END_TEST

START_TEST(files_of_root_are_removed_for_who_is_not_root_any_more)
{
	const char *const user[] = { "--user", "daemon", "--stats", "m",
		"stream:s", NULL };
	struct service service;

	SKIP_UNLESS_ROOT();
	start(&service, user);
	look();
	ck_assert_int_eq(count_files(), 4); /* and their locks */
	finish(&service);
}
END_TEST

/* The sandbox, where there is one, lets it be removed there too. */
START_TEST(socket_in_a_directory_of_its_own_is_removed)
{
	const char *const apart[] = { "--stats", "two/m", "stream:one/s",
		NULL };
	struct service service;

	ck_assert_int_eq(mkdir("one", 0755), 0);
	ck_assert_int_eq(mkdir("two", 0755), 0);
	start(&service, apart);
	ck_assert(is_there("two/m"));
	service_stop_clean(&service);

	ck_assert_int_eq(rmdir("one"), 0);
	ck_assert_int_eq(rmdir("two"), 0);
}
END_TEST

/* ---- the command line ---- */

static const struct {
	const char *stats, *address, *word;
} conflicts[] = {
	{ "s", "stream:s", "is served, too" },
	{ "stream:s", "s", "is served, too" },
	{ "@x", "s", "--allow" },
	{ "dgram:x", "s", "stream" },
};

START_TEST(address_that_does_not_fit_is_a_usage_error)
{
	const char *const argv[] = { "uxecho", "--stats", conflicts[_i].stats,
		conflicts[_i].address, NULL };
	struct output_of result;

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 64);
	ck_assert_ptr_nonnull(strstr(result.err, conflicts[_i].word));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(address_that_cannot_be_made_ends_the_start_and_leaves_nothing)
{
	const char *const argv[] = { "uxecho", "--stats", "no/m", "s", NULL };
	struct output_of result;

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 73);
	ck_assert_ptr_nonnull(strstr(result.err, "no/m"));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

static int
max_conns_with(const char *option, const char *value)
{
	const char *const argv[] = { "uxecho", "--check", "s", option, value,
		NULL };
	struct output_of result;
	const char *line;

	run_program(&result, argv);
	ck_assert_int_eq(result.status, 0);
	line = strstr(result.out, "\nmax-conns: ");
	ck_assert_ptr_nonnull(line);
	return (int)strtol(line + strlen("\nmax-conns: "), NULL, 10);
}

START_TEST(places_of_readers_are_taken_off_where_no_number_is_given)
{
	ck_assert_int_eq(max_conns_with(NULL, NULL) - STATS_DESCRIPTORS,
	    max_conns_with("--stats", "m"));
}
END_TEST

START_TEST(check_shows_it)
{
	const char *const argv[] = { "uxecho", "--check", "--stats", "m", "s",
		NULL };
	struct output_of result;

	run_program(&result, argv);

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "\nstatistics at stream:m\n  with mode 0600\n"));
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* ---- rest ---- */

/* "232 0x4 0x7f... 0x40 0xffffffff ...": the wait, and its time limit. */
static bool
sleeps_for_ever(pid_t pid)
{
	unsigned long call, a, b, c, timeout;
	char path[64];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%ld/syscall", (long)pid);
	if ((file = fopen(path, "r")) == NULL)
		return false;
	n = fscanf(file, "%lu %lx %lx %lx %lx", &call, &a, &b, &c, &timeout);
	fclose(file);
	return n == 5 && (int)timeout == -1;
}

static bool
has_timer_in(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];
	bool is_set = false;

	if (file == NULL)
		return false; /* closed meanwhile */
	while (fgets(line, sizeof(line), file) != NULL)
		is_set |= strncmp(line, "it_value:", 9) == 0 &&
		    strstr(line, "(0, 0)") == NULL;
	fclose(file);
	return is_set;
}

/* That of the other loop is a descriptor. */
static bool
has_no_timer(pid_t pid)
{
	char path[64];

	for (int fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%d", (long)pid,
		    fd);
		if (has_timer_in(path))
			return false;
	}
	return true;
}

START_TEST(nobody_is_woken_up_when_nobody_reads)
{
	struct service service;

	start(&service, all);
	look();
	hear_all(dial_stats());
	if (access("/proc/self/syscall", R_OK) < 0)
		skip("needs /proc/PID/syscall");
	else
		while (!sleeps_for_ever(service.pid) ||
		    !has_no_timer(service.pid))
			;
	finish(&service);
}
END_TEST

static void
add_pure_cases(Suite *suite)
{
	TCase *http = harness_case(suite, "requests");
	TCase *contents = harness_case(suite, "text");

	tcase_add_loop_test(http, request_has_its_status, 0, N_OF(requests));
	tcase_add_loop_test(http, request_is_the_same_wherever_it_is_cut, 0,
	    N_OF(requests));
	tcase_add_test(http, head_that_is_too_long_is_refused);
	tcase_add_test(contents, figures_stand_under_their_names);
	tcase_add_test(contents, turns_are_a_histogram);
	tcase_add_test(contents,
	    users_are_listed_up_to_a_limit_and_all_are_counted);
	tcase_add_test(contents, manual_lists_every_name_and_no_other);
}

static void
add_reading_cases(Suite *suite)
{
	TCase *counts = harness_case(suite, "counts");
	TCase *asked = harness_case(suite, "asked");
	TCase *many = harness_case(suite, "many");

	tcase_add_test(counts, counters_are_what_was_done);
	tcase_add_test(counts, ends_and_drops_are_counted_with_their_reasons);
	tcase_add_test(counts, readers_are_not_counted);
	tcase_add_test(counts, backlog_has_its_address_and_limit);
	tcase_add_test(asked, silent_reader_is_answered);
	tcase_add_test(asked, http_has_the_same_text_behind_a_head);
	tcase_add_test(asked, head_has_no_body);
	tcase_add_test(asked, wrong_request_has_its_status);
	tcase_add_test(asked, request_may_come_byte_by_byte);
	tcase_add_test(asked, what_follows_a_request_is_thrown_away);
	tcase_add_test(asked, head_of_a_request_is_bounded);
	tcase_add_test(asked, half_a_request_is_an_error_at_its_end);
	tcase_add_test(asked, half_a_request_times_out);
	tcase_add_test(asked, curl_reads_it);
	tcase_add_test(many, hundred_readers_are_answered);
	tcase_add_test(many, readers_who_take_all_places_disturb_no_client);
	tcase_add_test(many, clients_who_take_all_places_disturb_no_reader);
	tcase_add_test(many, reader_who_does_not_read_leaves_nothing);
	tcase_add_test(many, nobody_is_woken_up_when_nobody_reads);
}

Suite *
suite_stats(void)
{
	Suite *suite = suite_create("stats");
	TCase *access_rules, *line;

	add_pure_cases(suite);
	add_reading_cases(suite);
	access_rules = harness_case(suite, "access");
	line = harness_case(suite, "command line");
	tcase_add_test(access_rules,
	    rules_of_the_service_are_those_of_the_statistics);
	tcase_add_test(access_rules,
	    without_rules_the_statistics_are_closed_to_others);
	tcase_add_test(access_rules, rules_that_are_read_again_hold_for_both);
	tcase_add_test(access_rules,
	    rules_that_one_of_both_cannot_take_are_not_taken);
	tcase_add_test(access_rules,
	    old_rules_hold_again_where_new_ones_are_not_taken);
	tcase_add_test(access_rules,
	    files_of_root_are_removed_for_who_is_not_root_any_more);
	tcase_add_test(access_rules,
	    socket_in_a_directory_of_its_own_is_removed);
	tcase_add_loop_test(line, address_that_does_not_fit_is_a_usage_error, 0,
	    N_OF(conflicts));
	tcase_add_test(line,
	    address_that_cannot_be_made_ends_the_start_and_leaves_nothing);
	tcase_add_test(line,
	    places_of_readers_are_taken_off_where_no_number_is_given);
	tcase_add_test(line, check_shows_it);
	return suite;
}
