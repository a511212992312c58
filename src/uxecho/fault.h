/* SPDX-License-Identifier: ISC */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uxsrv/fate.h>

struct uxs_error;

/*
 * --fault: how often what goes wrong, and the plan of it. Pure: the fate of a
 * message follows from the seed and its two numbers, so that a client that
 * failed can be made to fail again.
 */

/* Of a percentage, millionths: 0.1% is 100000. */
#define FAULT_ALWAYS 100000000

struct fault {
	bool is_wanted;
	bool has_seed;
	bool is_drawn; /* and nobody gave it */
	uint64_t seed;
	int64_t delay_ns, jitter_ns;
	uint32_t rates[UXS_N_FAULTS]; /* but for the delay */
};

/* "delay=5ms,jitter=1ms,drop=1%,seed=42". Returns 0, or a negative errno with
 * *why (kind usage). */
int fault_parse(struct fault *fault, const char *spec, struct uxs_error *why);

/* Write it as the parser reads it; without a seed that there is not. Returns
 * text. */
#define FAULT_TEXT_MAX 256
char *fault_print(const struct fault *fault, char text[FAULT_TEXT_MAX]);

/* Where none was given, take what the process before us drew, or draw one
 * (getrandom(2), so not pure). drawn may be NULL. Returns 0, or a negative
 * errno with *why. */
int fault_choose_seed(struct fault *fault, const uint64_t *drawn,
    struct uxs_error *why);

/* The plan: uxs_fates.of_message, with a struct fault for arg, which is
 * borrowed. */
void fault_plan(struct uxs_fate *fate, uint64_t connection, uint64_t message,
    void *arg);
struct uxs_fates fault_fates(const struct fault *fault);

#endif
