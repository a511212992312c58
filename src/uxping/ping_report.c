/* SPDX-License-Identifier: ISC */
/* Pings for people and for programs. */
#include "ping_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/units.h>

#include "json.h"
#include "options.h"
#include "pinger.h"

/* ---- JSON ---- */

static void
begin(struct json *json, const struct pinger *pinger, const char *event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_begin(json, stdout, event);
	json_integer(json, "time_ns", now.tv_sec * UXS_NS_PER_S + now.tv_nsec);
	target_print_json(&pinger->target, json);
}

static void
json_seq_event(const struct pinger *pinger, const char *event, uint64_t seq,
    const char *name, int64_t value)
{
	struct json json;

	begin(&json, pinger, event);
	json_integer(&json, "seq", (int64_t)seq);
	json_integer(&json, name, value);
	json_end(&json);
}

static void
json_answer(const struct pinger *pinger, const struct window_answer *answer,
    int64_t rtt_ns)
{
	struct json json;

	begin(&json, pinger, "reply");
	json_integer(&json, "seq", (int64_t)answer->seq);
	json_integer(&json, "bytes", (int64_t)answer->length);
	json_integer(&json, "rtt_ns", rtt_ns);
	json_boolean(&json, "corrupted", answer->verdict == WINDOW_CORRUPT);
	json_boolean(&json, "duplicate", answer->verdict == WINDOW_DUPLICATE);
	json_boolean(&json, "late", answer->verdict == WINDOW_LATE);
	json_end(&json);
}

static void
json_error(const struct pinger *pinger, uint64_t seq)
{
	struct json json;

	begin(&json, pinger, "error");
	if (seq != 0)
		json_integer(&json, "seq", (int64_t)seq);
	json_string(&json, "reason", diagnose_word(pinger->diagnosis.reason));
	json_string(&json, "text", pinger->diagnosis.text);
	json_end(&json);
}

static void
json_summary(const struct pinger *pinger, const char *event)
{
	struct json json;

	begin(&json, pinger, event);
	summary_print_json(&pinger->summary, &json);
	json_string(&json, "reason",
	    pinger->has_diagnosis ? diagnose_word(pinger->diagnosis.reason) :
				    NULL);
	json_end(&json);
}

static void
json_start(const struct pinger *pinger)
{
	struct json json;

	begin(&json, pinger, "start");
	json_string(&json, "type", target_type_name(&pinger->target));
	if (pinger->options->connect_only)
		json_null(&json, "bytes");
	else
		json_integer(&json, "bytes",
		    (int64_t)pinger->options->size_bytes);
	target_print_owner_json(&pinger->target, &pinger->link, &json);
	json_end(&json);
}

/* ---- text ---- */

static bool
prints_lines(const struct pinger *pinger)
{
	return !pinger->options->quiet && !pinger->options->flood;
}

/* Dots are for eyes; in a file they would be noise. */
static bool
prints_dots(const struct pinger *pinger)
{
	return pinger->options->flood && !pinger->options->quiet &&
	    !pinger->options->json && isatty(STDOUT_FILENO);
}

static void
print_time_of_day(const struct pinger *pinger)
{
	struct timespec now;

	if (!pinger->options->timestamps)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	printf("[%lld.%06ld] ", (long long)now.tv_sec, now.tv_nsec / 1000);
}

static void
print_flaw(const struct pinger *pinger, const struct window_answer *answer)
{
	const size_t size = pinger->options->size_bytes;

	switch (answer->verdict) {
	case WINDOW_GOOD:
		break;
	case WINDOW_LATE:
		printf(" (late)");
		break;
	case WINDOW_DUPLICATE:
		printf(" (DUP!)");
		break;
	case WINDOW_STRAY:
		printf(" (answer to nothing that was sent)");
		break;
	case WINDOW_CORRUPT:
		if (answer->has_difference)
			printf(" corrupt: byte #%zu should be 0x%02x but was "
			       "0x%02x",
			    answer->difference.offset,
			    answer->difference.should_be,
			    answer->difference.was);
		else
			printf(" corrupt: %zu bytes were sent", size);
		break;
	}
	putchar('\n');
}

void
ping_report_start(const struct pinger *pinger)
{
	const struct target *target = &pinger->target;
	char owner[TARGET_OWNER_MAX];

	if (pinger->options->json) {
		json_start(pinger);
		return;
	}
	printf("UXPING %s (%s) ", target->label, target_type_name(target));
	if (pinger->options->connect_only)
		printf("connect only");
	else
		printf("%zu bytes", pinger->options->size_bytes);
	printf("; %s\n", target_print_owner(target, &pinger->link, owner));
}

void
ping_report_sent(const struct pinger *pinger)
{
	if (!prints_dots(pinger))
		return;
	putchar('.');
	fflush(stdout);
}

void
ping_report_answer(const struct pinger *pinger,
    const struct window_answer *answer, int64_t rtt_ns)
{
	char us[SUMMARY_US_MAX];

	if (pinger->options->json) {
		if (!pinger->options->quiet)
			json_answer(pinger, answer, rtt_ns);
		return;
	}
	if (prints_dots(pinger)) {
		fputs(answer->verdict == WINDOW_CORRUPT ? "\bC" : "\b \b",
		    stdout);
		fflush(stdout);
	}
	if (!prints_lines(pinger))
		return;
	print_time_of_day(pinger);
	printf("%zu bytes from %s:", answer->length, pinger->target.label);
	if (answer->verdict != WINDOW_STRAY)
		printf(" seq=%" PRIu64 " time=%s us", answer->seq,
		    summary_us(rtt_ns, us));
	print_flaw(pinger, answer);
}

void
ping_report_connected(const struct pinger *pinger, uint64_t seq, int64_t rtt_ns)
{
	char us[SUMMARY_US_MAX];

	if (pinger->options->json) {
		if (!pinger->options->quiet)
			json_seq_event(pinger, "reply", seq, "rtt_ns", rtt_ns);
		return;
	}
	if (prints_dots(pinger)) {
		fputs("\b \b", stdout);
		fflush(stdout);
	}
	if (!prints_lines(pinger))
		return;
	print_time_of_day(pinger);
	printf("connected to %s: seq=%" PRIu64 " time=%s us\n",
	    pinger->target.label, seq, summary_us(rtt_ns, us));
}

void
ping_report_outstanding(const struct pinger *pinger, uint64_t seq)
{
	print_time_of_day(pinger);
	printf("no answer yet from %s: seq=%" PRIu64 "\n", pinger->target.label,
	    seq);
}

void
ping_report_timeout(const struct pinger *pinger, uint64_t seq)
{
	const int64_t timeout_ns = pinger->options->timeout_ns;
	char duration[UXS_UNITS_TEXT_MAX];

	if (pinger->options->json) {
		if (!pinger->options->quiet)
			json_seq_event(pinger, "timeout", seq, "timeout_ns",
			    timeout_ns);
		return;
	}
	if (!pinger->options->verbose)
		return;
	print_time_of_day(pinger);
	printf("no answer from %s: seq=%" PRIu64 " within %s\n",
	    pinger->target.label, seq,
	    uxs_duration_print(timeout_ns, duration));
}

void
ping_report_error(const struct pinger *pinger, uint64_t seq)
{
	if (pinger->options->json) {
		json_error(pinger, seq);
		return;
	}
	if (prints_dots(pinger)) {
		fputs("\bE", stdout);
		fflush(stdout);
	}
	/* In order with what was said before it. */
	fflush(stdout);
	fprintf(stderr, "uxping: %s: ", pinger->target.label);
	if (seq != 0)
		fprintf(stderr, "seq=%" PRIu64 " ", seq);
	fprintf(stderr, "%s: %s\n", diagnose_word(pinger->diagnosis.reason),
	    pinger->diagnosis.text);
}

void
ping_report_note(const struct pinger *pinger, const char *what)
{
	if (!pinger->options->verbose)
		return;
	print_time_of_day(pinger);
	printf("%s: %s\n", pinger->target.label, what);
}

void
ping_report_interim(const struct pinger *pinger)
{
	if (pinger->options->json) {
		json_summary(pinger, "interval");
		return;
	}
	fflush(stdout);
	putc('\r', stderr); /* over the "^\" that the terminal shows */
	if (pinger->options->n_targets > 1)
		fprintf(stderr, "%s: ", pinger->target.label);
	summary_print_interim(&pinger->summary, stderr);
}

void
ping_report_end(const struct pinger *pinger)
{
	if (pinger->options->json)
		json_summary(pinger, "end");
	else if (pinger->has_started)
		summary_print(&pinger->summary, pinger->target.label, stdout);
	fflush(stdout);
}
