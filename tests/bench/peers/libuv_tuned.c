/* SPDX-License-Identifier: ISC */
/* libuv as those use it who measured: one buffer for all reads, and a write
 * that is tried at once. Only what the client did not take is kept. */
#include <err.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "peer.h"

#define TEXT(x) #x
#define VERSION_OF(major, minor, patch) \
	"libuv " TEXT(major) "." TEXT(minor) "." TEXT(patch)
#define VERSION VERSION_OF(UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH)

struct write {
	uv_write_t request;
	char rest[];
};

static void
on_close(uv_handle_t *handle)
{
	free(handle);
}

static void
on_written(uv_write_t *request, int status)
{
	free(request);
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	static alignas(4096) char shared[PEER_BUFFER_BYTES];

	*buffer = uv_buf_init(shared, sizeof(shared));
}

static void
write_later(uv_stream_t *client, const char *data, size_t length)
{
	struct write *write = malloc(sizeof(*write) + length);
	uv_buf_t buffer;

	if (write == NULL)
		err(71, "cannot answer");
	memcpy(write->rest, data, length);
	buffer = uv_buf_init(write->rest, (unsigned)length);
	uv_write(&write->request, client, &buffer, 1, on_written);
}

static void
on_read(uv_stream_t *client, ssize_t n, const uv_buf_t *buffer)
{
	uv_buf_t reply = uv_buf_init(buffer->base, (unsigned)n);
	int sent;

	if (n < 0)
		uv_close((uv_handle_t *)client, on_close);
	if (n <= 0)
		return;
	if ((sent = uv_try_write(client, &reply, 1)) < 0)
		sent = 0;
	if (sent < n)
		write_later(client, buffer->base + sent, (size_t)(n - sent));
}

static void
on_connection(uv_stream_t *door, int status)
{
	uv_pipe_t *client = malloc(sizeof(*client));

	if (status < 0 || client == NULL ||
	    uv_pipe_init(door->loop, client, 0) < 0 ||
	    uv_accept(door, (uv_stream_t *)client) < 0)
		errx(71, "cannot serve a client");
	uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

int
main(int argc, char *argv[])
{
	const char *path = peer_path(argc, argv, VERSION);
	uv_loop_t *loop = uv_default_loop();
	uv_pipe_t door;

	if (uv_pipe_init(loop, &door, 0) < 0 || uv_pipe_bind(&door, path) < 0 ||
	    uv_listen((uv_stream_t *)&door, 4096, on_connection) < 0)
		errx(71, "%s: cannot serve it", path);
	return uv_run(loop, UV_RUN_DEFAULT);
}
