/* SPDX-License-Identifier: ISC */
#include "tally.h"

#include <string.h>

void
tally_init(struct tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	histogram_init(&tally->response);
	histogram_init(&tally->service);
}

void
tally_merge(struct tally *into, const struct tally *from)
{
	into->measured_ns += from->measured_ns;
	into->sent += from->sent;
	into->received += from->received;
	into->sent_bytes += from->sent_bytes;
	into->received_bytes += from->received_bytes;
	into->timeouts += from->timeouts;
	into->late += from->late;
	into->corrupt += from->corrupt;
	into->errors += from->errors;
	histogram_merge(&into->response, &from->response);
	histogram_merge(&into->service, &from->service);
}

static double
per_s(uint64_t n, int64_t ns)
{
	return ns > 0 ? (double)n * 1e9 / (double)ns : 0;
}

double
tally_messages_per_s(const struct tally *tally)
{
	return per_s(tally->received, tally->measured_ns);
}

double
tally_bytes_per_s(const struct tally *tally)
{
	return per_s(tally->received_bytes > 0 ? tally->received_bytes :
						 tally->sent_bytes,
	    tally->measured_ns);
}

bool
tally_is_good(const struct tally *tally)
{
	/* A bulk load counts no messages, and may be one-way. */
	const bool is_answered = tally->received > 0 ||
	    (tally->sent == 0 && tally->sent_bytes > 0);

	return is_answered &&
	    tally->timeouts + tally->corrupt + tally->errors == 0;
}
