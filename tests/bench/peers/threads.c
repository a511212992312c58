/* SPDX-License-Identifier: ISC */
/* A blocking thread for each connection. */
#include <err.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

/* peer_echo's buffer is each thread's own and lies beside its stack. */
#define STACK_BYTES (PEER_BUFFER_BYTES + 64 * 1024)

static void *
serve(void *arg)
{
	const int fd = (int)(intptr_t)arg;

	while (peer_echo(fd))
		;
	close(fd);
	return NULL;
}

int
main(int argc, char *argv[])
{
	const int door = peer_listen(argc, argv, "pthreads(7)");
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (;;) {
		const int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 ||
		    pthread_create(&thread, &attributes, serve,
			(void *)(intptr_t)fd) != 0)
			errx(71, "cannot serve a client");
	}
}
