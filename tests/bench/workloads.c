/* SPDX-License-Identifier: ISC */
#include "workloads.h"

#include <string.h>

#include "subjects.h"

#define ALL_LEAN "epoll uxecho libev libuv_tuned libevent"
#define ALL_QUICK ALL_LEAN " libuv bufferevent threads go"
#define ALL_PEERS ALL_QUICK " node asyncio pythreads socat ncat s6"

/* Half of the 20,000 descriptors that many systems allow, which is what one
 * user gets by default, is a few too few. */
#define MANY "--max-conns-per-user", "12000"

#define MESSAGES(type, n, subjects, ...)                          \
	{                                                         \
		type "-" #n, "64 B " type ", " #n " connections", \
		    KIND_MESSAGES, PLACE_APART, type, n, "64",    \
		    { __VA_ARGS__ }, false, subjects              \
	}
#define THREADED(type, n, ...)                                               \
	{                                                                    \
		type "-" #n "-t2",                                           \
		    "64 B " type ", " #n " connections, two threads",        \
		    KIND_MESSAGES, PLACE_FREE, type, n, "64",                \
		    { "--threads", "2", __VA_ARGS__ }, false, "epoll uxecho" \
	}
#define BULK(size, n)                                                        \
	{                                                                    \
		"bulk-" size "-" #n,                                         \
		    "bulk, writes of " size ", " #n " stream(s)", KIND_BULK, \
		    PLACE_APART, "stream", n, size, { NULL }, false,         \
		    "epoll uxecho threads libuv_tuned bufferevent"           \
	}
#define DGRAM(n)                                                            \
	{                                                                   \
		"dgram-" #n,                                                \
		    "64 B datagrams, " #n " clients of the same user",      \
		    KIND_MESSAGES, PLACE_APART, "dgram", n, "64", { NULL }, \
		    false, "dgram uxecho"                                   \
	}
#define DGRAM_FOREIGN(n)                                              \
	{                                                             \
		"dgram-" #n "-foreign",                               \
		    "64 B datagrams, " #n " clients of another user", \
		    KIND_MESSAGES, PLACE_APART, "dgram", n, "64",     \
		    { "--allow", "any", NULL }, true, "dgram uxecho"  \
	}

const struct workload workloads[] = {
	MESSAGES("stream", 16, ALL_PEERS, NULL),
	MESSAGES("stream", 256, ALL_QUICK, NULL),
	MESSAGES("stream", 1000, ALL_LEAN, NULL),
	MESSAGES("stream", 10000, "epoll uxecho", MANY),
	MESSAGES("seqpacket", 16, "epoll uxecho", NULL),
	MESSAGES("seqpacket", 256, "epoll uxecho", NULL),
	MESSAGES("seqpacket", 1000, "epoll uxecho", NULL),
	MESSAGES("seqpacket", 10000, "epoll uxecho", MANY),
	THREADED("stream", 16, NULL),
	THREADED("stream", 256, NULL),
	THREADED("stream", 1000, NULL),
	THREADED("stream", 10000, MANY),
	THREADED("seqpacket", 16, NULL),
	THREADED("seqpacket", 256, NULL),
	THREADED("seqpacket", 1000, NULL),
	THREADED("seqpacket", 10000, MANY),
	{ "latency", "one connection", KIND_MESSAGES, PLACE_APART, "stream", 1,
	    "64", { NULL }, false, "blocking uxecho epoll libev threads" },
	{ "spin", "one connection, uxecho with --spin 200us, separate cores",
	    KIND_MESSAGES, PLACE_SPIN, "stream", 1, "64",
	    { "--spin", "200us", NULL }, false, "blocking uxecho threads" },
	{ "spin-one-core", "one connection, uxecho with --spin 200us, one core",
	    KIND_MESSAGES, PLACE_TOGETHER, "stream", 1, "64",
	    { "--spin", "200us", NULL }, false, "blocking uxecho" },
	BULK("64k", 1),
	BULK("64k", 4),
	BULK("1M", 1),
	BULK("1M", 4),
	DGRAM(16),
	DGRAM(256),
	DGRAM_FOREIGN(16),
	DGRAM_FOREIGN(256),
	{ "reconnect", "connect, echo 64 B, close; 16 at once", KIND_RECONNECT,
	    PLACE_APART, "stream", 16, "64", { NULL }, false,
	    "epoll uxecho threads libev" },
	{ "memory-1000", "1000 idle connections", KIND_MEMORY, PLACE_FREE,
	    "stream", 1000, "64", { NULL }, false,
	    ALL_QUICK " node asyncio pythreads" },
	{ "memory-10000", "10000 idle connections", KIND_MEMORY, PLACE_FREE,
	    "stream", 10000, "64", { MANY }, false, ALL_LEAN },
	{ "start", "start-up to the first echo", KIND_START, PLACE_FREE,
	    "stream", 1, "64", { NULL }, false, ALL_PEERS },
	{ "idle", "100 idle connections", KIND_IDLE, PLACE_FREE, "stream", 100,
	    "64", { NULL }, false, "epoll uxecho go" },
};
const size_t n_workloads = sizeof(workloads) / sizeof(workloads[0]);

const int *
workload_metrics(enum kind kind)
{
	static const int messages[] = { METRIC_CPU, METRIC_RATE, METRIC_P50,
		METRIC_P99, METRIC_BUSY, -1 };
	static const int bulk[] = { METRIC_CPU_BULK, METRIC_BYTES, METRIC_BUSY,
		-1 };
	static const int memory[] = { METRIC_MEMORY, METRIC_RSS, METRIC_KERNEL,
		-1 };
	static const int start[] = { METRIC_START, -1 };
	static const int idle[] = { METRIC_IDLE, -1 };

	switch (kind) {
	case KIND_MESSAGES:
	case KIND_RECONNECT:
		break;
	case KIND_BULK:
		return bulk;
	case KIND_MEMORY:
		return memory;
	case KIND_START:
		return start;
	case KIND_IDLE:
		return idle;
	}
	return messages;
}

/* Returns the place of this subject in the list of names, or -1. */
static int
place_of(const struct workload *workload, size_t subject)
{
	const char *name = workload->subjects;

	for (int i = 0; *name != '\0'; i++) {
		const size_t n = strcspn(name, " ");

		if (subject_find(name, n) == (int)subject)
			return i;
		name += n + (name[n] == ' ');
	}
	return -1;
}

bool
workload_has(const struct workload *workload, size_t subject)
{
	return place_of(workload, subject) >= 0;
}

size_t
workload_yardstick(const struct workload *workload)
{
	const int i =
	    subject_find(workload->subjects, strcspn(workload->subjects, " "));

	return i < 0 ? 0 : (size_t)i;
}

int
workload_find(const char *name)
{
	for (size_t i = 0; i < n_workloads; i++) {
		if (strcmp(workloads[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}
