/* SPDX-License-Identifier: ISC */
#ifndef UXS_SERVICE_H
#define UXS_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>

#include <uxsrv/address.h>
#include <uxsrv/framing.h>
#include <uxsrv/peer.h>

__BEGIN_DECLS

/*
 * What the server is for: a service is given messages and answers them. It
 * sees bytes in and bytes out, never a descriptor, and the same three
 * functions serve streams, seqpackets and datagrams.
 *
 *	static int
 *	on_message(struct uxs_client *client, const struct uxs_message *m,
 *	    void *arg)
 *	{
 *		return uxs_client_reply(client, m->data, m->length);
 *	}
 *
 *	const struct uxs_service echo = { .on_message = on_message };
 */

/*
 * One message: a datagram, a seqpacket or a frame of a stream, each of which
 * may be empty; or, without framing, the bytes of a stream as they came, at
 * least one. Borrowed for the length of the call.
 */
struct uxs_message {
	const void *data;
	size_t length;
};

/*
 * Somebody who may be answered. On a connection it lives from on_open to
 * on_end; a datagram's lives for its on_message only, since there is no
 * connection that could end, unless the service keeps senders.
 */
struct uxs_client {
	struct uxs_peer peer; /* who, as the kernel says; read only */
	enum uxs_type type; /* of the socket; read only */
	enum uxs_framing framing; /* of a stream, else none; read only */
	void *state; /* the service's own; NULL at the start */
	/* private */
	const struct uxs_client_ops *ops;
};

/* How a connection that was taken over has to end. */
enum uxs_stop {
	UXS_STOP_DRAIN, /* the client can send no more; finish with it */
	UXS_STOP_NOW /* it is shut down; let go of it */
};

struct uxs_service {
	/*
	 * An admitted connection, before its first message. Optional. Return 0,
	 * or a negative errno to end it; what was replied still goes out, and
	 * on_end is called in any case.
	 */
	int (*on_open)(struct uxs_client *client, void *arg);

	/*
	 * A message. Return 0 or more, such as what uxs_client_reply gave, or
	 * a negative errno to end this client's connection; a datagram's is
	 * counted only. Nothing that is returned here can end the server.
	 */
	int (*on_message)(struct uxs_client *client,
	    const struct uxs_message *message, void *arg);

	/*
	 * The client sends no more, after its last message: what is replied now
	 * still goes out. A drain ends what clients send, too. Not called where
	 * the connection was ended before. Optional. Return as on_message does.
	 */
	int (*on_eof)(struct uxs_client *client, void *arg);

	/*
	 * The client has been silent for the idle timeout, and has read all
	 * that it was answered. Optional. Return 0 or more, and its time runs
	 * anew; or a negative errno: it is closed, as without this function.
	 */
	int (*on_idle)(struct uxs_client *client, void *arg);

	/* The connection is over; free client->state. Optional. */
	void (*on_end)(struct uxs_client *client, void *arg);

	/*
	 * On a stream the answer is the bytes that came, all of them, and it
	 * does not matter whether on_message sees them. The server then may
	 * pass bulk data on by itself, by moving the pages of it (splice(2)):
	 * from some large reads on, until small ones come. It does so
	 * only without framing, and only while the process ignores SIGPIPE,
	 * which splice(2) raises.
	 */
	bool is_mirror;

	/*
	 * The sender of a datagram becomes a client as one who connects does,
	 * with a place in the limits: on_open comes before the first message,
	 * each later one from the same user and address is the same client's,
	 * and on_end comes when it was silent for idle_timeout_ns (without
	 * one, for five minutes), when a reply finds nobody there, or somebody
	 * else, and at the stop. Who cannot be answered later is no client,
	 * and what he sends is dropped and counted: a sender without a name,
	 * or with an abstract one (but for root and our own user), since
	 * nothing tells whose that is by then.
	 */
	bool keeps_senders;

	void *arg;

	/*
	 * May these functions be called in several threads at once? Never for
	 * the same client, of whom each belongs to one thread at a time, and
	 * sees what was done for it in another before; but arg, and all else
	 * that they share, is theirs to guard. They may answer no other client
	 * than the one they are called for.
	 */
	bool is_concurrent;

	/*
	 * Instead of messages: take connections over, as for a program that is
	 * to read and write them by itself. The server admits them and keeps
	 * their place in all limits until uxs_client_close. Of the above only
	 * on_end, arg and is_concurrent then hold; there is one loop, and no
	 * datagram socket is served.
	 *
	 * fd is the connected socket: blocking, close-on-exec, and on a kernel
	 * that can do so without passed descriptors (SO_PASSRIGHTS off). It is
	 * lent until on_end; at the end it is shut down for everybody who has
	 * it. Return 0, or a negative errno where the connection cannot be
	 * served; then it ends at once, and on_end is called.
	 */
	int (*on_connection)(struct uxs_client *client, int fd, void *arg);

	/* With on_connection: it has to end, and in which way. */
	void (*on_stop)(struct uxs_client *client, enum uxs_stop how,
	    void *arg);
};

enum uxs_reply {
	UXS_REPLY_ACCEPTED, /* sent, or kept until the client reads */
	UXS_REPLY_DROPPED, /* cannot be delivered; counted with the reason */
};

/*
 * Answer. The bytes are copied where the client does not take them at once.
 * A reply on a framed stream is one message of that framing. Legal for every
 * client that lives, in whichever callback of this server's loop; it may lead
 * to the on_end of that client, within this call.
 *
 * Returns an enum uxs_reply, or -ENOMEM: the connection will be closed, since
 * a reply that is lost must not look like one that was never made.
 */
int uxs_client_reply(struct uxs_client *client, const void *data,
    size_t length);

/*
 * The same for what a client did not ask for, as when another one's message is
 * passed on: where buffer_bytes of unread output are kept for it, this is
 * dropped and counted as "full". (Its own messages are not read then, but
 * those of others go on.)
 */
int uxs_client_tell(struct uxs_client *client, const void *data, size_t length);

/*
 * Answer with text, then end the connection once the text is out; whatever
 * else the client sends is read and thrown away. Returns as uxs_client_reply.
 */
int uxs_client_refuse(struct uxs_client *client, const char *text);

/*
 * End a connection in good order: what was replied still goes out, whatever
 * else the client sends is read and thrown away. One that was taken over is
 * over with the return, after its on_end. Legal for every client that lives, in
 * whichever callback of its loop; a sender who is not kept has no connection,
 * and nothing happens.
 */
void uxs_client_close(struct uxs_client *client);

/*
 * What the kernel attests beside client->peer, asked for anew at each call,
 * of the process that connected, at that moment. Never blocks; legal while the
 * client lives.
 *
 * The groups are given as by uxs_groups_of_socket, the label is written as by
 * uxs_peer_label, and so is what is returned. A datagram tells neither:
 * -ENODATA, the groups unknown, and label untouched.
 */
int uxs_client_groups(struct uxs_client *client, struct uxs_groups *groups);
int uxs_client_label(struct uxs_client *client, char *label, size_t size);

__END_DECLS

#endif
