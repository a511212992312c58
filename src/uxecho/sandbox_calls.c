/* SPDX-License-Identifier: ISC */
/*
 * Every system call that uxecho makes once it serves, and what for; then those
 * that end it, since nothing but a fault would make them.
 *
 * What is in neither list fails with ENOSYS. Where libc has a second way, that
 * is relied on: clone3(2), whose flags a filter cannot see, is one of those.
 */
#include "sandbox_seccomp.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sandbox.h"

#ifndef SYS_futex_waitv /* older headers than the kernel */
#define SYS_futex_waitv 449
#endif

#define ALL UINT32_MAX
#define OPEN_TO_CHANGE \
	(O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE ^ O_DIRECTORY))

/* The forms of a row. */
#define ALLOW(name)                                            \
	{                                                      \
		.number = SYS_##name, .verdict = SANDBOX_ALLOW \
	}
#define ALLOW_FOR(need, name)                                   \
	{                                                       \
		.number = SYS_##name, .verdict = SANDBOX_ALLOW, \
		.needs = (need)                                 \
	}
#define ALLOW_IF(name, nth, bits, is)                           \
	{                                                       \
		.number = SYS_##name, .verdict = SANDBOX_ALLOW, \
		.argument = (nth), .mask = (uint32_t)(bits),    \
		.value = (uint32_t)(is)                         \
	}
#define FAIL(name, with)                                \
	{                                               \
		.number = SYS_##name, .verdict = (with) \
	}
#define FAIL_FOR(need, name, with)                                       \
	{                                                                \
		.number = SYS_##name, .verdict = (with), .needs = (need) \
	}
#define KILL(name)                                            \
	{                                                     \
		.number = SYS_##name, .verdict = SANDBOX_KILL \
	}

/* clang-format off */
const struct sandbox_call sandbox_calls[] = {
	/* Of every message: see sandbox_seccomp.c on what they cost. */
	ALLOW(epoll_pwait),		/* epoll_wait(3) where it is not a call */
	ALLOW(epoll_pwait2),		/* a wait in nanoseconds */
#ifdef SYS_epoll_wait
	ALLOW(epoll_wait),
#endif
	ALLOW(recvfrom),		/* streams */
	ALLOW(sendto),			/* also: lines to syslog */
	ALLOW(recvmsg),			/* seqpackets: with credentials */
	ALLOW(sendmsg),			/* also: to the service manager */
	ALLOW(recvmmsg),		/* datagrams */
	ALLOW(sendmmsg),
	ALLOW(splice),			/* much data, by way of a pipe */
	ALLOW(epoll_ctl),
	ALLOW(sched_yield),		/* --spin, --threads */
	ALLOW(futex),			/* between threads */
	ALLOW(futex_waitv),

	/* Of every connection. */
	ALLOW(accept4),
	ALLOW(close),
	ALLOW(getsockopt),		/* who the peer is, the groups too */
	ALLOW(setsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(shutdown),		/* half-close; the drain of a listener */
	ALLOW_IF(ioctl, 2, ALL, SIOCINQ),	/* what waits to be read */
	ALLOW_IF(ioctl, 2, ALL, SIOCOUTQ),	/* what a peer has not read */
	ALLOW_IF(ioctl, 2, ALL, TCGETS),	/* stdio: is it a terminal? */
	ALLOW(pipe2),			/* for splice */
	ALLOW_IF(fcntl, 2, ALL, F_GETFD),
	ALLOW_IF(fcntl, 2, ALL, F_SETFD),
	ALLOW_IF(fcntl, 2, ALL, F_GETFL),
	ALLOW_IF(fcntl, 2, ALL, F_SETFL),
	ALLOW_IF(fcntl, 2, ALL, F_DUPFD_CLOEXEC),
	ALLOW_IF(fcntl, 2, ALL, F_SETPIPE_SZ),
	ALLOW_IF(fcntl, 2, ALL, F_GETPIPE_SZ),

	/* Of the loop: signals, timers, wake-ups, and a spare descriptor. */
	ALLOW(epoll_create1),
	ALLOW(signalfd4),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	ALLOW(eventfd2),
	ALLOW(read),
	ALLOW(write),			/* also: the log, --ready-fd */
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(pwritev2),		/* the log, without waiting */
	ALLOW(ppoll),			/* whether it would wait */
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW(clock_gettime),		/* calls only without a vDSO */
	ALLOW(clock_getres),
	ALLOW(gettimeofday),
#ifdef SYS_time
	ALLOW(time),
#endif
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),
	ALLOW(restart_syscall),		/* a wait, after SIGSTOP and SIGCONT */

	/* Of datagrams: where a return address leads. */
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(statx),
#ifdef SYS_stat
	ALLOW(stat),
	ALLOW(lstat),
#endif
	ALLOW(readlinkat),		/* /proc/self */
#ifdef SYS_readlink
	ALLOW(readlink),
#endif

	/* Of files. To read, or as a mere name (O_PATH); which ones, Landlock
	 * decides. The lock of a socket that is made anew is written. */
	ALLOW_IF(openat, 3, OPEN_TO_CHANGE, 0),
	ALLOW_FOR(SANDBOX_REBIND, openat),
	KILL(openat),
	ALLOW(lseek),
	ALLOW(faccessat),
	ALLOW(faccessat2),
#ifdef SYS_access
	ALLOW(access),
#endif
	ALLOW(getcwd),
	ALLOW(chdir),			/* --daemon: to / */
	ALLOW(dup),
	ALLOW(dup3),
#ifdef SYS_dup2
	ALLOW(dup2),
#endif
	ALLOW(ftruncate),		/* --pidfile */
	ALLOW(pwrite64),
	ALLOW(flock),			/* locks are let go */
	ALLOW(unlinkat),		/* our files, at the end */
#ifdef SYS_unlink
	ALLOW(unlink),
#endif
	ALLOW(wait4),			/* the process that removes them */
	ALLOW(waitid),
	ALLOW_FOR(SANDBOX_RULES, getdents64),	/* data bases of users */

	/* Of sockets: none but ours. A look-up of names by a network service
	 * is told that there is no network; otherwise nobody would try. */
	ALLOW_IF(socket, 1, ALL, AF_UNIX),
	FAIL_FOR(SANDBOX_RULES, socket, EAFNOSUPPORT),
	KILL(socket),
	ALLOW_IF(socketpair, 1, ALL, AF_UNIX),
	KILL(socketpair),
	ALLOW(bind),
	ALLOW(listen),
	ALLOW(connect),

	/* Of a socket file that is lost, and made anew. */
	ALLOW(inotify_init1),
	ALLOW(inotify_add_watch),
	ALLOW(inotify_rm_watch),
	ALLOW_FOR(SANDBOX_REBIND, fchmod),	/* before bind(2) */
	ALLOW_FOR(SANDBOX_REBIND, fchmodat),
#ifdef SYS_chmod
	ALLOW_FOR(SANDBOX_REBIND, chmod),
#endif
	ALLOW_FOR(SANDBOX_REBIND, fchownat),	/* --owner */
	ALLOW_FOR(SANDBOX_REBIND, renameat2),
#ifdef SYS_renameat
	ALLOW_FOR(SANDBOX_REBIND, renameat),
#endif
#ifdef SYS_rename
	ALLOW_FOR(SANDBOX_REBIND, rename),
#endif

	/* Of memory: nothing that could be executed. */
	ALLOW_IF(mmap, 3, PROT_EXEC, 0),
	FAIL(mmap, EPERM),
	ALLOW_IF(mprotect, 3, PROT_EXEC, 0),
	FAIL(mprotect, EPERM),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(brk),

	/* Of threads; other processes are not started. */
	ALLOW_IF(clone, 1, CLONE_THREAD, CLONE_THREAD),
	KILL(clone),
	FAIL(clone3, ENOSYS),		/* and libc takes clone */
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(membarrier),
	ALLOW(sched_getaffinity),	/* is there a processor to spin on? */
	ALLOW(sched_setaffinity),
	ALLOW(getcpu),
	ALLOW_IF(prctl, 1, ALL, PR_SET_NAME),	/* which they inherit */
	ALLOW_IF(prctl, 1, ALL, PR_GET_NAME),
	FAIL(prctl, EINVAL),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(exit),
	ALLOW(exit_group),

	/* Of who and where we are. */
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getppid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(getrandom),		/* names of sockets; seeds */
	ALLOW(uname),
	ALLOW(sysinfo),			/* qsort(3): how much memory there is */
	ALLOW_IF(prlimit64, 1, ALL, 0),	/* our own limits */
#ifdef SYS_getrlimit
	ALLOW(getrlimit),
#endif

	/* What only a fault would do: other programs, ... */
	KILL(execve),
	KILL(execveat),
#ifdef SYS_fork
	KILL(fork),
	KILL(vfork),
#endif
	/* ... other processes, ... */
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),
	KILL(kill),
	KILL(tkill),
	KILL(tgkill),			/* but for abort(3) */
	KILL(rt_sigqueueinfo),
	KILL(rt_tgsigqueueinfo),
	KILL(pidfd_send_signal),
	KILL(pidfd_getfd),
	KILL(process_madvise),
	KILL(kcmp),
	/* ... other users, roots, name spaces and limits, ... */
	KILL(setuid),
	KILL(setgid),
	KILL(setreuid),
	KILL(setregid),
	KILL(setresuid),
	KILL(setresgid),
	KILL(setfsuid),
	KILL(setfsgid),
	KILL(setgroups),
	KILL(capset),
	KILL(personality),
	KILL(unshare),
	KILL(setns),
	KILL(chroot),
	KILL(pivot_root),
	KILL(mount),
	KILL(umount2),
	KILL(move_mount),
	KILL(open_tree),
	KILL(fsopen),
	KILL(fsconfig),
	KILL(fsmount),
	KILL(fspick),
	KILL(mount_setattr),
	KILL(open_by_handle_at),
	KILL(mknodat),
#ifdef SYS_mknod
	KILL(mknod),
#endif
	/* ... the kernel itself, ... */
	KILL(bpf),
	KILL(perf_event_open),
	KILL(userfaultfd),
	KILL(io_uring_setup),		/* calls that no filter sees */
	KILL(io_uring_enter),
	KILL(io_uring_register),
	KILL(init_module),
	KILL(finit_module),
	KILL(delete_module),
	KILL(kexec_load),
#ifdef SYS_kexec_file_load
	KILL(kexec_file_load),
#endif
	KILL(keyctl),
	KILL(add_key),
	KILL(request_key),
	KILL(syslog),
	/* ... and the machine. */
#ifdef SYS_iopl
	KILL(iopl),
	KILL(ioperm),
#endif
	KILL(reboot),
	KILL(swapon),
	KILL(swapoff),
	KILL(acct),
	KILL(quotactl),
	KILL(settimeofday),
	KILL(clock_settime),
	KILL(clock_adjtime),
	KILL(adjtimex),
	KILL(sethostname),
	KILL(setdomainname),
};
/* clang-format on */

const size_t sandbox_calls_n = sizeof(sandbox_calls) / sizeof(sandbox_calls[0]);
