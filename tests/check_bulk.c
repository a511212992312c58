/* SPDX-License-Identifier: ISC */
/* When bulk data is relayed, and how much at once: two pure decisions. */
#include "lib/bulk.h"

#include "harness.h"
#include "suites.h"

#define KI ((size_t)1024)

/* Reads of so many bytes where size could have come, and what they make of
 * it: 's' small, 'L' large, 'f' all that there was room for, if little. */
static const struct {
	const char *reads;
	bool is_bulk;
} histories[] = {
	{ "", false },
	{ "LLL", false },
	{ "LLLL", true },
	{ "LLLLLLLL", true },
	{ "sLLL", false },
	/* The end of a burst takes back one that was large. */
	{ "LLLsL", false },
	{ "LLLsLL", true },
	{ "LLsLLsL", false },
	{ "LLsLLsLL", true },
	{ "LsLsLsLsLs", false },
	{ "LLLsssL", false },
	{ "LLLssssLLL", false },
	{ "ssssssss", false },
	/* The end of a burst does not end it, small messages do. */
	{ "LLLLs", true },
	{ "LLLLsss", true },
	{ "LLLLssss", false },
	{ "LLLLsssLsss", true },
	{ "LLLLsssLssss", false },
	/* Coming back takes as long as coming in. */
	{ "LLLLssssLLL", false },
	{ "LLLLssssLLLL", true },
	/* What had no room tells nothing either way. */
	{ "LLLfL", true },
	{ "ffff", false },
	{ "LLLLffffffff", true },
	{ "LLLLsfsfsfs", false },
};

START_TEST(many_large_reads_switch_over_and_small_ones_back)
{
	struct bulk bulk = { 0 };

	for (const char *c = histories[_i].reads; *c != '\0'; c++) {
		if (*c == 'L')
			bulk_note(&bulk, BULK_BYTES, 64 * KI);
		else if (*c == 's')
			bulk_note(&bulk, BULK_BYTES - 1, 64 * KI);
		else
			bulk_note(&bulk, KI, KI);
	}

	ck_assert_msg(bulk_is_on(&bulk) == histories[_i].is_bulk, "\"%s\"",
	    histories[_i].reads);
}
END_TEST

static const struct {
	uint32_t send_buffer;
	size_t unsent, may_be_kept, expect;
} sizes[] = {
	/* A send buffer that is empty and large takes all of it. */
	{ 512 * 1024, 0, 64 * 1024, 256 * 1024 },
	{ 512 * 1024, 0, 1, 256 * 1024 },
	/* Whatever may be kept, never more than the pipe holds. */
	{ 512 * 1024, 0, SIZE_MAX, 256 * 1024 },
	{ 0, 0, SIZE_MAX, 256 * 1024 },
	/* None or little: what may be kept, and what has room. */
	{ 512 * 1024, 512 * 1024, 64 * 1024, 64 * 1024 },
	{ 512 * 1024, 432 * 1024, 64 * 1024, 128 * 1024 },
	{ 208 * 1024, 0, 4 * 1024, 196 * 1024 },
	/* The kernel's own part is left out. */
	{ 16 * 1024, 0, 100, 100 },
	{ 16 * 1024 + 1, 0, 100, 101 },
	/* The kernel lets one buffer too many in, or does not tell. */
	{ 512 * 1024, 700 * 1024, 100, 100 },
	{ 512 * 1024, SIZE_MAX, 100, 100 },
};

START_TEST(no_more_is_taken_than_can_be_sent_and_kept)
{
	const struct bulk bulk = { .send_buffer = sizes[_i].send_buffer };

	const size_t size =
	    bulk_size(&bulk, sizes[_i].unsent, sizes[_i].may_be_kept);

	ck_assert_uint_eq(size, sizes[_i].expect);
}
END_TEST

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
suite_bulk(void)
{
	Suite *suite = suite_create("bulk");
	TCase *tcase = harness_case(suite, "decisions");

	tcase_add_loop_test(tcase,
	    many_large_reads_switch_over_and_small_ones_back, 0,
	    N_OF(histories));
	tcase_add_loop_test(tcase, no_more_is_taken_than_can_be_sent_and_kept,
	    0, N_OF(sizes));
	return suite;
}
