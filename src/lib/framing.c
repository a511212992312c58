/* SPDX-License-Identifier: ISC */
/*
 * Messages on a stream. A netstring's or u32's length is read byte by byte,
 * its message as a piece; a line is looked for as a piece. Pure.
 *
 *	       ┌──────────── line: the newline ◄──┐
 *	       ▼                                  │
 *	    BETWEEN ──── first byte of it ────► BODY ◄─┐
 *	     ▲   │                                │    │ u32: four bytes
 *	     │   └─ netstring, u32 ─► LENGTH ─────┼────┘ netstring: ':'
 *	     │                                    ▼
 *	     └───── netstring: ',' ──────────── COMMA
 *
 *	any ──► LONG, BAD     and stays there
 */
#include <uxsrv/framing.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define U32_BYTES 4

enum { BETWEEN, LENGTH, BODY, COMMA, LONG, BAD };

/* ---- names ---- */

static const char *const names[UXS_N_FRAMINGS] = {
	[UXS_FRAMING_NONE] = "none",
	[UXS_FRAMING_LINE] = "line",
	[UXS_FRAMING_NETSTRING] = "netstring",
	[UXS_FRAMING_U32] = "u32",
};

const char *
uxs_framing_name(enum uxs_framing framing)
{
	return names[framing];
}

int
uxs_framing_parse(const char *name, enum uxs_framing *framing)
{
	for (int i = 0; i < UXS_N_FRAMINGS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*framing = (enum uxs_framing)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- bytes to messages ---- */

void
uxs_deframer_init(struct uxs_deframer *d, enum uxs_framing framing, size_t max)
{
	*d = (struct uxs_deframer){ .framing = framing, .max = max };
}

bool
uxs_deframer_is_amid(const struct uxs_deframer *d)
{
	return d->state != BETWEEN;
}

static enum uxs_frame
enter(struct uxs_deframer *d, int state)
{
	d->state = (unsigned)state;
	switch (state) {
	case LONG:
		return UXS_FRAME_TOO_LONG;
	case BAD:
		return UXS_FRAME_MALFORMED;
	default:
		return UXS_FRAME_NONE;
	}
}

static enum uxs_frame
end_message(struct uxs_deframer *d)
{
	d->state = BETWEEN;
	d->length = d->left = 0;
	return UXS_FRAME_WHOLE;
}

/* The length is known. */
static enum uxs_frame
begin_body(struct uxs_deframer *d)
{
	if (d->length > d->max)
		return enter(d, LONG);
	d->left = d->length;
	if (d->left > 0)
		return enter(d, BODY);
	return d->framing == UXS_FRAMING_U32 ? end_message(d) : enter(d, COMMA);
}

static enum uxs_frame
take_u32_byte(struct uxs_deframer *d, unsigned char byte)
{
	if (d->state == BETWEEN) {
		d->left = U32_BYTES;
		enter(d, LENGTH);
	}
	d->length = d->length << 8 | byte;
	return --d->left == 0 ? begin_body(d) : UXS_FRAME_NONE;
}

/* A length of "0" is complete: a digit behind it would make that a leading
 * zero. */
static enum uxs_frame
take_netstring_byte(struct uxs_deframer *d, unsigned char byte)
{
	const size_t digit = (size_t)(byte - '0');

	if (byte == ':' && d->state == LENGTH)
		return begin_body(d);
	if (byte < '0' || byte > '9' || (d->state == LENGTH && d->length == 0))
		return enter(d, BAD);
	if (digit > d->max || d->length > (d->max - digit) / 10)
		return enter(d, LONG);
	d->length = d->length * 10 + digit;
	return enter(d, LENGTH);
}

static enum uxs_frame
take_comma(struct uxs_deframer *d, unsigned char byte)
{
	return byte == ',' ? end_message(d) : enter(d, BAD);
}

static enum uxs_frame
take_byte(struct uxs_deframer *d, unsigned char byte)
{
	if (d->state == COMMA)
		return take_comma(d, byte);
	return d->framing == UXS_FRAMING_U32 ? take_u32_byte(d, byte) :
					       take_netstring_byte(d, byte);
}

static enum uxs_frame
take_body(struct uxs_deframer *d, const char *data, size_t length,
    struct uxs_frame_piece *piece)
{
	const size_t n = length < d->left ? length : d->left;

	piece->data = data;
	piece->length = n;
	piece->n_taken += n;
	d->left -= n;
	if (d->left > 0)
		return UXS_FRAME_NONE;
	return d->framing == UXS_FRAMING_U32 ? end_message(d) : enter(d, COMMA);
}

static enum uxs_frame
take_line(struct uxs_deframer *d, const char *data, size_t length,
    struct uxs_frame_piece *piece)
{
	const char *newline = memchr(data, '\n', length);

	*piece = (struct uxs_frame_piece){
		.data = data,
		.length = newline != NULL ? (size_t)(newline - data) : length,
		.n_taken = newline != NULL ? (size_t)(newline - data) + 1 :
					     length,
	};
	if (piece->length > d->max - d->length)
		return enter(d, LONG);
	d->length += piece->length;
	return newline != NULL ? end_message(d) : enter(d, BODY);
}

/* Netstring and u32. */
static enum uxs_frame
take_counted(struct uxs_deframer *d, const char *data, size_t length,
    struct uxs_frame_piece *piece)
{
	enum uxs_frame r = UXS_FRAME_NONE;

	*piece = (struct uxs_frame_piece){ .data = data };
	while (piece->n_taken < length && r == UXS_FRAME_NONE) {
		const char *at = data + piece->n_taken;

		if (d->state == BODY)
			r = take_body(d, at, length - piece->n_taken, piece);
		else {
			r = take_byte(d, (unsigned char)*at);
			piece->n_taken++;
		}
	}
	return r;
}

enum uxs_frame
uxs_deframer_next(struct uxs_deframer *d, const void *data, size_t length,
    struct uxs_frame_piece *piece)
{
	*piece = (struct uxs_frame_piece){ .data = data };
	if (d->state == LONG || d->state == BAD)
		return enter(d, (int)d->state);
	if (length == 0)
		return UXS_FRAME_NONE;
	switch (d->framing) {
	case UXS_FRAMING_LINE:
		return take_line(d, data, length, piece);
	case UXS_FRAMING_NETSTRING:
	case UXS_FRAMING_U32:
		return take_counted(d, data, length, piece);
	default:
		piece->length = piece->n_taken = length;
		return UXS_FRAME_WHOLE;
	}
}

enum uxs_frame
uxs_deframer_end(struct uxs_deframer *d)
{
	if (d->state == BETWEEN)
		return UXS_FRAME_NONE;
	if (d->state == LONG)
		return UXS_FRAME_TOO_LONG;
	if (d->framing == UXS_FRAMING_LINE)
		return end_message(d);
	return enter(d, BAD);
}

/* ---- messages to bytes ---- */

static void
fill_u32(struct uxs_frame_ends *ends, size_t length)
{
	for (int i = 0; i < U32_BYTES; i++)
		ends->head[i] = (char)(length >> 8 * (U32_BYTES - 1 - i));
	ends->n_head = U32_BYTES;
}

int
uxs_frame_ends_fill(struct uxs_frame_ends *ends, enum uxs_framing framing,
    size_t length)
{
	ends->n_head = ends->n_tail = 0;
	switch (framing) {
	case UXS_FRAMING_LINE:
		ends->tail[0] = '\n';
		ends->n_tail = 1;
		return 0;
	case UXS_FRAMING_NETSTRING:
		ends->n_head = (uint8_t)snprintf(ends->head, sizeof(ends->head),
		    "%zu:", length);
		ends->tail[0] = ',';
		ends->n_tail = 1;
		return 0;
	case UXS_FRAMING_U32:
		if (length > UINT32_MAX)
			return -EMSGSIZE;
		fill_u32(ends, length);
		return 0;
	default:
		return 0;
	}
}
