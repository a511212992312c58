/* SPDX-License-Identifier: ISC */
#ifndef PROCESS_H
#define PROCESS_H

/* Make of the process that we were started as one that can serve: standard
 * descriptors, limits, signals that must not end it. Before anything else is
 * opened. */
void process_prepare(void);

#endif
