/* SPDX-License-Identifier: ISC */
#ifndef UXPING_LINE_FRAME_H
#define UXPING_LINE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include <uxsrv/framing.h>

/*
 * Lines of a buffer as frames, in place. Pure.
 */

/* Bytes of the first line, with its newline; all there are where is_all says
 * that the last one need not have one; or 0: none yet. */
size_t line_first(const char *buffer, size_t have, bool is_all);

/*
 * Put the ends of a frame around the first line of so many bytes, in place of
 * its newline. The buffer has room for UXS_FRAME_HEAD_MAX bytes more than
 * *have, which is what it holds then. Returns the size of the frame.
 */
size_t line_frame(char *buffer, size_t *have, size_t line,
    enum uxs_framing framing);

#endif
