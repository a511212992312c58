/* SPDX-License-Identifier: ISC */
#ifndef UXS_SHOWN_H
#define UXS_SHOWN_H

#include <string.h>

#include <uxsrv/log.h>

/* Of a path in a message, escaped. Two of them, and the words, fit struct
 * uxs_error. */
#define SHOWN_MAX 400

/* A path, or whatever else somebody chose, as it may be printed. */
static inline const char *
shown(char text[SHOWN_MAX], const char *bytes)
{
	return uxs_escape(text, SHOWN_MAX, bytes, strlen(bytes));
}

#endif
