/* SPDX-License-Identifier: ISC */
/* The options of uxecho. */
#include "uxecho/options.h"

#include "completions.h"

bool
completion_of_uxecho(size_t n, struct completion *option)
{
	struct option_text text;

	if (!options_text(n, &text))
		return false;
	*option = (struct completion){
		.letter = text.letter,
		.name = text.name,
		.argument = text.argument,
		.help = text.help,
	};
	return true;
}
