/* SPDX-License-Identifier: ISC */
/* Never a messenger to somebody else's socket; see return_path.h. */
#include "return_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <uxsrv/address.h>
#include <uxsrv/units.h>

#include "tree.h"

/* The kernel's clock ticks at least a hundred times a second; twice that. */
#define MAX_TICK_NS (20 * UXS_NS_PER_MS)

/* How long a directory above a socket may have been renamed unnoticed. */
#define LOOK_NS UXS_NS_PER_S

#define PATH_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path) + 1)

struct return_pin {
	uid_t uid;
	char path[PATH_BYTES];
	int fd; /* O_PATH */
	struct sockaddr_un to; /* leads to fd, whatever happens to the path */
	socklen_t to_length;
	/* As of the last look at the path. */
	dev_t dev;
	ino_t ino;
	nlink_t n_links;
	struct timespec changed;
	int64_t looked_ns;
	bool is_settled; /* any change from now on shows in st_ctim */
	unsigned n_users; /* replies that are not sent yet */
	bool is_kept; /* in the tree; otherwise it ends with its last user */
	RB_ENTRY(return_pin) node;
	TAILQ_ENTRY(return_pin) next;
};

static int
compare_pins(const struct return_pin *a, const struct return_pin *b)
{
	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return strcmp(a->path, b->path);
}

UXS_TREE_GENERATE(return_pins, return_pin, node, compare_pins)

void
return_paths_init(struct return_paths *paths, dev_t own_dev, ino_t own_ino)
{
	*paths =
	    (struct return_paths){ .own_dev = own_dev, .own_ino = own_ino };
	RB_INIT(&paths->pins);
	TAILQ_INIT(&paths->used);
	return_paths_begin(paths);
}

/* ---- pins ---- */

static void
free_pin(struct return_pin *pin)
{
	close(pin->fd);
	free(pin);
}

/* A pin in use stays open: its number is in a reply that will be sent, and
 * must not come to mean another file. */
static void
forget(struct return_paths *paths, struct return_pin *pin)
{
	RB_REMOVE(return_pins, &paths->pins, pin);
	TAILQ_REMOVE(&paths->used, pin, next);
	paths->n_pins--;
	pin->is_kept = false;
	if (pin->n_users == 0)
		free_pin(pin);
}

static void
keep(struct return_paths *paths, struct return_pin *pin)
{
	RB_INSERT(return_pins, &paths->pins, pin);
	TAILQ_INSERT_TAIL(&paths->used, pin, next);
	paths->n_pins++;
	pin->is_kept = true;
}

static struct return_pin *
longest_unused(struct return_paths *paths)
{
	struct return_pin *pin;

	TAILQ_FOREACH (pin, &paths->used, next) {
		if (pin->n_users == 0)
			return pin;
	}
	return NULL;
}

static bool
forget_one(struct return_paths *paths)
{
	struct return_pin *pin = longest_unused(paths);

	if (pin != NULL)
		forget(paths, pin);
	return pin != NULL;
}

size_t
return_paths_trim(struct return_paths *paths)
{
	size_t n = 0;

	while (forget_one(paths))
		n++;
	return n;
}

void
return_paths_fini(struct return_paths *paths)
{
	return_paths_trim(paths);
}

/* ---- who we are, and when ---- */

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * UXS_NS_PER_S + now.tv_nsec;
}

/*
 * Descriptors have names below /proc/self/fd, but "self" is a link that is
 * made anew and followed with every look, a tenth of what a reply costs. The
 * number that it stands for is that of the pid namespace in which /proc was
 * mounted, which getpid(2) need not know.
 */
static void
find_fd_directory(struct return_paths *paths)
{
	char self[16] = "";

	if (readlink("/proc/self", self, sizeof(self) - 1) <= 0)
		strcpy(self, "self");
	snprintf(paths->fd_directory, sizeof(paths->fd_directory),
	    "/proc/%s/fd", self);
}

void
return_paths_begin(struct return_paths *paths)
{
	const pid_t pid = getpid();

	paths->own_uid = geteuid();
	paths->now_ns = clock_ns(CLOCK_MONOTONIC_COARSE);
	if (pid == paths->own_pid)
		return;
	/* New, or a child of who made the pins: their names are those of the
	 * parent's descriptors. */
	return_paths_trim(paths);
	paths->own_pid = pid;
	find_fd_directory(paths);
}

/* ---- verification ---- */

static bool
is_believed(const struct return_paths *paths, const struct uxs_peer *sender)
{
	return uxs_peer_is_known(sender) &&
	    (sender->uid == 0 || sender->uid == paths->own_uid);
}

static enum return_path_outcome
judge(const struct return_paths *paths, const struct stat *st, uid_t sender)
{
	/* O_PATH opens a symbolic link itself: it is no socket. */
	if (!S_ISSOCK(st->st_mode) || st->st_uid != sender)
		return RETURN_PATH_NOT_SENDERS;
	if (st->st_ino == paths->own_ino && st->st_dev == paths->own_dev)
		return RETURN_PATH_SELF;
	return RETURN_PATH_OPEN;
}

/*
 * Two changes within one tick of the kernel's clock leave the same st_ctim, so
 * it tells of a change only once it is older than that. One of whole seconds
 * may be of a file system that has no finer ones.
 */
static bool
is_settled(const struct stat *st)
{
	const int64_t changed_ns = st->st_ctim.tv_sec * UXS_NS_PER_S +
	    st->st_ctim.tv_nsec;

	return st->st_ctim.tv_nsec != 0 &&
	    clock_ns(CLOCK_REALTIME_COARSE) - changed_ns > MAX_TICK_NS;
}

static void
remember(const struct return_paths *paths, struct return_pin *pin,
    const struct stat *st)
{
	pin->dev = st->st_dev;
	pin->ino = st->st_ino;
	pin->n_links = st->st_nlink;
	pin->changed = st->st_ctim;
	pin->looked_ns = paths->now_ns;
	pin->is_settled = is_settled(st);
}

/* Has nobody moved, removed, linked or given away the socket since the last
 * look? Asked of the descriptor, for a third of what a look costs. */
static bool
is_untouched(const struct return_paths *paths, const struct return_pin *pin)
{
	struct stat st;

	return pin->is_settled && paths->now_ns - pin->looked_ns < LOOK_NS &&
	    fstat(pin->fd, &st) == 0 && st.st_uid == pin->uid &&
	    st.st_nlink == pin->n_links &&
	    st.st_ctim.tv_sec == pin->changed.tv_sec &&
	    st.st_ctim.tv_nsec == pin->changed.tv_nsec;
}

static bool
is_still_there(const struct return_paths *paths, struct return_pin *pin)
{
	struct stat st;

	if (lstat(pin->path, &st) < 0 || st.st_dev != pin->dev ||
	    st.st_ino != pin->ino || st.st_uid != pin->uid)
		return false;
	remember(paths, pin, &st);
	return true;
}

/* A pin that is still what its path leads to, and still the sender's. */
static struct return_pin *
find_pin(struct return_paths *paths, struct return_pin *key)
{
	struct return_pin *pin = RB_FIND(return_pins, &paths->pins, key);

	if (pin == NULL)
		return NULL;
	if (!is_untouched(paths, pin) && !is_still_there(paths, pin)) {
		forget(paths, pin);
		return NULL;
	}
	TAILQ_REMOVE(&paths->used, pin, next);
	TAILQ_INSERT_TAIL(&paths->used, pin, next);
	return pin;
}

static int
open_path(struct return_paths *paths, const char *path)
{
	int fd;

	do {
		fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	} while (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
	    forget_one(paths));
	return fd;
}

static enum return_path_outcome
verify(struct return_paths *paths, struct return_pin *pin)
{
	enum return_path_outcome outcome = RETURN_PATH_NOT_SENDERS;
	struct stat st;

	if ((pin->fd = open_path(paths, pin->path)) < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ?
		    RETURN_PATH_EXHAUSTED :
		    RETURN_PATH_GONE;
	if (fstat(pin->fd, &st) == 0)
		outcome = judge(paths, &st, pin->uid);
	if (outcome != RETURN_PATH_OPEN) {
		close(pin->fd);
		return outcome;
	}
	remember(paths, pin, &st);
	return RETURN_PATH_OPEN;
}

static enum return_path_outcome
make_pin(struct return_paths *paths, const struct return_pin *key,
    struct return_pin **made)
{
	char link[sizeof(paths->fd_directory) + sizeof("/2147483647")];
	struct return_pin *pin = malloc(sizeof(*pin));
	enum return_path_outcome outcome;

	if (pin == NULL)
		return RETURN_PATH_EXHAUSTED;
	*pin = *key;
	if ((outcome = verify(paths, pin)) != RETURN_PATH_OPEN) {
		free(pin);
		return outcome;
	}
	snprintf(link, sizeof(link), "%s/%d", paths->fd_directory, pin->fd);
	uxs_sockaddr_from_path(&pin->to, &pin->to_length, link);
	if (paths->n_pins == RETURN_PINS_MAX)
		forget_one(paths);
	keep(paths, pin);
	*made = pin;
	return RETURN_PATH_OPEN;
}

static enum return_path_outcome
pin_path(struct return_paths *paths, struct return_path *path, const char *name,
    uid_t sender)
{
	struct return_pin key = { .uid = sender };
	struct return_pin *pin;
	enum return_path_outcome outcome;

	strlcpy(key.path, name, sizeof(key.path));
	if ((pin = find_pin(paths, &key)) == NULL &&
	    (outcome = make_pin(paths, &key, &pin)) != RETURN_PATH_OPEN)
		return outcome;
	pin->n_users++;
	path->pin = pin;
	path->dev = pin->dev;
	path->ino = pin->ino;
	path->to = pin->to;
	path->length = pin->to_length;
	return RETURN_PATH_OPEN;
}

/* ---- one reply ---- */

enum return_path_outcome
return_path_open(struct return_paths *paths, struct return_path *path,
    const union return_address *from, socklen_t from_length,
    const struct uxs_peer *sender)
{
	const size_t before_name = offsetof(struct sockaddr_un, sun_path);

	path->pin = NULL;
	path->dev = 0;
	path->ino = 0;
	path->is_believed = is_believed(paths, sender);
	if (from_length <= before_name)
		return RETURN_PATH_NONE;
	/*
	 * An abstract name is bound to one socket and has no owner to look
	 * at; no link can lead from it elsewhere.
	 */
	if (from->un.sun_path[0] == '\0' || path->is_believed) {
		path->to = from->un;
		/* 108 bytes without a NUL are reported as one longer than the
		 * struct, but are sent as they are. */
		path->length = from_length > sizeof(path->to) ?
		    sizeof(path->to) :
		    from_length;
		return RETURN_PATH_OPEN;
	}
	/* Relative names would be looked up in our directory, not the
	 * sender's, and an unknown sender owns nothing. */
	if (from->un.sun_path[0] != '/' || !uxs_peer_is_known(sender))
		return RETURN_PATH_NOT_SENDERS;
	return pin_path(paths, path, from->un.sun_path, sender->uid);
}

void
return_path_close(struct return_paths *paths, struct return_path *path,
    bool is_dead)
{
	struct return_pin *pin = path->pin;

	if (pin == NULL)
		return;
	path->pin = NULL;
	pin->n_users--;
	if (is_dead && pin->is_kept)
		forget(paths, pin);
	else if (!pin->is_kept && pin->n_users == 0)
		free_pin(pin);
}
