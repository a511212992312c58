/* SPDX-License-Identifier: ISC */
#ifndef REPORT_H
#define REPORT_H

#include <uxsrv/log.h>
#include <uxsrv/stats.h>

/* A uxs_log_write: one line on standard error, "uxecho: ...". Never waits: a
 * reader that is stuck misses lines, the service goes on. */
void report_line(void *arg, enum uxs_level level, enum uxs_event event,
    const char *line);

/* Log the figures, one line for each type of socket that saw any use. */
void report_stats(struct uxs_log *log, const struct uxs_stats *stats,
    int64_t now_ns);

#endif
