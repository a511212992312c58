/* SPDX-License-Identifier: ISC */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>

#include <uxsrv/access.h>
#include <uxsrv/log.h>
#include <uxsrv/server.h>

#include "options.h"

/*
 * The rules in force, and how others take their place: all of them, or none.
 */

struct reload {
	struct options *options; /* borrowed, with the rules as of the start */
	struct uxs_log *log;
	/* The rules in force are in one of the two; the other is for reading
	 * them again. */
	struct uxs_access *access, other;
	bool had_allow; /* at start */
};

/* Borrows both until reload_fini. */
void reload_init(struct reload *reload, struct options *options,
    struct uxs_log *log);

/* Read all rules again and have the server, and another one (NULL: none),
 * judge by them. What comes of it is logged. Returns whether the rules in force are now as they are written: where
 * anything is wrong with the new ones, the old ones stay. */
bool reload_rules(struct reload *reload, struct uxs_server *server,
    struct uxs_server *also);

/* Could they be read again? Warns where they could not: for who has become
 * somebody else since he read them. */
void reload_try(struct reload *reload);

/* When no server uses them any more. May be called twice, and on a zeroed
 * one. */
void reload_fini(struct reload *reload);

#endif
