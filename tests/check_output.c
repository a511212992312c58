/* SPDX-License-Identifier: ISC */
#include "lib/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "suites.h"

#define LIMIT 65536

static void
keep(struct output *output, const char *text, bool is_packet)
{
	ck_assert_int_eq(output_keep(output, text, strlen(text), is_packet,
			     LIMIT),
	    0);
}

static void
first_is(const struct output *output, const char *text, bool is_packet)
{
	size_t length = 777;
	const void *first = output_first(output, is_packet, &length);

	ck_assert_uint_eq(length, strlen(text));
	if (length > 0)
		ck_assert_mem_eq(first, text, length);
}

/* ---- bytes and packets ---- */

START_TEST(bytes_come_out_as_one_piece_in_order)
{
	struct output output = { 0 };

	keep(&output, "one ", false);
	keep(&output, "two", false);

	first_is(&output, "one two", false);
	ck_assert_uint_eq(output_bytes(&output), 7);
	output_fini(&output);
}
END_TEST

START_TEST(bytes_that_were_taken_are_gone)
{
	struct output output = { 0 };

	keep(&output, "one two", false);
	output_drop_first(&output, false, 4);

	first_is(&output, "two", false);
	output_fini(&output);
}
END_TEST

START_TEST(packets_keep_their_boundaries)
{
	struct output output = { 0 };

	keep(&output, "one", true);
	keep(&output, "", true);
	keep(&output, "three", true);

	first_is(&output, "one", true);
	output_drop_first(&output, true, 3);
	first_is(&output, "", true);
	output_drop_first(&output, true, 0);
	first_is(&output, "three", true);
	output_drop_first(&output, true, 5);
	ck_assert_uint_eq(output_bytes(&output), 0);
}
END_TEST

START_TEST(empty_packets_add_up)
{
	struct output output = { 0 };
	int n;

	for (int i = 0; i < 1000; i++)
		keep(&output, "", true);
	ck_assert_uint_ge(output_bytes(&output), 1000);
	for (n = 0; output_bytes(&output) > 0 && n <= 1000; n++) {
		first_is(&output, "", true);
		output_drop_first(&output, true, 0);
	}

	ck_assert_int_eq(n, 1000);
}
END_TEST

/* ---- memory ---- */

START_TEST(nothing_is_allocated_while_it_is_empty)
{
	struct output output = { 0 };

	ck_assert_int_eq(output_keep(&output, "", 0, false, LIMIT), 0);

	ck_assert_uint_eq(output_bytes(&output), 0);
	ck_assert_uint_eq(output.capacity, 0);
	output_fini(&output);
}
END_TEST

START_TEST(all_is_freed_with_the_last_byte)
{
	struct output output = { 0 };

	keep(&output, "one", false);
	output_drop_first(&output, false, 3);

	ck_assert_ptr_null(output.data);
	ck_assert_uint_eq(output.capacity, 0);
}
END_TEST

START_TEST(all_is_freed_with_the_last_packet)
{
	struct output output = { 0 };

	keep(&output, "", true);
	output_drop_first(&output, true, 0);

	ck_assert_ptr_null(output.data);
	ck_assert_uint_eq(output.capacity, 0);
}
END_TEST

START_TEST(growing_does_not_overshoot_the_limit)
{
	const size_t limit = (size_t)_i * 1000;
	struct output output = { 0 };
	static const char piece[97];

	while (output_bytes(&output) + sizeof(piece) <= limit) {
		ck_assert_int_eq(output_keep(&output, piece, sizeof(piece),
				     false, limit),
		    0);
		ck_assert_uint_le(output.capacity, limit);
	}
	output_fini(&output);
}
END_TEST

START_TEST(a_message_past_the_limit_is_kept_whole_and_no_more_is_taken)
{
	struct output output = { 0 };
	static const char message[5000];

	ck_assert_int_eq(output_keep(&output, message, sizeof(message), true,
			     1000),
	    0);

	ck_assert_uint_ge(output_bytes(&output), sizeof(message));
	ck_assert_uint_eq(output.capacity, output_bytes(&output));
	output_fini(&output);
}
END_TEST

START_TEST(a_message_of_impossible_length_leaves_what_was_there)
{
	struct output output = { 0 };

	keep(&output, "one", _i);
	ck_assert_int_eq(output_keep(&output, "", UINT32_MAX, _i, SIZE_MAX),
	    -ENOMEM);
	ck_assert_int_eq(output_keep(&output, "", SIZE_MAX, _i, SIZE_MAX),
	    -ENOMEM);

	first_is(&output, "one", _i);
	output_fini(&output);
}
END_TEST

START_TEST(room_in_front_is_used_before_memory_is_taken)
{
	struct output output = { 0 };
	static const char piece[900];
	uint32_t capacity;

	output_keep(&output, piece, sizeof(piece), false, LIMIT);
	capacity = output.capacity;
	output_drop_first(&output, false, 400);
	for (int i = 0; i < 100; i++) {
		output_keep(&output, piece, 500, false, LIMIT);
		output_drop_first(&output, false, 500);
		ck_assert_uint_eq(output.capacity, capacity);
	}

	output_fini(&output);
}
END_TEST

START_TEST(may_end_twice)
{
	struct output output = { 0 };

	keep(&output, "one", false);
	output_fini(&output);
	output_fini(&output);

	ck_assert_uint_eq(output_bytes(&output), 0);
}
END_TEST

/* ---- against a simple model ---- */

#define MODEL_MAX 4096
#define MESSAGE_MAX 300

/* What is held, as a plain array of all that was kept, and where each message
 * of it begins. */
struct model {
	char bytes[1 << 20];
	size_t start, end;
	size_t lengths[1 << 15];
	size_t first, last;
};

static void
model_keep(struct model *model, const char *bytes, size_t length)
{
	ck_assert_uint_le(model->end + length, sizeof(model->bytes));
	memcpy(model->bytes + model->end, bytes, length);
	model->end += length;
	model->lengths[model->last++] = length;
}

/* The client takes a packet, or some of the bytes, and must have got what the
 * model has. */
static void
take_some(struct output *output, struct model *model, bool is_packet,
    unsigned dice)
{
	size_t length, expect;
	const void *first = output_first(output, is_packet, &length);

	expect = is_packet ? model->lengths[model->first++] :
			     model->end - model->start;
	ck_assert_uint_eq(length, expect);
	ck_assert_int_eq(memcmp(first, model->bytes + model->start, length), 0);
	if (!is_packet)
		length = dice % (length + 1);
	output_drop_first(output, is_packet, length);
	model->start += length;
}

/* One step: something comes in, or the client takes something. Now mostly the
 * one, now mostly the other, so that full and empty both turn up. */
static void
step(struct output *output, struct model *model, bool is_packet, unsigned i)
{
	char message[MESSAGE_MAX];
	unsigned dice[2];
	size_t length;

	fill_random(dice, sizeof(dice), i);
	length = dice[0] % 7 ? dice[1] % MESSAGE_MAX : 0;
	fill_random(message, length, i);
	if (dice[0] / 7 % 4 < (i / 100 % 2 ? 3 : 1) &&
	    output_bytes(output) + length + 4 <= MODEL_MAX) {
		ck_assert_int_eq(output_keep(output, message, length, is_packet,
				     MODEL_MAX),
		    0);
		model_keep(model, message, length);
	} else if (output_bytes(output) > 0) {
		take_some(output, model, is_packet, dice[1]);
	}
}

START_TEST(agrees_with_a_simple_model)
{
	const bool is_packet = _i;
	struct model *model = calloc(1, sizeof(*model));
	struct output output = { 0 };

	ck_assert_ptr_nonnull(model);
	for (unsigned i = 0; i < 6000; i++) {
		step(&output, model, is_packet, i);

		ck_assert_uint_le(output.capacity, MODEL_MAX);
		ck_assert_int_eq(output_bytes(&output) == 0,
		    output.data == NULL);
		if (!is_packet)
			ck_assert_uint_eq(output_bytes(&output),
			    model->end - model->start);
	}
	output_fini(&output);
	free(model);
}
END_TEST

Suite *
suite_output(void)
{
	Suite *suite = suite_create("output");
	TCase *contents = harness_case(suite, "contents");
	TCase *memory = harness_case(suite, "memory");

	tcase_add_test(contents, bytes_come_out_as_one_piece_in_order);
	tcase_add_test(contents, bytes_that_were_taken_are_gone);
	tcase_add_test(contents, packets_keep_their_boundaries);
	tcase_add_test(contents, empty_packets_add_up);
	tcase_add_loop_test(contents, agrees_with_a_simple_model, 0, 2);

	tcase_add_test(memory, nothing_is_allocated_while_it_is_empty);
	tcase_add_test(memory, all_is_freed_with_the_last_byte);
	tcase_add_test(memory, all_is_freed_with_the_last_packet);
	tcase_add_loop_test(memory, growing_does_not_overshoot_the_limit, 1,
	    20);
	tcase_add_test(memory,
	    a_message_past_the_limit_is_kept_whole_and_no_more_is_taken);
	tcase_add_loop_test(memory,
	    a_message_of_impossible_length_leaves_what_was_there, 0, 2);
	tcase_add_test(memory, room_in_front_is_used_before_memory_is_taken);
	tcase_add_test(memory, may_end_twice);
	return suite;
}
