/* SPDX-License-Identifier: ISC */
/* Every message comes back with its ASCII letters in upper case, and all other
 * bytes as they are, whatever they mean in whichever character set. */
#include "services.h"

#include <errno.h>
#include <stdlib.h>

/* Most messages need no allocation; arbitrary. */
#define SMALL 4096

/* Without a branch, so that the compiler does many bytes at a time. */
static void
raise(unsigned char *to, const unsigned char *from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const unsigned char is_lower = (unsigned char)(from[i] - 'a') <
		    26;

		to[i] = (unsigned char)(from[i] - (is_lower << 5));
	}
}

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	unsigned char small[SMALL], *raised = small;
	int r;

	small[0] = 0; /* an empty message points to nothing else */
	if (message->length > sizeof(small) &&
	    (raised = malloc(message->length)) == NULL)
		return -ENOMEM;
	raise(raised, message->data, message->length);
	r = uxs_client_reply(client, raised, message->length);
	if (raised != small)
		free(raised);
	return r < 0 ? r : 0;
}

const struct uxs_service service_upper = {
	.on_message = on_message,
	.is_concurrent = true,
};
