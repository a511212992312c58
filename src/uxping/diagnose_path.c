/* SPDX-License-Identifier: ISC */
/* What is wrong with a path, or with the permissions of what it leads to. */
#include "say.h"

#include <string.h>
#include <sys/stat.h>

#include "facts.h"

/* Which of the three sets of permission bits is ours. */
static int
class_shift(const struct facts *facts, const struct facts_file *file)
{
	if (facts->uid == file->uid)
		return 6;
	return facts->is_in_its_group ? 3 : 0;
}

static const char *
class_letter(int shift)
{
	return shift == 6 ? "u" : shift == 3 ? "g" : "o";
}

/*
 * Mode, owner and what is missing. bit is that of others (S_IWOTH, S_IXOTH),
 * letter its name for chmod(1).
 */
static void
add_permissions(struct diagnosis *diagnosis, const struct facts *facts,
    const struct facts_file *file, mode_t bit, char letter)
{
	const int shift = class_shift(facts, file);
	char owner[SAY_USER_MAX];

	if (file->mode == 0)
		return;
	say_more(diagnosis, "; its mode is %04o, its owner %s gid=%u%s",
	    (unsigned)(file->mode & 07777), say_user(file->uid, owner),
	    (unsigned)file->gid,
	    file->has_acl ? ", and it has an access control list (getfacl)" :
			    "");
	if ((file->mode & bit << shift) == 0)
		say_more(diagnosis, "; chmod %s+%c, or run as a user who may",
		    class_letter(shift), letter);
	else if (!file->has_acl)
		say_more(diagnosis,
		    "; by its mode we may, so a security module (AppArmor, "
		    "SELinux, Landlock) refuses");
	say_namespace_remark(diagnosis, facts, file->uid);
}

void
diagnose_path(struct diagnosis *diagnosis, const struct facts *facts)
{
	char us[SAY_USER_MAX];

	switch (facts->path) {
	case FACTS_PATH_OK:
	case FACTS_PATH_UNKNOWN:
		say(diagnosis, REASON_SYSTEM, "cannot be opened: %s",
		    strerror(facts->code));
		break;
	case FACTS_PATH_MISSING:
		say(diagnosis, REASON_NO_SUCH_FILE,
		    "%s does not exist; start the server, or wait for it with "
		    "--wait",
		    facts->culprit);
		if (facts->pair_exists)
			say_more(diagnosis,
			    " (there is a datagram socket beside it: "
			    "--type dgram)");
		break;
	case FACTS_PATH_NOT_DIRECTORY:
		say(diagnosis, REASON_NO_SUCH_FILE,
		    "%s is not a directory; check the path", facts->culprit);
		break;
	case FACTS_PATH_LOOP:
		say(diagnosis, REASON_NO_SUCH_FILE,
		    "%s is a symbolic link in a circle; see where it points "
		    "with readlink",
		    facts->culprit);
		break;
	case FACTS_PATH_NO_SEARCH:
		say(diagnosis, REASON_PERMISSION,
		    "the directory %s may not be searched by %s gid=%u",
		    facts->culprit, say_user(facts->uid, us),
		    (unsigned)facts->gid);
		add_permissions(diagnosis, facts, &facts->directory, S_IXOTH,
		    'x');
		break;
	}
	if (facts->link[0] != '\0')
		say_more(diagnosis, " (the symbolic link %s leads there)",
		    facts->link);
}

void
diagnose_file(struct diagnosis *diagnosis, const struct facts *facts)
{
	char us[SAY_USER_MAX];

	say(diagnosis, REASON_PERMISSION,
	    "the socket file may not be written to by %s gid=%u, which "
	    "connecting takes",
	    say_user(facts->uid, us), (unsigned)facts->gid);
	add_permissions(diagnosis, facts, &facts->file, S_IWOTH, 'w');
}
