/* SPDX-License-Identifier: ISC */
/* Keeps a total for each user: "add 5" answers "total 12", whoever asks. */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include <uxsrv/uxsrv.h>

static struct {
	uid_t uid; /* UXS_UID_NONE: all who are not known */
	long long sum;
} totals[1024]; /* users beyond are refused */
static int n_totals;

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	char text[32];
	int i, n;

	snprintf(text, sizeof(text), "%.*s", (int)m->length, (char *)m->data);
	for (i = 0; i < n_totals && totals[i].uid != client->peer.uid;)
		i++;
	if (i == 1024 || sscanf(text, "add %9d", &n) != 1)
		return uxs_client_refuse(client, "say: add NUMBER");
	if (i == n_totals)
		totals[n_totals++].uid = client->peer.uid;
	n = snprintf(text, sizeof(text), "total %lld", totals[i].sum += n);
	return uxs_client_reply(client, text, (size_t)n);
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
	struct uxs_error why = { UXS_FAILURE_USAGE, "usage: counter ADDRESS" };
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
