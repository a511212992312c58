/* SPDX-License-Identifier: ISC */
#ifndef UXS_ERROR_H
#define UXS_ERROR_H

#include <sys/cdefs.h>

__BEGIN_DECLS

/*
 * Why something could not be opened, in words.
 *
 * Functions of this library return 0, a positive documented outcome, or a
 * negative errno. Those that do many things before the server is ready also
 * fill a struct uxs_error: one sentence that says what was tried, on what,
 * why it failed and what to do, and the exit status that fits.
 *
 *	struct uxs_error why;
 *
 *	if (uxs_server_open(&server, &conf, &why) < 0)
 *		errx(uxs_error_exit_status(&why), "%s", why.text);
 */

/* What kind of thing went wrong; decides the exit status. */
enum uxs_failure {
	UXS_FAILURE_NONE,
	UXS_FAILURE_USAGE, /* the caller asked for nonsense: 64 */
	UXS_FAILURE_LIVE, /* a live server holds the address: 69 */
	UXS_FAILURE_SYSTEM, /* the operating system said no: 71 */
	UXS_FAILURE_CREATE, /* the socket or lock cannot be made: 73 */
	UXS_FAILURE_PERMISSION, /* not allowed, or not safe: 77 */
	UXS_FAILURE_CONFIG, /* rules file or activation is bad: 78 */
};

#define UXS_ERROR_TEXT_MAX 1024

struct uxs_error {
	enum uxs_failure failure;
	char text[UXS_ERROR_TEXT_MAX]; /* one line, no newline, printable */
};

/*
 * Fill *why (which may be NULL) and return a negative number, so that a
 * failing function can end with it. code is the errno of the failed call as a
 * positive number, or 0 where no call failed; it is not added to the text.
 *
 * Returns -code, or -EINVAL where code is 0.
 */
int uxs_error_set(struct uxs_error *why, enum uxs_failure failure, int code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The exit status of sysexits.h for *why; 71 where none was recorded. */
int uxs_error_exit_status(const struct uxs_error *why);

/*
 * UXS_FAILURE_PERMISSION for EACCES and EPERM, otherwise the given one: most
 * steps fail for their own reason or because somebody may not take them.
 */
enum uxs_failure uxs_failure_of(int code, enum uxs_failure otherwise);

__END_DECLS

#endif
