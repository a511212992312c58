/* SPDX-License-Identifier: ISC */
/* What bash is told: a list of all options, and a case for each argument. */
#include "completions.h"

static void
print_options(FILE *out, const char *program, completion_source *source)
{
	struct completion o;

	for (size_t n = 0; source(n, &o); n++) {
		fputc('\t', out);
		if (o.letter != 0)
			fprintf(out, "-%c ", o.letter);
		fprintf(out, "--%s\n", o.name);
	}
}

static void
print_action(FILE *out, const char *program, const struct completion *o)
{
	static const char *const names[] = {
		[COMPLETION_NOTHING] = "nothing",
		[COMPLETION_FILE] = "file",
		[COMPLETION_USER] = "user",
		[COMPLETION_OWNER] = "owner",
		[COMPLETION_WHO] = "who",
		[COMPLETION_ADDRESS] = "address",
		[COMPLETION_WORDS] = "words",
	};
	const enum completion_kind kind = completion_kind(o);
	char words[COMPLETION_WORDS_MAX];

	fprintf(out, "_%s_%s", program, names[kind]);
	if (kind == COMPLETION_WORDS && completion_words(o->help, words))
		fprintf(out, " '%s'", words);
}

static void
print_arguments(FILE *out, const char *program, completion_source *source)
{
	struct completion o;

	for (size_t n = 0; source(n, &o); n++) {
		if (o.argument == NULL)
			continue;
		fputc('\t', out);
		if (o.letter != 0)
			fprintf(out, "-%c | ", o.letter);
		fprintf(out, "--%s) ", o.name);
		print_action(out, program, &o);
		fputs(" ;;\n", out);
	}
}

const struct shell shell_bash = { "bash", print_options, print_arguments };
