/* SPDX-License-Identifier: Apache-2.0 */

/*
 * take-away WHAT[,WHAT…] COMMAND [ARGUMENT…]: runs a command on a kernel that seems to lack
 * something, so that a layer of the sandbox cannot be had. Of unshare(2) the exact call alone that
 * k8scheck makes.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

enum {
	ANY = -1,
};

static const struct thing {
	const char *name;
	int first, last; /* system calls */
	int argument; /* the first one's value */
	unsigned error;
} things[] = {
	{ "landlock", 444, 446, ANY, ENOSYS },
	{ "openat2", 437, 437, ANY, ENOSYS },
	{ "mount_setattr", 442, 442, ANY, ENOSYS },
	{ "mount-namespace", SYS_unshare, SYS_unshare, CLONE_NEWNS, EPERM },
	{ "seccomp", SYS_seccomp, SYS_seccomp, ANY, ENOSYS },
};

static int take_away(const struct thing *thing)
{
	const int any = thing->argument == ANY;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)thing->first, 0, 4),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)thing->last, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)thing->argument, 0, any ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | thing->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return kc_test_filter(code, sizeof(code) / sizeof(code[0]));
}

static int take_named(const char *name)
{
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		if (strcmp(things[i].name, name) == 0)
			return take_away(things + i);
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	char *save = NULL;

	if (argc < 3) {
		fprintf(stderr, "usage: take-away WHAT[,WHAT...] COMMAND [ARGUMENT...]\n");
		return 125;
	}
	for (char *name = strtok_r(argv[1], ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		int r = take_named(name);

		if (r < 0) {
			fprintf(stderr, "take-away: %s: %s\n", name, strerror(-r));
			return 125;
		}
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "take-away: %s: %s\n", argv[2], strerror(errno));
	return 127;
}
