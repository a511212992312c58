/* SPDX-License-Identifier: ISC */
#ifndef UXS_ADDRESS_H
#define UXS_ADDRESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <sys/socket.h>
#include <sys/un.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * What the user wrote, as a value: [stream:|seqpacket:|dgram:]PATH, or @NAME
 * in place of PATH for an abstract name; or, for comparison, tcp: or udp: and
 * an address of the loopback interface, 127.0.0.1:PORT or [::1]:PORT. Pure: no
 * file is looked at.
 *
 *	struct uxs_address pair[UXS_ADDRESS_MAX];
 *	int n = uxs_address_parse("/run/uxecho.sock", pair, &why);
 *
 * gives two addresses, since one path can hold one socket only: a stream
 * socket at PATH and a datagram socket at PATH.dgram.
 */

enum uxs_type {
	UXS_STREAM,
	UXS_SEQPACKET,
	UXS_DGRAM,
	/* Over the loopback interface, where nobody knows who the peer is. */
	UXS_TCP,
	UXS_UDP,
};

#define UXS_N_TYPES 3 /* of the Unix domain */
#define UXS_N_ALL_TYPES 5
#define UXS_ADDRESS_MAX 2 /* what one text can name: a pair */
#define UXS_PAIR_SUFFIX ".dgram"

struct uxs_address {
	enum uxs_type type;
	bool is_abstract;
	size_t
	    length; /* bytes in name; the '@' of an abstract one not counted */
	char name[PATH_MAX]; /* NUL-terminated; of loopback HOST:PORT */
};

/* Is it of the loopback interface, and not of the Unix domain? */
static inline bool
uxs_type_is_loopback(enum uxs_type type)
{
	return type >= UXS_TCP;
}

/* Has it datagrams, and so no connections? */
static inline bool
uxs_type_is_datagram(enum uxs_type type)
{
	return type == UXS_DGRAM || type == UXS_UDP;
}

/* Is there a file of that name, while somebody serves there? */
static inline bool
uxs_address_has_file(const struct uxs_address *address)
{
	return !address->is_abstract && !uxs_type_is_loopback(address->type);
}

/* Room for any address as text, and its NUL. */
#define UXS_ADDRESS_TEXT_MAX ((size_t)4 * PATH_MAX + sizeof("seqpacket:@"))

/*
 * Read an address. A text without a type names a pair.
 *
 * Returns the number of addresses written to pair, 1 or 2, or a negative
 * errno with *why filled (kind usage): an empty name, a directory, a name
 * that is longer than the kernel allows, an unknown type, an address that is
 * not of the loopback interface. Port 0 is one that the kernel will choose.
 */
int uxs_address_parse(const char *text,
    struct uxs_address pair[UXS_ADDRESS_MAX], struct uxs_error *why);

/*
 * Write the address as uxs_address_parse reads it, every byte that is not
 * printable ASCII escaped, cut at size (1 or more). Returns text.
 */
char *uxs_address_print(const struct uxs_address *address, char *text,
    size_t size);

/* Same type and same name; two paths to one file are not looked up. Two ports
 * that the kernel will choose are never the same. */
bool uxs_address_equals(const struct uxs_address *a,
    const struct uxs_address *b);

/* "stream", "seqpacket", "dgram", "tcp" or "udp". */
const char *uxs_type_name(enum uxs_type type);

/* SOCK_STREAM, of UXS_TCP too, SOCK_SEQPACKET, or SOCK_DGRAM, of UXS_UDP too.
 */
int uxs_type_socket(enum uxs_type type);

/*
 * Fill in *sa from a path. A path of up to 107 bytes fits with its NUL; a
 * longer one does not, although the kernel would take 108 without: the
 * address that getsockname(2) then reports is longer than sockaddr_un.
 *
 * Returns 0 and the length for bind(2) or connect(2), or -ENAMETOOLONG.
 */
int uxs_sockaddr_from_path(struct sockaddr_un *sa, socklen_t *length,
    const char *path);

/* The same for an abstract name; 107 bytes at the most. */
int uxs_sockaddr_from_abstract(struct sockaddr_un *sa, socklen_t *length,
    const char *name, size_t name_length);

/*
 * The same for HOST:PORT of the loopback interface: 127.x.y.z, but for the
 * first and the last one, which are not of one host, or [::1]. No name is
 * looked up. Returns 0 and the length, or -EINVAL.
 */
int uxs_sockaddr_from_loopback(struct sockaddr_storage *sa, socklen_t *length,
    const char *name);

__END_DECLS

#endif
