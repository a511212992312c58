/* SPDX-License-Identifier: ISC */
#ifndef UXS_FRAMING_H
#define UXS_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

/*
 * Messages on a stream, which has none of its own: bytes to messages and back,
 * the same for a server and its clients. Pure: nothing is allocated, and no
 * more is remembered between two calls than a few numbers.
 *
 *	uxs_deframer_init(&deframer, UXS_FRAMING_NETSTRING, max);
 *	while (uxs_deframer_next(&deframer, data, length, &piece) ==
 *	    UXS_FRAME_WHOLE)
 *		...
 *
 * A message that is all in the input is given from there, in one piece. Where
 * the input was cut does not matter: the pieces of a message, put together,
 * and every outcome are the same at every cut.
 */

enum uxs_framing {
	UXS_FRAMING_NONE, /* bytes as they come: what a read gives */
	UXS_FRAMING_LINE, /* "hello\n"; the newline is not of the message */
	UXS_FRAMING_NETSTRING, /* "5:hello,"; no leading zeros; "0:," */
	UXS_FRAMING_U32, /* four bytes of length, the highest first */
	UXS_N_FRAMINGS
};

/* "none", "line", "netstring", "u32". */
const char *uxs_framing_name(enum uxs_framing framing);

/* Returns 0 and *framing, or -EINVAL for a word that is none of those. */
int uxs_framing_parse(const char *name, enum uxs_framing *framing);

/* ---- bytes to messages ---- */

/* What one input is in the middle of. */
struct uxs_deframer {
	/* private */
	enum uxs_framing framing;
	unsigned state;
	size_t max;
	size_t length; /* of the message: so far, or as announced */
	size_t left; /* of its bytes, or of the bytes of a length */
};

/* max is the longest message that is taken, in bytes, framing not counted.
 * With UXS_FRAMING_NONE it has no meaning. */
void uxs_deframer_init(struct uxs_deframer *deframer, enum uxs_framing framing,
    size_t max);

/* What a look at some input gave. */
struct uxs_frame_piece {
	const char *data; /* of the message, borrowed from the input */
	size_t length; /* perhaps 0 */
	size_t n_taken; /* bytes of the input that are done with */
};

enum uxs_frame {
	/* No message ends in this input. All of it was taken; the piece is
	 * what it holds of a message, to be put behind the pieces before. */
	UXS_FRAME_NONE,
	/* A message ends with this piece. The input behind n_taken bytes has
	 * not been looked at. */
	UXS_FRAME_WHOLE,
	/* Over max; said as soon as that is known, mostly before the bytes of
	 * the message come. Nothing after it can be understood. */
	UXS_FRAME_TOO_LONG,
	/* Not of this framing. Nothing after it can be understood. */
	UXS_FRAME_MALFORMED,
};

/*
 * Look at the next length bytes. The first of them is the one behind those
 * that were taken before. The last two outcomes are final: they are given for
 * any input that follows.
 */
enum uxs_frame uxs_deframer_next(struct uxs_deframer *deframer,
    const void *data, size_t length, struct uxs_frame_piece *piece);

/* Has a message begun that has not ended? There is something to remember. */
bool uxs_deframer_is_amid(const struct uxs_deframer *deframer);

/*
 * The input has ended. Returns
 *	UXS_FRAME_NONE       between two messages: nothing is missing
 *	UXS_FRAME_WHOLE      a last line without its newline is a message, made
 *	                     of the pieces so far
 *	UXS_FRAME_TOO_LONG,
 *	UXS_FRAME_MALFORMED  the end of a message is missing, or as before
 */
enum uxs_frame uxs_deframer_end(struct uxs_deframer *deframer);

/* ---- messages to bytes ---- */

/* What goes before and behind a message. */
#define UXS_FRAME_HEAD_MAX 24

struct uxs_frame_ends {
	char head[UXS_FRAME_HEAD_MAX];
	char tail[1];
	uint8_t n_head, n_tail; /* bytes of each */
};

/*
 * Fill *ends for a message of length bytes. A newline within a message is the
 * caller's affair: with UXS_FRAMING_LINE the other side finds two lines.
 * Returns 0, or -EMSGSIZE where the framing cannot express that length.
 */
int uxs_frame_ends_fill(struct uxs_frame_ends *ends, enum uxs_framing framing,
    size_t length);

__END_DECLS

#endif
