/* SPDX-License-Identifier: ISC */
#ifndef UXS_PASSING_H
#define UXS_PASSING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * Descriptors that clients pass along (SCM_RIGHTS). Nobody here wants them,
 * and to get rid of one can take as long as its sender likes, so they are
 * refused, or where the kernel cannot do that, received and handed to the
 * reaper.
 */

/* SCM_MAX_FD: the kernel lets so many go with one message. */
#define PASSED_MAX 253

/* Room for everything that can come with a message: what does not fit is
 * closed by the kernel, in the middle of our receive. */
union passing_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
	    CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

/*
 * Have the kernel refuse them on this socket and on those accepted from it;
 * before bind. *is_refused tells whether it does: Linux 6.16 is the first that
 * can. Returns 0 or a negative errno.
 */
int passing_refuse(int fd, bool *is_refused);

/* Does the kernel refuse them on this socket already? */
bool passing_is_refused(int fd);

/* For tests: from now on be like on an older kernel, or no more. */
void passing_pretend_old_kernel(bool is_old);

/* Call this with each descriptor that came with a received message. */
void passing_for_each(struct msghdr *message,
    void (*function)(int fd, void *arg), void *arg);

#endif
