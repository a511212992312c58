/* SPDX-License-Identifier: ISC */
/* A service's view of whom it serves, what is behind it stays hidden; and what
 * is asked and told about clients in more than one place. */
#include "client.h"

#include <errno.h>

#include <uxsrv/ledger.h>

int
uxs_client_reply(struct uxs_client *client, const void *data, size_t length)
{
	return client->ops->reply(client, data, length);
}

int
uxs_client_tell(struct uxs_client *client, const void *data, size_t length)
{
	return client->ops->tell(client, data, length);
}

int
uxs_client_refuse(struct uxs_client *client, const char *text)
{
	return client->ops->refuse(client, text);
}

void
uxs_client_close(struct uxs_client *client)
{
	client->ops->close(client);
}

int
uxs_client_groups(struct uxs_client *client, struct uxs_groups *groups)
{
	const int fd = client->ops->descriptor(client);

	*groups = (struct uxs_groups)UXS_GROUPS_UNKNOWN;
	return fd < 0 ? -ENODATA : uxs_groups_of_socket(groups, fd);
}

int
uxs_client_label(struct uxs_client *client, char *label, size_t size)
{
	const int fd = client->ops->descriptor(client);

	return fd < 0 ? -ENODATA : uxs_peer_label(fd, label, size);
}

bool
client_is_allowed(const struct uxs_access *access, const struct uxs_peer *peer,
    int fd)
{
	struct uxs_groups groups = UXS_GROUPS_UNKNOWN;
	enum uxs_verdict verdict;

	if (uxs_access_reads_groups(access))
		uxs_groups_of_socket(&groups, fd); /* or they stay unknown */
	verdict = uxs_access_decide(access, peer, &groups);
	uxs_groups_fini(&groups);
	return verdict == UXS_ALLOW;
}

enum uxs_refusal
client_refusal_of(int admission)
{
	switch (admission) {
	case UXS_REFUSED_MAX_CONNS:
		return UXS_REFUSAL_MAX_CONNS;
	case UXS_REFUSED_MAX_PER_USER:
		return UXS_REFUSAL_MAX_PER_USER;
	case UXS_REFUSED_RATE:
		return UXS_REFUSAL_RATE;
	default: /* no memory for an account */
		return UXS_REFUSAL_DESCRIPTORS;
	}
}

void
client_log(struct uxs_log *log, const struct uxs_loop *loop,
    enum uxs_level level, enum uxs_event event, enum uxs_type type,
    const char *what, const char *reason, const struct uxs_peer *peer)
{
	char who[UXS_PEER_TEXT_MAX];

	if (!uxs_log_wants(log, level))
		return;
	uxs_log_print(log, level, event, uxs_loop_now_ns(loop),
	    "%s: %s%s%s%s: %s", uxs_type_name(type), what,
	    reason != NULL ? " (" : "", reason != NULL ? reason : "",
	    reason != NULL ? ")" : "", uxs_peer_print(peer, who));
}
