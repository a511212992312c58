/* SPDX-License-Identifier: ISC */
/*
 * Rules from a file. What a line means is decided in access.c; here is which
 * file may be believed, and how it is read: all of it, or nothing.
 */
#include <uxsrv/rules.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "shown.h"

static int
refuse(struct uxs_error *why, const char *path, int code, const char *cause)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_CONFIG, code, "rules file %s: %s",
	    shown(path_text, path), cause);
}

/* Returns what is wrong with it, or NULL. */
static const char *
judge_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to neither root nor the user that serves";
	/* An access control list that lets others write shows here too. */
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "may be written by others; chmod go-w";
	if (st->st_size > UXS_RULES_BYTES_MAX)
		return "is longer than 1M";
	return NULL;
}

static int
open_file(FILE **file, const char *path, struct uxs_error *why)
{
	/* Non-blocking, since nobody may ever write to a fifo. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *objection;
	struct stat st;

	if (fd < 0)
		return refuse(why, path, errno, strerror(errno));
	objection = fstat(fd, &st) < 0 ? strerror(errno) : judge_file(&st);
	if (objection == NULL && (*file = fdopen(fd, "r")) != NULL)
		return 0;
	if (objection == NULL)
		objection = strerror(errno);
	close(fd);
	return refuse(why, path, EINVAL, objection);
}

/* The reason, with the place in front. */
static int
refuse_line(struct uxs_error *why, const char *path, size_t line, int r,
    const struct uxs_error *cause)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, cause->failure, -r, "%s:%zu: %s",
	    shown(path_text, path), line, cause->text);
}

static int
add_line(struct uxs_access *access, const char *path, size_t line,
    const char *text, const struct uxs_names *names, struct uxs_error *why)
{
	const size_t n = access->n;
	struct uxs_error cause;
	int r = uxs_access_add_line(access, text, names, &cause);

	if (r < 0)
		return refuse_line(why, path, line, r, &cause);
	if (access->n > n) {
		access->rules[n].file = path;
		access->rules[n].line = line;
	}
	return 0;
}

static int
refuse_nul(struct uxs_error *why, const char *path, size_t line)
{
	const struct uxs_error cause = {
		.failure = UXS_FAILURE_CONFIG,
		.text = "there is a NUL in this line",
	};

	return refuse_line(why, path, line, -EINVAL, &cause);
}

static int
read_lines(struct uxs_access *access, FILE *file, const char *path,
    const struct uxs_names *names, struct uxs_error *why)
{
	/* Comments only: a name may hold a backslash, as those of domains. */
	static const char delimiters[3] = { '\0', '\0', '#' };
	size_t length, line = 0;
	char *text;
	int r = 0;

	while (r == 0 &&
	    (text = fparseln(file, &length, &line, delimiters, 0)) != NULL) {
		r = strlen(text) == length ?
		    add_line(access, path, line, text, names, why) :
		    refuse_nul(why, path, line);
		free(text);
	}
	if (r == 0 && !feof(file))
		return refuse(why, path, errno, strerror(errno));
	return r;
}

int
uxs_rules_read(struct uxs_access *access, const char *path,
    const struct uxs_names *names, struct uxs_error *why)
{
	const size_t n_before = access->n;
	FILE *file = NULL;
	int r;

	if ((r = open_file(&file, path, why)) < 0)
		return r;
	r = read_lines(access, file, path, names, why);
	fclose(file);
	if (r < 0)
		access->n = n_before;
	return r;
}
