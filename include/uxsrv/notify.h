/* SPDX-License-Identifier: ISC */
#ifndef UXS_NOTIFY_H
#define UXS_NOTIFY_H

#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/un.h>

#include <uxsrv/initial.h>
#include <uxsrv/loop.h>

__BEGIN_DECLS

struct uxs_error;

/*
 * Tell whoever started us how we are: the protocol of sd_notify(3), spoken
 * directly, and a newline on a descriptor, as s6, dinit and OpenRC want it.
 *
 *	struct uxs_notify notify = UXS_NOTIFY_CLOSED;
 *
 *	uxs_notify_open(&notify, &why);		reads the environment
 *	conf.notify = &notify;			the server tells the rest
 *	uxs_notify_send(&notify, "STATUS=%s", text);
 *	uxs_notify_close(&notify);
 *
 * Nothing here ever waits: what the manager has no room for is kept, up to
 * UXS_NOTIFY_KEPT messages, and sent when it has.
 */

#define UXS_NOTIFY_TEXT_MAX 512 /* of one message, with its NUL */
#define UXS_NOTIFY_KEPT 4

struct uxs_notify {
	/* The manager wants a sign of life within this time; 0: it does not,
	 * and nothing wakes up an idle service. */
	int64_t watchdog_ns;
	/* Called before each sign of life: the time to send a status, if there
	 * is a new one. NULL: nothing. */
	void (*on_beat)(struct uxs_notify *notify);
	void *arg;
	/* private */
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un to;
	socklen_t to_length;
	struct uxs_loop *loop; /* NULL until start */
	struct uxs_watch room;
	struct uxs_timer beat;
	unsigned n_kept;
	char kept[UXS_NOTIFY_KEPT][UXS_NOTIFY_TEXT_MAX];
};

#define UXS_NOTIFY_CLOSED_VALUES(SET) SET(fd, -1)
#define UXS_NOTIFY_CLOSED \
	UXS_INITIAL(struct uxs_notify, UXS_NOTIFY_CLOSED_VALUES)

/*
 * Read NOTIFY_SOCKET (an absolute path, or '@' and an abstract name),
 * WATCHDOG_USEC and WATCHDOG_PID, and remove them from the environment, so
 * that no child takes them for its own; before there are other threads, since
 * they may not read it meanwhile. A WATCHDOG_PID that is not ours is ignored.
 * Do this before root is given up: the manager need not let others in.
 *
 * Returns 0, also where none is set and where the manager is not there (yet),
 * or a negative errno with *why: malformed (kind config), or no socket.
 */
int uxs_notify_open(struct uxs_notify *notify, struct uxs_error *why);

/* Does anybody want to know? */
static inline bool
uxs_notify_is_open(const struct uxs_notify *notify)
{
	return notify->fd >= 0;
}

/*
 * From now on send WATCHDOG=1 twice in each watchdog_ns, from the loop itself,
 * so that a loop which is stuck is found out; and what had to be kept, when
 * there is room. uxs_server_run does this. Borrows both until stop.
 */
void uxs_notify_start(struct uxs_notify *notify, struct uxs_loop *loop);

/* Keep still again, as before start. May be called twice. */
void uxs_notify_stop(struct uxs_notify *notify);

/*
 * Send one message: assignments such as "READY=1", one a line, no newline at
 * the end. What does not fit UXS_NOTIFY_TEXT_MAX is cut.
 *
 * Returns 0 when it was sent, kept, or nobody wants to know; otherwise a
 * negative errno, and the message is lost: nobody is there (-ECONNREFUSED,
 * -ENOENT), we may not (-EACCES), too many are kept already (-EAGAIN).
 */
int uxs_notify_send(struct uxs_notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is nothing kept that was to be sent? */
static inline bool
uxs_notify_has_sent(const struct uxs_notify *notify)
{
	return notify->n_kept == 0;
}

/* Forget what is kept, and close. May be called twice. */
void uxs_notify_close(struct uxs_notify *notify);

/* Write a newline to fd, then close it. Returns 0 or a negative errno; fd is
 * closed in any case. A reader that is gone is an error, never a signal as
 * long as SIGPIPE is ignored. */
int uxs_notify_ready_fd(int fd);

__END_DECLS

#endif
