/* SPDX-License-Identifier: ISC */
/* The terminal of uxping -I. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>
#endif

#define PROMPT ">> "

static console_on_line *on_line_typed;
static void *arg_of_line;
static bool is_open;

static void
show_prompt(void)
{
#ifdef HAVE_LIBEDIT
	rl_forced_update_display();
#else
	fputs(PROMPT, stdout);
	fflush(stdout);
#endif
}

void
console_print(const char *bytes, size_t n)
{
	if (!is_open) {
		fwrite(bytes, 1, n, stdout);
		fflush(stdout);
		return;
	}
	/* Over the prompt, which is never longer than what follows it. */
	printf("\r%*s\r", (int)strlen(PROMPT), "");
	fwrite(bytes, 1, n, stdout);
	if (n == 0 || bytes[n - 1] != '\n')
		putchar('\n');
	show_prompt();
	fflush(stdout);
}

#ifdef HAVE_LIBEDIT

static bool has_line;

static void
on_edited(char *line)
{
	has_line = true;
	if (line == NULL) {
		on_line_typed(arg_of_line, NULL);
		return;
	}
	if (line[0] != '\0') {
		add_history(line);
		on_line_typed(arg_of_line, line);
	}
	free(line);
}

void
console_open(console_on_line *on_line, void *arg)
{
	on_line_typed = on_line;
	arg_of_line = arg;
	rl_callback_handler_install(PROMPT, on_edited);
	is_open = true;
}

void
console_read(void)
{
	has_line = false;
	rl_callback_read_char();
	if (!has_line || !is_open)
		return;
	/* Otherwise the old line would be drawn again behind the prompt. */
	rl_callback_handler_remove();
	rl_callback_handler_install(PROMPT, on_edited);
}

void
console_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	rl_callback_handler_remove();
	putchar('\n');
	fflush(stdout);
}

#else

void
console_open(console_on_line *on_line, void *arg)
{
	on_line_typed = on_line;
	arg_of_line = arg;
	is_open = true;
	show_prompt();
}

/* The terminal hands out whole lines, and nothing at the end of input. */
void
console_read(void)
{
	char line[4096];
	const ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		on_line_typed(arg_of_line, NULL);
		return;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (line[0] != '\0')
		on_line_typed(arg_of_line, line);
	if (is_open)
		show_prompt();
}

void
console_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	putchar('\n'); /* behind the prompt */
	fflush(stdout);
}

#endif
