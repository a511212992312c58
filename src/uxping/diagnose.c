/* SPDX-License-Identifier: ISC */
/*
 * From facts to a word and a sentence, which says what is the case, on what
 * that rests, and what to do. Looks nothing up but the names of users.
 */
#include "diagnose.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <uxsrv/units.h>

#include "facts.h"
#include "say.h"

static const char *const words[N_REASONS] = {
	[REASON_NO_SUCH_FILE] = "no-such-file",
	[REASON_PERMISSION] = "permission",
	[REASON_NOT_A_SOCKET] = "not-a-socket",
	[REASON_STALE] = "stale",
	[REASON_NOT_LISTENING] = "not-listening",
	[REASON_BACKLOG_FULL] = "backlog-full",
	[REASON_WRONG_TYPE] = "wrong-type",
	[REASON_WRONG_USER] = "wrong-user",
	[REASON_DENIED] = "denied",
	[REASON_CLOSED] = "closed",
	[REASON_TIMEOUT] = "timeout",
	[REASON_CORRUPT] = "corrupt",
	[REASON_TOO_LONG] = "too-long",
	[REASON_SYSTEM] = "system",
};

const char *
diagnose_word(enum reason reason)
{
	return words[reason];
}

static const char *
kind_of_file(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a named pipe";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "a device";
	return "a regular file";
}

/* ---- the socket ---- */

static void
add_age(struct diagnosis *diagnosis, int64_t age_s)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { 86400, "days" }, { 3600, "hours" }, { 60, "minutes" },
		{ 1, "seconds" } };
	size_t i = 0;

	if (age_s < 0)
		return;
	if (age_s < 2) {
		say_more(diagnosis, " made just now");
		return;
	}
	while (i < 3 && age_s < 2 * units[i].s)
		i++;
	say_more(diagnosis, " made %" PRId64 " %s ago", age_s / units[i].s,
	    units[i].name);
}

static void
tell_refused(struct diagnosis *diagnosis, const struct facts *facts)
{
	if (facts->is_loopback) {
		say(diagnosis, REASON_STALE,
		    "nobody listens on this port; start the server");
	} else if (facts->is_abstract) {
		say(diagnosis, REASON_NO_SUCH_FILE,
		    "no %s socket has this abstract name in this network "
		    "namespace; start the server",
		    facts->is_type_open ? "stream, seqpacket or dgram" :
					  uxs_type_name(facts->wanted));
	} else if (facts->is_live) {
		say(diagnosis, REASON_NOT_LISTENING,
		    "somebody holds the socket but takes no connections: it "
		    "is starting or stopping; try again, or --wait");
	} else {
		say(diagnosis, REASON_STALE,
		    "nobody is behind the socket file");
		add_age(diagnosis, facts->age_s);
		say_more(diagnosis,
		    ": its server ended and left it; start the server again");
	}
}

static const char *
type_text(int type)
{
	if (type == FACTS_TYPE_UNKNOWN)
		return "another type";
	if (type == FACTS_TYPE_CONNECTED)
		return "a stream or seqpacket socket";
	return type == UXS_STREAM ? "a stream socket" :
	    type == UXS_SEQPACKET ? "a seqpacket socket" :
				    "a datagram socket";
}

static void
tell_wrong_type(struct diagnosis *diagnosis, const struct facts *facts)
{
	say(diagnosis, REASON_WRONG_TYPE, "it is %s and not %s",
	    type_text(facts->type), type_text((int)facts->wanted));
	if (facts->type >= 0)
		say_more(diagnosis, "; write %s:%s",
		    uxs_type_name((enum uxs_type)facts->type), facts->label);
	else
		say_more(diagnosis, "; leave the type out");
}

/* Abstract names are kept by type: another type is as good as nobody. */
static bool
is_wrong_type(const struct facts *facts)
{
	return facts->code == EPROTOTYPE ||
	    (facts->is_abstract && facts->code == ECONNREFUSED &&
		facts->is_live && facts->type != (int)facts->wanted);
}

/* A path was opened and its file did not let us in, or it was not opened. */
static void
tell_connect(struct diagnosis *diagnosis, const struct facts *facts)
{
	if (!facts->is_loopback && !facts->is_abstract) {
		if (facts->path != FACTS_PATH_OK) {
			diagnose_path(diagnosis, facts);
			return;
		}
		if (facts->file.mode != 0 && !S_ISSOCK(facts->file.mode)) {
			say(diagnosis, REASON_NOT_A_SOCKET,
			    "it is %s and not a socket; check the path",
			    kind_of_file(facts->file.mode));
			return;
		}
	}
	if (is_wrong_type(facts))
		tell_wrong_type(diagnosis, facts);
	else if (facts->code == ECONNREFUSED)
		tell_refused(diagnosis, facts);
	else if (facts->code == EACCES && facts->file.mode != 0)
		diagnose_file(diagnosis, facts);
	else if (facts->code == EPERM)
		say(diagnosis, REASON_DENIED,
		    "the datagram socket is connected to a peer of its own and "
		    "takes nothing from others; or a security module refuses");
	else
		say(diagnosis, REASON_SYSTEM, "cannot be connected to: %s",
		    strerror(facts->code));
}

/* ---- the conversation ---- */

static void
tell_wrong_user(struct diagnosis *diagnosis, const struct facts *facts)
{
	char expected[SAY_USER_MAX], owner[SAY_USER_MAX];

	say(diagnosis, REASON_WRONG_USER, "%s was expected to be behind it",
	    say_user(facts->expected_uid, expected));
	if (facts->file.mode != 0)
		say_more(diagnosis, "; the file is owned by %s",
		    say_user(facts->file.uid, owner));
	say_more(diagnosis,
	    "; nothing was sent; find out who listens there (ss -xlp) before "
	    "you trust it");
	say_namespace_remark(diagnosis, facts, facts->file.uid);
}

static void
tell_broken(struct diagnosis *diagnosis, const struct facts *facts)
{
	char us[SAY_USER_MAX];

	if (facts->code == EMSGSIZE) {
		say(diagnosis, REASON_TOO_LONG,
		    "the kernel does not carry messages of this size; use a "
		    "smaller --size, or raise net.core.wmem_max");
	} else if (facts->had_replies) {
		say(diagnosis, REASON_CLOSED,
		    "the server closed the connection%s%s; see its log",
		    facts->code != 0 ? ": " : "",
		    facts->code != 0 ? strerror(facts->code) : "");
	} else if (facts->is_loopback && facts->code == ECONNREFUSED) {
		tell_refused(diagnosis, facts);
	} else if (facts->wanted == UXS_DGRAM) {
		say(diagnosis, REASON_STALE,
		    "the server went away: %s; start it again",
		    strerror(facts->code));
	} else {
		say(diagnosis, REASON_DENIED,
		    "connected, and closed by the server before it answered: "
		    "its own rules probably refuse %s gid=%u; see its log",
		    say_user(facts->uid, us), (unsigned)facts->gid);
		say_namespace_remark(diagnosis, facts, facts->file.uid);
	}
}

static void
tell_timeout(struct diagnosis *diagnosis, const struct facts *facts)
{
	char duration[UXS_UNITS_TEXT_MAX];

	uxs_duration_print(facts->timeout_ns, duration);
	if (facts->had_replies)
		say(diagnosis, REASON_TIMEOUT,
		    "answers came, but none within %s; -W sets how long to "
		    "wait for one",
		    duration);
	else if (facts->wanted == UXS_DGRAM)
		say(diagnosis, REASON_TIMEOUT,
		    "sent, but nothing came back within %s: it does not echo, "
		    "or refuses us, or cannot reach our return address "
		    "(its private /tmp: set TMPDIR)",
		    duration);
	else
		say(diagnosis, REASON_TIMEOUT,
		    "connected, but nothing came back within %s: the server "
		    "hangs, or is no echo service; -z times connecting only",
		    duration);
}

static void
tell_size(struct diagnosis *diagnosis, const struct facts *facts)
{
	if (facts->size_bytes == 0)
		say(diagnosis, REASON_TOO_LONG,
		    "a stream has no empty messages; use --size 1 or more");
	else
		say(diagnosis, REASON_TOO_LONG,
		    "messages of %zu bytes cannot be sent; use a smaller "
		    "--size",
		    facts->size_bytes);
}

void
diagnose(struct diagnosis *diagnosis, const struct facts *facts)
{
	switch (facts->event) {
	case FACTS_CONNECT:
		tell_connect(diagnosis, facts);
		break;
	case FACTS_BUSY:
		say(diagnosis, REASON_BACKLOG_FULL,
		    "the server is there but does not accept: its queue of "
		    "waiting connections is full; wait longer with --wait, or "
		    "see what keeps it (ss -xl shows the queue)");
		break;
	case FACTS_WRONG_USER:
		tell_wrong_user(diagnosis, facts);
		break;
	case FACTS_REPLY_PATH:
		say(diagnosis, REASON_SYSTEM,
		    "no return address could be made in TMPDIR or /tmp; point "
		    "TMPDIR to a directory you may write to");
		break;
	case FACTS_BROKEN:
		tell_broken(diagnosis, facts);
		break;
	case FACTS_TIMEOUT:
		tell_timeout(diagnosis, facts);
		break;
	case FACTS_CORRUPT:
		say(diagnosis, REASON_CORRUPT,
		    "the server answers, but not what it was sent: %s; -z "
		    "times connecting to servers that do not echo",
		    facts->what);
		break;
	case FACTS_SIZE:
		tell_size(diagnosis, facts);
		break;
	}
}
