/* SPDX-License-Identifier: ISC */
#ifndef UXECHO_DAEMON_H
#define UXECHO_DAEMON_H

#include <uxsrv/uxsrv.h>

#include "background.h"
#include "logger.h"
#include "options.h"
#include "origin.h"
#include "pid_file.h"
#include "reload.h"
#include "remover.h"
#include "sandbox.h"
#include "stats.h"
#include "status.h"
#include "successor.h"
#include "title.h"
#include "upgrade.h"

/* All that serving takes, each part in a room of its own. */
struct daemon {
	struct options options;
	struct uxs_activation activation;
	struct status status;
	struct logger logger;
	struct uxs_log log;
	struct uxs_server *server;
	struct stats stats;
	struct title title;
	struct reload reload;
	struct remover remover;
	struct pid_file pid_file;
	struct background background;
	struct sandbox sandbox;
	struct origin origin;
	struct upgrade upgrade;
	struct successor successor;
};

#define DAEMON_CLOSED                                                     \
	{                                                                 \
		.status = STATUS_CLOSED, .remover = REMOVER_NONE,         \
		.background = BACKGROUND_NONE, .sandbox = SANDBOX_CLOSED, \
		.logger = LOGGER_CLOSED, .pid_file = PID_FILE_CLOSED,     \
		.upgrade = UPGRADE_NONE, .successor = SUCCESSOR_NONE,     \
	}

/* Say why it cannot go on, to people and to the manager. r is what the
 * function returned that filled why: a negative errno. Returns the exit
 * status. */
int daemon_fail(struct daemon *daemon, int r, const struct uxs_error *why);

/* Open, announce, run, close: until it is told to stop. options, activation,
 * status, origin and successor are ready. Returns the exit status. */
int daemon_serve(struct daemon *daemon);

#endif
