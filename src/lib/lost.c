/* SPDX-License-Identifier: ISC */
/* Socket files that were lost; see lost.h. */
#include "lost.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <uxsrv/server.h>
#include <uxsrv/units.h>

#include "counter.h"
#include "door.h"
#include "shown.h"
#include "sysret.h"

/* From an event to the look, and so at most a hundred batches of events a
 * second. Also the grace for who found the old file, and is on his way to the
 * old listener: he still gets in. */
#define PAUSE_NS (10 * UXS_NS_PER_MS)

/* What does not work now is tried again after this, then after twice as long,
 * and so on: a missing directory tells nobody when it comes back. */
#define RETRY_MIN_NS (100 * UXS_NS_PER_MS)
#define RETRY_MAX_NS (10 * UXS_NS_PER_S)

/* How often to look at what is not watched. */
#define LOOK_NS (5 * UXS_NS_PER_S)

/*
 * What takes a file away from its name, its lock too, or changes who may use
 * it, and what happens to the directory itself; not IN_CREATE, since nothing
 * is created where something is. Besides come IN_Q_OVERFLOW, IN_UNMOUNT and
 * IN_IGNORED.
 */
#define EVENTS                                                 \
	(IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Some hundred events with names of the usual length. */
#define BATCH_BYTES 16384

static int64_t
now_ns(const struct lost *l)
{
	return uxs_loop_now_ns(l->context->loop);
}

static void
say(const struct lost *l, enum uxs_level level, const struct lost_file *f,
    const char *what)
{
	char path[SHOWN_MAX];

	uxs_log_print(l->context->log, level, UXS_EVENT_LIFE, now_ns(l),
	    "%s: %s", shown(path, f->path), what);
}

/* ---- when to look ---- */

static void
look_soon(struct lost *l, struct lost_file *f)
{
	f->is_touched = true;
	uxs_timer_start(l->context->loop, &l->pause, now_ns(l) + PAUSE_NS);
}

/* Sooner or later, for whatever is lost or not watched. */
static void
plan_retry(struct lost *l)
{
	bool is_lost = false, is_unwatched = false;

	for (size_t i = 0; i < l->n; i++) {
		is_lost |= l->files[i].state != LISTENER_FILE_OURS ||
		    !listener_has_lock(&l->files[i].door->listener);
		is_unwatched |= l->files[i].directory < 0;
	}
	if (is_lost && l->retry_ns < RETRY_MIN_NS)
		l->retry_ns = RETRY_MIN_NS;
	else if (is_lost)
		l->retry_ns = l->retry_ns * 2 < RETRY_MAX_NS ? l->retry_ns * 2 :
							       RETRY_MAX_NS;
	else
		l->retry_ns = 0;
	if (is_lost || is_unwatched)
		uxs_timer_start(l->context->loop, &l->retry,
		    now_ns(l) + (is_lost ? l->retry_ns : LOOK_NS));
}

/* ---- watching ---- */

static bool
is_watched_by_another(const struct lost *l, const struct lost_file *f)
{
	for (size_t i = 0; i < l->n; i++) {
		if (&l->files[i] != f && l->files[i].directory == f->directory)
			return true;
	}
	return false;
}

/* Through the descriptor, so that it is this directory and no other; by its
 * path only where there is no /proc. */
static int
watch_directory(const struct lost *l, const struct lost_file *f)
{
	const char *slash = strrchr(f->path, '/');
	char path[PATH_MAX];
	int r;

	if (l->watch.fd < 0)
		return l->watch_error;
	snprintf(path, sizeof(path), "/proc/self/fd/%d",
	    f->door->listener.place.dir_fd);
	r = sysret(inotify_add_watch(l->watch.fd, path, EVENTS));
	if (r != -ENOENT)
		return r;
	snprintf(path, sizeof(path), "%.*s", (int)(slash - f->path) + 1,
	    f->path);
	return sysret(inotify_add_watch(l->watch.fd, path, EVENTS));
}

static void
warn_unwatched(struct lost *l, const struct lost_file *f, int r)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "the socket file cannot be watched (%s); it is looked at every %d "
	    "s instead",
	    strerror(-r), (int)(LOOK_NS / UXS_NS_PER_S));
	say(l, UXS_WARNING, f, text);
}

/* The same directory twice is one watch. */
static void
watch(struct lost *l, struct lost_file *f)
{
	const int fresh = watch_directory(l, f);

	if (f->directory >= 0 && fresh != f->directory &&
	    !is_watched_by_another(l, f))
		inotify_rm_watch(l->watch.fd, f->directory);
	if (fresh < 0 && (f->directory >= 0 || !f->is_taken_up))
		warn_unwatched(l, f, fresh);
	f->directory = fresh < 0 ? -1 : fresh;
}

/* What was done before the watch was there left no event: look. */
static void
take_up(struct lost *l, struct lost_file *f)
{
	struct stat st;

	watch(l, f);
	f->is_taken_up = true;
	if (listener_look(&f->door->listener, f->path, &st) !=
	    LISTENER_FILE_OURS) {
		look_soon(l, f);
		return;
	}
	f->mode = st.st_mode;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
}

/* ---- what happened to it ---- */

static const char *
words_for(enum listener_file state)
{
	switch (state) {
	case LISTENER_FILE_OURS:
		break;
	case LISTENER_FILE_REMOVED:
		return "the socket file was removed";
	case LISTENER_FILE_REPLACED:
		return "the socket file was replaced";
	case LISTENER_FILE_ELSEWHERE:
		return "the directory of the socket was removed or replaced";
	}
	return "the socket file is ours again";
}

/* Once for each reason; there may be many attempts. */
static void
tell_failure(struct lost *l, struct lost_file *f, const struct uxs_error *why)
{
	if (strcmp(f->told, why->text) == 0)
		return;
	snprintf(f->told, sizeof(f->told), "%s", why->text);
	uxs_log_print(l->context->log, UXS_WARNING, UXS_EVENT_LIFE, now_ns(l),
	    "the socket cannot be made anew yet: %s", why->text);
}

static void
tell_changes(struct lost *l, struct lost_file *f, const struct stat *st)
{
	char text[128];

	if (st->st_mode != f->mode) {
		snprintf(text, sizeof(text),
		    "somebody changed the mode of the socket file from %04o to "
		    "%04o",
		    (unsigned)(f->mode & 07777),
		    (unsigned)(st->st_mode & 07777));
		say(l, UXS_WARNING, f, text);
	}
	if (st->st_uid != f->uid || st->st_gid != f->gid) {
		snprintf(text, sizeof(text),
		    "somebody changed the owner of the socket file from %u:%u "
		    "to %u:%u",
		    (unsigned)f->uid, (unsigned)f->gid, (unsigned)st->st_uid,
		    (unsigned)st->st_gid);
		say(l, UXS_WARNING, f, text);
	}
	f->mode = st->st_mode;
	f->uid = st->st_uid;
	f->gid = st->st_gid;
}

/* ---- what is done ---- */

static void
rebind(struct lost *l, struct lost_file *f)
{
	struct door *door = f->door;
	struct uxs_listener_conf conf = l->conf;
	struct uxs_listener fresh;
	struct uxs_error why;

	/* The next attempt is soon enough: the former is being emptied. */
	if (door_has_former(door))
		return;
	conf.address = door->listener.address;
	if (listener_rebind(&fresh, &door->listener, &conf, f->path,
		l->context->backlog, &why) < 0) {
		tell_failure(l, f, &why);
		return;
	}
	door_renew(door, &fresh);
	counter_add(&l->context->stats->rebinds, 1);
	f->state = LISTENER_FILE_OURS;
	f->told[0] = '\0';
	say(l, UXS_NOTICE, f, "the socket was made anew");
	take_up(l, f);
}

static void
tell_owner(struct lost *l, const struct lost_file *f)
{
	char path[SHOWN_MAX];
	struct uxs_error why;

	uxs_error_set(&why, UXS_FAILURE_CREATE, ESTALE,
	    "%s: %s; stopped, as on-lost is exit", shown(path, f->path),
	    words_for(f->state));
	l->context->on_lost(l->context, &why);
}

/* Without it, somebody else could come to hold a lock of that name. */
static void
keep_lock(struct lost *l, struct lost_file *f)
{
	struct uxs_error why;

	if (listener_has_lock(&f->door->listener))
		return;
	if (listener_relock(&f->door->listener, &why) < 0) {
		tell_failure(l, f, &why);
		return;
	}
	f->told[0] = '\0';
	say(l, UXS_NOTICE, f, "the lock file was removed; it was made anew");
}

static void
look(struct lost *l, struct lost_file *f)
{
	struct stat st;
	enum listener_file state;

	if (f->door->listener.is_pending) {
		look_soon(l, f); /* still the predecessor's */
		return;
	}
	state = listener_look(&f->door->listener, f->path, &st);
	f->is_touched = false;
	if (state != f->state) {
		f->state = state;
		f->told[0] = '\0';
		say(l, state == LISTENER_FILE_OURS ? UXS_NOTICE : UXS_WARNING,
		    f, words_for(state));
	}
	if (state != LISTENER_FILE_OURS && l->is_exit) {
		tell_owner(l, f);
	} else if (state != LISTENER_FILE_OURS) {
		rebind(l, f);
	} else {
		tell_changes(l, f, &st);
		keep_lock(l, f);
	}
}

/* ---- events ---- */

static bool
is_about(const struct lost_file *f, const struct inotify_event *event)
{
	const struct uxs_place *place = &f->door->listener.place;
	const size_t n = strlen(place->name);

	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (event->wd != f->directory)
		return false;
	/* Without a name it is about the directory itself. */
	return event->len == 0 ||
	    (strncmp(event->name, place->name, n) == 0 &&
		(event->name[n] == '\0' ||
		    strcmp(event->name + n, UXS_LOCK_SUFFIX) == 0));
}

static void
take_event(struct lost *l, const struct inotify_event *event)
{
	for (size_t i = 0; i < l->n; i++) {
		if (is_about(&l->files[i], event))
			l->files[i].is_touched = true;
	}
}

/* Whatever it is about: until the pause is over nothing more is read, and in a
 * busy directory that is what keeps it cheap. */
static void
on_events(struct uxs_watch *watch, uint32_t events)
{
	struct lost *l = uxs_container_of(watch, struct lost, watch);
	_Alignas(struct inotify_event) char batch[BATCH_BYTES];
	const ssize_t n = read(watch->fd, batch, sizeof(batch));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(batch + at);

		take_event(l, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	uxs_watch_stop(l->context->loop, watch);
	uxs_timer_start(l->context->loop, &l->pause, now_ns(l) + PAUSE_NS);
}

/* Those that have been touched, or all. */
static void
look_at(struct lost *l, bool all)
{
	bool has_looked = false;

	for (size_t i = 0; i < l->n && !l->is_stopped; i++) {
		if (all || l->files[i].is_touched) {
			look(l, &l->files[i]);
			has_looked = true;
		}
	}
	if (has_looked && !l->is_stopped)
		plan_retry(l);
}

static void
on_pause_over(struct uxs_timer *timer)
{
	struct lost *l = uxs_container_of(timer, struct lost, pause);

	if (l->watch.fd >= 0 &&
	    uxs_watch_start(l->context->loop, &l->watch, EPOLLIN) < 0)
		look_soon(l, &l->files[0]); /* no memory: try it again */
	look_at(l, false);
}

static void
on_retry(struct uxs_timer *timer)
{
	look_at(uxs_container_of(timer, struct lost, retry), true);
}

/* ---- life ---- */

/* The working directory may be another one later. */
static char *
absolute_path(const char *path)
{
	char directory[PATH_MAX], *absolute;

	if (path[0] == '/')
		return strdup(path);
	if (getcwd(directory, sizeof(directory)) == NULL ||
	    asprintf(&absolute, "%s/%s", directory, path) < 0)
		return NULL;
	return absolute;
}

static int
add_file(struct lost *l, struct door *door)
{
	struct lost_file *f = &l->files[l->n];

	*f = (struct lost_file){ .door = door, .directory = -1 };
	if ((f->path = absolute_path(door->listener.place.path)) == NULL)
		return -ENOMEM;
	l->n++;
	return 0;
}

/* Also one that a predecessor made, and is about to be ours. */
static bool
has_file(const struct uxs_listener *l)
{
	return !l->is_inherited && uxs_address_has_file(l->address);
}

static int
add_files(struct lost *l, struct door *doors, size_t n)
{
	l->n = 0;
	if ((l->files = calloc(n, sizeof(l->files[0]))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (has_file(&doors[i].listener) && add_file(l, &doors[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void
start(struct lost *l)
{
	struct uxs_loop *loop = l->context->loop;
	const int fd = sysret(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	int r = fd;

	l->watch = (struct uxs_watch){ .fd = fd, .on_ready = on_events };
	if (fd >= 0 && (r = uxs_watch_start(loop, &l->watch, EPOLLIN)) < 0) {
		close(fd);
		l->watch.fd = -1;
	}
	l->watch_error = r < 0 ? r : 0;
	for (size_t i = 0; i < l->n; i++)
		take_up(l, &l->files[i]);
	plan_retry(l);
}

int
lost_open(struct lost *l, const struct uxs_server_conf *conf,
    struct door *doors, size_t n, struct door_context *context,
    struct uxs_error *why)
{
	if (conf->on_lost == UXS_ON_LOST_IGNORE)
		return 0;
	l->context = context;
	l->is_exit = conf->on_lost == UXS_ON_LOST_EXIT;
	l->conf = (struct uxs_listener_conf){
		.mode = conf->mode,
		.owner_uid = conf->owner_uid,
		.owner_gid = conf->owner_gid,
		.force_dir = conf->force_dir,
	};
	l->pause.on_expiry = on_pause_over;
	l->retry.on_expiry = on_retry;
	if (add_files(l, doors, n) < 0)
		return uxs_error_set(why, UXS_FAILURE_SYSTEM, ENOMEM,
		    "no memory to watch the socket files");
	if (l->n > 0)
		start(l);
	return 0;
}

void
lost_stop(struct lost *l)
{
	l->is_stopped = true;
	if (l->context == NULL)
		return;
	uxs_watch_stop(l->context->loop, &l->watch);
	uxs_timer_stop(l->context->loop, &l->pause);
	uxs_timer_stop(l->context->loop, &l->retry);
}

void
lost_close(struct lost *l)
{
	lost_stop(l);
	if (l->watch.fd >= 0)
		close(l->watch.fd);
	for (size_t i = 0; i < l->n; i++)
		free(l->files[i].path);
	free(l->files);
	*l = (struct lost)LOST_CLOSED;
}
