/* SPDX-License-Identifier: ISC */
/* How many workers are in use; see crew_width.h. */
#include "crew_width.h"

#include <uxsrv/server.h>

#include "counter.h"
#include "crew.h"
#include "wait.h"

/* Of all messages; who has fewer in a loop that is not in use may stay. */
#define FEW(n_messages) ((n_messages) / 16)

size_t
crew_width(const struct crew *crew)
{
	return crew_first(crew)->stats.loops;
}

static void
set_width(struct crew *crew, size_t n)
{
	struct worker *first = crew_first(crew);

	if (n == crew_width(crew))
		return;
	counter_set(&first->stats.loops, n);
	wait_beside_others(&first->loop, n > 1);
}

/* ---- what they do ---- */

static uint64_t
count_moments(const struct worker *w)
{
	return counter_read(&w->n_admitted) + counter_read(&w->n_left);
}

static uint64_t
count_messages(const struct worker *w)
{
	uint64_t n = 0;

	for (int type = 0; type < UXS_N_ALL_TYPES; type++)
		n += counter_read(&w->stats.of[type].received_messages);
	return n;
}

/* In the window, up to now. */
static uint64_t
messages_of(const struct worker *w)
{
	return count_messages(w) - w->n_messages_then;
}

static void
measure(const struct crew *crew, struct width_window *window)
{
	*window = (struct width_window){
		.elapsed_ns = uxs_loop_now_ns(&crew_first(crew)->loop) -
		    crew->window_ns,
	};
	for (size_t i = 0; i < crew->n; i++) {
		const struct worker *w = &crew->workers[i];

		window->n_messages += messages_of(w);
		window->n_moments += count_moments(w) - w->n_moments_then;
		window->spent_ns += counter_read(&w->stats.turns.spent_ns) -
		    w->spent_ns_then;
	}
}

static uint64_t
count_clients(const struct crew *crew)
{
	uint64_t n = 0;

	for (size_t i = 0; i < crew->n; i++)
		n += worker_load(&crew->workers[i]);
	return n;
}

/* ---- who goes where ---- */

static void
move(struct crew *crew, size_t from, size_t to, bool is_half)
{
	const struct worker_move move = {
		.to = &crew->workers[to],
		.is_half = is_half,
	};

	worker_move(&crew->workers[from], &move);
}

/* They are at most twice as many, so there is one for each to get from. */
static void
spread(struct crew *crew, size_t before)
{
	for (size_t i = before; i < crew_width(crew); i++)
		move(crew, i - before, i, true);
}

/* From those that are not in use any more; and from those that are not for
 * long, where somebody was silent, or could not be moved, and has much to do
 * now. */
static void
collect(struct crew *crew, uint64_t n_messages)
{
	for (size_t i = crew_width(crew); i < crew->n; i++) {
		if (messages_of(&crew->workers[i]) > FEW(n_messages))
			move(crew, i, i % crew_width(crew), false);
	}
}

/* ---- windows ---- */

/* Nobody is woken up for it: where nothing happens there is nothing to
 * decide. */
static void
look_later(struct crew *crew)
{
	struct uxs_loop *loop = &crew_first(crew)->loop;

	uxs_timer_start_lazily(loop, &crew->window,
	    uxs_loop_now_ns(loop) + WIDTH_WINDOW_NS);
}

static void
begin_window(struct crew *crew)
{
	crew->window_ns = uxs_loop_now_ns(&crew_first(crew)->loop);
	for (size_t i = 0; i < crew->n; i++) {
		struct worker *w = &crew->workers[i];

		w->n_messages_then = count_messages(w);
		w->n_moments_then = count_moments(w);
		w->spent_ns_then = counter_read(&w->stats.turns.spent_ns);
	}
	look_later(crew);
}

static void
end_window(struct crew *crew, const struct width_window *window)
{
	const size_t before = crew_width(crew);

	set_width(crew, width_learn(&crew->width, window));
	if (crew_width(crew) > before)
		spread(crew, before);
	else
		collect(crew, window->n_messages);
	begin_window(crew);
}

static void
on_window(struct uxs_timer *timer)
{
	struct crew *crew = uxs_container_of(timer, struct crew, window);
	struct width_window window;

	measure(crew, &window);
	if (width_is_over(&window, count_clients(crew)))
		end_window(crew, &window);
	else
		look_later(crew);
}

void
crew_width_start(struct crew *crew)
{
	set_width(crew, crew->n);
	width_init(&crew->width, (unsigned)crew->n);
	crew->window.on_expiry = on_window;
	begin_window(crew);
}

void
crew_width_stop(struct crew *crew)
{
	if (crew->n > 1)
		uxs_timer_stop(&crew_first(crew)->loop, &crew->window);
}
