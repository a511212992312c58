/* SPDX-License-Identifier: ISC */
/* Names of users in memory; see users.h. */
#include "users.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Equal ones keep the order that mergesort(3) finds them in, that of the
 * file. */
static int
compare(const void *a, const void *b)
{
	const struct user_name *first = a, *second = b;

	if (first->uid == second->uid)
		return 0;
	return first->uid < second->uid ? -1 : 1;
}

static int
add(struct users *users, const struct passwd *entry)
{
	struct user_name *names =
	    reallocarray(users->names, users->n + 1, sizeof(*names));

	if (names == NULL)
		return -1;
	users->names = names;
	names[users->n].uid = entry->pw_uid;
	if ((names[users->n].name = strdup(entry->pw_name)) == NULL)
		return -1;
	users->n++;
	return 0;
}

void
users_read(struct users *users, const char *file)
{
	FILE *in = fopen(file, "re");
	const struct passwd *entry;

	if (in == NULL)
		return;
	while ((entry = fgetpwent(in)) != NULL && add(users, entry) == 0)
		continue;
	fclose(in);
	if (users->n > 1)
		mergesort(users->names, users->n, sizeof(users->names[0]),
		    compare);
}

const char *
users_name(const struct users *users, uid_t uid)
{
	size_t first = 0, end = users->n;

	while (first < end) {
		const size_t middle = first + (end - first) / 2;

		if (users->names[middle].uid < uid)
			first = middle + 1;
		else
			end = middle;
	}
	return first < users->n && users->names[first].uid == uid ?
	    users->names[first].name :
	    NULL;
}

void
users_fini(struct users *users)
{
	for (size_t i = 0; i < users->n; i++)
		free(users->names[i].name);
	free(users->names);
	*users = (struct users){ 0 };
}
