/* SPDX-License-Identifier: ISC */
#include "pacer.h"

void
pacer_start(struct pacer *pacer, double rate, int64_t now_ns)
{
	*pacer = (struct pacer){ .rate = rate, .start_ns = now_ns };
}

int64_t
pacer_due_ns(const struct pacer *pacer)
{
	if (!pacer_is_open(pacer))
		return 0;
	/* From the start every time: no error adds up. */
	return pacer->start_ns +
	    (int64_t)((double)pacer->n_taken * 1e9 / pacer->rate);
}

bool
pacer_take(struct pacer *pacer, int64_t now_ns, int64_t *intended_ns)
{
	const int64_t due_ns = pacer_due_ns(pacer);

	if (due_ns > now_ns)
		return false;
	*intended_ns = pacer_is_open(pacer) ? due_ns : now_ns;
	pacer->n_taken++;
	return true;
}
