/* SPDX-License-Identifier: ISC */
#ifndef UXPING_LINE_FRAME_H
#define UXPING_LINE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include <uxsrv/framing.h>

/*
 * Lines of a buffer, and each as a frame. Pure.
 */

/* Bytes of the first line, with its newline; all there are where is_all says
 * that the last one need not have one; or 0: none yet. */
size_t line_first(const char *buffer, size_t have, bool is_all);

/* A frame of a line of so many bytes takes no more. */
#define LINE_FRAME_MAX(line) ((line) + UXS_FRAME_HEAD_MAX + 1)

/* Write the frame of this line, which has a newline or none. Returns its
 * size. */
size_t line_frame(char *frame, const char *line, size_t length,
    enum uxs_framing framing);

#endif
