/* SPDX-License-Identifier: ISC */
#ifndef UXPING_FIGURES_H
#define UXPING_FIGURES_H

#include <stdint.h>

/*
 * Numbers as people read them: three or four digits and a unit. Pure; each
 * writes into text and returns it.
 */

#define FIGURES_TEXT_MAX 32

/* "812 ns", "18.1 us", "2.45 ms", "1.20 s" */
char *figures_time(int64_t ns, char text[FIGURES_TEXT_MAX]);

/* "20 us", "5 ms": what is round already, for an axis */
char *figures_round_time(int64_t ns, char text[FIGURES_TEXT_MAX]);

/* "950", "12.4 k", "1.83 M": of messages, powers of 1000 */
char *figures_count(double n, char text[FIGURES_TEXT_MAX]);

/* "13.8 MB/s": powers of 1000, as disks and networks count */
char *figures_bytes_per_s(double bytes_per_s, char text[FIGURES_TEXT_MAX]);

#endif
