/* SPDX-License-Identifier: ISC */
/* SIGHUP: the rules are read again while the old ones decide. */
#include "reload.h"

#include <inttypes.h>

#include <uxsrv/error.h>

void
reload_init(struct reload *reload, struct options *options, struct uxs_log *log)
{
	*reload = (struct reload){
		.options = options,
		.log = log,
		.access = &options->access,
		.had_allow = uxs_access_has_allow(&options->access),
	};
}

static void
say(struct reload *reload, enum uxs_level level, const char *what,
    const char *why)
{
	uxs_log_print(reload->log, level, UXS_EVENT_LIFE, 0, "%s%s", what, why);
}

/* Who may write to the file was decided when it was made. */
static void
warn_of_mode(struct reload *reload)
{
	if (reload->options->conf.mode == UXS_MODE_AUTO &&
	    uxs_access_has_allow(reload->access) && !reload->had_allow)
		say(reload, UXS_WARNING,
		    "at start no rule allowed anybody, so the socket files "
		    "stay closed to others; start anew, or with --mode",
		    "");
}

/* In place of old, or not at all. */
static int
take_rules(struct reload *reload, struct uxs_server *server,
    struct uxs_server *also, struct uxs_access *next, struct uxs_error *why)
{
	struct uxs_error ignored;
	int r;

	*next = (struct uxs_access)UXS_ACCESS_EMPTY(reload->access->own_uid);
	next->takes_overflow = reload->access->takes_overflow;
	if ((r = rules_load(&reload->options->rules, next, why)) < 0 ||
	    (also != NULL &&
		(r = uxs_server_set_access(also, next, why)) < 0)) {
		uxs_access_fini(next);
		return r;
	}
	if ((r = uxs_server_set_access(server, next, why)) < 0) {
		if (also != NULL)
			uxs_server_set_access(also, reload->access, &ignored);
		uxs_access_fini(next);
	}
	return r;
}

static uint64_t
count_ended(const struct uxs_server *server)
{
	struct uxs_stats stats;

	uxs_server_stats(server, &stats);
	return stats.closed[UXS_CLOSE_RULES];
}

void
reload_try(struct reload *reload)
{
	struct uxs_access trial = UXS_ACCESS_EMPTY(reload->access->own_uid);
	struct uxs_error why;

	trial.takes_overflow = reload->access->takes_overflow;
	if (rules_load(&reload->options->rules, &trial, &why) < 0)
		say(reload, UXS_WARNING,
		    "SIGHUP will not be able to read the rules again: ",
		    why.text);
	uxs_access_fini(&trial);
}

bool
reload_rules(struct reload *reload, struct uxs_server *server,
    struct uxs_server *also)
{
	const uint64_t n_before = count_ended(server);
	struct uxs_access *next = reload->access == &reload->other ?
	    &reload->options->access :
	    &reload->other;
	struct uxs_error why;

	if (!rules_have_file(&reload->options->rules)) {
		say(reload, UXS_NOTICE, "no rules file, nothing to read again",
		    "");
		return true;
	}
	if (take_rules(reload, server, also, next, &why) < 0) {
		say(reload, UXS_ERROR, "the old rules stay: ", why.text);
		return false;
	}
	uxs_access_fini(reload->access);
	reload->access = next;
	uxs_log_print(reload->log, UXS_NOTICE, UXS_EVENT_LIFE, 0,
	    "rules were read again: %zu rules, %" PRIu64 " sessions ended",
	    next->n, count_ended(server) - n_before);
	warn_of_mode(reload);
	return true;
}

void
reload_fini(struct reload *reload)
{
	uxs_access_fini(&reload->other);
}
