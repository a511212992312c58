/* SPDX-License-Identifier: ISC */
#ifndef UXPING_DIAGNOSE_H
#define UXPING_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct facts;
struct target;

/*
 * Why it did not work: one word for programs and one sentence with the cure
 * for people.
 *
 *	struct diagnosis diagnosis;
 *
 *	diagnose_connect(&diagnosis, &target, r);
 *	warnx("%s: %s: %s", target.label, diagnose_word(diagnosis.reason),
 *	    diagnosis.text);
 */

enum reason {
	REASON_NO_SUCH_FILE,
	REASON_PERMISSION,
	REASON_NOT_A_SOCKET,
	REASON_STALE, /* nobody is behind it */
	REASON_NOT_LISTENING, /* somebody is, but takes no connections (yet) */
	REASON_BACKLOG_FULL,
	REASON_WRONG_TYPE,
	REASON_WRONG_USER, /* not who --expect-user insists on */
	REASON_DENIED, /* connected, then closed at once */
	REASON_CLOSED, /* closed by the server later on */
	REASON_TIMEOUT,
	REASON_CORRUPT,
	REASON_TOO_LONG, /* a message that this target cannot carry */
	REASON_SYSTEM, /* anything else that the system says */
	N_REASONS
};

#define DIAGNOSE_TEXT_MAX 1024

struct diagnosis {
	enum reason reason;
	char text[DIAGNOSE_TEXT_MAX]; /* one line, printable, no full stop */
};

/* "no-such-file", "stale", ... */
const char *diagnose_word(enum reason reason);

/*
 * Why target_connect returned result (a negative errno, or an outcome other
 * than TARGET_CONNECTED). Looks at the path and its file; sends nothing and
 * enters no queue.
 */
void diagnose_connect(struct diagnosis *diagnosis, const struct target *target,
    int result);

/*
 * Why a connected link gave no good answer. code is the errno of send or recv
 * as a positive number, 0 for the end of the stream; had_replies says whether
 * anything had ever been answered on it.
 */
void diagnose_broken(struct diagnosis *diagnosis, const struct target *target,
    int code, bool had_replies);

/* No answer within timeout_ns; or none in time, but some after that. */
void diagnose_timeout(struct diagnosis *diagnosis, const struct target *target,
    int64_t timeout_ns);
void diagnose_late(struct diagnosis *diagnosis, const struct target *target,
    int64_t timeout_ns);

/* An answer that is not what was sent; what says how, as a clause. */
void diagnose_corrupt(struct diagnosis *diagnosis, const struct target *target,
    const char *what);

/* Messages of size_bytes cannot be sent to this target. */
void diagnose_size(struct diagnosis *diagnosis, const struct target *target,
    size_t size_bytes);

/* From facts to words; the above look facts up and call this. Pure, but that it
 * shows user ids with their names. */
void diagnose(struct diagnosis *diagnosis, const struct facts *facts);

#endif
