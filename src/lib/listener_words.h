/* SPDX-License-Identifier: ISC */
#ifndef UXS_LISTENER_WORDS_H
#define UXS_LISTENER_WORDS_H

#include <sys/types.h>

#include <uxsrv/error.h>
#include <uxsrv/probe.h>

/* "PATH: cannot do this: No such file or directory". Returns -code. */
int listener_explain(struct uxs_error *why, enum uxs_failure failure, int code,
    const char *path, const char *what);

/* A live server is there; pid 0 and UXS_UID_NONE where it is not known whose.
 * Returns -EADDRINUSE. */
int listener_explain_live(struct uxs_error *why, const char *path, pid_t pid,
    uid_t uid);

/* Say what a probe found. Returns 0 when the place may be used, otherwise a
 * negative errno. probe is what uxs_probe_place returned. */
int listener_judge_probe(struct uxs_error *why, const char *path, int probe,
    const struct uxs_probe_facts *facts);

#endif
