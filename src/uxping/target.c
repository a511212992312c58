/* SPDX-License-Identifier: ISC */
/*
 * Addresses as the user wrote them. No file is looked at here.
 */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/access.h>
#include <uxsrv/log.h>
#include <uxsrv/units.h>

#include "loopback.h"

/* ---- from text ---- */

static int
refuse(struct uxs_error *why, const struct target *target, const char *cause)
{
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL, "address '%s': %s",
	    target->label, cause);
}

static enum uxs_type
type_of_option(enum options_type type)
{
	switch (type) {
	case OPTIONS_AUTO:
	case OPTIONS_STREAM:
		break;
	case OPTIONS_SEQPACKET:
		return UXS_SEQPACKET;
	case OPTIONS_DGRAM:
		return UXS_DGRAM;
	}
	return UXS_STREAM;
}

static int
read_loopback(struct target *target, const struct options *options,
    struct uxs_error *why)
{
	const bool is_tcp = target->text[0] == 't';

	target->family = is_tcp ? TARGET_TCP : TARGET_UDP;
	target->address.type = is_tcp ? UXS_STREAM : UXS_DGRAM;
	if (options->type != OPTIONS_AUTO)
		return refuse(why, target, "--type is for Unix sockets only");
	if (options->expect_user != NULL)
		return refuse(why, target,
		    "--expect-user: nobody attests who is behind tcp or udp");
	return loopback_parse(target->text, &target->loopback,
	    &target->loopback_length, why);
}

static int
read_unix(struct target *target, const struct options *options,
    struct uxs_error *why)
{
	struct uxs_address pair[UXS_ADDRESS_MAX];
	const enum uxs_type wanted = type_of_option(options->type);
	const int n = uxs_address_parse(target->text, pair, why);

	if (n < 0)
		return n;
	target->address = pair[0];
	if (n == 1) {
		if (options->type != OPTIONS_AUTO && pair[0].type != wanted)
			return refuse(why, target,
			    "--type says another type than the address");
		return 0;
	}
	target->is_type_open = options->type == OPTIONS_AUTO;
	target->has_pair = wanted == UXS_DGRAM;
	if (target->has_pair)
		target->address = pair[1];
	else
		target->address.type = wanted;
	return 0;
}

static int
read_user(struct target *target, const char *user, struct uxs_error *why)
{
	int64_t number;
	char shown[64];

	if (user == NULL)
		return 0;
	if (uxs_count_parse(user, 0, UXS_UID_NONE - 1, &number) == 0) {
		target->expect_uid = (uid_t)number;
		return 0;
	}
	if (uxs_names_system.uid_of(user, &target->expect_uid) == 0)
		return 0;
	return uxs_error_set(why, UXS_FAILURE_USAGE, EINVAL,
	    "--expect-user '%s': there is no such user",
	    uxs_escape(shown, sizeof(shown), user, strlen(user)));
}

/* What the options ask for and this address cannot give. */
static int
check(const struct target *target, const struct options *options,
    struct uxs_error *why)
{
	if (options->autobind &&
	    (target->family != TARGET_UNIX ||
		target->address.type != UXS_DGRAM))
		return refuse(why, target,
		    "--autobind is for datagrams: add --type dgram");
	if (options->size_bytes == 0 && !target->is_type_open &&
	    target->address.type == UXS_STREAM)
		return refuse(why, target,
		    "--size 0: a stream has no empty messages; use 1 or more");
	if (target->expect_uid != UXS_UID_NONE && target->address.is_abstract &&
	    target->address.type == UXS_DGRAM)
		return refuse(why, target,
		    "--expect-user: nobody attests who is behind an abstract "
		    "datagram socket");
	return 0;
}

static int
set_label(struct target *target, const char *mark, const char *bytes)
{
	const size_t size = 4 * strlen(bytes) + sizeof("@...");
	char *label = malloc(size);
	const size_t n = strlen(mark);

	if (label == NULL)
		return -ENOMEM;
	strcpy(label, mark);
	uxs_escape(label + n, size - n, bytes, strlen(bytes));
	free(target->label);
	target->label = label;
	return 0;
}

int
target_relabel(struct target *target)
{
	if (target->family != TARGET_UNIX)
		return 0;
	return set_label(target, target->address.is_abstract ? "@" : "",
	    target->address.name);
}

int
target_open(struct target *target, const char *text,
    const struct options *options, struct uxs_error *why)
{
	int r;

	*target = (struct target)TARGET_CLOSED;
	target->text = text;
	target->autobind = options->autobind;
	target->sends_nothing = options->connect_only;
	if (set_label(target, "", text) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "out of memory");
	r = loopback_is_meant(text) ? read_loopback(target, options, why) :
				      read_unix(target, options, why);
	if (r == 0 && (r = read_user(target, options->expect_user, why)) == 0)
		r = check(target, options, why);
	if (r == 0)
		r = target_relabel(target);
	if (r < 0)
		target_close(target);
	return r;
}

void
target_close(struct target *target)
{
	target_unpin(target);
	free(target->label);
	*target = (struct target)TARGET_CLOSED;
}
