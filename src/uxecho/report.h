/* SPDX-License-Identifier: ISC */
#ifndef REPORT_H
#define REPORT_H

#include <uxsrv/log.h>
#include <uxsrv/stats.h>

/* Log the figures, one line for each type of socket that saw any use. */
void report_stats(struct uxs_log *log, const struct uxs_stats *stats,
    int64_t now_ns);

#endif
