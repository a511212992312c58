/* SPDX-License-Identifier: ISC */
#ifndef UXPING_CONSOLE_H
#define UXPING_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Lines typed at a terminal, with editing and history where libedit was there
 * at build time. One console per process, as there is one terminal.
 *
 *	console_open(on_line, arg);		prompts
 *	console_read();				when standard input is readable
 *	console_print(bytes, n);		between the lines
 *	console_close();			gives the terminal back
 */

/* A line without its newline, not empty; NULL at the end of input. */
typedef void console_on_line(void *arg, const char *line);

void console_open(console_on_line *on_line, void *arg);
void console_read(void);

/* What the server said. The prompt makes room for it and comes back. */
void console_print(const char *bytes, size_t n);
void console_close(void);

#endif
