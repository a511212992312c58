/* SPDX-License-Identifier: ISC */
/* libuv as its guide has it: a buffer for each read, a request for each
 * write. */
#include <err.h>
#include <stdlib.h>
#include <uv.h>

#include "peer.h"

#define TEXT(x) #x
#define VERSION_OF(major, minor, patch) \
	"libuv " TEXT(major) "." TEXT(minor) "." TEXT(patch)
#define VERSION VERSION_OF(UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH)

struct write {
	uv_write_t request;
	uv_buf_t buffer;
};

static void
on_close(uv_handle_t *handle)
{
	free(handle);
}

static void
on_written(uv_write_t *request, int status)
{
	struct write *write = (struct write *)request;

	free(write->buffer.base);
	free(write);
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	buffer->base = malloc(suggested);
	buffer->len = buffer->base != NULL ? suggested : 0;
}

static void
on_read(uv_stream_t *client, ssize_t n, const uv_buf_t *buffer)
{
	struct write *write;

	if (n <= 0) {
		free(buffer->base);
		if (n < 0)
			uv_close((uv_handle_t *)client, on_close);
		return;
	}
	if ((write = malloc(sizeof(*write))) == NULL)
		err(71, "cannot answer");
	write->buffer = uv_buf_init(buffer->base, (unsigned)n);
	uv_write(&write->request, client, &write->buffer, 1, on_written);
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
