/* SPDX-License-Identifier: ISC */
#ifndef UXPING_RETURN_ADDRESS_H
#define UXPING_RETURN_ADDRESS_H

/*
 * Where a datagram server can answer to: a socket file of our own, in a
 * directory of our own, that is gone when we are.
 *
 *	id = return_address_bind(fd);
 *	...
 *	return_address_remove(id);
 *
 * The directory is made at the first bind and removed at exit(3). Only a death
 * by SIGKILL, or by a signal nobody handles, leaves it behind.
 */

/*
 * Give the socket a name. Connect it first: the kernel then delivers to it
 * what the peer sends and nothing else, however many know the name.
 *
 * Returns a number, 1 or more, for return_address_remove, or a negative errno.
 */
int return_address_bind(int fd);

/* Remove the file. id 0 is none. */
void return_address_remove(int id);

#endif
