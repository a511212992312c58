/* SPDX-License-Identifier: ISC */
#ifndef UXPING_INTERACTIVE_H
#define UXPING_INTERACTIVE_H

struct options;

/*
 * uxping -I: standard input goes to the server, and what the server says goes
 * to standard output, until both have ended.
 *
 * On a terminal lines are prompted for and empty ones skipped. Otherwise bytes
 * pass as they are, the end of input becomes a half-close, and all of the
 * answer is printed before this returns. Datagram, seqpacket and framed stream
 * sockets get a message for each line, and on the last a line is printed for
 * each message.
 *
 * Returns the exit status: 0, 1 when the server was not there or broke off, 2
 * when it could not run.
 */
int interactive_run(const struct options *options);

#endif
