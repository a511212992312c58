/* SPDX-License-Identifier: ISC */
#include "usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static FILE *
open_proc(pid_t pid, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return fopen(path, "re");
}

/* Call for each child; those that come and go meanwhile may be left out. */
static void
for_each_child(pid_t pid, void (*visit)(pid_t pid, void *arg), void *arg)
{
	char name[64];
	FILE *children;
	long child;

	/* Of the first thread: servers that fork do it there. */
	snprintf(name, sizeof(name), "task/%ld/children", (long)pid);
	if ((children = open_proc(pid, name)) == NULL)
		return;
	while (fscanf(children, "%ld", &child) == 1)
		visit((pid_t)child, arg);
	fclose(children);
}

/* ---- processor time ---- */

/* The scheduler's own sum, in nanoseconds, of one process. */
static int64_t
own_cpu_ns(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &used) < 0)
		return 0;
	return used.tv_sec * NS_PER_S + used.tv_nsec;
}

/* Of children that it has waited for. */
static int64_t
past_children_cpu_ns(pid_t pid)
{
	FILE *stat = open_proc(pid, "stat");
	long user = 0, system = 0;

	if (stat == NULL)
		return 0;
	/* The name, in parentheses, may hold anything but is short. */
	if (fscanf(stat,
		"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		"%*u %*u %ld %ld",
		&user, &system) != 2)
		user = system = 0;
	fclose(stat);
	return (user + system) * (NS_PER_S / sysconf(_SC_CLK_TCK));
}

static void
add_cpu(pid_t pid, void *arg)
{
	int64_t *sum = arg;

	*sum += own_cpu_ns(pid) + past_children_cpu_ns(pid);
	for_each_child(pid, add_cpu, arg);
}

int64_t
usage_cpu_ns(pid_t pid)
{
	int64_t sum = 0;

	add_cpu(pid, &sum);
	return sum;
}

/* ---- memory ---- */

/* Sum of the lines that begin with one of the names, in kB. */
static double
sum_lines(FILE *in, const char *const *names)
{
	char line[256];
	double sum = 0;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		for (size_t i = 0; names[i] != NULL; i++) {
			const size_t n = strlen(names[i]);

			if (strncmp(line, names[i], n) == 0)
				sum += strtod(line + n, NULL);
		}
	}
	if (in != NULL)
		fclose(in);
	return sum;
}

/* Exact, which "status" and "statm" are not: there the kernel sums up per
 * processor and rounds. */
static double
sum_maps(pid_t pid, const char *const *names)
{
	return sum_lines(open_proc(pid, "smaps_rollup"), names) * 1024;
}

/* Libraries are in the memory once, however many children map them. */
static void
add_private(pid_t pid, void *arg)
{
	static const char *const names[] = {
		"Private_Clean:", "Private_Dirty:", NULL
	};
	double *sum = arg;

	*sum += sum_maps(pid, names);
	for_each_child(pid, add_private, arg);
}

double
usage_rss_bytes(pid_t pid)
{
	static const char *const names[] = { "Rss:", NULL };
	double sum = sum_maps(pid, names);

	for_each_child(pid, add_private, &sum);
	return sum;
}

double
usage_kernel_bytes(void)
{
	static const char *const names[] = {
		"Slab:", "KernelStack:", "PageTables:", NULL
	};

	return sum_lines(fopen("/proc/meminfo", "re"), names) * 1024;
}

/* ---- processors ---- */

static void
pin(pid_t pid, void *arg)
{
	char path[128];
	const struct dirent *entry;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	if ((threads = opendir(path)) == NULL)
		return;
	while ((entry = readdir(threads)) != NULL) {
		const long thread = strtol(entry->d_name, NULL, 10);

		if (thread > 0)
			sched_setaffinity((pid_t)thread, sizeof(cpu_set_t),
			    arg);
	}
	closedir(threads);
	for_each_child(pid, pin, arg);
}

void
usage_pin(pid_t pid, const cpu_set_t *processors)
{
	cpu_set_t set = *processors;

	pin(pid, &set);
}

/* ---- over time ---- */

double
usage_at(const struct usage_sample *samples, size_t n, int64_t when_ns)
{
	size_t i = 0;
	double part;

	if (n == 0)
		return 0;
	while (i < n && samples[i].when_ns < when_ns)
		i++;
	if (i == 0 || i == n)
		return (double)samples[i == 0 ? 0 : n - 1].cpu_ns;
	part = (double)(when_ns - samples[i - 1].when_ns) /
	    (double)(samples[i].when_ns - samples[i - 1].when_ns);
	return (double)samples[i - 1].cpu_ns +
	    part * (double)(samples[i].cpu_ns - samples[i - 1].cpu_ns);
}
