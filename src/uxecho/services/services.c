/* SPDX-License-Identifier: ISC */
/* The services by their names. */
#include "services.h"

#include <string.h>

static const struct named_service services[] = {
	{ "echo", &service_echo, NULL, NULL },
	{ "upper", &service_upper, NULL, NULL },
	{ "discard", &service_discard, NULL, NULL },
	{ "whoami", &service_whoami, whoami_prepare, whoami_finish },
	{ "chat", &service_chat, NULL, NULL },
	{ "exec", &service_exec, NULL, NULL },
};

const struct named_service *
service_find(const char *name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	}
	return NULL;
}
