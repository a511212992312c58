/* SPDX-License-Identifier: ISC */
/* What is confined, and to what; see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uxsrv/address.h>
#include <uxsrv/error.h>

#include "options.h"
#include "sandbox_landlock.h"
#include "sandbox_seccomp.h"

/* A socket file is removed at a clean stop, and made again when it is lost:
 * under the lock, which is made, read and written. */
#define TO_END LANDLOCK_MAY_REMOVE
#define TO_REBIND                                                             \
	(LANDLOCK_MAY_REMOVE | LANDLOCK_MAY_MAKE_SOCKET |                     \
	    LANDLOCK_MAY_MAKE_FILE | LANDLOCK_MAY_READ | LANDLOCK_MAY_WRITE | \
	    LANDLOCK_MAY_TRUNCATE)

/* Directories, since those who keep these files replace them by new ones. What
 * is not here is found by sockets, which need no right. */
static const struct {
	const char *path;
	uint64_t rights;
} of_names[] = {
	/* nsswitch.conf, passwd, group */
	{ "/etc", LANDLOCK_MAY_READ },
	/* systemd: one socket for each service that knows users */
	{ "/run/systemd/userdb", LANDLOCK_MAY_READ | LANDLOCK_MAY_LIST },
	/* sssd: what it remembers */
	{ "/var/lib/sss/mc", LANDLOCK_MAY_READ },
};

/* ---- what there is ---- */

/* What the kernel says where something is turned off, or not let through. */
static bool
is_lack(int r, enum sandbox_lack *lack)
{
	switch (-r) {
	case ENOSYS: /* too old; or a container's filter */
	case EOPNOTSUPP: /* turned off at boot */
	case EINVAL:
		*lack = SANDBOX_NO_KERNEL;
		return true;
	case EPERM:
	case EACCES:
	case E2BIG: /* as many layers around us as there may be */
		*lack = SANDBOX_FORBIDDEN;
		return true;
	default:
		return false;
	}
}

static unsigned
find_needs(const struct options *options)
{
	unsigned needs = 0;

	if (rules_have_file(&options->rules))
		needs |= SANDBOX_RULES;
	/* The socket of the figures is made anew in any case. */
	if (options->has_stats && !options->stats[0].is_abstract)
		needs |= SANDBOX_REBIND;
	if (options->conf.on_lost != UXS_ON_LOST_REBIND)
		return needs;
	for (size_t i = 0; i < options->conf.n_addresses; i++) {
		if (uxs_address_has_file(&options->conf.addresses[i]))
			needs |= SANDBOX_REBIND;
	}
	return needs;
}

void
sandbox_probe(struct sandbox *s, const struct options *options)
{
	int r;

	*s = (struct sandbox)SANDBOX_CLOSED;
	if (options->is_unconfined)
		return;
	s->landlock = s->seccomp = SANDBOX_NOT_FOR_PROGRAMS;
	if (options->program != NULL)
		return;
	s->landlock = s->seccomp = SANDBOX_NOT_BUILT;
	if (!SANDBOX_IS_BUILT)
		return;
	s->needs = find_needs(options);
	s->landlock = SANDBOX_HAS;
	if ((s->abi = landlock_version()) < 0 && !is_lack(s->abi, &s->landlock))
		s->landlock = SANDBOX_NO_KERNEL;
	if (!seccomp_is_built())
		return;
	s->seccomp = SANDBOX_HAS;
	if ((r = seccomp_check()) < 0 && !is_lack(r, &s->seccomp))
		s->seccomp = SANDBOX_NO_KERNEL;
}

/* ---- what is to stay possible ---- */

static int
allow_directory_of(const struct sandbox *s, const char *path, uint64_t rights)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX] = ".";

	if (slash != NULL) /* "/name" is in "/" */
		snprintf(directory, sizeof(directory), "%.*s",
		    (int)(slash == path ? 1 : slash - path), path);
	return landlock_allow(s->ruleset_fd, s->abi, directory, rights);
}

/* Where its path is, and where a symbolic link there leads. */
static int
allow_rules_file(const struct sandbox *s, const char *path)
{
	char real[PATH_MAX];
	int r = allow_directory_of(s, path, LANDLOCK_MAY_READ);

	if (r == 0 && realpath(path, real) != NULL)
		r = allow_directory_of(s, real, LANDLOCK_MAY_READ);
	return r;
}

static int
allow_rules(const struct sandbox *s, const struct rules *rules)
{
	int r = 0;

	if ((s->needs & SANDBOX_RULES) == 0)
		return 0;
	for (size_t i = 0; i < rules->n && r == 0; i++) {
		if (rules->sources[i].kind == RULES_FILE)
			r = allow_rules_file(s, rules->sources[i].text);
	}
	for (size_t i = 0; i < sizeof(of_names) / sizeof(of_names[0]); i++) {
		if (r == 0)
			r = landlock_allow(s->ruleset_fd, s->abi,
			    of_names[i].path, of_names[i].rights);
	}
	return r;
}

static bool
is_root_directory(const char *path)
{
	struct stat st, root;

	return stat(path, &st) == 0 && stat("/", &root) == 0 &&
	    st.st_dev == root.st_dev && st.st_ino == root.st_ino;
}

/*
 * A right is that of a directory, not of its path: one that is removed and
 * made again, as /run/uxecho may be, is reached only from the one above it.
 * Not from the root: what lies there directly is not made again, and all files
 * lie below it.
 */
static int
allow_above(const struct sandbox *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX];

	/* The kernel's "..": where a symbolic link leads, not where it is. */
	snprintf(above, sizeof(above), "%.*s..",
	    slash != NULL ? (int)(slash - path + 1) : 0, path);
	return is_root_directory(above) ?
	    0 :
	    landlock_allow(s->ruleset_fd, s->abi, above, TO_REBIND);
}

static int
allow_socket(const struct sandbox *s, const struct uxs_address *address)
{
	int r;

	if (!uxs_address_has_file(address))
		return 0;
	if ((s->needs & SANDBOX_REBIND) == 0)
		return allow_directory_of(s, address->name, TO_END);
	r = allow_directory_of(s, address->name, TO_REBIND);
	return r < 0 ? r : allow_above(s, address->name);
}

static int
allow_sockets(const struct sandbox *s, const struct options *options)
{
	const struct uxs_server_conf *conf = &options->conf;
	int r = 0;

	for (size_t i = 0; i < conf->n_addresses && r == 0; i++)
		r = allow_socket(s, &conf->addresses[i]);
	if (options->has_stats && r == 0)
		r = allow_socket(s, &options->stats[0]);
	return r;
}

static int
open_ruleset(struct sandbox *s, const struct options *options)
{
	int r;

	if ((s->ruleset_fd = landlock_open(s->abi)) < 0)
		return s->ruleset_fd;
	if ((r = allow_sockets(s, options)) < 0 ||
	    (r = allow_rules(s, &options->rules)) < 0)
		return r;
	return options->pidfile == NULL ?
	    0 :
	    allow_directory_of(s, options->pidfile, TO_END);
}

static int
fail(struct uxs_error *why, int r, const char *what)
{
	return uxs_error_set(why, UXS_FAILURE_SYSTEM, -r,
	    "cannot confine the process: %s: %s; --no-sandbox does without",
	    what, strerror(-r));
}

int
sandbox_open(struct sandbox *s, const struct options *options,
    struct uxs_error *why)
{
	int r;

	sandbox_probe(s, options);
	if (s->landlock != SANDBOX_HAS)
		return 0;
	if ((r = open_ruleset(s, options)) == 0)
		return 0;
	sandbox_close(s);
	return is_lack(r, &s->landlock) ? 0 : fail(why, r, "Landlock");
}

/* ---- in ---- */

/* Loads the modules that /etc/nsswitch.conf names: later nothing can be mapped
 * that is to be executed. Nobody has this name. */
static void
load_modules(const struct sandbox *s)
{
	if ((s->needs & SANDBOX_RULES) != 0) {
		getpwnam("");
		getgrnam("");
	}
}

int
sandbox_enter(struct sandbox *s, struct uxs_error *why)
{
	int r;

	if (s->landlock != SANDBOX_HAS && s->seccomp != SANDBOX_HAS)
		return 0;
	load_modules(s);
	/* Both ask for it: no program could get rights that would let it out.
	 * It cannot fail. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (s->landlock == SANDBOX_HAS &&
	    (r = landlock_enter(s->ruleset_fd)) < 0 &&
	    !is_lack(r, &s->landlock))
		return fail(why, r, "Landlock");
	/* Last, since it forbids Landlock. */
	if (s->seccomp == SANDBOX_HAS && (r = seccomp_enter(s->needs)) < 0 &&
	    !is_lack(r, &s->seccomp))
		return fail(why, r, "seccomp");
	return 0;
}

void
sandbox_close(struct sandbox *s)
{
	if (s->ruleset_fd >= 0)
		close(s->ruleset_fd);
	s->ruleset_fd = -1;
}

/* ---- in words ---- */

static const char *
explain(enum sandbox_lack lack)
{
	switch (lack) {
	case SANDBOX_HAS:
		break;
	case SANDBOX_NOT_WANTED:
		return "not wanted";
	case SANDBOX_NOT_FOR_PROGRAMS:
		return "a program is run";
	case SANDBOX_NOT_BUILT:
		return "not in this build";
	case SANDBOX_NO_KERNEL:
		return "not in this kernel";
	case SANDBOX_FORBIDDEN:
		return "not allowed here";
	}
	return "";
}

char *
sandbox_print(const struct sandbox *s, char text[SANDBOX_TEXT_MAX])
{
	char landlock[SANDBOX_TEXT_MAX / 2], seccomp[SANDBOX_TEXT_MAX / 2 - 2];

	if (s->landlock == SANDBOX_NOT_WANTED) {
		snprintf(text, SANDBOX_TEXT_MAX, "none (--no-sandbox)");
		return text;
	}
	if (s->landlock == SANDBOX_NOT_FOR_PROGRAMS) {
		snprintf(text, SANDBOX_TEXT_MAX, "none (--service exec)");
		return text;
	}
	if (s->landlock == SANDBOX_HAS)
		snprintf(landlock, sizeof(landlock), "Landlock (ABI %d)",
		    s->abi);
	else
		snprintf(landlock, sizeof(landlock), "no Landlock (%s)",
		    explain(s->landlock));
	if (s->seccomp == SANDBOX_HAS)
		snprintf(seccomp, sizeof(seccomp), "seccomp");
	else
		snprintf(seccomp, sizeof(seccomp), "no seccomp (%s)",
		    explain(s->seccomp));
	snprintf(text, SANDBOX_TEXT_MAX, "%s, %s", landlock, seccomp);
	return text;
}
