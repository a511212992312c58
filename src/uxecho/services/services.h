/* SPDX-License-Identifier: ISC */
#ifndef SERVICES_H
#define SERVICES_H

#include <uxsrv/service.h>

/* What uxecho can do with a message. Bytes in, bytes out, no system calls. */
extern const struct uxs_service service_echo;

#endif
