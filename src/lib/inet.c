/* SPDX-License-Identifier: ISC */
/* Sockets of the loopback interface; see inet.h. */
#include "inet.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <uxsrv/error.h>
#include <uxsrv/peer.h>

#include "listener_words.h"
#include "loopback_name.h"
#include "shown.h"
#include "sysret.h"

/* ---- opening ---- */

static int
set(int fd, int level, int option, int value)
{
	return sysret(setsockopt(fd, level, option, &value, sizeof(value)));
}

/*
 * Where a machine routes 127.0.0.0/8 (route_localnet), others could send to a
 * loopback address from outside. Bound to the interface, the socket is not
 * found for them. Linux lets anybody do that from 5.7 on.
 */
static int
bind_to_interface(int fd)
{
	static const char lo[] = "lo";
	char bound[IFNAMSIZ] = "";
	socklen_t length = sizeof(bound);

	/* Only root may set it twice. */
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &length) == 0 &&
	    strcmp(bound, lo) == 0)
		return 0;
	return sysret(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, lo,
	    sizeof(lo)));
}

/* Those that its connections get. An urgent byte is a byte like any other here
 * too; see session.c. */
static int
set_tcp_options(int fd)
{
	const int r = set(fd, SOL_SOCKET, SO_OOBINLINE, 1);

	return r < 0 ? r : set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int
set_options(int fd, enum uxs_type type, sa_family_t family)
{
	int r;

	/* A restart must not wait for connections in TIME_WAIT; a port where
	 * somebody listens stays taken. */
	if ((r = bind_to_interface(fd)) < 0 ||
	    (type == UXS_TCP &&
		((r = set_tcp_options(fd)) < 0 ||
		    (r = set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) < 0)))
		return r;
	return family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
}

int
inet_learn_port(struct uxs_listener *l)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(sa);
	struct uxs_address *own;

	if (!loopback_name_is_open(l->address->name))
		return 0;
	if (getsockname(l->fd, (struct sockaddr *)&sa, &length) < 0)
		return -errno;
	if ((own = malloc(sizeof(*own))) == NULL)
		return -ENOMEM;
	*own = *l->address;
	loopback_name_print(&sa, own->name);
	own->length = strlen(own->name);
	l->address = l->own_address = own;
	return 0;
}

static int
make_socket(struct uxs_listener *l, const struct sockaddr_storage *sa)
{
	int r = sysret(socket(sa->ss_family,
	    uxs_type_socket(l->address->type) | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0));

	if (r < 0)
		return r;
	l->fd = r;
	return set_options(r, l->address->type, sa->ss_family);
}

int
inet_open(struct uxs_listener *l, struct uxs_error *why)
{
	char name[SHOWN_MAX];
	struct sockaddr_storage sa;
	socklen_t length;
	int r;

	uxs_address_print(l->address, name, sizeof(name));
	r = uxs_sockaddr_from_loopback(&sa, &length, l->address->name);
	if (r == 0)
		r = make_socket(l, &sa);
	if (r < 0)
		return listener_explain(why, UXS_FAILURE_SYSTEM, -r, name,
		    "cannot make a socket");
	/* These families pass no descriptors. */
	l->refuses_descriptors = true;
	r = sysret(bind(l->fd, (struct sockaddr *)&sa, length));
	if (r == 0)
		r = inet_learn_port(l);
	if (r == -EADDRINUSE)
		return listener_explain_live(why, name, 0, UXS_UID_NONE);
	if (r < 0)
		return listener_explain(why,
		    uxs_failure_of(-r, UXS_FAILURE_CREATE), -r, name,
		    "cannot bind to the address");
	return 0;
}

/* ---- made by somebody else ---- */

const char *
inet_identify(int fd, struct uxs_address *address)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(sa), protocol_length = sizeof(int);
	int protocol = -1;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_length);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return "is neither of TCP nor of UDP";
	if (getsockname(fd, (struct sockaddr *)&sa, &length) < 0 ||
	    !loopback_name_is_of(&sa))
		return "is not bound to an address of the loopback interface, "
		       "such as 127.0.0.1 or [::1]";
	address->type = protocol == IPPROTO_TCP ? UXS_TCP : UXS_UDP;
	address->is_abstract = false;
	loopback_name_print(&sa, address->name);
	address->length = strlen(address->name);
	return NULL;
}

/* What is said of a client's closed port would fail the next call, which is
 * for another client, and wait in a queue that nobody reads: the socket would
 * be ready for ever. */
static int
ignore_closed_ports(const struct uxs_listener *l)
{
	return l->address->name[0] == '[' ?
	    set(l->fd, IPPROTO_IPV6, IPV6_RECVERR, 0) :
	    set(l->fd, IPPROTO_IP, IP_RECVERR, 0);
}

int
inet_adopt(struct uxs_listener *l)
{
	const int r = bind_to_interface(l->fd);

	l->refuses_descriptors = true;
	if (r < 0)
		return r;
	return l->address->type == UXS_TCP ? set_tcp_options(l->fd) :
					     ignore_closed_ports(l);
}

const char *
inet_object_to(int fd, const struct uxs_address *wanted)
{
	struct uxs_address found;
	const char *objection = inet_identify(fd, &found);

	if (objection != NULL)
		return objection;
	if (found.type != wanted->type)
		return "is of another type";
	return loopback_name_is_for(wanted->name, found.name) ?
	    NULL :
	    "has another name";
}

/* Two who may both use the port while nobody listens (SO_REUSEADDR) find out
 * here which one was first. */
int
inet_explain_listen(const struct uxs_listener *l, int r, struct uxs_error *why)
{
	char name[SHOWN_MAX];

	uxs_address_print(l->address, name, sizeof(name));
	if (r == -EADDRINUSE)
		return listener_explain_live(why, name, 0, UXS_UID_NONE);
	return listener_explain(why, UXS_FAILURE_SYSTEM, -r, name,
	    "cannot listen");
}

/* ---- the end ---- */

/*
 * A filter that lets nothing through is asked for what arrives, before it is
 * queued. A client who asks for a connection now asks again after a second,
 * and is told then that nobody is there. Where it cannot be set the few who
 * come between the last accept and the close are reset. A datagram is gone
 * either way.
 */
void
inet_drain(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &nothing };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void
inet_finish(int fd)
{
	shutdown(fd, SHUT_WR);
}

void
inet_close(struct uxs_listener *l)
{
	free(l->own_address);
	l->own_address = NULL;
}

/* ---- figures ---- */

int
inet_backlog(int fd, uint32_t *waiting, uint32_t *max)
{
	struct tcp_info info = { .tcpi_unacked = 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return -errno;
	/* Of a socket that listens, tcp(7) has these two count who waits, and
	 * who may. */
	*waiting = info.tcpi_unacked;
	*max = info.tcpi_sacked;
	return 0;
}
