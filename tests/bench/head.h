/* SPDX-License-Identifier: ISC */
#ifndef BENCH_HEAD_H
#define BENCH_HEAD_H

#include <stdint.h>

#include "bench.h"

/* Where and when it was measured: what stands above the figures. */

#define HEAD_TEXT_MAX 160

struct head {
	char machine[HEAD_TEXT_MAX], kernel[HEAD_TEXT_MAX], date[HEAD_TEXT_MAX];
	size_t n_rounds;
	int64_t duration_ns;
	int n_processors; /* that may be used */
	char (*versions)[HEAD_TEXT_MAX]; /* of each subject; "" where absent */
};

/* Ask the machine and every subject. Returns 0 or a negative errno. */
int head_open(struct head *head, struct bench *bench, size_t n_rounds);
void head_close(struct head *head);

#endif
