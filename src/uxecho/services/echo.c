/* SPDX-License-Identifier: ISC */
/* Every message comes back as it is, the empty ones too. */
#include "services.h"

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	const int r = uxs_client_reply(client, message->data, message->length);

	/* One that cannot be delivered is counted where that was found out. */
	return r < 0 ? r : 0;
}

const struct uxs_service service_echo = {
	.on_message = on_message,
	.is_mirror = true,
	.is_concurrent = true,
};
