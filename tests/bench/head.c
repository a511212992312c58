/* SPDX-License-Identifier: ISC */
#include "head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "server.h"
#include "subjects.h"

/* What the first processor calls itself. */
static void
read_machine(char *text)
{
	FILE *info = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, HEAD_TEXT_MAX, "unknown");
	while (info != NULL && fgets(line, sizeof(line), info) != NULL) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || colon == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(text, HEAD_TEXT_MAX, "%.*s", HEAD_TEXT_MAX - 1,
		    colon + 2);
		break;
	}
	if (info != NULL)
		fclose(info);
}

int
head_open(struct head *head, struct bench *bench, size_t n_rounds)
{
	const time_t now = time(NULL);
	struct utsname system;
	struct tm utc;

	*head = (struct head){
		.n_rounds = n_rounds,
		.duration_ns = bench->duration_ns,
		.n_processors = CPU_COUNT(&bench->all),
		.versions = calloc(n_subjects, HEAD_TEXT_MAX),
	};
	if (head->versions == NULL)
		return -ENOMEM;
	read_machine(head->machine);
	uname(&system);
	snprintf(head->kernel, HEAD_TEXT_MAX, "%.32s %.64s %.32s",
	    system.sysname, system.release, system.machine);
	strftime(head->date, HEAD_TEXT_MAX, "%Y-%m-%d %H:%M UTC",
	    gmtime_r(&now, &utc));
	for (size_t i = 0; i < n_subjects; i++) {
		if (server_is_there(bench, i) < 0)
			continue;
		strcpy(head->versions[i], "unknown");
		if (subjects[i].version[0] != NULL)
			server_ask(bench, subjects[i].version, 3,
			    head->versions[i], HEAD_TEXT_MAX);
	}
	return 0;
}

void
head_close(struct head *head)
{
	free(head->versions);
	head->versions = NULL;
}
