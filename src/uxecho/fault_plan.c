/* SPDX-License-Identifier: ISC */
/*
 * Which message meets which fate. Every message has a generator of its own,
 * begun from the seed and its numbers, and takes the same draws whatever is
 * asked for: another rate for one kind leaves the others where they were.
 */
#include "fault.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* splitmix64, of Steele, Lea and Flood: "Fast splittable pseudorandom number
 * generators", 2014. */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t
draw(uint64_t *state)
{
	return mix(*state += GOLDEN);
}

static uint64_t
begin(uint64_t seed, uint64_t connection, uint64_t message)
{
	return mix(mix(mix(seed + GOLDEN) ^ connection * GOLDEN) ^
	    message * GOLDEN);
}

static bool
happens(const struct fault *f, enum uxs_fault fault, uint64_t drawn)
{
	return drawn % FAULT_ALWAYS < f->rates[fault];
}

/* Evenly from delay less jitter to delay and jitter. */
static int64_t
delay_ns(const struct fault *f, uint64_t drawn)
{
	const uint64_t width = 2 * (uint64_t)f->jitter_ns + 1;
	const int64_t delay = f->delay_ns - f->jitter_ns +
	    (int64_t)(drawn % width);

	return delay > 0 ? delay : 0;
}

/* In the order in which one goes before the other; a datagram has nothing that
 * could end. */
static enum uxs_fault
end_of(const struct fault *f, uint64_t connection, const uint64_t drawn[3])
{
	if (connection == 0)
		return UXS_N_FAULTS;
	if (happens(f, UXS_FAULT_RESET, drawn[0]))
		return UXS_FAULT_RESET;
	if (happens(f, UXS_FAULT_CLOSE, drawn[1]))
		return UXS_FAULT_CLOSE;
	if (happens(f, UXS_FAULT_STALL, drawn[2]))
		return UXS_FAULT_STALL;
	return UXS_N_FAULTS;
}

static void
plan_answer(const struct fault *f, struct uxs_fate *fate, uint64_t *state)
{
	const bool is_corrupt = happens(f, UXS_FAULT_CORRUPT, draw(state));
	const bool is_short = happens(f, UXS_FAULT_SHORT, draw(state));

	fate->corrupt_at = draw(state);
	fate->corrupt_mask = (uint8_t)(1 + draw(state) % UINT8_MAX);
	fate->short_at = draw(state);
	fate->delay_ns = delay_ns(f, draw(state));
	if (is_corrupt)
		fate->faults |= 1U << UXS_FAULT_CORRUPT;
	if (is_short)
		fate->faults |= 1U << UXS_FAULT_SHORT;
	if (fate->delay_ns > 0)
		fate->faults |= 1U << UXS_FAULT_DELAY;
}

void
fault_plan(struct uxs_fate *fate, uint64_t connection, uint64_t message,
    void *arg)
{
	const struct fault *f = arg;
	uint64_t state = begin(f->seed, connection, message);
	const uint64_t drawn[] = { draw(&state), draw(&state), draw(&state) };
	const bool is_dropped = happens(f, UXS_FAULT_DROP, draw(&state));
	const enum uxs_fault end = end_of(f, connection, drawn);

	if (end != UXS_N_FAULTS)
		fate->faults = 1U << end;
	else if (is_dropped)
		fate->faults = 1U << UXS_FAULT_DROP;
	else
		plan_answer(f, fate, &state);
}

struct uxs_fates
fault_fates(const struct fault *f)
{
	return (struct uxs_fates){
		.of_message = fault_plan,
		.has_resets = f->rates[UXS_FAULT_RESET] > 0,
		.arg = (void *)(uintptr_t)f,
	};
}
