/* SPDX-License-Identifier: ISC */
#ifndef UXPING_FACTS_H
#define UXPING_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uxsrv/address.h>

#include "diagnose.h"

struct target;

/*
 * What was found out about a failure, for diagnose() to put into words. Looked
 * up after the fact, so the world may have changed meanwhile; nothing is sent
 * and nobody's accept queue is entered.
 */

enum facts_event {
	FACTS_CONNECT, /* could not be connected to */
	FACTS_BUSY, /* the accept queue is full */
	FACTS_WRONG_USER,
	FACTS_REPLY_PATH,
	FACTS_BROKEN, /* a connection that was, is no more */
	FACTS_TIMEOUT,
	FACTS_CORRUPT,
	FACTS_SIZE, /* a message that cannot be sent to this target */
};

enum facts_path {
	FACTS_PATH_OK, /* leads to a file */
	FACTS_PATH_MISSING, /* culprit does not exist */
	FACTS_PATH_NOT_DIRECTORY, /* culprit is no directory */
	FACTS_PATH_NO_SEARCH, /* culprit, a directory, may not be searched */
	FACTS_PATH_LOOP, /* culprit is a link in a circle */
	FACTS_PATH_UNKNOWN,
};

/* Permissions of a file or directory, in words or numbers. */
struct facts_file {
	mode_t mode; /* 0: not known */
	uid_t uid;
	gid_t gid;
	bool has_acl;
};

/* What is bound there: enum uxs_type, or one of these. */
#define FACTS_TYPE_UNKNOWN (-1)
#define FACTS_TYPE_CONNECTED (-2) /* stream or seqpacket, not known which */

#define FACTS_CULPRIT_MAX 512

struct facts {
	enum facts_event event;
	int code; /* errno, positive; 0: none, or the end of a stream */

	/* the target */
	const char *label; /* fit to print; borrowed */
	bool is_loopback, is_abstract;
	enum uxs_type wanted;
	bool is_type_open; /* every type was tried */
	bool pair_exists; /* PATH.dgram does, and PATH was asked for */

	/* us */
	uid_t uid;
	gid_t gid;
	bool in_user_namespace;

	/* the path, up to the first thing that is wrong with it */
	enum facts_path path;
	char culprit[FACTS_CULPRIT_MAX]; /* printable */
	char link[FACTS_CULPRIT_MAX]; /* that led there; empty: none */
	struct facts_file directory; /* of FACTS_PATH_NO_SEARCH */
	bool is_in_its_group; /* of the culprit, or of the file */

	/* the file and who is behind it */
	struct facts_file file;
	int64_t age_s; /* since the file was made; -1: not known */
	bool is_live; /* somebody holds the socket */
	int type; /* see above */
	uid_t expected_uid;

	/* the conversation */
	bool had_replies; /* of FACTS_TIMEOUT: too late */
	int64_t timeout_ns;
	size_t size_bytes;
	const char *what; /* of FACTS_CORRUPT; borrowed */
};

#define FACTS_EMPTY                                     \
	{                                               \
		.age_s = -1, .type = FACTS_TYPE_UNKNOWN \
	}

/* Everything there is to know about target, whatever the event. */
void facts_gather(struct facts *facts, const struct target *target);

#endif
