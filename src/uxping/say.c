/* SPDX-License-Identifier: ISC */
/* Sentences of a diagnosis, put together piece by piece. */
#include "say.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/peer.h>

#include "facts.h"

void
say(struct diagnosis *diagnosis, enum reason reason, const char *format, ...)
{
	va_list args;

	diagnosis->reason = reason;
	va_start(args, format);
	vsnprintf(diagnosis->text, sizeof(diagnosis->text), format, args);
	va_end(args);
}

void
say_more(struct diagnosis *diagnosis, const char *format, ...)
{
	const size_t n = strlen(diagnosis->text);
	va_list args;

	va_start(args, format);
	vsnprintf(diagnosis->text + n, sizeof(diagnosis->text) - n, format,
	    args);
	va_end(args);
}

char *
say_user(uid_t uid, char text[SAY_USER_MAX])
{
	const char *name = user_from_uid(uid, 1);

	if (name != NULL)
		snprintf(text, SAY_USER_MAX, "uid=%u(%.40s)", (unsigned)uid,
		    name);
	else
		snprintf(text, SAY_USER_MAX, "uid=%u", (unsigned)uid);
	return text;
}

void
say_namespace_remark(struct diagnosis *diagnosis, const struct facts *facts,
    uid_t other)
{
	if (other == uxs_overflow_uid())
		say_more(diagnosis,
		    " (uid %u stands for everybody who is not mapped into "
		    "this user namespace)",
		    (unsigned)other);
	else if (facts->in_user_namespace)
		say_more(diagnosis,
		    " (we are in a user namespace: to servers outside we are "
		    "another user, or none)");
}
