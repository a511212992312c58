/* SPDX-License-Identifier: ISC */
#ifndef COMPLETIONS_H
#define COMPLETIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Completions for shells are made from the very tables that the programs parse
 * their options with, when the project is built; so they cannot drift. What a
 * shell needs around the options is in a template of its own language, and
 * here is what fills its gaps.
 *
 * Both programs have a struct options, so each table is looked at in a file
 * of its own.
 */

/* An option, whichever program's. letter is 0, argument NULL where there is
 * none. */
struct completion {
	int letter;
	const char *name, *argument, *help;
};

/* The n-th option; false when there is none. */
bool completion_of_uxecho(size_t n, struct completion *option);
bool completion_of_uxping(size_t n, struct completion *option);

typedef bool completion_source(size_t n, struct completion *option);

/* ---- what may stand in an argument ---- */

enum completion_kind {
	COMPLETION_NOTHING, /* numbers and the like: only the user knows */
	COMPLETION_FILE,
	COMPLETION_USER,
	COMPLETION_OWNER, /* USER[:GROUP] */
	COMPLETION_WHO, /* of a rule */
	COMPLETION_ADDRESS,
	COMPLETION_WORDS, /* those that the help lists */
};

/* Told from the name of the argument and from the help. The option must take
 * an argument. */
enum completion_kind completion_kind(const struct completion *option);

#define COMPLETION_WORDS_MAX 128

/*
 * The words that a help lists, "text, journal, json or auto (auto)", with a
 * blank between each two. What stands before a colon or from a parenthesis on
 * is not one of them. Returns false for any other help.
 */
bool completion_words(const char *help, char words[COMPLETION_WORDS_MAX]);

/* ---- the gaps of the templates ---- */

/* A line that is "@options@" or "@arguments@" is a gap. */
struct shell {
	const char *name;
	void (*options)(FILE *out, const char *program, completion_source *);
	void (*arguments)(FILE *out, const char *program, completion_source *);
};

extern const struct shell shell_bash, shell_zsh, shell_fish;

#endif
