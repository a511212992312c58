/* SPDX-License-Identifier: ISC */
/*
 * Any bytes, cut anywhere, mean the same as in one piece: the messages, and
 * how it ends. For libFuzzer; "make fuzz" runs it.
 *
 *	byte 0: the framing; byte 1: the longest message; bytes 2 and 3: where
 *	it is cut; then the input
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uxsrv/framing.h>

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that was understood, in a row: for each message its length and
 * its bytes. */
struct meaning {
	char *bytes;
	size_t length, message; /* of all; where the last message began */
	int outcome; /* of the end */
};

static void
fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void
append(struct meaning *m, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(m->bytes + m->length, bytes, length);
	m->length += length;
}

static void
end_message(struct meaning *m, size_t max)
{
	const size_t length = m->length - m->message;

	if (length > max)
		fail("a message over the limit");
	append(m, &length, sizeof(length));
	m->message = m->length;
}

/* Returns false when nothing more can be understood. */
static bool
feed(struct uxs_deframer *d, struct meaning *m, const char *data, size_t length,
    size_t max)
{
	while (length > 0) {
		struct uxs_frame_piece piece;
		const enum uxs_frame r =
		    uxs_deframer_next(d, data, length, &piece);

		if (piece.n_taken > length || piece.data < data ||
		    piece.data + piece.length > data + length)
			fail("a piece that is not of the input");
		data += piece.n_taken;
		length -= piece.n_taken;
		m->outcome = r;
		if (r == UXS_FRAME_TOO_LONG || r == UXS_FRAME_MALFORMED)
			return false;
		append(m, piece.data, piece.length);
		if (r == UXS_FRAME_WHOLE)
			end_message(m, max);
		else if (length > 0)
			fail("input left behind");
	}
	return true;
}

/* Steps from 1 to whatever; 0: all at once. */
static size_t
next_step(uint32_t *state, size_t left)
{
	size_t step;

	if (*state == 0)
		return left;
	*state = *state * 1103515245 + 12345;
	step = 1 + (*state >> 16) % 7;
	return step < left ? step : left;
}

static void
understand(struct meaning *m, enum uxs_framing framing, size_t max,
    const char *data, size_t length, uint32_t cuts)
{
	struct uxs_deframer d;
	bool goes_on = true;

	/* An empty message takes a byte of input, and sizeof(size_t) here. */
	m->bytes = malloc(length * (1 + sizeof(size_t)) + sizeof(size_t) + 1);
	if (m->bytes == NULL)
		fail("out of memory");
	uxs_deframer_init(&d, framing, max);
	while (goes_on && length > 0) {
		const size_t step = next_step(&cuts, length);

		goes_on = feed(&d, m, data, step, max);
		data += step;
		length -= step;
	}
	m->outcome = uxs_deframer_end(&d);
	if (m->outcome == UXS_FRAME_WHOLE)
		end_message(m, max);
	m->length = m->message; /* of what was no message, nothing counts */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct meaning whole = { 0 }, cut = { 0 };
	enum uxs_framing framing;
	uint32_t cuts;

	if (size < HEAD)
		return 0;
	/* Without framing a cut is what makes a message. */
	framing = (enum uxs_framing)(1 + data[0] % (UXS_N_FRAMINGS - 1));
	cuts = (uint32_t)data[2] << 8 | data[3] | 1;
	understand(&whole, framing, data[1], (const char *)data + HEAD,
	    size - HEAD, 0);
	understand(&cut, framing, data[1], (const char *)data + HEAD,
	    size - HEAD, cuts);
	if (whole.outcome != cut.outcome || whole.length != cut.length ||
	    memcmp(whole.bytes, cut.bytes, whole.length) != 0)
		fail("cut in parts it means something else");
	free(whole.bytes);
	free(cut.bytes);
	return 0;
}
