/* SPDX-License-Identifier: ISC */
#ifndef UXS_INITIAL_H
#define UXS_INITIAL_H

/*
 * Values to start from, such as UXS_LOOP_CLOSED, in C and in C++.
 *
 * C++ has designated initialisers since C++20 only, and in another form. So
 * each of these values is listed once, as SET(member, value), and becomes an
 * initialiser in C, and an expression of that type in C++:
 *
 *	struct uxs_loop loop = UXS_LOOP_CLOSED;
 *
 * All other members are zero.
 */
#ifdef __cplusplus
#define UXS_SET_MEMBER(member, value) uxs_initial.member = (value);
#define UXS_INITIAL(type, VALUES)      \
	([]() -> type {                \
		type uxs_initial = {}; \
		VALUES(UXS_SET_MEMBER) \
		return uxs_initial;    \
	}())
#else
#define UXS_SET_MEMBER(member, value) .member = (value),
#define UXS_INITIAL(type, VALUES)      \
	{                              \
		VALUES(UXS_SET_MEMBER) \
	}
#endif

#endif
