/* SPDX-License-Identifier: ISC */
#ifndef UXS_SERVER_H
#define UXS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#include <uxsrv/access.h>
#include <uxsrv/address.h>
#include <uxsrv/fate.h>
#include <uxsrv/framing.h>
#include <uxsrv/initial.h>
#include <uxsrv/ledger.h>
#include <uxsrv/log.h>
#include <uxsrv/loop.h>
#include <uxsrv/service.h>
#include <uxsrv/stats.h>

__BEGIN_DECLS

struct uxs_activation;
struct uxs_error;
struct uxs_handover;
struct uxs_notify;

/*
 * Everything together: addresses in, a service behind them, limits around it.
 *
 *	struct uxs_server_conf conf = UXS_SERVER_DEFAULTS;
 *	struct uxs_server *server;
 *	struct uxs_error why;
 *
 *	conf.addresses = pair;
 *	conf.n_addresses = 2;
 *	conf.service = &service;
 *	if (uxs_server_open(&server, &conf, &why) < 0)
 *		errx(uxs_error_exit_status(&why), "%s", why.text);
 *	r = uxs_server_run(server);
 *	uxs_server_close(&server);
 */

/*
 * What becomes of a server whose socket file is removed or replaced while it
 * serves, or the directory of it; sessions live on in any case. To notice it
 * takes a descriptor of inotify(7), or where there is none a look every 5 s,
 * with a warning. Inherited sockets and abstract names cannot be lost.
 */
enum uxs_on_lost {
	/*
	 * A new socket is made at the path, by the rules of uxs_listener_open:
	 * what is alive, or is no socket, keeps it, and then, as after any
	 * failure, it is tried again until it works, after a while that grows
	 * from 100 ms to 10 s. Who waits at the former socket is still let in.
	 */
	UXS_ON_LOST_REBIND,
	UXS_ON_LOST_EXIT, /* uxs_server_drain; see uxs_server_is_lost */
	UXS_ON_LOST_IGNORE,
};

struct uxs_server_conf {
	/* Borrowed until close. */
	const struct uxs_address *addresses;
	size_t n_addresses;
	const struct uxs_activation *activation; /* besides; NULL: none */
	/* What a predecessor handed over: of addresses, those that are in it
	 * are not made anew, and marked there as taken. Borrowed for
	 * uxs_server_open. NULL: nothing. */
	struct uxs_handover *handover;
	const struct uxs_service *service;
	const struct uxs_access *access; /* NULL: own uid and root */
	const struct uxs_fates *fates; /* what goes wrong; NULL: nothing */
	struct uxs_log *log; /* NULL: silent */
	/* The service manager, opened: it is told READY=1 by uxs_server_run
	 * or the first uxs_server_fd, STOPPING=1 with the drain, and
	 * WATCHDOG=1 in time. NULL: nobody. */
	struct uxs_notify *notify;

	mode_t mode; /* UXS_MODE_AUTO: 0600 without allow rules, else 0666 */
	uid_t owner_uid; /* UXS_UID_NONE: leave it */
	gid_t owner_gid; /* UXS_GID_NONE: leave it */
	bool force_dir;
	enum uxs_on_lost on_lost;

	/* Event loops, each in a thread of its own; 0 is 1. Over 1 needs a
	 * service that is_concurrent; at most UXS_THREADS_MAX. */
	size_t n_threads;

	size_t max_conns; /* 0: what the descriptor limit allows */
	size_t max_conns_per_user; /* 0: half of max_conns */
	size_t max_rate; /* connections, datagrams a second, per uid; 0: none */
	size_t buffer_bytes; /* unread output kept before reading stops */
	/* Unread output kept for all connections of a uid; one that would take
	 * it further is closed. 0: max_conns_per_user times buffer_bytes and a
	 * longest message, which a service that answers each message with no
	 * more than itself cannot exceed. Where streams are framed, twice as
	 * much, since a message that is not complete is kept as well, or what
	 * was read and waits for room for its answers. */
	size_t max_bytes_per_user;
	/* Longest frame of a stream, seqpacket or datagram. */
	size_t max_message_bytes;
	enum uxs_framing framing; /* of streams */
	int64_t idle_timeout_ns; /* 0: none */
	int64_t write_timeout_ns; /* 0: none */
	int64_t drain_ns;
	int64_t spin_ns; /* uxs_loop_set_spin; 0: sleep at once */
	/* Time the turns, for uxs_stats.turns, and hold a descriptor by which
	 * to ask for queues. */
	bool is_measured;
	int backlog;

	/*
	 * Around the names. on_bound is called when all sockets have theirs and
	 * nobody is let in yet, before there are threads and before listen(2):
	 * the moment to give up root, so that clients see as the listener's
	 * credentials those that are left. Its failure, a negative errno with
	 * *why, is that of uxs_server_open. on_unbind is called before the
	 * names are removed, if on_bound was: for who may not do that any
	 * more. NULL: nothing.
	 */
	int (*on_bound)(void *arg, struct uxs_error *why);
	void (*on_unbind)(void *arg);

	/* SIGTERM and SIGINT drain, a second one stops at once; others go to
	 * on_signal when they are in extra_signals. */
	bool handle_signals;
	const sigset_t *extra_signals; /* NULL: none */
	void (*on_signal)(int number, void *arg);
	void *arg;
};

/* More than processors that anybody has for one socket; arbitrary. */
#define UXS_THREADS_MAX 256

#define UXS_MODE_AUTO ((mode_t)-1)

#define UXS_SERVER_DEFAULTS_VALUES(SET)             \
	SET(mode, UXS_MODE_AUTO)                    \
	SET(owner_uid, UXS_UID_NONE)                \
	SET(owner_gid, UXS_GID_NONE)                \
	SET(n_threads, 1)                           \
	SET(buffer_bytes, (size_t)64 * 1024)        \
	SET(max_message_bytes, (size_t)256 * 1024)  \
	SET(write_timeout_ns, INT64_C(30000000000)) \
	SET(drain_ns, INT64_C(5000000000))          \
	SET(backlog, 4096)
#define UXS_SERVER_DEFAULTS \
	UXS_INITIAL(struct uxs_server_conf, UXS_SERVER_DEFAULTS_VALUES)

/*
 * Is it something that can be served? Returns 0, or a negative errno with
 * *why (kind usage): no address, one given twice, an abstract name without a
 * rule that allows somebody, a loopback address where rules do not allow any.
 * uxs_server_open does this first.
 */
int uxs_server_conf_check(const struct uxs_server_conf *conf,
    struct uxs_error *why);

/* Put in place of 0 and UXS_MODE_AUTO what they stand for here and now, as
 * uxs_server_open will; to show it beforehand. */
void uxs_server_conf_resolve(struct uxs_server_conf *conf);

struct uxs_server;

/*
 * Make the sockets and admit clients. From a successful return on a connect
 * succeeds, although nobody is answered before the loop runs.
 *
 * Gives *server. Returns 0, or a negative errno with *why; then nothing that
 * was made on the way is left behind.
 */
int uxs_server_open(struct uxs_server **server,
    const struct uxs_server_conf *conf, struct uxs_error *why);

/*
 * Several loops (n_threads): the one that uxs_server_run runs lets clients in,
 * answers datagrams and takes signals. As many of them are in use as are worth
 * their cost: that is tried, and counted, while many messages come. A
 * connection goes to the one with the fewest, and may be moved to another later
 * on, between two calls of the service's functions. These are called in the
 * thread that the client they are about belongs to at the time.
 *
 * All functions here are for the thread that runs the server, but for
 * uxs_server_drain, uxs_server_stop and uxs_server_stats, which any function of
 * the service may call.
 *
 * uxs_server_start starts the other threads: after everything that concerns
 * the whole process, such as to fork, to change the user or to be confined,
 * and before anybody is told that the server is ready. uxs_server_run and
 * uxs_server_fd do it where it was not done. Returns 0, or a negative errno
 * with *why; then there are no other threads.
 */
int uxs_server_start(struct uxs_server *server, struct uxs_error *why);

/* Serve until drained or stopped; then all threads have ended. What was handed
 * over is ours from here on. Returns 0, or a negative errno when the loop
 * itself failed. */
int uxs_server_run(struct uxs_server *server);

/*
 * The same in another program's loop: wait until the descriptor polls
 * readable, then call uxs_server_turn, which never waits; see uxs_loop_fd.
 * All other functions may be called between two turns. Ask for the descriptor
 * when that is all that is left to do: the service manager is told then.
 *
 * uxs_server_fd returns a descriptor, lent until close, or a negative errno.
 * uxs_server_turn returns
 *   UXS_TURN_SERVING  wait for the descriptor again
 *   UXS_TURN_DONE     drained or stopped: stop waiting for it, then close
 *   negative errno    the loop itself failed: likewise
 */
enum uxs_turn { UXS_TURN_SERVING, UXS_TURN_DONE };

int uxs_server_fd(struct uxs_server *server);
int uxs_server_turn(struct uxs_server *server);

/*
 * Stop in good order: no new clients, all that was received is answered, then
 * uxs_server_run returns. Sessions that are not done after drain_ns are
 * closed. A second call does nothing.
 */
void uxs_server_drain(struct uxs_server *server);

/*
 * To a successor; see handover.h. uxs_server_hand_out gives copies of all
 * sockets and locks, and changes nothing. Returns 0, or a negative errno with
 * *why.
 *
 * uxs_server_leave then leaves them to him: is_taken tells for each of them,
 * in that order, whether he has it; what he has not is drained. Sessions go on
 * until their clients end them, for drain_ns at the most; then they are
 * drained, and uxs_server_run returns. The service manager is told nothing
 * more: tell it MAINPID before. Not from a callback of the service. Returns 0,
 * or -EALREADY when the server drains, or has left; then nothing is done.
 */
int uxs_server_hand_out(const struct uxs_server *server,
    struct uxs_handover *handover, struct uxs_error *why);
int uxs_server_leave(struct uxs_server *server, const bool *is_taken);

/*
 * From now on these rules decide; NULL: own uid and root are in. Every open
 * session is judged again, by the groups that its client had when it
 * connected, and ended when it is not allowed any more. May be called from
 * any callback in the thread that runs the server; the session in hand may be
 * among those that end. Other loops are waited for, for a turn.
 *
 * Borrows access until close, or until other rules are set; the former ones
 * may be freed then. Returns 0, or a negative errno with *why where
 * uxs_server_conf_check would not take them, or -EPERM in any other thread;
 * then nothing has changed. But rules that shut a loopback address are taken:
 * its clients have no name, so that is the way to keep them out.
 */
int uxs_server_set_access(struct uxs_server *server,
    const struct uxs_access *access, struct uxs_error *why);

/* Make uxs_server_run return at once. */
void uxs_server_stop(struct uxs_server *server);

/* Did it drain because a file was lost, and on_lost is UXS_ON_LOST_EXIT? Then
 * *why (kind create), which may be NULL, says which. */
bool uxs_server_is_lost(const struct uxs_server *server, struct uxs_error *why);

/* The loop, for watches and timers of the caller's own. */
struct uxs_loop *uxs_server_loop(struct uxs_server *server);

/* Fill in the numbers as they are now; after uxs_server_run they are final.
 * May be called from any thread. */
void uxs_server_stats(const struct uxs_server *server, struct uxs_stats *stats);

/* The users who have connections; as uxs_ledger_list. From any thread. */
size_t uxs_server_users(struct uxs_server *server,
    struct uxs_account_figures *users, size_t max);

/* A socket that accepts connections, and how many wait for it. */
struct uxs_queue {
	const struct uxs_address *address; /* lent until close */
	uint32_t waiting;
	uint32_t limit; /* as of listen(2); one more may wait */
};

/*
 * Ask the kernel who waits to be accepted, for no more than max sockets; of
 * datagrams it cannot tell. Returns how many were written: none unless
 * is_measured, and where sock_diag(7) is not to be had.
 */
size_t uxs_server_queues(const struct uxs_server *server,
    struct uxs_queue *queues, size_t max);

/* The i-th address that is served, inherited ones last, with the port that the
 * kernel chose if that was left to it; NULL behind the last. Lent until close.
 */
const struct uxs_address *uxs_server_address(const struct uxs_server *server,
    size_t i);

/* Close every session, remove the sockets, free. *server becomes NULL; may be
 * called twice. */
void uxs_server_close(struct uxs_server **server);

__END_DECLS

#endif
