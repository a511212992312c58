/* SPDX-License-Identifier: ISC */
/*
 * Completions for shells: every option is there and nothing else, what they
 * offer is taken by the program, and shells really complete with them.
 */
#include <ctype.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dist/completions/completions.h"
#include "documents.h"
#include "harness.h"
#include "suites.h"

static const struct {
	const char *name;
	completion_source *source;
} programs[] = {
	{ "uxecho", completion_of_uxecho },
	{ "uxping", completion_of_uxping },
};
#define N_PROGRAMS 2

static const char *const shells[] = { "bash", "zsh", "fish" };
#define N_SHELLS 3

/* Path of the completion of a program; one is kept at a time. */
static const char *
completion_file(const char *shell, const char *of)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", program("completions"), shell,
	    of);
	return path;
}

static bool
has_shell(const char *name)
{
	char why[64];

	if (has_tool(name))
		return true;
	snprintf(why, sizeof(why), "needs %s, to try its completions", name);
	skip(why);
	return false;
}

/* ---- words in a help ---- */

static const struct {
	const char *help, *words; /* NULL: it lists none */
} helps[] = {
	{ "auto, always or never", "auto always never" },
	{ "text, journal, json or auto (auto)", "text journal json auto" },
	{ "one or two", "one two" },
	{ "which: on or off (on)", "on off" },
	{ "auto, stream or dgram (PATH.dgram)", "auto stream dgram" },
	{ "log less; twice for errors only", NULL },
	{ "stop after this time, or when N replies came", NULL },
	{ "draw the histogram", NULL },
	{ "alone", NULL },
	{ "", NULL },
	{ "on or off as it likes", NULL },
	{ "on, off", NULL },
	{ "on or ", NULL },
};
#define N_HELPS ((int)(sizeof(helps) / sizeof(helps[0])))

START_TEST(a_list_in_a_help_is_read)
{
	char words[COMPLETION_WORDS_MAX];
	const bool is_list = completion_words(helps[_i].help, words);

	ck_assert_int_eq(is_list, helps[_i].words != NULL);
	if (is_list)
		ck_assert_str_eq(words, helps[_i].words);
}
END_TEST

static void
assert_taken(const char *of, const struct completion *o, const char *word)
{
	struct output_of result;
	char option[256];
	const char *const argv[] = { of, option, "--help", NULL };

	snprintf(option, sizeof(option), "--%s=%s", o->name, word);
	run_program(&result, argv);
	ck_assert_msg(result.status == 0, "%s is offered, but: %s", option,
	    result.err);
}

/* The help is read by people too; what it lists must be what there is. */
START_TEST(every_word_is_taken_by_the_program)
{
	struct completion o;
	char words[COMPLETION_WORDS_MAX];
	int n_lists = 0;

	for (size_t n = 0; programs[_i].source(n, &o); n++) {
		if (o.argument == NULL ||
		    completion_kind(&o) != COMPLETION_WORDS ||
		    !completion_words(o.help, words))
			continue;
		n_lists++;
		for (char *rest = words, *word;
		     (word = strsep(&rest, " ")) != NULL;)
			assert_taken(programs[_i].name, &o, word);
	}

	ck_assert_int_ge(n_lists, 1);
}
END_TEST

/* An argument by another name needs a decision: what may stand in it? */
START_TEST(every_argument_is_known)
{
	static const char free_text[] = " N SIZE TIME D MODE SPEC ";
	struct completion o;
	char name[64];

	for (size_t n = 0; programs[_i].source(n, &o); n++) {
		if (o.argument == NULL ||
		    completion_kind(&o) != COMPLETION_NOTHING)
			continue;
		snprintf(name, sizeof(name), " %s ", o.argument);
		ck_assert_msg(strstr(free_text, name) != NULL,
		    "--%s %s: src/dist/completions/kind.c does not know what "
		    "to offer; if nothing, say so here",
		    o.name, o.argument);
	}
}
END_TEST

/* ---- what is in the files ---- */

START_TEST(shell_takes_the_file)
{
	const char *shell = shells[_i];
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", "exec \"$0\" -n \"$1\"",
		shell, completion_file(shell, programs[0].name), NULL };

	if (!has_shell(shell))
		return;
	run_program(&result, argv);

	ck_assert_msg(result.status == 0, "%s -n: %s", shell, result.err);
	ck_assert_str_eq(result.err, "");
}
END_TEST

/* How each shell's file tells of a long option. */
static void
print_mention(char *text, size_t size, const char *shell, const char *option)
{
	if (strcmp(shell, "fish") == 0)
		snprintf(text, size, " -l %s ", option);
	else
		snprintf(text, size, "--%s", option);
}

/* "--force" is not told of by "--force-dir". */
static bool
mentions(const char *file, const char *mention)
{
	const size_t n = strlen(mention);

	for (const char *at = file; (at = strstr(at, mention)) != NULL; at++) {
		if (mention[n - 1] == ' ' ||
		    (!isalnum((unsigned char)at[n]) && at[n] != '-'))
			return true;
	}
	return false;
}

static void
assert_names_every_option(const char *shell, int i)
{
	char file[OUTPUT_MAX];
	FILE *stream = fopen(completion_file(shell, programs[i].name), "r");
	struct completion o;
	char mention[128];
	size_t n;

	ck_assert_ptr_nonnull(stream);
	n = fread(file, 1, sizeof(file) - 1, stream);
	fclose(stream);
	ck_assert_uint_lt(n, sizeof(file) - 1);
	file[n] = '\0';
	for (n = 0; programs[i].source(n, &o); n++) {
		print_mention(mention, sizeof(mention), shell, o.name);
		ck_assert_msg(mentions(file, mention), "%s for %s: no --%s",
		    shell, programs[i].name, o.name);
	}
	ck_assert_uint_gt(n, 10);
	/* No gap of the template is left. */
	ck_assert_ptr_null(strstr(file, "@options@"));
	ck_assert_ptr_null(strstr(file, "@arguments@"));
	ck_assert_ptr_null(strstr(file, "@program@"));
}

START_TEST(file_names_every_option)
{
	for (int i = 0; i < N_PROGRAMS; i++)
		assert_names_every_option(shells[_i], i);
}
END_TEST

static int
count_long_options(int i)
{
	struct completion o;
	int n = 0;

	while (programs[i].source((size_t)n, &o))
		n++;
	return n;
}

/* $0 is the file, $1 the program. */
static const char ask_bash[] =
    "exec bash --norc -c '. \"$0\" && COMP_WORDS=(\"$1\" --) COMP_CWORD=1 && "
    "\"_$1\" && printf \"%s\\n\" \"${COMPREPLY[@]}\"' \"$0\" \"$1\"";

START_TEST(bash_offers_the_options_and_nothing_else)
{
	struct output_of result;
	const char *const argv[] = { "/bin/sh", "-c", ask_bash,
		completion_file("bash", programs[_i].name), programs[_i].name,
		NULL };
	int n = 0;

	if (!has_shell("bash"))
		return;
	run_program(&result, argv);

	ck_assert_str_eq(result.err, "");
	for (char *rest = result.out, *line; (line = next_line(&rest)) != NULL;)
		n += strncmp(line, "--", 2) == 0;
	ck_assert_int_eq(n, count_long_options(_i));
}
END_TEST

/* ---- shells at work ---- */

/*
 * A shell on a terminal is typed lines to, each with a TAB before its end. The
 * program is a function there, which writes down its arguments.
 */
static const struct typed {
	const char *line, *arguments;
} typed[] = {
	{ "uxecho --force-d", "--force-dir" },
	{ "uxecho --log-format=js", "--log-format=json" },
	{ "uxecho -l js", "-l json" },
	{ "uxecho -v --log-format js", "-v --log-format json" },
	{ "uxecho -a se", "-a self" },
	{ "uxecho --deny user:roo", "--deny user:root" },
	{ "uxecho --deny=user:roo", "--deny=user:root" },
	{ "uxecho -o root:roo", "-o root:root" },
	{ "uxecho --rules ru", "--rules rules" },
	{ "uxecho --max-conns r", "--max-conns r" },
	{ "uxecho ./a", "./a sock" },
	{ "uxecho stream:./a", "stream:./a sock" },
	{ "uxecho -- ./a", "-- ./a sock" },
	{ "uxecho -- --force-d", "-- --force-d" },
	{ "uxping --color=al", "--color=always" },
	{ "uxping -t seq", "-t seqpacket" },
	{ "uxping -c 3 dgram:./a", "-c 3 dgram:./a sock" },
};
#define N_TYPED (sizeof(typed) / sizeof(typed[0]))

static const char as_function[] =
    "uxecho() { printf '%s\\n' \"$*\" >>answers; }\n"
    "uxping() { printf '%s\\n' \"$*\" >>answers; }\n";

/* What the shell is made ready with, and then typed to. */
static void
write_session(const char *shell)
{
	FILE *file = fopen("ready", "w");

	ck_assert_ptr_nonnull(file);
	if (strcmp(shell, "zsh") == 0) {
		fprintf(file,
		    "fpath=(\"$PWD/functions\" $fpath)\n"
		    "autoload -Uz compinit && compinit -u -D\n"
		    "bindkey '^I' complete-word\n");
	} else {
		for (int i = 0; i < N_PROGRAMS; i++)
			fprintf(file, "source '%s'\n",
			    completion_file(shell, programs[i].name));
	}
	fputs(as_function, file);
	fclose(file);
}

static void
link_zsh_functions(void)
{
	struct output_of result;

	for (int i = 0; i < N_PROGRAMS; i++) {
		const char *const argv[] = { "/bin/sh", "-c",
			"mkdir -p functions && ln -s \"$0\" \"functions/_$1\"",
			completion_file("zsh", programs[i].name),
			programs[i].name, NULL };

		run_program(&result, argv);
		ck_assert_int_eq(result.status, 0);
	}
}

static void
type_lines(int terminal)
{
	ck_assert_int_gt(dprintf(terminal, ". ./ready\n"), 0);
	for (size_t i = 0; i < N_TYPED; i++)
		ck_assert_int_gt(dprintf(terminal, "%s\t\n", typed[i].line), 0);
	ck_assert_int_gt(dprintf(terminal, "exit\n"), 0);
}

/* Until the shell has ended: then reading fails with EIO. */
static void
drain_terminal(int terminal)
{
	char screen[4096];

	while (read(terminal, screen, sizeof(screen)) > 0)
		continue;
}

static void
run_session(const char *shell, const char *first_argument)
{
	struct winsize size = { .ws_row = 50, .ws_col = 200 };
	int terminal;
	const pid_t pid = forkpty(&terminal, NULL, NULL, &size);

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setenv("TERM", "dumb", 1);
		setenv("HISTFILE", "/dev/null", 1);
		execlp(shell, shell, first_argument, "-i", (char *)NULL);
		_exit(127);
	}
	type_lines(terminal);
	drain_terminal(terminal);
	close(terminal);
	ck_assert_int_eq(wait_child(pid), 0);
}

static void
assert_answers(const char *shell)
{
	FILE *answers = fopen("answers", "r");
	char line[256];

	ck_assert_ptr_nonnull(answers);
	for (size_t i = 0; i < N_TYPED; i++) {
		if (fgets(line, sizeof(line), answers) == NULL)
			ck_abort_msg("%s did not get to: %s", shell,
			    typed[i].line);
		line[strcspn(line, "\n")] = '\0';
		/* A blank behind a word that is complete is no argument. */
		ck_assert_msg(strcmp(line, typed[i].arguments) == 0,
		    "%s makes \"%s\" of \"%s\"", shell, line, typed[i].line);
	}
	fclose(answers);
}

static void
complete_in(const char *shell, const char *first_argument)
{
	leave_stale_socket(UXS_STREAM, "a sock");
	write_file("a file", "", 0600);
	write_file("rules", "", 0600);
	write_session(shell);
	run_session(shell, first_argument);
	assert_answers(shell);
}

START_TEST(bash_completes)
{
	if (has_shell("bash"))
		complete_in("bash", "--norc");
}
END_TEST

START_TEST(zsh_completes)
{
	if (!has_shell("zsh"))
		return;
	link_zsh_functions();
	complete_in("zsh", "-f");
}
END_TEST

/* fish is asked, since it can be. Its answers have a TAB and the help. */
static const struct {
	const char *line, *answer;
} asked[] = {
	{ "uxecho --force-d", "--force-dir\t" },
	{ "uxecho --log-format=js", "--log-format=json\t" },
	{ "uxecho -l js", "json\t" },
	{ "uxecho -a se", "self\t" },
	{ "uxecho --deny user:roo", "user:root\t" },
	{ "uxecho -o root:roo", "root:root\n" },
	{ "uxecho --rules ru", "rules\n" },
	{ "uxecho str", "stream:\n" },
	{ "uxecho stream:./a", "stream:./a sock\n" },
	{ "uxping -t seq", "seqpacket\t" },
};
#define N_ASKED ((int)(sizeof(asked) / sizeof(asked[0])))

static const char ask_fish[] =
    "HOME=$PWD exec fish --no-config -c 'source $argv[1]; source $argv[2]; "
    "complete -C $argv[3]' \"$0\" \"$1\" \"$2\"";

START_TEST(fish_completes)
{
	struct output_of result;
	char uxecho[4096];
	const char *const argv[] = { "/bin/sh", "-c", ask_fish, uxecho,
		completion_file("fish", "uxping"), asked[_i].line, NULL };

	/* argv has the other one. */
	snprintf(uxecho, sizeof(uxecho), "%s/fish/uxecho",
	    program("completions"));
	if (!has_shell("fish"))
		return;
	leave_stale_socket(UXS_STREAM, "a sock");
	write_file("rules", "", 0600);

	run_program(&result, argv);

	ck_assert_str_eq(result.err, "");
	ck_assert_msg(strstr(result.out, asked[_i].answer) != NULL,
	    "fish makes \"%s\" of \"%s\"", result.out, asked[_i].line);
}
END_TEST

Suite *
suite_completions(void)
{
	Suite *suite = suite_create("completions");
	TCase *words = harness_case(suite, "words");
	TCase *files = harness_case(suite, "files");
	TCase *at_work = harness_case(suite, "shells");

	tcase_add_loop_test(words, a_list_in_a_help_is_read, 0, N_HELPS);
	tcase_add_loop_test(words, every_word_is_taken_by_the_program, 0,
	    N_PROGRAMS);
	tcase_add_loop_test(words, every_argument_is_known, 0, N_PROGRAMS);

	tcase_add_loop_test(files, shell_takes_the_file, 0, N_SHELLS);
	tcase_add_loop_test(files, file_names_every_option, 0, N_SHELLS);
	tcase_add_loop_test(files, bash_offers_the_options_and_nothing_else, 0,
	    N_PROGRAMS);

	tcase_add_test(at_work, bash_completes);
	tcase_add_test(at_work, zsh_completes);
	tcase_add_loop_test(at_work, fish_completes, 0, N_ASKED);
	return suite;
}
