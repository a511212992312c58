/* SPDX-License-Identifier: ISC */
/* Runs as root and does one thing for everybody: "make" makes a directory for
 * the user who asks, named after him. The kernel says who that is. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	const struct uxs_peer *who = &client->peer;
	const char *text = "done";
	char name[16];

	if (!uxs_peer_is_known(who) || m->length != 4 ||
	    memcmp(m->data, "make", 4) != 0)
		return uxs_client_refuse(client, "no");
	snprintf(name, sizeof(name), "%u", who->uid);
	if (mkdir(name, 0700) < 0)
		text = errno == EEXIST ? "it is there" : "failed";
	else if (lchown(name, who->uid, who->gid) < 0)
		text = "failed";
	return uxs_client_reply(client, text, strlen(text));
}

int
main(int argc, char *argv[])
{
	const struct uxs_service service = { .on_message = on_message };
	const struct uxs_names *names = &uxs_names_system;
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_server *server;
	struct uxs_error why = { UXS_FAILURE_USAGE, "usage: spooler ADDRESS" };
	int n = argc == 2 ? uxs_address_parse(argv[1], pair, &why) : -1;

	conf.addresses = pair;
	conf.n_addresses = (size_t)n;
	conf.service = &service;
	conf.framing = UXS_FRAMING_LINE;
	conf.access = &access;
	conf.handle_signals = true;
	if (n < 0 ||
	    uxs_access_add(&access, UXS_ALLOW, "any", names, &why) < 0 ||
	    uxs_server_open(&server, &conf, &why) < 0)
		errx(uxs_error_exit_status(&why), "%s", why.text);
	warnx("serving %s", argv[1]);
	n = uxs_server_run(server);
	uxs_server_close(&server);
	uxs_access_fini(&access);
	return n < 0;
}
