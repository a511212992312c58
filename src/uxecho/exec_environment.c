/* SPDX-License-Identifier: ISC */
/* What a program is told; see exec_environment.h. */
#include "exec_environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a service manager said to us is not for others, who would take its
 * sockets for their own, or tell it of a readiness that is not ours; and
 * nobody who started us may pose as the kernel. */
static const char *const kept_from_it[] = {
	"IPCCONNNUM=",
	"IPCREMOTEEGID=",
	"IPCREMOTEEUID=",
	"IPCREMOTEPATH=",
	"LISTEN_FDNAMES=",
	"LISTEN_FDS=",
	"LISTEN_PID=",
	"LISTEN_PIDFDID=",
	"NOTIFY_SOCKET=",
	"PROTO=",
	"UXECHO_PEER_",
	"WATCHDOG_PID=",
	"WATCHDOG_USEC=",
};

/* Those that print() writes. */
#define OWN_MAX 6

/* The kernel takes no string over 128 KiB (MAX_ARG_STRLEN), and a process may
 * have 65536 groups. What does not fit is not known. */
#define GROUPS_TEXT_MAX ((size_t)100 * 1024)

static bool
is_kept(const char *variable)
{
	for (size_t i = 0; i < sizeof(kept_from_it) / sizeof(kept_from_it[0]);
	     i++) {
		if (strncmp(variable, kept_from_it[i],
			strlen(kept_from_it[i])) == 0)
			return true;
	}
	return false;
}

static size_t
count(char *const list[])
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	return n;
}

static void
print_groups(FILE *out, const struct uxs_groups *groups)
{
	if (!groups->is_known ||
	    groups->n > GROUPS_TEXT_MAX / sizeof("4294967295"))
		return;
	fputs("UXECHO_PEER_GROUPS=", out);
	for (size_t i = 0; i < groups->n; i++)
		fprintf(out, "%s%u", i == 0 ? "" : ",",
		    (unsigned)groups->gids[i]);
	fputc('\0', out);
}

/* One after the other, each with its NUL. */
static void
print(FILE *out, const struct uxs_peer *peer, const struct uxs_groups *groups,
    const char *path)
{
	fprintf(out, "PROTO=IPC%c", '\0');
	if (peer->uid != UXS_UID_NONE)
		fprintf(out, "IPCREMOTEEUID=%u%c", (unsigned)peer->uid, '\0');
	if (peer->gid != UXS_GID_NONE)
		fprintf(out, "IPCREMOTEEGID=%u%c", (unsigned)peer->gid, '\0');
	fprintf(out, "IPCREMOTEPATH=%s%c", path, '\0');
	if (peer->pid != 0)
		fprintf(out, "UXECHO_PEER_PID=%ld%c", (long)peer->pid, '\0');
	print_groups(out, groups);
}

static void
fill(struct exec_environment *e, char *const inherited[], size_t length)
{
	size_t n = 0;

	for (size_t i = 0; inherited[i] != NULL; i++) {
		if (!is_kept(inherited[i]))
			e->list[n++] = inherited[i];
	}
	for (char *at = e->text; at < e->text + length; at += strlen(at) + 1)
		e->list[n++] = at;
	e->list[n] = NULL;
}

int
exec_environment_make(struct exec_environment *e, char *const inherited[],
    const struct uxs_peer *peer, const struct uxs_groups *groups,
    const char *path)
{
	size_t length;
	FILE *out;

	*e = (struct exec_environment){ .list = NULL };
	if ((out = open_memstream(&e->text, &length)) == NULL)
		return -ENOMEM;
	print(out, peer, groups, path);
	if (fclose(out) == 0)
		e->list =
		    calloc(count(inherited) + OWN_MAX + 1, sizeof(e->list[0]));
	if (e->list == NULL) {
		exec_environment_free(e);
		return -ENOMEM;
	}
	fill(e, inherited, length);
	return 0;
}

void
exec_environment_free(struct exec_environment *e)
{
	free(e->list);
	free(e->text);
	*e = (struct exec_environment){ .list = NULL };
}
