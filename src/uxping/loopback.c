/* SPDX-License-Identifier: ISC */
/* TCP and UDP over the loopback interface: the yardstick beside AF_UNIX. */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

bool
loopback_is_meant(const char *text)
{
	return strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0;
}

static int
refuse(struct uxs_error *why, const char *text, const char *cause)
{
	char shown[256];

	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "address '%s': %s",
	    uxs_escape(shown, sizeof(shown), text, strlen(text)), cause);
}

static int
fill_v4(struct sockaddr_storage *sa, socklen_t *length, const char *host,
    in_port_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	*length = sizeof(*in);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 &&
		ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ?
	    0 :
	    -EINVAL;
}

static int
fill_v6(struct sockaddr_storage *sa, socklen_t *length, const char *host,
    in_port_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	*length = sizeof(*in6);
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 &&
		IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ?
	    0 :
	    -EINVAL;
}

int
loopback_parse(const char *text, struct sockaddr_storage *sa, socklen_t *length,
    struct uxs_error *why)
{
	const char *host = text + 4; /* behind "tcp:" or "udp:" */
	const char *colon = strrchr(host, ':');
	const bool is_v6 = host[0] == '[';
	char name[64];
	int64_t port;
	int n, r;

	memset(sa, 0, sizeof(*sa));
	if (colon == NULL || uxs_count_parse(colon + 1, 1, 65535, &port) < 0)
		return refuse(why, text,
		    "write HOST:PORT with a port from 1 to 65535, as in "
		    "tcp:127.0.0.1:7");
	n = (int)(colon - host);
	if (is_v6 && n > 2 && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	snprintf(name, sizeof(name), "%.*s", n, host);
	r = is_v6 ? fill_v6(sa, length, name, (in_port_t)port) :
		    fill_v4(sa, length, name, (in_port_t)port);
	if (r < 0)
		return refuse(why, text,
		    "only loopback addresses are served: 127.0.0.1 or [::1]");
	return 0;
}

int
loopback_connect(const struct sockaddr_storage *sa, socklen_t length,
    int socket_type)
{
	const struct timeval second = { .tv_sec = 1 };
	const int on = 1;
	int fd = socket(sa->ss_family, socket_type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	/* A ping is a small write that waits for its answer. */
	if (socket_type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)sa, length) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		r = errno == EINPROGRESS ? -EAGAIN : -errno;
		close(fd);
		return r;
	}
	return fd;
}
