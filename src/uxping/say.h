/* SPDX-License-Identifier: ISC */
#ifndef UXPING_SAY_H
#define UXPING_SAY_H

#include <sys/types.h>

#include "diagnose.h"

struct facts;

/* Pieces of a diagnosis' sentence; private to the diagnose files. */

/* The word and the beginning ... */
void say(struct diagnosis *diagnosis, enum reason reason, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* ... and what else there is to say. Cut at DIAGNOSE_TEXT_MAX. */
void say_more(struct diagnosis *diagnosis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a namespace may have to do with it, when other's uid, or ours, makes
 * that likely. */
void say_namespace_remark(struct diagnosis *diagnosis,
    const struct facts *facts, uid_t other);

/* "uid=998(uxecho)". Returns text. */
#define SAY_USER_MAX 64
char *say_user(uid_t uid, char text[SAY_USER_MAX]);

/* The path does not lead to a file (facts->path says how), or the file does
 * not let us in. */
void diagnose_path(struct diagnosis *diagnosis, const struct facts *facts);
void diagnose_file(struct diagnosis *diagnosis, const struct facts *facts);

#endif
