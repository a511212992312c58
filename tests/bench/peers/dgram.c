/* SPDX-License-Identifier: ISC */
/* The yardstick for datagrams: receive one, send it back to the address that
 * it came with, whoever that belongs to. */
#include <sys/socket.h>
#include <sys/un.h>

#include "peer.h"

int
main(int argc, char *argv[])
{
	static char buffer[PEER_BUFFER_BYTES];
	const int fd = peer_listen(argc, argv, "recvfrom(2) and sendto(2)");
	struct sockaddr_un sender;

	for (;;) {
		socklen_t length = sizeof(sender);
		const ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0,
		    (struct sockaddr *)&sender, &length);

		if (n >= 0 && length > 0)
			sendto(fd, buffer, (size_t)n, MSG_NOSIGNAL,
			    (struct sockaddr *)&sender, length);
	}
}
