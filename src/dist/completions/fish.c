/* SPDX-License-Identifier: ISC */
/* What fish is told: a "complete" command for each option. */
#include "completions.h"

static void
print_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

/* -x: an argument that is no file; -rF: one that is. */
static void
print_argument(FILE *out, const char *program, const struct completion *o)
{
	char words[COMPLETION_WORDS_MAX];

	switch (completion_kind(o)) {
	case COMPLETION_NOTHING:
		fputs(" -x", out);
		break;
	case COMPLETION_FILE:
		fputs(" -rF", out);
		break;
	case COMPLETION_USER:
		fputs(" -x -a '(__fish_complete_users)'", out);
		break;
	case COMPLETION_OWNER:
		fprintf(out, " -x -a '(__%s_owner)'", program);
		break;
	case COMPLETION_WHO:
		fprintf(out, " -x -a '(__%s_who)'", program);
		break;
	case COMPLETION_ADDRESS:
		fprintf(out, " -rF -a '(__%s_types)'", program);
		break;
	case COMPLETION_WORDS:
		if (completion_words(o->help, words))
			fprintf(out, " -x -a '%s'", words);
		break;
	}
}

static void
print_options(FILE *out, const char *program, completion_source *source)
{
	struct completion o;

	for (size_t n = 0; source(n, &o); n++) {
		fprintf(out, "complete -c %s", program);
		if (o.letter != 0)
			fprintf(out, " -s %c", o.letter);
		fprintf(out, " -l %s", o.name);
		if (o.argument != NULL)
			print_argument(out, program, &o);
		fputs(" -d ", out);
		print_quoted(out, o.help);
		fputc('\n', out);
	}
}

const struct shell shell_fish = { "fish", print_options, NULL };
