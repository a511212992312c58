/* SPDX-License-Identifier: ISC */
#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include <stdbool.h>

/* The path of a file of the tree; one is kept at a time. */
const char *top_path(const char *name);

/* All of it; the caller frees. */
char *read_document(const char *name);

/* Cut text down to what is between two lines, neither included. */
char *cut_between(char *text, const char *from, const char *to);

/* Take the next line off *rest, without its newline; NULL at the end. */
char *next_line(char **rest);

/* Undo mdoc's escape for the backslash. */
void unescape(char *line);

/* Is there such a program to run? */
bool has_tool(const char *name);

#endif
