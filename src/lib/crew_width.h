/* SPDX-License-Identifier: ISC */
#ifndef UXS_CREW_WIDTH_H
#define UXS_CREW_WIDTH_H

#include <stddef.h>

struct crew;

/*
 * How many workers of a crew are in use: measured, decided by width.h, and
 * made so by moving sessions. All in the thread of the first.
 */

/* From now on, where there are several; all are in use at first. */
void crew_width_start(struct crew *crew);

/* Nobody is told to move any more. */
void crew_width_stop(struct crew *crew);

/* The first ones; others have sessions only that are silent or cannot move. */
size_t crew_width(const struct crew *crew);

#endif
