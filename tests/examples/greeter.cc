// SPDX-License-Identifier: ISC
// A server in C++: it greets each client by its number, and counts.
#include <cstdio>
#include <string>

#include <uxsrv/uxsrv.h>

static int
on_message(struct uxs_client *client, const struct uxs_message *message,
    void *arg)
{
	unsigned *n_greeted = static_cast<unsigned *>(arg);
	std::string text(static_cast<const char *>(message->data),
	    message->length);

	text = "client " + std::to_string(++*n_greeted) + " says " + text;
	return uxs_client_reply(client, text.data(), text.size()) < 0 ? -1 : 0;
}

// Values to start from are good for objects of any storage.
static struct uxs_listener never_opened = UXS_LISTENER_CLOSED;

int
main(int argc, char *argv[])
{
	struct uxs_access access = UXS_ACCESS_EMPTY(0);
	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
	struct uxs_service service = {};
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_server *server;
	struct uxs_error why;
	unsigned n_greeted = 0;

	uxs_listener_close(&never_opened);
	int n = uxs_address_parse(argc == 2 ? argv[1] : "", pair, &why);
	if (n < 0 ||
	    uxs_access_add(&access, UXS_ALLOW, "any", &uxs_names_system, &why) <
		0) {
		std::fprintf(stderr, "greeter: %s\n", why.text);
		return uxs_error_exit_status(&why);
	}
	service.on_message = on_message;
	service.arg = &n_greeted;
	conf.addresses = pair;
	conf.n_addresses = static_cast<size_t>(n);
	conf.service = &service;
	conf.access = &access;
	conf.handle_signals = true;
	if (uxs_server_open(&server, &conf, &why) < 0) {
		std::fprintf(stderr, "greeter: %s\n", why.text);
		return uxs_error_exit_status(&why);
	}
	std::fprintf(stderr, "greeter: serving %s\n", argv[1]);
	int r = uxs_server_run(server);
	uxs_server_close(&server);
	uxs_access_fini(&access);
	return r < 0 ? 71 : 0;
}
