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

/* Since it was asked before. */
static uint64_t
take_messages(struct worker *w)
{
	const uint64_t before = w->n_messages_then;

	w->n_messages_then = 0;
	for (int type = 0; type < UXS_N_ALL_TYPES; type++)
		w->n_messages_then +=
		    counter_read(&w->stats.of[type].received_messages);
	return w->n_messages_then - before;
}

static uint64_t
take_spent(struct worker *w)
{
	const uint64_t before = w->spent_ns_then;

	w->spent_ns_then = counter_read(&w->stats.turns.spent_ns);
	return w->spent_ns_then - before;
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
collect(struct crew *crew, const uint64_t n_messages[], uint64_t n_all)
{
	for (size_t i = crew_width(crew); i < crew->n; i++) {
		if (n_messages[i] > FEW(n_all))
			move(crew, i, i % crew_width(crew), false);
	}
}

/* ---- windows ---- */

/* Nobody is woken up for it: where nothing happens there is nothing to
 * decide. */
static void
begin_window(struct crew *crew)
{
	struct uxs_loop *loop = &crew_first(crew)->loop;

	crew->window_ns = uxs_loop_now_ns(loop);
	uxs_timer_start_lazily(loop, &crew->window,
	    crew->window_ns + WIDTH_WINDOW_NS);
}

static void
on_window_over(struct uxs_timer *timer)
{
	struct crew *crew = uxs_container_of(timer, struct crew, window);
	struct width_window window = {
		.elapsed_ns = uxs_loop_now_ns(&crew_first(crew)->loop) -
		    crew->window_ns,
	};
	uint64_t n_messages[UXS_THREADS_MAX];
	const size_t before = crew_width(crew);

	for (size_t i = 0; i < crew->n; i++) {
		n_messages[i] = take_messages(&crew->workers[i]);
		window.n_messages += n_messages[i];
		window.spent_ns += take_spent(&crew->workers[i]);
	}
	set_width(crew, width_learn(&crew->width, &window));
	if (crew_width(crew) > before)
		spread(crew, before);
	else
		collect(crew, n_messages, window.n_messages);
	begin_window(crew);
}

void
crew_width_start(struct crew *crew)
{
	set_width(crew, crew->n);
	width_init(&crew->width, (unsigned)crew->n);
	crew->window.on_expiry = on_window_over;
	begin_window(crew);
}

void
crew_width_stop(struct crew *crew)
{
	if (crew->n > 1)
		uxs_timer_stop(&crew_first(crew)->loop, &crew->window);
}
