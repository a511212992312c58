/* SPDX-License-Identifier: ISC */
/*
 * Standard input to the server, the server to standard output.
 *
 *	terminal, pipe or file ──► buffer ──► socket      what does not go out
 *	                                        │         stays in the buffer, and
 *	             standard output ◄──────────┘         no more is read
 *
 * On a framed stream a line of input is a message, and so is a line of output:
 * one line at a time is taken from the buffer and put into a frame. What was
 * sent is only passed by: the buffer may hold many short lines, and nothing is
 * moved to its beginning before more is read.
 *
 * Standard output is written to as any filter does it: when it blocks, so do
 * we. Both ends may end first; it is over when the server has.
 */
#include "interactive.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uxsrv/framing.h>
#include <uxsrv/loop.h>
#include <uxsrv/units.h>

#include "console.h"
#include "diagnose.h"
#include "line_frame.h"
#include "options.h"
#include "target.h"

/* More than the longest datagram under the kernel's defaults (212960). */
#define BUFFER_SIZE ((size_t)256 * 1024)

/* After the end of input a datagram server has this long to go on answering:
 * nothing tells that it has said all. On a terminal no server has longer, for
 * somebody sits there and wants to leave. */
#define QUIET_NS UXS_NS_PER_S

#define RETRY_NS (10 * UXS_NS_PER_MS)

struct chat {
	const struct options *options;
	struct uxs_loop loop;
	struct uxs_signals signals;
	struct uxs_timer quiet;
	struct target target;
	struct target_link link;
	struct uxs_watch server, input;
	bool is_terminal;
	bool is_file; /* epoll(7) takes no files; they are always readable */
	bool is_over;
	bool has_input_ended;
	bool is_half_closed;
	bool is_blocked; /* the server does not take more at the moment */
	bool has_answer; /* something came back */
	int status;
	size_t start, end; /* of what is in to_server */
	size_t frame_start, frame_end; /* of what is in frame, and goes first */
	struct uxs_deframer deframer;
	char to_server[BUFFER_SIZE];
	char frame[LINE_FRAME_MAX(BUFFER_SIZE)];
	char from_server[BUFFER_SIZE];
};

/* ---- the end ---- */

static void
end(struct chat *chat, int status)
{
	if (status > chat->status)
		chat->status = status;
	chat->is_over = true;
	uxs_loop_stop(&chat->loop);
}

static void
end_with(struct chat *chat, const struct diagnosis *diagnosis)
{
	console_close();
	fflush(stdout);
	fprintf(stderr, "uxping: %s: %s: %s\n", chat->target.label,
	    diagnose_word(diagnosis->reason), diagnosis->text);
	end(chat, 1);
}

static void
break_down(struct chat *chat, int code)
{
	struct diagnosis diagnosis;

	diagnose_broken(&diagnosis, &chat->target, code, chat->has_answer);
	end_with(chat, &diagnosis);
}

static void
half_close(struct chat *chat)
{
	if (chat->is_half_closed)
		return;
	chat->is_half_closed = true;
	if (chat->target.address.type != UXS_DGRAM)
		shutdown(chat->link.fd, SHUT_WR);
	if (chat->target.address.type == UXS_DGRAM || chat->is_terminal)
		uxs_timer_start(&chat->loop, &chat->quiet,
		    uxs_loop_now_ns(&chat->loop) + QUIET_NS);
}

/* ---- to the server ---- */

static bool
is_framed(const struct chat *chat)
{
	return chat->options->framing != UXS_FRAMING_NONE &&
	    !target_keeps_messages(&chat->target);
}

static size_t
n_kept(const struct chat *chat)
{
	return chat->end - chat->start;
}

static size_t
next_line(const struct chat *chat)
{
	return line_first(chat->to_server + chat->start, n_kept(chat),
	    chat->has_input_ended);
}

static void
fill_frame(struct chat *chat)
{
	const size_t line = next_line(chat);

	if (line == 0)
		return;
	chat->frame_start = 0;
	chat->frame_end = line_frame(chat->frame, chat->to_server + chat->start,
	    line, chat->options->framing);
	chat->start += line;
}

/* What goes into one send: all there is on a stream, a line elsewhere, or what
 * is left of a frame. Returns how much; 0: nothing yet. */
static size_t
next_out(struct chat *chat, const char **data)
{
	if (is_framed(chat)) {
		if (chat->frame_start == chat->frame_end)
			fill_frame(chat);
		*data = chat->frame + chat->frame_start;
		return chat->frame_end - chat->frame_start;
	}
	*data = chat->to_server + chat->start;
	return target_keeps_messages(&chat->target) ? next_line(chat) :
						      n_kept(chat);
}

static void
pass_by(struct chat *chat, size_t n)
{
	if (is_framed(chat))
		chat->frame_start += n;
	else
		chat->start += n;
}

/* Send until the buffer holds nothing that could be sent. */
static void
flush_out(struct chat *chat)
{
	const char *data;
	size_t length;

	chat->is_blocked = false;
	while (!chat->is_over && (length = next_out(chat, &data)) > 0) {
		const ssize_t n = send(chat->link.fd, data, length,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			chat->is_blocked = true;
			return;
		}
		if (n < 0 && errno != EINTR)
			break_down(chat, errno);
		if (n > 0)
			pass_by(chat, (size_t)n);
	}
}

/* Returns how much there is behind what is kept. */
static size_t
make_room(struct chat *chat)
{
	memmove(chat->to_server, chat->to_server + chat->start, n_kept(chat));
	chat->end -= chat->start;
	chat->start = 0;
	return BUFFER_SIZE - chat->end;
}

static void
read_input(struct chat *chat)
{
	const size_t room = make_room(chat);
	ssize_t n;

	if (room == 0) {
		warnx("a line longer than %zu bytes is no message",
		    BUFFER_SIZE);
		end(chat, 2);
		return;
	}
	n = read(STDIN_FILENO, chat->to_server + chat->end, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		warn("standard input");
	if (n <= 0)
		chat->has_input_ended = true;
	else
		chat->end += (size_t)n;
}

/* What is watched follows from where we stand, and from nothing else. */
static void
rearm(struct chat *chat)
{
	const bool wants_input = !chat->has_input_ended && !chat->is_blocked &&
	    !chat->is_file;

	if (chat->is_over)
		return;
	uxs_watch_start(&chat->loop, &chat->input, wants_input ? EPOLLIN : 0U);
	uxs_watch_start(&chat->loop, &chat->server,
	    EPOLLIN | (chat->is_blocked ? EPOLLOUT : 0U));
}

static void
pump(struct chat *chat)
{
	flush_out(chat);
	while (chat->is_file && !chat->is_over && !chat->is_blocked &&
	    !chat->has_input_ended) {
		read_input(chat);
		flush_out(chat);
	}
	if (chat->has_input_ended && !chat->is_blocked && !chat->is_over)
		half_close(chat);
	rearm(chat);
}

static void
on_line(void *arg, const char *line)
{
	struct chat *chat = arg;
	const size_t room = make_room(chat);

	if (line == NULL) {
		chat->has_input_ended = true;
		console_close();
		return;
	}
	if (strlen(line) >= room)
		return; /* the server does not read, and much is waiting */
	chat->end +=
	    (size_t)snprintf(chat->to_server + chat->end, room, "%s\n", line);
}

static void
on_input(struct uxs_watch *watch, uint32_t events)
{
	struct chat *chat = uxs_container_of(watch, struct chat, input);

	if (chat->is_terminal)
		console_read();
	else
		read_input(chat);
	pump(chat);
}

/* ---- from the server ---- */

static void
print(struct chat *chat, const char *bytes, size_t n)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (chat->is_terminal) {
		console_print(bytes, n);
		return;
	}
	while (n > 0) {
		const ssize_t written = write(STDOUT_FILENO, bytes, n);

		if (written < 0 && errno == EAGAIN)
			poll(&out, 1, -1); /* somebody made it non-blocking */
		else if (written < 0 && errno != EINTR) {
			warn("standard output");
			end(chat, 2);
			return;
		}
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
}

static void
end_unframed(struct chat *chat)
{
	struct diagnosis diagnosis;

	diagnose_corrupt(&diagnosis, &chat->target,
	    "what comes back is not framed as --framing says");
	end_with(chat, &diagnosis);
}

/* Each message becomes a line; its pieces need not wait for each other. */
static void
print_frames(struct chat *chat, const char *bytes, size_t n)
{
	while (n > 0 && !chat->is_over) {
		struct uxs_frame_piece piece;
		const enum uxs_frame r =
		    uxs_deframer_next(&chat->deframer, bytes, n, &piece);

		bytes += piece.n_taken;
		n -= piece.n_taken;
		if (r == UXS_FRAME_TOO_LONG || r == UXS_FRAME_MALFORMED) {
			end_unframed(chat);
			return;
		}
		print(chat, piece.data, piece.length);
		if (r == UXS_FRAME_WHOLE)
			print(chat, "\n", 1);
	}
}

static bool
is_all_sent(const struct chat *chat)
{
	return n_kept(chat) == 0 && chat->frame_start == chat->frame_end;
}

/* Nothing is lost when the server ends after our end, or has answered and has
 * got all that there was. */
static void
on_server_end(struct chat *chat, int code)
{
	if (is_framed(chat) &&
	    uxs_deframer_end(&chat->deframer) == UXS_FRAME_MALFORMED) {
		end_unframed(chat);
		return;
	}
	if (code == 0 && is_all_sent(chat) &&
	    (chat->has_input_ended || chat->has_answer)) {
		console_close();
		if (!chat->has_input_ended && chat->is_terminal)
			warnx("%s: the server closed the connection",
			    chat->target.label);
		end(chat, 0);
	} else {
		break_down(chat, code);
	}
}

static void
receive(struct chat *chat)
{
	const ssize_t n = recv(chat->link.fd, chat->from_server,
	    sizeof(chat->from_server), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		on_server_end(chat, errno);
	else if (n == 0 && chat->target.address.type != UXS_DGRAM)
		on_server_end(chat, 0);
	else {
		chat->has_answer = true;
		if (is_framed(chat))
			print_frames(chat, chat->from_server, (size_t)n);
		else
			print(chat, chat->from_server, (size_t)n);
	}
	if (uxs_timer_is_started(&chat->quiet))
		uxs_timer_start(&chat->loop, &chat->quiet,
		    uxs_loop_now_ns(&chat->loop) + QUIET_NS);
}

static void
on_server(struct uxs_watch *watch, uint32_t events)
{
	struct chat *chat = uxs_container_of(watch, struct chat, server);

	/* What was received comes before the news that sending fails. */
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		receive(chat);
	if (!chat->is_over && (events & EPOLLOUT) != 0)
		pump(chat);
}

static void
on_quiet(struct uxs_timer *timer)
{
	end(uxs_container_of(timer, struct chat, quiet), 0);
}

static void
on_signal(struct uxs_signals *signals, int number)
{
	struct chat *chat = uxs_container_of(signals, struct chat, signals);

	console_close();
	end(chat, chat->is_terminal ? 0 : 1);
}

/* ---- beginning ---- */

static int
start_signals(struct chat *chat)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	chat->signals.on_signal = on_signal;
	return uxs_signals_start(&chat->loop, &chat->signals, &set);
}

/* Returns 0, or -1 having said why. */
static int
connect_or_explain(struct chat *chat)
{
	struct diagnosis diagnosis;
	int64_t waited_ns = 0;
	int r;

	for (;;) {
		r = target_connect(&chat->target, &chat->link);
		if (r == TARGET_CONNECTED)
			return 0;
		if (waited_ns >= chat->options->wait_ns || chat->is_over ||
		    r == TARGET_WRONG_USER)
			break;
		target_unpin(&chat->target);
		uxs_loop_turn(&chat->loop, RETRY_NS);
		waited_ns += RETRY_NS;
	}
	if (!chat->is_over) {
		diagnose_connect(&diagnosis, &chat->target, r);
		end_with(chat, &diagnosis);
	}
	return -1;
}

static int
run(struct chat *chat)
{
	int r;

	chat->input =
	    (struct uxs_watch){ .fd = STDIN_FILENO, .on_ready = on_input };
	chat->server =
	    (struct uxs_watch){ .fd = chat->link.fd, .on_ready = on_server };
	chat->quiet.on_expiry = on_quiet;
	uxs_deframer_init(&chat->deframer, chat->options->framing, SIZE_MAX);
	chat->is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	r = uxs_watch_start(&chat->loop, &chat->input, EPOLLIN);
	chat->is_file = r == -EPERM;
	if (r < 0 && !chat->is_file) {
		warnc(-r, "standard input");
		return 2;
	}
	if (chat->is_terminal)
		console_open(on_line, chat);
	pump(chat);
	while (!chat->is_over) {
		if (uxs_loop_turn(&chat->loop, -1) < 0)
			break;
	}
	console_close();
	return chat->status;
}

int
interactive_run(const struct options *options)
{
	struct chat chat = { .loop = UXS_LOOP_CLOSED,
		.target = TARGET_CLOSED,
		.link = TARGET_LINK_CLOSED };
	struct uxs_error why;
	int r, status = 2;

	chat.options = options;
	if (target_open(&chat.target, options->targets[0], options, &why) < 0) {
		warnx("%s", why.text);
		return 2;
	}
	if ((r = uxs_loop_open(&chat.loop)) < 0 ||
	    (r = start_signals(&chat)) < 0)
		warnc(-r, "cannot start");
	else {
		status = connect_or_explain(&chat) == 0 ? run(&chat) :
							  chat.status;
		uxs_signals_stop(&chat.signals);
	}
	target_disconnect(&chat.link);
	target_close(&chat.target);
	uxs_loop_close(&chat.loop);
	return status;
}
