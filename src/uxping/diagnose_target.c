/* SPDX-License-Identifier: ISC */
/* Diagnoses of a target: the facts that each needs, then the words. */
#include "diagnose.h"

#include <errno.h>

#include "facts.h"
#include "target.h"

void
diagnose_connect(struct diagnosis *diagnosis, const struct target *target,
    int result)
{
	struct facts facts;

	facts_gather(&facts, target);
	facts.event = FACTS_CONNECT;
	if (result == TARGET_BUSY)
		facts.event = FACTS_BUSY;
	else if (result == TARGET_WRONG_USER)
		facts.event = FACTS_WRONG_USER;
	else if (result == TARGET_REPLY_PATH)
		facts.event = FACTS_REPLY_PATH;
	facts.code = result < 0 ? -result : 0;
	diagnose(diagnosis, &facts);
}

void
diagnose_broken(struct diagnosis *diagnosis, const struct target *target,
    int code, bool had_replies)
{
	struct facts facts;

	facts_gather(&facts, target);
	facts.event = FACTS_BROKEN;
	facts.code = code;
	facts.had_replies = had_replies;
	diagnose(diagnosis, &facts);
}

void
diagnose_timeout(struct diagnosis *diagnosis, const struct target *target,
    int64_t timeout_ns)
{
	const struct facts facts = {
		.event = FACTS_TIMEOUT,
		.wanted = target->address.type,
		.timeout_ns = timeout_ns,
	};

	diagnose(diagnosis, &facts);
}

void
diagnose_late(struct diagnosis *diagnosis, const struct target *target,
    int64_t timeout_ns)
{
	const struct facts facts = {
		.event = FACTS_TIMEOUT,
		.wanted = target->address.type,
		.timeout_ns = timeout_ns,
		.had_replies = true,
	};

	diagnose(diagnosis, &facts);
}

void
diagnose_corrupt(struct diagnosis *diagnosis, const struct target *target,
    const char *what)
{
	const struct facts facts = {
		.event = FACTS_CORRUPT,
		.wanted = target->address.type,
		.what = what,
	};

	diagnose(diagnosis, &facts);
}

void
diagnose_size(struct diagnosis *diagnosis, const struct target *target,
    size_t size_bytes)
{
	const struct facts facts = {
		.event = FACTS_SIZE,
		.wanted = target->address.type,
		.size_bytes = size_bytes,
	};

	diagnose(diagnosis, &facts);
}
