/* SPDX-License-Identifier: ISC */
/*
 * One sentence and one exit status for what went wrong before the server was
 * ready. Only fills in a struct; who prints it is the caller's affair.
 */
#include <uxsrv/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

int
uxs_error_set(struct uxs_error *why, enum uxs_failure failure, int code,
    const char *format, ...)
{
	va_list args;

	if (why != NULL) {
		why->failure = failure;
		va_start(args, format);
		vsnprintf(why->text, sizeof(why->text), format, args);
		va_end(args);
	}
	return code > 0 ? -code : -EINVAL;
}

int
uxs_error_exit_status(const struct uxs_error *why)
{
	switch (why->failure) {
	case UXS_FAILURE_NONE:
	case UXS_FAILURE_SYSTEM:
		return EX_OSERR;
	case UXS_FAILURE_USAGE:
		return EX_USAGE;
	case UXS_FAILURE_LIVE:
		return EX_UNAVAILABLE;
	case UXS_FAILURE_CREATE:
		return EX_CANTCREAT;
	case UXS_FAILURE_PERMISSION:
		return EX_NOPERM;
	case UXS_FAILURE_CONFIG:
		return EX_CONFIG;
	}
	return EX_OSERR;
}

enum uxs_failure
uxs_failure_of(int code, enum uxs_failure otherwise)
{
	return code == EACCES || code == EPERM ? UXS_FAILURE_PERMISSION :
						 otherwise;
}
