/* SPDX-License-Identifier: ISC */
/*
 * From root to a user, and no way back: groups, then gid, then uid, since each
 * step needs what the next one gives up; then it is tried to come back.
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/units.h>

/* ---- whom ---- */

static bool
find_user(struct privileges *p, const char *text, bool *has_gid)
{
	int64_t number = -1;
	const struct passwd *entry =
	    uxs_count_parse(text, 0, UINT32_MAX - 1, &number) == 0 ?
	    getpwuid((uid_t)number) :
	    getpwnam(text);

	if (entry == NULL && number < 0)
		return false;
	*has_gid = entry != NULL;
	p->uid = entry != NULL ? entry->pw_uid : (uid_t)number;
	p->gid = entry != NULL ? entry->pw_gid : 0;
	strlcpy(p->name, entry != NULL ? entry->pw_name : "", sizeof(p->name));
	return true;
}

static bool
find_group(const char *text, gid_t *gid)
{
	int64_t number;

	if (uxs_count_parse(text, 0, UINT32_MAX - 1, &number) == 0) {
		*gid = (gid_t)number;
		return true;
	}
	return gid_from_group(text, gid) == 0;
}

const char *
privileges_parse(struct privileges *p, const char *text)
{
	const size_t n = strcspn(text, ":");
	char user[LOGIN_NAME_MAX];
	bool has_gid = false;

	if (n == 0)
		return "empty; write USER or USER:GROUP";
	if (n >= sizeof(user))
		return "there is no such user";
	memcpy(user, text, n);
	user[n] = '\0';
	if (!find_user(p, user, &has_gid))
		return "there is no such user";
	if (text[n] == ':' && !find_group(text + n + 1, &p->gid))
		return "there is no such group";
	if (text[n] != ':' && !has_gid)
		return "this user has no entry that tells the group; write "
		       "USER:GROUP";
	p->root = p->uid == 0 ? text : NULL;
	p->is_wanted = p->uid != 0;
	return NULL;
}

int
privileges_check(const struct privileges *p, struct uxs_error *why)
{
	if ((!p->is_wanted && p->root == NULL) || geteuid() == 0 ||
	    (geteuid() == p->uid && getegid() == p->gid))
		return 0;
	return uxs_error_set(why, UXS_FAILURE_PERMISSION, EPERM,
	    "--user: only root can become another user (uid %u, gid %u)",
	    (unsigned)p->uid, (unsigned)p->gid);
}

/* ---- capabilities ---- */

static int
set_capabilities(uint64_t bits)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)bits, .permitted = (uint32_t)bits },
		{ .effective = (uint32_t)(bits >> 32),
		    .permitted = (uint32_t)(bits >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static bool
has_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capget, &header, data) < 0 ||
	    (data[0].effective | data[0].permitted | data[0].inheritable |
		data[1].effective | data[1].permitted | data[1].inheritable) !=
	    0;
}

/* What no program can get any more by being executed. It takes a capability,
 * which root in a container may be without; no_new_privs does not. */
static void
empty_bounding_set(uint64_t keep)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if ((keep & (UINT64_C(1) << cap)) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return; /* beyond the last, or not allowed */
	}
}

int
privileges_limit(uint64_t capabilities)
{
	empty_bounding_set(capabilities);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return set_capabilities(capabilities);
}

/* ---- the drop ---- */

static int
fail(struct uxs_error *why, int code, const char *what)
{
	return uxs_error_set(why, uxs_failure_of(code, UXS_FAILURE_SYSTEM),
	    code, "--user: cannot %s: %s", what, strerror(code));
}

static int
become(const struct privileges *p, struct uxs_error *why)
{
	const int r = p->name[0] != '\0' ? initgroups(p->name, p->gid) :
					   setgroups(1, &p->gid);

	if (r < 0)
		return fail(why, errno, "set the groups");
	if (setresgid(p->gid, p->gid, p->gid) < 0)
		return fail(why, errno, "set the group");
	if (setresuid(p->uid, p->uid, p->uid) < 0)
		return fail(why, errno, "become this user");
	return 0;
}

static bool
is_for_good(const struct privileges *p)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 ||
	    getresgid(&rgid, &egid, &sgid) < 0)
		return false;
	return ruid == p->uid && euid == p->uid && suid == p->uid &&
	    rgid == p->gid && egid == p->gid && sgid == p->gid &&
	    !has_capabilities() && setresuid(0, 0, 0) < 0 && setuid(0) < 0 &&
	    (p->gid == 0 || setresgid(0, 0, 0) < 0);
}

int
privileges_drop(const struct privileges *p, struct uxs_error *why)
{
	int r = 0;

	/* Takes root, so it comes first. */
	if (geteuid() == 0) {
		empty_bounding_set(0);
		r = become(p, why);
	}
	if (r < 0)
		return r;
	if ((r = privileges_limit(0)) < 0)
		return fail(why, -r, "give up the capabilities");
	if (!is_for_good(p))
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, EPERM,
		    "--user: the way back to root is still open");
	return 0;
}
