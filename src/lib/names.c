/* SPDX-License-Identifier: ISC */
/*
 * The system's data bases as uxs_names. Apart from access.c, which stays pure
 * so that its tests can bring users of their own.
 */
#include <uxsrv/access.h>

#include <grp.h>
#include <pwd.h>

static int
system_uid_of(const char *name, uid_t *uid)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return -1;
	*uid = user->pw_uid;
	return 0;
}

static int
system_gid_of(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return -1;
	*gid = group->gr_gid;
	return 0;
}

const struct uxs_names uxs_names_system = {
	.uid_of = system_uid_of,
	.gid_of = system_gid_of,
};
