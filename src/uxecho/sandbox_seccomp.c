/* SPDX-License-Identifier: ISC */
/*
 * From the table of calls to a program for the kernel's filter, by hand; see
 * seccomp(2).
 *
 * Calls that are allowed whatever their arguments are found in a bitmap of the
 * kernel (since Linux 5.11), which runs no filter for them: so those of every
 * message have no conditions, and the length of the program does not matter.
 */
#include "sandbox_seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000U /* another way to number the same calls */
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef ARCHITECTURE

bool
seccomp_is_built(void)
{
	return false;
}

int
seccomp_check(void)
{
	return -ENOSYS;
}

int
seccomp_enter(unsigned needs)
{
	return -ENOSYS;
}

#else

/* To look at the number, load the argument, mask it, compare it, decide, and
 * load the number again. */
#define INSTRUCTIONS_PER_CALL 6
#define INSTRUCTIONS_AROUND (7 + INSTRUCTIONS_PER_CALL)

struct program {
	struct sock_filter *code;
	unsigned short n;
};

static void
add(struct program *p, struct sock_filter instruction)
{
	p->code[p->n++] = instruction;
}

static void
load(struct program *p, size_t offset)
{
	add(p,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)offset));
}

/* Go on where it is equal, else skip so many. */
static void
unless_equal_skip(struct program *p, uint32_t value, uint8_t n)
{
	add(p,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
		n));
}

static void
decide(struct program *p, int verdict)
{
	uint32_t action = SECCOMP_RET_ERRNO | (uint32_t)verdict;

	if (verdict == SANDBOX_ALLOW)
		action = SECCOMP_RET_ALLOW;
	else if (verdict == SANDBOX_KILL)
		action = SECCOMP_RET_KILL_PROCESS;
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Another kind of processor, such as i386 on x86-64, has other numbers. */
static void
add_architecture(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	add(p,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		ARCHITECTURE, 1, 0));
	decide(p, SANDBOX_KILL);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	add(p,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0,
		1));
	decide(p, SANDBOX_KILL);
#endif
}

/* The number of the call is loaded before, and after. */
static void
add_call(struct program *p, const struct sandbox_call *call)
{
	if (call->argument == 0) {
		unless_equal_skip(p, (uint32_t)call->number, 1);
		decide(p, call->verdict);
		return;
	}
	unless_equal_skip(p, (uint32_t)call->number, 5);
	/* The lower half comes first: both processors are little-endian. */
	load(p,
	    offsetof(struct seccomp_data, args) +
		(size_t)(call->argument - 1) * sizeof(uint64_t));
	add(p,
	    (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
		call->mask));
	unless_equal_skip(p, call->value, 1);
	decide(p, call->verdict);
	load(p, offsetof(struct seccomp_data, nr));
}

/* abort(3) sends a signal to this process; nobody else gets one. */
static void
add_abort(struct program *p)
{
	const struct sandbox_call call = {
		.number = SYS_tgkill,
		.argument = 1,
		.mask = UINT32_MAX,
		.value = (uint32_t)getpid(),
	};

	add_call(p, &call);
}

static int
make_program(struct program *p, unsigned needs)
{
	p->n = 0;
	p->code = calloc(INSTRUCTIONS_AROUND +
		INSTRUCTIONS_PER_CALL * sandbox_calls_n,
	    sizeof(p->code[0]));
	if (p->code == NULL)
		return -ENOMEM;
	add_architecture(p);
	add_abort(p);
	for (size_t i = 0; i < sandbox_calls_n; i++) {
		const struct sandbox_call *call = &sandbox_calls[i];

		if (call->needs == 0 || (call->needs & needs) != 0)
			add_call(p, call);
	}
	decide(p, ENOSYS);
	return 0;
}

static long
seccomp(unsigned operation, unsigned flags, void *args)
{
	return syscall(SYS_seccomp, operation, flags, args);
}

bool
seccomp_is_built(void)
{
	return true;
}

int
seccomp_check(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

/*
 * Older kernels than 5.16 would also turn off the processor's speculation for
 * us, as for a process that runs what strangers wrote; we run nothing of
 * theirs, so it would cost time for nothing.
 */
int
seccomp_enter(unsigned needs)
{
	struct program program;
	struct sock_fprog given;
	int r = make_program(&program, needs);

	if (r < 0)
		return r;
	given = (struct sock_fprog){ program.n, program.code };
	if (seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		&given) < 0)
		r = -errno;
	free(program.code);
	return r;
}

#endif
