/* SPDX-License-Identifier: ISC */
#ifndef UXPING_PING_H
#define UXPING_PING_H

struct options;

/*
 * Ping every target until each is done, the deadline is over or SIGINT or
 * SIGTERM comes; SIGQUIT prints interim statistics. Prints everything.
 *
 * Returns the exit status of ping(8): 0 answered, 1 no, too few or wrong
 * answers, 2 could not run; of several targets the worst.
 */
int ping_run(const struct options *options);

#endif
