/* SPDX-License-Identifier: ISC */
#include <uxsrv/address.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uxsrv/error.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- what an address says ---- */

static const struct {
	const char *text;
	int n;
	struct {
		enum uxs_type type;
		bool is_abstract;
		const char *name;
	} expect[UXS_ADDRESS_MAX];
} good_rows[] = {
	{ "/run/x", 2,
	    { { UXS_STREAM, false, "/run/x" },
		{ UXS_DGRAM, false, "/run/x.dgram" } } },
	{ "x", 2,
	    { { UXS_STREAM, false, "x" }, { UXS_DGRAM, false, "x.dgram" } } },
	{ "@x", 2,
	    { { UXS_STREAM, true, "x" }, { UXS_DGRAM, true, "x.dgram" } } },
	{ "stream", 2,
	    { { UXS_STREAM, false, "stream" },
		{ UXS_DGRAM, false, "stream.dgram" } } },
	/* Only letters before a colon are a type. */
	{ "./a:b", 2,
	    { { UXS_STREAM, false, "./a:b" },
		{ UXS_DGRAM, false, "./a:b.dgram" } } },
	{ "a1:b", 2,
	    { { UXS_STREAM, false, "a1:b" },
		{ UXS_DGRAM, false, "a1:b.dgram" } } },
	{ "/a/..b", 2,
	    { { UXS_STREAM, false, "/a/..b" },
		{ UXS_DGRAM, false, "/a/..b.dgram" } } },
	{ "stream:/run/x", 1, { { UXS_STREAM, false, "/run/x" } } },
	{ "seqpacket:/run/x", 1, { { UXS_SEQPACKET, false, "/run/x" } } },
	{ "dgram:x", 1, { { UXS_DGRAM, false, "x" } } },
	{ "stream:@x", 1, { { UXS_STREAM, true, "x" } } },
	{ "tcp:127.0.0.1:7", 1, { { UXS_TCP, false, "127.0.0.1:7" } } },
	{ "tcp:127.0.0.2:65535", 1, { { UXS_TCP, false, "127.0.0.2:65535" } } },
	{ "tcp:127.255.255.254:1", 1,
	    { { UXS_TCP, false, "127.255.255.254:1" } } },
	{ "tcp:[::1]:7", 1, { { UXS_TCP, false, "[::1]:7" } } },
	{ "tcp:[0:0::0001]:07", 1, { { UXS_TCP, false, "[::1]:7" } } },
	{ "udp:127.0.0.1:7", 1, { { UXS_UDP, false, "127.0.0.1:7" } } },
	{ "udp:[::1]:9", 1, { { UXS_UDP, false, "[::1]:9" } } },
	{ "seqpacket:@x/y", 1, { { UXS_SEQPACKET, true, "x/y" } } },
	{ "stream:./@x", 1, { { UXS_STREAM, false, "./@x" } } },
	{ "stream:a:b", 1, { { UXS_STREAM, false, "a:b" } } },
	{ "stream:stream:x", 1, { { UXS_STREAM, false, "stream:x" } } },
};

START_TEST(reads_what_people_write)
{
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_error why;

	int n = uxs_address_parse(good_rows[_i].text, pair, &why);

	ck_assert_int_eq(n, good_rows[_i].n);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(pair[i].type, good_rows[_i].expect[i].type);
		ck_assert_int_eq(pair[i].is_abstract,
		    good_rows[_i].expect[i].is_abstract);
		ck_assert_str_eq(pair[i].name, good_rows[_i].expect[i].name);
		ck_assert_uint_eq(pair[i].length, strlen(pair[i].name));
	}
}
END_TEST

START_TEST(prints_what_it_reads)
{
	struct uxs_address pair[UXS_ADDRESS_MAX], again[UXS_ADDRESS_MAX];
	char text[UXS_ADDRESS_TEXT_MAX];
	struct uxs_error why;

	int n = uxs_address_parse(good_rows[_i].text, pair, &why);

	for (int i = 0; i < n; i++) {
		uxs_address_print(&pair[i], text, sizeof(text));
		ck_assert_int_eq(uxs_address_parse(text, again, &why), 1);
		ck_assert_int_eq(again[0].type, pair[i].type);
		ck_assert(uxs_address_equals(&again[0], &pair[i]));
	}
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	const char *text;
	int expect;
	const char *says;
} bad_rows[] = {
	{ "", -EINVAL, "is empty" },
	{ "stream:", -EINVAL, "is empty" },
	{ "@", -EINVAL, "is empty" },
	{ "dgram:@", -EINVAL, "is empty" },
	{ "/", -EINVAL, "directory" },
	{ "/run/", -EINVAL, "directory" },
	{ "stream:/run/", -EINVAL, "directory" },
	{ ".", -EINVAL, "directory" },
	{ "..", -EINVAL, "directory" },
	{ "/run/.", -EINVAL, "directory" },
	{ "seqpacket:/run/..", -EINVAL, "directory" },
	{ "tcp:", -EINVAL, "HOST:PORT" },
	{ "tcp:127.0.0.1", -EINVAL, "HOST:PORT" },
	{ "tcp:127.0.0.1:", -EINVAL, "HOST:PORT" },
	{ "tcp:127.0.0.1:65536", -EINVAL, "HOST:PORT" },
	{ "tcp:127.0.0.1:-1", -EINVAL, "HOST:PORT" },
	{ "tcp:127.0.0.1:echo", -EINVAL, "HOST:PORT" },
	{ "tcp:0.0.0.0:7", -EINVAL, "only the loopback" },
	{ "tcp:10.0.0.1:7", -EINVAL, "only the loopback" },
	{ "tcp:126.255.255.255:7", -EINVAL, "only the loopback" },
	{ "tcp:128.0.0.1:7", -EINVAL, "only the loopback" },
	{ "tcp:127.0.0.0:7", -EINVAL, "only the loopback" },
	{ "tcp:127.255.255.255:7", -EINVAL, "only the loopback" },
	{ "tcp:127.1:7", -EINVAL, "only the loopback" },
	{ "tcp:localhost:7", -EINVAL, "only the loopback" },
	{ "tcp::7", -EINVAL, "only the loopback" },
	{ "tcp:[::]:7", -EINVAL, "only the loopback" },
	{ "tcp:[::2]:7", -EINVAL, "only the loopback" },
	{ "tcp:[fe80::1]:7", -EINVAL, "only the loopback" },
	{ "tcp:[::ffff:127.0.0.1]:7", -EINVAL, "only the loopback" },
	{ "tcp:[::1%lo]:7", -EINVAL, "only the loopback" },
	{ "tcp:[127.0.0.1]:7", -EINVAL, "only the loopback" },
	{ "tcp:::1:7", -EINVAL, "only the loopback" },
	{ "tcp:[::1:7", -EINVAL, "only the loopback" },
	{ "tcp:[:7", -EINVAL, "only the loopback" },
	{ "tcp:/run/x", -EINVAL, "HOST:PORT" },
	{ "udp:", -EINVAL, "HOST:PORT" },
	{ "udp:127.0.0.1:65536", -EINVAL, "HOST:PORT" },
	{ "udp:0.0.0.0:7", -EINVAL, "only the loopback" },
	{ "udp:224.0.0.1:7", -EINVAL, "only the loopback" },
	{ "udp:[ff02::1]:7", -EINVAL, "only the loopback" },
	{ "udp:localhost:7", -EINVAL, "only the loopback" },
	{ "steam:/run/x", -EPROTONOSUPPORT, "unknown type" },
	{ "STREAM:/run/x", -EPROTONOSUPPORT, "unknown type" },
	{ "streams:/run/x", -EPROTONOSUPPORT, "unknown type" },
	{ "s:/run/x", -EPROTONOSUPPORT, "unknown type" },
};

START_TEST(refuses_what_is_no_address)
{
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_error why = { .failure = UXS_FAILURE_NONE };

	int n = uxs_address_parse(bad_rows[_i].text, pair, &why);

	ck_assert_int_eq(n, bad_rows[_i].expect);
	ck_assert_int_eq(why.failure, UXS_FAILURE_USAGE);
	ck_assert_ptr_nonnull(strstr(why.text, bad_rows[_i].says));
	ck_assert_ptr_nonnull(strstr(why.text, bad_rows[_i].text));
}
END_TEST

START_TEST(quotes_a_bad_address_in_one_printable_line)
{
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_error why;

	uxs_address_parse("steam:/a\n\033[31mb", pair, &why);

	for (const char *at = why.text; *at != '\0'; at++)
		ck_assert(isprint((unsigned char)*at));
	ck_assert_ptr_nonnull(strstr(why.text, "/a\\n\\033[31mb"));
}
END_TEST

/* ---- how long one may be ---- */

/* prefix, then up to total bytes of "x", a slash before the last n_name. */
static char *
long_text(char *text, const char *prefix, size_t total, size_t n_name)
{
	const size_t n = strlen(prefix);

	memcpy(text, prefix, n);
	memset(text + n, 'x', total);
	text[n + total] = '\0';
	for (size_t at = 0; at + n_name < total; at += 200)
		text[n + at] = '/';
	if (n_name < total)
		text[n + total - n_name - 1] = '/';
	return text;
}

static const struct {
	const char *prefix;
	size_t total, n_name;
	int expect; /* negative: refused */
} length_rows[] = {
	/* With .lock the name must fit into 255 bytes. */
	{ "stream:", 250, 250, 1 },
	{ "stream:", 251, 251, -EINVAL },
	{ "seqpacket:", 1000, 250, 1 },
	{ "dgram:", 1000, 251, -EINVAL },
	/* With .dgram.lock too. */
	{ "", 244, 244, 2 },
	{ "", 245, 245, -EINVAL },
	/* The whole path, with its NUL, into 4096. */
	{ "stream:", 4095, 9, 1 },
	{ "stream:", 4096, 9, -EINVAL },
	{ "", 4089, 9, 2 },
	{ "", 4090, 9, -EINVAL },
	{ "", 10000, 9, -EINVAL },
	/* An abstract name into sun_path. */
	{ "stream:@", 107, 107, 1 },
	{ "stream:@", 108, 108, -EINVAL },
	{ "@", 101, 101, 2 },
	{ "@", 102, 102, -EINVAL },
};

START_TEST(takes_names_as_long_as_the_system_does)
{
	struct uxs_address pair[UXS_ADDRESS_MAX];
	struct uxs_error why;
	char text[10100];

	int n = uxs_address_parse(long_text(text, length_rows[_i].prefix,
				      length_rows[_i].total,
				      length_rows[_i].n_name),
	    pair, &why);

	ck_assert_int_eq(n, length_rows[_i].expect);
	if (n > 0)
		ck_assert_uint_eq(pair[0].length, length_rows[_i].total);
}
END_TEST

/* ---- as text ---- */

START_TEST(escapes_what_is_not_printable)
{
	const struct uxs_address address = { UXS_DGRAM, true, 5, "a\n\0\\b" };
	char text[UXS_ADDRESS_TEXT_MAX];

	uxs_address_print(&address, text, sizeof(text));

	ck_assert_str_eq(text, "dgram:@a\\n\\000\\134b");
}
END_TEST

START_TEST(prints_into_any_room)
{
	const struct uxs_address address = { UXS_STREAM, false, 6, "/run/x" };
	const char whole[] = "stream:/run/x";
	const size_t size = (size_t)_i;
	char text[32];

	memset(text, '#', sizeof(text));
	uxs_address_print(&address, text, size);

	ck_assert_uint_lt(strlen(text), size);
	ck_assert_mem_eq(text, whole, size - 1 < 13 ? size - 1 : 13);
	ck_assert_int_eq(text[size], '#');
}
END_TEST

static const struct {
	const char *a, *b;
	bool expect;
} equal_rows[] = {
	{ "stream:/x", "stream:/x", true },
	{ "stream:/x", "dgram:/x", true }, /* one file, one socket */
	{ "stream:/x", "stream:/y", false },
	{ "stream:/x", "stream:/xx", false },
	{ "stream:@x", "stream:@x", true },
	{ "stream:@x", "dgram:@x", false }, /* kept by type */
	{ "tcp:[::1]:7", "tcp:[0::1]:7", true },
	{ "tcp:127.0.0.1:7", "tcp:127.0.0.1:8", false },
	{ "tcp:127.0.0.1:7", "tcp:127.0.0.2:7", false },
	{ "tcp:127.0.0.1:0", "tcp:127.0.0.1:0", false }, /* two ports */
	{ "tcp:127.0.0.1:7", "stream:./127.0.0.1:7", false },
	{ "udp:127.0.0.1:7", "udp:127.0.0.1:7", true },
	{ "udp:127.0.0.1:7", "tcp:127.0.0.1:7", false }, /* two ports */
	{ "udp:127.0.0.1:0", "udp:127.0.0.1:0", false },
	{ "stream:x", "stream:@x", false },
};

START_TEST(knows_when_two_are_the_same_place)
{
	struct uxs_address a[UXS_ADDRESS_MAX], b[UXS_ADDRESS_MAX];

	ck_assert_int_eq(uxs_address_parse(equal_rows[_i].a, a, NULL), 1);
	ck_assert_int_eq(uxs_address_parse(equal_rows[_i].b, b, NULL), 1);

	ck_assert_int_eq(uxs_address_equals(&a[0], &b[0]),
	    equal_rows[_i].expect);
	ck_assert_int_eq(uxs_address_equals(&b[0], &a[0]),
	    equal_rows[_i].expect);
}
END_TEST

static const struct {
	enum uxs_type type;
	const char *name;
	int number;
} type_rows[] = {
	{ UXS_STREAM, "stream", SOCK_STREAM },
	{ UXS_SEQPACKET, "seqpacket", SOCK_SEQPACKET },
	{ UXS_DGRAM, "dgram", SOCK_DGRAM },
};

START_TEST(types_have_names_and_numbers)
{
	ck_assert_str_eq(uxs_type_name(type_rows[_i].type), type_rows[_i].name);
	ck_assert_int_eq(uxs_type_socket(type_rows[_i].type),
	    type_rows[_i].number);
}
END_TEST

/* ---- for the kernel ---- */

#define SUN_PATH_AT offsetof(struct sockaddr_un, sun_path)

START_TEST(path_of_107_bytes_fits)
{
	struct sockaddr_un sa;
	socklen_t length = 0;
	char path[110];

	long_text(path, "", 107, 5);

	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path), 0);
	ck_assert_int_eq(sa.sun_family, AF_UNIX);
	ck_assert_uint_eq(length, SUN_PATH_AT + 108);
	ck_assert_str_eq(sa.sun_path, path);
}
END_TEST

START_TEST(path_of_108_bytes_is_refused_and_never_cut)
{
	struct sockaddr_un sa;
	socklen_t length;
	char path[110];

	long_text(path, "", 108, 5);

	ck_assert_int_eq(uxs_sockaddr_from_path(&sa, &length, path),
	    -ENAMETOOLONG);
}
END_TEST

START_TEST(abstract_name_keeps_every_byte_and_gets_no_other)
{
	struct sockaddr_un sa;
	socklen_t length = 0;

	int r = uxs_sockaddr_from_abstract(&sa, &length, "a\0b", 3);

	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(length, SUN_PATH_AT + 1 + 3);
	ck_assert_mem_eq(sa.sun_path, "\0a\0b\0", 5);
}
END_TEST

START_TEST(abstract_name_of_108_bytes_is_refused)
{
	struct sockaddr_un sa;
	socklen_t length;
	char name[110];

	long_text(name, "", 108, 108);

	ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &length, name, 107),
	    0);
	ck_assert_int_eq(uxs_sockaddr_from_abstract(&sa, &length, name, 108),
	    -ENAMETOOLONG);
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_address(void)
{
	Suite *suite = suite_create("address");
	TCase *reading = harness_case(suite, "reading");
	TCase *text = harness_case(suite, "text");
	TCase *kernel = harness_case(suite, "for the kernel");

	TABLE(reading, reads_what_people_write, good_rows);
	TABLE(reading, prints_what_it_reads, good_rows);
	TABLE(reading, refuses_what_is_no_address, bad_rows);
	tcase_add_test(reading, quotes_a_bad_address_in_one_printable_line);
	TABLE(reading, takes_names_as_long_as_the_system_does, length_rows);

	tcase_add_test(text, escapes_what_is_not_printable);
	tcase_add_loop_test(text, prints_into_any_room, 1, 20);
	TABLE(text, knows_when_two_are_the_same_place, equal_rows);
	TABLE(text, types_have_names_and_numbers, type_rows);

	tcase_add_test(kernel, path_of_107_bytes_fits);
	tcase_add_test(kernel, path_of_108_bytes_is_refused_and_never_cut);
	tcase_add_test(kernel,
	    abstract_name_keeps_every_byte_and_gets_no_other);
	tcase_add_test(kernel, abstract_name_of_108_bytes_is_refused);
	return suite;
}
