/* SPDX-License-Identifier: ISC */
/* The sources of the access rules, read at start and at every SIGHUP. */
#include "rules.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uxsrv/error.h>
#include <uxsrv/rules.h>

int
rules_add(struct rules *rules, enum rules_kind kind, const char *text,
    struct uxs_error *why)
{
	struct rules_source *sources =
	    reallocarray(rules->sources, rules->n + 1, sizeof(*sources));

	if (sources == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory for the access rules");
	sources[rules->n++] = (struct rules_source){ kind, text, NULL };
	rules->sources = sources;
	return 0;
}

bool
rules_have_file(const struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (rules->sources[i].kind == RULES_FILE)
			return true;
	}
	return false;
}

static int
load_source(const struct rules_source *source, struct uxs_access *access,
    struct uxs_error *why)
{
	switch (source->kind) {
	case RULES_ALLOW:
		return uxs_access_add(access, UXS_ALLOW, source->text,
		    &uxs_names_system, why);
	case RULES_DENY:
		return uxs_access_add(access, UXS_DENY, source->text,
		    &uxs_names_system, why);
	case RULES_FILE:
		return uxs_rules_read(access, source->text, &uxs_names_system,
		    why);
	}
	return -EINVAL;
}

int
rules_load(const struct rules *rules, struct uxs_access *access,
    struct uxs_error *why)
{
	int r = 0;

	for (size_t i = 0; i < rules->n && r == 0; i++)
		r = load_source(&rules->sources[i], access, why);
	return r;
}

int
rules_fix_paths(struct rules *rules, struct uxs_error *why)
{
	char here[PATH_MAX];

	if (!rules_have_file(rules))
		return 0;
	if (getcwd(here, sizeof(here)) == NULL)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, errno,
		    "cannot find out the working directory: %s",
		    strerror(errno));
	for (size_t i = 0; i < rules->n; i++) {
		struct rules_source *s = &rules->sources[i];

		if (s->kind != RULES_FILE || s->text[0] == '/')
			continue;
		if (asprintf(&s->owned, "%s/%s", here, s->text) < 0) {
			s->owned = NULL;
			return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
			    "no memory for the path of a file of rules");
		}
		s->text = s->owned;
	}
	return 0;
}

void
rules_fini(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->sources[i].owned);
	free(rules->sources);
	*rules = (struct rules){ .n = 0 };
}
