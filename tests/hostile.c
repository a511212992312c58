/* SPDX-License-Identifier: ISC */
/* A server of this very library for hostile clients; see hostile.h. */
#include "hostile.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lib/passing.h>
#include <uxsrv/uxsrv.h>

static const char *const paths[UXS_N_TYPES] = { "s", "q", "d" };

struct uxs_access hostile_access;

struct start {
	bool is_old;
	void (*change)(struct uxs_server_conf *conf);
	int ready_fd, stats_fd;
};

static int
echo(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const int r = uxs_client_reply(client, m->data, m->length);

	return r < 0 ? r : 0;
}

static const struct uxs_service service_echo = { .on_message = echo };

void
hostile_open(struct uxs_server **server, bool is_old_kernel,
    void (*change)(struct uxs_server_conf *conf))
{
	static struct uxs_address addresses[UXS_N_TYPES + 1];
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;

	uxs_address_parse("stream:s", &addresses[0], NULL);
	uxs_address_parse("seqpacket:q", &addresses[1], NULL);
	uxs_address_parse("dgram:d", &addresses[2], NULL);
	conf.addresses = addresses;
	conf.n_addresses = UXS_N_TYPES;
	conf.service = &service_echo;
	conf.handle_signals = true;
	conf.max_conns = conf.max_conns_per_user = 10000;
	if (change != NULL)
		change(&conf);
	passing_pretend_old_kernel(is_old_kernel);
	ck_assert_int_eq(uxs_server_open(server, &conf, NULL), 0);
}

static void
serve(void *arg)
{
	const struct start *start = arg;
	struct uxs_server *server;
	struct uxs_stats stats;

	hostile_open(&server, start->is_old, start->change);
	uxs_notify_ready_fd(start->ready_fd);
	ck_assert_int_eq(uxs_server_run(server), 0);
	/* One more that waits must not end it before it has told. */
	signal(SIGTERM, SIG_IGN);
	uxs_server_stats(server, &stats);
	uxs_server_close(&server);
	ck_assert_int_eq(write(start->stats_fd, &stats, sizeof(stats)),
	    (int)sizeof(stats));
}

void
hostile_start(struct hostile_server *server, bool is_old_kernel,
    void (*change)(struct uxs_server_conf *conf))
{
	struct start start = { .is_old = is_old_kernel, .change = change };
	int ready[2], stats[2];
	char newline;

	uxs_access_fini(&hostile_access);
	hostile_access = (struct uxs_access)UXS_ACCESS_EMPTY(geteuid());
	uxs_access_add(&hostile_access, UXS_DENY, "uid:1500", &uxs_names_system,
	    NULL);
	uxs_access_add(&hostile_access, UXS_ALLOW, "any", &uxs_names_system,
	    NULL);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(stats, O_CLOEXEC), 0);
	start.ready_fd = ready[1];
	start.stats_fd = stats[1];
	server->service.pid = start_child(serve, &start);
	server->service.stderr_fd = -1;
	server->stats_fd = stats[0];
	close(ready[1]);
	close(stats[1]);
	ck_assert_int_eq(read(ready[0], &newline, 1), 1);
	close(ready[0]);
}

void
hostile_stop(struct hostile_server *server)
{
	kill(server->service.pid, SIGTERM);
	ck_assert_int_eq(wait_child(server->service.pid), 0);
	ck_assert_int_eq(read(server->stats_fd, &server->stats,
			     sizeof(server->stats)),
	    (int)sizeof(server->stats));
	close(server->stats_fd);
	uxs_access_fini(&hostile_access);
}

void
hostile_pause(const struct hostile_server *server)
{
	ck_assert_int_eq(kill(server->service.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(server->service.pid, NULL, WUNTRACED),
	    server->service.pid);
}

void
hostile_resume(const struct hostile_server *server)
{
	ck_assert_int_eq(kill(server->service.pid, SIGCONT), 0);
}

int
hostile_dial(enum uxs_type type)
{
	return client_connect(type, harness_path(paths[type]));
}
