/* SPDX-License-Identifier: ISC */
/* What zsh is told: one argument of _arguments for each option. */
#include <string.h>

#include "completions.h"

/* Inside quotes, and inside a part of a specification that ends at a colon or
 * a bracket. */
static void
print_part(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void
print_action(FILE *out, const char *program, const struct completion *o)
{
	char words[COMPLETION_WORDS_MAX];

	switch (completion_kind(o)) {
	case COMPLETION_NOTHING:
		fputc(' ', out); /* say what is wanted, offer nothing */
		break;
	case COMPLETION_FILE:
		fputs("_files", out);
		break;
	case COMPLETION_USER:
		fputs("_users", out);
		break;
	case COMPLETION_OWNER:
		fprintf(out, "_%s_owner", program);
		break;
	case COMPLETION_WHO:
		fprintf(out, "_%s_who", program);
		break;
	case COMPLETION_ADDRESS:
		fprintf(out, "_%s_address", program);
		break;
	case COMPLETION_WORDS:
		if (completion_words(o->help, words))
			fprintf(out, "(%s)", words);
		break;
	}
}

/* '*' in front: it may be given again. */
static void
print_options(FILE *out, const char *program, completion_source *source)
{
	struct completion o;

	for (size_t n = 0; source(n, &o); n++) {
		const char *takes = o.argument != NULL ? "=" : "";

		if (o.letter != 0)
			fprintf(out, "\t'*'{-%c%s,--%s%s}'[", o.letter,
			    o.argument != NULL ? "+" : "", o.name, takes);
		else
			fprintf(out, "\t'*--%s%s[", o.name, takes);
		print_part(out, o.help);
		fputc(']', out);
		if (o.argument != NULL) {
			fputc(':', out);
			print_part(out, o.argument);
			fputc(':', out);
			print_action(out, program, &o);
		}
		fputs("' \\\n", out);
	}
}

const struct shell shell_zsh = { "zsh", print_options, NULL };
