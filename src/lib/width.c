/* SPDX-License-Identifier: ISC */
/* How many loops are in use, learnt by trying; see width.h. */
#include "width.h"

#include <uxsrv/units.h>

static void
expect_again(struct width *width)
{
	width->narrower = (struct width_attempts){ .wait = WIDTH_WAIT_MIN };
	width->wider = width->narrower;
	width->rate_failed = 0;
}

void
width_init(struct width *width, unsigned n)
{
	*width = (struct width){ .n = n, .now = n };
	expect_again(width);
}

static unsigned
half_of(unsigned n)
{
	return (n + 1) / 2;
}

static unsigned
wider(const struct width *width)
{
	return width->now > width->n / 2 ? width->n : 2 * width->now;
}

/* ---- what a window tells ---- */

static uint64_t
rate_of(const struct width_window *window)
{
	return window->n_messages * (uint64_t)UXS_NS_PER_S /
	    (uint64_t)window->elapsed_ns;
}

/* Of the time of so many loops. */
static bool
is_at_work(const struct width_window *window, unsigned n, unsigned percent)
{
	return window->spent_ns * 100 >=
	    (uint64_t)window->elapsed_ns * n * percent;
}

static bool
is_dear(const struct width_window *window)
{
	return window->spent_ns >
	    (window->n_messages + window->n_moments) * WIDTH_DEAR_NS &&
	    is_at_work(window, 1, WIDTH_FULL / 2);
}

/* Too few, or the loop that would have ended the window slept. */
static bool
is_quiet(const struct width_window *window)
{
	return rate_of(window) < WIDTH_MIN_RATE ||
	    window->elapsed_ns > 2 * WIDTH_WINDOW_MAX_NS;
}

bool
width_is_over(const struct width_window *window, uint64_t n_clients)
{
	return is_quiet(window) || is_dear(window) ||
	    window->n_messages >= 2 * n_clients ||
	    window->elapsed_ns >= WIDTH_WINDOW_MAX_NS;
}

/* ---- attempts ---- */

static void
try(struct width *width, unsigned n)
{
	width->before = width->now;
	width->now = n;
	width->phase = WIDTH_MOVING;
}

static void
settle(struct width *width, unsigned n)
{
	width->now = n;
	width->phase = WIDTH_SETTLED;
}

/* There and back again: the other way is not worth a try for a while. */
static void
keep(struct width *width, struct width_attempts *way,
    struct width_attempts *back)
{
	settle(width, width->now);
	*way = (struct width_attempts){ .wait = WIDTH_WAIT_MIN };
	back->n_to_wait = back->wait;
}

static void
give_up(struct width *width, struct width_attempts *way)
{
	settle(width, width->before);
	width->rate_failed = width->rate;
	way->n_to_wait = way->wait;
	way->wait *= 4;
	if (way->wait > WIDTH_WAIT_MAX)
		way->wait = WIDTH_WAIT_MAX;
}

static void
judge(struct width *width, uint64_t rate)
{
	const bool is_wider = width->now > width->before;
	const uint64_t least = width->rate *
	    (is_wider ? 100 + WIDTH_WORTH : 100 - WIDTH_WORTH);
	struct width_attempts *way = is_wider ? &width->wider :
						&width->narrower;
	struct width_attempts *back = is_wider ? &width->narrower :
						 &width->wider;

	if (rate * 100 >= least)
		keep(width, way, back);
	else
		give_up(width, way);
}

/* A load that has just begun, or changes, is nothing to compare with. */
static bool
has_settled(struct width *width, uint64_t rate)
{
	const uint64_t before = width->rate;
	const uint64_t change = rate > before ? rate - before : before - rate;

	width->rate = rate;
	return change * 100 <= before * WIDTH_WORTH;
}

static bool
is_another_load(const struct width *width)
{
	return width->rate_failed > 0 &&
	    (width->rate > 2 * width->rate_failed ||
		2 * width->rate < width->rate_failed);
}

static bool
may_try(struct width_attempts *attempts, const struct width_window *window)
{
	const unsigned passed =
	    (unsigned)(window->elapsed_ns / WIDTH_WINDOW_NS);

	if (attempts->n_to_wait == 0)
		return true;
	attempts->n_to_wait -=
	    passed < attempts->n_to_wait ? passed : attempts->n_to_wait;
	return false;
}

static void
consider(struct width *width, const struct width_window *window)
{
	const bool may_narrow = may_try(&width->narrower, window);
	const bool may_widen = may_try(&width->wider, window);

	if (width->now < width->n && may_widen &&
	    is_at_work(window, width->now, WIDTH_FULL))
		try(width, wider(width));
	else if (width->now > 1 && may_narrow)
		try(width, half_of(width->now));
}

unsigned
width_learn(struct width *width, const struct width_window *window)
{
	if (is_dear(window)) {
		settle(width, wider(width));
	} else if (is_quiet(window)) {
		if (width->phase != WIDTH_SETTLED)
			settle(width, width->before);
	} else if (width->phase == WIDTH_MOVING) {
		width->phase = WIDTH_TRYING;
	} else if (width->phase == WIDTH_TRYING) {
		judge(width, rate_of(window));
	} else if (has_settled(width, rate_of(window))) {
		if (is_another_load(width))
			expect_again(width);
		consider(width, window);
	}
	return width->now;
}
