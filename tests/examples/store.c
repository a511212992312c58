/* SPDX-License-Identifier: ISC */
/* Keeps values under names, a line for each: "set NAME VALUE", "get NAME". */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/uxsrv.h>

static struct entry {
	char name[256], value[256]; /* no line is longer */
} entries[1000], *const end = entries + 1000;

static int
on_message(struct uxs_client *client, const struct uxs_message *m, void *arg)
{
	struct entry new, *e = entries;
	const char *text;
	char line[256];
	bool is_set;

	snprintf(line, sizeof(line), "%.*s", (int)m->length, (char *)m->data);
	is_set = sscanf(line, "set %255s %255[^\n]", new.name, new.value) == 2;
	if (!is_set && sscanf(line, "get %255s", new.name) != 1)
		return uxs_client_refuse(client, "say: set NAME VALUE");
	while (e < end && e->name[0] != '\0' && strcmp(e->name, new.name) != 0)
		e++;
	if (is_set && e < end)
		*e = new;
	text = e == end ? "full" : is_set ? "done" : e->value;
	return uxs_client_reply(client, text, strlen(text));
}

int
main(int argc, char *argv[])
{
	const struct uxs_service service = { .on_message = on_message };
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_server *server;
	struct uxs_error why = { UXS_FAILURE_USAGE, "usage: store ADDRESS" };
	int n = argc == 2 ? uxs_address_parse(argv[1], pair, &why) : -1;

	conf.addresses = pair;
	conf.n_addresses = (size_t)n;
	conf.service = &service;
	conf.framing = UXS_FRAMING_LINE;
	conf.max_message_bytes = sizeof(entries[0].value) - 1;
	conf.handle_signals = true;
	if (n < 0 || uxs_server_open(&server, &conf, &why) < 0)
		errx(uxs_error_exit_status(&why), "%s", why.text);
	warnx("serving %s", argv[1]);
	n = uxs_server_run(server);
	uxs_server_close(&server);
	return n < 0;
}
