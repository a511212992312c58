/* SPDX-License-Identifier: ISC */
/* From facts to words: each row is a situation, and what must be said. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <uxsrv/units.h>

#include "harness.h"
#include "suites.h"
#include "uxping/facts.h"

#define SOCKET(bits)                      \
	{                                 \
		.mode = S_IFSOCK | (bits) \
	}
#define US .uid = 4242, .gid = 4242
#define ACL(bits)                                          \
	{                                                  \
		.mode = S_IFSOCK | (bits), .has_acl = true \
	}

/* Every said[] must be in the sentence; unsaid must not. */
static const struct {
	struct facts facts;
	enum reason reason;
	const char *said[4];
	const char *unsaid;
} rows[] = {
	/* the path */
	{ { .event = FACTS_CONNECT,
	      .code = ENOENT,
	      .path = FACTS_PATH_MISSING,
	      .culprit = "/run/no" },
	    REASON_NO_SUCH_FILE, { "/run/no does not exist", "--wait" },
	    "dgram" },
	{ { .event = FACTS_CONNECT,
	      .code = ENOENT,
	      .path = FACTS_PATH_MISSING,
	      .culprit = "x",
	      .pair_exists = true },
	    REASON_NO_SUCH_FILE, { "--type dgram" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ENOTDIR,
	      .path = FACTS_PATH_NOT_DIRECTORY,
	      .culprit = "/etc/passwd" },
	    REASON_NO_SUCH_FILE, { "/etc/passwd is not a directory" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ELOOP,
	      .path = FACTS_PATH_LOOP,
	      .culprit = "/x" },
	    REASON_NO_SUCH_FILE, { "/x is a symbolic link in a circle" },
	    NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ENOENT,
	      .path = FACTS_PATH_MISSING,
	      .culprit = "/run/no",
	      .link = "/var/no" },
	    REASON_NO_SUCH_FILE,
	    { "/run/no does not exist", "symbolic link /var/no leads there" },
	    NULL },

	/* permissions: of others, of the group, of the owner */
	{ { .event = FACTS_CONNECT,
	      .code = EACCES,
	      US,
	      .path = FACTS_PATH_NO_SEARCH,
	      .culprit = "/root",
	      .directory = { .mode = S_IFDIR | 0700 } },
	    REASON_PERMISSION,
	    { "the directory /root may not be searched by uid=4242 gid=4242",
		"mode is 0700", "owner uid=0(root) gid=0", "chmod o+x" },
	    "access control list" },
	{ { .event = FACTS_CONNECT, .code = EACCES, US, .file = SOCKET(0660) },
	    REASON_PERMISSION,
	    { "may not be written to by uid=4242", "mode is 0660",
		"chmod o+w" },
	    NULL },
	{ { .event = FACTS_CONNECT,
	      .code = EACCES,
	      US,
	      .is_in_its_group = true,
	      .file = SOCKET(0602) },
	    REASON_PERMISSION, { "chmod g+w" }, NULL },
	{ { .event = FACTS_CONNECT, .code = EACCES, .file = SOCKET(0066) },
	    REASON_PERMISSION, { "chmod u+w" }, NULL },
	{ { .event = FACTS_CONNECT, .code = EACCES, US, .file = SOCKET(0666) },
	    REASON_PERMISSION, { "security module" }, "chmod" },
	{ { .event = FACTS_CONNECT, .code = EACCES, US, .file = ACL(0660) },
	    REASON_PERMISSION, { "access control list" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = EACCES,
	      US,
	      .in_user_namespace = true,
	      .file = SOCKET(0660) },
	    REASON_PERMISSION, { "user namespace" }, NULL },

	/* the file */
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .file = { .mode = S_IFREG | 0644 } },
	    REASON_NOT_A_SOCKET, { "a regular file and not a socket" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .file = { .mode = S_IFDIR | 0755 } },
	    REASON_NOT_A_SOCKET, { "a directory" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .file = SOCKET(0600),
	      .age_s = 7300 },
	    REASON_STALE, { "nobody is behind", "made 2 hours ago" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .file = SOCKET(0600),
	      .age_s = -1 },
	    REASON_STALE, { "nobody is behind" }, "ago" },
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .file = SOCKET(0600),
	      .is_live = true,
	      .type = UXS_STREAM },
	    REASON_NOT_LISTENING, { "takes no connections" }, NULL },

	/* the type */
	{ { .event = FACTS_CONNECT,
	      .code = EPROTOTYPE,
	      .label = "/run/x",
	      .file = SOCKET(0600),
	      .is_live = true,
	      .type = UXS_DGRAM },
	    REASON_WRONG_TYPE,
	    { "a datagram socket and not a stream socket", "dgram:/run/x" },
	    NULL },
	{ { .event = FACTS_CONNECT,
	      .code = EPROTOTYPE,
	      .wanted = UXS_DGRAM,
	      .file = SOCKET(0600),
	      .type = FACTS_TYPE_CONNECTED },
	    REASON_WRONG_TYPE, { "a stream or seqpacket socket" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .is_abstract = true,
	      .is_live = true,
	      .type = UXS_SEQPACKET,
	      .label = "@x" },
	    REASON_WRONG_TYPE, { "seqpacket:@x" }, NULL },

	/* without a file */
	{ { .event = FACTS_CONNECT,
	      .code = ECONNREFUSED,
	      .is_abstract = true,
	      .type = FACTS_TYPE_UNKNOWN },
	    REASON_NO_SUCH_FILE, { "network namespace" }, NULL },
	{ { .event = FACTS_CONNECT, .code = ECONNREFUSED, .is_loopback = true },
	    REASON_STALE, { "nobody listens on this port" }, NULL },
	{ { .event = FACTS_CONNECT,
	      .code = EPERM,
	      .file = SOCKET(0666),
	      .wanted = UXS_DGRAM },
	    REASON_DENIED, { "a peer of its own" }, NULL },
	{ { .event = FACTS_CONNECT, .code = EMFILE, .file = SOCKET(0666) },
	    REASON_SYSTEM, { "Too many open files" }, NULL },

	/* connected, and then */
	{ { .event = FACTS_BUSY }, REASON_BACKLOG_FULL, { "--wait" }, NULL },
	{ { .event = FACTS_WRONG_USER,
	      .expected_uid = 4242,
	      .file = SOCKET(0666) },
	    REASON_WRONG_USER,
	    { "uid=4242 was expected", "owned by uid=0(root)",
		"nothing was sent" },
	    NULL },
	{ { .event = FACTS_BROKEN, US }, REASON_DENIED,
	    { "its own rules probably refuse uid=4242 gid=4242" }, NULL },
	{ { .event = FACTS_BROKEN, .had_replies = true }, REASON_CLOSED,
	    { "closed the connection" }, "rules" },
	{ { .event = FACTS_BROKEN, .code = EMSGSIZE, .wanted = UXS_DGRAM },
	    REASON_TOO_LONG, { "wmem_max" }, NULL },
	{ { .event = FACTS_TIMEOUT, .timeout_ns = 250 * UXS_NS_PER_MS },
	    REASON_TIMEOUT, { "within 250ms", "-z" }, "return address" },
	{ { .event = FACTS_TIMEOUT,
	      .wanted = UXS_DGRAM,
	      .timeout_ns = UXS_NS_PER_S },
	    REASON_TIMEOUT, { "within 1s", "return address" }, NULL },
	{ { .event = FACTS_TIMEOUT,
	      .had_replies = true,
	      .timeout_ns = UXS_NS_PER_S },
	    REASON_TIMEOUT, { "answers came", "-W" }, NULL },
	{ { .event = FACTS_CORRUPT, .what = "4 bytes came" }, REASON_CORRUPT,
	    { "4 bytes came", "-z" }, NULL },
	{ { .event = FACTS_SIZE }, REASON_TOO_LONG, { "no empty messages" },
	    NULL },
	{ { .event = FACTS_REPLY_PATH }, REASON_SYSTEM, { "TMPDIR" }, NULL },
};

START_TEST(facts_become_a_word_and_a_sentence)
{
	struct diagnosis diagnosis;

	diagnose(&diagnosis, &rows[_i].facts);

	ck_assert_str_eq(diagnose_word(diagnosis.reason),
	    diagnose_word(rows[_i].reason));
	for (int i = 0; i < 4 && rows[_i].said[i] != NULL; i++)
		ck_assert_msg(strstr(diagnosis.text, rows[_i].said[i]) != NULL,
		    "'%s' is not in: %s", rows[_i].said[i], diagnosis.text);
	ck_assert_msg(rows[_i].unsaid == NULL ||
		strstr(diagnosis.text, rows[_i].unsaid) == NULL,
	    "'%s' is in: %s", rows[_i].unsaid, diagnosis.text);
}
END_TEST

START_TEST(a_sentence_is_one_line_without_a_full_stop)
{
	struct diagnosis diagnosis;

	diagnose(&diagnosis, &rows[_i].facts);

	ck_assert_ptr_null(strchr(diagnosis.text, '\n'));
	ck_assert_int_ne(diagnosis.text[strlen(diagnosis.text) - 1], '.');
}
END_TEST

START_TEST(every_reason_has_its_word)
{
	for (int i = 0; i < N_REASONS; i++) {
		ck_assert_ptr_nonnull(diagnose_word((enum reason)i));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(diagnose_word((enum reason)i),
			    diagnose_word((enum reason)j));
	}
}
END_TEST

Suite *
suite_uxping_diagnose(void)
{
	Suite *suite = suite_create("uxping_diagnose");
	TCase *tcase = harness_case(suite, "words");
	const int n = sizeof(rows) / sizeof(rows[0]);

	tcase_add_loop_test(tcase, facts_become_a_word_and_a_sentence, 0, n);
	tcase_add_loop_test(tcase, a_sentence_is_one_line_without_a_full_stop,
	    0, n);
	tcase_add_test(tcase, every_reason_has_its_word);
	return suite;
}
