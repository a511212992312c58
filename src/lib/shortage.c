/* SPDX-License-Identifier: ISC */
/* How long there has been nothing left, and one descriptor for that time. */
#include "shortage.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <uxsrv/units.h>

/* Accepting is tried again after this long. Short against what people notice,
 * long against the few microseconds that a vain attempt costs. */
#define PAUSE_NS (50 * UXS_NS_PER_MS)

/* Nobody likes to wait longer to be told no; a crowd that is being served is
 * through by then, or somebody of it leaves. */
#define LONG_NS UXS_NS_PER_S

#define TELL_NS UXS_NS_PER_S

void
shortage_open(struct shortage *shortage, struct uxs_loop *loop)
{
	shortage->loop = loop;
	shortage->spare_fd = -1;
	shortage_take_back(shortage);
}

/* As a whole, since other threads look at it. */
static void
set_since(struct shortage *shortage, int64_t now_ns)
{
	__atomic_store_n(&shortage->since_ns, now_ns, __ATOMIC_RELAXED);
}

bool
shortage_is_there(const struct shortage *shortage)
{
	return __atomic_load_n(&shortage->since_ns, __ATOMIC_RELAXED) != 0;
}

bool
shortage_pause(struct shortage *shortage)
{
	const int64_t now = uxs_loop_now_ns(shortage->loop);

	uxs_timer_start(shortage->loop, &shortage->timer, now + PAUSE_NS);
	if (shortage->since_ns == 0)
		set_since(shortage, now);
	if (shortage->told_ns != 0 && now - shortage->told_ns < TELL_NS)
		return false;
	shortage->told_ns = now;
	return true;
}

bool
shortage_left(struct shortage *shortage)
{
	if (shortage->since_ns == 0)
		return false;
	set_since(shortage, uxs_loop_now_ns(shortage->loop));
	if (!uxs_timer_is_started(&shortage->timer))
		return false;
	uxs_timer_stop(shortage->loop, &shortage->timer);
	return true;
}

void
shortage_over(struct shortage *shortage)
{
	set_since(shortage, 0);
	shortage_take_back(shortage);
}

bool
shortage_is_long(const struct shortage *shortage)
{
	return shortage->since_ns != 0 &&
	    uxs_loop_now_ns(shortage->loop) - shortage->since_ns >= LONG_NS;
}

void
shortage_lend(struct shortage *shortage)
{
	if (shortage->spare_fd >= 0)
		close(shortage->spare_fd);
	shortage->spare_fd = -1;
}

/* An open file of its own, not a duplicate: with ENFILE it is the files of the
 * whole system that are counted. */
void
shortage_take_back(struct shortage *shortage)
{
	if (shortage->spare_fd < 0)
		shortage->spare_fd = eventfd(0, EFD_CLOEXEC);
}

void
shortage_close(struct shortage *shortage)
{
	if (shortage->loop != NULL)
		uxs_timer_stop(shortage->loop, &shortage->timer);
	shortage_lend(shortage);
}
