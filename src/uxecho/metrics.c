/* SPDX-License-Identifier: ISC */
/*
 * One family after the other: what it is, then its samples, none of which
 * comes and goes with what has happened; a counter starts at 0.
 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include <uxsrv/peer.h>
#include <uxsrv/units.h>

/* The unit, if there is one, is the end of the name. */
static void
print_head(FILE *out, const char *family, const char *type, const char *unit,
    const char *help)
{
	fprintf(out, "# TYPE uxecho_%s %s\n", family, type);
	if (unit != NULL)
		fprintf(out, "# UNIT uxecho_%s %s\n", family, unit);
	fprintf(out, "# HELP uxecho_%s %s\n", family, help);
}

static void
print_gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	print_head(out, name, "gauge", NULL, help);
	fprintf(out, "uxecho_%s %" PRIu64 "\n", name, value);
}

/* A label value of which any byte may be anything. */
static void
print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* Seconds as a number of nanoseconds; "0.00001", but never "1". */
static void
print_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64, ns / (uint64_t)UXS_NS_PER_S,
	    ns % (uint64_t)UXS_NS_PER_S);
}

/* ---- by type ---- */

static void
print_connections(FILE *out, const struct uxs_stats *stats)
{
	print_head(out, "connections", "gauge", NULL, "Connections open now.");
	for (int t = 0; t < UXS_N_ALL_TYPES; t++) {
		if (!uxs_type_is_datagram((enum uxs_type)t))
			fprintf(out,
			    "uxecho_connections{type=\"%s\"} %" PRIu64 "\n",
			    uxs_type_name((enum uxs_type)t),
			    stats->of[t].connections);
	}
}

static const struct counter {
	const char *family, *unit, *help;
	size_t offset;
} counters[] = {
	{ "accepted", NULL, "Connections let in.",
	    offsetof(struct uxs_stats_of_type, accepted) },
	{ "received_bytes", "bytes", "Bytes received from clients.",
	    offsetof(struct uxs_stats_of_type, received_bytes) },
	{ "sent_bytes", "bytes", "Bytes sent to clients.",
	    offsetof(struct uxs_stats_of_type, sent_bytes) },
	{ "received_messages", NULL,
	    "Messages received; of a stream without framing, reads.",
	    offsetof(struct uxs_stats_of_type, received_messages) },
	{ "sent_messages", NULL, "Answers sent, or kept until they are read.",
	    offsetof(struct uxs_stats_of_type, sent_messages) },
};

static void
print_counter(FILE *out, const struct uxs_stats *stats,
    const struct counter *counter)
{
	print_head(out, counter->family, "counter", counter->unit,
	    counter->help);
	for (int t = 0; t < UXS_N_ALL_TYPES; t++) {
		uint64_t value;

		memcpy(&value, (const char *)&stats->of[t] + counter->offset,
		    sizeof(value));
		fprintf(out, "uxecho_%s_total{type=\"%s\"} %" PRIu64 "\n",
		    counter->family, uxs_type_name((enum uxs_type)t), value);
	}
}

/* ---- by type and reason ---- */

static const char *
refusal_name(int i)
{
	return uxs_refusal_name((enum uxs_refusal)i);
}

static const char *
drop_name(int i)
{
	return uxs_drop_name((enum uxs_drop)i);
}

static void
print_reasons(FILE *out, const char *family, int type, const uint64_t *counts,
    int n, const char *(*name)(int))
{
	for (int i = 0; i < n; i++)
		fprintf(out,
		    "uxecho_%s_total{type=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
		    family, uxs_type_name((enum uxs_type)type), name(i),
		    counts[i]);
}

static void
print_faults(FILE *out, int type, const uint64_t *counts)
{
	for (int i = 0; i < UXS_N_FAULTS; i++)
		fprintf(out,
		    "uxecho_faults_total{type=\"%s\",kind=\"%s\"} %" PRIu64
		    "\n",
		    uxs_type_name((enum uxs_type)type),
		    uxs_fault_name((enum uxs_fault)i), counts[i]);
}

static void
print_by_reason(FILE *out, const struct uxs_stats *stats)
{
	print_head(out, "refused", "counter", NULL,
	    "Connections, and datagrams, that were not let in.");
	for (int t = 0; t < UXS_N_ALL_TYPES; t++)
		print_reasons(out, "refused", t, stats->of[t].refused,
		    UXS_N_REFUSALS, refusal_name);
	print_head(out, "dropped", "counter", NULL,
	    "Messages, or answers to them, that were not delivered.");
	for (int t = 0; t < UXS_N_ALL_TYPES; t++)
		print_reasons(out, "dropped", t, stats->of[t].dropped,
		    UXS_N_DROPS, drop_name);
	print_head(out, "faults", "counter", NULL,
	    "What was done wrong on purpose, as of --fault.");
	for (int t = 0; t < UXS_N_ALL_TYPES; t++)
		print_faults(out, t, stats->of[t].faults);
	print_head(out, "closed", "counter", NULL, "Connections that ended.");
	for (int i = 0; i < UXS_N_CLOSES; i++)
		fprintf(out, "uxecho_closed_total{reason=\"%s\"} %" PRIu64 "\n",
		    uxs_close_name((enum uxs_close)i), stats->closed[i]);
}

/* ---- users ---- */

static void
print_user(FILE *out, const char *name, uid_t uid, size_t value)
{
	fprintf(out, "uxecho_user_%s{uid=\"", name);
	if (uid == UXS_UID_NONE)
		fputs("unknown", out);
	else
		fprintf(out, "%lu", (unsigned long)uid);
	fprintf(out, "\"} %zu\n", value);
}

static void
print_users(FILE *out, const struct metrics *m)
{
	const size_t n = m->n_users < METRICS_USERS_MAX ? m->n_users :
							  METRICS_USERS_MAX;

	print_gauge(out, "users", "Users who have connections.", m->n_users);
	print_head(out, "user_connections", "gauge", NULL,
	    "Connections of a user.");
	for (size_t i = 0; i < n; i++)
		print_user(out, "connections", m->users[i].uid,
		    m->users[i].n_conns);
	print_head(out, "user_kept_bytes", "gauge", "bytes",
	    "Memory taken for what a user has not read, or not completed.");
	for (size_t i = 0; i < n; i++)
		print_user(out, "kept_bytes", m->users[i].uid,
		    m->users[i].n_bytes);
}

/* ---- queues ---- */

static void
print_queue(FILE *out, const char *name, const struct uxs_queue *queue,
    uint32_t value)
{
	char text[UXS_ADDRESS_TEXT_MAX];

	fprintf(out, "uxecho_%s{address=", name);
	print_quoted(out,
	    uxs_address_print(queue->address, text, sizeof(text)));
	fprintf(out, "} %" PRIu32 "\n", value);
}

static void
print_queues(FILE *out, const struct metrics *m)
{
	print_head(out, "backlog", "gauge", NULL,
	    "Connections that wait to be accepted.");
	for (size_t i = 0; i < m->n_queues; i++)
		print_queue(out, "backlog", &m->queues[i],
		    m->queues[i].waiting);
	print_head(out, "backlog_limit", "gauge", NULL,
	    "How many may wait, as of listen(2).");
	for (size_t i = 0; i < m->n_queues; i++)
		print_queue(out, "backlog_limit", &m->queues[i],
		    m->queues[i].limit);
}

/* ---- the loops ---- */

static void
print_loops(FILE *out, const struct uxs_stats *stats)
{
	print_head(out, "loops", "gauge", NULL,
	    "Event loops that are in use, of --threads.");
	fprintf(out, "uxecho_loops %" PRIu64 "\n", stats->loops);
	print_head(out, "moves", "counter", NULL,
	    "Times that a connection went from one loop to another.");
	fprintf(out, "uxecho_moves_total %" PRIu64 "\n", stats->moves);
}

static void
print_turns(FILE *out, const struct uxs_turn_stats *turns)
{
	uint64_t n = 0;

	print_head(out, "turn_seconds", "histogram", "seconds",
	    "How long turns of the event loop took: others wait meanwhile.");
	for (int i = 0; i < UXS_N_TURN_BOUNDS; i++) {
		n += turns->n[i];
		fprintf(out,
		    "uxecho_turn_seconds_bucket{le=\"%g%s\"} %" PRIu64 "\n",
		    (double)uxs_turn_bound_ns(i) / UXS_NS_PER_S,
		    uxs_turn_bound_ns(i) % UXS_NS_PER_S == 0 ? ".0" : "", n);
	}
	n += turns->n[UXS_N_TURN_BOUNDS];
	fprintf(out, "uxecho_turn_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n",
	    n);
	fprintf(out, "uxecho_turn_seconds_count %" PRIu64 "\n", n);
	fputs("uxecho_turn_seconds_sum ", out);
	print_seconds(out, turns->spent_ns);
	fputc('\n', out);
}

static void
print_spins(FILE *out, const struct uxs_spin_stats *spin)
{
	print_head(out, "spins", "counter", NULL,
	    "Waits that were spun: something came in time, or not.");
	fprintf(out, "uxecho_spins_total{result=\"won\"} %" PRIu64 "\n",
	    spin->won);
	fprintf(out, "uxecho_spins_total{result=\"lost\"} %" PRIu64 "\n",
	    spin->lost);
	print_head(out, "spin_seconds", "counter", "seconds",
	    "Time spent in them.");
	fputs("uxecho_spin_seconds_total ", out);
	print_seconds(out, spin->spent_ns);
	fputc('\n', out);
}

/* ---- all ---- */

static void
print_identity(FILE *out, const struct metrics *m)
{
	print_head(out, "build", "info", NULL, "What is running.");
	fputs("uxecho_build_info{version=", out);
	print_quoted(out, m->version);
	fputs("} 1\n", out);
	print_head(out, "start_time_seconds", "gauge", "seconds",
	    "When it was started, since 1970.");
	fprintf(out, "uxecho_start_time_seconds %" PRId64 ".%03" PRId64 "\n",
	    m->started_ms / 1000, m->started_ms % 1000);
}

void
metrics_print(FILE *out, const struct metrics *m)
{
	print_identity(out, m);
	print_connections(out, &m->stats);
	print_gauge(out, "max_connections", "Connections that may be open.",
	    m->max_conns);
	print_gauge(out, "max_user_connections",
	    "Those of one user that may be open.", m->max_conns_per_user);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		print_counter(out, &m->stats, &counters[i]);
	print_by_reason(out, &m->stats);
	print_users(out, m);
	print_queues(out, m);
	print_head(out, "pauses", "counter", NULL,
	    "Times that nobody could be accepted.");
	fprintf(out,
	    "uxecho_pauses_total{reason=\"descriptors\"} %" PRIu64 "\n",
	    m->stats.pauses);
	print_head(out, "rebinds", "counter", NULL,
	    "Socket files that were lost and made anew.");
	fprintf(out, "uxecho_rebinds_total %" PRIu64 "\n", m->stats.rebinds);
	print_loops(out, &m->stats);
	print_turns(out, &m->stats.turns);
	print_spins(out, &m->stats.spin);
	fputs("# EOF\n", out);
}
