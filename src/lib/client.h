/* SPDX-License-Identifier: ISC */
#ifndef UXS_CLIENT_H
#define UXS_CLIENT_H

#include <uxsrv/service.h>

/* How a client is answered: by its session, or by the mailbox that has its
 * datagram in hand. */
struct uxs_client_ops {
	int (*reply)(struct uxs_client *client, const void *data,
	    size_t length);
	int (*refuse)(struct uxs_client *client, const char *text);
};

#endif
