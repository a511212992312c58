/* SPDX-License-Identifier: ISC */
/*
 * "make install" and what is there afterwards. What was built is installed
 * as it is; make is run again only for its recipes.
 */
#include <stdio.h>

#include "harness.h"
#include "stage.h"
#include "suites.h"

/* Every header and manual of the tree among them; nobody has to keep a list. */
START_TEST(install_puts_every_piece_in_its_place)
{
	const char *missing;

	SKIP_UNLESS_MAKE();

	missing = shell(
	    "make install DESTDIR=\"$PWD/stage\" prefix=/usr >&2\n"
	    "{ cd \"$UXECHO_TOP\"; ls include/uxsrv/*.h\n"
	    "for m in man/*.[1-8]; do echo share/man/man${m##*.}/${m#man/}\n"
	    "done; cd \"$OLDPWD\"\n"
	    "echo sbin/uxecho; echo bin/uxping; echo lib/libuxsrv.a\n"
	    "echo lib/libuxsrv.so; echo lib/libuxsrv.so.0\n"
	    "echo lib/pkgconfig/uxsrv.pc; } | while read -r f; do\n"
	    "test -s \"stage/usr/$f\" || echo \"$f\"; done");

	ck_assert_str_eq(missing, "");
}
END_TEST

/* Whatever the umask is: others must be able to use what root installs. */
START_TEST(installed_files_are_for_everybody)
{
	SKIP_UNLESS_MAKE();

	ck_assert_str_eq(
	    shell("umask 077; make install DESTDIR=\"$PWD/stage\" >&2\n"
		  "find stage/* -type f ! -perm 644 ! -perm 755\n"
		  "find stage/* -type d ! -perm 755"),
	    "");
}
END_TEST

START_TEST(uninstall_removes_all_of_it)
{
	SKIP_UNLESS_MAKE();

	ck_assert_str_eq(
	    shell(
		"make install DESTDIR=\"$PWD/stage\" libdir=/lib/here >&2\n"
		"make uninstall DESTDIR=\"$PWD/stage\" libdir=/lib/here >&2\n"
		"find stage ! -type d -o -name '*uxsrv*' -o -name '*uxecho*'"),
	    "");
}
END_TEST

START_TEST(uninstall_leaves_what_others_put_there)
{
	SKIP_UNLESS_MAKE();

	ck_assert_str_eq(
	    shell("make install DESTDIR=\"$PWD/stage\" prefix=/usr >&2\n"
		  "touch stage/usr/include/uxsrv/theirs.h stage/usr/bin/their\n"
		  "make uninstall DESTDIR=\"$PWD/stage\" prefix=/usr >&2\n"
		  "cd stage/usr; find . ! -type d | sort"),
	    "./bin/their\n./include/uxsrv/theirs.h\n");
}
END_TEST

/* ---- a program of somebody else's ---- */

static const char user_program[] =
    "make install prefix=\"$PWD/stage\" >&2\n"
    "export PKG_CONFIG_PATH=\"$PWD/stage/lib/pkgconfig\"\n"
    "cat >user.c <<END\n"
    "#include <stdio.h>\n"
    "#include <uxsrv/uxsrv.h>\n"
    "int session_close(void);\n"
    "int session_close(void) { return 0; }\n"
    "int main(void) {\n"
    "	struct uxs_address a[UXS_ADDRESS_MAX];\n"
    "	int n = uxs_address_parse(\"/run/a\", a, NULL) + session_close();\n"
    "	return printf(\"%d %s\\n\", n, a[1].name) < 0;\n"
    "}\n"
    "END\n"
    "build() { \"${CC:-cc}\" ${CFLAGS:-} -o user user.c "
    "$(${PKG_CONFIG:-pkg-config} --cflags uxsrv) \"$@\" ${LDFLAGS:-}; }\n";

START_TEST(installed_library_is_found_by_pkg_config)
{
	char script[4096];

	SKIP_UNLESS_MAKE();
	snprintf(script, sizeof(script), "%s%s", user_program,
	    "build $(${PKG_CONFIG:-pkg-config} --libs uxsrv)\n"
	    "readelf -d user | grep -o 'libuxsrv.so[.0-9]*'\n"
	    "LD_LIBRARY_PATH=stage/lib ./user");

	ck_assert_str_eq(shell(script), "libuxsrv.so.0\n2 /run/a.dgram\n");
}
END_TEST

/* A name of the library's own rooms is free for the program to use. */
START_TEST(installed_library_can_be_linked_statically)
{
	char script[4096];

	SKIP_UNLESS_MAKE();
	snprintf(script, sizeof(script), "%s%s", user_program,
	    "rm stage/lib/libuxsrv.so*\n"
	    "build $(${PKG_CONFIG:-pkg-config} --static --libs uxsrv)\n"
	    "./user");

	ck_assert_str_eq(shell(script), "2 /run/a.dgram\n");
}
END_TEST

Suite *
suite_install(void)
{
	Suite *suite = suite_create("install");
	TCase *files = harness_case(suite, "files");
	TCase *users = harness_case(suite, "users");

	tcase_add_test(files, install_puts_every_piece_in_its_place);
	tcase_add_test(files, installed_files_are_for_everybody);
	tcase_add_test(files, uninstall_removes_all_of_it);
	tcase_add_test(files, uninstall_leaves_what_others_put_there);

	tcase_add_test(users, installed_library_is_found_by_pkg_config);
	tcase_add_test(users, installed_library_can_be_linked_statically);
	return suite;
}
