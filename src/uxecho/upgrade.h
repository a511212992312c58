/* SPDX-License-Identifier: ISC */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uxsrv/loop.h>

#include "keeper.h"

struct fault;
struct pid_file;
struct remover;
struct stats;
struct uxs_log;
struct uxs_notify;
struct uxs_server;

/*
 * SIGUSR2: another process, of the program as it is on disk by then, takes our
 * place with the same sockets and locks. Until it says that it is ready we
 * serve as ever, and go on when it does not get there. See successor.h for its
 * side, upgrade_wire.h for what is said.
 *
 *	IDLE ──SIGUSR2──► ASKED ──ready──► DONE
 *	 ▲                  │ failed, ended, late, called off
 *	 └──it has ended── OFF
 */
enum upgrade_state {
	UPGRADE_IDLE,
	UPGRADE_ASKED, /* a new process is on its way */
	UPGRADE_OFF, /* it will not come, but has not ended yet */
	UPGRADE_DONE, /* it serves; we let our sessions end */
};

struct upgrade {
	struct keeper keeper;
	/* Borrowed; what goes along with the sockets, and who is to know. */
	struct uxs_log *log;
	struct uxs_server *server;
	struct uxs_notify *notify;
	struct pid_file *pid_file;
	struct remover *remover;
	struct stats *stats;
	const struct fault *fault;
	int64_t limit_ns; /* for it to become ready */
	/* private */
	enum upgrade_state state;
	struct uxs_watch control, reports;
	struct uxs_timer limit;
	size_t n_sockets, n_service; /* of all, and without the statistics' */
	bool is_wanted; /* once more, when what failed has ended */
	bool rereads; /* it may have read rules that are old by now */
};

#define UPGRADE_NONE                                            \
	{                                                       \
		.keeper = KEEPER_NONE, .control = { .fd = -1 }, \
	}

/* When there is a server, and the keeper was started (or not: then an upgrade
 * is refused). */
void upgrade_attach(struct upgrade *upgrade, struct uxs_server *server);

/* On SIGUSR2. All that comes of it is logged. */
void upgrade_begin(struct upgrade *upgrade);

/* On SIGHUP: whoever is on his way is told as well. */
void upgrade_reread(struct upgrade *upgrade);

/* Has a successor taken our place? Then it is his pid that counts. */
static inline bool
upgrade_is_done(const struct upgrade *upgrade)
{
	return upgrade->state == UPGRADE_DONE;
}

/* Call off what is under way. While there is a server; may be called twice. */
void upgrade_detach(struct upgrade *upgrade);

#endif
