/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * What holds a process that runs foreign code, or reads foreign bytes, to looking. Each layer is a
 * file of its own, layer-NAME.c, and stands alone: what one leaves open, another closes, and a
 * kernel or a user that lacks one still gets the others. All act on the calling process and on what
 * it forks from then on, for good. Functions return 0 or negative errno with a sentence that says
 * why the layer is missing here.
 */
enum kc_layer {
	KC_LAYER_MOUNTS, /* a mount namespace of its own */
	KC_LAYER_READ_ONLY, /* all mounts in it are read-only */
	KC_LAYER_PRIVILEGES, /* no new privileges, and an empty capability bounding set */
	KC_LAYER_LANDLOCK, /* no file can be written, made or removed; no signals, no abstract
			      sockets */
	KC_LAYER_SYSCALLS, /* a list of system calls that may be made */
	KC_LAYER_USER, /* an unused user and group for every worker */
	KC_LAYER_CAPABILITIES, /* no capability but the one to read */
	KC_LAYER_MAX
};

/* Names as reports have them, in the order of enum kc_layer; NULL-terminated. */
extern const char *const kc_layer_names[];

/*
 * A mount namespace that the host's mounts still reach, and whose own reach nobody (slave
 * propagation, so that volumes which the host unmounts meanwhile are not held).
 * mount_namespaces(7).
 */
int kc_layer_mounts(struct kc_err *err);

/*
 * Makes all mounts of this namespace read-only: by mount_setattr(2), since Linux 5.12, else one
 * after another, with what flags they have (remount.h). With `no_devices` no device can be opened
 * any more, to read either, since that can be an act: a watchdog's starts it, and a tape's winds it
 * back. A mount of a network or of another's process gets `patience_usec` then, and with 0 none;
 * *ret_left counts those that were left as they are, and `left` (may be NULL) names them, with
 * commas between: such a mount, and one beneath another, to which no path leads. Not in a namespace
 * that others share.
 */
int kc_layer_read_only(bool no_devices, uint64_t patience_usec, struct kc_buf *left,
		       unsigned *ret_left, struct kc_err *err);

/* no_new_privs (prctl(2)), and nothing but `keep` (bits of linux/capability.h) in the bounding set
 * (capabilities(7)), which takes CAP_SETPCAP; without that, the first alone, which is no failure.
 */
int kc_layer_privileges(uint32_t keep, struct kc_err *err);

/*
 * Landlock with all rights to write handled, and allowed nowhere; executing too, and, but for who
 * asks others (`network`), connecting by TCP, abstract sockets and signals to processes outside,
 * where the kernel knows them. The kernel's
 * word on what it knows is not trusted: what it refuses is asked with less. *ret_abi: what it came
 * to. landlock(7).
 */
int kc_layer_landlock(bool network, unsigned *ret_abi, struct kc_err *err);

/* Lists of system calls. What they do not allow fails with ENOSYS. */
enum kc_syscall_list {
	KC_SYSCALLS_ZYGOTE = 1, /* all that the zygote, and a worker while it begins, may do */
	KC_SYSCALLS_WORKER = 2, /* on top of that: what a worker may do from then on */
};

/*
 * Takes a list, which was made when k8scheck was built. `no_openat2`: without openat2(2), whose
 * flags no filter can see; open(2) is held to reading by both lists. -ENOSYS: built without lists,
 * or for another architecture. seccomp(2).
 */
int kc_layer_syscalls(enum kc_syscall_list list, bool no_openat2, struct kc_err *err);

/*
 * Whether this process can take any user and group: CAP_SETUID, CAP_SETGID, and a user namespace
 * that has the range which is used. -EPERM.
 */
int kc_layer_user_possible(struct kc_err *err);

/*
 * Becomes a user and a group that nothing else has: numbers from a range that neither distributions
 * nor container runtimes hand out (1879048192 and on, systemd's UIDS-GIDS), plus this process's id.
 * `group` is one it belongs to besides, or negative: whose members see the processes of others
 * where procfs hides them (kc_proc_group()). All that this user may have is 64 processes and
 * threads, this one included. Capabilities stay permitted, for kc_layer_capabilities() to take up
 * again; PR_SET_PDEATHSIG is forgotten.
 */
int kc_layer_user(int64_t group, struct kc_err *err);

/* The capabilities of a process: bits of linux/capability.h. */
enum {
	/* Of the zygote: to give users to workers, to end them, and to read. */
	KC_CAPABILITIES_ZYGOTE = 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7,
	/* Of a worker: CAP_DAC_READ_SEARCH. */
	KC_CAPABILITIES_WORKER = 1u << 2,
};

/* Whether this process may take up all of these. */
bool kc_has_capabilities(uint32_t all);

/* Drops all but these; those that this process lacks stay lacking, which is no failure. */
int kc_layer_capabilities(uint32_t keep, struct kc_err *err);
