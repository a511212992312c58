/* SPDX-License-Identifier: ISC */
#include "socket_options.h"

#include <sys/socket.h>

#include <uxsrv/listener.h>

#include "passing.h"
#include "sysret.h"

int
socket_options_set(struct uxs_listener *l)
{
	const int on = 1;
	int r;

	/* That family passes no descriptors, and all else is set as it was. */
	if (uxs_type_is_loopback(l->address->type)) {
		l->refuses_descriptors = true;
		return 0;
	}
	if ((r = passing_refuse(l->fd, &l->refuses_descriptors)) < 0)
		return r;
	if (l->address->type == UXS_DGRAM) /* who sent it */
		return sysret(setsockopt(l->fd, SOL_SOCKET, SO_PASSCRED, &on,
		    sizeof(on)));
	return 0;
}

int
socket_options_set_again(struct uxs_listener *l)
{
	const bool refused_before = uxs_type_is_loopback(l->address->type) ||
	    passing_is_refused(l->fd);
	const int r = socket_options_set(l);

	l->refuses_descriptors &= refused_before;
	return r;
}
