/* SPDX-License-Identifier: ISC */
#ifndef UXS_LISTENER_H
#define UXS_LISTENER_H

#include <stdbool.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include <uxsrv/address.h>
#include <uxsrv/initial.h>
#include <uxsrv/lock.h>
#include <uxsrv/place.h>

__BEGIN_DECLS

struct uxs_error;
struct uxs_handed;
struct uxs_inherited;

/*
 * The life of a socket file: lock, probe, bind, publish, remove.
 *
 *	struct uxs_listener listener = UXS_LISTENER_CLOSED;
 *
 *	uxs_listener_open(&listener, &conf, &why);	the name is ours
 *	uxs_listener_listen(&listener, 4096, &why);	clients may come
 *	uxs_listener_accept(&listener, &fd);
 *	uxs_listener_drain(&listener);			no new ones
 *	uxs_listener_close(&listener);			nothing is left
 *
 * A live server's address is never taken, whoever wrote that server; a dead
 * one's always is; and nothing is ever removed that is not the very socket
 * which this listener made.
 *
 * A loopback address has no file, no lock and no credentials. It is reached
 * from this machine only, and taken again at once after a stop, whatever
 * connections it left in TIME_WAIT.
 */

struct uxs_listener_conf {
	const struct uxs_address *address; /* borrowed until close */
	mode_t mode; /* of the socket file, exact from its first instant */
	uid_t owner_uid; /* UXS_UID_NONE: leave it */
	gid_t owner_gid; /* UXS_GID_NONE: leave it */
	bool
	    force_dir; /* accept a directory where strangers could replace it */
	/* Told once, when the directory is doubtful but accepted; may be NULL. */
	void (*on_warning)(void *arg, const char *text);
	void *arg;
};

struct uxs_listener {
	int fd; /* non-blocking; -1 when closed */
	/* As it was given, or, where the kernel chose the port, with that. */
	const struct uxs_address *address;
	/*
	 * Does the kernel refuse descriptors that clients pass (SO_PASSRIGHTS,
	 * Linux 6.16)? Where it cannot, receive with room for 253 of them, and
	 * close them and the connections where nobody waits for it: one that
	 * is slow to close holds up a plain recv(2) or close(2).
	 */
	bool refuses_descriptors;
	/* Somebody else made it and goes on when we are gone: nothing is done
	 * to its file, and it is never shut down or closed. */
	bool is_inherited;
	/* private */
	struct uxs_address *own_address; /* NULL: address is borrowed */
	struct uxs_place place;
	struct uxs_lock lock;
	bool is_bound;
	bool is_drained;
	bool is_pending; /* a predecessor's, until uxs_listener_own */
	mode_t mode; /* of its file, from then on */
	dev_t dev; /* what we made, so that nothing else is removed */
	ino_t ino;
};

#define UXS_LISTENER_CLOSED_VALUES(SET) \
	SET(fd, -1)                     \
	SET(place.dir_fd, -1)           \
	SET(lock.fd, -1)
#define UXS_LISTENER_CLOSED \
	UXS_INITIAL(struct uxs_listener, UXS_LISTENER_CLOSED_VALUES)

/*
 * Make the socket and give it its name. A datagram socket receives from now
 * on; a stream or seqpacket one refuses until uxs_listener_listen.
 *
 * Returns 0, or a negative errno with *why; everything that was made on the
 * way is removed again.
 */
int uxs_listener_open(struct uxs_listener *listener,
    const struct uxs_listener_conf *conf, struct uxs_error *why);

/*
 * Serve on a socket that was inherited, as if it had been opened. Borrows it
 * until close. Clients whom the kernel let pass descriptors before may have
 * some in the queue, so refuses_descriptors is set only where it was like that
 * already. Returns 0 or a negative errno with *why.
 */
int uxs_listener_adopt(struct uxs_listener *listener,
    const struct uxs_inherited *inherited, struct uxs_error *why);

/*
 * Take over a socket and its lock from a predecessor, as if it had been opened
 * by us; see handover.h. handed is borrowed, copies of its descriptors are
 * kept. Until uxs_listener_own the socket is the predecessor's: nothing is
 * done to it, and uxs_listener_close leaves all as it was.
 *
 * Returns 0, or a negative errno with *why: the socket is not what conf asks
 * for, or the lock is not that of its place.
 */
int uxs_listener_take_over(struct uxs_listener *listener,
    const struct uxs_listener_conf *conf, const struct uxs_handed *handed,
    struct uxs_error *why);

/*
 * The predecessor has left: the name is ours to remove, clients see us as the
 * listener, the lock holds our pid, and the file gets the mode that conf asks
 * for. Nothing to do for one that was not taken over. Returns 0, or the
 * negative errno of what could not be done; it serves all the same.
 */
int uxs_listener_own(struct uxs_listener *listener, int backlog);

/* Fill in handed with copies of the descriptors, given to the caller, for a
 * successor. Returns 0 or a negative errno. */
int uxs_listener_hand_out(const struct uxs_listener *listener,
    struct uxs_handed *handed);

/* A successor has it: let go of all, and remove nothing. */
void uxs_listener_leave(struct uxs_listener *listener);

/*
 * Admit clients: listen(2). Nothing to do for datagrams, and
 * where a predecessor listens still. On an inherited
 * socket, too: whoever calls it last is the one whose credentials clients see
 * as those of the listener, and it has the backlog.
 */
int uxs_listener_listen(struct uxs_listener *listener, int backlog,
    struct uxs_error *why);

enum uxs_accept {
	UXS_ACCEPT_OK,
	UXS_ACCEPT_NONE, /* nothing to take now; wait for readiness */
	UXS_ACCEPT_EXHAUSTED, /* no descriptor or memory left */
	UXS_ACCEPT_ENDED, /* drained: nobody is left for us */
};

/*
 * Take the next waiting connection. Never blocks; takes at most one, so that
 * the caller decides how many to admit per turn.
 *
 * Returns
 *   UXS_ACCEPT_OK         *fd is a new socket, non-blocking and close-on-exec,
 *                         given to the caller
 *   UXS_ACCEPT_NONE       wait for readiness
 *   UXS_ACCEPT_EXHAUSTED  stop watching the listener for a while, or a
 *                         level-triggered loop spins
 *   UXS_ACCEPT_ENDED      only after uxs_listener_drain
 *   negative errno        the listening socket is unusable
 *
 * *fd is -1 unless UXS_ACCEPT_OK.
 */
int uxs_listener_accept(struct uxs_listener *listener, int *fd);

/*
 * Let nobody else in, and lose nobody: who already waits can still be
 * accepted, who comes later is refused, the file stays until close. Cannot be
 * undone. An inherited socket is only left alone from now on: who waits, and
 * who comes later, is the next instance's.
 */
void uxs_listener_drain(struct uxs_listener *listener);

/*
 * What administrators should know before anything is made; for --check.
 * Looks at the directory and probes, creates nothing. Returns 0 when open
 * would go on, otherwise a negative errno with *why, as open would say it.
 */
int uxs_listener_check(const struct uxs_listener_conf *conf,
    struct uxs_error *why);

/* Remove the name, then close, then let go of the lock. May be called twice
 * and at any stage of opening. */
void uxs_listener_close(struct uxs_listener *listener);

__END_DECLS

#endif
