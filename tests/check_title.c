/* SPDX-License-Identifier: ISC */
/* What ps(1) shows of a uxecho that serves. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"
#include "uxecho/title.h"

static const struct {
	uint64_t n_clients, n_messages;
	int64_t in_ns;
	const char *text;
} rows[] = {
	{ 0, 0, 0, "x: 0 clients, 0 messages/s" },
	{ 1, 0, UXS_NS_PER_S, "x: 1 client, 0 messages/s" },
	{ 2, 7, 2 * UXS_NS_PER_S, "x: 2 clients, 4 messages/s" },
	{ 2, 300000, UXS_NS_PER_S / 2, "x: 2 clients, 600000 messages/s" },
};

START_TEST(title_says_who_is_there_and_how_much_they_ask)
{
	char text[TITLE_MAX];

	ck_assert_str_eq(title_print(text, "x", rows[_i].n_clients,
			     rows[_i].n_messages, rows[_i].in_ns),
	    rows[_i].text);
}
END_TEST

/* As ps(1) reads it. */
static void
read_title(pid_t pid, char title[TITLE_MAX])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	n = read(fd, title, TITLE_MAX - 1);
	ck_assert_int_ge(n, 0);
	title[n] = '\0';
	close(fd);
}

/* However long that takes; the time limit of the test is the end of it. */
static void
await_title(const struct service *service, const char *text)
{
	char title[TITLE_MAX];

	do
		read_title(service->pid, title);
	while (strstr(title, text) == NULL);
}

START_TEST(title_follows_what_happens)
{
	const char *const arguments[] = { "stream:s", NULL };
	struct service service;
	int fd;

	service_start(&service, arguments);
	await_title(&service, "uxecho: stream:s: 0 clients, 0 messages/s");
	fd = client_connect(UXS_STREAM, harness_path("s"));
	await_title(&service, "stream:s: 1 client, ");
	for (int i = 0; i < 1000; i++) {
		SAYS(fd, "x");
		HEARS(fd, "x");
	}
	await_title(&service, "1 client, 0 messages/s");
	client_ends(fd);
	client_hears_end(fd);
	close(fd);
	await_title(&service, "0 clients, 0 messages/s");
	service_stop_clean(&service);
}
END_TEST

Suite *
suite_title(void)
{
	Suite *suite = suite_create("title");
	TCase *title = harness_case(suite, "title");

	tcase_add_loop_test(title,
	    title_says_who_is_there_and_how_much_they_ask, 0, 4);
	tcase_add_test(title, title_follows_what_happens);
	return suite;
}
