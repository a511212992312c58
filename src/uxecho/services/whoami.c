/* SPDX-License-Identifier: ISC */
/*
 * Every message is answered by who sent it, as the server sees them: what a
 * person in a container, or behind a user name space, needs to know.
 *
 *	type=stream uid=1000 gid=1000 groups=4,27 pid=4711 mapped=yes
 *	user=alice label=unknown
 *
 * on one line. The label is last, since it may have blanks in it.
 */
#include "services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/log.h>

#include "users.h"

#define LABEL_TEXT_MAX 2048

static struct users users;

void
whoami_prepare(void)
{
	users_read(&users, "/etc/passwd");
}

void
whoami_finish(void)
{
	users_fini(&users);
}

static void
print_id(FILE *out, const char *key, bool is_known, unsigned long id)
{
	if (is_known)
		fprintf(out, " %s=%lu", key, id);
	else
		fprintf(out, " %s=unknown", key);
}

static void
print_groups(FILE *out, struct uxs_client *client)
{
	struct uxs_groups groups;

	uxs_client_groups(client, &groups);
	if (!groups.is_known)
		fputs(" groups=unknown", out);
	else if (groups.n == 0)
		fputs(" groups=none", out);
	for (size_t i = 0; i < groups.n; i++)
		fprintf(out, "%s%u", i == 0 ? " groups=" : ",",
		    (unsigned)groups.gids[i]);
	uxs_groups_fini(&groups);
}

/* A blank within a name would end its value. */
static void
print_user(FILE *out, const struct uxs_peer *peer)
{
	const char *name =
	    uxs_peer_is_known(peer) ? users_name(&users, peer->uid) : NULL;
	char shown[256];

	if (name == NULL)
		name = "unknown";
	uxs_escape(shown, sizeof(shown), name, strlen(name));
	fputs(" user=", out);
	for (const char *c = shown; *c != '\0'; c++)
		fputs(*c == ' ' ? "\\040" : (char[]){ *c, '\0' }, out);
}

static void
print_label(FILE *out, struct uxs_client *client)
{
	char label[LABEL_TEXT_MAX];

	fprintf(out, " label=%s",
	    uxs_client_label(client, label, sizeof(label)) > 0 ? label :
								 "unknown");
}

static const char *
mapped(const struct uxs_peer *peer)
{
	if (uxs_peer_is_known(peer))
		return "yes";
	return peer->is_unmapped ? "no" : "unknown";
}

/* A stream without framing, and a packet that is shown, want a newline; a line
 * is given one by its framing. */
static void
print(FILE *out, struct uxs_client *client)
{
	const struct uxs_peer *peer = &client->peer;

	fprintf(out, "type=%s", uxs_type_name(client->type));
	print_id(out, "uid", peer->uid != UXS_UID_NONE, peer->uid);
	print_id(out, "gid", peer->gid != UXS_GID_NONE, peer->gid);
	print_groups(out, client);
	print_id(out, "pid", peer->pid != 0, (unsigned long)peer->pid);
	fprintf(out, " mapped=%s", mapped(peer));
	print_user(out, peer);
	print_label(out, client);
	if (client->framing != UXS_FRAMING_LINE)
		fputc('\n', out);
}

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);
	int r = -ENOMEM;

	if (out == NULL)
		return r;
	print(out, client);
	if (fclose(out) == 0)
		r = uxs_client_reply(client, line, length);
	free(line);
	return r < 0 ? r : 0;
}

/* The names are only read once it serves. */
const struct uxs_service service_whoami = {
	.on_message = on_message,
	.is_concurrent = true,
};
