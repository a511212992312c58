/* SPDX-License-Identifier: ISC */
#ifndef DECLARATIONS_H
#define DECLARATIONS_H

#include <stdbool.h>

/*
 * What a public header declares, read from its text. No C parser: it knows
 * the form in which this project's headers are written.
 */

#define DECLARATIONS_MAX 256

struct declaration {
	char name[64]; /* "uxs_loop_open" */
	char text[512]; /* without attributes and ";", one blank at a time */
	bool is_inline; /* static inline: no symbol of the library */
};

struct declarations {
	int n;
	struct declaration at[DECLARATIONS_MAX];
};

/* Append the functions and objects that a header of the tree declares. */
void read_declarations(struct declarations *list, const char *header);

/* Call function with "include/uxsrv/NAME.h" for every public header, in no
 * order. Returns how many there are; no assertion, so that suites can count
 * them. */
int each_header(void (*function)(const char *header, void *arg), void *arg);

bool declares(const struct declarations *list, const char *name);

#endif
