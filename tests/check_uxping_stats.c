/* SPDX-License-Identifier: ISC */
/* uxping --stats: figures shown, and what is said when there are none. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "strict_json.h"
#include "suites.h"

static struct output_of result;

#define STATS(...)           \
	run_program(&result, \
	    (const char *const[]){ "uxping", "--stats", __VA_ARGS__, NULL })

static const char *const serving[] = { "--stats", "m", "stream:s", NULL };

/* One that is known, and has had two messages of 5 bytes. */
static void
start(struct service *service)
{
	int fd;

	service_start(service, serving);
	fd = client_connect(UXS_STREAM, harness_path("s"));
	for (int i = 0; i < 2; i++) {
		SAYS(fd, "hello");
		HEARS(fd, "hello");
	}
	client_ends(fd);
	client_hears_end(fd);
	close(fd);
}

/* The line that begins with that name and has these labels. */
static char *
find_line(const char *name, const char *labels)
{
	static char line[512];
	const size_t n = strlen(name);

	for (const char *at = result.out; at != NULL && *at != '\0';
	     at = strchr(at, '\n'), at = at != NULL ? at + 1 : NULL) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"),
		    at);
		if (strncmp(line, name, n) == 0 && line[n] == ' ' &&
		    strstr(line, labels) != NULL)
			return line;
	}
	return NULL;
}

static void
ends_with(const char *name, const char *labels, const char *value)
{
	const char *line = find_line(name, labels);

	ck_assert_msg(line != NULL, "no %s %s in:\n%s", name, labels,
	    result.out);
	ck_assert_str_eq(strrchr(line, ' ') + 1, value);
}

START_TEST(figures_are_a_table)
{
	struct service service;

	start(&service);
	STATS("m");

	ck_assert_int_eq(result.status, 0);
	ck_assert_str_eq(result.err, "");
	ends_with("uxecho_accepted_total", "type=stream", "1");
	ends_with("uxecho_received_bytes_total", "type=stream", "10");
	ends_with("uxecho_closed_total", "reason=eof", "1");
	ends_with("uxecho_build_info", "version=", "1");
	service_stop_clean(&service);
}
END_TEST

START_TEST(columns_are_aligned)
{
	struct service service;
	size_t width;

	start(&service);
	STATS("m");

	width = strcspn(result.out, "\n");
	for (const char *at = result.out; strstr(at, "  ") != NULL;
	     at = strchr(at, '\n') + 1) {
		if (strncmp(at, "uxecho_", 7) != 0)
			break;
		ck_assert_uint_eq(strcspn(at, "\n"), width);
	}
	service_stop_clean(&service);
}
END_TEST

START_TEST(counters_that_are_zero_are_for_those_who_ask)
{
	struct service service;

	start(&service);
	STATS("m");
	ck_assert_ptr_null(find_line("uxecho_closed_total", "reason=drain"));
	ck_assert_ptr_nonnull(strstr(result.out, " counters are 0; "));
	STATS("-v", "m");

	ends_with("uxecho_closed_total", "reason=drain", "0");
	ck_assert_ptr_null(strstr(result.out, " counters are 0; "));
	service_stop_clean(&service);
}
END_TEST

START_TEST(json_is_one_object_with_every_sample)
{
	struct service service;

	start(&service);
	STATS("-j", "m");

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_eq(strchr(result.out, '\n'),
	    result.out + strlen(result.out) - 1);
	ck_assert(are_strict_json_lines(result.out));
	ck_assert_ptr_eq(strstr(result.out, "{\"v\":1,\"event\":\"stats\","),
	    result.out);
	ck_assert_ptr_nonnull(strstr(result.out,
	    "{\"name\":\"uxecho_received_bytes_total\","
	    "\"labels\":{\"type\":\"stream\"},\"value\":10}"));
	ck_assert_ptr_nonnull(strstr(result.out,
	    "{\"name\":\"uxecho_closed_total\","
	    "\"labels\":{\"reason\":\"drain\"},\"value\":0}"));
	service_stop_clean(&service);
}
END_TEST

/* ---- other servers ---- */

struct answer {
	int listener;
	const char *text; /* NULL: never */
};

/* Each client is told this, and that is all. */
static void
be_server(void *arg)
{
	const struct answer *answer = arg;

	for (;;) {
		const int fd = accept(answer->listener, NULL, NULL);
		char byte;

		if (fd < 0)
			_exit(0);
		while (answer->text == NULL)
			pause();
		while (recv(fd, &byte, 1, 0) > 0)
			;
		send(fd, answer->text, strlen(answer->text), MSG_NOSIGNAL);
		close(fd);
	}
}

static pid_t
serve(struct answer *answer, const char *text)
{
	answer->listener = bound_socket(UXS_STREAM, "m");
	answer->text = text;
	ck_assert_int_eq(listen(answer->listener, 5), 0);
	return start_child(be_server, answer);
}

static void
end_server(pid_t pid, const struct answer *answer)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(wait_child(pid), 128 + SIGKILL);
	close(answer->listener);
	unlink("m");
}

#define END "# EOF\n"

static const struct {
	const char *text, *word, *words;
} faults[] = {
	{ "", "denied", "" },
	{ END "x", "corrupt", "behind the end" },
	{ "a 1\n" END, "corrupt", "line 1: a sample of no family" },
	{ "# TYPE a gauge\na 1\n", "corrupt", "not complete" },
	{ "HTTP/1.1 200 OK\r\n\r\n" END, "corrupt", "line 1" },
	{ NULL, "timeout", "" },
};

START_TEST(trouble_has_its_word)
{
	struct answer answer;
	const pid_t pid = serve(&answer, faults[_i].text);

	STATS("-W", faults[_i].text == NULL ? "20ms" : "10s", "m");

	ck_assert_int_eq(result.status, 1);
	ck_assert_str_eq(result.out, "");
	ck_assert_msg(strstr(result.err, faults[_i].word) != NULL &&
		strstr(result.err, faults[_i].words) != NULL,
	    "%s", result.err);
	end_server(pid, &answer);
}
END_TEST

START_TEST(trouble_is_an_event_too)
{
	struct answer answer;
	const pid_t pid = serve(&answer, "what?\n");

	STATS("-j", "m");

	ck_assert_int_eq(result.status, 1);
	ck_assert(are_strict_json_lines(result.out));
	ck_assert_ptr_nonnull(strstr(result.out, "\"event\":\"error\""));
	ck_assert_ptr_nonnull(strstr(result.out, "\"reason\":\"corrupt\""));
	end_server(pid, &answer);
}
END_TEST

START_TEST(what_a_server_says_is_escaped)
{
	struct answer answer;
	const pid_t pid =
	    serve(&answer, "# TYPE a gauge\na{x=\"\033[2J\\n\"} 1\n" END);

	STATS("m");

	ck_assert_int_eq(result.status, 0);
	ck_assert_ptr_null(strchr(result.out, '\033'));
	ck_assert_ptr_nonnull(strstr(result.out, "x=\\033[2J\\n"));
	end_server(pid, &answer);
}
END_TEST

START_TEST(histogram_is_told_in_words)
{
	struct answer answer;
	const pid_t pid = serve(&answer,
	    "# TYPE t histogram\nt_bucket{le=\"0.001\"} 6\n"
	    "t_bucket{le=\"0.5\"} 9\nt_bucket{le=\"+Inf\"} 10\n"
	    "t_count 10\nt_sum 20\n" END);

	STATS("m");

	ends_with("t", "in all", "10");
	ck_assert_ptr_nonnull(strstr(find_line("t", "mean"), " 2 s"));
	ck_assert_ptr_nonnull(strstr(find_line("t", "50% within"), " 1 ms"));
	ends_with("t", "99% within", "more");
	end_server(pid, &answer);
}
END_TEST

START_TEST(nobody_there_is_said)
{
	STATS("m");

	ck_assert_int_eq(result.status, 1);
	ck_assert_ptr_nonnull(strstr(result.err, "no-such-file"));
}
END_TEST

static const char *const not_streams[] = { "dgram:m", "seqpacket:m",
	"tcp:127.0.0.1:1" };

START_TEST(other_sockets_are_refused)
{
	STATS(not_streams[_i]);

	ck_assert_int_eq(result.status, 2);
	ck_assert_ptr_nonnull(strstr(result.err, "stream socket"));
}
END_TEST

Suite *
suite_uxping_stats(void)
{
	Suite *suite = suite_create("uxping stats");
	TCase *figures = harness_case(suite, "figures");
	TCase *trouble = harness_case(suite, "trouble");

	tcase_add_test(figures, figures_are_a_table);
	tcase_add_test(figures, columns_are_aligned);
	tcase_add_test(figures, counters_that_are_zero_are_for_those_who_ask);
	tcase_add_test(figures, json_is_one_object_with_every_sample);
	tcase_add_test(figures, histogram_is_told_in_words);
	tcase_add_test(figures, what_a_server_says_is_escaped);
	tcase_add_loop_test(trouble, trouble_has_its_word, 0, 6);
	tcase_add_test(trouble, trouble_is_an_event_too);
	tcase_add_test(trouble, nobody_there_is_said);
	tcase_add_loop_test(trouble, other_sockets_are_refused, 0, 3);
	return suite;
}
