/* SPDX-License-Identifier: ISC */
#ifndef SERVICES_H
#define SERVICES_H

#include <uxsrv/service.h>

/*
 * What uxecho can do with a message. Bytes in, bytes out, no system calls once
 * it serves; but for exec, which has others do it, and a room of its own for
 * that.
 */
struct named_service {
	const char *name;
	const struct uxs_service *service;
	/* Once, before it serves: read what it needs to know. What cannot be
	 * read is not known; NULL: nothing is needed. */
	void (*prepare)(void);
	void (*finish)(void); /* gives that back; NULL as prepare */
};

/* NULL where there is none of that name. */
const struct named_service *service_find(const char *name);

extern const struct uxs_service service_echo, service_upper, service_discard,
    service_whoami, service_chat, service_exec;

void whoami_prepare(void);
void whoami_finish(void);

#endif
