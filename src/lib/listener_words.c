/* SPDX-License-Identifier: ISC */
/* Why a socket file cannot be had, in one sentence and with the cure. */
#include "listener_words.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <uxsrv/peer.h>

#include "shown.h"

int
listener_explain(struct uxs_error *why, enum uxs_failure failure, int code,
    const char *path, const char *what)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, failure, code, "%s: %s: %s",
	    shown(path_text, path), what, strerror(code));
}

int
listener_explain_live(struct uxs_error *why, const char *path, pid_t pid,
    uid_t uid)
{
	const char *name = uid != UXS_UID_NONE ? user_from_uid(uid, 0) : NULL;
	char path_text[SHOWN_MAX], user[SHOWN_MAX], by[SHOWN_MAX + 64] = "";

	if (name != NULL)
		shown(user, name);
	if (name != NULL && pid > 0)
		snprintf(by, sizeof(by), " (pid %ld, user %s)", (long)pid,
		    user);
	else if (name != NULL)
		snprintf(by, sizeof(by), " (its socket is user %s's)", user);
	return uxs_error_set(why, UXS_FAILURE_LIVE, EADDRINUSE,
	    "%s: a live server holds this address%s; stop it, or choose "
	    "another one",
	    shown(path_text, path), by);
}

static const char *
what_it_is(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a fifo";
	case S_IFLNK:
		return "a symbolic link";
	default:
		return "a device";
	}
}

static int
explain_taken(struct uxs_error *why, const char *path,
    const struct uxs_probe_facts *facts)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_CREATE, EEXIST,
	    "%s: %s of user %s is in the way, not a socket; it was left "
	    "alone: remove it, or choose another path",
	    shown(path_text, path), what_it_is(facts->mode),
	    user_from_uid(facts->uid, 0));
}

static int
explain_unknown(struct uxs_error *why, const char *path,
    const struct uxs_probe_facts *facts)
{
	char path_text[SHOWN_MAX];

	return uxs_error_set(why,
	    uxs_failure_of(facts->code, UXS_FAILURE_SYSTEM), facts->code,
	    "%s: cannot find out whether a server is behind this socket of "
	    "user %s (mode %04o): %s; it was left alone",
	    shown(path_text, path), user_from_uid(facts->uid, 0),
	    (unsigned)(facts->mode & 07777), strerror(facts->code));
}

int
listener_judge_probe(struct uxs_error *why, const char *path, int probe,
    const struct uxs_probe_facts *facts)
{
	if (probe < 0)
		return listener_explain(why,
		    uxs_failure_of(-probe, UXS_FAILURE_SYSTEM), -probe, path,
		    "cannot look at what is there");
	switch ((enum uxs_probe)probe) {
	case UXS_PROBE_FREE:
	case UXS_PROBE_DEAD:
		return 0;
	case UXS_PROBE_LIVE:
		return listener_explain_live(why, path, 0, facts->uid);
	case UXS_PROBE_NOT_A_SOCKET:
	case UXS_PROBE_SYMLINK:
		return explain_taken(why, path, facts);
	case UXS_PROBE_UNKNOWN:
		return explain_unknown(why, path, facts);
	}
	return -EINVAL;
}
