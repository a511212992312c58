/* SPDX-License-Identifier: ISC */
#ifndef UXS_CLIENT_H
#define UXS_CLIENT_H

#include <stdbool.h>

#include <uxsrv/access.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>

/* How a client is answered: by its session, or by the mailbox that has its
 * datagram in hand. */
struct uxs_client_ops {
	int (*reply)(struct uxs_client *client, const void *data,
	    size_t length);
	/* The same, but never more than there is room for. */
	int (*tell)(struct uxs_client *client, const void *data, size_t length);
	int (*refuse)(struct uxs_client *client, const char *text);
	void (*close)(struct uxs_client *client);
	/* Of its connection; -1 where it has none. */
	int (*descriptor)(const struct uxs_client *client);
};

/* Is the client of this connection allowed, by its groups too? */
bool client_is_allowed(const struct uxs_access *access,
    const struct uxs_peer *peer, int fd);

/* What an enum uxs_admission is called by those who count; only of one that
 * did not admit. */
enum uxs_refusal client_refusal_of(int admission);

/* "stream: closed (eof): uid=1000 gid=1000 pid=4711"; reason may be NULL. */
void client_log(struct uxs_log *log, const struct uxs_loop *loop,
    enum uxs_level level, enum uxs_event event, enum uxs_type type,
    const char *what, const char *reason, const struct uxs_peer *peer);

#endif
