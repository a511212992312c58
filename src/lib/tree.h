/* SPDX-License-Identifier: ISC */
#ifndef UXS_TREE_H
#define UXS_TREE_H

#include <sys/tree.h>

/*
 * RB_GENERATE_STATIC of libbsd 0.11 needs __unused, which its own headers
 * leave undefined on Linux (kernel headers have members of that name). So the
 * attribute is given here; our trees are all private to one file.
 */
#define UXS_TREE_GENERATE(name, type, field, compare)    \
	RB_GENERATE_INTERNAL(name, type, field, compare, \
	    __attribute__((__unused__)) static)

#endif
