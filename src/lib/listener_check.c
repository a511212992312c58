/* SPDX-License-Identifier: ISC */
/* What opening a listener would object to, found out without making it. */
#include "listener_check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <uxsrv/listener.h>
#include <uxsrv/peer.h>
#include <uxsrv/probe.h>

#include "listener_words.h"

int
listener_check_directory(const struct uxs_listener_conf *conf,
    const struct uxs_place *place, struct uxs_error *why)
{
	struct uxs_error doubt;
	int safety = uxs_place_check(place, &doubt);

	if (safety == UXS_PLACE_UNSAFE && !conf->force_dir) {
		if (why != NULL)
			*why = doubt;
		return -EPERM;
	}
	if (safety != UXS_PLACE_SAFE && conf->on_warning != NULL)
		conf->on_warning(conf->arg, doubt.text);
	return 0;
}

static bool
is_our_group(gid_t gid)
{
	gid_t groups[NGROUPS_MAX];
	const int n = getgroups(NGROUPS_MAX, groups);

	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return gid == getegid();
}

static int
check_owner(const struct uxs_listener_conf *conf, struct uxs_error *why)
{
	const bool gives_away = conf->owner_uid != UXS_UID_NONE &&
	    conf->owner_uid != geteuid();
	const bool changes_group = conf->owner_gid != UXS_GID_NONE &&
	    !is_our_group(conf->owner_gid);

	if (geteuid() == 0 || (!gives_away && !changes_group))
		return 0;
	return listener_explain(why, UXS_FAILURE_PERMISSION, EPERM,
	    conf->address->name,
	    "cannot give the socket to its owner (only root may)");
}

static int
check_writable(const struct uxs_place *place, struct uxs_error *why)
{
	if (faccessat(place->dir_fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return listener_explain(why, uxs_failure_of(errno, UXS_FAILURE_CREATE),
	    errno, place->path, "its directory is not writable");
}

static int
check_path(const struct uxs_listener_conf *conf, struct uxs_error *why)
{
	struct uxs_place place = UXS_PLACE_CLOSED;
	struct uxs_probe_facts facts;
	int r;

	if ((r = uxs_place_open(&place, conf->address->name, why)) < 0)
		return r;
	if ((r = listener_check_directory(conf, &place, why)) < 0 ||
	    (r = listener_judge_probe(why, place.path,
		 uxs_probe_place(&place, &facts), &facts)) < 0 ||
	    (r = check_writable(&place, why)) < 0 ||
	    (r = uxs_lock_check(&place, why)) < 0)
		goto out;
	r = check_owner(conf, why);
out:
	uxs_place_close(&place);
	return r;
}

int
uxs_listener_check(const struct uxs_listener_conf *conf, struct uxs_error *why)
{
	struct uxs_listener trial = UXS_LISTENER_CLOSED;
	int r;

	if (uxs_address_has_file(conf->address))
		return check_path(conf, why);
	/* What has no file leaves nothing behind, and before listen nobody
	 * can get in: try it. */
	r = uxs_listener_open(&trial, conf, why);
	uxs_listener_close(&trial);
	return r;
}
