/* SPDX-License-Identifier: ISC */
/* The options of uxping, without the headings of its --help. */
#include "uxping/options.h"

#include "completions.h"

bool
completion_of_uxping(size_t n, struct completion *option)
{
	for (size_t i = 0; i < options_n; i++) {
		const struct options_row *row = &options_table[i];

		if (row->name == NULL || n-- > 0)
			continue;
		*option = (struct completion){
			.letter = row->letter,
			.name = row->name,
			.argument = row->argument,
			.help = row->help,
		};
		return true;
	}
	return false;
}
