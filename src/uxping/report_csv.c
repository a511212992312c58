/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <errno.h>
#include <inttypes.h>

#include "tally.h"

int
report_csv(const struct report *report, FILE *out)
{
	const struct histogram *h = &report->tally->response;
	struct histogram_bucket bucket;
	uint64_t cumulative = 0;
	size_t position = 0;

	fputs("low_ns,high_ns,count,cumulative\n", out);
	while (histogram_next(h, &position, &bucket)) {
		cumulative += bucket.n;
		fprintf(out,
		    "%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRIu64 "\n",
		    bucket.low_ns, bucket.high_ns, bucket.n, cumulative);
	}
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
