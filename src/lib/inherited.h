/* SPDX-License-Identifier: ISC */
#ifndef UXS_INHERITED_H
#define UXS_INHERITED_H

struct uxs_inherited;

/*
 * Look at a descriptor that was inherited, from every side, and find its
 * address. Returns what is wrong with it, or NULL.
 */
const char *inherited_object_to(struct uxs_inherited *socket);

/* The same, and make it non-blocking and close-on-exec. */
const char *inherited_take(struct uxs_inherited *socket);

#endif
