/* SPDX-License-Identifier: ISC */
/*
 * Addresses as text and as values. Pure: whether the path exists, and who is
 * behind it, is asked elsewhere.
 */
#include <uxsrv/address.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/error.h>
#include <uxsrv/lock.h>
#include <uxsrv/log.h>

#include "loopback_name.h"
#include "shown.h"

/* One byte of sun_path is the NUL in front. */
#define ABSTRACT_NAME_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static const char *const type_names[UXS_N_ALL_TYPES] = {
	[UXS_STREAM] = "stream",
	[UXS_SEQPACKET] = "seqpacket",
	[UXS_DGRAM] = "dgram",
	[UXS_TCP] = "tcp",
	[UXS_UDP] = "udp",
};

const char *
uxs_type_name(enum uxs_type type)
{
	return type_names[type];
}

int
uxs_type_socket(enum uxs_type type)
{
	switch (type) {
	case UXS_STREAM:
	case UXS_TCP:
		return SOCK_STREAM;
	case UXS_SEQPACKET:
		return SOCK_SEQPACKET;
	case UXS_DGRAM:
	case UXS_UDP:
		return SOCK_DGRAM;
	}
	return -1;
}

static int
refuse(struct uxs_error *why, int code, const char *text, const char *cause)
{
	char address_text[SHOWN_MAX];

	return uxs_error_set(why, UXS_FAILURE_USAGE, code, "address '%s': %s",
	    shown(address_text, text), cause);
}

/*
 * A word and a colon in front of the first slash is a type, or was meant to
 * be one: a mistyped "steam:/run/x" must not become a file of that name.
 */
static size_t
prefix_length(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]))
		n++;
	return n > 0 && text[n] == ':' ? n : 0;
}

/* Returns the type, or -1 when the prefix names none of them. */
static int
type_of_prefix(const char *text, size_t n)
{
	for (int type = 0; type < UXS_N_ALL_TYPES; type++) {
		if (strlen(type_names[type]) == n &&
		    strncmp(type_names[type], text, n) == 0)
			return type;
	}
	return -1;
}

/* What is wrong with a path as the name of a socket file, or NULL. */
static const char *
path_objection(const char *path, size_t suffix_length)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (path[0] == '\0')
		return "is empty; give the path of a socket file";
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return "names a directory; give the path of a socket file";
	if (strlen(path) + suffix_length >= PATH_MAX)
		return "the path is longer than the system allows (4095 bytes)";
	/* The lock file's name must be possible too. */
	if (strlen(name) + suffix_length + strlen(UXS_LOCK_SUFFIX) > NAME_MAX)
		return "the file name is too long; with .dgram and .lock it "
		       "must stay within 255 bytes";
	return NULL;
}

static const char *
abstract_objection(const char *name, size_t suffix_length)
{
	if (name[0] == '\0')
		return "the abstract name is empty";
	if (strlen(name) + suffix_length > ABSTRACT_NAME_MAX)
		return "the abstract name is too long; with .dgram it must "
		       "stay within 107 bytes";
	return NULL;
}

static void
fill(struct uxs_address *address, enum uxs_type type, bool is_abstract,
    const char *name, const char *suffix)
{
	address->type = type;
	address->is_abstract = is_abstract;
	address->length = (size_t)snprintf(address->name, sizeof(address->name),
	    "%s%s", name, suffix);
}

/* As the kernel would write it, so that there is one text for each address. */
static int
parse_loopback(struct uxs_address *address, enum uxs_type type,
    const char *text, const char *name, struct uxs_error *why)
{
	char canonical[LOOPBACK_NAME_MAX];
	const char *objection = loopback_name_read(name, canonical);

	if (objection != NULL)
		return refuse(why, EINVAL, text, objection);
	fill(address, type, false, canonical, "");
	return 1;
}

int
uxs_address_parse(const char *text, struct uxs_address pair[UXS_ADDRESS_MAX],
    struct uxs_error *why)
{
	const size_t prefix = prefix_length(text);
	const int type = type_of_prefix(text, prefix);
	const char *name = prefix > 0 ? text + prefix + 1 : text;
	const bool is_abstract = name[0] == '@';
	const char *suffix = prefix > 0 ? "" : UXS_PAIR_SUFFIX;
	const char *objection;

	if (prefix > 0 && type < 0)
		return refuse(why, EPROTONOSUPPORT, text,
		    "unknown type; write stream:, seqpacket: or dgram: and a "
		    "path (or ./ in front of a file name with a colon)");
	if (prefix > 0 && uxs_type_is_loopback((enum uxs_type)type))
		return parse_loopback(&pair[0], (enum uxs_type)type, text, name,
		    why);
	if (is_abstract)
		name++;
	objection = is_abstract ? abstract_objection(name, strlen(suffix)) :
				  path_objection(name, strlen(suffix));
	if (objection != NULL)
		return refuse(why, EINVAL, text, objection);

	if (prefix > 0) {
		fill(&pair[0], (enum uxs_type)type, is_abstract, name, "");
		return 1;
	}
	fill(&pair[0], UXS_STREAM, is_abstract, name, "");
	fill(&pair[1], UXS_DGRAM, is_abstract, name, UXS_PAIR_SUFFIX);
	return 2;
}

char *
uxs_address_print(const struct uxs_address *address, char *text, size_t size)
{
	char name[UXS_ADDRESS_TEXT_MAX];

	uxs_escape(name, sizeof(name), address->name, address->length);
	snprintf(text, size, "%s:%s%s", uxs_type_name(address->type),
	    address->is_abstract ? "@" : "", name);
	return text;
}

bool
uxs_address_equals(const struct uxs_address *a, const struct uxs_address *b)
{
	if (a->is_abstract != b->is_abstract || a->length != b->length ||
	    memcmp(a->name, b->name, a->length) != 0)
		return false;
	if (uxs_type_is_loopback(a->type) || uxs_type_is_loopback(b->type))
		return a->type == b->type && !loopback_name_is_open(a->name);
	/* One file holds one socket, but abstract names are kept by type. */
	return !a->is_abstract || a->type == b->type;
}

int
uxs_sockaddr_from_path(struct sockaddr_un *sa, socklen_t *length,
    const char *path)
{
	const size_t n = strlen(path);

	if (n >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path, path, n);
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

int
uxs_sockaddr_from_abstract(struct sockaddr_un *sa, socklen_t *length,
    const char *name, size_t name_length)
{
	if (name_length > ABSTRACT_NAME_MAX)
		return -ENAMETOOLONG;
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path + 1, name, name_length);
	/* No NUL at the end: every byte of the length is part of the name. */
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    name_length);
	return 0;
}
