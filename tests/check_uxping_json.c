/* SPDX-License-Identifier: ISC */
/* The JSON writer, byte by byte. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "strict_json.h"
#include "suites.h"
#include "uxping/json.h"

static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" },
	{ "/run/uxecho.sock", "\"/run/uxecho.sock\"" },
	{ "a\"b", "\"a\\\"b\"" },
	{ "a\\b", "\"a\\\\b\"" },
	{ "a\nb\tc\033", "\"a\\u000ab\\u0009c\\u001b\"" },
	{ "\177", "\"\\u007f\"" },
	{ "\303\244", "\"\303\244\"" }, /* a-umlaut stays */
	{ "\342\202\254", "\"\342\202\254\"" }, /* euro sign */
	{ "\360\237\230\200", "\"\360\237\230\200\"" }, /* beyond the BMP */
	{ "\377x", "\"\\ufffdx\"" }, /* never in UTF-8 */
	{ "\200x", "\"\\ufffdx\"" }, /* continuation without a start */
	{ "\303", "\"\\ufffd\"" }, /* cut short */
	{ "\342\202x", "\"\\ufffd\\ufffdx\"" },
	{ "\300\257", "\"\\ufffd\\ufffd\"" }, /* overlong slash */
	{ "\340\200\257", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"" }, /* surrogate */
	{ "\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
};

static char *text;
static size_t text_size;

static void
begin(struct json *json)
{
	json_begin(json, open_memstream(&text, &text_size), "e");
}

/* End the object and hold it against what is expected behind the head. */
static void
must_be(struct json *json, const char *members)
{
	char expected[512];

	json_end(json);
	fclose(json->out);
	ck_assert(are_strict_json_lines(text));
	snprintf(expected, sizeof(expected), "{\"v\":1,\"event\":\"e\"%s}\n",
	    members);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(any_bytes_become_a_valid_string)
{
	struct json json;
	char expected[128];

	begin(&json);

	json_string(&json, "s", strings[_i].text);

	snprintf(expected, sizeof(expected), ",\"s\":%s", strings[_i].json);
	must_be(&json, expected);
}
END_TEST

static const struct {
	double value;
	const char *json;
} numbers[] = {
	{ 0, ",\"n\":0" },
	{ -0.0, ",\"n\":0" },
	{ 1, ",\"n\":1" },
	{ 100, ",\"n\":100" },
	{ -2.5, ",\"n\":-2.5" },
	{ 0.1, ",\"n\":0.1" },
	{ 1e9, ",\"n\":1000000000" },
	{ 1e-9, ",\"n\":0" },
	{ (double)INFINITY, ",\"n\":null" },
	{ (double)NAN, ",\"n\":null" },
};

START_TEST(a_number_is_short_and_never_not_a_number)
{
	struct json json;

	begin(&json);

	json_number(&json, "n", numbers[_i].value);

	must_be(&json, numbers[_i].json);
}
END_TEST

START_TEST(members_and_elements_have_commas_between_them)
{
	struct json json;

	begin(&json);

	json_integer(&json, "i", INT64_MIN);
	json_object_open(&json, "o");
	json_boolean(&json, "t", true);
	json_null(&json, "z");
	json_object_close(&json);
	json_array_open(&json, "a");
	json_array_integer(&json, 1);
	json_array_integer(&json, 2);
	json_array_close(&json);
	json_string(&json, "s", NULL);

	must_be(&json,
	    ",\"i\":-9223372036854775808,\"o\":{\"t\":true,\"z\":null},"
	    "\"a\":[1,2],\"s\":null");
}
END_TEST

Suite *
suite_uxping_json(void)
{
	Suite *suite = suite_create("uxping_json");
	TCase *tcase = harness_case(suite, "writing");

	tcase_add_loop_test(tcase, any_bytes_become_a_valid_string, 0,
	    sizeof(strings) / sizeof(strings[0]));
	tcase_add_loop_test(tcase, a_number_is_short_and_never_not_a_number, 0,
	    sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(tcase, members_and_elements_have_commas_between_them);
	return suite;
}
