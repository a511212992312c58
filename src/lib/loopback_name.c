/* SPDX-License-Identifier: ISC */
/* Addresses of the loopback interface, and no others; see loopback_name.h. */
#include "loopback_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/address.h>
#include <uxsrv/units.h>

/* The first of 127.0.0.0/8 is the net, the last its broadcast address. */
static bool
is_loopback_host(const struct in_addr *address)
{
	const uint32_t host = ntohl(address->s_addr);

	return host >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET &&
	    (host & IN_CLASSA_HOST) != 0 &&
	    (host & IN_CLASSA_HOST) != IN_CLASSA_HOST;
}

/* An IPv4 address within IPv6 (::ffff:127.0.0.1) is no loopback address of
 * IPv6, and our sockets serve one family each. */
static bool
fill_host(struct sockaddr_storage *sa, socklen_t *length, const char *host,
    bool is_v6, in_port_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *in = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (is_v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		*length = sizeof(*in6);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 &&
		    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	*length = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 &&
	    is_loopback_host(&in->sin_addr);
}

static const char *
fill(struct sockaddr_storage *sa, socklen_t *length, const char *name)
{
	static const char only[] =
	    "only the loopback interface is served: write 127.0.0.1 or [::1] "
	    "and a port (no names; nothing is looked up)";
	const char *colon = strrchr(name, ':');
	const bool is_v6 = name[0] == '[';
	char host[LOOPBACK_NAME_MAX];
	int64_t port;
	size_t n;

	if (colon == NULL || uxs_count_parse(colon + 1, 0, 65535, &port) < 0)
		return "write HOST:PORT, as in 127.0.0.1:7007 or [::1]:7007, "
		       "with a port up to 65535 (0: one that is free)";
	n = (size_t)(colon - name);
	if (n >= sizeof(host) || (is_v6 && name[n - 1] != ']'))
		return only;
	memcpy(host, name, n);
	host[is_v6 ? n - 1 : n] = '\0';
	if (!fill_host(sa, length, is_v6 ? host + 1 : host, is_v6,
		(in_port_t)port))
		return only;
	return NULL;
}

bool
loopback_name_is_of(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	if (sa->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	return sa->ss_family == AF_INET && is_loopback_host(&in->sin_addr);
}

const char *
loopback_name_read(const char *name, char canonical[LOOPBACK_NAME_MAX])
{
	struct sockaddr_storage sa;
	socklen_t length;
	const char *objection = fill(&sa, &length, name);

	if (objection == NULL)
		loopback_name_print(&sa, canonical);
	return objection;
}

bool
loopback_name_is_open(const char *name)
{
	return strcmp(strrchr(name, ':'), ":0") == 0;
}

bool
loopback_name_is_for(const char *wanted, const char *name)
{
	const size_t n = (size_t)(strrchr(wanted, ':') + 1 - wanted);

	return loopback_name_is_open(wanted) ? strncmp(wanted, name, n) == 0 :
					       strcmp(wanted, name) == 0;
}

void
loopback_name_print(const struct sockaddr_storage *sa,
    char name[LOOPBACK_NAME_MAX])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	char host[INET6_ADDRSTRLEN] = "";

	if (sa->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(name, LOOPBACK_NAME_MAX, "[%s]:%u", host,
		    (unsigned)ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(name, LOOPBACK_NAME_MAX, "%s:%u", host,
		    (unsigned)ntohs(in->sin_port));
	}
}

int
uxs_sockaddr_from_loopback(struct sockaddr_storage *sa, socklen_t *length,
    const char *name)
{
	return fill(sa, length, name) == NULL ? 0 : -EINVAL;
}
