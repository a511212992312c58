/* SPDX-License-Identifier: ISC */
/* Every message is counted, and not answered. */
#include "services.h"

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	return 0;
}

const struct uxs_service service_discard = {
	.on_message = on_message,
	.is_concurrent = true,
};
