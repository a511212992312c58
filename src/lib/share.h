/* SPDX-License-Identifier: ISC */
#ifndef UXS_SHARE_H
#define UXS_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Who may still use a send buffer that all replies of a datagram socket share.
 *
 * What nobody has read yet is outstanding, and charged to that buffer. The
 * kernel tells how much it is in all (SIOCOUTQ) and not whose. So the first
 * half is for everybody, and what may be added beyond goes by uid: each gets
 * a share, an eighth of the buffer, and another one when all that was added
 * has been read. Who spent his share and would have more is left out of that
 * sum, so that he cannot hold up the others by not reading.
 *
 * A uid whose receivers' queues could not hold more than a share, even if
 * they were all full, needs no counting: the kernel bounds a queue. So a user
 * with a few clients who read is never in doubt, however much others leave
 * unread. Pure.
 */

/* Of users at a time, and of different clients of a user; beyond that many
 * their queues are not relied upon. Arbitrary. */
#define SHARES_MAX 16
#define SHARE_CLIENTS_MAX 8

/* A socket that replies go to. By its file, since the same name can be given
 * to many, one after the other, and each has a queue; an abstract name is of
 * one socket as long as that lives. */
struct share_client {
	dev_t dev;
	ino_t ino; /* 0: an abstract name */
	size_t length;
	char name[108];
};

struct share {
	uid_t uid;
	size_t added; /* bytes, since counting began */
	size_t max_charge;
	bool is_spent; /* more was asked for */
	size_t n_clients; /* SHARE_CLIENTS_MAX + 1: more than that */
	struct share_client clients[SHARE_CLIENTS_MAX];
};

struct shares {
	bool is_crowded; /* over half is outstanding */
	/* private */
	size_t buffer, queue_length;
	size_t outstanding; /* at the last look */
	size_t added; /* since then, at the most */
	size_t least; /* outstanding, since it is crowded */
	size_t n;
	struct share of[SHARES_MAX];
};

/* buffer: bytes that can be outstanding; queue_length: messages that a
 * receiver's queue can hold. */
void shares_init(struct shares *shares, size_t buffer, size_t queue_length);

/* What a message of so many bytes is charged, at the most. */
size_t share_charge(size_t length);

/* Could it have become crowded since the last look? */
bool shares_must_look(const struct shares *shares);
void shares_saw(struct shares *shares, size_t outstanding);

/* A message is sent to anybody. */
void shares_add(struct shares *shares, size_t length);

/* May a message of so many bytes to this client of uid be sent? Counts it if
 * it may. Only to be asked while it is crowded. */
bool shares_take(struct shares *shares, uid_t uid,
    const struct share_client *client, size_t length);

#endif
