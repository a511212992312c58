/* SPDX-License-Identifier: ISC */
/*
 * Rules in a file: what a line means, told by tables, and which file may be
 * believed.
 */
#include <uxsrv/rules.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/error.h>

#include "harness.h"
#include "suites.h"

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

/* ---- a smaller town ---- */

static int
town_uid_of(const char *name, uid_t *uid)
{
	*uid = 1001;
	return strcmp(name, "alice") == 0 || strcmp(name, "TOWN\\alice") == 0 ?
	    0 :
	    -1;
}

static int
town_gid_of(const char *name, gid_t *gid)
{
	*gid = 2001;
	return strcmp(name, "town band") == 0 ? 0 : -1;
}

static const struct uxs_names town = { town_uid_of, town_gid_of };

/* All the rules, as words. */
static const char *
print_all(const struct uxs_access *access)
{
	static char text[1024];
	char one[UXS_RULE_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < access->n; i++) {
		strlcat(text, i > 0 ? "; " : "", sizeof(text));
		strlcat(text, uxs_rule_print(&access->rules[i], one),
		    sizeof(text));
	}
	return text;
}

/* ---- lines ---- */

static const struct {
	const char *line, *expect;
} good_lines[] = {
	{ "", "" },
	{ "   ", "" },
	{ " \t ", "" },
	{ "allow any", "allow any" },
	{ "deny any", "deny any" },
	{ "  allow   any  ", "allow any" },
	{ "\tdeny\tuid:5-9\t", "deny uid:5-9" },
	{ "allow self", "allow uid:500" },
	{ "deny root", "deny uid:0" },
	{ "allow user:alice", "allow uid:1001" },
	{ "allow user:TOWN\\alice", "allow uid:1001" },
	{ "allow group:town band ", "allow gid:2001" },
	{ "deny gid:7", "deny gid:7" },
};

START_TEST(a_line_is_a_rule)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	ck_assert_int_eq(uxs_access_add_line(&access, good_lines[_i].line,
			     &town, &why),
	    0);

	ck_assert_str_eq(print_all(&access), good_lines[_i].expect);
	uxs_access_fini(&access);
}
END_TEST

static const struct {
	const char *line, *says;
} bad_lines[] = {
	{ "allow", "'allow': write \"allow WHO\"" },
	{ "deny ", "'deny': write \"allow WHO\"" },
	{ "any", "'any': write" },
	{ "Allow any", "write \"allow WHO\"" },
	{ "allowany", "write \"allow WHO\"" },
	{ "allow:any", "write \"allow WHO\"" },
	{ "permit any", "write \"allow WHO\"" },
	{ "allow any root", "rule 'any root': write any, self" },
	{ "allow any\r", "rule 'any\\r': write any, self" },
	{ "allow user:bob", "rule 'user:bob': there is no such user" },
	{ "allow group:alice", "there is no such group" },
	{ "deny uid:9-5", "the end of the range" },
	{ "deny user:65534", "not mapped" },
	{ "\001", "'\\001': write" },
};

START_TEST(any_other_line_is_refused)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	ck_assert_int_eq(uxs_access_add_line(&access, bad_lines[_i].line, &town,
			     &why),
	    -EINVAL);

	ck_assert_ptr_nonnull(strstr(why.text, bad_lines[_i].says));
	ck_assert_int_eq(why.failure, UXS_FAILURE_CONFIG);
	ck_assert_uint_eq(access.n, 0);
}
END_TEST

/* ---- files ---- */

static const struct {
	const char *text, *expect;
} good_files[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "# nobody\n", "" },
	{ "allow any\n", "allow any" },
	{ "allow any", "allow any" }, /* no newline at the end */
	{ "deny uid:7\nallow any\n", "deny uid:7; allow any" },
	{ "# a\n\nallow uid:1 # b\n#allow uid:2\n  # c\ndeny gid:3#d\n",
	    "allow uid:1; deny gid:3" },
	/* A backslash joins no lines and hides no comment. */
	{ "allow uid:1 #\\\nallow uid:2\n", "allow uid:1; allow uid:2" },
	{ "allow user:TOWN\\alice\n", "allow uid:1001" },
};

START_TEST(a_file_is_its_rules_in_order)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	write_file("rules", good_files[_i].text, 0644);

	ck_assert_int_eq(uxs_rules_read(&access, "rules", &town, &why), 0);
	ck_assert_str_eq(print_all(&access), good_files[_i].expect);
	uxs_access_fini(&access);
}
END_TEST

static const struct {
	const char *text, *says;
} bad_files[] = {
	{ "allow\n", "rules:1: 'allow': write" },
	{ "allow any\nalow any\n", "rules:2: 'alow any': write" },
	{ "# a\n\n# b\n\nallow uid:x", "rules:5: rule 'uid:x': is not" },
	{ "allow any\ndeny user:bob # gone\n", "rules:2: rule 'user:bob'" },
	{ "allow any \\\ndeny any\n", "rules:1: rule 'any \\134'" },
	{ "allow any\r\n", "rules:1: rule 'any\\r'" },
};

START_TEST(a_bad_line_is_named_and_nothing_is_taken)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	write_file("rules", bad_files[_i].text, 0644);
	uxs_access_add(&access, UXS_DENY, "uid:7", &town, &why);

	ck_assert_int_lt(uxs_rules_read(&access, "rules", &town, &why), 0);
	ck_assert_msg(strncmp(why.text, bad_files[_i].says,
			  strlen(bad_files[_i].says)) == 0,
	    "says: %s", why.text);
	ck_assert_int_eq(uxs_error_exit_status(&why), 78);
	ck_assert_str_eq(print_all(&access), "deny uid:7");
	uxs_access_fini(&access);
}
END_TEST

START_TEST(a_nul_does_not_hide_the_rest_of_a_line)
{
	static const char text[] = "allow uid:1\0-9\n";
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;
	FILE *file = fopen("rules", "w");

	ck_assert_ptr_nonnull(file);
	fwrite(text, 1, sizeof(text) - 1, file);
	fclose(file);
	ck_assert_int_eq(chmod("rules", 0644), 0);

	ck_assert_int_lt(uxs_rules_read(&access, "rules", &town, &why), 0);
	ck_assert_str_eq(why.text, "rules:1: there is a NUL in this line");
	ck_assert_uint_eq(access.n, 0);
	uxs_access_fini(&access);
}
END_TEST

START_TEST(a_rule_knows_where_it_was_read)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	write_file("rules", "# first\nallow uid:1\n\ndeny uid:2\n", 0644);
	uxs_access_add(&access, UXS_DENY, "uid:7", &town, &why);
	ck_assert_int_eq(uxs_rules_read(&access, "rules", &town, &why), 0);

	ck_assert_ptr_null(access.rules[0].file);
	ck_assert_str_eq(access.rules[1].file, "rules");
	ck_assert_uint_eq(access.rules[1].line, 2);
	ck_assert_uint_eq(access.rules[2].line, 4);
	uxs_access_fini(&access);
}
END_TEST

/* ---- which file may be believed ---- */

static void
is_refused(const char *path, const char *says)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	ck_assert_int_lt(uxs_rules_read(&access, path, &town, &why), 0);
	ck_assert_msg(strstr(why.text, says) != NULL, "says: %s", why.text);
	ck_assert_ptr_nonnull(strstr(why.text, path));
	ck_assert_int_eq(uxs_error_exit_status(&why), 78);
	ck_assert_uint_eq(access.n, 0);
}

START_TEST(a_file_that_others_may_write_is_refused)
{
	static const mode_t modes[] = { 0664, 0646, 0620, 0602, 0666 };

	for (int i = 0; i < N_ROWS(modes); i++) {
		write_file("rules", "allow any\n", modes[i]);
		is_refused("rules", "may be written by others");
	}
}
END_TEST

START_TEST(a_file_of_a_stranger_is_refused)
{
	SKIP_UNLESS_ROOT();
	write_file("rules", "allow any\n", 0644);
	ck_assert_int_eq(chown("rules", OTHER_UID, OTHER_GID), 0);

	is_refused("rules", "belongs to neither root nor the user");
}
END_TEST

static void
read_as_user(void *arg)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(geteuid());
	struct uxs_error why;

	ck_assert_msg(uxs_rules_read(&access, arg, &town, &why) == 0, "%s",
	    why.text);
	uxs_access_fini(&access);
}

START_TEST(a_file_of_ours_or_of_root_is_read)
{
	static char of_root[] = "root.rules", of_user[] = "user.rules";

	SKIP_UNLESS_ROOT();
	write_file(of_root, "allow any\n", 0644);
	write_file(of_user, "allow any\n", 0600);
	ck_assert_int_eq(chown(of_user, OTHER_UID, OTHER_GID), 0);

	as_user(OTHER_UID, OTHER_GID, read_as_user, of_root);
	as_user(OTHER_UID, OTHER_GID, read_as_user, of_user);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_and_never_waited_for)
{
	ck_assert_int_eq(mkdir("directory", 0755), 0);
	ck_assert_int_eq(mkfifo("fifo", 0644), 0);
	leave_stale_socket(UXS_STREAM, "socket");

	is_refused("directory", "is not a regular file");
	is_refused("fifo", "is not a regular file");
	is_refused("/dev/zero", "is not a regular file");
	is_refused("socket", strerror(ENXIO));
	is_refused("missing", strerror(ENOENT));
}
END_TEST

START_TEST(a_file_too_long_is_refused)
{
	write_file("rules", "", 0644);
	ck_assert_int_eq(truncate("rules", UXS_RULES_BYTES_MAX + 1), 0);

	is_refused("rules", "longer than 1M");
}
END_TEST

/* ---- names ---- */

static const char passwd[] = "root:x:0:0::/:/bin/sh\n";
static const char passwd_with_newcomer[] =
    "root:x:0:0::/:/bin/sh\nuxecho-newcomer:x:4242:1::/:/bin/sh\n";

/* This test's own view of /etc/passwd: false where that cannot be had. */
static bool
replace_passwd(void)
{
	write_file("passwd", passwd, 0644);
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("passwd", "/etc/passwd", NULL, MS_BIND, NULL) == 0;
}

/* uid_from_user(3) would go on to say that there is no such user. */
START_TEST(a_user_who_was_added_since_is_found)
{
	struct uxs_access access = UXS_ACCESS_EMPTY(500);
	struct uxs_error why;

	if (!replace_passwd()) {
		skip("needs a mount namespace, for another /etc/passwd");
		return;
	}
	write_file("rules", "allow user:uxecho-newcomer\n", 0644);
	ck_assert_int_lt(uxs_rules_read(&access, "rules", &uxs_names_system,
			     &why),
	    0);

	write_file("passwd", passwd_with_newcomer, 0644);
	ck_assert_int_eq(uxs_rules_read(&access, "rules", &uxs_names_system,
			     &why),
	    0);

	ck_assert_str_eq(print_all(&access), "allow uid:4242");
	uxs_access_fini(&access);
}
END_TEST

#define TABLE(tcase, test, rows) \
	tcase_add_loop_test(tcase, test, 0, N_ROWS(rows))

Suite *
suite_rules(void)
{
	Suite *suite = suite_create("rules");
	TCase *lines = harness_case(suite, "lines");
	TCase *files = harness_case(suite, "files");
	TCase *trust = harness_case(suite, "trust");

	TABLE(lines, a_line_is_a_rule, good_lines);
	TABLE(lines, any_other_line_is_refused, bad_lines);

	TABLE(files, a_file_is_its_rules_in_order, good_files);
	TABLE(files, a_bad_line_is_named_and_nothing_is_taken, bad_files);
	tcase_add_test(files, a_nul_does_not_hide_the_rest_of_a_line);
	tcase_add_test(files, a_rule_knows_where_it_was_read);
	tcase_add_test(files, a_user_who_was_added_since_is_found);

	tcase_add_test(trust, a_file_that_others_may_write_is_refused);
	tcase_add_test(trust, a_file_of_a_stranger_is_refused);
	tcase_add_test(trust, a_file_of_ours_or_of_root_is_read);
	tcase_add_test(trust,
	    what_is_no_regular_file_is_refused_and_never_waited_for);
	tcase_add_test(trust, a_file_too_long_is_refused);
	return suite;
}
