/* SPDX-License-Identifier: ISC */
/*
 * Looking things up: the path, component by component, the file, and who
 * holds it. Files are opened O_PATH, which has no effect on them; the only
 * connect(2) is of a datagram socket, which a datagram server does not notice
 * and every other refuses before its queue is touched.
 */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/log.h>
#include <uxsrv/peer.h>
#include <uxsrv/place.h>

#include "facts_type.h"
#include "target.h"

/* The kernel follows no more links than this in one path. */
#define LINKS_MAX 40

/* ---- us ---- */

static bool
is_in_group(gid_t gid)
{
	gid_t groups[1024];
	const int n = getgroups(1024, groups);

	if (gid == getegid())
		return true;
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/* In the first user namespace every uid is mapped to itself. */
static bool
is_in_user_namespace(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long inside = 0, outside = 0, n = UINT32_MAX;
	int fields;

	if (map == NULL)
		return false;
	fields = fscanf(map, "%lu %lu %lu", &inside, &outside, &n);
	fclose(map);
	return fields == 3 && (inside != outside || n != UINT32_MAX);
}

/* ---- the path ---- */

static void
look_at_file(struct facts_file *file, const char *path, const struct stat *st)
{
	*file = (struct facts_file){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.has_acl = getxattr(path, "system.posix_acl_access", NULL, 0) >
		    0,
	};
}

static void
blame(struct facts *facts, enum facts_path path, const char *culprit)
{
	facts->path = path;
	uxs_escape(facts->culprit, sizeof(facts->culprit), culprit,
	    strlen(culprit));
}

/* The directory in which prefix is, which refused to be searched. */
static void
blame_directory(struct facts *facts, const char *prefix)
{
	char directory[PATH_MAX] = ".";
	const char *slash = strrchr(prefix, '/');
	struct stat st;

	if (slash != NULL)
		snprintf(directory, sizeof(directory), "%.*s",
		    (int)(slash == prefix ? 1 : slash - prefix), prefix);
	blame(facts, FACTS_PATH_NO_SEARCH, directory);
	if (stat(directory, &st) < 0)
		return;
	look_at_file(&facts->directory, directory, &st);
	facts->is_in_its_group = is_in_group(st.st_gid);
}

/* Opening prefix, the shortest that fails, gave code; it is no link. */
static void
explain_prefix(struct facts *facts, const char *prefix, int code)
{
	if (code == ENOENT)
		blame(facts, FACTS_PATH_MISSING, prefix);
	else if (code == ENOTDIR)
		blame(facts, FACTS_PATH_NOT_DIRECTORY, prefix);
	else if (code == EACCES)
		blame_directory(facts, prefix);
	else
		blame(facts, FACTS_PATH_UNKNOWN, prefix);
}

static int walk(struct facts *facts, const char *path, int depth);

/* A symbolic link that cannot be followed: the trouble is where it leads. */
static void
explain_link(struct facts *facts, const char *link, int code, int depth)
{
	char leads_to[PATH_MAX], path[2 * PATH_MAX];
	const ssize_t n = readlink(link, leads_to, sizeof(leads_to) - 1);
	const char *slash = strrchr(link, '/');
	const int directory = slash != NULL ? (int)(slash - link) + 1 : 0;
	int fd = -1;

	if (code == ELOOP || n <= 0 || depth == LINKS_MAX) {
		blame(facts, FACTS_PATH_LOOP, link);
		return;
	}
	if (code == ENOTDIR) {
		blame(facts, FACTS_PATH_NOT_DIRECTORY, link);
		return;
	}
	leads_to[n] = '\0';
	snprintf(path, sizeof(path), "%.*s%s",
	    leads_to[0] == '/' ? 0 : directory, link, leads_to);
	if (strlen(path) < PATH_MAX)
		fd = walk(facts, path, depth + 1);
	if (fd >= 0)
		close(fd); /* mended meanwhile */
	if (depth == 0)
		uxs_escape(facts->link, sizeof(facts->link), link,
		    strlen(link));
}

/* With the slash after it kept, "x/" tells whether x is a directory. */
static int
open_prefix(const char *prefix, bool is_last)
{
	const int fd =
	    open(prefix, O_PATH | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY));

	return fd < 0 ? -errno : fd;
}

static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Returns a descriptor of the file at the end of the path, or -1 with the
 * culprit in facts. */
static int
walk(struct facts *facts, const char *path, int depth)
{
	char prefix[PATH_MAX];

	for (size_t n = 1;; n++) {
		const bool is_last = path[n] == '\0';
		int fd;

		if (!is_last && (path[n] != '/' || path[n - 1] == '/'))
			continue;
		memcpy(prefix, path, n);
		prefix[n] = '\0';
		fd = open_prefix(prefix, is_last);
		if (fd >= 0 && is_last)
			return fd;
		if (fd >= 0) {
			close(fd);
			continue;
		}
		if (is_link(prefix))
			explain_link(facts, prefix, -fd, depth);
		else
			explain_prefix(facts, prefix, -fd);
		return -1;
	}
}

static bool
pair_exists(const char *path)
{
	char pair[PATH_MAX];
	struct stat st;

	return snprintf(pair, sizeof(pair), "%s%s", path, UXS_PAIR_SUFFIX) <
	    (int)sizeof(pair) &&
	    stat(pair, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* ---- who is behind it ---- */

static void
probe(struct facts *facts, const char *path, const struct stat *st, int pin_fd)
{
	const int fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return;
	r = uxs_pin_connect(pin_fd, fd);
	close(fd);
	if (r == 0 || r == -EPERM) {
		facts->is_live = true;
		facts->type = UXS_DGRAM;
	} else if (r == -EPROTOTYPE) {
		facts->is_live = true;
		facts->type = facts_type_of_file(st);
		if (facts->type == FACTS_TYPE_UNKNOWN && path[0] == '/')
			facts->type = facts_type_of_name(path);
		if (facts->type == FACTS_TYPE_UNKNOWN)
			facts->type = FACTS_TYPE_CONNECTED;
	}
}

static void
gather_file(struct facts *facts, const char *path)
{
	struct stat st;
	const int fd = walk(facts, path, 0);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		look_at_file(&facts->file, path, &st);
		facts->is_in_its_group = is_in_group(st.st_gid);
		facts->age_s = time(NULL) - st.st_mtim.tv_sec;
		if (S_ISSOCK(st.st_mode))
			probe(facts, path, &st, fd);
	}
	close(fd);
}

static void
gather_abstract(struct facts *facts, const struct uxs_address *address)
{
	char name[sizeof("@") + PATH_MAX];

	snprintf(name, sizeof(name), "@%s", address->name);
	facts->type = facts_type_of_name(name);
	facts->is_live = facts->type != FACTS_TYPE_UNKNOWN;
}

void
facts_gather(struct facts *facts, const struct target *target)
{
	*facts = (struct facts)FACTS_EMPTY;
	facts->label = target->label;
	facts->is_loopback = target->family != TARGET_UNIX;
	facts->is_abstract = target->address.is_abstract;
	facts->wanted = target->address.type;
	facts->is_type_open = target->is_type_open;
	facts->expected_uid = target->expect_uid;
	facts->uid = geteuid();
	facts->gid = getegid();
	facts->in_user_namespace = is_in_user_namespace();
	if (facts->is_loopback)
		return;
	if (facts->is_abstract) {
		gather_abstract(facts, &target->address);
		return;
	}
	gather_file(facts, target->address.name);
	facts->pair_exists = target->address.type != UXS_DGRAM &&
	    pair_exists(target->address.name);
}
