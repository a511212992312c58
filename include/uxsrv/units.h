/* SPDX-License-Identifier: ISC */
#ifndef UXS_UNITS_H
#define UXS_UNITS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

/*
 * Numbers as people write them on a command line. Pure.
 *
 * Every function takes the bounds within which the value must lie, returns 0
 * and the value, -EINVAL for text that is no such number, or -ERANGE for one
 * outside the bounds. *value is untouched unless 0 is returned.
 */

#define UXS_NS_PER_US INT64_C(1000)
#define UXS_NS_PER_MS INT64_C(1000000)
#define UXS_NS_PER_S INT64_C(1000000000)

/*
 * "250us", "10ms", "5s", "2m", "1h"; a number without a unit is seconds. A
 * fraction is allowed: "0.2", "1.5ms". The value is in nanoseconds.
 */
int uxs_duration_parse(const char *text, int64_t min_ns, int64_t max_ns,
    int64_t *value_ns);

/* "512", "64k", "1M", "2G": powers of 1024. The value is in bytes. */
int uxs_size_parse(const char *text, size_t min_bytes, size_t max_bytes,
    size_t *value_bytes);

/* A plain decimal number. */
int uxs_count_parse(const char *text, int64_t min, int64_t max, int64_t *value);

/* Write a duration or a size as the parsers read it, in the largest unit that
 * is exact: "5s", "250us", "64k". Return text. */
#define UXS_UNITS_TEXT_MAX 32
char *uxs_duration_print(int64_t value_ns, char text[UXS_UNITS_TEXT_MAX]);
char *uxs_size_print(size_t value_bytes, char text[UXS_UNITS_TEXT_MAX]);

__END_DECLS

#endif
