/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SUBJECTS_H
#define BENCH_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>

/* The servers that are measured, as a table. */

#define SUBJECT_ARGS_MAX 24
#define SUBJECT_TEXT_MAX 4096

struct subject {
	const char *name; /* for the command line */
	const char *title; /* for people */

	/*
	 * The command, with %b for the folder of what was built, %s for that of
	 * the peers' sources, %t for the type of the socket, %p for its path, and
	 * the word %o for the options that a workload gives to uxecho.
	 */
	const char *argv[10];
	const char *version[3]; /* a command whose first line tells it */
};

extern const struct subject subjects[];
extern const size_t n_subjects;

/* Where things are. */
struct places {
	const char *build; /* folder of what was built */
	const char *sources; /* folder of the peers' sources */
	const char *path; /* of the socket */
	const char *type; /* "stream" */
	const char *const *options; /* for uxecho, ends with NULL; or NULL */
};

struct command {
	char *argv[SUBJECT_ARGS_MAX]; /* ends with NULL */
	char text[SUBJECT_TEXT_MAX]; /* private: what argv points into */
};

/* Fill in a command of the table. False: too long. */
bool command_fill(struct command *command, const char *const *argv, size_t n,
    const struct places *places);

/* -1: there is none of this name. */
int subject_find(const char *name, size_t length);

#endif
