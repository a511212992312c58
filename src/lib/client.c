/* SPDX-License-Identifier: ISC */
/* A service's view of whom it serves; what is behind it stays hidden. */
#include "client.h"

int
uxs_client_reply(struct uxs_client *client, const void *data, size_t length)
{
	return client->ops->reply(client, data, length);
}

int
uxs_client_refuse(struct uxs_client *client, const char *text)
{
	return client->ops->refuse(client, text);
}
