/* SPDX-License-Identifier: ISC */
/* Who may be answered over the loopback interface; see loopback_source.h. */
#include "loopback_source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loopback_name.h"

int
loopback_sources_add(struct loopback_sources *s, const char *name)
{
	struct loopback_source *own =
	    reallocarray(s->own, s->n + 1, sizeof(*own));

	if (own == NULL)
		return -ENOMEM;
	s->own = own;
	own += s->n++;
	return uxs_sockaddr_from_loopback(&own->sa, &own->length, name);
}

/* The kernel leaves zeros in what an address does not use, as we do. */
static bool
is_own(const struct loopback_sources *s, const struct sockaddr_storage *from,
    socklen_t length)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->own[i].length == length &&
		    memcmp(&s->own[i].sa, from, length) == 0)
			return true;
	}
	return false;
}

enum uxs_drop
loopback_source_object_to(const struct loopback_sources *s,
    const struct sockaddr_storage *from, socklen_t length)
{
	if (!loopback_name_is_of(from))
		return UXS_DROP_FOREIGN;
	return is_own(s, from, length) ? UXS_DROP_SELF : UXS_N_DROPS;
}

void
loopback_sources_fini(struct loopback_sources *s)
{
	free(s->own);
	*s = (struct loopback_sources){ .own = NULL };
}
