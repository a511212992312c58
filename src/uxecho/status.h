/* SPDX-License-Identifier: ISC */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>

#include <uxsrv/notify.h>
#include <uxsrv/stats.h>

/*
 * What the service manager is told besides READY, STOPPING and WATCHDOG, which
 * the library sees to: the figures when something happens or a sign of life is
 * due anyway, so that an idle daemon is not woken up for them.
 */

struct status {
	struct uxs_notify notify;
	char told[UXS_NOTIFY_TEXT_MAX]; /* the figures, as sent last */
};

#define STATUS_CLOSED                        \
	{                                    \
		.notify = UXS_NOTIFY_CLOSED, \
	}

/* "serving: 3 clients, 17 accepted, ...". Returns text. */
char *status_print(char text[UXS_NOTIFY_TEXT_MAX],
    const struct uxs_stats *stats);

/* Send the figures, if they are others than before. */
void status_figures(struct status *status, const struct uxs_stats *stats);

/* Around a change of configuration. */
void status_reloading(struct status *status);
void status_reloaded(struct status *status, bool is_taken);

/* Why we end, before we do; code is an errno. */
void status_failed(struct status *status, int code, int exit_status,
    const char *text);

#endif
