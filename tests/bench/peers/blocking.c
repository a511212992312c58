/* SPDX-License-Identifier: ISC */
/* One client at a time, without a loop of events: the least latency that a
 * server that sleeps can have. */
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

int
main(int argc, char *argv[])
{
	const int door = peer_listen(argc, argv, "accept(2), one at a time");

	for (;;) {
		const int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

		while (peer_echo(fd))
			;
		close(fd);
	}
}
