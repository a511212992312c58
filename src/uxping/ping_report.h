/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PING_REPORT_H
#define UXPING_PING_REPORT_H

#include <stdint.h>

struct pinger;
struct window_answer;

/*
 * What the user gets to see of pings, as text in the manner of ping(8) or as
 * JSON lines, on standard output; failures as text go to standard error.
 */

void ping_report_start(const struct pinger *pinger);
void ping_report_sent(const struct pinger *pinger);
void ping_report_answer(const struct pinger *pinger,
    const struct window_answer *answer, int64_t rtt_ns);
void ping_report_connected(const struct pinger *pinger, uint64_t seq,
    int64_t rtt_ns);
/* -O: the ping before this one has no answer yet. */
void ping_report_outstanding(const struct pinger *pinger, uint64_t seq);
void ping_report_timeout(const struct pinger *pinger, uint64_t seq);
/* pinger->diagnosis has happened to ping seq; 0: to none in particular. */
void ping_report_error(const struct pinger *pinger, uint64_t seq);
/* -v */
void ping_report_note(const struct pinger *pinger, const char *what);
void ping_report_interim(const struct pinger *pinger);
void ping_report_end(const struct pinger *pinger);

#endif
