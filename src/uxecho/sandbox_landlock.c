/* SPDX-License-Identifier: ISC */
/*
 * Landlock by its three system calls; see landlock(7).
 *
 * The kernel refuses what it does not know, so each version of its interface
 * is asked for what it has. What comes with later ones than 7 is left alone:
 * among it is a right to resolve the paths of sockets, and replies to
 * datagrams go to paths anywhere.
 */
#include "sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's headers are older than most of this; the numbers are the same on
 * every processor. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

#define RIGHTS_OF_ABI_1 ((UINT64_C(1) << 13) - 1)
#define RIGHT_REFER (UINT64_C(1) << 13) /* ABI 2: move between directories */
#define RIGHT_TRUNCATE LANDLOCK_MAY_TRUNCATE /* ABI 3 */
#define RIGHT_IOCTL_DEVICE (UINT64_C(1) << 15) /* ABI 5 */

#define BIND_TCP UINT64_C(1) /* ABI 4 */
#define CONNECT_TCP UINT64_C(2)

/* ABI 6. Its other scope, abstract names, would make replies fail to clients
 * that the kernel gave a name (autobind, EPERM). */
#define SCOPE_SIGNAL UINT64_C(2)

struct attributes {
	uint64_t rights;
	uint64_t network; /* as of ABI 4 */
	uint64_t scopes; /* as of ABI 6 */
};

struct path_beneath {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

static size_t
size_of_attributes(int abi)
{
	if (abi >= 6)
		return sizeof(struct attributes);
	return abi >= 4 ? offsetof(struct attributes, scopes) :
			  offsetof(struct attributes, network);
}

static uint64_t
rights_of(int abi)
{
	return RIGHTS_OF_ABI_1 | (abi >= 2 ? RIGHT_REFER : 0) |
	    (abi >= 3 ? RIGHT_TRUNCATE : 0) |
	    (abi >= 5 ? RIGHT_IOCTL_DEVICE : 0);
}

int
landlock_version(void)
{
	const long version = syscall(SYS_landlock_create_ruleset, NULL,
	    (size_t)0, CREATE_RULESET_VERSION);

	return version < 0 ? -errno : (int)version;
}

int
landlock_open(int abi)
{
	const struct attributes attributes = {
		.rights = rights_of(abi),
		.network = BIND_TCP | CONNECT_TCP,
		.scopes = SCOPE_SIGNAL,
	};
	const long fd = syscall(SYS_landlock_create_ruleset, &attributes,
	    size_of_attributes(abi), 0U);

	return fd < 0 ? -errno : (int)fd;
}

int
landlock_allow(int fd, int abi, const char *directory, uint64_t rights)
{
	struct path_beneath rule = { .rights = rights & rights_of(abi) };
	int r = 0;

	rule.fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ?
		    -errno :
		    0;
	if (syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &rule, 0U) <
	    0)
		r = -errno;
	close(rule.fd);
	return r;
}

int
landlock_enter(int fd)
{
	return syscall(SYS_landlock_restrict_self, fd, 0U) < 0 ? -errno : 0;
}
