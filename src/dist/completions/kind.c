/* SPDX-License-Identifier: ISC */
/* What may stand in the argument of an option. */
#include <ctype.h>
#include <string.h>

#include "completions.h"

/* One word, at *at; it is stepped over. */
static bool
take_word(const char **at, char words[COMPLETION_WORDS_MAX])
{
	const size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789-");
	char word[COMPLETION_WORDS_MAX];

	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, *at, n);
	word[n] = '\0';
	*at += n;
	if (words[0] != '\0')
		strlcat(words, " ", COMPLETION_WORDS_MAX);
	return strlcat(words, word, COMPLETION_WORDS_MAX) <
	    COMPLETION_WORDS_MAX;
}

static bool
take(const char **at, const char *text)
{
	const size_t n = strlen(text);

	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

bool
completion_words(const char *help, char words[COMPLETION_WORDS_MAX])
{
	const char *colon = strstr(help, ": ");
	const char *at = colon != NULL ? colon + 2 : help;

	words[0] = '\0';
	do {
		if (!take_word(&at, words))
			return false;
	} while (take(&at, ", "));
	/* One word alone, or a list without its end, is prose. */
	if (!take(&at, " or ") || !take_word(&at, words))
		return false;
	return *at == '\0' || take(&at, " (");
}

enum completion_kind
completion_kind(const struct completion *option)
{
	static const struct {
		const char *argument;
		enum completion_kind kind;
	} kinds[] = {
		{ "ADDRESS", COMPLETION_ADDRESS },
		{ "FILE", COMPLETION_FILE },
		{ "USER", COMPLETION_USER },
		{ "USER[:GROUP]", COMPLETION_OWNER },
		{ "WHO", COMPLETION_WHO },
	};
	char words[COMPLETION_WORDS_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(option->argument, kinds[i].argument) == 0)
			return kinds[i].kind;
	}
	return completion_words(option->help, words) ? COMPLETION_WORDS :
						       COMPLETION_NOTHING;
}
