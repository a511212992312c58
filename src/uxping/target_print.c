/* SPDX-License-Identifier: ISC */
/* A target and who is behind it, for people and for programs. */
#include "target.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

const char *
target_type_name(const struct target *target)
{
	if (target->family == TARGET_TCP)
		return "tcp";
	if (target->family == TARGET_UDP)
		return "udp";
	return uxs_type_name(target->address.type);
}

static bool
has_owner_only(const struct target *target)
{
	return target->family == TARGET_UNIX &&
	    target->address.type == UXS_DGRAM;
}

/* The owner of the file as a peer, so that the overflow uid is unknown here
 * too. */
static struct uxs_peer
owner_of(const struct target *target)
{
	struct uxs_peer owner = UXS_PEER_UNKNOWN;

	if (target->file.st_mode == 0)
		return owner;
	if (target->file.st_uid != uxs_overflow_uid())
		owner.uid = target->file.st_uid;
	if (target->file.st_gid != uxs_overflow_gid())
		owner.gid = target->file.st_gid;
	return owner;
}

char *
target_print_owner(const struct target *target, const struct target_link *link,
    char text[TARGET_OWNER_MAX])
{
	const struct uxs_peer owner = owner_of(target);
	char peer[UXS_PEER_TEXT_MAX];
	char *pid;

	if (!has_owner_only(target)) {
		snprintf(text, TARGET_OWNER_MAX, "listener %s",
		    uxs_peer_print_named(&link->listener, peer));
		return text;
	}
	snprintf(text, TARGET_OWNER_MAX, "owner %s",
	    uxs_peer_print_named(&owner, peer));
	if ((pid = strstr(text, " pid=")) != NULL)
		*pid = '\0'; /* files have none */
	return text;
}

static void
id_or_null(struct json *json, const char *name, bool is_known, int64_t id)
{
	if (is_known)
		json_integer(json, name, id);
	else
		json_null(json, name);
}

void
target_print_owner_json(const struct target *target,
    const struct target_link *link, struct json *json)
{
	const bool is_owner = has_owner_only(target);
	const struct uxs_peer peer = is_owner ? owner_of(target) :
						link->listener;

	json_object_open(json, is_owner ? "owner" : "listener");
	id_or_null(json, "uid", peer.uid != UXS_UID_NONE, peer.uid);
	id_or_null(json, "gid", peer.gid != UXS_GID_NONE, peer.gid);
	if (!is_owner)
		id_or_null(json, "pid", peer.pid != 0, peer.pid);
	json_object_close(json);
}

void
target_print_json(const struct target *target, struct json *json)
{
	char name[PATH_MAX + 1];

	if (target->family != TARGET_UNIX) {
		json_string(json, "target", target->text);
		return;
	}
	snprintf(name, sizeof(name), "%s%s",
	    target->address.is_abstract ? "@" : "", target->address.name);
	json_string(json, "target", name);
}
