/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stddef.h>
#include <sys/types.h>

#include "bench.h"

/*
 * One subject at work. A new one for each measurement: where the pages of a
 * process happen to lie is then part of the spread, and not of the result.
 */

/* Whether it is here; bench->why says what is missing. */
int server_is_there(struct bench *bench, size_t subject);

/* Whether its --help has the options that the workload gives to uxecho. */
int server_takes(struct bench *bench, const struct workload *workload);

/* Start it, without waiting. Returns its process, which leads a group of its
 * own, or -1. */
pid_t server_start(struct bench *bench, const struct workload *workload,
    size_t subject);

/* Wait until it echoes, and check that it does; then keep it on the processors
 * that the workload says. */
int server_wait(struct bench *bench, const struct workload *workload,
    size_t subject, pid_t pid);

/* Stop it, kindly and then not. */
void server_stop(pid_t pid);

/* Run a command of the table and read the first line that it prints, without
 * its newline. Returns its exit status, 128 and more: it could not run. */
int server_ask(struct bench *bench, const char *const *argv, size_t n,
    char *line, size_t size);

#endif
