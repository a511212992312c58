/* SPDX-License-Identifier: ISC */
#include "subjects.h"

#include <stdio.h>
#include <string.h>

#define PEER(name, title)                                            \
	{                                                            \
		name, title, { "%b/bench/peers/" name, "%t", "%p" }, \
		{                                                    \
			"%b/bench/peers/" name, "-V"                 \
		}                                                    \
	}

const struct subject subjects[] = {
	{ "uxecho", "uxecho", { "%b/uxecho", "-q", "%o", "%t:%p" },
	    { "%b/uxecho", "--version" } },
	PEER("epoll", "bare epoll loop"),
	PEER("dgram", "bare datagram loop"),
	PEER("blocking", "one blocking client"),
	PEER("threads", "thread per connection"),
	PEER("libev", "libev"),
	PEER("libuv", "libuv, plain"),
	PEER("libuv_tuned", "libuv, tuned"),
	PEER("libevent", "libevent, raw"),
	PEER("bufferevent", "libevent, bufferevent"),
	{ "go", "Go", { "%b/bench/peers/go", "%p" }, { "go", "version" } },
	{ "node", "node", { "node", "%s/echo.js", "%p" },
	    { "node", "--version" } },
	{ "asyncio", "Python asyncio",
	    { "python3", "%s/asyncio_echo.py", "%p" },
	    { "python3", "--version" } },
	{ "pythreads", "Python threads",
	    { "python3", "%s/threads_echo.py", "%p" },
	    { "python3", "--version" } },
	{ "socat", "socat, a process each",
	    { "socat", "UNIX-LISTEN:%p,fork,backlog=4096", "PIPE" },
	    { "socat", "-V" } },
	{ "ncat", "ncat with cat", { "ncat", "-lkU", "%p", "-e", "/bin/cat" },
	    { "ncat", "--version" } },
	{ "s6", "s6-ipcserver with cat",
	    { "s6-ipcserver", "-c", "1000", "%p", "cat" }, { NULL } },
};
const size_t n_subjects = sizeof(subjects) / sizeof(subjects[0]);

int
subject_find(const char *name, size_t length)
{
	for (size_t i = 0; i < n_subjects; i++) {
		if (strncmp(subjects[i].name, name, length) == 0 &&
		    subjects[i].name[length] == '\0')
			return (int)i;
	}
	return -1;
}

static const char *
value_of(char letter, const struct places *places)
{
	switch (letter) {
	case 'b':
		return places->build;
	case 's':
		return places->sources;
	case 't':
		return places->type;
	case 'p':
		return places->path;
	}
	return "%";
}

/* Append one argument with what stands for its letters filled in. */
static bool
fill_word(struct command *command, size_t *n, size_t *used, const char *word,
    const struct places *places)
{
	FILE *out =
	    fmemopen(command->text + *used, sizeof(command->text) - *used, "w");
	long length;
	bool is_whole;

	if (out == NULL || *n + 1 >= SUBJECT_ARGS_MAX) {
		if (out != NULL)
			fclose(out);
		return false;
	}
	for (; *word != '\0'; word++) {
		if (*word == '%' && word[1] != '\0')
			fputs(value_of(*++word, places), out);
		else
			putc(*word, out);
	}
	putc('\0', out);
	length = ftell(out);
	is_whole = fflush(out) == 0 && length > 0;
	fclose(out);
	command->argv[(*n)++] = command->text + *used;
	command->argv[*n] = NULL;
	*used += (size_t)length;
	return is_whole && *used < sizeof(command->text);
}

bool
command_fill(struct command *command, const char *const *argv, size_t n,
    const struct places *places)
{
	size_t n_words = 0, used = 0;

	command->argv[0] = NULL;
	for (size_t i = 0; i < n && argv[i] != NULL; i++) {
		const char *const *option = places->options;

		if (strcmp(argv[i], "%o") != 0) {
			if (!fill_word(command, &n_words, &used, argv[i],
				places))
				return false;
			continue;
		}
		for (; option != NULL && *option != NULL; option++) {
			if (!fill_word(command, &n_words, &used, *option,
				places))
				return false;
		}
	}
	return n_words > 0;
}
