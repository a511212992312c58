/* SPDX-License-Identifier: ISC */
/*
 * The examples of the documents are run.
 *
 * An example is a block of lines, a literal display in EXAMPLES of a manual
 * or a "console" fence in README.md. Lines that start with "$ " are commands;
 * what stands below a command is its output. Each block runs as one shell
 * script, in a directory of its own that also takes the place of /run.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

#include "documents.h"
#include "harness.h"
#include "stage.h"
#include "suites.h"

/*
 * The script of one block. A line that ends in "&" starts a server: uxecho is
 * given a fifo to say on that it is ready, unless the example does so itself,
 * and its log goes to a file; for another server the example waits itself. Around any other command the script prints a
 * line with its number, and one with its status. At the end all servers are
 * stopped, unless the example did that, and must have stopped in order.
 */
static const char script_head[] =
    "umask 022\n"
    "serve() { exec uxecho --ready-fd 9 \"$@\"; }\n"
    "cc() { command ${CC:-cc} ${CFLAGS:-} \"$@\" ${LDFLAGS:-}; }\n"
    "servers= is_stopped=\n";

static const char script_foot[] =
    "for server in $servers; do\n"
    "	[ -n \"$is_stopped\" ] || kill \"$server\"\n"
    "	wait \"$server\" || { echo \"server: $?\"; cat log; exit 1; }\n"
    "done\n";

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool
is_server(const char *command)
{
	return command[strlen(command) - 1] == '&';
}

/* What takes the place of /run; NULL: each block's own directory. */
static const char *run_directory;

/* One that was free a moment ago; the same for the whole test. */
static int
port_of_our_own(void)
{
	static int port;
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(in);
	const int fd =
	    port == 0 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return port;
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, length), 0);
	getsockname(fd, (struct sockaddr *)&in, &length);
	port = ntohs(in.sin_port);
	close(fd);
	return port;
}

/* Append a command, with a directory of this test in place of /run, and a
 * name and a port of our own in place of an abstract one and of 7007, since
 * others may run this too. */
static void
put_command(FILE *script, const char *command, size_t length)
{
	char here[512];

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	if (run_directory != NULL)
		strlcpy(here, run_directory, sizeof(here));
	for (size_t i = 0; i < length; i++) {
		if (starts_with(command + i, "/run/")) {
			fputs(here, script);
			i += strlen("/run") - 1;
		} else if (starts_with(command + i, ":@")) {
			fprintf(script, ":@check-%ld-", (long)getpid());
			i += strlen(":@") - 1;
		} else if (starts_with(command + i, ":7007")) {
			fprintf(script, ":%d", port_of_our_own());
			i += strlen(":7007") - 1;
		} else
			fputc(command[i], script);
	}
}

static void
put_server(FILE *script, const char *command)
{
	const size_t length = strlen(command) - 1;

	if (strstr(command, "--ready-fd") != NULL ||
	    !starts_with(command, "uxecho ")) {
		put_command(script, command, length);
		fputs("2>>log &\nservers=\"$servers $!\"\n", script);
		return;
	}
	fputs("mkfifo is-ready\nserve ", script);
	put_command(script, command + strlen("uxecho "),
	    length - strlen("uxecho "));
	fputs("9>is-ready 2>>log &\nservers=\"$servers $!\"\n"
	      "read -r x <is-ready || { echo not ready; cat log; exit 1; }\n"
	      "rm is-ready\n",
	    script);
}

static void
put_step(FILE *script, int number, const char *command)
{
	fprintf(script, "echo '@%d'\n", number);
	if (is_server(command)) {
		put_server(script, command);
		return;
	}
	if (starts_with(command, "kill ") && !starts_with(command, "kill -HUP"))
		fputs("is_stopped=yes\n", script);
	fputs("{ ", script);
	put_command(script, command, strlen(command));
	fputs("\n} 2>&1\ns=$?\necho \"@=$s\"\n(exit $s)\n", script);
}

#define STEPS_MAX 16

struct block {
	int n;
	char command[STEPS_MAX][512];
	char output[STEPS_MAX][4096]; /* as documented; may be empty */
};

/* One that has not come to its END yet. */
static bool
is_here_document(const char *command)
{
	return strstr(command, "<<END") != NULL &&
	    strcmp(command + strlen(command) - strlen("\nEND"), "\nEND") != 0;
}

static void
add_line(struct block *block, const char *line)
{
	char *last = block->n > 0 ? block->command[block->n - 1] : NULL;

	if (starts_with(line, "$ ")) {
		ck_assert_int_lt(block->n, STEPS_MAX);
		strlcpy(block->command[block->n], line + 2,
		    sizeof(block->command[0]));
		block->output[block->n++][0] = '\0';
		return;
	}
	ck_assert_msg(last != NULL, "example begins with output: %s", line);
	if (is_here_document(last)) {
		strlcat(last, "\n", sizeof(block->command[0]));
		strlcat(last, line, sizeof(block->command[0]));
		return;
	}
	if (last[strlen(last) - 1] == '\\') { /* goes on in this line */
		last[strlen(last) - 1] = '\0';
		strlcat(last, line, sizeof(block->command[0]));
		return;
	}
	strlcat(block->output[block->n - 1], line, sizeof(block->output[0]));
	strlcat(block->output[block->n - 1], "\n", sizeof(block->output[0]));
}

/* Every number is the same number: process IDs and limits differ. */
static void
mask_numbers(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		if (isdigit((unsigned char)*from)) {
			from += strspn(from, "0123456789");
			*to++ = 'N';
		} else
			*to++ = *from++;
	}
	*to = '\0';
}

/* What there is of it depends on the kernel, and on the build. */
static void
mask_sandbox(char *text)
{
	const char *end;

	if ((text = strstr(text, "\nsandbox: ")) == NULL)
		return;
	text += strlen("\nsandbox: ");
	end = text + strcspn(text, "\n");
	memmove(text, end, strlen(end) + 1);
}

static void
put_back_run(char *text)
{
	char here[512];

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	for (char *at = text; (at = strstr(at, here)) != NULL; at++) {
		memcpy(at, "/run", 4);
		memmove(at + 4, at + strlen(here),
		    strlen(at + strlen(here)) + 1);
	}
}

/* What a server logs, and what takes its own time, is not compared. */
static bool
is_compared(const struct block *block, int step)
{
	const char *command = block->command[step];

	return block->output[step][0] != '\0' && !is_server(command) &&
	    (starts_with(command, "uxecho ") || starts_with(command, "echo "));
}

/* A failing command is right only where the reader is shown its status. */
static bool
may_fail(const struct block *block, int step)
{
	return step + 1 < block->n &&
	    strcmp(block->command[step + 1], "echo $?") == 0;
}

static void
check_step(struct block *block, int step, char *printed)
{
	char *status = strstr(printed, "@=");

	if (is_server(block->command[step]))
		return;
	if (status == NULL || (status[2] != '0' && !may_fail(block, step)))
		ck_abort_msg("example \"%s\" fails: %s", block->command[step],
		    printed);
	*status = '\0';
	if (!is_compared(block, step))
		return;
	put_back_run(printed);
	mask_numbers(printed);
	mask_numbers(block->output[step]);
	mask_sandbox(printed);
	mask_sandbox(block->output[step]);
	ck_assert_msg(strcmp(printed, block->output[step]) == 0,
	    "example \"%s\" prints\n%sinstead of\n%s", block->command[step],
	    printed, block->output[step]);
}

static void
check_transcript(struct block *block, char *transcript)
{
	char mark[16];

	for (int step = block->n - 1; step >= 0; step--) {
		char *printed;

		snprintf(mark, sizeof(mark), "@%d\n", step);
		if ((printed = strstr(transcript, mark)) == NULL)
			ck_abort_msg("example stopped before \"%s\": %s",
			    block->command[step], transcript);
		*printed = '\0';
		check_step(block, step, printed + strlen(mark));
	}
}

static void
write_script(const struct block *block)
{
	FILE *script = fopen("script", "w");

	ck_assert_ptr_nonnull(script);
	fputs(script_head, script);
	for (int i = 0; i < block->n; i++)
		put_step(script, i, block->command[i]);
	fputs(script_foot, script);
	fclose(script);
}

/* As one script, here. */
static void
run_commands(struct block *block)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "script", NULL };

	write_script(block);
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "example \"%s\" ends with %d: %s%s",
	    block->command[0], result.status, result.out, result.err);
	check_transcript(block, result.out);
}

static void
run_block(struct block *block)
{
	static int number;
	char name[16];

	if (block->n == 0)
		return;
	snprintf(name, sizeof(name), "block%d", number++);
	ck_assert_int_eq(mkdir(name, 0755), 0);
	ck_assert_int_eq(chdir(name), 0);
	run_commands(block);
	ck_assert_int_eq(chdir(".."), 0);
	block->n = 0;
}

/* The programs that were built come first. */
static void
set_search_path(void)
{
	char path[8192], directory[1024];

	strlcpy(directory, program("uxecho"), sizeof(directory));
	*strrchr(directory, '/') = '\0';
	snprintf(path, sizeof(path), "%s:%s", directory, getenv("PATH"));
	setenv("PATH", path, 1);
}

/* Returns how many blocks there were. */
static int
run_examples(char *text, const char *begin, const char *end)
{
	struct block block;
	bool is_inside = false;
	int n = 0;

	set_search_path();
	block.n = 0;
	for (char *rest = text, *line; (line = next_line(&rest)) != NULL;) {
		if (!is_inside && starts_with(line, begin)) {
			is_inside = true;
			n++;
		} else if (is_inside && starts_with(line, end)) {
			is_inside = false;
			run_block(&block);
		} else if (is_inside) {
			unescape(line);
			add_line(&block, line);
		}
	}
	return n;
}

#define SKIP_EXAMPLES_UNLESS_ROOT()                                         \
	do {                                                                \
		if (geteuid() != 0) {                                       \
			skip("needs root, as whom the examples are shown"); \
			return;                                             \
		}                                                           \
	} while (0)

static const char *const manuals[] = { "man/uxecho.8", "man/uxecho.rules.5" };
#define N_MANUALS ((int)(sizeof(manuals) / sizeof(manuals[0])))

START_TEST(examples_of_the_manual_work)
{
	char *manual;
	int n;

	SKIP_EXAMPLES_UNLESS_ROOT();
	manual = read_document(manuals[_i]);

	n = run_examples(cut_between(manual, "\n.Sh EXAMPLES", "\n.Sh "),
	    ".Bd -literal", ".Ed");

	ck_assert_int_ge(n, 3);
	free(manual);
}
END_TEST

START_TEST(examples_of_the_client_manual_work)
{
	const char *const paths[] = { "uxecho.sock",
		"stream:dbus/system_bus_socket", NULL };
	struct service service;
	char *manual;
	int n;

	SKIP_EXAMPLES_UNLESS_ROOT();
	manual = read_document("man/uxping.1");
	ck_assert_int_eq(mkdir("dbus", 0755), 0);
	service_start(&service, paths);
	run_directory = harness_path(".");

	n = run_examples(cut_between(manual, "\n.Sh EXAMPLES", "\n.Sh "),
	    ".Bd -literal", ".Ed");

	ck_assert_int_ge(n, 5);
	service_stop_clean(&service);
	free(manual);
}
END_TEST

START_TEST(examples_of_readme_work)
{
	char *readme;
	int n;

	SKIP_EXAMPLES_UNLESS_ROOT();
	readme = read_document("README.md");

	n = run_examples(readme, "```console", "```");

	ck_assert_int_ge(n, 2);
	free(readme);
}
END_TEST

/* ---- the program in uxsrv(7) ---- */

static void
extract_program(void)
{
	char *manual = read_document("man/uxsrv.7");
	char *rest =
	    cut_between(manual, "\n.\\\" BEGIN whod.c", "\n.\\\" END whod.c");
	FILE *file = fopen("whod.c", "w");

	ck_assert_ptr_nonnull(file);
	for (char *line; (line = next_line(&rest)) != NULL;) {
		if (line[0] == '.')
			continue;
		unescape(line);
		fprintf(file, "%s\n", line);
	}
	fclose(file);
	free(manual);
}

/* CFLAGS as the library was made with: it may be a sanitizer's. */
static void
compile_program(void)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c",
		"flags=$(${PKG_CONFIG:-pkg-config} --cflags libbsd-overlay) && "
		"libs=$(${PKG_CONFIG:-pkg-config} --libs libbsd-overlay) && "
		"${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "
		"-pthread -I\"$UXECHO_TOP/include\" $flags ${CFLAGS:-} "
		"-o whod whod.c ${LDFLAGS:-} \"$0\" $libs",
		program("libuxsrv.a"), NULL };

	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "whod.c of uxsrv(7): %s", result.err);
}

/* ---- the first steps in uxsrv(7) ---- */

/* All its blocks are one example, told in pieces. */
static void
run_first_steps(char *text)
{
	struct block block;
	bool is_inside = false;

	set_search_path();
	block.n = 0;
	for (char *rest = text, *line; (line = next_line(&rest)) != NULL;) {
		if (starts_with(line, ".Bd -literal")) {
			is_inside = true;
		} else if (starts_with(line, ".Ed")) {
			is_inside = false;
		} else if (is_inside) {
			unescape(line);
			add_line(&block, line);
		}
	}
	ck_assert_int_gt(block.n, 5);
	run_directory = harness_path(".");
	run_commands(&block);
}

START_TEST(first_steps_lead_to_a_daemon)
{
	char *manual;

	SKIP_EXAMPLES_UNLESS_ROOT();
	SKIP_UNLESS_MAKE();
	if (!has_tool("systemd-socket-activate")) {
		skip("needs systemd-socket-activate, of the package systemd");
		return;
	}
	manual = read_document("man/uxsrv.7");
	stage_install();
	/* As if it had been installed where the loader looks. */
	setenv("LD_RUN_PATH", harness_path("stage/lib"), 1);
	extract_program();

	run_first_steps(cut_between(manual, "\n.Sh FIRST STEPS", "\n.Sh "));

	ck_assert(!is_there("whod.sock.lock"));
	free(manual);
}
END_TEST

/* It says so itself when it serves. */
static void
start_program(struct service *service)
{
	int err[2];

	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	service->pid = fork();
	ck_assert_int_ge(service->pid, 0);
	if (service->pid == 0) {
		dup2(err[1], STDERR_FILENO);
		execl("./whod", "whod", "who.sock", (char *)NULL);
		_exit(127);
	}
	close(err[1]);
	service->stderr_fd = err[0];
	service_logs(service, "whod: serving who.sock");
}

START_TEST(program_in_uxsrv_manual_compiles_and_serves)
{
	struct service whod;
	char expected[UXS_PEER_TEXT_MAX + 1];
	const struct uxs_peer self = {
		.uid = geteuid(),
		.gid = getegid(),
		.pid = getpid(),
	};
	int stream, dgram;

	extract_program();
	compile_program();
	start_program(&whod);

	stream = client_connect(UXS_STREAM, "who.sock");
	dgram = client_connect(UXS_DGRAM, "who.sock.dgram");
	strlcat(uxs_peer_print(&self, expected), "\n", sizeof(expected));
	SAYS(stream, "who?\n");
	SAYS(dgram, "who?\n");

	HEARS(stream, expected);
	HEARS(dgram, expected);
	close(stream);
	close(dgram);
	service_stop_clean(&whod);
	ck_assert_int_lt(access("who.sock", F_OK), 0);
}
END_TEST

Suite *
suite_examples(void)
{
	Suite *suite = suite_create("examples");
	TCase *documents = harness_case(suite, "documents");
	TCase *example_program = harness_case(suite, "program");

	tcase_add_loop_test(documents, examples_of_the_manual_work, 0,
	    N_MANUALS);
	tcase_add_test(documents, examples_of_the_client_manual_work);
	tcase_add_test(documents, examples_of_readme_work);
	tcase_add_test(example_program,
	    program_in_uxsrv_manual_compiles_and_serves);
	tcase_add_test(example_program, first_steps_lead_to_a_daemon);
	return suite;
}
