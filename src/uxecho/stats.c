/* SPDX-License-Identifier: ISC */
/* Who asks, and how: plainly, or by HTTP; see stats.h. */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uxsrv/error.h>
#include <uxsrv/handover.h>
#include <uxsrv/units.h>

#include "http.h"
#include "metrics.h"

/* A reader is slow when the kernel's buffer, which holds all of a common text,
 * does not suffice. */
#define WRITE_TIMEOUT_NS (5 * UXS_NS_PER_S)

/* More than a text of the most users has. */
#define BUFFER_BYTES ((size_t)256 * 1024)

#define BACKLOG 128

struct reader {
	int64_t came_ns;
	size_t length;
	char head[HTTP_HEAD_MAX];
};

/* ---- the text ---- */

static int
print_figures(const struct stats *stats, FILE *out)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	uxs_server_stats(stats->subject, &m->stats);
	m->n_users =
	    uxs_server_users(stats->subject, m->users, METRICS_USERS_MAX);
	m->n_queues =
	    uxs_server_queues(stats->subject, m->queues, METRICS_QUEUES_MAX);
	m->max_conns = stats->conf.max_conns;
	m->max_conns_per_user = stats->conf.max_conns_per_user;
	m->started_ms = stats->started_ms;
	m->version = UXECHO_VERSION;
	metrics_print(out, m);
	free(m);
	return 0;
}

/* Gives *text, to be freed; NULL where there is no memory. */
static size_t
make_figures(const struct stats *stats, char **text)
{
	size_t length = 0;
	FILE *out = open_memstream(text, &length);
	int r;

	if (out == NULL) {
		*text = NULL;
		return 0;
	}
	r = print_figures(stats, out);
	if (fclose(out) != 0 || r < 0) {
		free(*text);
		*text = NULL;
	}
	return length;
}

/* ---- answers ---- */

static int
answer_plainly(struct uxs_client *client, const struct stats *stats)
{
	char *text;
	int r = -ENOMEM;

	make_figures(stats, &text);
	if (text != NULL)
		r = uxs_client_refuse(client, text);
	free(text);
	return r;
}

static int
send_response(struct uxs_client *client, const struct http_request *request,
    const char *body, size_t length)
{
	char *response = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&response, &n);
	int r = -ENOMEM;

	if (out == NULL)
		return r;
	http_print_head(out, request->status, length);
	if (!request->is_head)
		fwrite(body, 1, length, out);
	if (fclose(out) == 0)
		r = uxs_client_refuse(client, response);
	free(response);
	return r;
}

static int
answer_http(struct uxs_client *client, const struct stats *stats,
    struct http_request request)
{
	const char *reason;
	char *text = NULL;
	size_t length;
	int r;

	if (request.status == HTTP_OK) {
		length = make_figures(stats, &text);
		if (text != NULL) {
			r = send_response(client, &request, text, length);
			free(text);
			return r;
		}
		request.status = HTTP_NO_MEMORY;
	}
	reason = http_reason(request.status);
	return send_response(client, &request, reason, strlen(reason));
}

static int
answer_status(struct uxs_client *client, const struct stats *stats,
    enum http_status status)
{
	const struct http_request request = { .status = status };

	return answer_http(client, stats, request);
}

/* ---- readers ---- */

static int
on_open(struct uxs_client *client, void *arg)
{
	struct reader *reader = malloc(sizeof(*reader));

	if (reader == NULL)
		return -ENOMEM;
	reader->came_ns = uxs_loop_read_clock();
	reader->length = 0;
	client->state = reader;
	return 0;
}

static bool
is_late(const struct reader *reader)
{
	return uxs_loop_read_clock() - reader->came_ns >= STATS_PATIENCE_NS;
}

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	struct reader *reader = client->state;
	const size_t room = sizeof(reader->head) - reader->length;
	const size_t n = m->length < room ? m->length : room;
	struct http_request request;

	memcpy(reader->head + reader->length, m->data, n);
	reader->length += n;
	request = http_parse(reader->head, reader->length);
	if (request.status != HTTP_INCOMPLETE)
		return answer_http(client, arg, request);
	/* A byte now and then keeps nobody his place. */
	return is_late(reader) ? answer_status(client, arg, HTTP_TIMEOUT) : 0;
}

static int
on_eof(struct uxs_client *client, void *arg)
{
	const struct reader *reader = client->state;

	if (reader->length == 0)
		return answer_plainly(client, arg);
	return answer_status(client, arg, HTTP_BAD_REQUEST);
}

static int
on_idle(struct uxs_client *client, void *arg)
{
	const struct reader *reader = client->state;

	if (reader->length == 0)
		return answer_plainly(client, arg);
	return is_late(reader) ? answer_status(client, arg, HTTP_TIMEOUT) : 0;
}

static void
on_end(struct uxs_client *client, void *arg)
{
	free(client->state);
	client->state = NULL;
}

/* ---- life ---- */

static void
write_log(void *arg, enum uxs_level level, enum uxs_event event,
    const char *line)
{
	uxs_log_print(arg, level, event, uxs_loop_read_clock(),
	    "statistics: %s", line);
}

static struct uxs_server_conf
derive_conf(const struct uxs_server_conf *conf,
    const struct uxs_address *address)
{
	struct uxs_server_conf own = UXS_SERVER_DEFAULTS;

	own.addresses = address;
	own.n_addresses = 1;
	own.handover = conf->handover;
	own.access = conf->access;
	own.mode = conf->mode;
	own.owner_uid = conf->owner_uid;
	own.owner_gid = conf->owner_gid;
	own.force_dir = conf->force_dir;
	own.max_conns = STATS_READERS_MAX;
	own.buffer_bytes = BUFFER_BYTES;
	own.max_message_bytes = HTTP_HEAD_MAX;
	own.idle_timeout_ns = STATS_SILENCE_NS;
	own.write_timeout_ns = WRITE_TIMEOUT_NS;
	own.backlog = BACKLOG;
	return own;
}

int
stats_check(const struct uxs_server_conf *conf,
    const struct uxs_address *address, struct uxs_error *why)
{
	const struct uxs_server_conf own = derive_conf(conf, address);

	return uxs_server_conf_check(&own, why);
}

static int64_t
read_calendar_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / UXS_NS_PER_MS;
}

int
stats_open(struct stats *stats, const struct uxs_server_conf *conf,
    const struct uxs_address *address,
    int (*on_bound)(void *arg, struct uxs_error *why), void *arg,
    struct uxs_error *why)
{
	struct uxs_server_conf own = derive_conf(conf, address);

	*stats = (struct stats){
		.service = {
			.on_open = on_open,
			.on_message = on_message,
			.on_eof = on_eof,
			.on_idle = on_idle,
			.on_end = on_end,
			.arg = stats,
		},
		.conf = *conf,
		.parent = conf->log,
		.log = {
			.write = write_log,
			.arg = conf->log,
			.max_level = conf->log->max_level,
		},
		.started_ms = read_calendar_ms(),
	};
	uxs_server_conf_resolve(&stats->conf);
	own.service = &stats->service;
	own.log = &stats->log;
	own.on_bound = on_bound;
	own.arg = arg;
	return uxs_server_open(&stats->server, &own, why);
}

/* Its own loop never waits: that is done in the other one. */
static void
on_ready(struct uxs_watch *watch, uint32_t events)
{
	struct stats *stats = uxs_container_of(watch, struct stats, watch);
	const int r = uxs_server_turn(stats->server);

	if (r == UXS_TURN_SERVING)
		return;
	stats_stop(stats);
	if (stats->has_left)
		return;
	uxs_log_print(stats->parent, UXS_ERROR, UXS_EVENT_LIFE,
	    uxs_loop_read_clock(), "the statistics are not served any more: %s",
	    r < 0 ? strerror(-r) : "the socket cannot be used");
}

int
stats_start(struct stats *stats, struct uxs_server *subject)
{
	int fd;

	if (stats->server == NULL)
		return 0;
	if ((fd = uxs_server_fd(stats->server)) < 0)
		return fd;
	stats->subject = subject;
	stats->watch = (struct uxs_watch){ .fd = fd, .on_ready = on_ready };
	return uxs_watch_start(uxs_server_loop(subject), &stats->watch,
	    EPOLLIN);
}

int
stats_hand_out(const struct stats *stats, struct uxs_handover *handover,
    struct uxs_error *why)
{
	*handover = (struct uxs_handover)UXS_HANDOVER_NONE;
	return stats->server == NULL ?
	    0 :
	    uxs_server_hand_out(stats->server, handover, why);
}

void
stats_leave(struct stats *stats, const bool *is_taken)
{
	stats->has_left = true;
	if (stats->server != NULL)
		uxs_server_leave(stats->server, is_taken);
}

void
stats_stop(struct stats *stats)
{
	if (stats->subject != NULL)
		uxs_watch_stop(uxs_server_loop(stats->subject), &stats->watch);
	stats->subject = NULL;
}

void
stats_close(struct stats *stats)
{
	uxs_server_close(&stats->server);
}
